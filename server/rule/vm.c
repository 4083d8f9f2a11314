/*
 * The evaluator: one walk over the program. Each instruction ends with its own jump to the next one's code,
 * so that the processor predicts each by itself. Tracing is another, plain walk: what is not traced does not
 * pay for it.
 */
#include "rule/vm.h"

#include <stdlib.h>
#include <string.h>

#include "rule/func.h"
#include "rule/run.h"

int
rule_ctx_new(const struct rule_scheme *scheme, size_t scratch, struct rule_ctx **ret)
{
    struct rule_ctx *c = calloc(1, sizeof(*c));
    if (!c)
        return ACD_ENOMEM;
    c->scheme = scheme;
    c->scratch_len = scratch ? scratch : RULE_SCRATCH_DEFAULT;
    c->steps_max = RULE_STEPS_MAX;
    c->slots = calloc(scheme->nfields + RULE_REGS_MAX, sizeof(*c->slots));
    c->touched = calloc(scheme->nfields, sizeof(*c->touched));
    c->scratch = malloc(c->scratch_len);
    if (!c->slots || !c->touched || !c->scratch) {
        rule_ctx_free(c);
        return ACD_ENOMEM;
    }
    for (unsigned i = 0; i < scheme->nfields; i++)
        c->slots[i].tag = RULE_V_UNSET;
    c->slots[RULE_F_TRUE] = RULE_BOOL_VALUE(true);
    c->slots[RULE_F_FALSE] = RULE_BOOL_VALUE(false);
    *ret = c;
    return 0;
}

void
rule_ctx_free(struct rule_ctx *c)
{
    if (!c)
        return;
    free(c->slots);
    free(c->touched);
    free(c->scratch);
    free(c);
}

void
rule_ctx_reset(struct rule_ctx *c)
{
    for (unsigned i = 0; i < c->ntouched; i++)
        c->slots[c->touched[i]].tag = RULE_V_UNSET;
    c->ntouched = 0;
}

void
rule_ctx_set(struct rule_ctx *c, unsigned field, struct rule_value v)
{
    must(field < c->scheme->nfields && v.tag <= RULE_V_MAP);
    if (field == RULE_F_TRUE || field == RULE_F_FALSE)
        return;
    if (c->slots[field].tag == RULE_V_UNSET)
        c->touched[c->ntouched++] = (uint16_t)field;
    c->slots[field] = v;
}

const struct rule_value *
rule_ctx_get(struct rule_ctx *c, unsigned field)
{
    struct rule_value v = RULE_NIL_VALUE;
    if (c->slots[field].tag != RULE_V_UNSET)
        return &c->slots[field];
    if (c->fill && c->fill(c->arg, field, &v) < 0)
        return NULL;
    rule_ctx_set(c, field, v);
    return &c->slots[field];
}

void *
rule_scratch(struct rule_ctx *c, size_t size)
{
    if (size > c->scratch_len - c->scratch_at)
        return NULL;
    void *p = c->scratch + c->scratch_at;
    size_t rounded = (size + 7) & ~(size_t)7;
    c->scratch_at = rounded > c->scratch_len - c->scratch_at ? c->scratch_len : c->scratch_at + rounded;
    return p;
}

static void
mark_test(struct rule_mark *marks, const struct rule_insn *in, const struct rule_value *v, bool hit)
{
    if (in->node == RULE_NO_NODE)
        return;
    marks[in->node] = (struct rule_mark){.seen = 1, .outcome = hit, .value = *v};
    if (v->tag == RULE_V_BITS) {
        marks[in->node].has_bits = true;
        marks[in->node].bits = *v;
    }
}

static void
mark_step(struct rule_mark *marks, const struct rule_insn *in, const struct rule_value *slots)
{
    if (in->node != RULE_NO_NODE)
        marks[in->node] =
            (struct rule_mark){.seen = 1, .has_bits = true, .value = slots[in->src], .bits = slots[in->dst]};
}

static const struct rule_insn *
start(const struct rule_prog *p, struct rule_ctx *c)
{
    must(p->magic == RULE_PROG_MAGIC && p->scheme == c->scheme);
    c->scratch_at = 0;
    return p->code + p->entry;
}

static enum rule_outcome
failed(struct rule_ctx *c, struct rule_result *ret)
{
    *ret = (struct rule_result){RULE_FAILED, c->steps, c->code, c->reason};
    return RULE_FAILED;
}

