/*
 * Which serial numbers a CA has revoked, each once, in the image. Any layer above snap may include it.
 *
 * A set belongs to one certificate of the image, (id, index) as in snap_ca_find, and never to a name or a
 * key alone: two CAs of one name, or one CA of two accounts, have nothing to do with each other's sets.
 *
 * Form: serial numbers are written with `width` octets and permuted by a keyed bijection, so that whatever
 * the CA counts in is spread evenly, and nobody can choose numbers that crowd. The first octets of the
 * permuted number say in which part and bucket of it an entry is and are not stored; the rest is, so a
 * look-up is exact: neither a wrong hit nor a missed one. An entry takes 4 octets for the time, half an
 * octet for the reason, and the stored rest of the number. A change rewrites the parts that it touches.
 *
 * The head of a set says from when until when the list behind it speaks, and carries its epoch. The epochs of
 * the CAs of a trust set are in the set's record (struct snap_trust), so a verdict that rests on revocation
 * data is found again only while that data stays.
 *
 * Times are Unix seconds. Serial numbers are the contents octets of the DER INTEGER (two's complement).
 */
#ifndef SNAP_REVOKED_H
#define SNAP_REVOKED_H

#include "snap/writer.h"

enum {
    SNAP_REVOKED_SERIAL = 21,       /* octets: the 20 of RFC 5280 section 4.1.2.2, and a leading zero */
    SNAP_REVOKED_BITS = 15,         /* at most 2^15 parts */
    SNAP_REVOKED_REMOVED = 8,       /* the reason removeFromCRL: takes an entry off the set */
    SNAP_REVOKED_REASON_MAX = 15,   /* RFC 5280 section 5.3.1 has up to 10 */
    SNAP_REVOKED_ENTRIES = 8000000, /* of one set */
};

/* How a set is permuted and cut. Kept from one build to the next, as far as it fits, so that parts without a
 * change come out the same. */
struct snap_revoked_shape {
    uint64_t seed;
    uint32_t count; /* entries */
    uint8_t width;  /* octets of a serial number; 0: there is no set yet */
    uint8_t bits;   /* 2^bits parts */
};

/* What is said about a CA beside the entries. */
struct snap_revoked_state {
    uint64_t epoch;          /* differs whenever anything that is said about this CA does */
    int64_t from_s, until_s; /* thisUpdate and nextUpdate of the list; INT64_MIN, INT64_MAX: unbounded */
    uint32_t policy;         /* enum revocation_policy of model/revocation.h */
    bool listed;             /* there is a list, if only an empty one */
    struct snap_revoked_shape shape;
};

struct snap_revoked_entry {
    int64_t at_s;    /* revocation date */
    uint32_t reason; /* RFC 5280 section 5.3.1; 0: none given */
};

/* --- in a view: any thread, no allocation ------------------------------------------------------------------
 */

/* 0; ACD_ENOENT: nothing is said about this CA; ACD_ECORRUPT. */
int snap_revoked_state(const struct snap_view *v, acd_slice id, uint32_t index,
                       struct snap_revoked_state *ret);
/* 1: revoked, *ret filled in; 0: not among the entries; ACD_ENOENT: nothing is said about this CA;
 * ACD_ECORRUPT. */
int snap_revoked_find(const struct snap_view *v, acd_slice id, uint32_t index, acd_slice serial,
                      struct snap_revoked_entry *ret);

/* One part of a listed set as it was built. */
int snap_revoked_part(const struct snap_view *v, acd_slice id, uint32_t index, uint32_t part, acd_slice *ret);

/* --- in a transaction of the writer ------------------------------------------------------------------------
 */

/* The head, and for a listed set of one part (shape.bits 0) that part. Trust sets that hold the CA follow
 * with another epoch; parts that the shape has no place for are dropped. The parts of a larger set come
 * apart, before or after, in the same transaction. What is there already is not written again. */
int snap_put_revoked(struct snap_writer *w, acd_slice id, uint32_t index, const struct snap_revoked_state *s,
                     acd_slice part, acd_err *err) ACD_MUSTCHECK;
int snap_put_revoked_part(struct snap_writer *w, acd_slice id, uint32_t index, uint32_t part, acd_slice bytes,
                          acd_err *err) ACD_MUSTCHECK;
/* All that is said about the CA. Nothing there is fine. */
int snap_del_revoked(struct snap_writer *w, acd_slice id, uint32_t index, acd_err *err) ACD_MUSTCHECK;

/* --- building a set: one thread, no image
 * -------------------------------------------------------------------
 */

struct snap_revoked_set;

int snap_revoked_new(struct snap_revoked_set **ret, acd_err *err) ACD_MUSTCHECK;
void snap_revoked_free(struct snap_revoked_set *set); /* NULL is fine */
int snap_revoked_copy(const struct snap_revoked_set *set, struct snap_revoked_set **ret,
                      acd_err *err) ACD_MUSTCHECK;
size_t snap_revoked_count(const struct snap_revoked_set *set);

/* What was built before is added whole, part by part. ACD_ECORRUPT: not a part of that shape. */
int snap_revoked_load(struct snap_revoked_set *set, const struct snap_revoked_shape *shape, uint32_t part,
                      acd_slice bytes, acd_err *err) ACD_MUSTCHECK;
/* One entry. later: it replaces the entry of the same number that is not `later`, or with
 * SNAP_REVOKED_REMOVED takes it off. ACD_EINVAL: a number, date or reason that no set can hold. */
int snap_revoked_add(struct snap_revoked_set *set, acd_slice serial, const struct snap_revoked_entry *entry,
                     bool later, acd_err *err) ACD_MUSTCHECK;

/* Called for each part in order; bytes live for the call. */
typedef int (*snap_revoked_part_fn)(void *ctx, uint32_t part, acd_slice bytes);
/* The set in its final form; it is used up. old: the shape to keep if it fits, with width 0 any.
 * ACD_EEXIST: a number is there twice. */
int snap_revoked_build(struct snap_revoked_set *set, const struct snap_revoked_shape *old,
                       struct snap_revoked_shape *ret, snap_revoked_part_fn fn, void *ctx,
                       acd_err *err) ACD_MUSTCHECK;

/* Looks a number up in the one part that could hold it. 1, 0 or ACD_ECORRUPT. */
uint32_t snap_revoked_part_of(const struct snap_revoked_shape *shape, acd_slice serial);
int snap_revoked_part_find(const struct snap_revoked_shape *shape, acd_slice part, acd_slice serial,
                           struct snap_revoked_entry *ret);

#endif
