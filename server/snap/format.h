/*
 * The bytes of an image. Only snap/ includes this.
 *
 * A file is a run of 4 KiB pages. Page 0 is the header, pages 1 and 2 hold the two alternating roots, the
 * rest is pieces. A piece is never changed once a root that reaches it was published: a commit appends new
 * pieces and writes the older of the two roots, so both the newest and the previous revision can be read at
 * any time.
 *
 * A reference is an offset in granules of 32 bytes, 0 means none. Numbers are those of the machine that wrote
 * the file; another byte order is refused. Every piece carries a checksum over its contents, seeded with its
 * own reference so that a piece in a wrong place does not pass.
 */
#ifndef SNAP_FORMAT_H
#define SNAP_FORMAT_H

#include <stdint.h>

#include "snap/limits.h"

#define SNAP_MAGIC   0x50414e5344434e41ull /* "ANCDSNAP" */
#define SNAP_VERSION 1
#define SNAP_ORDER   0x01020304u

enum {
    SNAP_PAGE = 4096,
    SNAP_GRANULE = 32,
    SNAP_FIRST_FREE = 3 * SNAP_PAGE,
    SNAP_SECRET = 192, /* XXH3 wants at least 136 */
    SNAP_FANOUT = 512,
    SNAP_FANOUT_BITS = 9,
    SNAP_LEVELS_MAX = 3,
    SNAP_DEPTH_MAX = 26, /* at most 2^26 buckets in a table */
    SNAP_SLOTS = 256,
    SNAP_BUCKET_FILL = 224, /* entries; more would make probing slow */
};

struct snap_header {
    uint64_t magic;
    uint32_t version, order;
    uint64_t sum;     /* over the header with sum = 0, up to moved */
    uint64_t file_id; /* random; differs after every compaction and rebuild */
    uint64_t epoch;   /* given by the owner: differs when truth was restored from a backup */
    uint8_t secret[SNAP_SECRET];
    uint32_t moved; /* not 0: path may have been renamed over; outside the sum because it changes */
};

enum snap_kind {
    SNAP_K_NODE = 1,
    SNAP_K_BUCKET = 2,
    SNAP_K_ZONE = 3,
    SNAP_K_CA = 4,
    SNAP_K_TRUST = 5,
    SNAP_K_BLOB = 6
};

struct snap_piece {
    uint64_t sum;
    uint32_t len; /* of the data that follows */
    uint32_t kind;
};

static inline void *
snap_piece_data(const struct snap_piece *p)
{
    return (void *)(p + 1);
}

/* A sparse array of u32 by number: a radix tree of nodes of 512. */
struct snap_node {
    struct snap_piece head;
    uint32_t at[SNAP_FANOUT];
};

struct snap_arr {
    uint32_t ref, levels;
    uint32_t n;    /* numbers 0 .. n - 1 exist */
    uint32_t free; /* first free number + 1; a free number holds SNAP_FREE | next free + 1 */
};
#define SNAP_FREE 0x80000000u

/* A table by key: an extendible hash. The top `depth` bits of the hash choose the bucket in dir. */
struct snap_tab {
    struct snap_arr dir;
    uint32_t depth, pad;
    uint64_t count;
};

/*
 * A bucket is one page, aligned: a head of 64 bytes, and 256 slots somewhere among the entries. Where the
 * slots are differs from bucket to bucket, for otherwise they would compete for the same few sets of the
 * processor's caches; the low bits of a reference to a bucket (its "skew") say it, so that a lookup need not
 * read the head. A slot is 0, or 6 bits of the hash and the entry's offset / 4.
 */
struct snap_bucket {
    struct snap_piece head;
    uint16_t count, end; /* entries, offset behind the last one */
    uint32_t depth;      /* how many bits of the hash all entries share */
    uint32_t skew;
    uint32_t pad[9];
    uint8_t data[SNAP_PAGE - 64];
};

enum {
    SNAP_ENTRIES_AT = 64,
    SNAP_SLOT_BYTES = 2 * SNAP_SLOTS,
    SNAP_SKEWS = (SNAP_PAGE - SNAP_ENTRIES_AT) / SNAP_SLOT_BYTES,
    SNAP_SKEW_MASK = SNAP_PAGE / SNAP_GRANULE - 1,
};
#define SNAP_SLOTS_AT(skew) (SNAP_ENTRIES_AT + SNAP_SLOT_BYTES * (skew))
#define SNAP_PAGE_REF(ref)  ((ref) & ~(uint32_t)SNAP_SKEW_MASK)

struct snap_entry {
    uint32_t a, b;
    uint8_t len;
    char key[];
};

/* The least an entry takes: its head, one byte of key, and up to a multiple of 4. */
enum { SNAP_ENTRY_HEAD = 9, SNAP_ENTRY_MIN = 12 };

/* What is numbered, and by which keys it is found. */
struct snap_roots {
    struct snap_tab hosts;             /* name -> zone, trust set */
    struct snap_tab zones;             /* id -> number */
    struct snap_tab cas;               /* id and index -> number */
    struct snap_tab trusts;            /* digest and entries -> number */
    struct snap_tab blobs;             /* kind and key -> number */
    struct snap_arr zone, zone_uses;   /* number -> piece; number -> hosts in it */
    struct snap_arr ca, ca_uses;       /* number -> piece; number -> trust sets that hold it */
    struct snap_arr trust, trust_uses; /* number -> piece; number -> hosts that have it */
    struct snap_arr blob;
    uint64_t wildcards; /* hosts that are wildcards */
};

struct snap_slot {
    uint64_t sum; /* over the rest */
    uint64_t seq; /* commits of this file; the slot is seq % 2 */
    uint64_t revision;
    int64_t created_ms;
    uint64_t used;    /* bytes of the file that this root may reach into */
    uint64_t live;    /* bytes of pieces reached from this root */
    uint8_t boot[16]; /* zero: on stable storage; else the boot during which it was written without a sync */
    struct snap_roots roots;
};

struct snap_zone_rec {
    uint8_t id_len, account_len, name_len, pad;
    char text[]; /* id, account id, name */
};

struct snap_ca_rec {
    uint8_t sha256[32];
    int64_t not_before_ms, not_after_ms;
    uint32_t profile, flags, index;
    uint32_t id_len, subject_len, der_len;
    uint8_t bytes[]; /* id, subject, DER */
};

struct snap_trust_rec {
    uint8_t digest[32];
    uint32_t n, observes; /* observes: a place is SNAP_CA_OBSERVED */
    struct {
        uint32_t ca, flags;
    } entry[]; /* n of them, and behind them an epoch of 8 bytes unless it is 0 */
};

struct snap_blob_rec {
    uint32_t kind, key_len;
    uint8_t bytes[]; /* key, then the value up to the piece's end */
};

_Static_assert(sizeof(struct snap_piece) == 16, "pieces begin with 16 bytes");
_Static_assert(sizeof(struct snap_node) == 16 + 4 * SNAP_FANOUT, "nodes are dense");
_Static_assert(sizeof(struct snap_bucket) == SNAP_PAGE, "a bucket is one page");
_Static_assert(sizeof(struct snap_slot) <= SNAP_PAGE, "a root is one page");

#endif
