/*
 * validator-openssl, inside: a compiled set of CAs, and the state of one verification.
 *
 * Threading: a bundle is immutable after bundle.c has built it and may be read by any thread; a vo_run
 * belongs to the thread that verifies. Ownership: the bundle owns its certificates and lists; a run owns what
 * it parsed from the question and borrows the rest.
 */
#ifndef VO_RUN_H
#define VO_RUN_H

#include <openssl/x509_vfy.h>

#include "crl.h"
#include "names.h"
#include "vo.h"

struct vo_anchor {
    struct vo_cert *cert; /* NULL: unreadable, never matches */
    uint32_t profile;
    struct vo_fault strict; /* rules it out when its profile is strict */
};

/* Where a subject's certificates are: anchors by number, helpers by number + nanchors. Sorted by hash. */
struct vo_slot {
    unsigned long subject_hash;
    uint32_t at;
};

#define VO_BUNDLE_MAGIC 0x76626e64u
struct acd_bundle {
    uint32_t magic;
    X509_STORE *store; /* empty: carries the functions that keep X509_verify_cert on our path */
    struct vo_anchor *anchors;
    struct vo_cert **helpers;
    struct vo_crl **crls;
    struct vo_slot *slots;
    size_t nanchors, nhelpers, ncrls, nslots;
};

/* bundle.c */
int vo_bundle_build(void *inst, const acd_bundle_spec *spec, acd_bundle **ret, acd_err *err);
void vo_bundle_free(acd_bundle *b);
/* First slot with that hash, or nslots. */
size_t vo_bundle_find(const struct acd_bundle *b, unsigned long subject_hash);
struct vo_cert *vo_bundle_cert(const struct acd_bundle *b, size_t at);
/* The bundle's own certificate with that digest, so that it need not be parsed again. */
struct vo_cert *vo_bundle_known(const struct acd_bundle *b, const uint8_t sha256[32]);

/* How much a failure says about why the chain is refused; the greatest is reported. */
enum vo_rank {
    VO_RANK_NONE = 0,
    VO_RANK_NO_ISSUER, /* nobody known signed it */
    VO_RANK_UNFIT,     /* the issuer by name is expired, has a bad key, is no CA, ... */
    VO_RANK_SIGNATURE, /* the issuer by name did not sign it */
    VO_RANK_CHAIN,     /* a complete chain breaks a rule */
    VO_RANK_CRL,       /* revocation cannot be told */
    VO_RANK_REVOKED,
    VO_RANK_LEAF, /* no chain could help */
};

struct vo_fail {
    enum vo_rank rank;
    const char *error, *text;
    int32_t depth;
    int64_t from, until; /* REVOKED: when the chain itself is good, Unix seconds */
};

struct vo_memo {
    const struct vo_cert *issuer, *cert;
    bool good;
};

/* What the host said about revocation in this run. */
struct vo_told {
    int64_t from, until; /* all of it holds for these Unix seconds */
    int64_t revoked_ms;
    uint32_t reason;
    char text[184]; /* of the failure that is reported */
};

struct vo_run {
    const struct acd_bundle *bundle;
    const acd_verify *req;
    const acd_call *call;
    int64_t at;   /* the question's time, whole seconds, rounded down */
    int purpose;  /* X509_PURPOSE_SSL_CLIENT or _SERVER */
    uint32_t xku; /* XKU_SSL_CLIENT or _SERVER */
    int max_depth;
    struct vo_peer peer;
    struct vo_cert *leaf;
    struct vo_cert *own[VO_MAX_UNTRUSTED];  /* parsed here */
    struct vo_cert *pool[VO_MAX_UNTRUSTED]; /* untrusted certificates: own ones and the bundle's */
    size_t nown, npool;
    struct vo_cert *path[VO_MAX_PATH]; /* leaf first, anchor last */
    size_t len;
    int32_t anchor; /* number of the anchor that ends the path */
    struct vo_memo memo[VO_MAX_SIGNATURES];
    size_t nmemo;
    unsigned candidates, steps, signatures;
    size_t name_work;
    bool over;           /* a work limit was hit */
    int status;          /* negative: no verdict could be reached */
    int64_t from, until; /* of the chain found, Unix seconds */
    struct vo_fail best;
    struct vo_told told;
};

enum vo_walk { VO_WALK_ON = 0, VO_WALK_FOUND, VO_WALK_STOP };

/* path.c */
enum vo_walk vo_path_walk(struct vo_run *run);
/* chain.c: judges run->path[0..len-1], which ends in run->anchor. */
enum vo_walk vo_chain_check(struct vo_run *run);
X509_STORE *vo_chain_store(void);
/* hand.c: the same without X509_verify_cert, for paths that it refuses to take. An X509_V_ERR_* code. */
bool vo_hand_needed(const struct vo_run *run);
int vo_hand_check(struct vo_run *run, int *ret_depth);
/* verify.c: is the edge signed? Counts and remembers. */
bool vo_run_signed(struct vo_run *run, const struct vo_cert *issuer, const struct vo_cert *cert);
/* -1 unknown, 0 known bad, 1 known good */
int vo_run_memo(const struct vo_run *run, const struct vo_cert *issuer, const struct vo_cert *cert);
bool vo_run_spend(struct vo_run *run); /* one signature's worth; false: over the limit or the deadline */
void vo_run_fail(struct vo_run *run, enum vo_rank rank, const char *check, struct vo_fault fault,
                 int32_t depth);
void vo_run_pass(struct vo_run *run, const char *check, int32_t depth, const char *text);
struct vo_fault vo_run_dates(const struct vo_run *run, const struct vo_cert *c);
int vo_verify(const acd_bundle *b, const acd_verify *req, const acd_call *call, acd_verdict *ret,
              acd_err *err);
/* revoke.c: VO_FINE, or why the certificates of the path may not be trusted. */
struct vo_fault vo_revoke_check(struct vo_run *run, int32_t *ret_depth);
/* told.c: the same, by what the host knows. */
struct vo_fault vo_told_check(struct vo_run *run, int32_t *ret_depth);

#endif
