/*
 * The evaluator: one loop over the program. rule_eval and rule_eval_traced are the same code, once compiled
 * with tracing and once without, so that explaining costs nothing when it is off.
 */
#include "rule/vm.h"

#include <stdlib.h>
#include <string.h>

#include "rule/bytes.h"
#include "rule/code.h"
#include "rule/find.h"
#include "rule/func.h"

#define ALWAYS_INLINE __attribute__((always_inline)) static inline
#define unlikely(x)   __builtin_expect(!!(x), 0)

static const char out_of_scratch[] = "the evaluation needs more memory than it may have";
static const char out_of_steps[] = "the evaluation takes more steps than it may";
static const char no_field[] = "a field could not be read";

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

/* State of a run. */
struct run {
    const struct rule_prog *prog;
    struct rule_ctx *ctx;
    uint64_t steps;
    int code;
    const char *reason;
};

static bool
run_fail(struct run *r, int code, const char *reason)
{
    r->code = code;
    r->reason = reason;
    return false;
}

ALWAYS_INLINE bool
over_budget(struct run *r)
{
    if (unlikely(r->steps > r->ctx->steps_max)) {
        (void)run_fail(r, ACD_ELIMIT, out_of_steps);
        return true;
    }
    return false;
}

ALWAYS_INLINE bool
by_order(int c, uint8_t sel)
{
    return sel >> (1 + (c > 0) - (c < 0)) & 1;
}

ALWAYS_INLINE bool
cmp_ip(const struct rule_insn *in, const struct rule_value *v)
{
    if (v->family != in->aux) /* never equal, never ordered */
        return in->sel == SEL_NE;
    return by_order(rule_ip_cmp(v->ip, in->ip), in->sel);
}

static bool
test_wild(struct run *r, const struct rule_insn *in, const struct rule_value *v, bool *ret)
{
    uint8_t *room = NULL;
    size_t keep = r->ctx->scratch_at;
    r->steps += rule_cost(v->bytes.len);
    if (in->wild->copies && !(room = rule_scratch(r->ctx, v->bytes.len)))
        return run_fail(r, ACD_ELIMIT, out_of_scratch);
    *ret = rule_wild_match(in->wild, v->bytes.ptr, v->bytes.len, room);
    r->ctx->scratch_at = keep;
    return true;
}

/* A test of one value that has the wanted type. False: the evaluation fails. */
ALWAYS_INLINE bool
test(struct run *r, uint8_t op, const struct rule_insn *in, const struct rule_value *v, bool *ret)
{
    switch (op) {
    case OP_BOOL:
        *ret = v->b;
        return true;
    case OP_EQ_BYTES:
        *ret = v->bytes.len == in->bytes.len && bytes_same(v->bytes.ptr, in->bytes.p, in->bytes.len);
        return true;
    case OP_CMP_BYTES: {
        size_t n = v->bytes.len < in->bytes.len ? v->bytes.len : in->bytes.len;
        int c = n ? memcmp(v->bytes.ptr, in->bytes.p, n) : 0;
        *ret = by_order(c ? c : (v->bytes.len > in->bytes.len) - (v->bytes.len < in->bytes.len), in->sel);
        return true;
    }
    case OP_CMP_INT:
        *ret = by_order((v->i > in->i) - (v->i < in->i), in->sel);
        return true;
    case OP_CMP_IP:
        *ret = cmp_ip(in, v);
        return true;
    case OP_BITAND:
        *ret = (v->i & in->i) != 0;
        return true;
    case OP_IN_BYTES:
        *ret = rule_set_has_bytes(in->set, v->bytes.ptr, v->bytes.len);
        return true;
    case OP_IN_INT:
        *ret = rule_set_has_int(in->set, v->i);
        return true;
    case OP_IN_IP:
        *ret = rule_set_has_ip(in->set, v);
        return true;
    case OP_CONTAINS:
        r->steps += rule_cost(v->bytes.len);
        *ret = rule_find(v->bytes.ptr, v->bytes.len, in->bytes.p, in->bytes.len);
        return true;
    case OP_MATCH:
        r->steps += rule_cost(v->bytes.len) * (1 + rule_regex_states(in->regex) / RULE_STEP_STATES);
        if (over_budget(r)) /* before the search, which cannot be interrupted */
            return false;
        *ret = rule_regex_match(in->regex, v->bytes.ptr, v->bytes.len);
        return true;
    case OP_WILD:
        return test_wild(r, in, v, ret);
    default:
        must_not_reach();
    }
}

