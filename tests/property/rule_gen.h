/* Random expressions that are well typed, and random contexts for them. Repeatable: all from one prng. */
#ifndef TESTS_RULE_GEN_H
#define TESTS_RULE_GEN_H

#include "base/buf.h"
#include "base/mem.h"
#include "base/rand.h"
#include "rule/scheme.h"

/* A scheme with fields of many types (x.*) and the lists $nets and $nums. */
struct rule_scheme *rule_gen_scheme(void);
void rule_gen_expression(struct prng *r, const struct rule_scheme *s, struct buf *out);
/* values: one per field of the scheme; some stay missing. */
void rule_gen_context(struct prng *r, const struct rule_scheme *s, struct mem_region *region,
                      struct rule_value *values);

#endif
