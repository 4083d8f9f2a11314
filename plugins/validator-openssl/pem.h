/*
 * validator-openssl, inside: the textual envelope (RFC 7468), read strictly and block by block. A block is
 * owned by the reader's state and lives until the next call.
 */
#ifndef VO_PEM_H
#define VO_PEM_H

#include "vo.h"

struct vo_pem {
    const char *at, *end;
};

struct vo_block {
    acd_slice label; /* "CERTIFICATE", in the text */
    uint8_t *der;    /* owned, NULL when the block is damaged; vo_block_done frees it */
    size_t len;
    const char *code, *text; /* what is wrong with the block, or NULL */
};

/* What is wrong with the text as a whole: a private key, NULs, UTF-16, indented or escaped blocks, size. The
 * code is a finding's, NULL when there is nothing. */
const char *vo_pem_check(acd_slice text, size_t max, const char **ret_text);
bool vo_pem_has_key(acd_slice text);
/* True for text, false for what must be DER. */
bool vo_pem_is_text(acd_slice text);

void vo_pem_init(struct vo_pem *p, acd_slice text);
/* False at the end. A damaged block is reported once and skipped. */
bool vo_pem_next(struct vo_pem *p, struct vo_block *ret);
void vo_block_done(struct vo_block *b);

#endif
