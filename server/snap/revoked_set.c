/*
 * A part: where its buckets begin (one number more than there are buckets), the stored octets of all entries
 * in order, their times, their reasons, two to an octet. Numbers are those of the machine.
 *
 * The bijection is one round of a Feistel network: the first octets are xored with a keyed hash of the
 * others. A width of at least 8 leaves enough others to hash, however small the numbers are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rand.h"
#include "snap/hash.h"
#include "snap/revoked.h"

enum {
    WIDTH_MIN = 8,
    PART_FEW = 64,    /* entries of a part on average: below, the set is cut into fewer */
    PART_GOOD = 256,  /* what a new cut aims at */
    PART_MANY = 1024, /* above, it is cut into more */
    PART_MAX = 65535, /* entries of one part: bucket starts are 16 bits */
};

/* Octets of the permuted number that are not stored. */
static unsigned
head_len(const struct snap_revoked_shape *s)
{
    return s->bits <= 8 ? 1 : 2;
}

static uint32_t
buckets_of(const struct snap_revoked_shape *s)
{
    return 1u << (8 * head_len(s) - s->bits);
}

static bool
shape_ok(const struct snap_revoked_shape *s)
{
    return s->width >= WIDTH_MIN && s->width <= SNAP_REVOKED_SERIAL && s->bits <= SNAP_REVOKED_BITS;
}

/* --- numbers
 * ------------------------------------------------------------------------------------------------
 */

/* The shortest form of a two's complement number. */
static acd_slice
shortest(acd_slice serial)
{
    const uint8_t *p = serial.ptr;
    while (serial.len > 1 && ((p[0] == 0x00 && !(p[1] & 0x80)) || (p[0] == 0xff && p[1] & 0x80)))
        p++, serial.len--;
    return (acd_slice){p, serial.len};
}

/* To `width` octets, sign extended; false: it takes more. */
static bool
widen(acd_slice serial, unsigned width, uint8_t *out)
{
    acd_slice s = shortest(serial);
    if (s.len == 0 || s.len > width)
        return false;
    memset(out, *(const uint8_t *)s.ptr & 0x80 ? 0xff : 0x00, width - s.len);
    memcpy(out + width - s.len, s.ptr, s.len);
    return true;
}

/* Its own inverse. */
static void
permute(const struct snap_revoked_shape *s, uint8_t *number)
{
    unsigned head = head_len(s);
    uint64_t hash = XXH3_64bits_withSeed(number + head, s->width - head, s->seed);
    for (unsigned i = 0; i < head; i++)
        number[i] ^= (uint8_t)(hash >> (8 * i));
}

/* Part and bucket of a permuted number. */
static void
place(const struct snap_revoked_shape *s, const uint8_t *number, uint32_t *ret_part, uint32_t *ret_bucket)
{
    unsigned head = head_len(s);
    uint32_t q = head == 1 ? number[0] : (uint32_t)number[0] << 8 | number[1];
    *ret_part = q >> (8 * head - s->bits);
    *ret_bucket = q & (buckets_of(s) - 1);
}

/* --- parts
 * --------------------------------------------------------------------------------------------------
 */

struct part {
    const uint8_t *starts, *rest, *times, *reasons;
    uint32_t n, buckets;
    unsigned stride;
};

static uint32_t
start_at(const struct part *p, uint32_t bucket)
{
    uint16_t at;
    memcpy(&at, p->starts + 2 * (size_t)bucket, sizeof(at));
    return at;
}

static size_t
part_bytes(const struct snap_revoked_shape *s, size_t n)
{
    return 2 * ((size_t)buckets_of(s) + 1) + n * (s->width - head_len(s) + 4) + (n + 1) / 2;
}

static bool
part_open(const struct snap_revoked_shape *s, acd_slice bytes, struct part *ret)
{
    if (!shape_ok(s))
        return false;
    struct part p = {.starts = bytes.ptr, .buckets = buckets_of(s), .stride = s->width - head_len(s)};
    if (bytes.len < part_bytes(s, 0))
        return false;
    p.n = start_at(&p, p.buckets);
    if (bytes.len != part_bytes(s, p.n))
        return false;
    p.rest = p.starts + 2 * ((size_t)p.buckets + 1);
    p.times = p.rest + (size_t)p.n * p.stride;
    p.reasons = p.times + 4 * (size_t)p.n;
    *ret = p;
    return true;
}

static struct snap_revoked_entry
entry_at(const struct part *p, uint32_t i)
{
    uint32_t at;
    memcpy(&at, p->times + 4 * (size_t)i, sizeof(at));
    return (struct snap_revoked_entry){at, p->reasons[i / 2] >> (4 * (i % 2)) & 15};
}

uint32_t
snap_revoked_part_of(const struct snap_revoked_shape *shape, acd_slice serial)
{
    uint8_t number[SNAP_REVOKED_SERIAL];
    uint32_t part, bucket;
    if (!shape_ok(shape) || !widen(serial, shape->width, number))
        return 0;
    permute(shape, number);
    place(shape, number, &part, &bucket);
    return part;
}

