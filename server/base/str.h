/* Slices and text: compare, parse numbers, hex, base64. Pure functions, any thread. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <anchord/types.h>

#include "base/must.h"

#define SLICE_LIT(s) ((acd_slice){(s), sizeof(s) - 1})

static inline acd_slice
slice_str(const char *s)
{
    return (acd_slice){s, s ? strlen(s) : 0};
}

static inline acd_slice
slice_of(const void *p, size_t len)
{
    return (acd_slice){p, len};
}

static inline bool
slice_eq(acd_slice a, acd_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool
slice_eqs(acd_slice a, const char *s)
{
    return slice_eq(a, slice_str(s));
}

int slice_cmp(acd_slice a, acd_slice b); /* bytewise, a proper prefix is smaller */
bool str_starts(const char *s, const char *prefix);

/* Decimal, the whole text, no sign (u64) or an optional '-' (i64), no leading '+' or space. False: not a
 * number or out of range. */
bool str_u64(acd_slice s, uint64_t *ret);
bool str_i64(acd_slice s, int64_t *ret);

/* Value of a hex digit of either case; -1: none. */
int hex_digit(int c);

/* Lower-case hex of len bytes, NUL-terminated: out holds 2 * len + 1. */
void hex_encode(const void *p, size_t len, char *out);
/* Exactly len bytes from 2 * len digits of either case. */
bool hex_decode(acd_slice text, uint8_t *out, size_t len);

/* Standard base64 with padding (RFC 4648 section 4), NUL-terminated: out holds BASE64_LEN(len) + 1. */
#define BASE64_LEN(len) ((((len) + 2) / 3) * 4)
size_t base64_encode(const void *p, size_t len, char *out);
/* Strict: padding required, no other characters. out holds text.len / 4 * 3. */
bool base64_decode(acd_slice text, uint8_t *out, size_t *ret_len);

bool utf8_valid(acd_slice s); /* RFC 3629: no surrogates, no overlong forms, at most U+10FFFF */

/* RFC 3339 with offset, to Unix ms and back ("2026-01-02T03:04:05Z", ms only when not zero). */
bool time_parse(acd_slice s, int64_t *ret_ms);
/* RFC 3339 has the years 0000 to 9999: a time outside is refused, or written as the nearest one inside. */
#define TIME_MIN_MS   (-62167219200000)
#define TIME_MAX_MS   253402300799999
#define TIME_TEXT_MAX 32
void time_format(int64_t ms, char out[TIME_TEXT_MAX]);

/* Wipes memory in a way the compiler keeps. */
void wipe(void *p, size_t len);

#endif