static bool
quantify(const struct rule_insn *in, const struct rule_value *v, uint64_t *steps)
{
    bool any = in->op == OP_ANY;
    if (v->tag == RULE_V_BITS) {
        *steps += rule_cost(v->bits.len);
        return v->bits.len ? (memchr(v->bits.items, any, v->bits.len) != NULL) == any : !any;
    }
    if (v->tag != RULE_V_ARRAY)
        return false;
    for (size_t i = 0; i < v->array.len; i++) {
        (*steps)++;
        if (v->array.items[i].b == any)
            return any;
    }
    return !any;
}

/* dst becomes n bits; NULL: out of memory. */
static uint8_t *
new_bits(struct run *r, struct rule_value *dst, size_t n)
{
    uint8_t *bits = rule_scratch(r->ctx, n);
    r->steps += n;
    if (!bits) {
        (void)run_fail(r, ACD_ELIMIT, out_of_scratch);
        return NULL;
    }
    *dst = (struct rule_value){.tag = RULE_V_BITS, .bits = {bits, n}};
    return bits;
}

static bool
op_each(struct run *r, const struct rule_insn *in, const struct rule_value *src, struct rule_value *dst)
{
    size_t n = src->tag == RULE_V_ARRAY ? src->array.len : 0;
    uint8_t *bits = new_bits(r, dst, n);
    for (size_t i = 0; bits && i < n; i++) {
        bool hit;
        if (!test(r, in->test, in, &src->array.items[i], &hit) || over_budget(r))
            return false;
        bits[i] = hit;
    }
    return bits != NULL;
}

static bool
op_bits(struct run *r, const struct rule_value *src, struct rule_value *dst)
{
    size_t n = src->tag == RULE_V_ARRAY ? src->array.len : 0;
    uint8_t *bits = new_bits(r, dst, n);
    for (size_t i = 0; bits && i < n; i++)
        bits[i] = src->array.items[i].b;
    return bits != NULL;
}

static bool
op_unbits(struct run *r, const struct rule_value *src, struct rule_value *dst)
{
    size_t n = src->bits.len;
    struct rule_value *items = rule_scratch(r->ctx, n * sizeof(*items));
    r->steps += n;
    if (!items)
        return run_fail(r, ACD_ELIMIT, out_of_scratch);
    for (size_t i = 0; i < n; i++)
        items[i] = RULE_BOOL_VALUE(src->bits.items[i]);
    *dst = rule_array_value(items, n);
    return true;
}

static bool
op_logic(struct run *r, const struct rule_insn *in, const struct rule_value *a, const struct rule_value *b,
         struct rule_value *dst)
{
    size_t n = in->op == OP_BITS_NOT || a->bits.len < b->bits.len ? a->bits.len : b->bits.len;
    const uint8_t *x = a->bits.items, *y = b->bits.items;
    uint8_t *bits = new_bits(r, dst, n);
    for (size_t i = 0; bits && i < n; i++) {
        if (in->op == OP_BITS_NOT)
            bits[i] = !x[i];
        else if (in->op == OP_BITS_AND)
            bits[i] = x[i] & y[i];
        else
            bits[i] = in->op == OP_BITS_OR ? x[i] | y[i] : x[i] ^ y[i];
    }
    return bits != NULL;
}

static const struct rule_value *
step_in(const struct rule_value *v, const struct ast_index *index)
{
    if (index->kind == AST_INDEX_INT)
        return v->tag == RULE_V_ARRAY && index->n < v->array.len ? &v->array.items[index->n] : NULL;
    return v->tag == RULE_V_MAP ? rule_map_find(v, index->key) : NULL;
}

/* Collects into scratch memory what the path leads to from v on; elements that lack something are left out.
 * The items lie in a row, because nothing else allocates meanwhile. */
