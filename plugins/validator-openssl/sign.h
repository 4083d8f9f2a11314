/*
 * validator-openssl, inside: requests, and certificates that are made here. Any thread; nothing is kept.
 * Private keys are read into the library's secure heap where the program has set one up.
 */
#ifndef VO_SIGN_H
#define VO_SIGN_H

#include "inspect.h"

/* A request, reduced to what is signed. */
struct vo_csr {
    X509_REQ *req;
    X509_NAME *subject;
    GENERAL_NAMES *san; /* NULL: none */
    struct vo_key key;
};

/* csr.c: reads and checks; all that is wrong becomes findings of l. False: it cannot be signed. */
bool vo_csr_read(struct vo_look *l, acd_slice text, struct vo_csr *ret);
void vo_csr_done(struct vo_csr *c);
int vo_inspect_csr(void *inst, acd_slice csr, acd_csr_fn fn, acd_finding_fn finding, void *ctx, acd_err *err);

/* sign.c */
int vo_key_make(void *inst, uint32_t kind, acd_key_fn fn, void *ctx, acd_err *err);
int vo_ca_make(void *inst, const acd_make_ca *what, acd_cert_fn fn, void *ctx, acd_err *err);
int vo_client_sign(void *inst, const acd_sign *what, acd_cert_fn fn, void *ctx, acd_err *err);

#endif
