/*
 * A validator plugin as uploads and queries see it.
 *
 * Any thread. verify fails closed: unless it returns 0 with result ACD_VERIFIED, nothing is verified.
 * Deadlines are absolute, monotonic nanoseconds (0: none).
 */
#ifndef PLUG_VALIDATOR_H
#define PLUG_VALIDATOR_H

#include <stdbool.h>

#include <anchord/plugin-validator.h>

#include "base/must.h"

struct plug;

struct plug_validator {
    struct plug *plug;
    const acd_validator_ops *ops;
    bool bounded; /* verify may run on a query worker */
};

/* A compiled set of CAs of one validator; immutable, any thread; its owner frees it after the last reader. */
struct plug_bundle;

void plug_validator_init(struct plug_validator *v, struct plug *plug);

int plug_validator_inspect(struct plug_validator *v, const acd_inspect *what, acd_cert_fn cert,
                           acd_finding_fn finding, void *ctx, uint64_t deadline_ns,
                           acd_err *err) ACD_MUSTCHECK;
/* ACD_ENOTSUP: the plugin reads no revocation lists. */
int plug_validator_inspect_crl(struct plug_validator *v, const acd_inspect_crl *what, acd_crl_fn crl,
                               acd_finding_fn finding, void *ctx, uint64_t deadline_ns,
                               acd_err *err) ACD_MUSTCHECK;
int plug_bundle_build(struct plug_validator *v, const acd_bundle_spec *spec, uint64_t deadline_ns,
                      struct plug_bundle **ret, acd_err *err) ACD_MUSTCHECK;
void plug_bundle_free(struct plug_bundle *b);
int plug_verify(const struct plug_bundle *b, const acd_verify *what, uint64_t deadline_ns, acd_verdict *ret,
                acd_err *err) ACD_MUSTCHECK;
int plug_describe(struct plug_validator *v, acd_slice leaf, const acd_slice *inter, size_t ninter,
                  acd_field_fn fn, void *ctx, uint64_t deadline_ns, acd_err *err) ACD_MUSTCHECK;

/* The optional part that makes keys and signs: ACD_ENOTSUP, naming the plugin, where it has none. For admin
 * workers; key material lives in the plugin's callback and the caller's memory only. */
bool plug_can_sign(const struct plug_validator *v);
int plug_key_make(struct plug_validator *v, enum acd_key_kind kind, acd_key_fn fn, void *ctx,
                  uint64_t deadline_ns, acd_err *err) ACD_MUSTCHECK;
int plug_ca_make(struct plug_validator *v, const acd_make_ca *what, acd_cert_fn fn, void *ctx,
                 uint64_t deadline_ns, acd_err *err) ACD_MUSTCHECK;
int plug_inspect_csr(struct plug_validator *v, acd_slice csr, acd_csr_fn fn, acd_finding_fn finding,
                     void *ctx, uint64_t deadline_ns, acd_err *err) ACD_MUSTCHECK;
int plug_client_sign(struct plug_validator *v, const acd_sign *what, acd_cert_fn fn, void *ctx,
                     uint64_t deadline_ns, acd_err *err) ACD_MUSTCHECK;

#endif
