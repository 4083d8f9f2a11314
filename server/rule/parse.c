/*
 * Logical expressions by precedence climbing. How far reading has got when types are compared is part of the
 * contract (errors point there), so the climbing keeps one operator of look-ahead with its position.
 */
#include "rule/parse.h"

#include <string.h>

#include "base/str.h"
#include "rule/parse_expr.h"

const char *
rule_error_kind_name(enum rule_error_kind kind)
{
    static const char *const names[] = {"syntax", "value", "identifier", "type", "arguments", "limit"};
    return names[kind];
}

struct ast_node *
parse_node(struct lex *l, enum ast_kind kind, size_t at)
{
    struct ast_node *n = mem_new(l->region, struct ast_node);
    if (!n) {
        (void)lex_no_memory(l);
        return NULL;
    }
    n->kind = kind;
    n->type = RULE_TYPE(RULE_BOOL);
    n->at = at;
    n->id = l->nodes++;
    return n;
}

bool
parse_enter(struct lex *l, size_t at)
{
    if (l->depth >= RULE_DEPTH_MAX)
        return lex_fail(l, RULE_E_LIMIT, at, 1, "nested more than %d deep", RULE_DEPTH_MAX);
    l->depth++;
    return true;
}

/* An operator and where reading goes on behind it; op 0: none, and the position is right after the operand.
 */
struct ahead {
    int op;
    size_t at;
};

static struct ahead
logical_ahead(struct lex *l)
{
    static const struct {
        const char *word;
        int op;
    } ops[] = {
#define RULE_LOGICAL(word, op) {word, AST_##op},
#include "rule/token.def"
#undef RULE_LOGICAL
    };
    size_t start = l->at;
    struct ahead a = {0, start};
    lex_space(l);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (!lex_take(l, ops[i].word))
            continue;
        lex_space(l);
        a = (struct ahead){ops[i].op, l->at};
        break;
    }
    l->at = start;
    return a;
}

bool
parse_quantifier_ahead(const struct lex *l)
{
    struct lex probe = *l;
    if (!lex_take(&probe, "any") && !lex_take(&probe, "all"))
        return false;
    lex_space(&probe);
    return lex_peek(&probe) == '(';
}

static bool
quantifier(struct lex *l, struct ast_node **ret)
{
    struct ast_node *n = parse_node(l, lex_starts(l, "any") ? AST_ANY : AST_ALL, l->at);
    const char *word = lex_starts(l, "any") ? "any" : "all";
    char text[RULE_TYPE_TEXT_MAX];
    if (!n || !(n->arg = mem_new(l->region, struct ast_arg)))
        return lex_no_memory(l);
    l->at += 3;
    lex_space(l);
    if (!parse_enter(l, l->at))
        return false;
    l->at++;
    lex_space(l);
    if (!parse_arg(l, n->arg))
        return false;
    const struct ast_arg *a = n->arg;
    bool poison = a->kind == AST_ARG_LOGIC && a->type.base == RULE_NONE;
    if (!poison && (a->kind == AST_ARG_LITERAL || !rule_type_is_bools(a->type) ||
                    (a->kind == AST_ARG_VALUE && a->value->each > 0)))
        return lex_fail(l, RULE_E_TYPE, a->at, a->len, "%s takes Array<Bool>, not %s", word,
                        rule_type_text(a->type, text));
    if (!lex_expect(l, ")"))
        return false;
    l->depth--;
    n->len = l->at - n->at;
    *ret = n;
    return true;
}

static bool simple_or_resume(struct lex *l, struct ast_node **ret);

static bool
negation(struct lex *l, struct ast_node **ret)
{
    struct ast_node *n = parse_node(l, AST_NOT, l->at);
    char text[RULE_TYPE_TEXT_MAX];
    if (!n || !parse_enter(l, l->at))
        return false;
    if (!lex_take(l, "not"))
        l->at++;
    lex_space(l);
    if (!simple_or_resume(l, &n->kids))
        return false;
    n->type = n->kids->type;
    if (!rule_type_is(n->type, RULE_BOOL) && !rule_type_is_bools(n->type) && n->type.base != RULE_NONE)
        return lex_fail(l, RULE_E_TYPE, l->at, 0, "`not` takes Bool or Array<Bool>, not %s",
                        rule_type_text(n->type, text));
    l->depth--;
    n->len = l->at - n->at;
    *ret = n;
    return true;
}

