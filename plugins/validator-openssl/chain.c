/*
 * One complete path is judged. X509_verify_cert does what it does well (extensions, purpose, path length,
 * name constraints, security level), but on exactly our path: four functions of its store tell it the issuer
 * of each certificate, so that it builds nothing by itself, and its signature checks go through the memo.
 * Around it stands what it does not check.
 */
#include <openssl/err.h>

#include "run.h"

static struct vo_run *
run_of(X509_STORE_CTX *ctx)
{
    return X509_STORE_CTX_get_app_data(ctx);
}

static size_t
place(const struct vo_run *run, const X509 *x)
{
    size_t i = 0;
    while (i < run->len && run->path[i]->x != x)
        i++;
    return i;
}

static int
issued_on_path(X509_STORE_CTX *ctx, X509 *x, X509 *issuer)
{
    const struct vo_run *run = run_of(ctx);
    size_t i = place(run, x);
    return i + 1 < run->len && run->path[i + 1]->x == issuer;
}

static int
anchor_on_path(X509 **issuer, X509_STORE_CTX *ctx, X509 *x)
{
    const struct vo_run *run = run_of(ctx);
    X509 *anchor = run->path[run->len - 1]->x;
    size_t i = place(run, x);
    if (i + 2 != run->len && !(run->len == 1 && i == 0 && X509_self_signed(x, 0) == 1))
        return 0;
    if (X509_up_ref(anchor) != 1)
        return -1;
    *issuer = anchor;
    return 1;
}

/* Asked for a certificate that is itself trusted: only when it is the whole path. */
static STACK_OF(X509) * trusted_by_name(X509_STORE_CTX *ctx, const X509_NAME *name)
{
    const struct vo_run *run = run_of(ctx);
    STACK_OF(X509) *list = sk_X509_new_null();
    (void)name;
    if (list && run->len == 1 && X509_add_cert(list, run->path[0]->x, X509_ADD_FLAG_UP_REF) != 1) {
        sk_X509_free(list);
        return NULL;
    }
    return list;
}

/* From the leaf upwards: a bad edge near the leaf prunes most. */
static int
signatures_on_path(X509_STORE_CTX *ctx)
{
    struct vo_run *run = run_of(ctx);
    for (size_t i = 0; i + 1 < run->len; i++) {
        if (!vo_run_signed(run, run->path[i + 1], run->path[i])) {
            X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_SIGNATURE_FAILURE);
            X509_STORE_CTX_set_error_depth(ctx, (int)i);
            return 0;
        }
    }
    return 1;
}

X509_STORE *
vo_chain_store(void)
{
    X509_STORE *store = X509_STORE_new();
    if (!store)
        return NULL;
    X509_STORE_set_check_issued(store, issued_on_path);
    X509_STORE_set_get_issuer(store, anchor_on_path);
    X509_STORE_set_lookup_certs(store, trusted_by_name);
    X509_STORE_set_verify(store, signatures_on_path);
    return store;
}

