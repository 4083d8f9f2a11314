/*
 * A mapped file and bounded access to its pieces. Only snap/ includes this.
 *
 * A map is shared by the views of one file in one process. It remembers which pieces passed their checksum
 * (one bit per page for buckets, one per granule for the rest), so a piece is summed once and never again.
 * Every access is bounded by the end that the view's root names, whatever the bytes say, so that even a piece
 * that is damaged after its check cannot lead out of the mapping.
 */
#ifndef SNAP_IMAGE_H
#define SNAP_IMAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/must.h"
#include "base/rcu.h"
#include "snap/format.h"
#include "snap/view.h"

struct snap_map {
    uint32_t magic;
    atomic_uint refs;
    int fd;
    bool writable;
    uint8_t *base;
    uint64_t cap;                         /* bytes mapped; may reach behind the end of the file */
    _Atomic uint64_t *page_ok, *piece_ok; /* bit sets over pages and granules */
    dev_t dev;
    ino_t ino;
};
#define SNAP_MAP_MAGIC 0x5a9d3a70u

/* What reading needs: bytes below end may be touched. */
struct snap_space {
    const uint8_t *base;
    uint64_t end;
    struct snap_map *map;
};

struct snap_view {
    uint32_t magic;
    atomic_uint refs;
    struct snap_space space;
    const uint8_t *secret;
    struct snap_roots roots;
    uint64_t revision, seq, used, live;
    int64_t created_ms;
    struct rcu_retired retired;
};
#define SNAP_VIEW_MAGIC 0x5a9d71e3u

/* open.c: mapping. map_new takes fd over on success. */
int snap_map_new(int fd, uint64_t cap, bool writable, struct snap_map **ret, acd_err *err) ACD_MUSTCHECK;
/* Maps a file for reading, checks its header; takes fd over, also on failure. */
int snap_map_open(int fd, struct snap_map **ret, acd_err *err) ACD_MUSTCHECK;
/* copy.c: the newest root of the file at path, in *map, which is replaced or extended as it takes. Returns 1:
 * *slot is newer than it was; 0: nothing new. *map NULL: first time. */
int snap_copy_take(const char *path, struct snap_map **map, struct snap_slot *slot,
                   acd_err *err) ACD_MUSTCHECK;
struct snap_map *snap_map_ref(struct snap_map *m);
void snap_map_unref(struct snap_map *m);
int snap_header_check(const struct snap_map *m, uint64_t file_size, acd_err *err) ACD_MUSTCHECK;
/* The better of the two roots that fits the file; skip: a sequence number not to take (0: none). */
int snap_slot_read(const struct snap_map *m, uint64_t file_size, uint64_t skip, struct snap_slot *ret,
                   acd_err *err) ACD_MUSTCHECK;
uint64_t snap_header_sum(const struct snap_header *h);
uint64_t snap_slot_sum(const struct snap_slot *s);
/* View with one reference over a root; refs the map. NULL: out of memory. */
struct snap_view *snap_view_new(struct snap_map *m, const struct snap_slot *slot);

uint64_t snap_piece_sum(const struct snap_piece *p, uint32_t ref);
/* Checks bounds, kind and checksum, and remembers success. */
bool snap_piece_verify(const struct snap_space *s, uint32_t ref, uint32_t kind);
bool snap_page_verify(const struct snap_space *s, uint32_t ref);

static inline bool
snap_bit(const _Atomic uint64_t *set, uint64_t i)
{
    return atomic_load_explicit(&set[i / 64], memory_order_relaxed) >> (i % 64) & 1;
}

static inline void
snap_bit_set(_Atomic uint64_t *set, uint64_t i)
{
    (void)atomic_fetch_or_explicit(&set[i / 64], 1ull << (i % 64), memory_order_relaxed);
}

static inline void
snap_bit_clear(_Atomic uint64_t *set, uint64_t i)
{
    (void)atomic_fetch_and_explicit(&set[i / 64], ~(1ull << (i % 64)), memory_order_relaxed);
}

/* NULL: damaged. */
static inline const struct snap_node *
snap_node_at(const struct snap_space *s, uint32_t ref)
{
    uint64_t off = (uint64_t)ref * SNAP_GRANULE;
    if (__builtin_expect(ref == 0 || off + sizeof(struct snap_node) > s->end, 0))
        return NULL;
    if (__builtin_expect(!snap_bit(s->map->piece_ok, ref), 0) && !snap_piece_verify(s, ref, SNAP_K_NODE))
        return NULL;
    return (const struct snap_node *)(s->base + off);
}

static inline const struct snap_bucket *
snap_bucket_at(const struct snap_space *s, uint32_t ref)
{
    uint64_t off = (uint64_t)SNAP_PAGE_REF(ref) * SNAP_GRANULE;
    if (__builtin_expect(off == 0 || (ref & SNAP_SKEW_MASK) >= SNAP_SKEWS || off + SNAP_PAGE > s->end, 0))
        return NULL;
    if (__builtin_expect(!snap_bit(s->map->page_ok, off / SNAP_PAGE), 0) && !snap_page_verify(s, ref))
        return NULL;
    return (const struct snap_bucket *)(s->base + off);
}

static inline const uint16_t *
snap_bucket_slots(const struct snap_bucket *b, uint32_t ref)
{
    return (const uint16_t *)((const char *)b + SNAP_SLOTS_AT(ref & SNAP_SKEW_MASK));
}

/* A piece of any other kind with at least min bytes of data; *ret_len is inside the bounds. */
const void *snap_record_at(const struct snap_space *s, uint32_t ref, uint32_t kind, size_t min,
                           uint32_t *ret_len);

#endif
