/* Certificates of a benchmark: P-256 CAs, an intermediate below one, and any number of client certificates.
 */
#ifndef BENCH_PKI_H
#define BENCH_PKI_H

#include <openssl/x509.h>

#include <anchord/types.h>

#include "rig.h"

struct pki_pair {
    X509 *cert;
    EVP_PKEY *key;
};

enum { PKI_CA, PKI_LEAF };

/* issuer NULL: self-signed. Random key and serial. */
struct pki_pair pki_make(const char *cn, int kind, const struct pki_pair *issuer);
void pki_free(struct pki_pair *p);
acd_slice pki_der(const struct pki_pair *p); /* to be freed */
char *pki_pem(const struct pki_pair *p);     /* to be freed */

/* As DIR/NAME.pem and DIR/NAME.key. */
void pki_save(const struct pki_pair *p, const char *dir, const char *name);
struct pki_pair pki_load(const char *dir, const char *name);

/* Chains of a leaf each and the intermediate below `root`, as DER. */
struct pki_chains {
    acd_slice *leaf;
    acd_slice inter;
    size_t n;
};
void pki_chains_make(const struct pki_pair *root, size_t n, struct pki_chains *ret);
void pki_chains_free(struct pki_chains *c);

#endif
