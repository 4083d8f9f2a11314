/*
 * SHA-256 (FIPS 180-4), the one content hash of the product. Any thread. The implementation is OpenSSL's,
 * fetched once.
 */
#ifndef MODEL_DIGEST_H
#define MODEL_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

enum { DIGEST_LEN = 32 };

/* Where somebody else's contract names a thing by its MD5; it protects nothing. False: this machine has it
 * switched off. */
enum { DIGEST_MD5_LEN = 16 };
bool digest_md5(const void *p, size_t len, uint8_t out[DIGEST_MD5_LEN]);

void digest_sha256(const void *p, size_t len, uint8_t out[DIGEST_LEN]);

/* Over several pieces. */
struct digest {
    void *ctx;
};
void digest_init(struct digest *d);
void digest_update(struct digest *d, const void *p, size_t len);
void digest_final(struct digest *d, uint8_t out[DIGEST_LEN]); /* ends d */

/* The digest of a chain that stands for its bytes in a question: SHA-256 over the SHA-256 of each
 * certificate. Up to LIMIT_CHAIN of them nothing is allocated, but for the first digest of a thread. */
void digest_chain(const acd_slice *ders, size_t n, uint8_t out[DIGEST_LEN]);

#endif