static bool
collect(struct run *r, const struct rule_value *v, const struct ast_index *index, unsigned n, size_t *len)
{
    for (; n > 0 && index->kind != AST_INDEX_EACH; index++, n--) {
        r->steps++;
        v = step_in(v, index);
        if (!v || v->tag == RULE_V_NIL)
            return true;
    }
    if (n == 0) {
        struct rule_value *to = rule_scratch(r->ctx, sizeof(*to));
        if (!to)
            return run_fail(r, ACD_ELIMIT, out_of_scratch);
        *to = *v;
        (*len)++;
        return true;
    }
    size_t count = v->tag == RULE_V_ARRAY ? v->array.len : v->tag == RULE_V_MAP ? v->map.len : 0;
    for (size_t i = 0; i < count; i++) {
        const struct rule_value *item = v->tag == RULE_V_ARRAY ? &v->array.items[i] : &v->map.items[i].value;
        r->steps++;
        if (over_budget(r) || !collect(r, item, index + 1, n - 1, len))
            return false;
    }
    return true;
}

static bool
op_path(struct run *r, const struct rule_path *path, const struct rule_value *v, struct rule_value *dst)
{
    const struct ast_index *index = path->indexes;
    unsigned n = path->n;
    size_t len = 0;
    for (; n > 0 && index->kind != AST_INDEX_EACH && v && v->tag != RULE_V_NIL; index++, n--) {
        r->steps++;
        v = step_in(v, index);
    }
    if (!v || v->tag == RULE_V_NIL) {
        *dst = RULE_NIL_VALUE;
        return true;
    }
    if (n == 0 || (n == 1 && v->tag == RULE_V_ARRAY)) { /* an array is its own elements */
        *dst = *v;
        return true;
    }
    struct rule_value *items = rule_scratch(r->ctx, 0);
    if (!items || !collect(r, v, index, n, &len))
        return run_fail(r, ACD_ELIMIT, r->reason ? r->reason : out_of_scratch);
    *dst = rule_array_value(items, len);
    return true;
}

static bool
call_one(struct run *r, const struct rule_call_code *code, const struct rule_value *args,
         struct rule_value *ret)
{
    struct rule_call call = {r->ctx, args, code->nargs, &r->steps};
    r->steps++;
    if (over_budget(r))
        return false;
    if (code->func != RULE_FN_CONCAT) {
        for (unsigned i = 0; i < code->nargs; i++)
            if (args[i].tag == RULE_V_NIL) {
                *ret = RULE_NIL_VALUE;
                return true;
            }
    }
    if (!rule_func_call(code->func, &call, ret))
        return run_fail(r, ACD_ELIMIT, out_of_scratch);
    return !over_budget(r);
}

static bool
op_call(struct run *r, const struct rule_call_code *code, struct rule_value *dst)
{
    struct rule_value args[RULE_CALL_ARGS_MAX], out;
    size_t len = 0;
    for (unsigned i = 0; i < code->nargs; i++) {
        const struct rule_operand *op = &code->args[i];
        const struct rule_value *v = op->literal ? &op->value : rule_ctx_get(r->ctx, op->slot);
        if (!v)
            return run_fail(r, ACD_EUNAVAIL, no_field);
        args[i] = *v;
    }
    if (!code->mapped) {
        if (!call_one(r, code, args, &out))
            return false;
        *dst = out;
        return true;
    }
    struct rule_value array = args[0];
    if (array.tag != RULE_V_ARRAY) {
        *dst = RULE_NIL_VALUE;
        return true;
    }
    struct rule_value *items = rule_scratch(r->ctx, array.array.len * sizeof(*items));
    if (!items)
        return run_fail(r, ACD_ELIMIT, out_of_scratch);
    for (size_t i = 0; i < array.array.len; i++) {
        args[0] = array.array.items[i];
        if (!call_one(r, code, args, &out))
            return false;
        if (out.tag != RULE_V_NIL)
            items[len++] = out;
    }
    *dst = rule_array_value(items, len);
    return true;
}

