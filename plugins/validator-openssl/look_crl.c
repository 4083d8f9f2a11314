/* The upload check of a revocation list: is it the CA's own, and can it be used? */
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "crl_scan.h"
#include "inspect.h"

/* A list on the table, and the certificates of the CA that it is uploaded for. */
struct table {
    struct vo_look look;
    const acd_inspect_crl *req;
    acd_crl_fn report;
    acd_slice der;
    struct vo_crl_cut cut;
    struct vo_crl *crl; /* without its entries */
    struct vo_cert *ca; /* whose list it is, or the first one */
    uint32_t ca_number;
    bool own; /* the CA's name and signature are on it */
    size_t entries;
};

/* A list of a part cannot tell that a certificate is good, and nothing here asks which part it is of. */
static bool
is_partial(const ISSUING_DIST_POINT *idp)
{
    return idp && (idp->distpoint || idp->onlyuser > 0 || idp->onlyCA > 0 || idp->onlyattr > 0 ||
                   idp->indirectCRL > 0 || idp->onlysomereasons);
}

static void
judge_list(struct table *t, int64_t at)
{
    struct vo_look *l = &t->look;
    const struct vo_crl *c = t->crl;
    const struct vo_cert *ca = t->ca;
    if (!vo_crl_names(c, ca))
        vo_find(l, ACD_SEV_ERROR, -1, "crl.issuer",
                "The CRL is issued by another CA than the one it is uploaded for.");
    else if (!t->own)
        vo_find(l, ACD_SEV_ERROR, -1, "crl.signature", "The CRL is not signed by the key of its CA.");
    else if (vo_crl_other_key(c, ca))
        vo_find(l, ACD_SEV_ERROR, -1, "crl.aki", "The CRL's authority key identifier points to another key.");
    if ((ca->flags & EXFLAG_KUSAGE) && !(X509_get_key_usage(ca->x) & KU_CRL_SIGN))
        vo_find(l, ACD_SEV_ERROR, -1, "crl.no_crl_sign",
                "The CA's key usage does not allow it to sign CRLs.");
    if (c->fault.error)
        vo_find(l, ACD_SEV_ERROR, -1, "crl.unusable", "The CRL cannot be used: %s.", c->fault.text);
    if (!c->has_number)
        vo_find(l, ACD_SEV_WARNING, -1, "crl.no_number",
                "The CRL has no number: profile strict refuses with it.");
    if (is_partial(c->idp))
        vo_find(l, ACD_SEV_ERROR, -1, "crl.scope",
                "The CRL speaks for a part of what the CA issues (its issuing distribution point says so): a "
                "partitioned, indirect or reason-limited CRL cannot tell that a certificate is good.");
    if (c->this_update > at)
        vo_find(l, ACD_SEV_WARNING, -1, "crl.not_yet_valid", "The CRL is not yet valid.");
    if (c->next_update < at)
        vo_find(l, ACD_SEV_ERROR, -1, "crl.expired", "The CRL has expired: upload the current one.");
    else if (c->next_update == INT64_MAX)
        vo_find(l, ACD_SEV_WARNING, -1, "crl.no_next_update",
                "The CRL does not say when the next one comes.");
}

static acd_slice
decimal(const BIGNUM *n, char **ret)
{
    *ret = n ? BN_bn2dec(n) : NULL;
    return (acd_slice){*ret ? *ret : "", *ret ? strlen(*ret) : 0};
}

