/*
 * Certificates and CRLs for tests, from one line of attributes each. The only code outside of the plugin that
 * uses OpenSSL's X.509 functions; linked into tests alone. One thread. Attributes are described in README.md.
 */
#ifndef TESTS_PKI_FACTORY_H
#define TESTS_PKI_FACTORY_H

#include <openssl/x509.h>

enum { FACTORY_ITEMS = 64, FACTORY_ATTRS = 32 };

struct attr {
    char *key, *value;
};

struct attrs {
    struct attr list[FACTORY_ATTRS];
    size_t n;
};

struct item {
    char id[48];
    X509 *cert;
    X509_CRL *crl;
    EVP_PKEY *key;
    unsigned char *der;
    size_t len;
};

struct factory {
    struct item items[FACTORY_ITEMS];
    size_t n;
};

/* Splits "k=v k=v" in place. */
void attrs_read(char *text, struct attrs *ret);
const char *attrs_find(const struct attrs *a, const char *key, const char *dflt);

/* kind: "ca" or "ee". Ends the program with a message when the attributes cannot be made into a certificate.
 */
struct item *factory_cert(struct factory *f, const char *id, const char *kind, const struct attrs *a);
struct item *factory_crl(struct factory *f, const char *id, const struct attrs *a);
struct item *factory_find(struct factory *f, const char *id);
void factory_clear(struct factory *f);
/* A key by its label, made once per program: "p256:x". Borrowed. */
EVP_PKEY *factory_key(const char *label);
void factory_keys_free(void);
/* Seconds of "2026-01-02T03:04:05Z". */
long long factory_time(const char *text);

#endif
