/*
 * Compiled rulesets by the digest of their record. A ruleset is compiled once, by the first question that
 * needs it, while others wait for that one; it is kept until there are more than `max` and it is the one
 * unused for longest. Any thread. Not inside a read section: compiling is slow.
 */
#ifndef QUERY_RULESETS_H
#define QUERY_RULESETS_H

#include "rule/ruleset.h"

struct rulesets;
struct ruleset_ref; /* one of them, held */

/* The scheme outlives the cache. */
int rulesets_new(const struct rule_scheme *scheme, size_t max, struct rulesets **ret,
                 acd_err *err) ACD_MUSTCHECK;
void rulesets_free(struct rulesets *c); /* nothing is held any more; NULL is fine */

/* The compiled form of a record (rule/record.h). Held until ruleset_put. ACD_ECORRUPT, ACD_EINVAL: it cannot
 * be compiled, and nothing may be concluded. */
int ruleset_get(struct rulesets *c, acd_slice record, struct ruleset_ref **ret, acd_err *err) ACD_MUSTCHECK;
/* The same if it is compiled already; NULL: it is not. */
struct ruleset_ref *ruleset_peek(struct rulesets *c, acd_slice record);
void ruleset_put(struct rulesets *c, struct ruleset_ref *ref); /* NULL is fine */
const struct ruleset *ruleset_of(const struct ruleset_ref *ref);
const char *ruleset_id(const struct ruleset_ref *ref);
uint64_t ruleset_version(const struct ruleset_ref *ref);

void rulesets_count(struct rulesets *c, uint64_t *ret_builds, uint64_t *ret_kept);

#endif
