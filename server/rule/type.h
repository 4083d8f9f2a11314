/*
 * Types of the Rules language: four simple ones, wrapped in up to RULE_TYPE_DEPTH_MAX layers of Array and
 * Map. A type is a plain value. Anyone may include it; any thread.
 */
#ifndef RULE_TYPE_H
#define RULE_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include <anchord/types.h>

#include "base/buf.h"
#include "rule/limits.h"

enum rule_base { RULE_NONE = 0, RULE_BOOL, RULE_INT, RULE_BYTES, RULE_IP };

struct rule_type {
    uint8_t base;  /* enum rule_base */
    uint8_t depth; /* layers */
    uint32_t maps; /* bit depth-1 is the outermost layer; set: Map, clear: Array */
};

#define RULE_TYPE(b) ((struct rule_type){(uint8_t)(b), 0, 0})

static inline bool
rule_type_eq(struct rule_type a, struct rule_type b)
{
    return a.base == b.base && a.depth == b.depth && a.maps == b.maps;
}

static inline bool
rule_type_is(struct rule_type t, enum rule_base base)
{
    return t.base == base && t.depth == 0;
}

static inline bool
rule_type_is_map(struct rule_type t)
{
    return t.depth > 0 && (t.maps >> (t.depth - 1) & 1);
}

static inline bool
rule_type_is_array(struct rule_type t)
{
    return t.depth > 0 && !(t.maps >> (t.depth - 1) & 1);
}

/* Array<Bool>: what any and all take. */
static inline bool
rule_type_is_bools(struct rule_type t)
{
    return t.base == RULE_BOOL && t.depth == 1 && t.maps == 0;
}

/* The type inside the outermost layer; t has one. */
struct rule_type rule_type_inner(struct rule_type t);
/* Array<t>; false when that is a layer too many. */
bool rule_type_array(struct rule_type t, struct rule_type *ret);
/* "Map<Array<Bytes>>"; the whole text. */
bool rule_type_parse(acd_slice text, struct rule_type *ret);
void rule_type_print(struct buf *out, struct rule_type t);

#define RULE_TYPE_TEXT_MAX 240
/* Into a fixed array, always NUL-terminated; for messages. */
const char *rule_type_text(struct rule_type t, char out[RULE_TYPE_TEXT_MAX]);

#endif
