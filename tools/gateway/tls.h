/*
 * The certificate and key that TLS connections are greeted with, from files, replaced while connections go
 * on.
 *
 * Threading: tls_load from one thread at a time; tls_certificate from any (it is GnuTLS that calls it).
 * Handshakes under way keep what they began with: a pair that was replaced lives until tls_done.
 */
#ifndef GATEWAY_TLS_H
#define GATEWAY_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <anchord/types.h>

#include "base/must.h"

/* PEM files: the certificate with its chain, leaf first, and its key. On failure what was loaded before
 * stays.
 */
int tls_load(const char *cert_path, const char *key_path, acd_err *err) ACD_MUSTCHECK;
void tls_done(void); /* when no connection is left */

/* A gnutls_certificate_retrieve_function2. */
int tls_certificate(gnutls_session_t session, const gnutls_datum_t *req_ca_dn, int nreqs,
                    const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length, gnutls_pcert_st **pcert,
                    unsigned int *pcert_length, gnutls_privkey_t *privkey);

#endif
