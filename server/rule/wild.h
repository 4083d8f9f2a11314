/*
 * Wildcards: `*` is any run of bytes, the whole value must match; `\*` and `\\` are the escapes. Matching is
 * linear: the pieces between stars are searched one after the other, each from where the one before ended. A
 * compiled wildcard is read-only; its memory lies in the region given.
 */
#ifndef RULE_WILD_H
#define RULE_WILD_H

#include <stdbool.h>

#include <anchord/types.h>

#include "base/mem.h"
#include "base/must.h"

struct rule_wild {
    bool fold;   /* ASCII letters without case; the pieces are lower case then */
    bool copies; /* matching needs room for a copy of the value */
    unsigned n;  /* pieces: one more than stars */
    acd_slice *pieces;
};

/* NULL: fine; else what is wrong. pattern: decoded bytes of the literal. */
const char *rule_wild_check(acd_slice pattern);
/* pattern was checked. */
int rule_wild_init(struct rule_wild *w, struct mem_region *region, acd_slice pattern,
                   bool fold) ACD_MUSTCHECK;
/* room: len bytes when w->copies, else not read. */
bool rule_wild_match(const struct rule_wild *w, const void *p, size_t len, uint8_t *room);

#endif
