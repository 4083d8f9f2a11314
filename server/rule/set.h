/*
 * Sets behind `in`: bytes (hashed), integers and addresses (merged sorted ranges). Built once, then read-only
 * and free for any thread. A set owns copies of everything.
 */
#ifndef RULE_SET_H
#define RULE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#include "base/must.h"
#include "rule/value.h"

struct rule_int_range {
    int64_t lo, hi;
};
struct rule_ip4_range {
    uint32_t lo, hi;
};
struct rule_ip6_range {
    struct rule_ip lo, hi;
};

/* One slot of the hash table; off 0: free. The record at off is a 4-byte length and the bytes. */
struct rule_set_slot {
    uint32_t print, off;
};

/* Up to so many strings or ranges are looked at one after the other. */
enum { RULE_SET_LINEAR = 4 };

/* One of a few strings. */
struct rule_set_few {
    uint64_t head, tail; /* the first and the last bytes: bytes_head, bytes_tail */
    size_t len;
    const uint8_t *bytes;
};

struct rule_set {
    enum rule_base kind;
    size_t len;                               /* elements, or ranges after merging, of both families */
    uint64_t lengths;                         /* bytes: bit min(len, 63) for every element's length */
    uint32_t mask;                            /* slots - 1 */
    struct rule_set_slot *slots;              /* bytes, more than RULE_SET_LINEAR */
    struct rule_set_few few[RULE_SET_LINEAR]; /* bytes, no more than that */
    uint8_t *pool;                            /* bytes: records one after the other, the first at 4 */
    size_t pool_len;                          /* bytes used of the pool */
    struct rule_int_range *ints;              /* sorted, disjoint, not adjacent */
    struct rule_ip4_range *ip4;
    struct rule_ip6_range *ip6;
    size_t n4, n6;
};

/* lo[i]..hi[i], all of the simple type `kind`; for bytes hi is not read and may be NULL. Every lo <= hi,
 * families agree. Duplicates and overlaps are fine. */
int rule_set_new(enum rule_base kind, const struct rule_value *lo, const struct rule_value *hi, size_t n,
                 struct rule_set **ret) ACD_MUSTCHECK;
void rule_set_free(struct rule_set *s);

bool rule_set_has_int(const struct rule_set *s, int64_t v);
bool rule_set_search_ip(const struct rule_set *s, const struct rule_value *v);

static inline bool
rule_set_has_ip(const struct rule_set *s, const struct rule_value *v)
{
    uint32_t ip = (uint32_t)v->ip.lo;
    if (v->family != 4 || s->n4 > RULE_SET_LINEAR)
        return rule_set_search_ip(s, v);
    for (size_t i = 0; i < s->n4; i++)
        if (ip - s->ip4[i].lo <= s->ip4[i].hi - s->ip4[i].lo)
            return true;
    return false;
}

/* A number of the element, different for each and at most mask (hashed) or below len (not hashed); -1: it is
 * not in the set. For tables by value. */
int64_t rule_set_index(const struct rule_set *s, const void *p, size_t len);

static inline bool
rule_set_has_bytes(const struct rule_set *s, const void *p, size_t len)
{
    return s->lengths >> (len < 63 ? len : 63) & 1 && rule_set_index(s, p, len) >= 0;
}

/* By the set's kind; v has that type. */
static inline bool
rule_set_has(const struct rule_set *s, const struct rule_value *v)
{
    if (s->kind == RULE_BYTES)
        return rule_set_has_bytes(s, v->bytes.ptr, v->bytes.len);
    return s->kind == RULE_INT ? rule_set_has_int(s, v->i) : rule_set_has_ip(s, v);
}

uint64_t rule_hash(const void *p, size_t len);

#endif
