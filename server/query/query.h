/*
 * The read side: EdgeService from the published snapshot. It cannot name storage or quota, so it cannot wait
 * for them.
 *
 * Threading: handlers run on any number of threads at once, the bus's own among them: what can be answered
 * without waiting is answered there. A batch is answered from one view of the
 * snapshot. What needs no certificate work is answered inside a read section; a batch that has to verify
 * holds the view by reference and leaves the section first.
 */
#ifndef QUERY_QUERY_H
#define QUERY_QUERY_H

#include "base/clock.h"
#include "plug/validator.h"
#include "snap/view.h"
#include "wire/rpc.h"

struct query_deps {
    const struct snap_pub *pub;
    struct plug_validator *validator;
    const struct clock *clock;
    size_t verdicts;          /* entries of the verdict cache; 0: none are kept */
    size_t bundles;           /* compiled sets of CAs that are kept */
    size_t rules;             /* compiled rulesets that are kept */
    const char *public_roots; /* PEM file, for origins of zones without a store of their own */
};

struct query;

int query_new(const struct query_deps *deps, struct query **ret, acd_err *err) ACD_MUSTCHECK;
void query_free(struct query *q); /* after the bus has stopped; NULL is fine */
int query_bind(struct query *q, struct rpc_table *table, acd_err *err) ACD_MUSTCHECK;

/* Now and then, by one thread: reads the public roots again when their file is another one. */
void query_refresh(struct query *q);

struct query_counters {
    uint64_t trust_questions, verify_questions;
    uint64_t verdict_hits, verdict_misses, verdict_evictions, verdict_entries;
    uint64_t verifications; /* run by the validator */
    uint64_t bundle_builds, bundles;
    uint64_t evaluate_questions, ruleset_builds, rulesets;
    uint64_t origin_questions;
};
void query_counters(struct query *q, struct query_counters *ret);

#endif
