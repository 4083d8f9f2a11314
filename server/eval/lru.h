/*
 * Bounded caches of immutable, counted entries under 32-byte keys: what verdict.[ch] and known.[ch] have in
 * common. Only eval/ includes this.
 *
 * Threading: any thread. A cache is split into shards by the key; each has a lock that is held for a few
 * loads. An entry that was found has a reference of the caller's and stays good after it was pushed out.
 *
 * Entries have a class. Class 0 may use the whole bound; class 1 only what its own, smaller bound allows, and
 * an entry of class 1 never pushes out one of class 0, nor takes its place under the same key. The oldest goes
 * first, but what was used since its last turn gets another one: a hit marks its entry and touches no other.
 */
#ifndef EVAL_LRU_H
#define EVAL_LRU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

enum { LRU_KEY = 32, LRU_SHARDS = 16, LRU_CLASSES = 2 };

/* First in what is cached; malloc'd. What a hit reads stands together. */
struct lru_entry {
    atomic_uint refs;
    uint8_t class;
    uint8_t used; /* since it was last looked at for eviction */
    uint64_t hash;
    struct lru_entry *chain;
    uint8_t key[LRU_KEY];
    uint32_t bytes; /* all of the allocation */
    struct lru_entry *newer, *older;
};

struct lru_stats {
    uint64_t hits, misses, evictions, refused; /* refused: not admitted */
    uint64_t entries, bytes;
};

struct lru_shard {
    pthread_mutex_t lock;
    struct lru_entry **table;
    struct lru_entry *newest[LRU_CLASSES], *oldest[LRU_CLASSES];
    size_t bytes[LRU_CLASSES];
    struct lru_stats stats;
} __attribute__((aligned(64)));

struct lru {
    struct lru_shard shards[LRU_SHARDS];
    uint64_t seed[2];
    size_t table_mask;       /* of each shard */
    size_t max[LRU_CLASSES]; /* bytes of each shard; [0] bounds both together */
};

/* max bytes of all; max1: the share of class 1. */
int lru_init(struct lru *c, size_t max, size_t max1) ACD_MUSTCHECK;
void lru_done(struct lru *c);

struct lru_shard *lru_shard(struct lru *c, const uint8_t key[LRU_KEY], uint64_t *ret_hash);
/* The shard's lock is held for these. */
struct lru_entry *lru_find_locked(struct lru *c, struct lru_shard *s, uint64_t hash, const uint8_t *key);
/* Takes the caller's reference over, replaces an entry of the same key, pushes out others to stay in bounds.
 * An entry that is too large for its class is dropped and counted as refused. */
void lru_put_locked(struct lru *c, struct lru_shard *s, struct lru_entry *e);

/* NULL: not there. */
struct lru_entry *lru_find(struct lru *c, const uint8_t key[LRU_KEY]);
void lru_put(struct lru *c, struct lru_entry *e);
void lru_unref(struct lru_entry *e);
void lru_stats(struct lru *c, struct lru_stats *ret);

#endif
