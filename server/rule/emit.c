/*
 * Code is generated from the end: when an operand is generated, where to go when it holds and when not is
 * already known, so nothing is patched and constants cost nothing (they are the target itself). Afterwards
 * the program is turned round, so that it runs forward.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/code.h"

struct emit {
    struct rule_prog *prog;
    struct rule_insn *code; /* reversed */
    unsigned n, cap;
    int failed;
    const struct ast_node *node; /* where it failed */
    char *message;
};

/* Labels of the two ends. */
enum { AT_FALSE = 0, AT_TRUE = 1 };

static unsigned
fail(struct emit *e, int code, const struct ast_node *node, const char *text)
{
    if (!e->failed) {
        e->failed = code;
        e->node = node;
        if (text)
            (void)snprintf(e->message, RULE_MESSAGE_MAX, "%s", text);
    }
    return AT_FALSE;
}

static struct rule_insn *
put(struct emit *e, enum rule_op op, const struct ast_node *node)
{
    if (e->n == RULE_CODE_MAX) {
        (void)fail(e, ACD_ELIMIT, node, "the program is too long");
        return NULL;
    }
    if (e->n == e->cap) {
        unsigned cap = e->cap ? 2 * e->cap : 64;
        struct rule_insn *p = realloc(e->code, cap * sizeof(*p));
        if (!p) {
            (void)fail(e, ACD_ENOMEM, node, "out of memory");
            return NULL;
        }
        e->code = p;
        e->cap = cap;
    }
    struct rule_insn *in = &e->code[e->n++];
    *in = (struct rule_insn){.op = (uint8_t)op, .node = node ? (uint16_t)node->id : RULE_NO_NODE};
    return in;
}

/* An instruction that goes on at next. */
static struct rule_insn *
put_step(struct emit *e, enum rule_op op, const struct ast_node *node, unsigned next)
{
    struct rule_insn *in = put(e, op, node);
    if (in)
        in->to = (uint16_t)next;
    return in;
}

/* A test with its two ways out; returns where it stands. What was put last will be the next instruction. */
static unsigned
put_test(struct emit *e, const struct rule_insn *test, const struct ast_node *node, unsigned jt, unsigned jf)
{
    if (jt != e->n - 1 && jf != e->n - 1) {
        if (!put_step(e, OP_JUMP, NULL, jf))
            return AT_FALSE;
        jf = e->n - 1;
    }
    bool leave = jf == e->n - 1;
    struct rule_insn *in = put_step(e, test->op, node, leave ? jt : jf);
    if (!in)
        return AT_FALSE;
    uint16_t to = in->to, number = in->node;
    *in = *test;
    in->to = to;
    in->node = number;
    in->leave = leave;
    return e->n - 1;
}

static unsigned
reg(struct emit *e)
{
    if (e->prog->nregs == RULE_REGS_MAX)
        return fail(e, ACD_ELIMIT, NULL, "too many values");
    return e->prog->scheme->nfields + e->prog->nregs++;
}

static void *
keep(struct emit *e, size_t size)
{
    void *p = mem_zalloc(&e->prog->region, size);
    if (!p)
        (void)fail(e, ACD_ENOMEM, NULL, "out of memory");
    return p;
}

int
rule_const(const struct ast_node *n)
{
    int r, sum = 0;
    bool known = true;
    switch (n->kind) {
    case AST_BARE:
        if (n->value->field == RULE_F_TRUE || n->value->field == RULE_F_FALSE)
            return n->value->field == RULE_F_TRUE;
        return -1;
    case AST_CMP:
        return n->op == AST_IN && !n->list && n->nelems == 0 && n->value->each == 0 ? 0 : -1;
    case AST_NOT:
        r = rule_type_is(n->type, RULE_BOOL) ? rule_const(n->kids) : -1;
        return r < 0 ? -1 : !r;
    case AST_AND:
    case AST_OR:
    case AST_XOR:
        if (!rule_type_is(n->type, RULE_BOOL))
            return -1;
        for (const struct ast_node *k = n->kids; k; k = k->next) {
            r = rule_const(k);
            if (n->kind != AST_XOR && r == (n->kind == AST_OR))
                return r;
            known = known && r >= 0;
            sum ^= r == 1;
        }
        return !known ? -1 : n->kind == AST_XOR ? sum : n->kind == AST_AND;
    default:
        return -1;
    }
}

