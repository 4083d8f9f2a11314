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

static inline uint8_t
bytes_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

#endif
