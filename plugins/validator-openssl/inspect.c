/* The upload as a whole: text, envelope, every block, duplicates, what the role demands, the key. */
#include "inspect.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>

#include "pem.h"

void
vo_find(struct vo_look *l, uint32_t severity, int32_t index, const char *code, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    acd_finding f = {.struct_size = sizeof(f), .severity = severity, .index = index, .code = code};
    f.text = (acd_slice){text, len};
    int rc = l->rc < 0 ? l->rc : l->finding ? l->finding(l->ctx, &f) : 0;
    l->rc = rc < 0 ? rc : l->rc;
}

static acd_slice
text_of(const char *s)
{
    return (acd_slice){s ? s : "", s ? strlen(s) : 0};
}

static char *
octets_hex(const ASN1_OCTET_STRING *o)
{
    size_t len = o ? (size_t)ASN1_STRING_length(o) : 0;
    char *hex = OPENSSL_malloc(2 * len + 1);
    if (hex)
        vo_hex_upper(o ? ASN1_STRING_get0_data(o) : NULL, len, hex);
    return hex;
}

static char *
serial_dec(const X509 *x)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *dec = n ? BN_bn2dec(n) : NULL;
    BN_free(n);
    return dec;
}

static void
spki_digest(X509 *x, uint8_t out[32])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    if (len > 0)
        vo_sha256(der, (size_t)len, out);
    OPENSSL_free(der);
}

static void
name_digest(const X509_NAME *name, uint8_t out[32])
{
    const unsigned char *der = NULL;
    size_t len = 0;
    if (X509_NAME_get0_der(name, &der, &len) == 1)
        vo_sha256(der, len, out);
}

void
vo_report(struct vo_look *l, uint32_t index, const struct vo_cert *c, acd_slice der, bool self_signed)
{
    char *subject = vo_name_text(X509_get_subject_name(c->x)),
         *issuer = vo_name_text(X509_get_issuer_name(c->x));
    char *hex = vo_serial_hex(c->x), *dec = serial_dec(c->x);
    char *ski = octets_hex(X509_get0_subject_key_id(c->x)),
         *aki = octets_hex(X509_get0_authority_key_id(c->x));
    acd_certinfo info = {.struct_size = sizeof(info), .index = index, .der = der, .self_signed = self_signed};
    memcpy(info.sha256, c->sha256, sizeof(info.sha256));
    spki_digest(c->x, info.spki_sha256);
    name_digest(X509_get_subject_name(c->x), info.name_sha256);
    info.not_before_ms = c->not_before * 1000;
    info.not_after_ms = c->not_after * 1000;
    info.version = (uint32_t)X509_get_version(c->x) + 1;
    info.is_ca = c->ca;
    info.path_len = (int32_t)X509_get_pathlen(c->x);
    info.key_bits = c->key.bits;
    info.key_type = c->key.type;
    info.signature = vo_sig_name(c->x);
    info.subject = text_of(subject);
    info.issuer = text_of(issuer);
    info.serial_hex = text_of(hex);
    info.serial_dec = text_of(dec);
    info.ski_hex = text_of(ski);
    info.aki_hex = text_of(aki);
    int rc = subject && issuer && hex && dec && ski && aki ? 0 : ACD_ENOMEM;
    if (rc == 0 && l->rc >= 0 && l->cert)
        rc = l->cert(l->ctx, &info);
    l->rc = rc < 0 && l->rc >= 0 ? rc : l->rc;
    OPENSSL_free(subject);
    OPENSSL_free(issuer);
    OPENSSL_free(hex);
    OPENSSL_free(dec);
    OPENSSL_free(ski);
    OPENSSL_free(aki);
}

/* A signature is checked last and only with a key inside the limits: it is the one expensive step. */
static bool
is_self_signed(const struct vo_cert *c)
{
    bool equal = X509_NAME_cmp(X509_get_subject_name(c->x), X509_get_issuer_name(c->x)) == 0;
    EVP_PKEY *key = c->key.fault.error ? NULL : X509_get0_pubkey(c->x);
    bool good = equal && key && X509_verify(c->x, key) == 1;
    ERR_clear_error();
    return good;
}

struct seen {
    uint8_t sha256[VO_MAX_UPLOAD_CERTS][32];
    size_t n;
    struct vo_cert *first; /* a private key belongs to it */
    bool first_self_signed;
};

static void
take_cert(struct vo_look *l, struct seen *seen, acd_slice der)
{
    int32_t index = (int32_t)seen->n;
    struct vo_fault why;
    struct vo_cert *c;
    int rc = vo_cert_new(der, &c, &why);
    memset(seen->sha256[seen->n], 0, 32);
    seen->n++;
    if (rc == ACD_ENOMEM)
        l->rc = rc;
    if (rc < 0) {
        bool size = der.len > VO_MAX_CERT;
        vo_find(l, ACD_SEV_ERROR, index, size ? "cert.too_large" : "cert.unreadable",
                size ? "Certificate %d is larger than 16 KiB."
                     : "Certificate %d is not one X.509 certificate in DER, or something follows it.",
                index + 1);
        return;
    }
    for (size_t i = 0; i + 1 < seen->n; i++)
        if (memcmp(seen->sha256[i], c->sha256, 32) == 0 && l->req->role != ACD_ROLE_CHAIN)
            vo_find(l, ACD_SEV_ERROR, index, "upload.duplicate",
                    "Certificate %d is the same as certificate %zu: leave it out.", index + 1, i + 1);
    memcpy(seen->sha256[seen->n - 1], c->sha256, 32);
    bool self = is_self_signed(c);
    vo_report(l, (uint32_t)index, c, der, self);
    if (l->req->role != ACD_ROLE_CHAIN)
        vo_judge(l, index, c, l->req->role != ACD_ROLE_LEAF, self);
    if (index == 0) {
        seen->first = c;
        seen->first_self_signed = self;
    } else {
        vo_cert_free(c);
    }
}

