/*
 * Fields, calls, indexes and arguments. What an argument is, is decided on its first characters, in the order
 * of the reference: a string; a full logical expression; what can only be a name; and last a trial of
 * everything.
 */
#include <string.h>

#include "base/str.h"
#include "rule/parse_expr.h"

enum { INDEX_STEP = 4 };

/* Array of n elements that grows by doubling inside the region; the old one is left behind there. */
static void *
grow(struct lex *l, void *old, unsigned n, size_t size)
{
    if (n < INDEX_STEP ? n != 0 : (n & (n - 1)) != 0)
        return old;
    void *p = mem_array(l->region, n < INDEX_STEP ? INDEX_STEP : 2 * (size_t)n, size);
    if (!p)
        (void)lex_no_memory(l);
    else if (n)
        memcpy(p, old, n * size);
    return p;
}

/* What stands between [ and ]. */
static bool
index_key(struct lex *l, struct ast_index *ret)
{
    size_t at = l->at;
    int64_t n;
    if (lex_take(l, "*")) {
        ret->kind = AST_INDEX_EACH;
        return true;
    }
    if (lex_peek(l) == '"') {
        struct rule_value key;
        if (!lex_quoted(l, &key))
            return false;
        if (!utf8_valid(key.bytes))
            return lex_fail(l, RULE_E_SYNTAX, at, l->at - at, "a key is UTF-8 text");
        ret->kind = AST_INDEX_KEY;
        ret->key = key.bytes;
        return true;
    }
    if (!lex_int(l, &n) || n < 0 || n > UINT32_MAX)
        return lex_fail(l, RULE_E_SYNTAX, at, l->at - at,
                        "expected a quoted key, an index from 0 to %u, or `*`", UINT32_MAX);
    ret->kind = AST_INDEX_INT;
    ret->n = (uint32_t)n;
    return true;
}

static bool
one_index(struct lex *l, struct ast_value *v)
{
    size_t at = l->at;
    struct ast_index index = {0};
    char text[RULE_TYPE_TEXT_MAX];
    l->at++;
    lex_space(l);
    if (!index_key(l, &index) || !lex_expect(l, "]"))
        return false;
    bool map = rule_type_is_map(v->type), array = rule_type_is_array(v->type);
    if ((index.kind == AST_INDEX_INT && !array) || (index.kind == AST_INDEX_KEY && !map) || (!map && !array))
        return lex_fail(l, RULE_E_TYPE, at, l->at - at, "%s takes %s", rule_type_text(v->type, text),
                        map     ? "a quoted key or `*`"
                        : array ? "an integer or `*`"
                                : "no index");
    v->type = rule_type_inner(v->type);
    v->each += index.kind == AST_INDEX_EACH;
    v->indexes = grow(l, v->indexes, v->nindexes, sizeof(index));
    if (!v->indexes)
        return false;
    v->indexes[v->nindexes++] = index;
    return true;
}

/* At the opening parenthesis. */
static bool
call_args(struct lex *l, struct ast_value *v)
{
    l->at++;
    lex_space(l);
    while (l->at < l->end && lex_peek(l) != ')') {
        if (v->nargs > 0) {
            if (!lex_expect(l, ","))
                return false;
            lex_space(l);
        }
        struct ast_arg arg = {0};
        if (!parse_arg(l, &arg))
            return false;
        if (v->nargs >= v->func->most)
            return lex_fail(l, RULE_E_ARGUMENTS, arg.at, arg.len, "%s takes at most %u argument%s",
                            v->func->name, v->func->most, v->func->most == 1 ? "" : "s");
        if (!check_arg(l, v, v->nargs, &arg))
            return false;
        v->args[v->nargs++] = arg;
        lex_space(l);
    }
    if (v->nargs < v->func->least)
        return lex_fail(l, RULE_E_ARGUMENTS, l->at, l->at < l->end, "%s takes at least %u argument%s",
                        v->func->name, v->func->least, v->func->least == 1 ? "" : "s");
    return lex_expect(l, ")");
}

static bool
call(struct lex *l, size_t at, struct ast_value *v)
{
    if (!lex_expect(l, "("))
        return false;
    if (!parse_enter(l, l->at - 1))
        return false;
    l->at--;
    v->args = mem_new_n(l->region, v->func->most, struct ast_arg);
    if (!v->args)
        return lex_no_memory(l);
    l->in_args++;
    bool ok = call_args(l, v);
    l->in_args--;
    if (!ok)
        return false;
    l->depth--;
    v->root = v->func->result.base == RULE_NONE ? v->args[0].type : v->func->result;
    if (v->args[0].kind == AST_ARG_VALUE && v->args[0].value->each > 0 && !rule_type_array(v->root, &v->root))
        return lex_fail(l, RULE_E_TYPE, at, l->at - at, "the result has more than %d layers",
                        RULE_TYPE_DEPTH_MAX);
    return true;
}