static unsigned emit_bool(struct emit *e, const struct ast_node *n, unsigned jt, unsigned jf);
static unsigned emit_bits(struct emit *e, const struct ast_node *n, unsigned dst, unsigned next);

static bool
plain_field(const struct ast_value *v)
{
    return v->field >= 0 && v->nindexes == 0;
}

/* Slot that will hold the value: the field itself, or a new register. */
static unsigned
place(struct emit *e, const struct ast_value *v)
{
    return plain_field(v) ? (unsigned)v->field : reg(e);
}

static unsigned emit_call(struct emit *e, const struct ast_value *v, unsigned dst, unsigned next);

/* Code that puts the value into slot dst and goes on at next; returns where it begins. */
static unsigned
emit_value(struct emit *e, const struct ast_value *v, unsigned dst, unsigned next)
{
    if (plain_field(v))
        return next;
    if (v->nindexes == 0)
        return emit_call(e, v, dst, next);
    unsigned src = v->field >= 0 ? (unsigned)v->field : reg(e);
    struct rule_path *path = keep(e, sizeof(*path));
    struct rule_insn *in = put_step(e, OP_PATH, NULL, next);
    if (!path || !in)
        return AT_FALSE;
    *path = (struct rule_path){v->indexes, v->nindexes, v->each};
    in->src = (uint16_t)src;
    in->dst = (uint16_t)dst;
    in->path = path;
    unsigned at = e->n - 1;
    return v->field >= 0 ? at : emit_call(e, v, src, at);
}

static unsigned
emit_set(struct emit *e, unsigned dst, bool v, unsigned next)
{
    struct rule_insn *in = put_step(e, OP_SET, NULL, next);
    if (!in)
        return AT_FALSE;
    in->dst = (uint16_t)dst;
    in->sel = v;
    return e->n - 1;
}

/* One instruction from src to dst. */
static unsigned
emit_unary(struct emit *e, enum rule_op op, unsigned src, unsigned dst, unsigned next)
{
    struct rule_insn *in = put_step(e, op, NULL, next);
    if (!in)
        return AT_FALSE;
    in->src = (uint16_t)src;
    in->dst = (uint16_t)dst;
    return e->n - 1;
}

static unsigned
emit_arg(struct emit *e, const struct ast_arg *a, struct rule_operand *op, unsigned next)
{
    if (a->kind == AST_ARG_LITERAL)
        return next;
    if (a->kind == AST_ARG_VALUE)
        return emit_value(e, a->value, op->slot, next);
    if (rule_type_is(a->type, RULE_BOOL)) {
        unsigned yes = emit_set(e, op->slot, true, next), no = emit_set(e, op->slot, false, next);
        return emit_bool(e, a->logic, yes, no);
    }
    unsigned bits = reg(e);
    return emit_bits(e, a->logic, bits, emit_unary(e, OP_UNBITS, bits, op->slot, next));
}

