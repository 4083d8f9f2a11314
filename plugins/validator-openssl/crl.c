#include "crl.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>

#include "pem.h"

static BIGNUM *
number_of(X509_CRL *crl, int nid)
{
    ASN1_INTEGER *i = X509_CRL_get_ext_d2i(crl, nid, NULL, NULL);
    BIGNUM *n = i ? ASN1_INTEGER_to_BN(i, NULL) : NULL;
    ASN1_INTEGER_free(i);
    return n;
}

/* Section 5.2: unknown critical extensions make a list unusable. Only the two that are critical by definition
 * are understood here as critical. */
static struct vo_fault
ext_fault(X509_CRL *crl)
{
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
        X509_EXTENSION *ext = X509_CRL_get_ext(crl, i);
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(ext);
        int nid = OBJ_obj2nid(oid);
        if (X509_CRL_get_ext_by_OBJ(crl, oid, i) >= 0)
            return VO_FAULT("ACD_V_ERR_DUPLICATE_EXTENSION", "the CRL has an extension twice");
        if (X509_EXTENSION_get_critical(ext) && nid != NID_issuing_distribution_point && nid != NID_delta_crl)
            return VO_FAULT("X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION",
                            "the CRL has a critical extension that is unknown here");
        const X509V3_EXT_METHOD *method = X509V3_EXT_get_nid(nid);
        void *value = method ? X509V3_EXT_d2i(ext) : NULL;
        if (method && !value)
            return VO_FAULT("X509_V_ERR_INVALID_EXTENSION", "an extension of the CRL cannot be read");
        if (value && method->it)
            ASN1_item_free(value, ASN1_ITEM_ptr(method->it));
        else if (value)
            method->ext_free(value);
    }
    return VO_FINE;
}

static int
by_serial(const void *a, const void *b)
{
    return ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(*(X509_REVOKED *const *)a),
                            X509_REVOKED_get0_serialNumber(*(X509_REVOKED *const *)b));
}

/* A serial number twice says two things about one certificate; a critical entry extension (section 5.3)
 * changes what an entry means. Neither can be trusted. */
static struct vo_fault
entry_fault(X509_CRL *crl)
{
    STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);
    int n = sk_X509_REVOKED_num(list);
    if (n <= 0)
        return VO_FINE;
    X509_REVOKED **sorted = calloc((size_t)n, sizeof(X509_REVOKED *));
    if (!sorted)
        return VO_FAULT("X509_V_ERR_OUT_OF_MEM", "out of memory");
    struct vo_fault f = VO_FINE;
    for (int i = 0; i < n; i++) {
        sorted[i] = sk_X509_REVOKED_value(list, i);
        for (int e = 0; e < X509_REVOKED_get_ext_count(sorted[i]); e++)
            if (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(sorted[i], e)))
                f = VO_FAULT("X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION",
                             "an entry of the CRL has a critical extension, as indirect CRLs have");
    }
    qsort(sorted, (size_t)n, sizeof(sorted[0]), by_serial);
    for (int i = 1; i < n; i++)
        if (by_serial(&sorted[i - 1], &sorted[i]) == 0)
            f = VO_FAULT("ACD_V_ERR_CRL_DUPLICATE_ENTRY", "the CRL lists a serial number twice");
    free(sorted);
    return f;
}

static struct vo_fault
find_fault(struct vo_crl *c)
{
    const X509_ALGOR *outer;
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(c->crl);
    if (!vo_time(X509_CRL_get0_lastUpdate(c->crl), &c->this_update))
        return VO_FAULT("X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD", "thisUpdate of the CRL cannot be read");
    c->next_update = INT64_MAX;
    if (next && !vo_time(next, &c->next_update))
        return VO_FAULT("X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD", "nextUpdate of the CRL cannot be read");
    X509_CRL_get0_signature(c->crl, NULL, &outer);
    if (vo_sig_kind_nid(OBJ_obj2nid(outer->algorithm)) != VO_SIG_SHA2)
        return VO_FAULT("X509_V_ERR_CA_MD_TOO_WEAK",
                        "the CRL's signature algorithm is not RSA or ECDSA with SHA-2");
    struct vo_fault f = ext_fault(c->crl);
    if (f.error)
        return f;
    if (c->delta && (!c->base || !c->number))
        return VO_FAULT("X509_V_ERR_INVALID_EXTENSION",
                        "a delta CRL needs its own number and that of its base");
    return entry_fault(c->crl);
}