static enum rule_outcome
failed_without_field(struct rule_ctx *c, struct rule_result *ret)
{
    (void)run_fail(c, ACD_EUNAVAIL, run_no_field);
    return failed(c, ret);
}

static inline enum rule_outcome
ended(struct rule_ctx *c, const struct rule_insn *in, struct rule_result *ret)
{
    if (run_over_budget(c))
        return failed(c, ret);
    *ret = (struct rule_result){in->op == OP_TRUE ? RULE_TRUE : RULE_FALSE, c->steps, 0, NULL};
    return ret->outcome;
}

/* Steps are counted in a register and shown to others where they look at them. A simple test costs one and
 * needs no look at the budget before the end: a program is short. The end and bare booleans, which follow
 * most tests, are told by a branch, which is predicted better than a jump through the table. */
enum rule_outcome
rule_eval(const struct rule_prog *p, struct rule_ctx *c, struct rule_result *ret)
{
#define LABEL(name, tag, holds) [name] = &&do_##name,
    static const void *const labels[OP_COUNT] = {
        RUN_SIMPLE_TESTS(LABEL)[OP_FALSE] = &&end,
        [OP_TRUE] = &&end,
        [OP_CONTAINS... OP_ALL] = &&costly_test,
        [OP_EACH... OP_CALL] = &&no_test,
        [OP_JUMP] = &&jump,
    };
#undef LABEL
#define GO                 \
    if (in->op <= OP_TRUE) \
        goto end;          \
    if (in->op == OP_BOOL) \
        goto do_OP_BOOL;   \
    goto *labels[in->op]
#define NEXT                                        \
    in = hit == in->leave ? code + in->to : in + 1; \
    steps++;                                        \
    GO
#define SIMPLE(name, wanted, holds)            \
    do_##name : v = &slots[in->src];           \
    if (__builtin_expect(v->tag != wanted, 0)) \
        goto not_there;                        \
    hit = holds;                               \
    NEXT;

    const struct rule_insn *in = start(p, c), *code = p->code;
    const struct rule_value *v, *slots = c->slots;
    uint64_t steps = 1;
    int hit;
    goto *labels[in->op];

    RUN_SIMPLE_TESTS(SIMPLE)

not_there: /* missing, or nobody has asked for it yet */
    if (v->tag == RULE_V_UNSET) {
        if (!(v = rule_ctx_get(c, in->src)))
            return c->steps = steps, failed_without_field(c, ret);
        if (v->tag == in->want)
            goto *labels[in->op];
    }
    hit = false;
    NEXT;

costly_test:
    c->steps = steps;
    v = &slots[in->src];
    if (v->tag == RULE_V_UNSET && !(v = rule_ctx_get(c, in->src)))
        return failed_without_field(c, ret);
    if ((hit = run_test(c, in, v)) < 0)
        return failed(c, ret);
    steps = c->steps;
    NEXT;

no_test:
    c->steps = steps;
    if (!run_step(c, in))
        return failed(c, ret);
    steps = c->steps + 1;
jump:
    in = code + in->to;
    goto *labels[in->op];

end:
    c->steps = steps;
    return ended(c, in, ret);
#undef SIMPLE
#undef NEXT
#undef GO
}

/* The same, slowly: every instruction by the general way, and what it did is marked. */
enum rule_outcome
rule_eval_traced(const struct rule_prog *p, struct rule_ctx *c, struct rule_mark *marks,
                 struct rule_result *ret)
{
    const struct rule_insn *in = start(p, c), *code = p->code;
    int hit;
    for (c->steps = 1; in->op > OP_TRUE; c->steps += in->op != OP_JUMP) {
        if (in->op <= OP_ALL) {
            const struct rule_value *v = rule_ctx_get(c, in->src);
            if (!v)
                return failed_without_field(c, ret);
            if ((hit = run_test(c, in, v)) < 0)
                return failed(c, ret);
            mark_test(marks, in, v, hit);
            in = hit == in->leave ? code + in->to : in + 1;
            continue;
        }
        if (in->op != OP_JUMP && !run_step(c, in))
            return failed(c, ret);
        mark_step(marks, in, c->slots);
        in = code + in->to;
    }
    return ended(c, in, ret);
}
