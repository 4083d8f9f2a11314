/*
 * What the instructions do: the tests of one step, inline, because they are most of what rules consist of;
 * everything else behind two calls. Inside rule/ only.
 */
#ifndef RULE_RUN_H
#define RULE_RUN_H

#include <string.h>

#include "rule/bytes.h"
#include "rule/code.h"
#include "rule/vm.h"

extern const char run_no_field[], run_no_steps[];

static inline bool
run_fail(struct rule_ctx *c, int code, const char *reason)
{
    c->code = code;
    c->reason = reason;
    return false;
}

static inline bool
run_over_budget(struct rule_ctx *c)
{
    if (__builtin_expect(c->steps > c->steps_max, 0))
        return !run_fail(c, ACD_ELIMIT, run_no_steps);
    return false;
}

static inline bool
run_by_order(int c, uint8_t sel)
{
    return sel >> (1 + (c > 0) - (c < 0)) & 1;
}

static inline bool
run_cmp_bytes(const struct rule_insn *in, acd_slice v)
{
    size_t n = v.len < in->bytes.len ? v.len : in->bytes.len;
    int c = n ? memcmp(v.ptr, in->bytes.p, n) : 0;
    return run_by_order(c ? c : (v.len > in->bytes.len) - (v.len < in->bytes.len), in->sel);
}

static inline bool
run_cmp_ip(const struct rule_insn *in, const struct rule_value *v)
{
    if (v->family != in->aux) /* never equal, never ordered */
        return in->sel == SEL_NE;
    return run_by_order(rule_ip_cmp(v->ip, in->ip), in->sel);
}

/* The tests that cost one step: operation, tag of the value, whether it holds for the value v. */
#define RUN_SIMPLE_TESTS(X)                                                                  \
    X(OP_BOOL, RULE_V_BOOL, v->b)                                                            \
    X(OP_EQ_BYTES, RULE_V_BYTES,                                                             \
      v->bytes.len == in->bytes.len && bytes_same(v->bytes.ptr, in->bytes.p, in->bytes.len)) \
    X(OP_CMP_BYTES, RULE_V_BYTES, run_cmp_bytes(in, v->bytes))                               \
    X(OP_CMP_INT, RULE_V_INT, run_by_order((v->i > in->i) - (v->i < in->i), in->sel))        \
    X(OP_CMP_IP, RULE_V_IP, run_cmp_ip(in, v))                                               \
    X(OP_BITAND, RULE_V_INT, (v->i & in->i) != 0)                                            \
    X(OP_IN_BYTES, RULE_V_BYTES, rule_set_has_bytes(in->set, v->bytes.ptr, v->bytes.len))    \
    X(OP_IN_INT, RULE_V_INT, rule_set_has_int(in->set, v->i))                                \
    X(OP_IN_IP, RULE_V_IP, rule_set_has_ip(in->set, v))

/* Any test, of a value that may be missing; and any instruction that is no test. Budget and steps beyond the
 * first are their business. Negative or false: the evaluation fails, the context says why. */
int run_test(struct rule_ctx *c, const struct rule_insn *in, const struct rule_value *v) ACD_MUSTCHECK;
bool run_step(struct rule_ctx *c, const struct rule_insn *in) ACD_MUSTCHECK;

#endif