int
vo_crl_new(acd_slice der, struct vo_crl **ret, struct vo_fault *ret_why)
{
    const unsigned char *p = der.ptr;
    struct vo_crl *c;
    *ret_why = VO_FAULT("ACD_V_ERR_CRL_UNREADABLE", "this is not a CRL in DER");
    if (der.len == 0 || der.len > VO_MAX_CRL)
        return ACD_EINVAL;
    c = calloc(1, sizeof(*c));
    if (!c)
        return ACD_ENOMEM;
    c->crl = d2i_X509_CRL(NULL, &p, (long)der.len);
    if (!c->crl || p != (const unsigned char *)der.ptr + der.len) {
        vo_crl_free(c);
        ERR_clear_error();
        return ACD_EINVAL;
    }
    c->issuer_hash = X509_NAME_hash_ex(X509_CRL_get_issuer(c->crl), NULL, NULL, NULL);
    c->delta = X509_CRL_get_ext_by_NID(c->crl, NID_delta_crl, -1) >= 0;
    c->number = number_of(c->crl, NID_crl_number);
    c->has_number = c->number != NULL;
    c->base = c->delta ? number_of(c->crl, NID_delta_crl) : NULL;
    c->idp = X509_CRL_get_ext_d2i(c->crl, NID_issuing_distribution_point, NULL, NULL);
    c->aki = X509_CRL_get_ext_d2i(c->crl, NID_authority_key_identifier, NULL, NULL);
    c->fault = find_fault(c);
    ERR_clear_error();
    *ret = c;
    return 0;
}

int
vo_crl_der(acd_slice text, acd_slice *ret, uint8_t **ret_own, struct vo_fault *ret_why)
{
    struct vo_pem pem;
    struct vo_block block, more;
    *ret_own = NULL;
    *ret = text;
    if (!vo_pem_is_text(text))
        return 0;
    *ret_why = VO_FAULT("ACD_V_ERR_CRL_UNREADABLE", "this is neither DER nor one PEM block X509 CRL");
    vo_pem_init(&pem, text);
    bool one = vo_pem_next(&pem, &block) && !block.code && block.label.len == 8 &&
               memcmp(block.label.ptr, "X509 CRL", 8) == 0;
    if (one && vo_pem_next(&pem, &more)) {
        vo_block_done(&more);
        *ret_why = VO_FAULT("ACD_V_ERR_CRL_UNREADABLE", "more than one PEM block: load CRLs one by one");
        one = false;
    }
    if (!one) {
        vo_block_done(&block);
        return ACD_EINVAL;
    }
    *ret = (acd_slice){block.der, block.len};
    *ret_own = block.der;
    return 0;
}

int
vo_crl_read(acd_slice text, struct vo_crl **ret, struct vo_fault *ret_why)
{
    acd_slice der;
    uint8_t *own;
    int rc = vo_crl_der(text, &der, &own, ret_why);
    if (rc == 0)
        rc = vo_crl_new(der, ret, ret_why);
    free(own);
    return rc;
}

void
vo_crl_free(struct vo_crl *c)
{
    if (!c)
        return;
    X509_CRL_free(c->crl);
    BN_free(c->number);
    BN_free(c->base);
    ISSUING_DIST_POINT_free(c->idp);
    AUTHORITY_KEYID_free(c->aki);
    free(atomic_load(&c->key));
    free(c);
}

bool
vo_crl_names(const struct vo_crl *c, const struct vo_cert *ca)
{
    return c->issuer_hash == ca->subject_hash &&
           X509_NAME_cmp(X509_CRL_get_issuer(c->crl), X509_get_subject_name(ca->x)) == 0;
}

static int
key_id_cmp(const struct vo_crl *c, const struct vo_cert *ca, int unknown)
{
    const ASN1_OCTET_STRING *have = X509_get0_subject_key_id(ca->x);
    if (!c->aki || !c->aki->keyid || !have)
        return unknown;
    return ASN1_OCTET_STRING_cmp(c->aki->keyid, have);
}

bool
vo_crl_other_key(const struct vo_crl *c, const struct vo_cert *ca)
{
    return key_id_cmp(c, ca, 0) != 0;
}

bool
vo_crl_key_id_of(const struct vo_crl *c, const struct vo_cert *ca)
{
    return key_id_cmp(c, ca, 1) == 0;
}

static bool
key_digest(const struct vo_cert *ca, uint8_t out[32])
{
    unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(ca->x), &spki);
    if (len > 0)
        vo_sha256(spki, (size_t)len, out);
    OPENSSL_free(spki);
    return len > 0;
}

