/*
 * Chains that were seen before, by their digest, so that a question may carry 32 bytes in place of
 * certificates. Bounded in bytes; what was not asked for lately goes first. Only chains that were verified
 * are kept, so that nobody fills the store with junk. Any thread; a short lock per shard.
 */
#ifndef QUERY_KNOWN_H
#define QUERY_KNOWN_H

#include "base/mem.h"

struct known_store;

int known_store_new(size_t max_bytes, struct known_store **ret, acd_err *err) ACD_MUSTCHECK;
void known_store_free(struct known_store *k); /* NULL is fine */

void known_put(struct known_store *k, const uint8_t digest[32], const acd_slice *certs, size_t n);
/* The chain, copied into the region. ACD_ENOENT: not known. */
int known_get(struct known_store *k, const uint8_t digest[32], struct mem_region *r, acd_slice **ret_certs,
              size_t *ret_n) ACD_MUSTCHECK;

#endif
