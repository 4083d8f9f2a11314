/*
 * validator-openssl, inside: the upload check (strict, slow is fine, every finding at once) and the facts of
 * a presented chain. Any thread; nothing is kept.
 */
#ifndef VO_INSPECT_H
#define VO_INSPECT_H

#include "vo.h"

/* One upload being looked at. */
struct vo_look {
    const acd_inspect *req; /* NULL: a CRL or a request is looked at */
    acd_cert_fn cert;
    acd_finding_fn finding;
    void *ctx;
    int rc; /* negative once a callback asked to stop */
};

void vo_find(struct vo_look *l, uint32_t severity, int32_t index, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* inspect.c */
int vo_inspect(void *inst, const acd_inspect *req, acd_cert_fn cert, acd_finding_fn finding, void *ctx,
               acd_err *err);
/* Facts of one certificate to the caller. */
void vo_report(struct vo_look *l, uint32_t index, const struct vo_cert *c, acd_slice der, bool self_signed);
/* look_crl.c */
int vo_inspect_crl(void *inst, const acd_inspect_crl *req, acd_crl_fn crl, acd_finding_fn finding, void *ctx,
                   acd_err *err);
/* judge.c: one certificate of an upload. self_signed: names equal and the signature verified. */
void vo_judge(struct vo_look *l, int32_t index, struct vo_cert *c, bool must_be_ca, bool self_signed);
/* privkey.c: does the key belong to the certificate? */
void vo_judge_key(struct vo_look *l, const struct vo_cert *c);
/* fields.c */
int vo_describe(void *inst, acd_slice leaf, const acd_slice *inter, size_t ninter, acd_field_fn field,
                void *ctx, acd_err *err);
/* RFC 2253 text; the caller frees it with OPENSSL_free. NULL: out of memory. */
char *vo_name_text(const X509_NAME *name);
/* Upper-case hex, even number of digits, '-' before negative ones; freed with OPENSSL_free. */
char *vo_serial_hex(const X509 *x);

#endif
