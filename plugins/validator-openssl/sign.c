/* A managed CA: its key, its certificate, and what it signs. */
#include "sign.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

/* 17 octets with the first one 0x40 to 0x7f: positive, of one length, 134 random bits (RFC 5280 section
 * 4.1.2.2 allows 20 octets). */
enum { SERIAL_OCTETS = 17 };

/* --- keys -------------------------------------------------------------------------------------------------
 */

static EVP_PKEY *
generate(uint32_t kind)
{
    switch (kind) {
    case ACD_KEY_P256:
        return EVP_EC_gen("P-256");
    case ACD_KEY_RSA2048:
        return EVP_RSA_gen(2048);
    case ACD_KEY_RSA4096:
        return EVP_RSA_gen(4096);
    default:
        return NULL;
    }
}

/* As PKCS#8, in memory of the secure heap. */
static int
give_key(const EVP_PKEY *key, acd_key_fn fn, void *ctx)
{
    PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(key);
    int len = p8 ? i2d_PKCS8_PRIV_KEY_INFO(p8, NULL) : -1, rc = ACD_ENOMEM;
    unsigned char *der = len > 0 ? OPENSSL_secure_malloc((size_t)len) : NULL, *p = der;
    if (der && i2d_PKCS8_PRIV_KEY_INFO(p8, &p) == len)
        rc = fn(ctx, (acd_slice){der, (size_t)len});
    OPENSSL_secure_clear_free(der, len > 0 ? (size_t)len : 0);
    PKCS8_PRIV_KEY_INFO_free(p8);
    return rc;
}

int
vo_key_make(void *inst, uint32_t kind, acd_key_fn fn, void *ctx, acd_err *err)
{
    (void)inst;
    if (kind < ACD_KEY_P256 || kind > ACD_KEY_RSA4096)
        return sdk_fail(err, ACD_EINVAL, "unknown kind %u of key", (unsigned)kind);
    EVP_PKEY *key = generate(kind);
    int rc = key ? give_key(key, fn, ctx) : ACD_EINTERNAL;
    EVP_PKEY_free(key);
    ERR_clear_error();
    return rc < 0 ? sdk_fail(err, rc, "no key could be made") : 0;
}

static EVP_PKEY *
read_key(acd_slice key)
{
    const unsigned char *p = key.ptr;
    PKCS8_PRIV_KEY_INFO *p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)key.len);
    EVP_PKEY *pkey = p8 ? EVP_PKCS82PKEY(p8) : NULL;
    PKCS8_PRIV_KEY_INFO_free(p8);
    return pkey;
}

/* --- the parts of a certificate ---------------------------------------------------------------------------
 */

static bool
set_serial(X509 *x)
{
    unsigned char raw[SERIAL_OCTETS];
    if (RAND_bytes(raw, sizeof(raw)) != 1)
        return false;
    raw[0] = 0x40 | (raw[0] & 0x3f);
    BIGNUM *n = BN_bin2bn(raw, sizeof(raw), NULL);
    bool fine = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return fine;
}

static bool
set_dates(X509 *x, int64_t from_ms, int64_t until_ms)
{
    return from_ms <= until_ms && ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(from_ms / 1000)) &&
           ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(until_ms / 1000));
}

struct ext {
    int nid;
    const char *value;
};

static bool
add_exts(X509 *x, X509 *issuer, const struct ext *exts, size_t n)
{
    X509V3_CTX ctx = {0};
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, exts[i].nid, exts[i].value);
        bool added = e && X509_add_ext(x, e, -1) == 1;
        X509_EXTENSION_free(e);
        if (!added)
            return false;
    }
    return true;
}

/* Signs, and tells the facts as an upload's are told. */
static int
finish(X509 *x, EVP_PKEY *key, bool self_signed, acd_cert_fn fn, void *ctx)
{
    struct vo_look l = {.cert = fn, .ctx = ctx};
    struct vo_cert *c = NULL;
    struct vo_fault why = VO_FINE;
    unsigned char *der = NULL;
    int len = X509_sign(x, key, EVP_sha256()) > 0 ? i2d_X509(x, &der) : -1;
    int rc = len > 0 ? vo_cert_new((acd_slice){der, (size_t)len}, &c, &why) : ACD_EINTERNAL;
    if (rc == 0 && c->fault.error)
        rc = ACD_EINTERNAL;
    if (rc == 0) {
        vo_report(&l, 0, c, (acd_slice){der, (size_t)len}, self_signed);
        rc = l.rc;
    }
    vo_cert_free(c);
    OPENSSL_free(der);
    return rc;
}

/* --- the CA -----------------------------------------------------------------------------------------------
 */

