/*
 * A second evaluator of the Rules language, deliberately naive: it walks the tree, copies everything,
 * searches byte by byte and knows no programs, sets or shortcuts. It shares only the tree and the value type
 * with the product. `matches` is left to the caller's expressions: the walker knows literals with `.` and a
 * leading ^ or trailing $.
 */
#ifndef TESTS_RULE_WALK_H
#define TESTS_RULE_WALK_H

#include <stdbool.h>

#include "base/mem.h"
#include "rule/ast.h"
#include "rule/vm.h"

/* Values of all fields, by number. */
bool rule_walk(const struct ast *ast, const struct rule_value *fields, struct mem_region *region);

#endif
