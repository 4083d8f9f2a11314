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

/* NULL with *ret_empty: the table is empty. NULL otherwise: damaged. */
static inline const struct snap_bucket *
snap_tab_bucket(const struct snap_space *s, const struct snap_tab *t, uint64_t hash, uint32_t *ret_ref,
                bool *ret_empty)
{
    *ret_empty = t->dir.n == 0;
    if (t->dir.n == 0 || t->depth > SNAP_DEPTH_MAX ||
        !snap_arr_find(s, &t->dir, snap_dir_index(hash, t->depth), ret_ref))
        return NULL;
    return snap_bucket_at(s, *ret_ref);
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

/* Names are short: comparing them in line costs less than a call. */
static inline bool
snap_key_eq(const char *a, const char *b, size_t len)
{
    uint64_t x, y;
    if (len < 8)
        return memcmp(a, b, len) == 0;
    for (size_t i = 0; i + 8 <= len; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y)
            return false;
    }
    memcpy(&x, a + len - 8, 8);
    memcpy(&y, b + len - 8, 8);
    return x == y;
}

/* NULL: not in this bucket. */
static inline const struct snap_entry *
snap_bucket_find(const struct snap_bucket *b, uint32_t ref, uint64_t hash, const void *key, size_t len)
{
    const uint16_t *slots = snap_bucket_slots(b, ref);
    uint16_t tag = SNAP_TAG(hash);
    for (uint32_t n = 0, i = hash & (SNAP_SLOTS - 1); n < SNAP_SLOTS; n++, i = (i + 1) & (SNAP_SLOTS - 1)) {
        uint16_t slot = slots[i];
        if (slot == 0)
            return NULL;
        if ((slot & 0xfc00) != tag)
            continue;
        const struct snap_entry *e = snap_slot_entry(b, slot);
        if (e && e->len == len && snap_key_eq(e->key, key, len))
            return e;
    }
    return NULL;
}

/*
 * The entry at *off (0: the first one) or, where the slots begin or no entry fits before them, behind the
 * slots. NULL at the end, or where the bytes make no sense. Moves *off to the entry.
 */
static inline const struct snap_entry *
snap_entry_at(const struct snap_bucket *b, uint32_t ref, uint32_t *off)
{
    uint32_t slots = SNAP_SLOTS_AT(ref & SNAP_SKEW_MASK),
             at = *off < SNAP_ENTRIES_AT ? SNAP_ENTRIES_AT : *off;
    const struct snap_entry *e = (const struct snap_entry *)((const char *)b + at);
    if (at <= slots ? slots - at < SNAP_ENTRY_MIN || e->len == 0 : at < slots + SNAP_SLOT_BYTES)
        at = slots + SNAP_SLOT_BYTES;
    if (at % 4 != 0 || b->end > SNAP_PAGE || at + SNAP_ENTRY_HEAD + 1 > b->end)
        return NULL;
    e = (const struct snap_entry *)((const char *)b + at);
    *off = at;
    return e->len > 0 && at + SNAP_ENTRY_HEAD + e->len <= b->end ? e : NULL;
}

static inline uint32_t
snap_entry_size(size_t len)
{
    return (uint32_t)((SNAP_ENTRY_HEAD + len + 3) & ~(size_t)3);
}

/* 1: found; 0: not; ACD_ECORRUPT. */
static inline int
snap_tab_find(const struct snap_space *s, const struct snap_tab *t, const uint8_t *secret, const void *key,
              size_t len, const struct snap_entry **ret)
{
    bool empty;
    uint32_t ref;
    uint64_t hash = snap_hash(secret, key, len);
    const struct snap_bucket *b = snap_tab_bucket(s, t, hash, &ref, &empty);
    if (!b)
        return empty ? 0 : ACD_ECORRUPT;
    const struct snap_entry *e = snap_bucket_find(b, ref, hash, key, len);
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
