/* Validation of incoming rules. Only ruleset*.c includes it. */
#ifndef RULE_RULESET_CHECK_H
#define RULE_RULESET_CHECK_H

#include "rule/ruleset.h"

struct ruleset_report {
    struct ruleset_findings *to;
    size_t cap;
    bool no_memory;
};

struct ruleset_finding *ruleset_find_fault(struct ruleset_report *r, size_t rule, const char *field,
                                           const char *fmt, ...) ACD_PRINTF(4, 5);

/* NONE: not an action of this phase. */
enum rule_action ruleset_action(acd_slice name);

/* Everything about rule i but its expression and its uniqueness in the list. */
void ruleset_check_rule(struct ruleset_report *r, size_t i, const struct rule_in *in);

#endif
