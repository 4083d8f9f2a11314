/*
 * Values: slices, never C strings; they may hold NUL bytes and bytes above 7F. Whoever fills a value owns
 * what it points to, and keeps it until the context that holds it is reset. Anyone may include it; any
 * thread.
 */
#ifndef RULE_VALUE_H
#define RULE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#include "rule/type.h"

/* The first four equal enum rule_base, so that a simple type and its values share one number. */
enum rule_tag {
    RULE_V_NIL = 0, /* missing */
    RULE_V_BOOL = RULE_BOOL,
    RULE_V_INT = RULE_INT,
    RULE_V_BYTES = RULE_BYTES,
    RULE_V_IP = RULE_IP,
    RULE_V_ARRAY,
    RULE_V_MAP,
    RULE_V_BITS,  /* inside the evaluator only: one byte of 0 or 1 per element */
    RULE_V_UNSET, /* inside a context only: nobody has asked yet */
};

/* Addresses as numbers. IPv4 lies in lo with hi = 0; an IPv4-mapped IPv6 address is IPv6. */
struct rule_ip {
    uint64_t hi, lo;
};

struct rule_entry;

struct rule_value {
    uint8_t tag;
    uint8_t family; /* of an address: 4 or 6 */
    uint32_t order; /* scratch of rule_map_sort */
    union {
        bool b;
        int64_t i;
        acd_slice bytes;
        struct rule_ip ip;
        struct {
            const struct rule_value *items;
            size_t len;
        } array;
        struct {
            const struct rule_entry *items; /* sorted bytewise by key, no key twice: see rule_map_sort */
            size_t len;
        } map;
        struct {
            const uint8_t *items;
            size_t len;
        } bits;
    };
};

struct rule_entry {
    acd_slice key;
    struct rule_value value;
};

#define RULE_NIL_VALUE     ((struct rule_value){.tag = RULE_V_NIL})
#define RULE_BOOL_VALUE(v) ((struct rule_value){.tag = RULE_V_BOOL, .b = (v)})
#define RULE_INT_VALUE(v)  ((struct rule_value){.tag = RULE_V_INT, .i = (v)})

static inline struct rule_value
rule_bytes_value(const void *p, size_t len)
{
    return (struct rule_value){.tag = RULE_V_BYTES, .bytes = {p, len}};
}

static inline struct rule_value
rule_array_value(const struct rule_value *items, size_t len)
{
    return (struct rule_value){.tag = RULE_V_ARRAY, .array = {items, len}};
}

static inline struct rule_value
rule_map_value(const struct rule_entry *items, size_t len)
{
    return (struct rule_value){.tag = RULE_V_MAP, .map = {items, len}};
}

/* From network byte order: 4 or 16 bytes. */
struct rule_value rule_ip_value(const uint8_t *p, size_t len);

/* Dotted quad without leading zeros, or RFC 4291 text without a zone. */
bool rule_ip_parse(acd_slice text, struct rule_value *ret);
/* An address (one element), or a network in CIDR form whose host bits are zero. */
bool rule_net_parse(acd_slice text, struct rule_value *ret_lo, struct rule_value *ret_hi);
/* First and last address of the network of len bits around ip. */
void rule_net_bounds(struct rule_value ip, unsigned len, struct rule_value *ret_lo,
                     struct rule_value *ret_hi);
#define RULE_IP_TEXT_MAX 48
void rule_ip_print(struct rule_value ip, char out[RULE_IP_TEXT_MAX]);

static inline int
rule_ip_cmp(struct rule_ip a, struct rule_ip b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return (a.lo > b.lo) - (a.lo < b.lo);
}

/* Sorts entries (fewer than 2^32) by key; of equal keys the last one given wins. Returns the new length. */
size_t rule_map_sort(struct rule_entry *items, size_t len);
/* NULL: no such key. */
const struct rule_value *rule_map_find(const struct rule_value *map, acd_slice key);

/* Is v a value of type t (nil is of every type), down to the last element? */
bool rule_value_fits(const struct rule_value *v, struct rule_type t);
bool rule_value_eq(const struct rule_value *a, const struct rule_value *b);
/* As JSON: bytes as text where they are UTF-8, else {"hex":"..."}; addresses as text. */
void rule_value_json(struct buf *out, const struct rule_value *v);
/* For people, cut after about max bytes. */
void rule_value_text(struct buf *out, const struct rule_value *v, size_t max);
void rule_json_string(struct buf *out, acd_slice s);

#endif