static unsigned
emit_call(struct emit *e, const struct ast_value *v, unsigned dst, unsigned next)
{
    struct rule_call_code *call = keep(e, sizeof(*call));
    struct rule_operand *ops = keep(e, v->nargs * sizeof(*ops));
    struct rule_insn *in = put_step(e, OP_CALL, NULL, next);
    if (!call || !ops || !in)
        return AT_FALSE;
    *call = (struct rule_call_code){(unsigned)(v->func - rule_func_at(0)), v->nargs,
                                    v->args[0].kind == AST_ARG_VALUE && v->args[0].value->each > 0, ops};
    in->dst = (uint16_t)dst;
    in->call = call;
    unsigned at = e->n - 1;
    for (unsigned i = 0; i < v->nargs; i++) {
        const struct ast_arg *a = &v->args[i];
        ops[i].literal = a->kind == AST_ARG_LITERAL;
        ops[i].value = a->literal;
        if (!ops[i].literal)
            ops[i].slot = (uint16_t)(a->kind == AST_ARG_VALUE ? place(e, a->value) : reg(e));
    }
    for (unsigned i = v->nargs; i-- > 0;)
        at = emit_arg(e, &v->args[i], &ops[i], at);
    return at;
}

static struct rule_owned *
own(struct emit *e)
{
    struct rule_owned *o = keep(e, sizeof(*o));
    if (o) {
        o->next = e->prog->owned;
        e->prog->owned = o;
    }
    return o;
}

static void
fill_in(struct emit *e, const struct ast_node *n, struct rule_insn *in)
{
    static const uint8_t ops[] = {[RULE_BYTES] = OP_IN_BYTES, [RULE_INT] = OP_IN_INT, [RULE_IP] = OP_IN_IP};
    enum rule_base base = (enum rule_base)n->value->type.base;
    in->op = ops[base];
    if (n->list) {
        in->set = n->list->set;
        return;
    }
    struct rule_owned *o = own(e);
    struct rule_value *lo = calloc(n->nelems + 1, sizeof(*lo)), *hi = calloc(n->nelems + 1, sizeof(*hi));
    for (size_t i = 0; lo && hi && i < n->nelems; i++) {
        lo[i] = n->elems[i].lo;
        hi[i] = n->elems[i].hi;
    }
    if (!o || !lo || !hi || rule_set_new(base, lo, hi, n->nelems, &o->set) < 0)
        (void)fail(e, ACD_ENOMEM, n, "out of memory");
    else
        in->set = o->set;
    free(lo);
    free(hi);
}

static void
fill_order(const struct ast_node *n, struct rule_insn *in)
{
    static const uint8_t sel[] = {[AST_EQ] = SEL_EQ,          [AST_NE] = SEL_NE, [AST_LT] = SEL_LT,
                                  [AST_LE] = SEL_LT | SEL_EQ, [AST_GT] = SEL_GT, [AST_GE] = SEL_GT | SEL_EQ};
    in->sel = sel[n->op];
    if (n->literal.tag == RULE_V_INT) {
        in->op = OP_CMP_INT;
        in->i = n->literal.i;
    } else if (n->literal.tag == RULE_V_IP) {
        in->op = OP_CMP_IP;
        in->ip = n->literal.ip;
        in->aux = n->literal.family;
    } else {
        in->op = n->op == AST_EQ ? OP_EQ_BYTES : OP_CMP_BYTES;
        in->bytes.p = n->literal.bytes.ptr;
        in->bytes.len = n->literal.bytes.len;
    }
}

/* Operation and operand of a comparison; the caller sets slots and targets. */
static void
fill_test(struct emit *e, const struct ast_node *n, struct rule_insn *in)
{
    struct rule_wild *wild;
    struct rule_regex *regex;
    struct rule_owned *o;
    char message[RULE_MESSAGE_MAX] = "out of memory";
    int r;
    in->want = n->value->type.base;
    switch (n->op) {
    case AST_IN:
        fill_in(e, n, in);
        break;
    case AST_BITAND:
        in->op = OP_BITAND;
        in->i = n->literal.i;
        break;
    case AST_CONTAINS:
        in->op = OP_CONTAINS;
        in->bytes.p = n->literal.bytes.ptr;
        in->bytes.len = n->literal.bytes.len;
        break;
    case AST_MATCHES:
        in->op = OP_MATCH;
        o = own(e);
        r = o ? rule_regex_new(n->literal.bytes, &regex, message) : ACD_ENOMEM;
        if (r < 0) {
            (void)fail(e, r, n, message);
            break;
        }
        o->regex = regex;
        in->regex = regex;
        break;
    case AST_WILDCARD:
    case AST_STRICT:
        in->op = OP_WILD;
        wild = keep(e, sizeof(*wild));
        if (!wild || rule_wild_init(wild, &e->prog->region, n->literal.bytes, n->op == AST_WILDCARD) < 0)
            (void)fail(e, ACD_ENOMEM, n, "out of memory");
        in->wild = wild;
        break;
    default:
        fill_order(n, in);
    }
}

