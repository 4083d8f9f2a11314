/*
 * Byte strings: open addressing over a table of at least twice as many slots as elements; a slot holds half
 * of the hash and where the record lies, so a miss rarely leaves the slot and a hit reads one record.
 * Elements come from administrators and the table never changes, so a fixed hash is enough: whoever chooses
 * the looked-up value cannot make a run of slots longer than it is.
 *
 * A few strings: one after the other, first bytes and length at a time, in place of hash and table.
 *
 * Numbers: sorted, merged ranges and a binary search for the last range that begins at or before the value.
 */
#include "rule/set.h"

#include <stdlib.h>
#include <string.h>

#include "rule/bytes.h"

enum { POOL_START = 4 };

static inline uint64_t
mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

#define HASH_A UINT64_C(0x9e3779b97f4a7c15)
#define HASH_B UINT64_C(0xe7037ed1a0b428db)
#define HASH_C UINT64_C(0x8ebc6af09c88c6e3)

uint64_t
rule_hash(const void *ptr, size_t len)
{
    const uint8_t *p = ptr;
    uint64_t h = HASH_A ^ len, a, b;
    size_t left = len;
    for (; left > 16; left -= 16, p += 16)
        h = mix(bytes_load64(p) ^ HASH_B, bytes_load64(p + 8) ^ h);
    if (left >= 8) {
        a = bytes_load64(p);
        b = bytes_load64(p + left - 8);
    } else if (left >= 4) {
        a = bytes_load32(p);
        b = bytes_load32(p + left - 4);
    } else if (left > 0) {
        a = (uint64_t)p[0] << 16 | (uint64_t)p[left >> 1] << 8 | p[left - 1];
        b = 0;
    } else {
        a = b = 0;
    }
    return mix(mix(a ^ HASH_B, b ^ h), HASH_C ^ len);
}

static inline uint64_t
length_bit(size_t len)
{
    return UINT64_C(1) << (len < 63 ? len : 63);
}

static inline int64_t
index_few(const struct rule_set *s, const void *p, size_t len)
{
    uint64_t head = bytes_head(p, len), tail = bytes_tail(p, len);
    for (size_t i = 0; i < s->len; i++) {
        const struct rule_set_few *f = &s->few[i];
        if (f->head == head && f->tail == tail && f->len == len &&
            (len <= 16 || bytes_same(f->bytes, p, len)))
            return (int64_t)i;
    }
    return -1;
}

int64_t
rule_set_index(const struct rule_set *s, const void *p, size_t len)
{
    if (!(s->lengths & length_bit(len)))
        return -1;
    if (!s->slots)
        return index_few(s, p, len);
    uint64_t h = rule_hash(p, len);
    uint32_t print = (uint32_t)(h >> 32);
    for (uint32_t i = (uint32_t)h & s->mask; s->slots[i].off; i = (i + 1) & s->mask) {
        if (s->slots[i].print != print)
            continue;
        const uint8_t *rec = s->pool + s->slots[i].off;
        if (bytes_load32(rec) == len && bytes_same(rec + 4, p, len))
            return (int64_t)i;
    }
    return -1;
}

/* The last of n ranges that begins at or before the value; the first if none does. Inlined for each kind of
 * range, without a branch on what is compared. */
typedef bool begins_fn(const void *range, const void *value);

__attribute__((always_inline)) static inline const void *
last_begun(const void *ranges, size_t n, size_t size, begins_fn *begins, const void *value)
{
    const char *base = ranges;
    while (n > 1) {
        size_t half = n / 2;
        base = begins(base + half * size, value) ? base + half * size : base;
        n -= half;
    }
    return base;
}

static inline bool
int_begins(const void *range, const void *value)
{
    return ((const struct rule_int_range *)range)->lo <= *(const int64_t *)value;
}

static inline bool
ip4_begins(const void *range, const void *value)
{
    return ((const struct rule_ip4_range *)range)->lo <= *(const uint32_t *)value;
}

static inline bool
ip6_begins(const void *range, const void *value)
{
    return rule_ip_cmp(((const struct rule_ip6_range *)range)->lo, *(const struct rule_ip *)value) <= 0;
}

bool
rule_set_has_int(const struct rule_set *s, int64_t v)
{
    const struct rule_int_range *r = last_begun(s->ints, s->len, sizeof(*r), int_begins, &v);
    return s->len && r->lo <= v && v <= r->hi;
}

bool
rule_set_search_ip(const struct rule_set *s, const struct rule_value *v)
{
    if (v->family == 4) {
        uint32_t ip = (uint32_t)v->ip.lo;
        const struct rule_ip4_range *r = last_begun(s->ip4, s->n4, sizeof(*r), ip4_begins, &ip);
        return s->n4 && r->lo <= ip && ip <= r->hi;
    }
    const struct rule_ip6_range *r = last_begun(s->ip6, s->n6, sizeof(*r), ip6_begins, &v->ip);
    return s->n6 && rule_ip_cmp(r->lo, v->ip) <= 0 && rule_ip_cmp(v->ip, r->hi) <= 0;
}

static void
put_bytes(struct rule_set *s, acd_slice v)
{
    uint32_t n = (uint32_t)v.len;
    if (rule_set_index(s, v.ptr, v.len) >= 0)
        return;
    if (s->slots) {
        uint64_t h = rule_hash(v.ptr, v.len);
        uint32_t i = (uint32_t)h & s->mask;
        while (s->slots[i].off)
            i = (i + 1) & s->mask;
        s->slots[i] = (struct rule_set_slot){(uint32_t)(h >> 32), (uint32_t)s->pool_len};
    } else {
        s->few[s->len] = (struct rule_set_few){bytes_head(v.ptr, v.len), bytes_tail(v.ptr, v.len), v.len,
                                               s->pool + s->pool_len + 4};
    }
    memcpy(s->pool + s->pool_len, &n, 4);
    if (n)
        memcpy(s->pool + s->pool_len + 4, v.ptr, n);
    s->pool_len += 4 + n;
    s->lengths |= length_bit(v.len);
    s->len++;
}

