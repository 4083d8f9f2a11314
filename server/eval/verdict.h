/*
 * The verdict cache: what verification said about a chain and a trust set.
 *
 * The key holds everything a verdict depends on but time, and time is checked against the verdict's own
 * bounds at each look-up: a changed trust set has another digest, so an old verdict cannot be found for it,
 * and nothing is kept past its dates. Verdicts that stopped at a work limit are not kept. Accepts and
 * refusals live apart, so that a flood of bad certificates cannot push out good ones.
 *
 * Threading: any thread, at any time, inside read sections too: no locks. Reads are optimistic (a sequence
 * number per slot tells when one was torn and counts as a miss); a write that meets another write gives up,
 * because a cache may forget. Memory is bounded at creation and touched as it fills.
 */
#ifndef EVAL_VERDICT_H
#define EVAL_VERDICT_H

#include <stdbool.h>

#include <anchord/plugin-validator.h>

#include "base/must.h"

/* Everything is 8-byte words: no padding, compared and copied as such. */
struct verdict_key {
    uint8_t chain[32]; /* model/digest.h: digest_chain */
    uint8_t trust[32]; /* digest of the trust set: certificates, order, profiles */
    uint32_t purpose;  /* enum acd_purpose */
    uint32_t observed; /* 1: of the CAs that are only observed */
    uint64_t epoch;    /* of the trust set's revocation data (struct snap_trust); 0: there is none */
};

struct verdict_cache;

/* max: verdicts kept, rounded up to what the table needs; 0: none are kept. */
int verdict_cache_new(size_t max, struct verdict_cache **ret, acd_err *err) ACD_MUSTCHECK;
void verdict_cache_free(struct verdict_cache *c); /* NULL is fine */

/* A verdict that holds at that time. */
bool verdict_find(struct verdict_cache *c, const struct verdict_key *key, int64_t at_ms, acd_verdict *ret);
void verdict_put(struct verdict_cache *c, const struct verdict_key *key, const acd_verdict *v);

struct verdict_counters {
    uint64_t evictions, entries;
};
void verdict_cache_counters(struct verdict_cache *c, struct verdict_counters *ret);

#endif
