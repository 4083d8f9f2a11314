#include "eval/known.h"

#include <stdlib.h>
#include <string.h>

#include "model/digest.h"
#include "model/limits.h"

int
known_init(struct known *k, size_t max_bytes)
{
    return lru_init(&k->lru, max_bytes, 0);
}

void
known_done(struct known *k)
{
    lru_done(&k->lru);
}

static void
key_make(const uint8_t leaf[32], const uint8_t chain[32], uint8_t out[LRU_KEY])
{
    uint8_t both[64];
    memcpy(both, leaf, 32);
    memcpy(both + 32, chain, 32);
    digest_sha256(both, sizeof(both), out);
}

int
known_put(struct known *k, const acd_slice *ders, size_t n)
{
    uint8_t leaf[32], chain[32];
    size_t bytes = 0;
    if (n == 0)
        return ACD_EINVAL;
    if (n > LIMIT_CHAIN)
        return ACD_ELIMIT;
    for (size_t i = 0; i < n; i++) {
        if (ders[i].len > LIMIT_CHAIN_BYTES - bytes)
            return ACD_ELIMIT;
        bytes += ders[i].len;
    }
    size_t size = sizeof(struct known_chain) + n * sizeof(acd_slice) + bytes;
    struct known_chain *c = malloc(size);
    if (!c)
        return ACD_ENOMEM;
    memset(c, 0, sizeof(*c));
    atomic_init(&c->entry.refs, 1);
    c->entry.bytes = (uint32_t)size;
    c->n = n;
    char *at = (char *)&c->certs[n];
    for (size_t i = 0; i < n; i++) {
        c->certs[i] = (acd_slice){at, ders[i].len};
        memcpy(at, ders[i].ptr, ders[i].len);
        at += ders[i].len;
    }
    digest_sha256(ders[0].ptr, ders[0].len, leaf);
    digest_chain(ders + 1, n - 1, chain);
    key_make(leaf, chain, c->entry.key);
    lru_put(&k->lru, &c->entry);
    return 0;
}

const struct known_chain *
known_find(struct known *k, const uint8_t leaf[32], const uint8_t chain[32])
{
    uint8_t key[LRU_KEY];
    key_make(leaf, chain, key);
    return (const struct known_chain *)lru_find(&k->lru, key);
}

void
known_unref(const struct known_chain *c)
{
    lru_unref((struct lru_entry *)c);
}

void
known_stats(struct known *k, struct lru_stats *ret)
{
    lru_stats(&k->lru, ret);
}
