/*
 * What single tests did is recorded by the evaluator; what the nodes above them come to follows from the kids
 * that were evaluated. A node that was not needed for the result stays "skipped".
 */
#include "rule/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rule/code.h"

enum { EXPLAIN_BLOCK = 8192, VALUE_TEXT_MAX = 120 };

struct rule_explain {
    struct mem_region region;
    struct rule_result result;
    struct rule_term *root;
};

static const char *
op_name(const struct ast_node *n)
{
    static const char *const names[] = {
        [AST_OR] = "or",   [AST_XOR] = "xor", [AST_AND] = "and",   [AST_NOT] = "not",
        [AST_ANY] = "any", [AST_ALL] = "all", [AST_BARE] = "term", [AST_CMP] = "term"};
    return names[n->kind];
}

/* Of a chain, from what its kids came to. */
static enum rule_term_state
chain_state(const struct ast_node *n, const struct rule_term *kids)
{
    bool all = true, odd = false;
    for (const struct rule_term *k = kids; k; k = k->next) {
        if (k->state == RULE_TERM_ARRAY)
            return RULE_TERM_ARRAY;
        if (n->kind == AST_OR && k->state == RULE_TERM_TRUE)
            return RULE_TERM_TRUE;
        if (n->kind == AST_AND && k->state == RULE_TERM_FALSE)
            return RULE_TERM_FALSE;
        all = all && k->state != RULE_TERM_SKIPPED;
        odd ^= k->state == RULE_TERM_TRUE;
    }
    if (!all)
        return RULE_TERM_SKIPPED;
    return (n->kind == AST_XOR ? odd : n->kind == AST_AND) ? RULE_TERM_TRUE : RULE_TERM_FALSE;
}

static struct rule_term *
term_new(struct rule_explain *e, const struct rule_prog *p, const struct ast_node *n,
         const struct rule_mark *marks)
{
    struct rule_term *t = mem_new(&e->region, struct rule_term), **tail;
    if (!t)
        return NULL;
    t->op = op_name(n);
    t->at = n->at;
    t->text = (acd_slice){(const char *)p->text.ptr + n->at, n->len};
    tail = &t->kids;
    const struct ast_node *logic =
        n->arg && n->arg->kind == AST_ARG_LOGIC && n->arg->logic->kind != AST_BARE ? n->arg->logic : NULL;
    for (const struct ast_node *k = n->kids ? n->kids : logic; k; k = n->kids ? k->next : NULL) {
        *tail = term_new(e, p, k, marks);
        if (!*tail)
            return NULL;
        tail = &(*tail)->next;
    }
    const struct rule_mark *m = &marks[n->id];
    int known = rule_const(n);
    if (m->seen) {
        bool array = n->kind != AST_ANY && n->kind != AST_ALL && m->has_bits;
        t->state = array ? RULE_TERM_ARRAY : m->outcome ? RULE_TERM_TRUE : RULE_TERM_FALSE;
        t->has_value = m->value.tag != RULE_V_BITS;
        t->value = m->value;
        t->has_bits = m->has_bits;
        t->bits = m->bits;
    } else if (known >= 0) {
        t->state = known ? RULE_TERM_TRUE : RULE_TERM_FALSE;
    } else if (n->kind == AST_NOT) {
        t->state = t->kids->state == RULE_TERM_TRUE    ? RULE_TERM_FALSE
                   : t->kids->state == RULE_TERM_FALSE ? RULE_TERM_TRUE
                                                       : t->kids->state;
    } else if (n->kind == AST_AND || n->kind == AST_OR || n->kind == AST_XOR) {
        t->state = chain_state(n, t->kids);
    }
    return t;
}

/* Which terms made t what it is: of `or` that holds the one that held, of one that fails all of them. */
static void
decide(struct rule_term *t)
{
    t->decided = true;
    for (struct rule_term *k = t->kids; k; k = k->next) {
        bool settles = (strcmp(t->op, "or") == 0 && t->state == RULE_TERM_TRUE) ||
                       (strcmp(t->op, "and") == 0 && t->state == RULE_TERM_FALSE);
        if (k->state == RULE_TERM_SKIPPED || (settles && k->state != t->state))
            continue;
        decide(k);
        if (settles)
            break;
    }
}

