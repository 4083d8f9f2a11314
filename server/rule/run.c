#include "rule/run.h"

#include "rule/find.h"
#include "rule/func.h"

const char run_no_field[] = "a field could not be read";
const char run_no_steps[] = "the evaluation takes more steps than it may";
static const char out_of_scratch[] = "the evaluation needs more memory than it may have";

static inline bool
test_wild(struct rule_ctx *c, const struct rule_insn *in, const struct rule_value *v, bool *ret)
{
    uint8_t *room = NULL;
    size_t keep = c->scratch_at;
    c->steps += rule_cost(v->bytes.len);
    if (in->wild->copies && !(room = rule_scratch(c, v->bytes.len)))
        return run_fail(c, ACD_ELIMIT, out_of_scratch);
    *ret = rule_wild_match(in->wild, v->bytes.ptr, v->bytes.len, room);
    c->scratch_at = keep;
    return true;
}

/* Tests whose price depends on the value. */
static inline bool
test_costly(struct rule_ctx *c, uint8_t op, const struct rule_insn *in, const struct rule_value *v, bool *ret)
{
    switch (op) {
    case OP_CONTAINS:
        c->steps += rule_cost(v->bytes.len);
        *ret = rule_find(v->bytes.ptr, v->bytes.len, in->bytes.p, in->bytes.len);
        return true;
    case OP_MATCH:
        c->steps += rule_cost(v->bytes.len) * (1 + rule_regex_states(in->regex) / RULE_STEP_STATES);
        if (run_over_budget(c)) /* before the search, which cannot be interrupted */
            return false;
        *ret = rule_regex_match(in->regex, v->bytes.ptr, v->bytes.len);
        return true;
    case OP_WILD:
        return test_wild(c, in, v, ret);
    default:
        must_not_reach();
    }
}

