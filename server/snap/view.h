/*
 * One revision of the answers, read-only. Any layer above snap may include it, in any process.
 *
 * Threading: a view is immutable; any number of threads may read it. In the daemon a reader gets it with
 * snap_pub_get inside a read section (base/rcu.h) and uses it there; beyond the section it must hold it with
 * snap_view_ref. Lookups take no lock, allocate nothing, count nothing and make no system call.
 *
 * What a getter returns points into the mapped file and lives as long as the view.
 *
 * Errors: pieces are checked against their checksum before their first use in a process. A damaged one gives
 * ACD_ECORRUPT for every question that needs it, and never an answer.
 */
#ifndef SNAP_VIEW_H
#define SNAP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#include "base/must.h"
#include "snap/limits.h"

struct snap_view;

/* --- holding and publishing ------------------------------------------------------------------------------
 */

struct snap_view *snap_view_ref(const struct snap_view *v);
void snap_view_unref(struct snap_view *v); /* NULL is fine; may unmap a file */

/* Where a process keeps its current view. Zero-initialised: none yet. */
struct snap_pub {
    struct snap_view *view;
};
/* Inside a read section; NULL before the first publication. */
const struct snap_view *snap_pub_get(const struct snap_pub *p);
/* Takes the caller's reference (v may be NULL) and retires what was there after a grace period. One publisher
 * at a time. Cannot fail. */
void snap_pub_set(struct snap_pub *p, struct snap_view *v);

/* --- facts of the view -----------------------------------------------------------------------------------
 */

struct snap_info {
    uint64_t revision, epoch, file_id, seq;
    int64_t created_ms;
    uint64_t hosts; /* names of every kind among them */
    uint64_t zones, cas, trusts, blobs;
    uint64_t used, live; /* bytes of the file, and those that this revision needs */
};
void snap_view_info(const struct snap_view *v, struct snap_info *ret);
uint64_t snap_view_revision(const struct snap_view *v);

/* --- hosts -----------------------------------------------------------------------------------------------
 */

enum snap_match { SNAP_NONE = 0, SNAP_EXACT = 1, SNAP_WILDCARD = 2 };

/* zone and trust are numbers that mean something in this view only. */
struct snap_hit {
    uint32_t match; /* enum snap_match */
    uint32_t zone, trust;
};

/*
 * The host's zone and trust set: the exact name first, then "*." in place of its first label. The name is in
 * normal form (model/host.h). 1: found; 0: not (match is SNAP_NONE); ACD_ECORRUPT.
 */
int snap_lookup(const struct snap_view *v, const char *host, size_t len, struct snap_hit *ret);
/* The same for n names, with the memory accesses of several in flight. Fills each hit and rc[i] as
 * snap_lookup would. Returns how many were found. */
size_t snap_lookup_batch(const struct snap_view *v, const acd_slice *hosts, size_t n, struct snap_hit *hits,
                         int *rc);
/* The stored association of this very pattern ("*.example.com" included), without wildcard matching. */
int snap_host_find(const struct snap_view *v, const char *pattern, size_t len, struct snap_hit *ret);

/*
 * Names that are kept apart from the hosts of mTLS clients: a name of one kind never matches one of another.
 * Inside they are keys of the same table, with the kind before them, a byte that no host name holds.
 */
enum snap_names {
    SNAP_NAMES_ACCESS = '@', /* hosts of Access CAs; looked up as snap_lookup does */
    SNAP_NAMES_ORIGIN = '=', /* zone ids: the zone's custom origin trust store */
};
int snap_names_lookup(const struct snap_view *v, enum snap_names kind, const char *host, size_t len,
                      struct snap_hit *ret);
/* This very name, as snap_host_find. */
int snap_names_find(const struct snap_view *v, enum snap_names kind, const char *name, size_t len,
                    struct snap_hit *ret);

/* All hosts and names, in no particular order: names with their kind before them. A zeroed cursor starts; 1:
 * one more, 0: the end, ACD_ECORRUPT. */
struct snap_cursor {
    uint32_t bucket, offset;
};
struct snap_host {
    acd_slice name;
    uint32_t zone, trust;
};
int snap_host_next(const struct snap_view *v, struct snap_cursor *at, struct snap_host *ret);

