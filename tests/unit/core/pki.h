/* Keys, certificates and requests for tests of core, as PEM text in static memory. One thread. */
#ifndef TESTS_UNIT_CORE_PKI_H
#define TESTS_UNIT_CORE_PKI_H

/* A self-signed certificate, a CA or a leaf, and its key. */
struct pki_pair {
    char cert[4096], key[1024];
};
void pki_make(struct pki_pair *ret, const char *cn, int ca);

/* A request for a P-256 key, with this common name and, unless NULL, these alternative names. */
const char *pki_csr(const char *cn, const char *names);

#endif
