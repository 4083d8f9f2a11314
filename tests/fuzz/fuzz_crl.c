/*
 * Revocation lists: two octets of length and a CA certificate, two octets and a leaf, and the rest is the
 * list. Without a list the verdict is the reference: a list may take "verified" away and never give it. The
 * upload check reads the same list with a reader of its own: what it accepts, OpenSSL reads the same way.
 */
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include <anchord/plugin-validator.h>

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const acd_plugin acd_plugin_1_validator_openssl;

static acd_slice
take(const uint8_t **data, size_t *size)
{
    size_t len = *size >= 2 ? (size_t)(*data)[0] << 8 | (*data)[1] : 0;
    size_t head = *size >= 2 ? 2 : *size;
    len = len < *size - head ? len : *size - head;
    acd_slice s = {*data + head, len};
    *data += head + len;
    *size -= head + len;
    return s;
}

static int
verdict(const acd_anchor *anchor, acd_slice leaf, const acd_slice *crl, size_t ncrl, acd_verdict *ret)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    acd_bundle *bundle = NULL;
    acd_err err = ACD_ERR_INIT;
    acd_bundle_spec spec = {
        .struct_size = sizeof(spec), .anchors = anchor, .nanchors = 1, .crls = crl, .ncrls = ncrl};
    acd_verify q = {.struct_size = sizeof(q), .leaf = leaf, .purpose = ACD_PURPOSE_SERVER, .max_depth = -1};
    q.at_ms = 1767225600000;
    int rc = ops->bundle_build(NULL, &spec, &bundle, &err);
    if (rc < 0)
        return rc;
    *ret = (acd_verdict){.struct_size = sizeof(*ret)};
    must(ops->verify(bundle, &q, NULL, ret, &err) == 0);
    ops->bundle_free(bundle);
    return 0;
}

/* The entries of an upload in order, and whether anything is wrong with it. */
struct upload {
    X509_CRL *crl;
    int n, errors;
};

static int
on_entry(void *ctx, const acd_crl_entry *e)
{
    struct upload *u = ctx;
    X509_REVOKED *r = u->crl ? sk_X509_REVOKED_value(X509_CRL_get_REVOKED(u->crl), u->n) : NULL;
    u->n++;
    if (!r)
        return 0;
    struct tm tm;
    unsigned char *der = NULL;
    int len = i2d_ASN1_INTEGER(X509_REVOKED_get0_serialNumber(r), &der);
    must(len == (int)e->serial.len + 2 && memcmp(der + 2, e->serial.ptr, e->serial.len) == 0);
    must(ASN1_TIME_to_tm(X509_REVOKED_get0_revocationDate(r), &tm) == 1 && timegm(&tm) == e->revoked_s);
    OPENSSL_free(der);
    return 0;
}

static int
on_list(void *ctx, const acd_crlinfo *info)
{
    struct upload *u = ctx;
    must(info->revoked == (uint32_t)u->n);
    return 0;
}

static int
on_finding(void *ctx, const acd_finding *f)
{
    ((struct upload *)ctx)->errors += f->severity == ACD_SEV_ERROR;
    return 0;
}

static void
upload(acd_slice ca, acd_slice crl)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    const unsigned char *p = crl.ptr;
    acd_err err = ACD_ERR_INIT;
    acd_inspect_crl req = {
        .struct_size = sizeof(req), .text = crl, .ca = ca, .at_ms = 1767225600000, .entry = on_entry};
    struct upload u = {.crl = d2i_X509_CRL(NULL, &p, (long)crl.len)};
    int rc = ops->inspect_crl(NULL, &req, on_list, on_finding, &u, &err);
    must(rc == 0 || rc == ACD_EINVAL);
    if (rc == 0 && u.errors == 0 && u.crl) {
        int n = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(u.crl));
        must(u.n == (n > 0 ? n : 0));
    }
    X509_CRL_free(u.crl);
    ERR_clear_error();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    acd_slice ca = take(&data, &size), leaf = take(&data, &size), crl = {data, size};
    acd_anchor anchor = {sizeof(anchor), ACD_PROFILE_STRICT, ca};
    acd_verdict with, without;
    upload(ca, crl);
    must(verdict(&anchor, leaf, NULL, 0, &without) == 0);
    int rc = verdict(&anchor, leaf, &crl, 1, &with);
    must(rc == 0 || rc == ACD_EINVAL);
    if (rc == 0)
        must(with.result == ACD_NOT_VERIFIED || without.result == ACD_VERIFIED);
    return 0;
}
