/*
 * One compiled expression. Compile on any thread; a program is read-only afterwards and may be shared; it
 * borrows the scheme. Evaluation is in vm.h, explanations in explain.h, several rules in ruleset.h.
 */
#ifndef RULE_RULE_H
#define RULE_RULE_H

#include <stdbool.h>

#include "base/must.h"
#include "rule/parse.h"
#include "rule/scheme.h"
#include "rule/vm.h"

struct rule_prog;

/* ACD_EINVAL: refused, *ret_error says why. ACD_ENOMEM. The text is copied. */
int rule_compile(const struct rule_scheme *scheme, acd_slice text, struct rule_prog **ret,
                 struct rule_error *ret_error) ACD_MUSTCHECK;
void rule_free(struct rule_prog *p);

acd_slice rule_text(const struct rule_prog *p); /* as it was given */
/* Fields that occur in the expression, ascending. */
const uint16_t *rule_fields(const struct rule_prog *p, unsigned *ret_n);
bool rule_reads(const struct rule_prog *p, unsigned field);
const struct ast *rule_tree(const struct rule_prog *p);

/* A sentence for the author of the rule, or NULL: cert_verified stays true for a revoked certificate, so a
 * rule that reads it and neither cert_revoked nor anchord.cert_trusted probably forgot revocation. */
const char *rule_warning(const struct rule_prog *p);

#endif