static void
take_blocks(struct vo_look *l, struct seen *seen)
{
    struct vo_pem pem;
    struct vo_block b;
    vo_pem_init(&pem, l->req->text);
    while (l->rc >= 0 && vo_pem_next(&pem, &b)) {
        if (seen->n >= VO_MAX_UPLOAD_CERTS) {
            vo_find(l, ACD_SEV_ERROR, -1, "upload.too_many",
                    "The upload holds more than %d certificates: split it.", VO_MAX_UPLOAD_CERTS);
            vo_block_done(&b);
            return;
        }
        if (b.code)
            vo_find(l, ACD_SEV_ERROR, (int32_t)seen->n, b.code, "%s", b.text);
        else if (b.label.len != 11 || memcmp(b.label.ptr, "CERTIFICATE", 11) != 0)
            vo_find(l, ACD_SEV_ERROR, (int32_t)seen->n, "pem.label",
                    "Block %zu is not labelled CERTIFICATE: upload certificates only.", seen->n + 1);
        if (b.code || b.label.len != 11 || memcmp(b.label.ptr, "CERTIFICATE", 11) != 0) {
            memset(seen->sha256[seen->n++], 0, 32);
            vo_block_done(&b);
            continue;
        }
        take_cert(l, seen, (acd_slice){b.der, b.len});
        vo_block_done(&b);
    }
    if (seen->n == 0)
        vo_find(l, ACD_SEV_ERROR, -1, "upload.not_pem",
                "No certificate was found: upload PEM with -----BEGIN CERTIFICATE----- on a line of its own, "
                "and line "
                "ends that are line ends.");
}

static void
check_role(struct vo_look *l, const struct seen *seen)
{
    if (l->req->role == ACD_ROLE_LEAF && seen->first && (seen->first->flags & EXFLAG_CA))
        vo_find(l, ACD_SEV_ERROR, 0, "leaf.is_ca", "The first certificate must be a leaf, not a CA.");
    if (l->req->role != ACD_ROLE_ORIGIN_ROOT)
        return;
    if (seen->n > 1)
        vo_find(l, ACD_SEV_ERROR, -1, "root.count", "Upload exactly one root certificate.");
    /* With a key outside the limits no signature is checked, and the key's own finding says enough. */
    bool untold = seen->first && seen->first->key.fault.error && vo_cert_self_issued(seen->first);
    if (seen->first && !seen->first_self_signed && !untold)
        vo_find(l, ACD_SEV_ERROR, 0, "root.not_self_signed",
                "Only a root is allowed: a CA certificate that is signed by its own key.");
}

static bool
text_is_fine(struct vo_look *l)
{
    const char *why = NULL, *code;
    if (vo_pem_has_key(l->req->text)) {
        vo_find(l, ACD_SEV_ERROR, -1, "upload.private_key",
                "The upload contains a private key and was refused whole: upload certificates alone.");
        return false;
    }
    code = vo_pem_check(l->req->text, VO_MAX_UPLOAD, &why);
    /* One certificate in DER is no text, so its NULs are fine. */
    bool der = l->req->text.len && !vo_pem_is_text(l->req->text);
    if (code && !(der && strcmp(code, "upload.nul") == 0)) {
        vo_find(l, ACD_SEV_ERROR, -1, code, "%s", why);
        return false;
    }
    return true;
}

int
vo_inspect(void *inst, const acd_inspect *req, acd_cert_fn cert, acd_finding_fn finding, void *ctx,
           acd_err *err)
{
    (void)inst;
    if (req->role < ACD_ROLE_CA || req->role > ACD_ROLE_CHAIN)
        return sdk_fail(err, ACD_EINVAL, "unknown role %u", (unsigned)req->role);
    struct vo_look l = {.req = req, .cert = cert, .finding = finding, .ctx = ctx};
    struct seen *seen = calloc(1, sizeof(*seen));
    if (!seen)
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    if (text_is_fine(&l)) {
        if (vo_pem_is_text(req->text))
            take_blocks(&l, seen);
        else
            take_cert(&l, seen, req->text);
        check_role(&l, seen);
        if (req->key.ptr && seen->first)
            vo_judge_key(&l, seen->first);
    }
    vo_cert_free(seen->first);
    free(seen);
    ERR_clear_error();
    return l.rc < 0 ? sdk_fail(err, l.rc, "the inspection was stopped") : 0;
}
