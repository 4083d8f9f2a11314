/* Rules as messages and as the Rules language has them, and what other operations need of them. Inside a
 * unit, or before it with the call's region. */
#ifndef CORE_RULE_TEXT_H
#define CORE_RULE_TEXT_H

#include "core/unit.h"
#include "rule/record.h"

/* The message's texts are borrowed; lists are in the region. ret has room for n. */
int rules_from_msgs(struct mem_region *r, Anchord__V1__Rule *const *msgs, size_t n,
                    struct rule_in *ret) ACD_MUSTCHECK;

/* Texts are copied: a record borrows bytes that end without a NUL. */
int rules_to_msgs(struct mem_region *r, const struct rule_record *rec, size_t *ret_n,
                  Anchord__V1__Rule ***ret) ACD_MUSTCHECK;

/* One finding as a message; NULL: the region is full. */
Anchord__V1__RuleFinding *rule_finding_msg(struct mem_region *r,
                                           const struct ruleset_finding *f) ACD_MUSTCHECK;

/* The rules of a zone that is being deleted go with all their versions. */
int rules_drop(struct unit *u, const acd_value *zone, acd_err *err) ACD_MUSTCHECK;

#endif
