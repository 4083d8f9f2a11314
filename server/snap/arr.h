/* Reading numbered arrays and tables by key. Only snap/ includes this. */
#ifndef SNAP_ARR_H
#define SNAP_ARR_H

#include <string.h>

#include "snap/hash.h"
#include "snap/image.h"

/* *ret_value is 0 for a number that was never set. False: damaged. */
static inline bool
snap_arr_find(const struct snap_space *s, const struct snap_arr *a, uint32_t i, uint32_t *ret_value)
{
    *ret_value = 0;
    if (i >= a->n || a->levels > SNAP_LEVELS_MAX || (uint64_t)i >> (SNAP_FANOUT_BITS * a->levels))
        return true;
    uint32_t ref = a->ref;
    for (uint32_t l = a->levels; l-- > 0;) {
        const struct snap_node *node = snap_node_at(s, ref);
        if (!node)
            return false;
        ref = node->at[(i >> (SNAP_FANOUT_BITS * l)) & (SNAP_FANOUT - 1)];
        if (ref == 0)
            return true;
    }
    *ret_value = ref;
    return true;
}

static inline uint32_t
snap_dir_index(uint64_t hash, uint32_t depth)
{
    return depth ? (uint32_t)(hash >> (64 - depth)) : 0;
}

/* NULL with *ret_empty: no entry there yet. NULL otherwise: damaged. */
static inline const struct snap_bucket *
snap_tab_bucket(const struct snap_space *s, const struct snap_tab *t, uint64_t hash, bool *ret_empty)
{
    uint32_t ref;
    *ret_empty = false;
    if (t->dir.n == 0) {
        *ret_empty = true;
        return NULL;
    }
    if (t->depth > SNAP_DEPTH_MAX || !snap_arr_find(s, &t->dir, snap_dir_index(hash, t->depth), &ref))
        return NULL;
    return snap_bucket_at(s, ref);
}

#define SNAP_TAG(hash) ((uint16_t)(((hash) >> 8 & 63) << 10))

/* The entry behind a slot's value; bounded by the page whatever the value is. */
static inline const struct snap_entry *
snap_slot_entry(const struct snap_bucket *b, uint16_t slot)
{
    uint32_t off = (uint32_t)(slot & 1023) * 4;
    if (off < SNAP_ENTRIES_AT || off + SNAP_ENTRY_HEAD + 1 > SNAP_PAGE)
        return NULL;
    const struct snap_entry *e = (const struct snap_entry *)((const char *)b + off);
    return off + SNAP_ENTRY_HEAD + e->len <= SNAP_PAGE ? e : NULL;
}

/* NULL: not in this bucket. */
static inline const struct snap_entry *
snap_bucket_find(const struct snap_bucket *b, uint64_t hash, const void *key, size_t len)
{
    uint16_t tag = SNAP_TAG(hash);
    for (uint32_t n = 0, i = hash & (SNAP_SLOTS - 1); n < SNAP_SLOTS; n++, i = (i + 1) & (SNAP_SLOTS - 1)) {
        uint16_t slot = b->slot[i];
        if (slot == 0)
            return NULL;
        if ((slot & 0xfc00) != tag)
            continue;
        const struct snap_entry *e = snap_slot_entry(b, slot);
        if (e && e->len == len && memcmp(e->key, key, len) == 0)
            return e;
    }
    return NULL;
}

/* 1: found; 0: not; ACD_ECORRUPT. */
static inline int
snap_tab_find(const struct snap_space *s, const struct snap_tab *t, const uint8_t *secret, const void *key,
              size_t len, const struct snap_entry **ret)
{
    bool empty;
    uint64_t hash = snap_hash(secret, key, len);
    const struct snap_bucket *b = snap_tab_bucket(s, t, hash, &empty);
    if (!b)
        return empty ? 0 : ACD_ECORRUPT;
    const struct snap_entry *e = snap_bucket_find(b, hash, key, len);
    if (!e)
        return 0;
    *ret = e;
    return 1;
}

/* Keys of tables that are made of parts. Each returns the key's length. */
static inline size_t
snap_ca_key(char *key, acd_slice id, uint32_t index)
{
    memcpy(key, id.ptr, id.len);
    key[id.len] = (char)index;
    return id.len + 1;
}

static inline size_t
snap_blob_key(char *out, uint32_t kind, acd_slice key)
{
    memcpy(out, &kind, sizeof(kind));
    if (key.len)
        memcpy(out + sizeof(kind), key.ptr, key.len);
    return sizeof(kind) + key.len;
}

#endif
