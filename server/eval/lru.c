#include "eval/lru.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <anchord/status.h>

#include "base/map.h"
#include "base/rand.h"

/* The table has one chain for this many bytes of the bound. */
enum { BYTES_PER_CHAIN = 512, CHAINS_MIN = 16 };

int
lru_init(struct lru *c, size_t max, size_t max1)
{
    memset(c, 0, sizeof(*c));
    rand_bytes(c->seed, sizeof(c->seed));
    c->max[0] = max / LRU_SHARDS;
    c->max[1] = max1 / LRU_SHARDS;
    size_t chains = CHAINS_MIN;
    while (chains * BYTES_PER_CHAIN < c->max[0])
        chains *= 2;
    c->table_mask = chains - 1;
    for (unsigned i = 0; i < LRU_SHARDS; i++) {
        c->shards[i].table = calloc(chains, sizeof(struct lru_entry *));
        if (!c->shards[i].table || pthread_mutex_init(&c->shards[i].lock, NULL) != 0) {
            free(c->shards[i].table);
            c->shards[i].table = NULL;
            lru_done(c);
            return ACD_ENOMEM;
        }
    }
    return 0;
}

void
lru_unref(struct lru_entry *e)
{
    if (e && atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) == 1)
        free(e);
}

void
lru_done(struct lru *c)
{
    for (unsigned i = 0; i < LRU_SHARDS; i++) {
        struct lru_shard *s = &c->shards[i];
        if (!s->table)
            continue;
        for (unsigned k = 0; k < LRU_CLASSES; k++)
            for (struct lru_entry *e = s->oldest[k], *next; e; e = next) {
                next = e->newer;
                lru_unref(e);
            }
        free(s->table);
        s->table = NULL;
        (void)pthread_mutex_destroy(&s->lock);
    }
}

/* The peer chooses what is hashed into a key, so the place in the table must not follow from it alone. */
struct lru_shard *
lru_shard(struct lru *c, const uint8_t key[LRU_KEY], uint64_t *ret_hash)
{
    *ret_hash = siphash13(c->seed, key, LRU_KEY);
    return &c->shards[*ret_hash >> 60 & (LRU_SHARDS - 1)];
}

static void
list_remove(struct lru_shard *s, struct lru_entry *e)
{
    *(e->newer ? &e->newer->older : &s->newest[e->class]) = e->older;
    *(e->older ? &e->older->newer : &s->oldest[e->class]) = e->newer;
}

static void
list_add(struct lru_shard *s, struct lru_entry *e)
{
    e->newer = NULL;
    e->older = s->newest[e->class];
    *(e->older ? &e->older->newer : &s->oldest[e->class]) = e;
    s->newest[e->class] = e;
}

static void
drop(struct lru *c, struct lru_shard *s, struct lru_entry *e)
{
    struct lru_entry **at = &s->table[e->hash & c->table_mask];
    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    list_remove(s, e);
    s->bytes[e->class] -= e->bytes;
    s->stats.entries--;
    lru_unref(e);
}

struct lru_entry *
lru_find_locked(struct lru *c, struct lru_shard *s, uint64_t hash, const uint8_t *key)
{
    struct lru_entry *e = s->table[hash & c->table_mask];
    while (e && (e->hash != hash || memcmp(e->key, key, LRU_KEY) != 0))
        e = e->chain;
    if (e && !e->used)
        e->used = 1;
    return e;
}

/* The next one to go: the oldest that was not used since its last turn. */
static struct lru_entry *
victim(struct lru_shard *s, unsigned class)
{
    struct lru_entry *e;
    while ((e = s->oldest[class])->used) {
        e->used = 0;
        list_remove(s, e);
        list_add(s, e);
    }
    return e;
}

/* Whether there is room for so many bytes of that class, after pushing out what may be. */
static int
room_make(struct lru *c, struct lru_shard *s, unsigned class, size_t bytes)
{
    if (bytes > c->max[class] || (class == 1 && bytes > c->max[0] - s->bytes[0]))
        return 0;
    while (class == 1 ? s->bytes[1] + bytes > c->max[1] || s->bytes[0] + s->bytes[1] + bytes > c->max[0]
                      : s->bytes[0] + s->bytes[1] + bytes > c->max[0]) {
        drop(c, s, victim(s, s->oldest[1] ? 1 : 0));
        s->stats.evictions++;
    }
    return 1;
}

void
lru_put_locked(struct lru *c, struct lru_shard *s, struct lru_entry *e)
{
    struct lru_entry *old = lru_find_locked(c, s, e->hash, e->key);
    must(e->class < LRU_CLASSES);
    bool keep = old && old->class < e->class;
    if (old && !keep)
        drop(c, s, old);
    if (keep || !room_make(c, s, e->class, e->bytes)) {
        s->stats.refused++;
        lru_unref(e);
        return;
    }
    struct lru_entry **chain = &s->table[e->hash & c->table_mask];
    e->chain = *chain;
    *chain = e;
    list_add(s, e);
    s->bytes[e->class] += e->bytes;
    s->stats.entries++;
}

struct lru_entry *
lru_find(struct lru *c, const uint8_t key[LRU_KEY])
{
    uint64_t hash;
    struct lru_shard *s = lru_shard(c, key, &hash);
    (void)pthread_mutex_lock(&s->lock);
    struct lru_entry *e = lru_find_locked(c, s, hash, key);
    if (e)
        (void)atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    s->stats.hits += e != NULL;
    s->stats.misses += e == NULL;
    (void)pthread_mutex_unlock(&s->lock);
    return e;
}

void
lru_put(struct lru *c, struct lru_entry *e)
{
    struct lru_shard *s = lru_shard(c, e->key, &e->hash);
    (void)pthread_mutex_lock(&s->lock);
    lru_put_locked(c, s, e);
    (void)pthread_mutex_unlock(&s->lock);
}

void
lru_stats(struct lru *c, struct lru_stats *ret)
{
    *ret = (struct lru_stats){0};
    for (unsigned i = 0; i < LRU_SHARDS; i++) {
        struct lru_shard *s = &c->shards[i];
        (void)pthread_mutex_lock(&s->lock);
        ret->hits += s->stats.hits;
        ret->misses += s->stats.misses;
        ret->evictions += s->stats.evictions;
        ret->refused += s->stats.refused;
        ret->entries += s->stats.entries;
        ret->bytes += s->bytes[0] + s->bytes[1];
        (void)pthread_mutex_unlock(&s->lock);
    }
}
