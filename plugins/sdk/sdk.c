#include "sdk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int
sdk_fail(acd_err *err, int code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
    }
    return code;
}

const acd_conf_val *
sdk_conf_find(const acd_conf_val *vals, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(vals[i].key, key) == 0)
            return &vals[i];
    return NULL;
}

const char *
sdk_conf_str(const acd_conf_val *vals, size_t n, const char *key)
{
    const acd_conf_val *v = sdk_conf_find(vals, n, key);
    return v ? v->str.ptr : NULL;
}

int64_t
sdk_conf_int(const acd_conf_val *vals, size_t n, const char *key)
{
    const acd_conf_val *v = sdk_conf_find(vals, n, key);
    return v ? v->num : 0;
}

bool
sdk_conf_bool(const acd_conf_val *vals, size_t n, const char *key)
{
    return sdk_conf_int(vals, n, key) != 0;
}

uint64_t
sdk_now_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
sdk_deadline(const acd_call *call)
{
    return call && ACD_HAS(call, deadline_ns) ? call->deadline_ns : 0;
}

acd_slice
sdk_slice(const char *s)
{
    return (acd_slice){s, s ? strlen(s) : 0};
}

bool
sdk_slice_is(acd_slice a, const char *s)
{
    return a.len == strlen(s) && (a.len == 0 || memcmp(a.ptr, s, a.len) == 0);
}

/* Length of the sequence at p with n bytes left, 0 when it is none (RFC 3629 section 4, "Syntax of UTF-8").
 */
static size_t
utf8_sequence(const unsigned char *p, size_t n)
{
    unsigned char lo = 0x80, hi = 0xbf;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
        return 0;
    if (p[0] == 0xe0)
        lo = 0xa0; /* overlong */
    else if (p[0] == 0xed)
        hi = 0x9f; /* surrogates */
    else if (p[0] == 0xf0)
        lo = 0x90; /* overlong */
    else if (p[0] == 0xf4)
        hi = 0x8f; /* beyond U+10FFFF */
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool
sdk_text_valid(acd_slice s)
{
    const unsigned char *p = s.ptr;
    for (size_t i = 0; i < s.len;) {
        size_t n = p[i] == 0 ? 0 : p[i] < 0x80 ? 1 : utf8_sequence(p + i, s.len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

bool
sdk_counter_window(int64_t delta, int64_t lo, int64_t hi, int64_t *ret_min, int64_t *ret_max)
{
    if (lo > hi)
        return false;
    if (__builtin_sub_overflow(lo, delta, ret_min)) {
        if (delta < 0)
            return false; /* even the largest counter ends below lo */
        *ret_min = INT64_MIN;
    }
    if (__builtin_sub_overflow(hi, delta, ret_max)) {
        if (delta > 0)
            return false; /* even the smallest counter ends above hi */
        *ret_max = INT64_MAX;
    }
    return *ret_min <= *ret_max;
}
