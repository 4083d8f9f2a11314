/*
 * Verdicts that were reached before, and those being reached now. Any layer above eval may include it.
 *
 * A verdict is a function of everything in verdict_question and of the time. All of the former is in the key,
 * the trust set by its digest, so a change of a trust set, of revocation or of policy makes old verdicts
 * unreachable at once; the latter is checked against the verdict's own window at every use.
 *
 * Threading: any thread; a shard's lock is held for a few loads. verdict_wait sleeps, and is the only one.
 * Reads no clock: `at` is the question's time, deadlines are points of CLOCK_MONOTONIC that the caller made.
 *
 * Admission: accepts are kept, and only accepts push out accepts. A refusal is kept from the second time it
 * is reached on, in a part of the bound of its own and for a short while, for the peer chooses how many there
 * are.
 */
#ifndef EVAL_VERDICT_H
#define EVAL_VERDICT_H

#include <anchord/types.h>

#include "base/must.h"
#include "eval/lru.h"

/* --- the key ---------------------------------------------------------------------------------------------
 */

enum { VERDICT_UNTRUSTED_MAX = 32 };

struct verdict_question {
    const uint8_t *leaf;            /* SHA-256 of the DER, as all hashes here */
    const uint8_t (*untrusted)[32]; /* in any order; copies count once */
    size_t nuntrusted;              /* at most VERDICT_UNTRUSTED_MAX */
    const uint8_t *trust;           /* digest of the trust set */
    uint32_t purpose;               /* acd_purpose */
    int32_t max_depth;              /* as asked; negative: the default */
    uint32_t policy;                /* version of the code's own rules */
    uint64_t revocation;            /* epoch of the revocation state that counts for the set */
    acd_slice name;                 /* canonical name asked for, {NULL, 0} when none is checked */
};
/* ACD_ELIMIT: too many untrusted certificates. */
int verdict_key(const struct verdict_question *q, uint8_t ret[32]) ACD_MUSTCHECK;

/* --- verdicts --------------------------------------------------------------------------------------------
 */

enum { VERDICT_ERROR_MAX = 56, VERDICT_TEXT_MAX = 184 };

struct verdict_facts {
    uint32_t result; /* 1: verified */
    int32_t depth, anchor;
    uint32_t flags;            /* ACD_VERDICT_* */
    int64_t from_ms, until_ms; /* good for times in [from, until] */
    uint8_t anchor_sha256[32]; /* zero when not verified */
    char error[VERDICT_ERROR_MAX], text[VERDICT_TEXT_MAX];
};

struct verdict {
    struct lru_entry entry;
    struct verdict_facts facts;
    size_t nfields;
    uint8_t fields[]; /* described fields of the leaf, in the caller's encoding */
};
void verdict_unref(const struct verdict *v); /* NULL is fine */

struct verdict_cache;

struct verdict_opts {
    size_t max_bytes;     /* of all verdicts; 0: VERDICT_BYTES */
    int64_t refusal_ms;   /* a refusal is good for at most so long; 0: VERDICT_REFUSAL_MS */
    int64_t limit_ms;     /* and one with ACD_VERDICT_LIMIT for so long; 0: VERDICT_LIMIT_MS */
    unsigned max_flights; /* verifications under way; 0: VERDICT_FLIGHTS */
};
enum {
    VERDICT_BYTES = 64 << 20,
    VERDICT_REFUSAL_MS = 60000,
    VERDICT_LIMIT_MS = 5000,
    VERDICT_FLIGHTS = 4096
};

struct verdict_cache *verdict_cache_new(const struct verdict_opts *opts); /* NULL: out of memory */
void verdict_cache_free(struct verdict_cache *c);                         /* no flight may be open */

/* A kept verdict that holds at that time, with a reference of the caller's; or NULL. */
const struct verdict *verdict_find(struct verdict_cache *c, const uint8_t key[32], int64_t at_ms);

/* --- one verification in flight per key ------------------------------------------------------------------
 */

struct verdict_flight;

enum verdict_ask {
    VERDICT_HIT,  /* *ret_verdict is the answer */
    VERDICT_LEAD, /* the caller computes and must call verdict_land, whatever happens */
    VERDICT_WAIT, /* somebody else computes: verdict_wait */
};
/* An enum verdict_ask, or ACD_EBUSY: too many flights; ACD_ENOMEM. Never waits. Land what you lead before you
 * wait for others, or two callers may wait for each other until their deadlines. */
int verdict_ask(struct verdict_cache *c, const uint8_t key[32], int64_t at_ms,
                const struct verdict **ret_verdict, struct verdict_flight **ret_flight) ACD_MUSTCHECK;

/* Ends the leader's flight: wakes who waits, keeps the verdict if it is to be kept. facts NULL: no verdict
 * was reached, status (negative) says why. *ret: the verdict with a reference of the caller's; NULL without
 * facts or memory. ret may be NULL. */
void verdict_land(struct verdict_cache *c, struct verdict_flight *f, int64_t at_ms,
                  const struct verdict_facts *facts, acd_slice fields, int status,
                  const struct verdict **ret);

/* Sleeps until the flight lands or deadline_ns passes; ends the caller's part in the flight. 0 and a verdict
 * that holds at at_ms; ACD_ETIMEOUT; ACD_ENOENT: landed, but for another time: ask again; or the leader's
 * status. */
int verdict_wait(struct verdict_cache *c, struct verdict_flight *f, int64_t at_ms, uint64_t deadline_ns,
                 const struct verdict **ret) ACD_MUSTCHECK;

struct verdict_stats {
    struct lru_stats cache; /* hits: found and good at the asked time */
    uint64_t leads, waits, timeouts, flights;
};
void verdict_cache_stats(struct verdict_cache *c, struct verdict_stats *ret);

#endif