static void
set_params(X509_STORE_CTX *ctx, const struct vo_run *run, uint32_t profile)
{
    X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME;
    if (profile == ACD_PROFILE_STRICT)
        flags |= X509_V_FLAG_X509_STRICT;
    (void)X509_VERIFY_PARAM_set_flags(p, flags);
    (void)X509_VERIFY_PARAM_set_purpose(p, run->purpose);
    X509_VERIFY_PARAM_set_auth_level(p, 2);
    X509_VERIFY_PARAM_set_depth(p, VO_MAX_PATH);
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

/* 1 good, 0 refused with *ret_error and *ret_depth, negative: fault of the library. */
static int
library_check(struct vo_run *run, uint32_t profile, int *ret_error, int *ret_depth)
{
    STACK_OF(X509) *between = sk_X509_new_reserve(NULL, VO_MAX_PATH);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int rc = -1;
    for (size_t i = 1; between && i + 1 < run->len; i++)
        (void)sk_X509_push(between, run->path[i]->x);
    if (between && ctx && X509_STORE_CTX_init(ctx, run->bundle->store, run->path[0]->x, between) == 1 &&
        X509_STORE_CTX_set_app_data(ctx, run) == 1) {
        set_params(ctx, run, profile);
        rc = X509_verify_cert(ctx);
        *ret_error = X509_STORE_CTX_get_error(ctx);
        *ret_depth = X509_STORE_CTX_get_error_depth(ctx);
        if (rc == 0 && *ret_error == X509_V_OK)
            *ret_error = X509_V_ERR_UNSPECIFIED;
    }
    X509_STORE_CTX_free(ctx);
    sk_X509_free(between);
    ERR_clear_error();
    return rc;
}

/* RFC 5280 section 6.1: self-issued intermediates do not count towards the depth. */
static bool
too_deep(const struct vo_run *run)
{
    int counted = 0;
    for (size_t i = 1; i + 1 < run->len; i++)
        counted += !vo_cert_self_issued(run->path[i]);
    return counted > run->max_depth;
}

/* Below the anchor: SHA-2 only, and never the digest of an anchor's own signature. */
static struct vo_fault
link_fault(const struct vo_run *run, size_t i, uint32_t profile)
{
    const struct vo_cert *c = run->path[i];
    /* An EKU in a CA constrains what is below it; anyExtendedKeyUsage and server-gated ones are not enough.
     */
    if ((c->flags & EXFLAG_XKUSAGE) && !(X509_get_extended_key_usage(c->x) & run->xku))
        return VO_FAULT("X509_V_ERR_INVALID_PURPOSE",
                        run->xku == XKU_SSL_CLIENT
                            ? "the extended key usage leaves out client authentication"
                            : "the extended key usage leaves out server authentication");
    if (i + 1 < run->len && c->sig != VO_SIG_SHA2 && c->sig != VO_SIG_PSS)
        return VO_FAULT("X509_V_ERR_CA_MD_TOO_WEAK", "the signature is not RSA or ECDSA with SHA-2");
    if (profile == ACD_PROFILE_STRICT && i + 1 < run->len)
        return c->strict;
    return VO_FINE;
}

/* Names of one certificate against the constraints of one above it. The work is names times constraints, and
 * is bounded for the whole question. */
static struct vo_fault
constraint_fault(struct vo_run *run)
{
    for (size_t up = 1; up < run->len; up++) {
        const struct vo_cert *ca = run->path[up];
        for (size_t i = 0; ca->nc && i < up; i++) {
            const struct vo_cert *c = run->path[i];
            if (i > 0 && vo_cert_self_issued(c))
                continue;
            int names = sk_GENERAL_NAME_num(c->san);
            run->name_work += (size_t)(names > 0 ? names + 1 : 1) * ca->nsubtrees;
            if (run->name_work > VO_MAX_NAME_WORK) {
                run->over = true;
                return VO_FAULT("ACD_V_ERR_NAME_WORK", "too many names under too many name constraints");
            }
            if (vo_nc_slips(c->san, ca->nc))
                return VO_FAULT("X509_V_ERR_EXCLUDED_VIOLATION",
                                "a wildcard or mailbox of the certificate may stand for an excluded name");
        }
    }
    return VO_FINE;
}

static bool
own_checks(struct vo_run *run, uint32_t profile)
{
    if (too_deep(run)) {
        vo_run_fail(
            run, VO_RANK_CHAIN, "path",
            VO_FAULT("X509_V_ERR_CERT_CHAIN_TOO_LONG", "the chain has more intermediates than allowed"),
            (int32_t)run->len - 1);
        return false;
    }
    for (size_t i = 0; i < run->len; i++) {
        struct vo_fault f = link_fault(run, i, profile);
        if (f.error) {
            vo_run_fail(run, VO_RANK_CHAIN, "purpose", f, (int32_t)i);
            return false;
        }
    }
    struct vo_fault f = constraint_fault(run);
    if (f.error)
        vo_run_fail(run, VO_RANK_CHAIN, "constraints", f, 0);
    return !f.error;
}

static const char *
check_of(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return "signature";
    case X509_V_ERR_INVALID_PURPOSE:
        return "purpose";
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
        return "constraints";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
    case X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
        return "key";
    default:
        return "path";
    }
}

/* The time span in which this chain is good, all members included. */
static void
set_span(struct vo_run *run)
{
    run->from = INT64_MIN;
    run->until = INT64_MAX;
    for (size_t i = 0; i < run->len; i++) {
        const struct vo_cert *c = run->path[i];
        run->from = c->not_before > run->from ? c->not_before : run->from;
        run->until = c->not_after < run->until ? c->not_after : run->until;
    }
}

enum vo_walk
vo_chain_check(struct vo_run *run)
{
    uint32_t profile = run->bundle->anchors[run->anchor].profile;
    int error = X509_V_ERR_UNSPECIFIED, depth = 0;
    int32_t at = 0;
    if (!own_checks(run, profile))
        return run->over ? VO_WALK_STOP : VO_WALK_ON;
    int rc;
    if (profile == ACD_PROFILE_COMPAT && vo_hand_needed(run))
        rc = (error = vo_hand_check(run, &depth)) == X509_V_OK;
    else
        rc = library_check(run, profile, &error, &depth);
    if (run->over || run->status < 0)
        return VO_WALK_STOP;
    if (rc != 1) {
        bool sig = error == X509_V_ERR_CERT_SIGNATURE_FAILURE;
        vo_run_fail(run, sig ? VO_RANK_SIGNATURE : VO_RANK_CHAIN, check_of(error),
                    VO_FAULT(vo_error_name(error), X509_verify_cert_error_string(error)), depth);
        return VO_WALK_ON;
    }
    vo_run_pass(run, "signature", 0, "every signature of the chain is good");
    vo_run_pass(run, "constraints", 0, "purpose, path length and name constraints hold");
    set_span(run);
    struct vo_fault f = vo_revoke_check(run, &at);
    if (!f.error)
        f = vo_told_check(run, &at);
    if (run->over || run->status < 0)
        return VO_WALK_STOP;
    if (f.error) {
        bool revoked = f.error == vo_error_name(X509_V_ERR_CERT_REVOKED);
        vo_run_fail(run, revoked ? VO_RANK_REVOKED : VO_RANK_CRL, "crl", f, at);
        return VO_WALK_ON;
    }
    return VO_WALK_FOUND;
}