/* Hashing a list of megabytes for each question would cost more than all else, so the key that verified it
 * is remembered, once. */
int
vo_crl_signed_by(struct vo_crl *c, const struct vo_cert *ca, unsigned *ret_cost)
{
    uint8_t digest[32];
    EVP_PKEY *key = X509_get0_pubkey(ca->x);
    *ret_cost = 0;
    if (!key || ca->key.fault.error || !key_digest(ca, digest))
        return 0;
    const uint8_t *known = atomic_load(&c->key);
    if (known && memcmp(known, digest, sizeof(digest)) == 0)
        return 1;
    *ret_cost = 1;
    if (X509_CRL_verify(c->crl, key) != 1) {
        ERR_clear_error();
        return 0;
    }
    uint8_t *keep = known ? NULL : malloc(sizeof(digest)), *none = NULL;
    if (keep) {
        memcpy(keep, digest, sizeof(digest));
        if (!atomic_compare_exchange_strong(&c->key, &none, keep))
            free(keep);
    }
    return 1;
}

/* All names of a distribution point must be URIs; relative names are not supported. */
static const GENERAL_NAMES *
uris_of(const DIST_POINT_NAME *name)
{
    if (!name || name->type != 0)
        return NULL;
    for (int i = 0; i < sk_GENERAL_NAME_num(name->name.fullname); i++)
        if (sk_GENERAL_NAME_value(name->name.fullname, i)->type != GEN_URI)
            return NULL;
    return name->name.fullname;
}

static bool
share_uri(const GENERAL_NAMES *a, const GENERAL_NAMES *b)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(a); i++)
        for (int j = 0; j < sk_GENERAL_NAME_num(b); j++)
            if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a, i), sk_GENERAL_NAME_value(b, j)) == 0)
                return true;
    return false;
}

/* Section 6.3.3 b 2: the list's distribution point is one of the certificate's. */
static bool
point_fits(const DIST_POINT_NAME *name, const struct vo_cert *cert)
{
    const GENERAL_NAMES *mine = uris_of(name);
    STACK_OF(DIST_POINT) *points =
        mine ? X509_get_ext_d2i(cert->x, NID_crl_distribution_points, NULL, NULL) : NULL;
    bool fits = false;
    for (int i = 0; i < sk_DIST_POINT_num(points) && !fits; i++) {
        const DIST_POINT *dp = sk_DIST_POINT_value(points, i);
        fits = !dp->CRLissuer && !dp->reasons && share_uri(mine, uris_of(dp->distpoint));
    }
    CRL_DIST_POINTS_free(points);
    return fits;
}

bool
vo_crl_covers(const struct vo_crl *c, const struct vo_cert *cert)
{
    const ISSUING_DIST_POINT *idp = c->idp;
    if (!idp)
        return true;
    bool is_ca = (cert->flags & EXFLAG_CA) != 0;
    if (idp->onlyattr > 0 || idp->indirectCRL > 0 || idp->onlysomereasons)
        return false;
    if ((idp->onlyuser > 0 && is_ca) || (idp->onlyCA > 0 && !is_ca))
        return false;
    return !idp->distpoint || point_fits(idp->distpoint, cert);
}

int
vo_crl_lookup(const struct vo_crl *c, const struct vo_cert *cert)
{
    X509_REVOKED *entry = NULL;
    return X509_CRL_get0_by_serial(c->crl, &entry, X509_get0_serialNumber(cert->x));
}

static bool
same_octets(const ASN1_OCTET_STRING *a, const ASN1_OCTET_STRING *b)
{
    return (!a && !b) || (a && b && ASN1_OCTET_STRING_cmp(a, b) == 0);
}

/* Section 5.2.4: same scope, base no newer than the complete list, and newer itself. */
bool
vo_crl_delta_fits(const struct vo_crl *delta, const struct vo_crl *base)
{
    int d = X509_CRL_get_ext_by_NID(delta->crl, NID_issuing_distribution_point, -1);
    int b = X509_CRL_get_ext_by_NID(base->crl, NID_issuing_distribution_point, -1);
    const ASN1_OCTET_STRING *ds = d < 0 ? NULL : X509_EXTENSION_get_data(X509_CRL_get_ext(delta->crl, d));
    const ASN1_OCTET_STRING *bs = b < 0 ? NULL : X509_EXTENSION_get_data(X509_CRL_get_ext(base->crl, b));
    return base->number && same_octets(ds, bs) && BN_cmp(delta->base, base->number) <= 0 &&
           BN_cmp(delta->number, base->number) > 0;
}