/* Everything that is not a test. */
static bool
step(struct run *r, const struct rule_insn *in)
{
    struct rule_value *slots = r->ctx->slots, *dst = &slots[in->dst];
    const struct rule_value *src = rule_ctx_get(r->ctx, in->src);
    if (!src)
        return run_fail(r, ACD_EUNAVAIL, no_field);
    switch (in->op) {
    case OP_EACH:
        return op_each(r, in, src, dst);
    case OP_BITS:
        return op_bits(r, src, dst);
    case OP_UNBITS:
        return op_unbits(r, src, dst);
    case OP_PATH:
        return op_path(r, in->path, src, dst);
    case OP_BITS_NOT:
    case OP_BITS_AND:
    case OP_BITS_OR:
    case OP_BITS_XOR:
        return op_logic(r, in, src, &slots[in->aux], dst);
    default:
        must_not_reach();
    }
}

ALWAYS_INLINE void
mark_test(struct rule_mark *marks, const struct rule_insn *in, const struct rule_value *v, bool hit)
{
    if (!marks || in->node == RULE_NO_NODE)
        return;
    marks[in->node] = (struct rule_mark){.seen = 1, .outcome = hit, .value = *v};
    if (v->tag == RULE_V_BITS) {
        marks[in->node].has_bits = true;
        marks[in->node].bits = *v;
    }
}

ALWAYS_INLINE enum rule_outcome
run(struct run *r, struct rule_mark *marks)
{
    const struct rule_insn *code = r->prog->code, *in = code + r->prog->entry;
    struct rule_value *slots = r->ctx->slots;
    for (;;) {
        const struct rule_value *v;
        bool hit;
        r->steps++;
        if (in->op <= OP_TRUE) {
            if (over_budget(r))
                return RULE_FAILED;
            return in->op == OP_TRUE ? RULE_TRUE : RULE_FALSE;
        }
        if (in->op <= OP_ALL) {
            v = &slots[in->src];
            if (unlikely(v->tag == RULE_V_UNSET) && !(v = rule_ctx_get(r->ctx, in->src))) {
                (void)run_fail(r, ACD_EUNAVAIL, no_field);
                return RULE_FAILED;
            }
            if (in->op >= OP_ANY) {
                hit = quantify(in, v, &r->steps);
            } else if (v->tag != in->want) { /* missing */
                hit = false;
            } else if (!test(r, in->op, in, v, &hit)) {
                return RULE_FAILED;
            }
            mark_test(marks, in, v, hit);
            /* What costs one step needs no look at the budget before the end: a program is short. */
            if (in->op >= OP_CONTAINS && over_budget(r))
                return RULE_FAILED;
            in = code + (hit ? in->jt : in->jf);
        } else if (in->op == OP_SET) {
            slots[in->dst] = RULE_BOOL_VALUE(in->sel);
            in = code + in->jt;
        } else {
            if (!(in->op == OP_CALL ? op_call(r, in->call, &slots[in->dst]) : step(r, in)) || over_budget(r))
                return RULE_FAILED;
            if (marks && in->node != RULE_NO_NODE) {
                marks[in->node] = (struct rule_mark){
                    .seen = 1, .has_bits = true, .value = slots[in->src], .bits = slots[in->dst]};
            }
            in = code + in->jt;
        }
    }
}

ALWAYS_INLINE enum rule_outcome
start(const struct rule_prog *p, struct rule_ctx *c, struct rule_mark *marks, struct rule_result *ret)
{
    struct run r = {.prog = p, .ctx = c};
    must(p->magic == RULE_PROG_MAGIC && p->scheme == c->scheme);
    c->scratch_at = 0;
    enum rule_outcome outcome = run(&r, marks);
    *ret = (struct rule_result){outcome, r.steps, r.code, r.reason};
    return outcome;
}

enum rule_outcome
rule_eval(const struct rule_prog *p, struct rule_ctx *c, struct rule_result *ret)
{
    return start(p, c, NULL, ret);
}

enum rule_outcome
rule_eval_traced(const struct rule_prog *p, struct rule_ctx *c, struct rule_mark *marks,
                 struct rule_result *ret)
{
    return start(p, c, marks, ret);
}
