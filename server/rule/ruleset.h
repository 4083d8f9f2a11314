/*
 * Rulesets: ordered rules with actions, checked as a whole and evaluated as a list.
 *
 * A ruleset is built on any thread, read-only afterwards, and borrows the scheme; texts are copied. The
 * answer of an evaluation borrows the ruleset.
 *
 * Fail closed: when a rule's expression cannot be evaluated (a field cannot be read, the budget is
 * exhausted), the evaluation ends there with `error`, and the caller treats that as block. A rule is never
 * passed over for it.
 */
#ifndef RULE_RULESET_H
#define RULE_RULESET_H

#include <stdbool.h>
#include <stdint.h>

#include <anchord/types.h>

#include "rule/rule.h"

enum rule_action {
    RULE_ACTION_NONE, /* of an answer: no terminating rule matched */
    RULE_ACTION_BLOCK,
    RULE_ACTION_MANAGED_CHALLENGE,
    RULE_ACTION_JS_CHALLENGE,
    RULE_ACTION_CHALLENGE,
    RULE_ACTION_SKIP,
    RULE_ACTION_LOG,
    RULE_ACTION_COUNT,
};

const char *rule_action_name(enum rule_action a); /* "block"; "none" */
bool rule_action_terminates(enum rule_action a);

enum { RULE_BLOCK_STATUS = 403 }; /* of a block without a response of its own */

/* Later phases and other products that a skip rule may leave out: bits. */
enum rule_phase { RULE_PHASE_RATELIMIT = 1, RULE_PHASE_SBFM = 2, RULE_PHASE_MANAGED = 4 };
enum rule_product {
    RULE_PRODUCT_ZONE_LOCKDOWN = 1,
    RULE_PRODUCT_UA_BLOCK = 2,
    RULE_PRODUCT_BIC = 4,
    RULE_PRODUCT_HOT = 8,
    RULE_PRODUCT_SECURITY_LEVEL = 16,
    RULE_PRODUCT_RATE_LIMIT = 32,
    RULE_PRODUCT_WAF = 64,
};
/* 0: no such phase or product. Case sensitive. */
unsigned rule_phase_find(acd_slice name);
unsigned rule_product_find(acd_slice name);
const char *rule_phase_name(unsigned bit);
const char *rule_product_name(unsigned bit);

/* What comes in; slices with ptr NULL are absent. */
struct rule_response_in {
    bool present;
    int64_t status_code;
    acd_slice content, content_type;
};

struct rule_skip_ids { /* rules of one ruleset */
    acd_slice ruleset;
    const acd_slice *rules;
    size_t nrules;
};

struct rule_skip_in {
    acd_slice ruleset, phase; /* "current" or absent */
    const acd_slice *phases, *products, *rulesets;
    size_t nphases, nproducts, nrulesets;
    const struct rule_skip_ids *rules;
    size_t nrules;
};

struct rule_in {
    acd_slice id, ref, description, expression, action;
    int64_t version;
    bool disabled;
    enum { RULE_LOG_DEFAULT, RULE_LOG_ON, RULE_LOG_OFF } logging;
    struct rule_response_in response;
    struct rule_skip_in skip;
};

/* One problem; all of them are reported. */
struct ruleset_finding {
    size_t rule;       /* position in the list, from 0 */
    const char *field; /* "expression", "action", "action_parameters.response.status_code", ... */
    bool has_error;    /* of the expression: error is filled */
    bool warning;      /* does not refuse */
    struct rule_error error;
    char message[RULE_MESSAGE_MAX];
};

struct ruleset_findings {
    struct ruleset_finding *items;
    size_t len, errors; /* errors: those that refuse */
};
void ruleset_findings_done(struct ruleset_findings *f);

struct ruleset;

/* ACD_EINVAL: refused, *ret_findings says why, all of it; with 0 it may hold warnings. The caller ends it
 * with ruleset_findings_done in either case. ACD_ENOMEM. */
int ruleset_new(const struct rule_scheme *scheme, acd_slice id, int64_t version, const struct rule_in *rules,
                size_t n, struct ruleset **ret, struct ruleset_findings *ret_findings) ACD_MUSTCHECK;
void ruleset_free(struct ruleset *s);

/* A rule as it was built; strings live as long as the ruleset. */
struct rule_out {
    acd_slice id, ref, description;
    int64_t version;
    bool enabled, logging;
    enum rule_action action;
    uint16_t status;                 /* block */
    acd_slice content, content_type; /* block; ptr NULL: no response of its own */
    bool skip_ruleset, skip_phase;
    unsigned skip_phases, skip_products; /* bits */
    const struct rule_skip_in *skip;     /* rulesets and rules to leave out */
    const struct rule_prog *prog;
};

size_t ruleset_len(const struct ruleset *s);
const struct rule_out *ruleset_at(const struct ruleset *s, size_t i);
/* Fields that occur in any rule: bit per field, (nfields + 63) / 64 words. */
const uint64_t *ruleset_fields(const struct ruleset *s);

enum { RULESET_LOG_MAX = 64 }; /* logged matches kept in an answer */

struct ruleset_answer {
    bool error; /* a rule could not be evaluated: treat as block; rule and reason say which and why */
    const char *reason;
    enum rule_action action;     /* NONE, or that of the terminating rule */
    const struct rule_out *rule; /* the terminating or failing rule, or NULL */
    bool stopped;                /* a skip rule left out the rest of the phase */
    unsigned skip_phases, skip_products;
    const struct rule_out *logged[RULESET_LOG_MAX]; /* matches to be recorded, in order */
    size_t nlogged; /* all of them; only the first RULESET_LOG_MAX are in logged */
    uint64_t steps;
};

/* The context's scheme is that of the ruleset. */
void ruleset_eval(const struct ruleset *s, struct rule_ctx *c, struct ruleset_answer *ret);

#endif