int
snap_revoked_part_find(const struct snap_revoked_shape *shape, acd_slice bytes, acd_slice serial,
                       struct snap_revoked_entry *ret)
{
    uint8_t number[SNAP_REVOKED_SERIAL];
    uint32_t part, bucket;
    struct part p;
    if (!part_open(shape, bytes, &p))
        return ACD_ECORRUPT;
    if (!widen(serial, shape->width, number))
        return 0;
    permute(shape, number);
    place(shape, number, &part, &bucket);
    uint32_t lo = start_at(&p, bucket), hi = start_at(&p, bucket + 1);
    if (lo > hi || hi > p.n)
        return ACD_ECORRUPT;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = memcmp(p.rest + (size_t)mid * p.stride, number + head_len(shape), p.stride);
        if (c == 0) {
            *ret = entry_at(&p, mid);
            return 1;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

/* --- building
 * -----------------------------------------------------------------------------------------------
 */

struct item {
    uint8_t number[SNAP_REVOKED_SERIAL]; /* in full width, to the right; permuted, to the left */
    uint8_t reason;
    uint8_t later;
    uint32_t at;
};

struct snap_revoked_set {
    struct item *items;
    size_t n, cap;
    unsigned width; /* that the widest number takes */
};

int
snap_revoked_new(struct snap_revoked_set **ret, acd_err *err)
{
    *ret = calloc(1, sizeof(**ret));
    return *ret ? 0 : err_set(err, ACD_ENOMEM, "out of memory");
}

void
snap_revoked_free(struct snap_revoked_set *set)
{
    if (set)
        free(set->items);
    free(set);
}

int
snap_revoked_copy(const struct snap_revoked_set *set, struct snap_revoked_set **ret, acd_err *err)
{
    struct snap_revoked_set *copy = malloc(sizeof(*copy));
    struct item *items = malloc((set->n ? set->n : 1) * sizeof(*items));
    if (!copy || !items) {
        free(copy);
        free(items);
        return err_set(err, ACD_ENOMEM, "no memory for %zu revoked certificates", set->n);
    }
    if (set->n)
        memcpy(items, set->items, set->n * sizeof(*items));
    *copy = (struct snap_revoked_set){items, set->n, set->n, set->width};
    *ret = copy;
    return 0;
}

size_t
snap_revoked_count(const struct snap_revoked_set *set)
{
    return set->n;
}

static int
set_grow(struct snap_revoked_set *set, acd_err *err)
{
    if (set->n < set->cap)
        return 0;
    if (set->n == SNAP_REVOKED_ENTRIES)
        return err_set(err, ACD_ELIMIT, "more than %d revoked certificates of one CA", SNAP_REVOKED_ENTRIES);
    size_t cap = set->cap + set->cap / 2 + 64;
    struct item *items = realloc(set->items, cap * sizeof(*items));
    if (!items)
        return err_set(err, ACD_ENOMEM, "no memory for %zu revoked certificates", cap);
    set->items = items;
    set->cap = cap;
    return 0;
}

int
snap_revoked_add(struct snap_revoked_set *set, acd_slice serial, const struct snap_revoked_entry *entry,
                 bool later, acd_err *err)
{
    struct item item = {.reason = (uint8_t)entry->reason, .later = later, .at = (uint32_t)entry->at_s};
    if (entry->at_s < 0 || entry->at_s > UINT32_MAX)
        return err_set(err, ACD_EINVAL, "a revocation date outside of 1970 to 2106");
    if (entry->reason > SNAP_REVOKED_REASON_MAX)
        return err_set(err, ACD_EINVAL, "an unknown revocation reason, %u", entry->reason);
    if (!widen(serial, SNAP_REVOKED_SERIAL, item.number))
        return err_set(err, ACD_EINVAL, "a serial number of %zu octets, where 1 to %d are allowed",
                       serial.len, SNAP_REVOKED_SERIAL);
    int rc = set_grow(set, err);
    if (rc < 0)
        return rc;
    size_t len = shortest(serial).len;
    set->width = len > set->width ? (unsigned)len : set->width;
    set->items[set->n++] = item;
    return 0;
}

int
snap_revoked_load(struct snap_revoked_set *set, const struct snap_revoked_shape *shape, uint32_t part,
                  acd_slice bytes, acd_err *err)
{
    uint8_t number[SNAP_REVOKED_SERIAL];
    struct part p;
    if (!part_open(shape, bytes, &p) || part >> shape->bits)
        return err_set(err, ACD_ECORRUPT, "part %u of a revocation set is damaged", part);
    unsigned head = head_len(shape);
    for (uint32_t bucket = 0, i = 0; bucket < p.buckets; bucket++) {
        uint32_t q = part << (8 * head - shape->bits) | bucket, end = start_at(&p, bucket + 1);
        if (end > p.n || start_at(&p, bucket) > end)
            return err_set(err, ACD_ECORRUPT, "part %u of a revocation set is damaged", part);
        for (; i < end; i++) {
            struct snap_revoked_entry e = entry_at(&p, i);
            for (unsigned k = 0; k < head; k++)
                number[k] = (uint8_t)(q >> (8 * (head - 1 - k)));
            memcpy(number + head, p.rest + (size_t)i * p.stride, p.stride);
            permute(shape, number);
            int rc = snap_revoked_add(set, (acd_slice){number, shape->width}, &e, false, err);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

static int
by_number(const void *a_, const void *b_, void *width)
{
    const struct item *a = a_, *b = b_;
    int c = memcmp(a->number, b->number, *(const uint8_t *)width);
    return c ? c : a->later - b->later;
}

/* Sorted and permuted: of two with one number the later counts, and what is removed goes. */
static int
set_settle(struct snap_revoked_set *set, uint8_t width, acd_err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->n; i++) {
        const struct item *it = &set->items[i], *next = i + 1 < set->n ? it + 1 : NULL;
        if (next && memcmp(it->number, next->number, width) == 0) {
            if (it->later == next->later)
                return err_set(err, ACD_EEXIST, "a serial number is listed twice");
            continue;
        }
        if (it->reason != SNAP_REVOKED_REMOVED)
            set->items[kept++] = *it;
    }
    set->n = kept;
    return 0;
}

static uint8_t
bits_for(size_t n, const struct snap_revoked_shape *old)
{
    uint8_t bits = 0;
    if (old->width && n <= (size_t)PART_MANY << old->bits &&
        (old->bits == 0 || n >= (size_t)PART_FEW << old->bits))
        return old->bits;
    if (n > PART_MANY)
        while (bits < SNAP_REVOKED_BITS && n > (size_t)PART_GOOD << bits)
            bits++;
    return bits;
}

static void
part_write(const struct snap_revoked_shape *s, const struct item *items, size_t n, uint8_t *out)
{
    uint32_t buckets = buckets_of(s), next = 0;
    unsigned head = head_len(s), stride = s->width - head;
    uint8_t *rest = out + 2 * ((size_t)buckets + 1), *times = rest + n * stride, *reasons = times + 4 * n;
    memset(reasons, 0, (n + 1) / 2);
    for (size_t i = 0; i <= n; i++) {
        uint32_t part, bucket = buckets;
        uint16_t at = (uint16_t)i;
        if (i < n)
            place(s, items[i].number, &part, &bucket);
        for (; next <= bucket; next++)
            memcpy(out + 2 * (size_t)next, &at, sizeof(at));
        if (i == n)
            break;
        memcpy(rest + i * stride, items[i].number + head, stride);
        memcpy(times + 4 * i, &items[i].at, 4);
        reasons[i / 2] |= (uint8_t)(items[i].reason << (4 * (i % 2)));
    }
}

static int
parts_write(const struct snap_revoked_set *set, const struct snap_revoked_shape *s, snap_revoked_part_fn fn,
            void *ctx, acd_err *err)
{
    int rc = 0;
    for (uint32_t part = 0, at = 0, end; rc == 0 && part >> s->bits == 0; part++, at = end) {
        uint32_t mine = part, bucket;
        for (end = at; end < set->n; end++) {
            place(s, set->items[end].number, &mine, &bucket);
            if (mine != part)
                break;
        }
        size_t n = end - at, bytes = part_bytes(s, n);
        uint8_t *out = n <= PART_MAX ? malloc(bytes) : NULL;
        if (!out)
            return n > PART_MAX ? err_set(err, ACD_ELIMIT, "a revocation set is cut unevenly")
                                : err_set(err, ACD_ENOMEM, "out of memory");
        part_write(s, set->items + at, n, out);
        rc = fn(ctx, part, (acd_slice){out, bytes});
        free(out);
    }
    return rc;
}

int
snap_revoked_build(struct snap_revoked_set *set, const struct snap_revoked_shape *old,
                   struct snap_revoked_shape *ret, snap_revoked_part_fn fn, void *ctx, acd_err *err)
{
    struct snap_revoked_shape s = {.seed = old->seed, .width = WIDTH_MIN, .bits = bits_for(set->n, old)};
    if (old->width > s.width)
        s.width = old->width;
    if (set->width > s.width)
        s.width = (uint8_t)set->width;
    if (!old->width)
        rand_bytes(&s.seed, sizeof(s.seed));
    for (size_t i = 0; i < set->n; i++) {
        uint8_t *number = set->items[i].number;
        memmove(number, number + SNAP_REVOKED_SERIAL - s.width, s.width);
        permute(&s, number);
    }
    if (set->n)
        qsort_r(set->items, set->n, sizeof(*set->items), by_number, &s.width);
    int rc = set_settle(set, s.width, err);
    s.count = (uint32_t)set->n;
    if (rc == 0)
        rc = parts_write(set, &s, fn, ctx, err);
    *ret = s;
    set->n = 0;
    return rc;
}
