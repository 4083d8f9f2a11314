/*
 * Fields that follow from other fields of the request: arguments, cookies, the extension of the path, the raw
 * forms (nothing is rewritten here, so they equal the plain ones), old spellings. Called by a fill callback
 * when a rule first reads one.
 *
 * One thread, that of the context. What is made lies in the region; texts are borrowed from the source field.
 * A field whose source is missing is missing. ACD_ELIMIT: more than LIMIT_EVALUATE_ELEMENTS elements;
 * ACD_ENOMEM: the region is full; or what filling the source returned.
 */
#ifndef EVAL_DERIVE_H
#define EVAL_DERIVE_H

#include "base/mem.h"
#include "rule/vm.h"

/* *ret stays as it is for a field that is not derived. */
int eval_derive(struct mem_region *r, struct rule_ctx *c, unsigned field,
                struct rule_value *ret) ACD_MUSTCHECK;

#endif