static bool
simple(struct lex *l, struct ast_node **ret)
{
    size_t at = l->at;
    struct ast_value value;
    if (lex_starts(l, "(")) {
        if (!parse_enter(l, at))
            return false;
        l->at++;
        lex_space(l);
        if (!parse_logical(l, ret) || !lex_expect(l, ")"))
            return false;
        l->depth--;
        return true;
    }
    if (lex_starts(l, "not") || lex_starts(l, "!"))
        return negation(l, ret);
    if (parse_quantifier_ahead(l))
        return quantifier(l, ret);
    return parse_value(l, &value) && parse_comparison(l, &value, at, ret);
}

/* Moves to the next logical operator, or closing parenthesis, of the nesting that position start has, behind
 * the error. */
static void
skip_operand(struct lex *l, size_t start, size_t error)
{
    unsigned depth = 0;
    for (l->at = start; l->at < l->end; l->at++) {
        char c = lex_peek(l), before = l->at > start ? l->text[l->at - 1] : ' ';
        if (c == '"') {
            for (l->at++; l->at < l->end && lex_peek(l) != '"'; l->at++)
                l->at += lex_peek(l) == '\\';
        } else if (c == '(' || c == '[' || c == '{') {
            depth++;
        } else if (c == ')' || c == ']' || c == '}') {
            if (depth == 0 && c == ')')
                return;
            depth -= depth > 0;
        } else if (depth == 0 && l->at > error && !lex_name_char(before)) {
            struct ahead a = logical_ahead(l);
            if (a.op && (!lex_name_char(c) || a.at >= l->end || !lex_name_char(l->text[a.at - 1])))
                return;
        }
    }
    l->at = l->end;
}

/* In a run that reports several errors a refused operand is replaced and reading goes on behind it. Syntax
 * errors leave open where the operand ends, and limits are not about one operand: both end the run. */
static bool
simple_or_resume(struct lex *l, struct ast_node **ret)
{
    size_t start = l->at;
    unsigned depth = l->depth;
    if (simple(l, ret))
        return true;
    if (!l->all || l->in_args > 0 || l->no_memory || l->error.kind == RULE_E_SYNTAX ||
        l->error.kind == RULE_E_LIMIT || l->all_n + 1 >= l->all_max)
        return false;
    l->all[l->all_n++] = l->error;
    skip_operand(l, start, l->error.at);
    l->depth = depth;
    *ret = parse_node(l, AST_POISON, start);
    if (!*ret)
        return false;
    (*ret)->type = RULE_TYPE(RULE_NONE);
    return true;
}

static bool
same_kind_of_bool(struct lex *l, const struct ast_node *a, const struct ast_node *b, size_t at)
{
    char ta[RULE_TYPE_TEXT_MAX], tb[RULE_TYPE_TEXT_MAX];
    if (a->type.base == RULE_NONE || b->type.base == RULE_NONE)
        return true;
    if (rule_type_eq(a->type, b->type) && (rule_type_is(a->type, RULE_BOOL) || rule_type_is_bools(a->type)))
        return true;
    return lex_fail(l, RULE_E_TYPE, at, 0, "operands of a logical operator are %s and %s",
                    rule_type_text(a->type, ta), rule_type_text(b->type, tb));
}

/* lhs op rhs; a chain of one operator is one node. */
static bool
combine(struct lex *l, int op, struct ast_node *lhs, struct ast_node *rhs, struct ast_node **ret)
{
    struct ast_node *n = lhs, *last;
    if ((int)lhs->kind != op || lhs->next) {
        n = parse_node(l, (enum ast_kind)op, lhs->at);
        if (!n)
            return false;
        n->kids = lhs;
        n->type = lhs->type;
    }
    for (last = n->kids; last->next; last = last->next)
        ;
    last->next = rhs;
    if (rhs->type.base == RULE_NONE) /* with a refused operand the whole cannot be judged */
        n->type = rhs->type;
    n->len = l->at - n->at;
    *ret = n;
    return true;
}

