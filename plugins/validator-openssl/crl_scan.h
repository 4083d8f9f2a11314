/*
 * validator-openssl, inside: a revocation list read where it lies. A list of a million entries takes hundreds
 * of megabytes as an X509_CRL; here its entries are walked, and all the rest is handed to OpenSSL without
 * them.
 *
 * Strict DER (X.690 section 10): definite, shortest lengths, shortest integers. Threading: plain functions.
 */
#ifndef VO_CRL_SCAN_H
#define VO_CRL_SCAN_H

#include "crl.h"

struct vo_crl_cut {
    acd_slice tbs;           /* what is signed, with its tag */
    acd_slice before, after; /* its contents around the entries */
    acd_slice entries;       /* contents of revokedCertificates; empty: none */
    acd_slice inner, outer;  /* both signature algorithms, with their tags */
    acd_slice tail;          /* what follows tbs */
};

/* ACD_EINVAL: not a CertificateList in DER. */
int vo_crl_cut(acd_slice der, struct vo_crl_cut *ret);
/* The list without its entries: everything else can be asked of it, but not whether it is signed. */
int vo_crl_shell(const struct vo_crl_cut *cut, struct vo_crl **ret, struct vo_fault *ret_why);
/* Is the whole signed by the key of that CA? */
bool vo_crl_cut_signed(const struct vo_crl_cut *cut, const struct vo_crl *shell, const struct vo_cert *ca);
/* Every entry once, in order; *ret_n of them. fn may be NULL. Negative: what fn returned, or ACD_ENOMEM.
 * *ret_why: why the list cannot be used. */
int vo_crl_walk(const struct vo_crl_cut *cut, bool delta, acd_crl_entry_fn fn, void *ctx, size_t *ret_n,
                struct vo_fault *ret_why);

#endif
