/*
 * Canonical text of an expression: words for operators, one space between tokens, parentheses only where they
 * are needed, quoted strings. Parsing it gives the same tree. It can be longer than the text that was given,
 * and so longer than RULE_TEXT_MAX; then keep the original. Any thread.
 */
#ifndef RULE_PRINT_H
#define RULE_PRINT_H

#include "base/buf.h"
#include "rule/ast.h"

void rule_print(struct buf *out, const struct rule_scheme *scheme, const struct ast *ast);

/* Same tree, positions and texts aside? For tests and for finding rules that say the same. */
bool rule_ast_eq(const struct ast *a, const struct ast *b);

#endif
