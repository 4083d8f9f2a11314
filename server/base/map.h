/*
 * Hash map from byte strings to pointers, keyed with SipHash-1-3 and a seed per process, so that hostile keys
 * do not collide on purpose. Keys are copied. One thread at a time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#include "base/must.h"

struct map_slot;

struct map {
    struct map_slot *slots;
    size_t cap, len, tombs;
};

/* A zeroed struct map is an empty map. */
void map_done(struct map *m); /* frees keys and slots, not the values */
void *map_find(const struct map *m, acd_slice key);
int map_put(struct map *m, acd_slice key, void *value, void **ret_old) ACD_MUSTCHECK; /* value is not NULL */
void *map_take(struct map *m, acd_slice key); /* removes; NULL when there was none */
/* Iterates: start with *at = 0; false at the end. Nothing may be put meanwhile. */
int map_next(const struct map *m, size_t *at, acd_slice *ret_key, void **ret_value);

uint64_t siphash13(const uint64_t key[2], const void *p, size_t len);

#endif
