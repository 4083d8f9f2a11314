/*
 * Splits text into its PEM blocks (RFC 7468), without looking into what they hold. Text around the blocks is
 * skipped; CRLF and LF end a line; a byte order mark in front is skipped.
 *
 * Included by anchorctl and its tests. Pure, any thread. Ownership: slices point into the text.
 * Errors: ACD_EINVAL, the sentence names the line.
 */
#ifndef ANCHORCTL_PEM_H
#define ANCHORCTL_PEM_H

#include <stdbool.h>

#include "base/err.h"

struct pem_reader {
    acd_slice rest;
    size_t line; /* number of the first line of rest, from 1 */
};

struct pem_block {
    acd_slice label; /* "CERTIFICATE" */
    acd_slice text;  /* from "-----BEGIN" to the end of the last line, line end included */
    acd_slice body;  /* the lines between */
    size_t line;     /* of "-----BEGIN" */
};

void pem_init(struct pem_reader *r, acd_slice text);
/* 1: *ret is the next block; 0: no more; negative: a block without end, or with the wrong one. */
int pem_next(struct pem_reader *r, struct pem_block *ret, acd_err *err) ACD_MUSTCHECK;
bool pem_is_cert(const struct pem_block *b);
/* The bytes that the body stands for: strict base64, white space ignored. out holds PEM_DECODED(body.len),
 * and may not overlap with the text. ACD_EINVAL: not base64, or empty. */
#define PEM_DECODED(len) ((len) / 4 * 3 + 3)
int pem_decode(const struct pem_block *b, uint8_t *out, size_t *ret_len, acd_err *err) ACD_MUSTCHECK;

#endif
