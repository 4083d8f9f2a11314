/* The batch form of `rule eval`. See offline_rule.h. */
#ifndef ANCHORCTL_RULE_BATCH_H
#define ANCHORCTL_RULE_BATCH_H

#include <jansson.h>
#include <stdio.h>

/* fields: table of further fields, or NULL. Each line of `in` gets one
 * line of `out`, in order, bad lines included. 0, or 2 when `in` cannot be read. */
int rule_batch(FILE *in, FILE *out, const json_t *fields);

#endif
