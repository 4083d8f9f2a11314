/*
 * Revocation of the certificates of a path that is good otherwise. A CA that has published no list here is
 * not checked. One that has must have a list that covers the certificate and is in date: a broken, stale or
 * partial list fails closed, because it was loaded to be obeyed. Lists of another key or another name never
 * matter.
 */
#include "run.h"

/* Does some other CA known here, of the same name, own the list? */
static int
owned_by_namesake(struct vo_run *run, struct vo_crl *crl, const struct vo_cert *ca)
{
    const struct acd_bundle *b = run->bundle;
    size_t n = b->nanchors + b->nhelpers;
    for (size_t i = 0; i < n + run->npool; i++) {
        const struct vo_cert *c = i < n ? vo_bundle_cert(b, i) : run->pool[i - n];
        unsigned cost;
        if (!c || vo_cert_same_entity(c, ca) || !vo_crl_names(crl, c) || vo_crl_other_key(crl, c))
            continue;
        if (!vo_run_spend(run))
            return -1;
        if (vo_crl_signed_by(crl, c, &cost))
            return 1;
        run->signatures -= cost == 0;
    }
    return 0;
}

/* Does the list carry the key identifier of a CA known here that has another name? Then name and key of the
 * list contradict each other. */
static bool
key_of_stranger(const struct vo_run *run, const struct vo_crl *crl)
{
    const struct acd_bundle *b = run->bundle;
    size_t n = b->nanchors + b->nhelpers;
    for (size_t i = 0; i < n + run->npool; i++) {
        const struct vo_cert *c = i < n ? vo_bundle_cert(b, i) : run->pool[i - n];
        if (c && vo_crl_key_id_of(crl, c) && !vo_crl_names(crl, c))
            return true;
    }
    return false;
}

enum claim { CLAIM_NONE = 0, CLAIM_GOOD, CLAIM_BROKEN, CLAIM_STOP };

/* Whose list is this, seen from one CA? */
static enum claim
claim_of(struct vo_run *run, struct vo_crl *crl, const struct vo_cert *ca)
{
    unsigned cost;
    if (!vo_crl_names(crl, ca))
        return CLAIM_NONE;
    if (vo_crl_other_key(crl, ca))
        return key_of_stranger(run, crl) ? CLAIM_BROKEN : CLAIM_NONE;
    if (!vo_run_spend(run))
        return CLAIM_STOP;
    if (vo_crl_signed_by(crl, ca, &cost)) {
        run->signatures -= cost == 0;
        return CLAIM_GOOD;
    }
    int other = owned_by_namesake(run, crl, ca);
    return other < 0 ? CLAIM_STOP : other ? CLAIM_NONE : CLAIM_BROKEN;
}

/* What the lists of one CA say about one certificate. */
struct word {
    struct vo_fault fault;     /* why there is no complete list to go by, of those met so far */
    const struct vo_crl *full; /* the newest complete list that covers the certificate */
    bool claimed;
};

static void
blame(struct word *w, struct vo_fault f)
{
    if (!w->fault.error)
        w->fault = f;
}

static void
weigh(struct vo_run *run, struct word *w, const struct vo_crl *crl, const struct vo_cert *cert)
{
    bool strict = run->bundle->anchors[run->anchor].profile == ACD_PROFILE_STRICT;
    if (crl->fault.error)
        blame(w, crl->fault);
    else if (strict && !crl->has_number)
        blame(w, VO_FAULT("X509_V_ERR_INVALID_EXTENSION", "the CRL has no number (RFC 5280 section 5.2.3)"));
    else if (crl->this_update > run->at)
        blame(w, VO_FAULT("X509_V_ERR_CRL_NOT_YET_VALID", "the issuer's CRL is not yet valid"));
    else if (!crl->delta && !vo_crl_covers(crl, cert))
        blame(w,
              VO_FAULT("X509_V_ERR_DIFFERENT_CRL_SCOPE", "the issuer's CRL does not cover this certificate"));
    else if (!crl->delta && (!w->full || crl->this_update > w->full->this_update))
        w->full = crl;
}