int
rule_explain(const struct rule_prog *p, struct rule_ctx *c, struct rule_result *ret_result,
             struct rule_explain **ret)
{
    struct rule_explain *e = calloc(1, sizeof(*e));
    struct rule_mark *marks = calloc(p->ast.nodes + 1, sizeof(*marks));
    if (e)
        mem_init(&e->region, EXPLAIN_BLOCK, 0);
    if (!e || !marks) {
        free(marks);
        rule_explain_free(e);
        return ACD_ENOMEM;
    }
    (void)rule_eval_traced(p, c, marks, &e->result);
    e->root = term_new(e, p, p->ast.root, marks);
    free(marks);
    if (!e->root) {
        rule_explain_free(e);
        return ACD_ENOMEM;
    }
    if (e->result.outcome != RULE_FAILED)
        decide(e->root);
    *ret_result = e->result;
    *ret = e;
    return 0;
}

void
rule_explain_free(struct rule_explain *e)
{
    if (!e)
        return;
    mem_done(&e->region);
    free(e);
}

const struct rule_term *
rule_explain_root(const struct rule_explain *e)
{
    return e->root;
}

static const char *
state_name(enum rule_term_state s)
{
    static const char *const names[] = {"not evaluated", "false", "true", "per element"};
    return names[s];
}

static void
text_term(struct buf *out, const struct rule_term *t, unsigned depth)
{
    buf_printf(out, "%s%*s%s", t->decided ? "* " : "  ", (int)(2 * depth), "", state_name(t->state));
    buf_printf(out, "  %s", strcmp(t->op, "term") == 0 ? "" : t->op);
    if (!t->kids) {
        buf_puts(out, strcmp(t->op, "term") == 0 ? "" : ": ");
        for (size_t i = 0; i < t->text.len; i++) {
            char c = ((const char *)t->text.ptr)[i];
            buf_putc(out, c == '\n' || c == '\r' ? ' ' : c);
        }
    }
    if (t->has_value) {
        buf_puts(out, "  <- ");
        rule_value_text(out, &t->value, VALUE_TEXT_MAX);
    }
    if (t->has_bits && t->bits.tag == RULE_V_BITS) {
        buf_puts(out, "  = ");
        rule_value_text(out, &t->bits, VALUE_TEXT_MAX);
    }
    buf_putc(out, '\n');
    for (const struct rule_term *k = t->kids; k; k = k->next)
        text_term(out, k, depth + 1);
}

void
rule_explain_text(struct buf *out, const struct rule_explain *e)
{
    if (e->result.outcome == RULE_FAILED)
        buf_printf(out, "failed: %s (%llu steps)\n", e->result.reason, (unsigned long long)e->result.steps);
    else
        buf_printf(out, "%s (%llu steps)\n", e->result.outcome == RULE_TRUE ? "true" : "false",
                   (unsigned long long)e->result.steps);
    text_term(out, e->root, 0);
}

static void
json_term(struct buf *out, const struct rule_term *t)
{
    static const char *const states[] = {"null", "false", "true", "null"};
    buf_printf(out, "{\"op\":\"%s\",\"at\":%zu,\"text\":", t->op, t->at);
    rule_json_string(out, t->text);
    buf_printf(out, ",\"evaluated\":%s,\"result\":%s,\"decided\":%s",
               t->state == RULE_TERM_SKIPPED ? "false" : "true", states[t->state],
               t->decided ? "true" : "false");
    if (t->has_value) {
        buf_puts(out, ",\"value\":");
        rule_value_json(out, &t->value);
    }
    if (t->has_bits && t->bits.tag == RULE_V_BITS) {
        buf_puts(out, ",\"elements\":");
        rule_value_json(out, &t->bits);
    }
    if (t->kids)
        buf_puts(out, ",\"terms\":[");
    for (const struct rule_term *k = t->kids; k; k = k->next) {
        json_term(out, k);
        buf_puts(out, k->next ? "," : "]");
    }
    buf_putc(out, '}');
}

void
rule_explain_json(struct buf *out, const struct rule_explain *e)
{
    static const char *const outcomes[] = {"false", "true", "null"};
    buf_printf(out, "{\"result\":%s,", outcomes[e->result.outcome]);
    if (e->result.reason)
        buf_printf(out, "\"reason\":\"%s\",", e->result.reason);
    buf_printf(out, "\"steps\":%llu,\"term\":", (unsigned long long)e->result.steps);
    json_term(out, e->root);
    buf_putc(out, '}');
}
