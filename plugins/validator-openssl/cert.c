/* One certificate: read once, checked once for everything that does not depend on the question. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>

#include "names.h"
#include "vo.h"

bool
vo_time(const ASN1_TIME *t, int64_t *ret)
{
    struct tm tm;
    int len = ASN1_STRING_length(t);
    const unsigned char *s = ASN1_STRING_get0_data(t);
    /* UTCTime YYMMDDHHMMSSZ or GeneralizedTime YYYYMMDDHHMMSSZ: no fractions, no offsets. */
    if (len != (ASN1_STRING_type(t) == V_ASN1_UTCTIME ? 13 : 15) || s[len - 1] != 'Z')
        return false;
    if (ASN1_TIME_to_tm(t, &tm) != 1)
        return false;
    *ret = (int64_t)timegm(&tm);
    return true;
}

/* Everything except the reading itself. The first fault is kept: it rules the certificate out. */
static struct vo_fault
find_fault(struct vo_cert *c)
{
    if (!vo_time(X509_get0_notBefore(c->x), &c->not_before))
        return VO_FAULT("X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD",
                        "notBefore is not a time as RFC 5280 has it");
    if (!vo_time(X509_get0_notAfter(c->x), &c->not_after))
        return VO_FAULT("X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD",
                        "notAfter is not a time as RFC 5280 has it");
    if (X509_NAME_entry_count(X509_get_issuer_name(c->x)) == 0)
        return VO_FAULT("X509_V_ERR_ISSUER_NAME_EMPTY", "the issuer name is empty");
    struct vo_fault f = vo_ext_fault(c->x, false);
    if (f.error)
        return f;
    /* Section 4.1.2.9: extensions belong to version 3. */
    if (X509_get_version(c->x) != X509_VERSION_3 && X509_get_ext_count(c->x) > 0)
        return VO_FAULT("X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3",
                        "extensions need a certificate of version 3");
    if (c->key.fault.error)
        return c->key.fault;
    if (c->san && sk_GENERAL_NAME_num(c->san) > VO_MAX_NAMES)
        return VO_FAULT("ACD_V_ERR_TOO_MANY_NAMES", "the certificate has more than 256 alternative names");
    if (c->nc)
        return vo_nc_fault(c->nc, &c->nsubtrees);
    return VO_FINE;
}

/* A hand-made root may carry an authority key identifier that points elsewhere. If it is signed by its own
 * key, that contradicts sections 4.2.1.1 and 4.2.1.2; if not, it is a key rollover and fine. */
struct vo_fault
vo_cert_self_aki_fault(const struct vo_cert *c)
{
    X509 *x = c->x;
    const ASN1_OCTET_STRING *keyid = X509_get0_authority_key_id(x);
    AUTHORITY_KEYID *aki;
    if (X509_get_ext_by_NID(x, NID_authority_key_identifier, -1) < 0 ||
        X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) != 0)
        return VO_FINE;
    if (!keyid)
        return VO_FAULT("X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER",
                        "the authority key identifier holds no key identifier");
    aki = X509_get_ext_d2i(x, NID_authority_key_identifier, NULL, NULL);
    bool fits = aki && X509_check_akid(x, aki) == X509_V_OK && !aki->issuer == !aki->serial;
    AUTHORITY_KEYID_free(aki);
    EVP_PKEY *key = X509_get0_pubkey(x);
    if (fits || !key || X509_verify(x, key) != 1)
        return VO_FINE;
    return VO_FAULT("X509_V_ERR_AKID_SKID_MISMATCH",
                    "the authority key identifier of this self-signed certificate does not name itself");
}

static bool
is_der(X509 *x, acd_slice der)
{
    unsigned char *again = NULL;
    int len = i2d_X509(x, &again);
    bool same = len >= 0 && (size_t)len == der.len && memcmp(again, der.ptr, der.len) == 0;
    OPENSSL_free(again);
    return same;
}

int
vo_cert_new(acd_slice der, struct vo_cert **ret, struct vo_fault *ret_why)
{
    const unsigned char *p = der.ptr;
    struct vo_cert *c;
    if (der.len == 0 || der.len > VO_MAX_CERT) {
        *ret_why = VO_FAULT("ACD_V_ERR_CERT_SIZE", "a certificate must have 1 to 16384 octets");
        return ACD_EINVAL;
    }
    c = calloc(1, sizeof(*c));
    if (!c)
        return ACD_ENOMEM;
    c->x = d2i_X509(NULL, &p, (long)der.len);
    if (!c->x || p != (const unsigned char *)der.ptr + der.len || !is_der(c->x, der)) {
        *ret_why = VO_FAULT("ACD_V_ERR_CERT_UNREADABLE", "this is not a certificate in DER");
        vo_cert_free(c);
        ERR_clear_error();
        return ACD_EINVAL;
    }
    vo_sha256(der.ptr, der.len, c->sha256);
    /* Caches the extensions inside the X509, so that it can be shared by threads from here on. */
    (void)X509_check_purpose(c->x, -1, 0);
    c->flags = X509_get_extension_flags(c->x);
    c->subject_hash = X509_subject_name_hash(c->x);
    c->issuer_hash = X509_issuer_name_hash(c->x);
    c->san = X509_get_ext_d2i(c->x, NID_subject_alt_name, NULL, NULL);
    c->nc = X509_get_ext_d2i(c->x, NID_name_constraints, NULL, NULL);
    c->sig = vo_sig_kind(c->x);
    vo_key_read(X509_get_X509_PUBKEY(c->x), &c->key);
    c->fault = find_fault(c);
    c->strict = vo_ext_strict_fault(c->x);
    c->ca = (c->flags & EXFLAG_CA) && X509_check_ca(c->x) == 1;
    ERR_clear_error();
    *ret = c;
    return 0;
}

void
vo_cert_free(struct vo_cert *c)
{
    if (!c)
        return;
    GENERAL_NAMES_free(c->san);
    NAME_CONSTRAINTS_free(c->nc);
    X509_free(c->x);
    free(c);
}

bool
vo_cert_same(const struct vo_cert *a, const struct vo_cert *b)
{
    return a == b || memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

bool
vo_cert_self_issued(const struct vo_cert *c)
{
    return (c->flags & EXFLAG_SI) != 0;
}

bool
vo_cert_may_issue(const struct vo_cert *issuer, const struct vo_cert *c)
{
    if (issuer->subject_hash != c->issuer_hash ||
        X509_NAME_cmp(X509_get_subject_name(issuer->x), X509_get_issuer_name(c->x)) != 0)
        return false;
    const ASN1_OCTET_STRING *want = X509_get0_authority_key_id(c->x),
                            *have = X509_get0_subject_key_id(issuer->x);
    /* The issuer and serial number of the authority key identifier are a hint only: a renewed CA has others.
     */
    return !want || !have || ASN1_OCTET_STRING_cmp(want, have) == 0;
}

bool
vo_cert_same_entity(const struct vo_cert *a, const struct vo_cert *b)
{
    if (a->subject_hash != b->subject_hash ||
        X509_NAME_cmp(X509_get_subject_name(a->x), X509_get_subject_name(b->x)) != 0)
        return false;
    const ASN1_BIT_STRING *ka = X509_get0_pubkey_bitstr(a->x), *kb = X509_get0_pubkey_bitstr(b->x);
    return ASN1_STRING_cmp((const ASN1_STRING *)ka, (const ASN1_STRING *)kb) == 0 &&
           strcmp(a->key.type, b->key.type) == 0;
}