/* The newest delta to the complete list, if any. */
static const struct vo_crl *
delta_of(struct vo_run *run, const struct vo_crl *full, const struct vo_cert *ca)
{
    const struct vo_crl *best = NULL;
    for (size_t i = 0; i < run->bundle->ncrls; i++) {
        struct vo_crl *c = run->bundle->crls[i];
        if (!c->delta || c->fault.error || c->this_update > run->at || !vo_crl_delta_fits(c, full) ||
            (best && c->this_update <= best->this_update))
            continue;
        if (claim_of(run, c, ca) == CLAIM_GOOD)
            best = c;
    }
    return best;
}

static void
narrow(struct vo_run *run, const struct vo_crl *c)
{
    if (c->this_update > run->from)
        run->from = c->this_update;
    if (c->next_update >= run->at && c->next_update < run->until)
        run->until = c->next_update;
}

static struct vo_fault
decide(struct vo_run *run, const struct word *w, const struct vo_cert *cert, const struct vo_cert *ca)
{
    const struct vo_fault revoked = VO_FAULT(vo_error_name(X509_V_ERR_CERT_REVOKED),
                                             "the certificate is on its issuer's revocation list");
    if (!w->full)
        return w->fault.error
                   ? w->fault
                   : VO_FAULT("X509_V_ERR_UNABLE_TO_GET_CRL", "the issuer has a delta CRL without its base");
    int listed = vo_crl_lookup(w->full, cert);
    const struct vo_crl *delta = delta_of(run, w->full, ca);
    int changed = delta ? vo_crl_lookup(delta, cert) : 0;
    narrow(run, w->full);
    if (delta)
        narrow(run, delta);
    if (changed == 1 || (listed == 1 && changed != 2))
        return revoked;
    if (w->full->next_update < run->at)
        return VO_FAULT("X509_V_ERR_CRL_HAS_EXPIRED", "the issuer's CRL has expired: load the current one");
    return VO_FINE;
}

static struct vo_fault
check_one(struct vo_run *run, const struct vo_cert *cert, const struct vo_cert *ca)
{
    struct word w = {.fault = VO_FINE};
    for (size_t i = 0; i < run->bundle->ncrls; i++) {
        struct vo_crl *crl = run->bundle->crls[i];
        enum claim claim = claim_of(run, crl, ca);
        if (claim == CLAIM_STOP)
            return VO_FAULT("ACD_V_ERR_WORK_LIMIT", "too many signatures");
        if (claim == CLAIM_NONE)
            continue;
        w.claimed = true;
        if (claim == CLAIM_BROKEN)
            blame(&w, VO_FAULT("X509_V_ERR_CRL_SIGNATURE_FAILURE",
                               "the issuer's CRL is not signed by the issuer"));
        else
            weigh(run, &w, crl, cert);
    }
    if (!w.claimed)
        return VO_FINE;
    /* Section 4.2.1.3: a CA whose key usage leaves out cRLSign signs no lists. */
    if ((ca->flags & EXFLAG_KUSAGE) && !(X509_get_key_usage(ca->x) & KU_CRL_SIGN))
        return VO_FAULT("X509_V_ERR_KEYUSAGE_NO_CRL_SIGN",
                        "the issuer's key usage does not allow it to sign CRLs");
    return decide(run, &w, cert, ca);
}

struct vo_fault
vo_revoke_check(struct vo_run *run, int32_t *ret_depth)
{
    struct vo_fault worst = VO_FINE;
    const char *revoked = vo_error_name(X509_V_ERR_CERT_REVOKED);
    for (size_t i = 0; run->bundle->ncrls > 0 && i + 1 < run->len; i++) {
        struct vo_fault f = check_one(run, run->path[i], run->path[i + 1]);
        if (run->over || run->status < 0)
            return f;
        /* "Revoked" is the stronger word: the chain is good but for it. But only if no list is in doubt. */
        if (f.error && (!worst.error || worst.error == revoked)) {
            worst = f;
            *ret_depth = (int32_t)i;
        }
    }
    if (!worst.error && run->bundle->ncrls > 0)
        vo_run_pass(run, "crl", 0, "no certificate of the chain is on a revocation list");
    return worst;
}
