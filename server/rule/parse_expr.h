/* What the files of the parser share: parse.c (logic), parse_value.c (fields, calls, arguments), parse_cmp.c
 * (comparisons and operands), check.c (arguments of functions). Inside the parser only. */
#ifndef RULE_PARSE_EXPR_H
#define RULE_PARSE_EXPR_H

#include "rule/ast.h"
#include "rule/lex.h"

struct ast_node *parse_node(struct lex *l, enum ast_kind kind, size_t at);
bool parse_enter(struct lex *l, size_t at); /* one level deeper; the error points to at */

bool parse_logical(struct lex *l, struct ast_node **ret);
bool parse_quantifier_ahead(const struct lex *l);

bool parse_value(struct lex *l, struct ast_value *ret);
bool parse_arg(struct lex *l, struct ast_arg *ret);

/* Is there a comparison operator here? Moves nothing. */
bool parse_operator_ahead(const struct lex *l);
/* The rest of a comparison whose value has been read, or the value alone when it is complete by itself. */
bool parse_comparison(struct lex *l, const struct ast_value *value, size_t at, struct ast_node **ret);

/* Argument number i of call v, of which the earlier ones are in v->args. */
bool check_arg(struct lex *l, const struct ast_value *v, unsigned i, const struct ast_arg *arg);

#endif
