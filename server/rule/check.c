/* Arguments of functions: kind, type and, of literals, value. The words of scheme.def decide; what they
 * cannot say is written out below. */
#include <string.h>

#include "base/str.h"
#include "rule/parse_expr.h"

/* Word number i of a row's parameters; the last one repeats. */
static const char *
param(const char *words, unsigned i)
{
    const char *next;
    for (; i > 0 && (next = strchr(words, ' ')); i--)
        words = next + 1;
    return words;
}

static bool
has_letter(const char *word, char c)
{
    for (word++; *word && *word != ' '; word++)
        if (*word == c)
            return true;
    return false;
}

static bool
type_fits(const char *word, struct rule_type t)
{
    static const char simple[] = {'\0', 'o', 'i', 'b', 'p'}; /* by enum rule_base */
    if (t.base == RULE_NONE)
        return false;
    if (t.depth == 0)
        return has_letter(word, simple[t.base]);
    if (t.depth == 1 && t.maps == 0 && t.base == RULE_BYTES && has_letter(word, 's'))
        return true;
    return has_letter(word, rule_type_is_map(t) ? 'm' : 'a');
}

static bool
only_letters(acd_slice s, const char *letters)
{
    const char *p = s.ptr;
    for (size_t i = 0; i < s.len; i++)
        if (p[i] == '\0' || !strchr(letters, p[i]))
            return false;
    return true;
}

static bool
int_between(const struct ast_arg *arg, int64_t lo, int64_t hi)
{
    return arg->kind != AST_ARG_LITERAL || (arg->literal.i >= lo && arg->literal.i <= hi);
}

/* NULL: fine. */
static const char *
special(const struct ast_value *v, unsigned i, const struct ast_arg *arg)
{
    switch ((enum rule_func_id)(v->func - rule_func_at(0))) {
    case RULE_FN_CONCAT:
        return i == 0 || rule_type_eq(v->args[0].type, arg->type) ? NULL : "all arguments have one type";
    case RULE_FN_URL_DECODE:
        return i == 0 || only_letters(arg->literal.bytes, "ru") ? NULL : "the options are letters of \"ru\"";
    case RULE_FN_CIDR:
        if (i == 1)
            return int_between(arg, 1, 32) ? NULL : "the prefix length of IPv4 is 1 to 32";
        return i == 0 || int_between(arg, 1, 128) ? NULL : "the prefix length of IPv6 is 1 to 128";
    case RULE_FN_CIDR6:
        return i == 0 || int_between(arg, 1, 128) ? NULL : "the prefix length of IPv6 is 1 to 128";
    case RULE_FN_HAS_VALUE:
        if (i == 0)
            return arg->type.depth == 1 ? NULL : "elements of a simple type are needed";
        return rule_type_eq(arg->type, rule_type_inner(v->args[0].type))
                   ? NULL
                   : "the type is not that of the elements";
    case RULE_FN_LOOKUP_JSON_STRING:
    case RULE_FN_LOOKUP_JSON_INTEGER:
        return !rule_type_is(arg->type, RULE_INT) || int_between(arg, 0, INT64_MAX)
                   ? NULL
                   : "a position counts from 0";
    case RULE_FN_IS_TIMED_HMAC_VALID_V0:
        if (i == 2 || i == 4)
            return int_between(arg, 0, INT64_MAX) ? NULL : "a number below 0";
        if (i == 5)
            return arg->literal.bytes.len <= 1 && only_letters(arg->literal.bytes, "s")
                       ? NULL
                       : "the only flag is \"s\"";
        return NULL;
    default:
        return NULL;
    }
}

bool
check_arg(struct lex *l, const struct ast_value *v, unsigned i, const struct ast_arg *arg)
{
    const char *word = param(v->func->params, i), *problem;
    char text[RULE_TYPE_TEXT_MAX];
    bool literal = arg->kind == AST_ARG_LITERAL;
    if (i > 0 && arg->kind == AST_ARG_VALUE && arg->value->each > 0)
        return lex_fail(l, RULE_E_TYPE, arg->at, arg->len, "`[*]` is allowed only in the first argument");
    if (literal ? *word == 'F' : *word == 'L')
        return lex_fail(l, RULE_E_ARGUMENTS, arg->at, arg->len, "argument %u of %s is %s literal", i + 1,
                        v->func->name, literal ? "never a" : "always a");
    if (!type_fits(word, arg->type))
        return lex_fail(l, RULE_E_ARGUMENTS, arg->at, arg->len, "argument %u of %s is not of type %s", i + 1,
                        v->func->name, rule_type_text(arg->type, text));
    problem = special(v, i, arg);
    if (problem)
        return lex_fail(l, RULE_E_ARGUMENTS, arg->at, arg->len, "argument %u of %s: %s", i + 1, v->func->name,
                        problem);
    return true;
}
