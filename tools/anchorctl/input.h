/* Files that a command reads. Each returns 0, or the exit code after it has said what is wrong. */
#ifndef ANCHORCTL_INPUT_H
#define ANCHORCTL_INPUT_H

#include "ctl.h"

enum {
    INPUT_PEM_MAX = 1048576,      /* bytes of a file with one upload or chain; the server refuses far less */
    INPUT_BUNDLE_MAX = 134217728, /* bytes of a bundle to import */
    INPUT_CRL_MAX = 67108864,     /* bytes of a revocation list: LIMIT_CRL */
};

/* PEM text as it stands in the file ("-": standard input): UTF-8 without NUL, and not DER. b is to be done by
 * input_wipe: a file given by mistake may hold a key. */
int input_text(struct ctl *c, const char *path, struct buf *b);
/* A file of any bytes, as it is. */
int input_bytes(struct ctl *c, const char *path, struct buf *b);
/* A private key into out, of LIMIT_KEY_PEM + 1 bytes; the caller wipes it. No other copy is made. */
int input_secret(struct ctl *c, const char *path, char *out, size_t *ret_len);
/* The certificates of a PEM file as DER in the region, at most `max`. Other blocks are refused. */
int input_chain(struct ctl *c, const char *path, size_t max, acd_slice *ret, size_t *ret_n);
void input_wipe(struct buf *b);

#endif