/* A test of one value that has the wanted type. False: the evaluation fails. */
static inline bool
test(struct rule_ctx *c, uint8_t op, const struct rule_insn *in, const struct rule_value *v, bool *ret)
{
    switch (op) {
#define SIMPLE(name, tag, holds) \
    case name:                   \
        *ret = holds;            \
        return true;
        RUN_SIMPLE_TESTS(SIMPLE)
#undef SIMPLE
    default:
        return test_costly(c, op, in, v, ret);
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

int
run_test(struct rule_ctx *c, const struct rule_insn *in, const struct rule_value *v)
{
    bool hit = false;
    if (in->op >= OP_ANY)
        hit = quantify(in, v, &c->steps);
    else if (v->tag == in->want && !test(c, in->op, in, v, &hit))
        return -1;
    return run_over_budget(c) ? -1 : hit;
}

/* dst becomes n bits; NULL: out of memory. */
static uint8_t *
new_bits(struct rule_ctx *c, struct rule_value *dst, size_t n)
{
    uint8_t *bits = rule_scratch(c, n);
    c->steps += n;
    if (!bits) {
        (void)run_fail(c, ACD_ELIMIT, out_of_scratch);
        return NULL;
    }
    *dst = (struct rule_value){.tag = RULE_V_BITS, .bits = {bits, n}};
    return bits;
}

static bool
op_each(struct rule_ctx *c, const struct rule_insn *in, const struct rule_value *src, struct rule_value *dst)
{
    size_t n = src->tag == RULE_V_ARRAY ? src->array.len : 0;
    uint8_t *bits = new_bits(c, dst, n);
    for (size_t i = 0; bits && i < n; i++) {
        bool hit;
        if (!test(c, in->test, in, &src->array.items[i], &hit) || run_over_budget(c))
            return false;
        bits[i] = hit;
    }
    return bits != NULL;
}

static bool
op_bits(struct rule_ctx *c, const struct rule_value *src, struct rule_value *dst)
{
    size_t n = src->tag == RULE_V_ARRAY ? src->array.len : 0;
    uint8_t *bits = new_bits(c, dst, n);
    for (size_t i = 0; bits && i < n; i++)
        bits[i] = src->array.items[i].b;
    return bits != NULL;
}

static bool
op_unbits(struct rule_ctx *c, const struct rule_value *src, struct rule_value *dst)
{
    size_t n = src->bits.len;
    struct rule_value *items = rule_scratch(c, n * sizeof(*items));
    c->steps += n;
    if (!items)
        return run_fail(c, ACD_ELIMIT, out_of_scratch);
    for (size_t i = 0; i < n; i++)
        items[i] = RULE_BOOL_VALUE(src->bits.items[i]);
    *dst = rule_array_value(items, n);
    return true;
}

static bool
op_logic(struct rule_ctx *c, const struct rule_insn *in, const struct rule_value *a,
         const struct rule_value *b, struct rule_value *dst)
{
    size_t n = in->op == OP_BITS_NOT || a->bits.len < b->bits.len ? a->bits.len : b->bits.len;
    const uint8_t *x = a->bits.items, *y = b->bits.items;
    uint8_t *bits = new_bits(c, dst, n);
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
collect(struct rule_ctx *c, const struct rule_value *v, const struct ast_index *index, unsigned n,
        size_t *len)
{
    for (; n > 0 && index->kind != AST_INDEX_EACH; index++, n--) {
        c->steps++;
        v = step_in(v, index);
        if (!v || v->tag == RULE_V_NIL)
            return true;
    }
    if (n == 0) {
        struct rule_value *to = rule_scratch(c, sizeof(*to));
        if (!to)
            return run_fail(c, ACD_ELIMIT, out_of_scratch);
        *to = *v;
        (*len)++;
        return true;
    }
    size_t count = v->tag == RULE_V_ARRAY ? v->array.len : v->tag == RULE_V_MAP ? v->map.len : 0;
    for (size_t i = 0; i < count; i++) {
        const struct rule_value *item = v->tag == RULE_V_ARRAY ? &v->array.items[i] : &v->map.items[i].value;
        c->steps++;
        if (run_over_budget(c) || !collect(c, item, index + 1, n - 1, len))
            return false;
    }
    return true;
}

static bool
op_path(struct rule_ctx *c, const struct rule_path *path, const struct rule_value *v, struct rule_value *dst)
{
    const struct ast_index *index = path->indexes;
    unsigned n = path->n;
    size_t len = 0;
    for (; n > 0 && index->kind != AST_INDEX_EACH && v && v->tag != RULE_V_NIL; index++, n--) {
        c->steps++;
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
    struct rule_value *items = rule_scratch(c, 0);
    if (!items || !collect(c, v, index, n, &len))
        return run_fail(c, ACD_ELIMIT, c->reason ? c->reason : out_of_scratch);
    *dst = rule_array_value(items, len);
    return true;
}

static bool
call_one(struct rule_ctx *c, const struct rule_call_code *code, const struct rule_value *args,
         struct rule_value *ret)
{
    struct rule_call call = {c, args, code->nargs, &c->steps};
    c->steps++;
    if (run_over_budget(c))
        return false;
    if (code->func != RULE_FN_CONCAT) {
        for (unsigned i = 0; i < code->nargs; i++)
            if (args[i].tag == RULE_V_NIL) {
                *ret = RULE_NIL_VALUE;
                return true;
            }
    }
    if (!rule_func_call(code->func, &call, ret))
        return run_fail(c, ACD_ELIMIT, out_of_scratch);
    return !run_over_budget(c);
}

static bool
op_call(struct rule_ctx *c, const struct rule_call_code *code, struct rule_value *dst)
{
    struct rule_value args[RULE_CALL_ARGS_MAX], out;
    size_t len = 0;
    for (unsigned i = 0; i < code->nargs; i++) {
        const struct rule_operand *op = &code->args[i];
        const struct rule_value *v = op->literal ? &op->value : rule_ctx_get(c, op->slot);
        if (!v)
            return run_fail(c, ACD_EUNAVAIL, run_no_field);
        args[i] = *v;
    }
    if (!code->mapped) {
        if (!call_one(c, code, args, &out))
            return false;
        *dst = out;
        return true;
    }
    struct rule_value array = args[0];
    if (array.tag != RULE_V_ARRAY) {
        *dst = RULE_NIL_VALUE;
        return true;
    }
    struct rule_value *items = rule_scratch(c, array.array.len * sizeof(*items));
    if (!items)
        return run_fail(c, ACD_ELIMIT, out_of_scratch);
    for (size_t i = 0; i < array.array.len; i++) {
        args[0] = array.array.items[i];
        if (!call_one(c, code, args, &out))
            return false;
        if (out.tag != RULE_V_NIL)
            items[len++] = out;
    }
    *dst = rule_array_value(items, len);
    return true;
}

static bool
step(struct rule_ctx *c, const struct rule_insn *in)
{
    struct rule_value *slots = c->slots, *dst = &slots[in->dst];
    if (in->op == OP_CALL)
        return op_call(c, in->call, dst);
    if (in->op == OP_SET) {
        *dst = RULE_BOOL_VALUE(in->sel);
        return true;
    }
    const struct rule_value *src = rule_ctx_get(c, in->src);
    if (!src)
        return run_fail(c, ACD_EUNAVAIL, run_no_field);
    switch (in->op) {
    case OP_EACH:
        return op_each(c, in, src, dst);
    case OP_BITS:
        return op_bits(c, src, dst);
    case OP_UNBITS:
        return op_unbits(c, src, dst);
    case OP_PATH:
        return op_path(c, in->path, src, dst);
    case OP_BITS_NOT:
    case OP_BITS_AND:
    case OP_BITS_OR:
    case OP_BITS_XOR:
        return op_logic(c, in, src, &slots[in->aux], dst);
    default:
        must_not_reach();
    }
}

bool
run_step(struct rule_ctx *c, const struct rule_insn *in)
{
    return step(c, in) && !run_over_budget(c);
}