static int
report(const struct table *t)
{
    const struct vo_crl *c = t->crl;
    char *number, *base, *issuer = vo_name_text(X509_CRL_get_issuer(c->crl));
    acd_crlinfo info = {.struct_size = sizeof(info), .delta = c->delta, .ca = t->ca_number};
    info.revoked = (uint32_t)t->entries;
    info.this_update_ms = c->this_update * 1000;
    info.next_update_ms = c->next_update == INT64_MAX ? 0 : c->next_update * 1000;
    info.number_dec = decimal(c->number, &number);
    info.base_dec = decimal(c->base, &base);
    info.der = t->der;
    info.issuer = (acd_slice){issuer, issuer ? strlen(issuer) : 0};
    vo_sha256(t->der.ptr, t->der.len, info.sha256);
    int rc = !issuer ? ACD_ENOMEM : t->report ? t->report(t->look.ctx, &info) : 0;
    OPENSSL_free(number);
    OPENSSL_free(base);
    OPENSSL_free(issuer);
    return rc;
}

/* The certificate whose list it is: name and signature decide, and of two the first. */
static int
find_ca(struct table *t)
{
    for (uint32_t i = 0; i <= t->req->ncas && !t->own; i++) {
        struct vo_fault why;
        struct vo_cert *c;
        int rc = vo_cert_new(i == 0 ? t->req->ca : t->req->cas[i - 1], &c, &why);
        if (rc < 0)
            return rc;
        t->own = vo_crl_names(t->crl, c) && vo_crl_cut_signed(&t->cut, t->crl, c);
        if (t->own || !t->ca || (vo_crl_names(t->crl, c) && !vo_crl_names(t->crl, t->ca))) {
            vo_cert_free(t->ca);
            t->ca = c;
            t->ca_number = i;
        } else {
            vo_cert_free(c);
        }
    }
    return 0;
}

/* ACD_EINVAL with *ret_why: not a list at all. */
static int
open_list(struct table *t, struct vo_fault *ret_why)
{
    *ret_why = VO_FAULT("ACD_V_ERR_CRL_UNREADABLE", "this is not a CRL in DER");
    int rc = vo_crl_cut(t->der, &t->cut);
    return rc < 0 ? rc : vo_crl_shell(&t->cut, &t->crl, ret_why);
}

static int
look_at(struct table *t)
{
    struct vo_fault why = VO_FINE;
    int rc = find_ca(t);
    if (rc == 0)
        rc = vo_crl_walk(&t->cut, t->crl->delta, t->req->entry, t->look.ctx, &t->entries, &why);
    if (rc < 0)
        return rc;
    if (!t->crl->fault.error)
        t->crl->fault = why;
    rc = report(t);
    judge_list(t, t->req->at_ms / 1000);
    return rc;
}

/* What a host of an earlier version does not say is not there. */
static acd_inspect_crl
request_of(const acd_inspect_crl *req)
{
    acd_inspect_crl all = {0};
    memcpy(&all, req, req->struct_size < sizeof(all) ? req->struct_size : sizeof(all));
    return all;
}

int
vo_inspect_crl(void *inst, const acd_inspect_crl *req_, acd_crl_fn crl, acd_finding_fn finding, void *ctx,
               acd_err *err)
{
    acd_inspect_crl req = request_of(req_);
    struct table t = {.look = {.finding = finding, .ctx = ctx}, .req = &req, .report = crl};
    struct vo_fault why = VO_FINE;
    struct vo_cert *ca = NULL;
    uint8_t *own = NULL;
    (void)inst;
    int rc = vo_cert_new(req.ca, &ca, &why);
    vo_cert_free(ca);
    if (rc < 0)
        return sdk_fail(err, rc, "the CA's certificate cannot be read");
    rc = vo_crl_der(req.text, &t.der, &own, &why);
    if (rc == 0)
        rc = open_list(&t, &why);
    if (rc == ACD_EINVAL) {
        vo_find(&t.look, ACD_SEV_ERROR, -1, "crl.unreadable", "The CRL cannot be read: %s.", why.text);
        rc = 0;
    } else if (rc == 0) {
        rc = look_at(&t);
        vo_crl_free(t.crl);
        vo_cert_free(t.ca);
    }
    free(own);
    ERR_clear_error();
    rc = rc < 0 ? rc : t.look.rc;
    return rc < 0 ? sdk_fail(err, rc, "the inspection was stopped") : 0;
}
