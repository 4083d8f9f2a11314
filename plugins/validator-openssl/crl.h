/*
 * validator-openssl, inside: certificate revocation lists. A list speaks for the CA whose name it carries and
 * whose key verifies it, and for no other (RFC 5280 section 6.3).
 *
 * Threading: lists are read-only after vo_crl_new, except for the remembered key, which is atomic.
 */
#ifndef VO_CRL_H
#define VO_CRL_H

#include <stdatomic.h>

#include <openssl/x509.h>

#include "vo.h"

struct vo_crl {
    X509_CRL *crl;
    unsigned long issuer_hash;
    int64_t this_update, next_update; /* next_update INT64_MAX: none given */
    bool delta, has_number;
    BIGNUM *number, *base; /* CRL number; base of a delta */
    ISSUING_DIST_POINT *idp;
    AUTHORITY_KEYID *aki;
    struct vo_fault fault;  /* cannot be used at all */
    _Atomic(uint8_t *) key; /* SHA-256 of the key that verified it last, 32 octets, NULL: none yet */
};

/* DER only. ACD_EINVAL: not a CRL. Contents that cannot be used set `fault`: such a list still speaks (fail
 * closed). */
int vo_crl_new(acd_slice der, struct vo_crl **ret, struct vo_fault *ret_why);
/* The DER of a list that is DER or one PEM block; in *ret_own, which the caller frees, if it was not DER. */
int vo_crl_der(acd_slice text, acd_slice *ret, uint8_t **ret_own, struct vo_fault *ret_why);
/* The same from DER or one PEM block. */
int vo_crl_read(acd_slice text, struct vo_crl **ret, struct vo_fault *ret_why);
void vo_crl_free(struct vo_crl *c);

/* Does the list carry the CA's name? */
bool vo_crl_names(const struct vo_crl *c, const struct vo_cert *ca);
/* Does its authority key identifier point to another key than the CA's? */
bool vo_crl_other_key(const struct vo_crl *c, const struct vo_cert *ca);
bool vo_crl_key_id_of(const struct vo_crl *c, const struct vo_cert *ca);
/* 1 verified, 0 not; *ret_cost is 1 when a signature was computed. */
int vo_crl_signed_by(struct vo_crl *c, const struct vo_cert *ca, unsigned *ret_cost);
/* Is the certificate among those that the list covers? */
bool vo_crl_covers(const struct vo_crl *c, const struct vo_cert *cert);
/* 1 revoked, 2 removed from the list (deltas), 0 not on it. */
int vo_crl_lookup(const struct vo_crl *c, const struct vo_cert *cert);
bool vo_crl_delta_fits(const struct vo_crl *delta, const struct vo_crl *base);

#endif