/* A comparison, or a bare boolean, of one value. */
static unsigned
emit_test(struct emit *e, const struct ast_node *n, unsigned jt, unsigned jf)
{
    unsigned src = place(e, n->value);
    struct rule_insn in = {.op = OP_BOOL, .want = RULE_V_BOOL, .src = (uint16_t)src};
    if (n->kind == AST_CMP)
        fill_test(e, n, &in);
    unsigned at = put_test(e, &in, n, jt, jf);
    return e->failed ? AT_FALSE : emit_value(e, n->value, src, at);
}

static unsigned
emit_quantifier(struct emit *e, const struct ast_node *n, unsigned jt, unsigned jf)
{
    const struct ast_arg *a = n->arg;
    /* An array of booleans by itself is looked at as it is: missing, it satisfies neither quantifier. */
    const struct ast_value *v = a->kind == AST_ARG_VALUE                                   ? a->value
                                : a->logic->kind == AST_BARE && a->logic->value->each == 0 ? a->logic->value
                                                                                           : NULL;
    unsigned src = v ? place(e, v) : reg(e);
    const struct rule_insn in = {.op = n->kind == AST_ANY ? OP_ANY : OP_ALL, .src = (uint16_t)src};
    unsigned at = put_test(e, &in, n, jt, jf);
    if (e->failed)
        return AT_FALSE;
    return v ? emit_value(e, v, src, at) : emit_bits(e, a->logic, src, at);
}

/* Parity: the left side is kept in a register, then decides which way out of the right side is which. */
static unsigned
emit_xor(struct emit *e, const struct ast_node *first, const struct ast_node *stop, unsigned jt, unsigned jf)
{
    const struct ast_node *last = first;
    if (first->next == stop)
        return emit_bool(e, first, jt, jf);
    while (last->next != stop)
        last = last->next;
    int known = rule_const(last);
    if (known >= 0)
        return known ? emit_xor(e, first, last, jf, jt) : emit_xor(e, first, last, jt, jf);
    unsigned flag = reg(e), at[2];
    const struct rule_insn in = {.op = OP_BOOL, .want = RULE_V_BOOL, .src = (uint16_t)flag};
    for (int v = 0; v < 2; v++) /* the right side is v */
        at[v] = put_test(e, &in, NULL, v ? jf : jt, v ? jt : jf);
    if (e->failed)
        return AT_FALSE;
    unsigned right = emit_bool(e, last, at[1], at[0]);
    unsigned yes = emit_set(e, flag, true, right), no = emit_set(e, flag, false, right);
    return emit_xor(e, first, last, yes, no);
}

/* Kids from first on: they are generated from the last one back. */
static unsigned
emit_chain(struct emit *e, const struct ast_node *k, bool is_or, unsigned jt, unsigned jf)
{
    unsigned rest;
    if (!k->next)
        return emit_bool(e, k, jt, jf);
    rest = emit_chain(e, k->next, is_or, jt, jf);
    return is_or ? emit_bool(e, k, jt, rest) : emit_bool(e, k, rest, jf);
}

