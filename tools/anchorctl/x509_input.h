/*
 * Inputs of the offline x509 commands: certificates out of PEM or DER, and one question as plain data.
 * Who may include: tools/anchorctl. One thread; everything belongs to the question's region.
 */
#ifndef ANCHORCTL_X509_INPUT_H
#define ANCHORCTL_X509_INPUT_H

#include <anchord/plugin-validator.h>

#include "base/mem.h"

enum {
    X509_INPUT_CERTS = 8192,            /* certificates of one list */
    X509_INPUT_FILE = 64 * 1024 * 1024, /* bytes of one file or one line */
    X509_INPUT_REGION = 256 * 1024 * 1024,
};

struct x509_list {
    acd_slice *items;
    size_t n, cap;
};

struct x509_question {
    struct mem_region region;
    acd_verify verify;
    struct x509_list trust, untrusted, crls;
    uint32_t profile;
};

void x509_question_init(struct x509_question *q);
void x509_question_done(struct x509_question *q);

int x509_list_add(struct mem_region *r, struct x509_list *l, acd_slice item) ACD_MUSTCHECK;
/* All certificates of a text, or the text itself when it is DER. A block whose base64 is broken becomes an
 * empty item, which never verifies. *ret_n: how many were added. */
int x509_list_certs(struct mem_region *r, struct x509_list *l, acd_slice text, size_t *ret_n) ACD_MUSTCHECK;

/* Builds the bundle, asks, frees it. *ret_error: name of the error, "" when verified. Returns 0 with the
 * verdict or a negative status when there is none. */
int x509_ask(const acd_validator_ops *ops, void *inst, struct x509_question *q, acd_verdict *ret,
             acd_err *err) ACD_MUSTCHECK;

#endif
