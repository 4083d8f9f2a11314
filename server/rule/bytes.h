/* Short comparisons without a call. Inside rule/ only. */
#ifndef RULE_BYTES_H
#define RULE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
bytes_load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint32_t
bytes_load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

/* memcmp has a call's price, and nearly all values are short. */
static inline bool
bytes_same(const void *x, const void *y, size_t len)
{
    const uint8_t *a = x, *b = y;
    if (len >= 8) {
        for (size_t i = 0; i + 8 <= len; i += 8)
            if (bytes_load64(a + i) != bytes_load64(b + i))
                return false;
        return bytes_load64(a + len - 8) == bytes_load64(b + len - 8);
    }
    if (len >= 4)
        return bytes_load32(a) == bytes_load32(b) && bytes_load32(a + len - 4) == bytes_load32(b + len - 4);
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* The first bytes as one number, at most 8; equal for two texts of the same length of up to 8 only if they
 * are. */
static inline uint64_t
bytes_head(const void *ptr, size_t len)
{
    const uint8_t *p = ptr;
    if (len >= 8)
        return bytes_load64(p);
    if (len >= 4)
        return bytes_load32(p) | (uint64_t)bytes_load32(p + len - 4) << 32;
    if (len == 0)
        return 0;
    return (uint64_t)p[0] << 16 | (uint64_t)p[len >> 1] << 8 | p[len - 1];
}

/* The last 8 bytes; 0 where bytes_head says all. */
static inline uint64_t
bytes_tail(const void *ptr, size_t len)
{
    return len > 8 ? bytes_load64((const uint8_t *)ptr + len - 8) : 0;
}

static inline uint8_t
bytes_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Eight at once. Seven bits of each byte are compared, so that no carry leaves it. */
static inline uint64_t
bytes_lower8(uint64_t v)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = 0x80 * ones;
    uint64_t low = v & ~high, from_a = low + (0x80 - 'A') * ones, above_z = low + (0x7f - 'Z') * ones;
    return v | (from_a & ~above_z & ~v & high) >> 2;
}

/* Is x, in lower case, the lower-case text y? */
static inline bool
bytes_same_lower(const void *x, const void *y, size_t len)
{
    const uint8_t *a = x, *b = y;
    if (len < 8)
        return bytes_lower8(bytes_head(a, len)) == bytes_head(b, len);
    for (size_t i = 0; i + 8 <= len; i += 8)
        if (bytes_lower8(bytes_load64(a + i)) != bytes_load64(b + i))
            return false;
    return bytes_lower8(bytes_load64(a + len - 8)) == bytes_load64(b + len - 8);
}

#endif
