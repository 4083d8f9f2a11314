/* The upload check of a revocation list: is it the CA's own, and can it be used? */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "crl.h"
#include "inspect.h"

static void
judge_list(struct vo_look *l, struct vo_crl *c, const struct vo_cert *ca, int64_t at)
{
    unsigned cost;
    if (!vo_crl_names(c, ca))
        vo_find(l, ACD_SEV_ERROR, -1, "crl.issuer",
                "The CRL is issued by another CA than the one it is uploaded for.");
    else if (!vo_crl_signed_by(c, ca, &cost))
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
    if (c->idp && (c->idp->onlyattr > 0 || c->idp->indirectCRL > 0 || c->idp->onlysomereasons))
        vo_find(l, ACD_SEV_ERROR, -1, "crl.scope",
                "Indirect CRLs and CRLs for some reasons only are not supported.");
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
report(const struct vo_crl *c, acd_crl_fn fn, void *ctx)
{
    unsigned char *der = NULL;
    char *number, *base, *issuer = vo_name_text(X509_CRL_get_issuer(c->crl));
    int len = i2d_X509_CRL(c->crl, &der), entries = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(c->crl));
    acd_crlinfo info = {.struct_size = sizeof(info), .delta = c->delta};
    info.revoked = entries > 0 ? (uint32_t)entries : 0;
    info.this_update_ms = c->this_update * 1000;
    info.next_update_ms = c->next_update == INT64_MAX ? 0 : c->next_update * 1000;
    info.number_dec = decimal(c->number, &number);
    info.base_dec = decimal(c->base, &base);
    info.der = (acd_slice){der, len > 0 ? (size_t)len : 0};
    info.issuer = (acd_slice){issuer, issuer ? strlen(issuer) : 0};
    vo_sha256(der, info.der.len, info.sha256);
    int rc = !issuer || len <= 0 ? ACD_ENOMEM : fn ? fn(ctx, &info) : 0;
    OPENSSL_free(der);
    OPENSSL_free(number);
    OPENSSL_free(base);
    OPENSSL_free(issuer);
    return rc;
}

int
vo_inspect_crl(void *inst, const acd_inspect_crl *req, acd_crl_fn crl, acd_finding_fn finding, void *ctx,
               acd_err *err)
{
    struct vo_look l = {.finding = finding, .ctx = ctx};
    struct vo_fault why = VO_FINE;
    struct vo_cert *ca = NULL;
    struct vo_crl *c = NULL;
    (void)inst;
    int rc = vo_cert_new(req->ca, &ca, &why);
    if (rc < 0)
        return sdk_fail(err, rc, "the CA's certificate cannot be read");
    rc = vo_crl_read(req->text, &c, &why);
    if (rc == ACD_EINVAL) {
        vo_find(&l, ACD_SEV_ERROR, -1, "crl.unreadable", "The CRL cannot be read: %s.", why.text);
    } else if (rc == 0) {
        l.rc = report(c, crl, ctx);
        judge_list(&l, c, ca, req->at_ms / 1000);
        vo_crl_free(c);
    }
    vo_cert_free(ca);
    ERR_clear_error();
    if (rc == ACD_ENOMEM || l.rc < 0)
        return sdk_fail(err, rc == ACD_ENOMEM ? rc : l.rc, "the inspection was stopped");
    return 0;
}
