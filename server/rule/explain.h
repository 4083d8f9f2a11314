/*
 * Why: the same program with tracing on, as a tree of terms with their values. rule_eval knows nothing of it
 * and pays nothing for it. One thread, that of the context; the tree borrows the program, and its values the
 * context: both must stay as they are until it is printed and freed.
 */
#ifndef RULE_EXPLAIN_H
#define RULE_EXPLAIN_H

#include "base/buf.h"
#include "base/must.h"
#include "rule/vm.h"

enum rule_term_state { RULE_TERM_SKIPPED, RULE_TERM_FALSE, RULE_TERM_TRUE, RULE_TERM_ARRAY };

struct rule_term {
    const char *op; /* "or", "xor", "and", "not", "any", "all", or "term" */
    acd_slice text; /* of the expression */
    size_t at;      /* where it stands */
    enum rule_term_state state;
    bool decided; /* this term made the result what it is */
    bool has_value;
    struct rule_value value; /* what was compared; an array for `[*]` */
    bool has_bits;
    struct rule_value bits; /* result per element */
    struct rule_term *kids, *next;
};

struct rule_explain;

/* Evaluates and explains; *ret_result as from rule_eval. */
int rule_explain(const struct rule_prog *p, struct rule_ctx *c, struct rule_result *ret_result,
                 struct rule_explain **ret) ACD_MUSTCHECK;
void rule_explain_free(struct rule_explain *e);
const struct rule_term *rule_explain_root(const struct rule_explain *e);
/* For people: one line per term, indented, the deciding ones marked with *. */
void rule_explain_text(struct buf *out, const struct rule_explain *e);
/* {"result":..., "steps":..., "term":{...}} */
void rule_explain_json(struct buf *out, const struct rule_explain *e);

#endif
