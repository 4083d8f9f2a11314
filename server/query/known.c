#include "query/known.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

enum { SHARDS = 16, DIGEST_BYTES = 32 };

struct known {
    uint8_t digest[DIGEST_BYTES];
    struct known *up, *down; /* latest use first */
    size_t bytes, n;
    uint32_t len[]; /* n of them, then the certificates one behind the other */
};

struct shard {
    pthread_mutex_t lock;
    struct map by_digest;
    struct known *first, *last;
    size_t bytes;
};

struct known_store {
    size_t max; /* of one shard */
    struct shard shards[SHARDS];
};

int
known_store_new(size_t max_bytes, struct known_store **ret, acd_err *err)
{
    struct known_store *k = calloc(1, sizeof(*k));
    if (!k)
        return err_set(err, ACD_ENOMEM, "out of memory");
    k->max = max_bytes / SHARDS;
    for (size_t i = 0; i < SHARDS; i++)
        must(pthread_mutex_init(&k->shards[i].lock, NULL) == 0);
    *ret = k;
    return 0;
}

static void
known_unlink(struct shard *s, struct known *e)
{
    *(e->up ? &e->up->down : &s->first) = e->down;
    *(e->down ? &e->down->up : &s->last) = e->up;
}

static void
known_to_front(struct shard *s, struct known *e)
{
    e->up = NULL;
    e->down = s->first;
    *(s->first ? &s->first->up : &s->last) = e;
    s->first = e;
}

static void
known_drop(struct shard *s, struct known *e)
{
    known_unlink(s, e);
    s->bytes -= e->bytes;
    must(map_take(&s->by_digest, slice_of(e->digest, DIGEST_BYTES)) == e);
    free(e);
}

void
known_store_free(struct known_store *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        while (k->shards[i].first)
            known_drop(&k->shards[i], k->shards[i].first);
        map_done(&k->shards[i].by_digest);
        (void)pthread_mutex_destroy(&k->shards[i].lock);
    }
    free(k);
}

static struct shard *
shard_of(struct known_store *k, const uint8_t *digest)
{
    return &k->shards[digest[DIGEST_BYTES - 1] % SHARDS];
}

static struct known *
known_new(const uint8_t *digest, const acd_slice *certs, size_t n)
{
    size_t bytes = sizeof(struct known) + n * sizeof(uint32_t);
    for (size_t i = 0; i < n; i++)
        bytes += certs[i].len;
    struct known *e = malloc(bytes);
    if (!e)
        return NULL;
    memcpy(e->digest, digest, DIGEST_BYTES);
    e->bytes = bytes;
    e->n = n;
    char *at = (char *)&e->len[n];
    for (size_t i = 0; i < n; i++) {
        e->len[i] = (uint32_t)certs[i].len;
        if (certs[i].len)
            memcpy(at, certs[i].ptr, certs[i].len);
        at += certs[i].len;
    }
    return e;
}

static void
put_locked(struct known_store *k, struct shard *s, const uint8_t *digest, const acd_slice *certs, size_t n)
{
    struct known *e = map_find(&s->by_digest, slice_of(digest, DIGEST_BYTES));
    if (e) {
        known_unlink(s, e);
        known_to_front(s, e);
        return;
    }
    e = known_new(digest, certs, n);
    if (!e || e->bytes > k->max || map_put(&s->by_digest, slice_of(digest, DIGEST_BYTES), e, NULL) < 0) {
        free(e);
        return;
    }
    known_to_front(s, e);
    s->bytes += e->bytes;
    while (s->bytes > k->max)
        known_drop(s, s->last);
}

void
known_put(struct known_store *k, const uint8_t digest[32], const acd_slice *certs, size_t n)
{
    struct shard *s = shard_of(k, digest);
    (void)pthread_mutex_lock(&s->lock);
    put_locked(k, s, digest, certs, n);
    (void)pthread_mutex_unlock(&s->lock);
}

static int
copy_out(const struct known *e, struct mem_region *r, acd_slice **ret_certs, size_t *ret_n)
{
    const char *at = (const char *)&e->len[e->n];
    acd_slice *certs = mem_new_n(r, e->n, acd_slice);
    if (!certs)
        return ACD_ENOMEM;
    for (size_t i = 0; i < e->n; i++) {
        certs[i] = mem_slice(r, slice_of(at, e->len[i]));
        if (!certs[i].ptr)
            return ACD_ENOMEM;
        at += e->len[i];
    }
    *ret_certs = certs;
    *ret_n = e->n;
    return 0;
}

int
known_get(struct known_store *k, const uint8_t digest[32], struct mem_region *r, acd_slice **ret_certs,
          size_t *ret_n)
{
    struct shard *s = shard_of(k, digest);
    (void)pthread_mutex_lock(&s->lock);
    struct known *e = map_find(&s->by_digest, slice_of(digest, DIGEST_BYTES));
    int rc = e ? copy_out(e, r, ret_certs, ret_n) : ACD_ENOENT;
    if (e) {
        known_unlink(s, e);
        known_to_front(s, e);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return rc;
}
