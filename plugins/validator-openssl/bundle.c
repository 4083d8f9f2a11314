/* A bundle parses everything once. What cannot be read or used stays in its place, so that numbers keep their
 * meaning, and never vouches for anything. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "run.h"

static int
by_hash(const void *a, const void *b)
{
    const struct vo_slot *x = a, *y = b;
    if (x->subject_hash != y->subject_hash)
        return x->subject_hash < y->subject_hash ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

struct vo_cert *
vo_bundle_cert(const struct acd_bundle *b, size_t at)
{
    return at < b->nanchors ? b->anchors[at].cert : b->helpers[at - b->nanchors];
}

size_t
vo_bundle_find(const struct acd_bundle *b, unsigned long subject_hash)
{
    size_t lo = 0, hi = b->nslots;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (b->slots[mid].subject_hash < subject_hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < b->nslots && b->slots[lo].subject_hash == subject_hash ? lo : b->nslots;
}

struct vo_cert *
vo_bundle_known(const struct acd_bundle *b, const uint8_t sha256[32])
{
    for (size_t i = 0; i < b->nanchors + b->nhelpers; i++) {
        struct vo_cert *c = vo_bundle_cert(b, i);
        if (c && memcmp(c->sha256, sha256, 32) == 0)
            return c;
    }
    return NULL;
}

static int
add_anchors(struct acd_bundle *b, const acd_bundle_spec *spec)
{
    b->anchors = calloc(spec->nanchors ? spec->nanchors : 1, sizeof(*b->anchors));
    if (!b->anchors)
        return ACD_ENOMEM;
    for (size_t i = 0; i < spec->nanchors; i++) {
        struct vo_anchor *a = &b->anchors[b->nanchors++];
        struct vo_fault why;
        a->profile = spec->anchors[i].profile;
        int rc = vo_cert_new(spec->anchors[i].der, &a->cert, &why);
        if (rc == ACD_ENOMEM)
            return rc;
        if (rc == 0 && a->profile == ACD_PROFILE_STRICT && !a->cert->fault.error)
            a->strict = a->cert->strict.error ? a->cert->strict : vo_cert_self_aki_fault(a->cert);
    }
    return 0;
}

static int
add_helpers(struct acd_bundle *b, const acd_bundle_spec *spec)
{
    b->helpers = calloc(spec->nhelpers ? spec->nhelpers : 1, sizeof(struct vo_cert *));
    if (!b->helpers)
        return ACD_ENOMEM;
    for (size_t i = 0; i < spec->nhelpers; i++) {
        struct vo_fault why;
        int rc = vo_cert_new(spec->helpers[i], &b->helpers[b->nhelpers], &why);
        if (rc == ACD_ENOMEM)
            return rc;
        b->nhelpers += rc == 0;
    }
    return 0;
}

/* A list that cannot even be read cannot be laid aside: nobody could tell whom it speaks for. */
static int
add_crl(struct acd_bundle *b, acd_slice text, size_t number, acd_err *err)
{
    struct vo_fault why = VO_FINE;
    int rc = vo_crl_read(text, &b->crls[b->ncrls], &why);
    if (rc < 0)
        return sdk_fail(err, rc, "CRL %zu: %s", number, rc == ACD_ENOMEM ? "out of memory" : why.text);
    b->ncrls++;
    return 0;
}

static int
add_crls(struct acd_bundle *b, const acd_bundle_spec *spec, acd_err *err)
{
    b->crls = calloc(spec->ncrls ? spec->ncrls : 1, sizeof(struct vo_crl *));
    if (!b->crls)
        return ACD_ENOMEM;
    for (size_t i = 0; i < spec->ncrls; i++) {
        int rc = add_crl(b, spec->crls[i], i, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int
index_subjects(struct acd_bundle *b)
{
    size_t n = b->nanchors + b->nhelpers;
    b->slots = calloc(n ? n : 1, sizeof(*b->slots));
    if (!b->slots)
        return ACD_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct vo_cert *c = vo_bundle_cert(b, i);
        if (c)
            b->slots[b->nslots++] = (struct vo_slot){c->subject_hash, (uint32_t)i};
    }
    qsort(b->slots, b->nslots, sizeof(*b->slots), by_hash);
    return 0;
}

static int
fill(struct acd_bundle *b, const acd_bundle_spec *spec, acd_err *err)
{
    int rc = add_anchors(b, spec);
    if (rc == 0)
        rc = add_helpers(b, spec);
    if (rc == 0)
        rc = add_crls(b, spec, err);
    if (rc == 0)
        rc = index_subjects(b);
    if (rc == 0 && !(b->store = vo_chain_store()))
        rc = ACD_ENOMEM;
    return rc;
}

int
vo_bundle_build(void *inst, const acd_bundle_spec *spec, acd_bundle **ret, acd_err *err)
{
    if (spec->nanchors > VO_MAX_ANCHORS || spec->nhelpers > VO_MAX_HELPERS || spec->ncrls > VO_MAX_CRLS)
        return sdk_fail(err, ACD_ELIMIT, "a bundle holds at most %d anchors, %d helpers and %d CRLs",
                        VO_MAX_ANCHORS, VO_MAX_HELPERS, VO_MAX_CRLS);
    struct acd_bundle *b = calloc(1, sizeof(*b));
    if (!b)
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    b->magic = VO_BUNDLE_MAGIC;
    (void)inst;
    int rc = fill(b, spec, err);
    ERR_clear_error();
    if (rc < 0) {
        if (rc == ACD_ENOMEM)
            (void)sdk_fail(err, rc, "out of memory");
        vo_bundle_free(b);
        return rc;
    }
    *ret = b;
    return 0;
}

void
vo_bundle_free(acd_bundle *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->nanchors; i++)
        vo_cert_free(b->anchors[i].cert);
    for (size_t i = 0; i < b->nhelpers; i++)
        vo_cert_free(b->helpers[i]);
    for (size_t i = 0; i < b->ncrls; i++)
        vo_crl_free(b->crls[i]);
    free(b->anchors);
    free(b->helpers);
    free(b->crls);
    free(b->slots);
    X509_STORE_free(b->store);
    b->magic = 0;
    free(b);
}