/* lhs has been read and operator *ahead follows. Takes operators that bind at least as tightly as `least`. */
static bool
climb(struct lex *l, struct ast_node **lhs, int least, struct ahead *ahead)
{
    while (ahead->op) {
        int op = ahead->op;
        struct ast_node *rhs;
        l->at = ahead->at;
        if (!simple_or_resume(l, &rhs))
            return false;
        size_t behind = l->at;
        for (*ahead = logical_ahead(l); ahead->op > op;) {
            if (!climb(l, &rhs, ahead->op, ahead))
                return false;
            behind = l->at;
            *ahead = logical_ahead(l);
        }
        if (!same_kind_of_bool(l, *lhs, rhs, ahead->at) || !combine(l, op, *lhs, rhs, lhs))
            return false;
        l->at = behind;
        if (ahead->op < least) /* belongs to a caller */
            break;
    }
    return true;
}

bool
parse_logical(struct lex *l, struct ast_node **ret)
{
    struct ahead ahead;
    if (!simple_or_resume(l, ret))
        return false;
    ahead = logical_ahead(l);
    return climb(l, ret, 0, &ahead);
}

static bool
whole(struct lex *l, acd_slice text, struct ast *ret)
{
    char type[RULE_TYPE_TEXT_MAX];
    if (text.len > RULE_TEXT_MAX)
        return lex_fail(l, RULE_E_LIMIT, RULE_TEXT_MAX, text.len - RULE_TEXT_MAX,
                        "the expression is longer than %d bytes", RULE_TEXT_MAX);
    if (!utf8_valid(text)) {
        size_t n = text.len;
        while (!utf8_valid(slice_of(text.ptr, n)))
            n--;
        return lex_fail(l, RULE_E_SYNTAX, n, 1, "the expression is not UTF-8");
    }
    lex_trim(l, text);
    if (!parse_logical(l, &ret->root))
        return false;
    if (!rule_type_is(ret->root->type, RULE_BOOL) && ret->root->type.base != RULE_NONE)
        return lex_fail(l, RULE_E_TYPE, l->at, 0, "a filter is Bool, not %s",
                        rule_type_text(ret->root->type, type));
    if (l->at < l->end)
        return lex_fail(l, RULE_E_SYNTAX, l->at, l->end - l->at, "unexpected text after the expression");
    ret->nodes = l->nodes;
    return true;
}

int
rule_parse(const struct rule_scheme *scheme, acd_slice text, struct mem_region *region, struct ast *ret,
           struct rule_error *ret_error)
{
    struct lex l = {.scheme = scheme, .region = region, .text = text.ptr};
    struct ast ast = {0};
    if (!whole(&l, text, &ast)) {
        *ret_error = l.error;
        return l.no_memory ? ACD_ENOMEM : ACD_EINVAL;
    }
    *ret = ast;
    return 0;
}

int
rule_parse_all(const struct rule_scheme *scheme, acd_slice text, struct mem_region *region,
               struct rule_error *ret_errors, unsigned max, unsigned *ret_n)
{
    struct lex l = {.scheme = scheme, .region = region, .text = text.ptr, .all = ret_errors, .all_max = max};
    struct ast ast = {0};
    must(max > 0);
    if (!whole(&l, text, &ast)) {
        if (l.no_memory)
            return ACD_ENOMEM;
        ret_errors[l.all_n++] = l.error;
    }
    *ret_n = l.all_n;
    return l.all_n > 0 ? ACD_EINVAL : 0;
}

void
rule_error_print(struct buf *out, acd_slice text, const struct rule_error *error)
{
    const char *p = text.ptr;
    size_t at = error->at < text.len ? error->at : text.len, line = 1, start = 0, end;
    for (size_t i = 0; i < at; i++)
        if (p[i] == '\n') {
            line++;
            start = i + 1;
        }
    for (end = at; end < text.len && p[end] != '\n'; end++)
        ;
    buf_printf(out, "Filter parsing error (%zu:%zu):\n", line, at - start + 1);
    buf_put(out, p + start, end - start);
    buf_putc(out, '\n');
    for (size_t i = start; i < at; i++)
        buf_putc(out, ' ');
    size_t carets = error->len < end - at ? error->len : end - at;
    for (size_t i = 0; i == 0 || i < carets; i++)
        buf_putc(out, '^');
    buf_printf(out, " %s\n", error->message);
}
