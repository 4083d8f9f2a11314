/* `rule fields` and `rule functions`: the words of the Rules language, from its own tables. See
 * offline_rule.h. */
#ifndef ANCHORCTL_RULE_WORDS_H
#define ANCHORCTL_RULE_WORDS_H

#include <stdbool.h>
#include <stdio.h>

/* Return the exit status. */
int rule_words_fields(FILE *out, bool json);
int rule_words_functions(FILE *out, bool json);

/* Names of the fields that a question may give a value, each between `before` and `after`. */
void rule_words_given(FILE *out, const char *before, const char *after);

#endif