/* --- zones -----------------------------------------------------------------------------------------------
 */

struct snap_zone {
    acd_slice id, account, name;
};
int snap_zone_get(const struct snap_view *v, uint32_t zone, struct snap_zone *ret); /* 0, ENOENT, ECORRUPT */
int snap_zone_find(const struct snap_view *v, acd_slice id, uint32_t *ret_zone);

/* --- trust sets and CAs ----------------------------------------------------------------------------------
 */

/* Flags of a CA, and of its place in a trust set. Whoever knows only the first bit grants nothing to either
 * kind. */
#define SNAP_CA_HELPER   (1u << 0) /* grants nothing: it completes paths */
#define SNAP_CA_OBSERVED (3u << 0) /* of a place: grants nothing, what it says is reported */
#define SNAP_CA_ROLE     (3u << 0)

/* A place carries its priority for display in the upper bits; the digest does not cover it, for it says
 * nothing that the order of the set does not say. */
#define SNAP_PRIORITY_SHIFT 8
#define SNAP_CA_DIGESTED    ((1u << SNAP_PRIORITY_SHIFT) - 1)

enum snap_role { SNAP_DECIDES = 0, SNAP_HELPS = SNAP_CA_HELPER, SNAP_OBSERVED = SNAP_CA_OBSERVED };

/* What flags say that a CA may do; what they should not say makes it a helper. */
static inline enum snap_role
snap_role(uint32_t flags)
{
    return (flags & SNAP_CA_ROLE) == SNAP_CA_OBSERVED ? SNAP_OBSERVED
           : (flags & SNAP_CA_ROLE)                   ? SNAP_HELPS
                                                      : SNAP_DECIDES;
}

struct snap_ca {
    acd_slice id; /* of the uploaded object */
    uint32_t index;
    const uint8_t *sha256; /* 32 bytes, of the DER */
    acd_slice subject, der;
    int64_t not_before_ms, not_after_ms;
    uint32_t profile; /* acd_profile */
    uint32_t flags;
};
int snap_ca_get(const struct snap_view *v, uint32_t ca, struct snap_ca *ret);
int snap_ca_find(const struct snap_view *v, acd_slice id, uint32_t index, uint32_t *ret_ca);
uint32_t snap_ca_limit(const struct snap_view *v); /* CA numbers are below it; some may be ENOENT */

struct snap_trust {
    const uint8_t *digest; /* 32 bytes: SHA-256 over the ordered (sha256, profile, flags but for priority) */
    uint64_t epoch;        /* of the revocation data of its CAs (snap/revoked.h); 0: none of them has any */
    uint32_t n;
    bool observes;       /* some of its CAs are observed only */
    const void *entries; /* for snap_trust_ca */
};
int snap_trust_get(const struct snap_view *v, uint32_t trust, struct snap_trust *ret);
/* The i-th CA of the set, i < n. flags: those of its place, with the CA's own. */
int snap_trust_ca(const struct snap_view *v, const struct snap_trust *t, uint32_t i, struct snap_ca *ret,
                  uint32_t *ret_flags);

/* --- blobs -----------------------------------------------------------------------------------------------
 */

/* Sections that other layers own: rule texts of a zone, revocation sets, origin trust. Kinds are append-only.
 */
enum snap_blob_kind {
    SNAP_BLOB_RULES = 1,
    SNAP_BLOB_REVOKED = 2, /* snap/revoked.h */
    SNAP_BLOB_ORIGIN = 3,
    SNAP_BLOB_META = 4,
    SNAP_BLOB_ZONE_NAME = 5, /* zone name to zone id */
    SNAP_BLOB_USER = 1000
};
int snap_blob_find(const struct snap_view *v, uint32_t kind, acd_slice key, acd_slice *ret);

/* --- whole image -----------------------------------------------------------------------------------------
 */

/* Reads everything that the view reaches and checks it, cross references included. Slow: grows with the
 * image. 0 or ACD_ECORRUPT with a sentence. */
int snap_view_check(const struct snap_view *v, acd_err *err) ACD_MUSTCHECK;

#endif