static unsigned
emit_bool(struct emit *e, const struct ast_node *n, unsigned jt, unsigned jf)
{
    int known = rule_const(n);
    if (known >= 0 || e->failed)
        return known > 0 ? jt : jf;
    switch (n->kind) {
    case AST_AND:
    case AST_OR:
        return emit_chain(e, n->kids, n->kind == AST_OR, jt, jf);
    case AST_XOR:
        return emit_xor(e, n->kids, NULL, jt, jf);
    case AST_NOT:
        return emit_bool(e, n->kids, jf, jt);
    case AST_ANY:
    case AST_ALL:
        return emit_quantifier(e, n, jt, jf);
    default:
        return emit_test(e, n, jt, jf);
    }
}

static unsigned
emit_each(struct emit *e, const struct ast_node *n, unsigned dst, unsigned next)
{
    unsigned src = place(e, n->value), at = e->n;
    struct rule_insn in = {.op = OP_BITS};
    if (n->kind == AST_CMP) {
        fill_test(e, n, &in);
        in.test = in.op;
        in.op = OP_EACH;
    }
    struct rule_insn *to = put(e, OP_BITS, n);
    if (!to)
        return AT_FALSE;
    in.node = (uint16_t)n->id;
    in.src = (uint16_t)src;
    in.dst = (uint16_t)dst;
    in.to = (uint16_t)next;
    *to = in;
    return emit_value(e, n->value, src, at);
}

/* The kids of a chain; the result so far is in dst. */
static unsigned
emit_bits_chain(struct emit *e, enum rule_op op, const struct ast_node *first, const struct ast_node *stop,
                unsigned dst, unsigned next)
{
    const struct ast_node *last = first;
    if (first->next == stop)
        return emit_bits(e, first, dst, next);
    while (last->next != stop)
        last = last->next;
    unsigned left = reg(e), right = reg(e);
    unsigned at = emit_unary(e, op, left, dst, next);
    if (e->failed)
        return AT_FALSE;
    e->code[at].aux = (uint16_t)right;
    return emit_bits_chain(e, op, first, last, left, emit_bits(e, last, right, at));
}

/* Code that puts the bits of an array of booleans into dst. */
static unsigned
emit_bits(struct emit *e, const struct ast_node *n, unsigned dst, unsigned next)
{
    unsigned src;
    if (e->failed)
        return AT_FALSE;
    switch (n->kind) {
    case AST_AND:
        return emit_bits_chain(e, OP_BITS_AND, n->kids, NULL, dst, next);
    case AST_OR:
        return emit_bits_chain(e, OP_BITS_OR, n->kids, NULL, dst, next);
    case AST_XOR:
        return emit_bits_chain(e, OP_BITS_XOR, n->kids, NULL, dst, next);
    case AST_NOT:
        src = reg(e);
        return emit_bits(e, n->kids, src, emit_unary(e, OP_BITS_NOT, src, dst, next));
    default:
        return emit_each(e, n, dst, next);
    }
}

/* Turns the reversed code round. */
static int
finish(struct emit *e, unsigned entry)
{
    struct rule_prog *p = e->prog;
    p->code = mem_new_n(&p->region, e->n, struct rule_insn);
    if (!p->code)
        return ACD_ENOMEM;
    for (unsigned i = 0; i < e->n; i++) {
        struct rule_insn *in = &p->code[e->n - 1 - i];
        *in = e->code[i];
        in->to = (uint16_t)(e->n - 1 - in->to);
    }
    p->ncode = e->n;
    p->entry = e->n - 1 - entry;
    return 0;
}

int
rule_emit(struct rule_prog *p, const struct ast_node **ret_node, char message[RULE_MESSAGE_MAX])
{
    struct emit e = {.prog = p, .message = message};
    unsigned entry = 0;
    if (put(&e, OP_FALSE, NULL) && put(&e, OP_TRUE, NULL))
        entry = emit_bool(&e, p->ast.root, AT_TRUE, AT_FALSE);
    int r = e.failed ? e.failed : finish(&e, entry);
    *ret_node = e.node;
    free(e.code);
    return r;
}