bool
parse_value(struct lex *l, struct ast_value *ret)
{
    size_t at = l->at;
    acd_slice name;
    struct ast_value v = {.field = -1};
    if (!lex_name(l, &name))
        return false;
    v.field = rule_scheme_find_field(l->scheme, name);
    if (v.field >= 0) {
        v.root = l->scheme->fields[v.field].type;
    } else {
        v.func = rule_func_find(name);
        if (!v.func)
            return lex_fail(l, RULE_E_IDENTIFIER, at, name.len, "unknown field or function `%.*s`",
                            name.len < 64 ? (int)name.len : 64, (const char *)name.ptr);
        if (!call(l, at, &v))
            return false;
    }
    v.type = v.root;
    while (lex_peek(l) == '[')
        if (!one_index(l, &v))
            return false;
    *ret = v;
    return true;
}

/* A letter that no number, address or byte list has. */
static bool
above_hex(char c)
{
    return (c > 'f' && c <= 'z') || (c > 'F' && c <= 'Z') || c == '_';
}

static bool
surely_name(const struct lex *l)
{
    for (size_t i = 0; i < 3 && l->at + i < l->end; i++) {
        char c = l->text[l->at + i];
        if (above_hex(c))
            return true;
        if (!lex_name_char(c))
            return false;
    }
    return false;
}

/* A field or call, with one comparison if an operator follows. */
static bool
value_arg(struct lex *l, struct ast_arg *ret)
{
    size_t at = l->at;
    struct ast_value *v = mem_new(l->region, struct ast_value);
    if (!v)
        return lex_no_memory(l);
    if (!parse_value(l, v))
        return false;
    if (parse_operator_ahead(l)) {
        ret->kind = AST_ARG_LOGIC;
        if (!parse_comparison(l, v, at, &ret->logic))
            return false;
        ret->type = ret->logic->type;
        return true;
    }
    ret->kind = AST_ARG_VALUE;
    ret->value = v;
    ret->type = v->type;
    return true;
}

/* Everything in turn. All errors but limits are forgotten: which of the readings was meant is unknown. */
static bool
any_arg(struct lex *l, struct ast_arg *ret)
{
    struct lex start = *l;
    int64_t n;
    l->in_args++;
    bool ok = value_arg(l, ret);
    if (ok || l->error.kind == RULE_E_LIMIT || l->no_memory) {
        l->in_args--;
        return ok;
    }
    *l = start;
    ret->kind = AST_ARG_LITERAL;
    if (lex_ip(l, &ret->literal)) {
        ret->type = RULE_TYPE(RULE_IP);
        return true;
    }
    *l = start;
    if (lex_int(l, &n)) {
        ret->literal = RULE_INT_VALUE(n);
        ret->type = RULE_TYPE(RULE_INT);
        return true;
    }
    *l = start;
    if (lex_bytes(l, &ret->literal)) {
        ret->type = RULE_TYPE(RULE_BYTES);
        return true;
    }
    *l = start;
    return lex_fail(l, RULE_E_SYNTAX, l->at, l->at < l->end, "this is no argument");
}

static bool
arg_by_start(struct lex *l, struct ast_arg *ret)
{
    char c = lex_peek(l), next = l->at + 1 < l->end ? l->text[l->at + 1] : '\0';
    if (c == '"' || (c == 'r' && (next == '"' || next == '#'))) {
        ret->kind = AST_ARG_LITERAL;
        ret->type = RULE_TYPE(RULE_BYTES);
        return lex_bytes(l, &ret->literal);
    }
    if (c == '(' || c == '!' || lex_starts(l, "not") || parse_quantifier_ahead(l)) {
        ret->kind = AST_ARG_LOGIC;
        if (!parse_logical(l, &ret->logic))
            return false;
        ret->type = ret->logic->type;
        return true;
    }
    return surely_name(l) ? value_arg(l, ret) : any_arg(l, ret);
}

bool
parse_arg(struct lex *l, struct ast_arg *ret)
{
    *ret = (struct ast_arg){.at = l->at};
    if (l->at == l->end)
        return lex_fail(l, RULE_E_SYNTAX, l->at, 0, "expected an argument");
    if (!arg_by_start(l, ret))
        return false;
    ret->len = l->at - ret->at;
    return true;
}
