/*
 * Parser and type checker in one pass, so that the first error in reading order is the one reported.
 *
 * Any thread; no state outside the arguments. The tree and the copies in it lie in the caller's region, and
 * borrow the scheme. Positions and lengths are bytes from the start of the untrimmed text.
 */
#ifndef RULE_PARSE_H
#define RULE_PARSE_H

#include <anchord/types.h>

#include "base/buf.h"
#include "base/mem.h"
#include "rule/ast.h"
#include "rule/limits.h"
#include "rule/scheme.h"

enum rule_error_kind {
    RULE_E_SYNTAX,     /* unexpected or missing token, unterminated literal, bad escape letter */
    RULE_E_VALUE,      /* a literal that reads well and is not acceptable */
    RULE_E_IDENTIFIER, /* unknown field, function or list */
    RULE_E_TYPE,       /* wrong type for an operator, an index, a quantifier, the filter */
    RULE_E_ARGUMENTS,  /* number, kind, type or value of a function's arguments */
    RULE_E_LIMIT,      /* nesting, length, number of regular expressions */
};

struct rule_error {
    enum rule_error_kind kind;
    size_t at, len;
    char message[RULE_MESSAGE_MAX];
};

const char *rule_error_kind_name(enum rule_error_kind kind); /* "syntax", "value", ... */

/* ACD_EINVAL: refused, *ret_error says why. ACD_ENOMEM: the region is full. */
int rule_parse(const struct rule_scheme *scheme, acd_slice text, struct mem_region *region, struct ast *ret,
               struct rule_error *ret_error) ACD_MUSTCHECK;

/* Reports up to max errors in reading order; *ret_n = 0 and 0 returned: the expression is fine. After an
 * error whose extent is known (all kinds but syntax and limit) reading goes on behind the next logical
 * operator of the same nesting, and what depends on the refused operand is not judged. */
int rule_parse_all(const struct rule_scheme *scheme, acd_slice text, struct mem_region *region,
                   struct rule_error *ret_errors, unsigned max, unsigned *ret_n) ACD_MUSTCHECK;

/* The form for people: "Filter parsing error (LINE:COLUMN):", the line, carets and the message. */
void rule_error_print(struct buf *out, acd_slice text, const struct rule_error *error);

#endif
