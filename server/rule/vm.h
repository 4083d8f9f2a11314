/*
 * Evaluation context and evaluator.
 *
 * A context belongs to one thread. Its field slots are filled by rule_ctx_set or, when a program first reads
 * them, by the fill callback; values borrow their bytes from whoever filled them until rule_ctx_reset.
 * Nothing is allocated once the context exists: what functions produce lies in its scratch memory, which each
 * evaluation uses from the start.
 *
 * Steps: one per instruction, one per element looked at, and one per 16 bytes searched or produced (patterns
 * cost more with more states). Beyond the
 * budget, or out of scratch memory, an evaluation ends with RULE_FAILED and a reason: never with a match.
 */
#ifndef RULE_VM_H
#define RULE_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#include "rule/scheme.h"
#include "rule/value.h"

struct rule_prog;

/* Gives the value of a field; RULE_NIL_VALUE (what *ret holds before the call): missing. Negative: cannot be
 * told, the evaluation fails. The callback may not evaluate with the same context. */
typedef int rule_fill_fn(void *arg, unsigned field, struct rule_value *ret);

struct rule_ctx {
    const struct rule_scheme *scheme;
    struct rule_value *slots; /* fields, then registers */
    uint16_t *touched;        /* fields that are not unset */
    unsigned ntouched;
    rule_fill_fn *fill; /* NULL: what is not set is missing */
    void *arg;
    uint8_t *scratch;
    size_t scratch_len, scratch_at;
    uint64_t steps_max;
    /* Of the evaluation that goes on, or of the last one. */
    uint64_t steps;
    int code; /* with the reason: why it failed */
    const char *reason;
};

enum rule_outcome { RULE_FALSE = 0, RULE_TRUE = 1, RULE_FAILED = 2 };

struct rule_result {
    enum rule_outcome outcome;
    uint64_t steps;
    int code;           /* RULE_FAILED: ACD_ELIMIT, or what fill returned */
    const char *reason; /* RULE_FAILED: a constant text; else NULL */
};

/* scratch: bytes for function results, 0 for RULE_SCRATCH_DEFAULT. The scheme is complete by then. */
int rule_ctx_new(const struct rule_scheme *scheme, size_t scratch, struct rule_ctx **ret) ACD_MUSTCHECK;
void rule_ctx_free(struct rule_ctx *c);
/* Forgets all values (true and false excepted); the callback stays. */
void rule_ctx_reset(struct rule_ctx *c);
/* The caller vouches for the type; rule_value_fits checks it where the value came from outside. */
void rule_ctx_set(struct rule_ctx *c, unsigned field, struct rule_value v);
/* The value as an evaluation sees it, filled if need be; NULL: fill failed. */
const struct rule_value *rule_ctx_get(struct rule_ctx *c, unsigned field);

enum rule_outcome rule_eval(const struct rule_prog *p, struct rule_ctx *c, struct rule_result *ret);

/* What an evaluation did, for explain.c: one entry per node of the tree. Values of registers lie in the
 * context's scratch memory until the next evaluation. */
struct rule_mark {
    uint8_t seen;    /* evaluated */
    uint8_t outcome; /* of a test */
    bool has_bits;
    struct rule_value value, bits;
};
enum rule_outcome rule_eval_traced(const struct rule_prog *p, struct rule_ctx *c, struct rule_mark *marks,
                                   struct rule_result *ret);

#endif
