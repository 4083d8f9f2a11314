/* Comparisons: whether an operator is read at all depends on the type of the value before it. */
#include <string.h>

#include "base/str.h"
#include "rule/parse_expr.h"
#include "rule/regex.h"
#include "rule/wild.h"

static const struct {
    const char *word;
    enum ast_op op;
} operators[] = {
#define RULE_OPERATOR(word, op) {word, AST_##op},
#include "rule/token.def"
#undef RULE_OPERATOR
};

/* Takes the operator at the position. -1: none. */
static int
take_operator(struct lex *l)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (lex_take(l, operators[i].word))
            return (int)operators[i].op;
    return -1;
}

bool
parse_operator_ahead(const struct lex *l)
{
    struct lex probe = *l;
    lex_space(&probe);
    return take_operator(&probe) >= 0;
}

static bool
suits(enum ast_op op, struct rule_type t)
{
    if (t.depth > 0)
        return false;
    switch (op) {
    case AST_BITAND:
        return t.base == RULE_INT;
    case AST_CONTAINS:
    case AST_MATCHES:
    case AST_WILDCARD:
    case AST_STRICT:
        return t.base == RULE_BYTES;
    default:
        return t.base == RULE_INT || t.base == RULE_BYTES || t.base == RULE_IP;
    }
}

static bool
element(struct lex *l, enum rule_base base, struct ast_elem *ret)
{
    if (base == RULE_INT)
        return lex_int_elem(l, ret);
    if (base == RULE_IP)
        return lex_ip_elem(l, ret);
    if (!lex_bytes(l, &ret->lo))
        return false;
    ret->hi = ret->lo;
    return true;
}

/* Behind the {. */
static bool
elements(struct lex *l, struct ast_node *n)
{
    size_t cap = 0;
    for (;;) {
        lex_space(l);
        if (lex_take(l, "}"))
            return true;
        if (l->at == l->end)
            return lex_fail(l, RULE_E_SYNTAX, l->at, 0, "expected an element or `}`");
        if (n->nelems == cap) {
            size_t more = cap ? 2 * cap : 8;
            struct ast_elem *p = mem_new_n(l->region, more, struct ast_elem);
            if (!p)
                return lex_no_memory(l);
            if (cap)
                memcpy(p, n->elems, cap * sizeof(*p));
            n->elems = p;
            cap = more;
        }
        if (!element(l, (enum rule_base)n->value->type.base, &n->elems[n->nelems]))
            return false;
        n->nelems++;
    }
}

static bool
named_list(struct lex *l, struct ast_node *n, size_t op_at, size_t op_len)
{
    acd_slice name;
    char text[RULE_TYPE_TEXT_MAX];
    size_t at = l->at;
    if (!lex_list_name(l, &name))
        return false;
    if (n->value->type.base == RULE_BYTES)
        return lex_fail(l, RULE_E_TYPE, op_at, op_len, "there are no lists of %s",
                        rule_type_text(n->value->type, text));
    n->list = rule_scheme_find_list(l->scheme, name);
    if (!n->list)
        return lex_fail(l, RULE_E_IDENTIFIER, at, name.len, "unknown list `$%.*s`", (int)name.len,
                        (const char *)name.ptr);
    if (n->list->kind != n->value->type.base)
        return lex_fail(l, RULE_E_TYPE, op_at, op_len, "list `$%.*s` does not hold %s", (int)name.len,
                        (const char *)name.ptr, rule_type_text(n->value->type, text));
    return true;
}

static bool
pattern(struct lex *l, struct ast_node *n)
{
    size_t at;
    char message[RULE_MESSAGE_MAX];
    if (l->regexes == RULE_REGEX_MAX)
        return lex_fail(l, RULE_E_LIMIT, l->at, 1, "more than %d regular expressions", RULE_REGEX_MAX);
    if (!lex_pattern(l, &n->literal, &at))
        return false;
    l->regexes++;
    if (rule_regex_check(n->literal.bytes, message) < 0)
        return lex_fail(l, RULE_E_VALUE, at, l->at - at, "%s", message);
    return true;
}

static bool
wildcard(struct lex *l, struct ast_node *n)
{
    size_t at = l->at;
    if (lex_peek(l) != '"' && lex_peek(l) != 'r')
        return lex_fail(l, RULE_E_SYNTAX, at, at < l->end, "expected a wildcard: a quoted or raw string");
    if (!lex_bytes(l, &n->literal))
        return false;
    const char *problem = rule_wild_check(n->literal.bytes);
    return problem ? lex_fail(l, RULE_E_VALUE, at, l->at - at, "%s", problem) : true;
}

static bool
operand(struct lex *l, struct ast_node *n, size_t op_at, size_t op_len)
{
    lex_space(l);
    if (n->op == AST_IN) {
        if (lex_take(l, "$"))
            return named_list(l, n, op_at, op_len);
        if (lex_take(l, "{"))
            return elements(l, n);
        return lex_fail(l, RULE_E_SYNTAX, l->at, l->at < l->end, "expected `{` or `$` after in");
    }
    if (n->op == AST_MATCHES)
        return pattern(l, n);
    if (n->op == AST_WILDCARD || n->op == AST_STRICT)
        return wildcard(l, n);
    if (n->value->type.base == RULE_BYTES)
        return lex_bytes(l, &n->literal);
    if (n->value->type.base == RULE_IP)
        return lex_ip(l, &n->literal);
    n->literal.tag = RULE_V_INT;
    return lex_int(l, &n->literal.i);
}

static bool
keep_value(struct lex *l, struct ast_node *n, const struct ast_value *value)
{
    n->value = mem_dup(l->region, value, sizeof(*value));
    return n->value || lex_no_memory(l);
}

static bool
bare(struct lex *l, const struct ast_value *v, size_t at, struct ast_node **ret)
{
    struct ast_node *n = parse_node(l, AST_BARE, at);
    if (!n || !keep_value(l, n, v))
        return false;
    n->type = v->type;
    if (v->each > 0 && (v->type.depth > 0 || !rule_type_array(v->type, &n->type)))
        return lex_fail(l, RULE_E_TYPE, l->at, 0,
                        "arrays of arrays cannot be combined; write `[*]` for each layer");
    n->len = l->at - at;
    *ret = n;
    return true;
}

bool
parse_comparison(struct lex *l, const struct ast_value *v, size_t at, struct ast_node **ret)
{
    char text[RULE_TYPE_TEXT_MAX];
    if (v->type.base == RULE_BOOL && v->type.depth <= 1)
        return bare(l, v, at, ret);
    struct ast_node *n = parse_node(l, AST_CMP, at);
    if (!n || !keep_value(l, n, v))
        return false;
    lex_space(l);
    size_t op_at = l->at;
    int op = take_operator(l);
    if (op < 0)
        return lex_fail(l, RULE_E_SYNTAX, op_at, op_at < l->end, "expected a comparison operator after %s",
                        rule_type_text(v->type, text));
    n->op = (enum ast_op)op;
    if (!suits(n->op, v->type))
        return lex_fail(l, RULE_E_TYPE, op_at, l->at - op_at, "`%.*s` does not suit %s", (int)(l->at - op_at),
                        l->text + op_at, rule_type_text(v->type, text));
    if (!operand(l, n, op_at, l->at - op_at))
        return false;
    if (v->each > 0)
        n->type = (struct rule_type){RULE_BOOL, 1, 0};
    n->len = l->at - at;
    *ret = n;
    return true;
}