static int
build_bytes(struct rule_set *s, const struct rule_value *v, size_t n)
{
    size_t pool = POOL_START, slots = 8;
    for (size_t i = 0; i < n; i++)
        pool += 4 + v[i].bytes.len;
    if (pool > UINT32_MAX || n > UINT32_MAX / 4)
        return ACD_ELIMIT;
    s->pool = malloc(pool);
    s->pool_len = POOL_START;
    if (!s->pool)
        return ACD_ENOMEM;
    if (n > RULE_SET_LINEAR) {
        while (slots < 2 * n)
            slots *= 2;
        s->slots = calloc(slots, sizeof(*s->slots));
        s->mask = (uint32_t)(slots - 1);
        if (!s->slots)
            return ACD_ENOMEM;
    }
    for (size_t i = 0; i < n; i++)
        put_bytes(s, v[i].bytes);
    return 0;
}

static int
int_cmp(const void *a, const void *b)
{
    const struct rule_int_range *x = a, *y = b;
    return (x->lo > y->lo) - (x->lo < y->lo);
}

static int
ip4_cmp(const void *a, const void *b)
{
    const struct rule_ip4_range *x = a, *y = b;
    return (x->lo > y->lo) - (x->lo < y->lo);
}

static int
ip6_cmp(const void *a, const void *b)
{
    return rule_ip_cmp(((const struct rule_ip6_range *)a)->lo, ((const struct rule_ip6_range *)b)->lo);
}

static int
build_ints(struct rule_set *s, const struct rule_value *lo, const struct rule_value *hi, size_t n)
{
    s->ints = calloc(n ? n : 1, sizeof(*s->ints));
    if (!s->ints)
        return ACD_ENOMEM;
    for (size_t i = 0; i < n; i++)
        s->ints[i] = (struct rule_int_range){lo[i].i, hi[i].i};
    qsort(s->ints, n, sizeof(*s->ints), int_cmp);
    for (size_t i = 0; i < n; i++) {
        struct rule_int_range *last = s->len ? &s->ints[s->len - 1] : NULL;
        if (last && (last->hi == INT64_MAX || s->ints[i].lo <= last->hi + 1))
            last->hi = s->ints[i].hi > last->hi ? s->ints[i].hi : last->hi;
        else
            s->ints[s->len++] = s->ints[i];
    }
    return 0;
}

static void
merge_ips(struct rule_set *s, size_t n4, size_t n6)
{
    qsort(s->ip4, n4, sizeof(*s->ip4), ip4_cmp);
    qsort(s->ip6, n6, sizeof(*s->ip6), ip6_cmp);
    for (size_t i = 0; i < n4; i++) {
        struct rule_ip4_range *last = s->n4 ? &s->ip4[s->n4 - 1] : NULL;
        if (last && (last->hi == UINT32_MAX || s->ip4[i].lo <= last->hi + 1))
            last->hi = s->ip4[i].hi > last->hi ? s->ip4[i].hi : last->hi;
        else
            s->ip4[s->n4++] = s->ip4[i];
    }
    for (size_t i = 0; i < n6; i++) {
        struct rule_ip6_range *last = s->n6 ? &s->ip6[s->n6 - 1] : NULL;
        if (last && rule_ip_cmp(s->ip6[i].lo, last->hi) <= 0)
            last->hi = rule_ip_cmp(s->ip6[i].hi, last->hi) > 0 ? s->ip6[i].hi : last->hi;
        else
            s->ip6[s->n6++] = s->ip6[i];
    }
    s->len = s->n4 + s->n6;
}

static int
build_ips(struct rule_set *s, const struct rule_value *lo, const struct rule_value *hi, size_t n)
{
    size_t n4 = 0, n6 = 0;
    s->ip4 = calloc(n + 1, sizeof(*s->ip4));
    s->ip6 = calloc(n + 1, sizeof(*s->ip6));
    if (!s->ip4 || !s->ip6)
        return ACD_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (lo[i].family == 4)
            s->ip4[n4++] = (struct rule_ip4_range){(uint32_t)lo[i].ip.lo, (uint32_t)hi[i].ip.lo};
        else
            s->ip6[n6++] = (struct rule_ip6_range){lo[i].ip, hi[i].ip};
    }
    merge_ips(s, n4, n6);
    return 0;
}

int
rule_set_new(enum rule_base kind, const struct rule_value *lo, const struct rule_value *hi, size_t n,
             struct rule_set **ret)
{
    struct rule_set *s = calloc(1, sizeof(*s));
    int r;
    if (!s)
        return ACD_ENOMEM;
    s->kind = kind;
    if (kind == RULE_BYTES)
        r = build_bytes(s, lo, n);
    else if (kind == RULE_INT)
        r = build_ints(s, lo, hi, n);
    else
        r = build_ips(s, lo, hi, n);
    if (r < 0)
        rule_set_free(s);
    else
        *ret = s;
    return r;
}

void
rule_set_free(struct rule_set *s)
{
    if (!s)
        return;
    free(s->slots);
    free(s->pool);
    free(s->ints);
    free(s->ip4);
    free(s->ip6);
    free(s);
}