static bool
add_name(X509_NAME *to, int nid, acd_slice value)
{
    return value.len == 0 ||
           X509_NAME_add_entry_by_NID(to, nid, MBSTRING_UTF8, value.ptr, (int)value.len, -1, 0);
}

static bool
fill_ca(X509 *x, const acd_make_ca *what, EVP_PKEY *key)
{
    static const struct ext exts[] = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                      {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                      {NID_subject_key_identifier, "hash"}};
    X509_NAME *name = X509_get_subject_name(x);
    return X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
           set_dates(x, what->not_before_ms, what->not_after_ms) &&
           add_name(name, NID_organizationName, what->organization) &&
           add_name(name, NID_commonName, what->common_name) && X509_NAME_entry_count(name) > 0 &&
           X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) && add_exts(x, x, exts, 3);
}

int
vo_ca_make(void *inst, const acd_make_ca *what, acd_cert_fn fn, void *ctx, acd_err *err)
{
    (void)inst;
    EVP_PKEY *key = read_key(what->key);
    X509 *x = X509_new();
    int rc = key && x && fill_ca(x, what, key) ? finish(x, key, true, fn, ctx) : ACD_EINVAL;
    X509_free(x);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return rc == 0 ? 0
                   : sdk_fail(err, rc, "no certificate can be made of this key, these names and these dates");
}

/* --- a client ---------------------------------------------------------------------------------------------
 */

/* A certificate without a subject must mark its alternative names critical (RFC 5280 section 4.2.1.6). */
static bool
add_san(X509 *x, const struct vo_csr *csr)
{
    int critical = X509_NAME_entry_count(csr->subject) == 0;
    return !csr->san ||
           X509_add1_ext_i2d(x, NID_subject_alt_name, csr->san, critical, X509V3_ADD_DEFAULT) == 1;
}

static bool
fill_client(X509 *x, const struct vo_csr *csr, const struct vo_cert *ca, const acd_sign *what)
{
    static const struct ext exts[] = {{NID_basic_constraints, "critical,CA:FALSE"},
                                      {NID_key_usage, "critical,digitalSignature"},
                                      {NID_ext_key_usage, "clientAuth"},
                                      {NID_subject_key_identifier, "hash"},
                                      {NID_authority_key_identifier, "keyid:always"}};
    return X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
           set_dates(x, what->not_before_ms, what->not_after_ms) && X509_set_subject_name(x, csr->subject) &&
           X509_set_issuer_name(x, X509_get_subject_name(ca->x)) &&
           X509_set_pubkey(x, X509_REQ_get0_pubkey(csr->req)) && add_exts(x, ca->x, exts, 5) &&
           add_san(x, csr);
}

static int
sign_for(const struct vo_csr *csr, const struct vo_cert *ca, const acd_sign *what, acd_cert_fn fn, void *ctx,
         acd_err *err)
{
    if (what->not_before_ms / 1000 < ca->not_before || what->not_after_ms / 1000 > ca->not_after ||
        what->not_before_ms > what->not_after_ms)
        return sdk_fail(err, ACD_EINVAL, "the dates do not lie within those of the CA");
    EVP_PKEY *key = read_key(what->key);
    X509 *x = X509_new();
    int rc = key && x ? 0 : ACD_EINVAL;
    if (rc == 0 && (!ca->ca || X509_check_private_key(ca->x, key) != 1))
        rc = ACD_EINVAL;
    if (rc < 0)
        sdk_fail(err, rc, "the key is not that of the CA");
    else if (!fill_client(x, csr, ca, what))
        rc = sdk_fail(err, ACD_EINTERNAL, "no certificate could be made of the request");
    else if ((rc = finish(x, key, false, fn, ctx)) < 0)
        sdk_fail(err, rc, "the certificate could not be signed");
    X509_free(x);
    EVP_PKEY_free(key);
    return rc;
}

int
vo_client_sign(void *inst, const acd_sign *what, acd_cert_fn fn, void *ctx, acd_err *err)
{
    struct vo_look quiet = {0};
    struct vo_csr csr;
    struct vo_cert *ca = NULL;
    struct vo_fault why;
    (void)inst;
    int rc = 0;
    if (!vo_csr_read(&quiet, what->csr, &csr))
        rc = sdk_fail(err, ACD_EINVAL, "the request has errors");
    else if ((rc = vo_cert_new(what->ca, &ca, &why)) < 0)
        rc = sdk_fail(err, rc, "the certificate of the CA cannot be read");
    else
        rc = sign_for(&csr, ca, what, fn, ctx, err);
    vo_cert_free(ca);
    vo_csr_done(&csr);
    ERR_clear_error();
    return rc;
}
