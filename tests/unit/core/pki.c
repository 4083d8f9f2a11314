#include "pki.h"

#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/main.h"

static void
take(BIO *bio, char *out, size_t room)
{
    int n = BIO_read(bio, out, (int)room - 1);
    ck_assert_int_gt(n, 0);
    out[n] = '\0';
    BIO_free(bio);
}

static void
name_it(X509_NAME *name, const char *cn)
{
    ck_assert_int_eq(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0), 1);
}

void
pki_make(struct pki_pair *ret, const char *cn, int ca)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509V3_CTX ctx = {0};
    BIO *text = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
    const char *const exts[][2] = {
        {"basicConstraints", ca ? "critical,CA:TRUE" : "critical,CA:FALSE"},
        {"keyUsage", ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature"},
        {"subjectKeyIdentifier", "hash"}};
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 4711);
    X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &(time_t){1700000000});
    X509_time_adj_ex(X509_getm_notAfter(x), 0, 0, &(time_t){2000000000});
    name_it(X509_get_subject_name(x), cn);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    for (int i = 0; i < 3; i++) {
        X509_EXTENSION *e = X509V3_EXT_conf(NULL, &ctx, exts[i][0], exts[i][1]);
        ck_assert_int_eq(X509_add_ext(x, e, -1), 1);
        X509_EXTENSION_free(e);
    }
    ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
    PEM_write_bio_X509(text, x);
    PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
    take(text, ret->cert, sizeof(ret->cert));
    take(secret, ret->key, sizeof(ret->key));
    X509_free(x);
    EVP_PKEY_free(key);
}

const char *
pki_csr(const char *cn, const char *names)
{
    static char out[4096];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_REQ *req = X509_REQ_new();
    BIO *text = BIO_new(BIO_s_mem());
    if (cn)
        name_it(X509_REQ_get_subject_name(req), cn);
    X509_REQ_set_pubkey(req, key);
    if (names) {
        STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
        sk_X509_EXTENSION_push(exts, X509V3_EXT_conf(NULL, NULL, "subjectAltName", names));
        X509_REQ_add_extensions(req, exts);
        sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    }
    ck_assert_int_gt(X509_REQ_sign(req, key, EVP_sha256()), 0);
    PEM_write_bio_X509_REQ(text, req);
    take(text, out, sizeof(out));
    X509_REQ_free(req);
    EVP_PKEY_free(key);
    return out;
}
