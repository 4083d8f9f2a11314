/*
 * Functions of the language at run time. They are pure, allocate only from the scratch memory of the call,
 * and charge what they read and produce. Inside rule/ only.
 */
#ifndef RULE_FUNC_H
#define RULE_FUNC_H

#include <stdbool.h>

#include "base/must.h"
#include "rule/value.h"
#include "rule/vm.h"

struct rule_call {
    struct rule_ctx *ctx;
    const struct rule_value *args;
    unsigned nargs;
    uint64_t *steps; /* so far */
};

enum {
    RULE_STEP_BYTES = 16,  /* bytes that cost one step */
    RULE_STEP_STATES = 64, /* states of a pattern that double the cost of a byte */
};

static inline uint64_t
rule_cost(size_t bytes)
{
    return 1 + bytes / RULE_STEP_BYTES;
}

/* NULL: the scratch memory is used up. 8-byte aligned. */
void *rule_scratch(struct rule_ctx *c, size_t size) ACD_MUSTCHECK;

/* *ret is nil when the function has no value. False: out of scratch memory. func: enum rule_func_id. */
bool rule_func_call(unsigned func, struct rule_call *call, struct rule_value *ret) ACD_MUSTCHECK;

/* The ones with files of their own. */
bool func_url_decode(struct rule_call *c, struct rule_value *ret);
bool func_json(struct rule_call *c, enum rule_base want, struct rule_value *ret);
bool func_timed_hmac(struct rule_call *c, struct rule_value *ret);

#endif
