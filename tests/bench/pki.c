#include "pki.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

enum { VALID_SECONDS = 365 * 86400, YESTERDAY = -86400, SERIAL_BYTES = 12 };

static void
extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(ext && X509_add_ext(cert, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

static void
set_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_BYTES];
    must(RAND_bytes(bytes, sizeof(bytes)) == 1);
    bytes[0] = (bytes[0] & 0x7f) | 1;
    BIGNUM *bn = BN_bin2bn(bytes, sizeof(bytes), NULL);
    must(bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)));
    BN_free(bn);
}

struct pki_pair
pki_make(const char *cn, int kind, const struct pki_pair *issuer)
{
    struct pki_pair p = {X509_new(), EVP_EC_gen("P-256")};
    must(p.cert && p.key && X509_set_version(p.cert, 2) == 1);
    const struct pki_pair *by = issuer ? issuer : &p;
    X509_NAME *name = X509_get_subject_name(p.cert);
    must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Bench", -1, -1, 0) ==
         1);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) == 1);
    must(X509_set_issuer_name(p.cert, X509_get_subject_name(by->cert)) == 1);
    set_serial(p.cert);
    must(X509_gmtime_adj(X509_getm_notBefore(p.cert), YESTERDAY) &&
         X509_gmtime_adj(X509_getm_notAfter(p.cert), VALID_SECONDS) && X509_set_pubkey(p.cert, p.key) == 1);
    extend(p.cert, by->cert, NID_basic_constraints, kind == PKI_CA ? "critical,CA:TRUE" : "CA:FALSE");
    extend(p.cert, by->cert, NID_key_usage,
           kind == PKI_CA ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    extend(p.cert, by->cert, NID_subject_key_identifier, "hash");
    if (issuer)
        extend(p.cert, by->cert, NID_authority_key_identifier, "keyid");
    if (kind == PKI_LEAF)
        extend(p.cert, by->cert, NID_ext_key_usage, "clientAuth");
    must(X509_sign(p.cert, by->key, EVP_sha256()) > 0);
    return p;
}

void
pki_free(struct pki_pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
    *p = (struct pki_pair){0};
}

acd_slice
pki_der(const struct pki_pair *p)
{
    unsigned char *der = NULL;
    int len = i2d_X509(p->cert, &der);
    must(len > 0);
    return (acd_slice){der, (size_t)len};
}

char *
pki_pem(const struct pki_pair *p)
{
    char *text;
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio && PEM_write_bio_X509(bio, p->cert) == 1);
    long len = BIO_get_mem_data(bio, &text);
    char *copy = strndup(text, (size_t)len);
    must(copy);
    BIO_free(bio);
    return copy;
}

static FILE *
pki_file(const char *dir, const char *name, const char *end, const char *how)
{
    char path[RIG_PATH];
    must(snprintf(path, sizeof(path), "%s/%s.%s", dir, name, end) < (int)sizeof(path));
    FILE *f = fopen(path, how);
    if (!f)
        rig_fail("cannot open %s", path);
    return f;
}

void
pki_save(const struct pki_pair *p, const char *dir, const char *name)
{
    FILE *f = pki_file(dir, name, "pem", "we");
    must(PEM_write_X509(f, p->cert) == 1 && fclose(f) == 0);
    f = pki_file(dir, name, "key", "we");
    must(PEM_write_PrivateKey(f, p->key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0);
}

struct pki_pair
pki_load(const char *dir, const char *name)
{
    FILE *f = pki_file(dir, name, "pem", "re");
    struct pki_pair p = {PEM_read_X509(f, NULL, NULL, NULL), NULL};
    (void)fclose(f);
    f = pki_file(dir, name, "key", "re");
    p.key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    (void)fclose(f);
    must(p.cert && p.key);
    return p;
}

void
pki_chains_make(const struct pki_pair *root, size_t n, struct pki_chains *ret)
{
    struct pki_pair inter = pki_make("Bench Issuing CA", PKI_CA, root);
    *ret = (struct pki_chains){.leaf = calloc(n, sizeof(acd_slice)), .inter = pki_der(&inter), .n = n};
    must(ret->leaf);
    for (size_t i = 0; i < n; i++) {
        char cn[32];
        (void)snprintf(cn, sizeof(cn), "client-%zu", i);
        struct pki_pair leaf = pki_make(cn, PKI_LEAF, &inter);
        ret->leaf[i] = pki_der(&leaf);
        pki_free(&leaf);
    }
    pki_free(&inter);
}

void
pki_chains_free(struct pki_chains *c)
{
    for (size_t i = 0; i < c->n; i++)
        OPENSSL_free((void *)c->leaf[i].ptr);
    OPENSSL_free((void *)c->inter.ptr);
    free(c->leaf);
}
