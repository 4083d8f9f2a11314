#include "base/map.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "base/str.h"

/* Open addressing with linear probing; a removed entry leaves a tombstone until the next growth. */
struct map_slot {
    uint64_t hash;
    char *key;
    size_t len;
    void *value; /* NULL: free, or a tombstone when hash != 0 */
};

static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void
seed_make(void)
{
    rand_bytes(seed, sizeof(seed));
}

#define ROTL(x, b) ((x) << (b) | (x) >> (64 - (b)))

static inline void
sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = ROTL(v[1], 13), v[1] ^= v[0], v[0] = ROTL(v[0], 32);
    v[2] += v[3], v[3] = ROTL(v[3], 16), v[3] ^= v[2];
    v[0] += v[3], v[3] = ROTL(v[3], 21), v[3] ^= v[0];
    v[2] += v[1], v[1] = ROTL(v[1], 17), v[1] ^= v[2], v[2] = ROTL(v[2], 32);
}

uint64_t
siphash13(const uint64_t key[2], const void *p, size_t len)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                     key[1] ^ 0x7465646279746573u};
    const uint8_t *b = p;
    size_t left = len;
    uint64_t m;
    for (; left >= 8; b += 8, left -= 8) {
        memcpy(&m, b, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    m = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++)
        m |= (uint64_t)b[i] << (8 * i);
    v[3] ^= m;
    sip_round(v);
    v[0] ^= m;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t
hash_of(acd_slice key)
{
    (void)pthread_once(&seed_once, seed_make);
    return siphash13(seed, key.ptr, key.len) | 1; /* never 0: that marks a slot that was never used */
}

static bool
is_key(const struct map_slot *s, uint64_t hash, acd_slice key)
{
    return s->value && s->hash == hash && slice_eq(slice_of(s->key, s->len), key);
}

static struct map_slot *
slot_find(const struct map *m, uint64_t hash, acd_slice key)
{
    if (m->cap == 0)
        return NULL;
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->slots[i];
        if (is_key(s, hash, key))
            return s;
        if (!s->value && s->hash == 0)
            return NULL;
    }
}

static int
rehash(struct map *m, size_t cap)
{
    struct map_slot *slots = calloc(cap, sizeof(*slots));
    if (!slots)
        return ACD_ENOMEM;
    for (size_t k = 0; k < m->cap; k++) {
        if (!m->slots[k].value)
            continue;
        size_t i = m->slots[k].hash & (cap - 1);
        while (slots[i].value)
            i = (i + 1) & (cap - 1);
        slots[i] = m->slots[k];
    }
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
    m->tombs = 0;
    return 0;
}

void
map_done(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].value)
            free(m->slots[i].key);
    free(m->slots);
    *m = (struct map){0};
}

void *
map_find(const struct map *m, acd_slice key)
{
    struct map_slot *s = slot_find(m, hash_of(key), key);
    return s ? s->value : NULL;
}

int
map_put(struct map *m, acd_slice key, void *value, void **ret_old)
{
    must(value != NULL);
    uint64_t hash = hash_of(key);
    struct map_slot *s = slot_find(m, hash, key);
    if (s) {
        if (ret_old)
            *ret_old = s->value;
        s->value = value;
        return 0;
    }
    if ((m->len + m->tombs + 1) * 4 > m->cap * 3) {
        int rc = rehash(m, m->cap == 0 ? 16 : m->len * 2 >= m->cap ? m->cap * 2 : m->cap);
        if (rc < 0)
            return rc;
    }
    char *copy = malloc(key.len ? key.len : 1);
    if (!copy)
        return ACD_ENOMEM;
    if (key.len)
        memcpy(copy, key.ptr, key.len);
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].value)
        i = (i + 1) & (m->cap - 1);
    if (m->slots[i].hash)
        m->tombs--;
    m->slots[i] = (struct map_slot){hash, copy, key.len, value};
    m->len++;
    if (ret_old)
        *ret_old = NULL;
    return 0;
}

void *
map_take(struct map *m, acd_slice key)
{
    struct map_slot *s = slot_find(m, hash_of(key), key);
    if (!s)
        return NULL;
    void *value = s->value;
    free(s->key);
    s->key = NULL;
    s->value = NULL;
    m->len--;
    m->tombs++;
    return value;
}

int
map_next(const struct map *m, size_t *at, acd_slice *ret_key, void **ret_value)
{
    for (; *at < m->cap; (*at)++) {
        const struct map_slot *s = &m->slots[*at];
        if (!s->value)
            continue;
        if (ret_key)
            *ret_key = slice_of(s->key, s->len);
        if (ret_value)
            *ret_value = s->value;
        (*at)++;
        return 1;
    }
    return 0;
}
