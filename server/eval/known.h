/*
 * Chains seen before, so that a question may carry hashes only. Any layer above eval may include it; any
 * thread. Bounded in bytes; the chains least recently asked for are forgotten first, and the caller answers
 * NEED_CERTIFICATE for them.
 *
 * The peer chooses what is put here: put only chains that led to a verified answer, or junk pushes them out.
 */
#ifndef EVAL_KNOWN_H
#define EVAL_KNOWN_H

#include <anchord/types.h>

#include "base/must.h"
#include "eval/lru.h"

struct known {
    struct lru lru;
};

struct known_chain {
    struct lru_entry entry;
    size_t n;          /* certificates, the leaf first */
    acd_slice certs[]; /* DER, behind the array */
};

int known_init(struct known *k, size_t max_bytes) ACD_MUSTCHECK;
void known_done(struct known *k);

/* The key: the leaf's SHA-256, and the digest of the intermediates in the order sent (model/digest.h,
 * digest_chain). The bytes are hashed here, so a chain is never filed under the hashes of another. Chains
 * over LIMIT_CHAIN or LIMIT_CHAIN_BYTES give ACD_ELIMIT. */
int known_put(struct known *k, const acd_slice *ders, size_t n) ACD_MUSTCHECK;
/* NULL: not known. The caller's reference goes with known_unref. */
const struct known_chain *known_find(struct known *k, const uint8_t leaf[32], const uint8_t chain[32]);
void known_unref(const struct known_chain *c);
void known_stats(struct known *k, struct lru_stats *ret);

#endif
