/*
 * The one cipher of what is kept secret at rest: AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits
 * for every sealing; and memory for secrets that is never swapped out or dumped and is wiped when it is
 * freed.
 *
 * Any thread. A sealed record is: version (1 octet), nonce (12), ciphertext, tag (16). The additional data
 * are not stored: they say what the record is for, and whoever opens it must say the same.
 */
#ifndef CORE_SEAL_H
#define CORE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#include "base/must.h"

enum { SEAL_KEY_LEN = 32, SEAL_NONCE_LEN = 12, SEAL_TAG_LEN = 16 };
enum { SEAL_EXTRA = 1 + SEAL_NONCE_LEN + SEAL_TAG_LEN }; /* a sealed record is so much longer */

/* Before the first secret, once per process; later calls do nothing. False: the system does not lock this
 * memory (RLIMIT_MEMLOCK), so it might be swapped out; it is wiped all the same. */
bool seal_start(void);

/* Room for a secret; NULL: there is none. */
void *seal_alloc(size_t len) ACD_MUSTCHECK;
void seal_free(void *p, size_t len); /* wipes; NULL is fine */

/* out holds plain.len + SEAL_EXTRA. */
int seal_wrap(const uint8_t key[SEAL_KEY_LEN], acd_slice aad, acd_slice plain, uint8_t *out,
              acd_err *err) ACD_MUSTCHECK;
/* out holds sealed.len - SEAL_EXTRA and is wiped on failure. ACD_ECORRUPT: another key, other additional
 * data, or a record that was changed. */
int seal_open(const uint8_t key[SEAL_KEY_LEN], acd_slice aad, acd_slice sealed, uint8_t *out,
              acd_err *err) ACD_MUSTCHECK;

#endif
