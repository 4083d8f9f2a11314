#include "base/str.h"

#include <stdio.h>
#include <time.h>

int
slice_cmp(acd_slice a, acd_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

bool
str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
str_u64(acd_slice s, uint64_t *ret)
{
    const char *p = s.ptr;
    uint64_t v = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(p[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

bool
str_i64(acd_slice s, int64_t *ret)
{
    bool neg = s.len > 0 && *(const char *)s.ptr == '-';
    uint64_t v;
    if (!str_u64(neg ? slice_of((const char *)s.ptr + 1, s.len - 1) : s, &v))
        return false;
    if (v > (uint64_t)INT64_MAX + (neg ? 1 : 0))
        return false;
    *ret = neg ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

void
hex_encode(const void *p, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = p;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
    out[2 * len] = '\0';
}

int
hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool
hex_decode(acd_slice text, uint8_t *out, size_t len)
{
    const char *p = text.ptr;
    if (text.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int hi = hex_digit(p[2 * i]), lo = hex_digit(p[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
base64_encode(const void *p, size_t len, char *out)
{
    const uint8_t *b = p;
    char *o = out;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)b[i] << 16;
        if (i + 1 < len)
            v |= (uint32_t)b[i + 1] << 8;
        if (i + 2 < len)
            v |= b[i + 2];
        *o++ = base64_digits[v >> 18];
        *o++ = base64_digits[v >> 12 & 63];
        *o++ = i + 1 < len ? base64_digits[v >> 6 & 63] : '=';
        *o++ = i + 2 < len ? base64_digits[v & 63] : '=';
    }
    *o = '\0';
    return (size_t)(o - out);
}

static int
base64_digit(char c)
{
    const char *at = c ? strchr(base64_digits, c) : NULL;
    return at ? (int)(at - base64_digits) : -1;
}

bool
base64_decode(acd_slice text, uint8_t *out, size_t *ret_len)
{
    const char *p = text.ptr;
    size_t n = 0;
    if (text.len % 4 != 0)
        return false;
    for (size_t i = 0; i < text.len; i += 4) {
        bool last = i + 4 == text.len;
        int pad = !last ? 0 : p[i + 2] == '=' && p[i + 3] == '=' ? 2 : p[i + 3] == '=' ? 1 : 0;
        uint32_t v = 0;
        for (int k = 0; k < 4; k++) {
            int d = k >= 4 - pad ? 0 : base64_digit(p[i + (size_t)k]);
            if (d < 0)
                return false;
            v = v << 6 | (uint32_t)d;
        }
        if ((pad == 2 && (v & 0xffff)) || (pad == 1 && (v & 0xff)))
            return false; /* bits that no encoder sets */
        out[n++] = (uint8_t)(v >> 16);
        if (pad < 2)
            out[n++] = (uint8_t)(v >> 8);
        if (pad < 1)
            out[n++] = (uint8_t)v;
    }
    *ret_len = n;
    return true;
}

/* Length of the sequence that begins with c, and the smallest code point it may encode; 0: never a first
 * byte. */
static size_t
utf8_lead(uint8_t c, uint32_t *ret_min, uint32_t *ret_bits)
{
    if (c < 0x80) {
        *ret_min = 0, *ret_bits = c;
        return 1;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        *ret_min = 0x80, *ret_bits = c & 0x1f;
        return 2;
    }
    if ((c & 0xf0) == 0xe0) {
        *ret_min = 0x800, *ret_bits = c & 0x0f;
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        *ret_min = 0x10000, *ret_bits = c & 0x07;
        return 4;
    }
    return 0;
}

bool
utf8_valid(acd_slice s)
{
    const uint8_t *p = s.ptr;
    for (size_t i = 0; i < s.len;) {
        uint32_t min, v;
        uint64_t eight;
        if (s.len - i >= sizeof(eight)) { /* nearly all text is ASCII */
            memcpy(&eight, p + i, sizeof(eight));
            if (!(eight & 0x8080808080808080u)) {
                i += sizeof(eight);
                continue;
            }
        }
        size_t n = utf8_lead(p[i], &min, &v);
        if (n == 0 || n > s.len - i)
            return false;
        for (size_t k = 1; k < n; k++) {
            if ((p[i + k] & 0xc0) != 0x80)
                return false;
            v = v << 6 | (p[i + k] & 0x3f);
        }
        if (v < min || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
            return false;
        i += n;
    }
    return true;
}

static bool
digits(const char *p, int n, int *ret)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        v = v * 10 + (p[i] - '0');
    }
    *ret = v;
    return true;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* The offset at p: "Z", or "+hh:mm" / "-hh:mm" and the end of the text. */
static bool
parse_offset(const char *p, const char *end, int *ret_minutes)
{
    int h, m;
    if (end - p == 1 && (*p == 'Z' || *p == 'z')) {
        *ret_minutes = 0;
        return true;
    }
    if (end - p != 6 || (*p != '+' && *p != '-') || p[3] != ':' || !digits(p + 1, 2, &h) ||
        !digits(p + 4, 2, &m) || h > 23 || m > 59)
        return false;
    *ret_minutes = (*p == '-' ? -1 : 1) * (h * 60 + m);
    return true;
}

bool
time_parse(acd_slice s, int64_t *ret_ms)
{
    const char *p = s.ptr, *end = p + s.len;
    struct tm tm = {0};
    int year, month, offset, ms = 0;
    if (s.len < 20 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != 't' && p[10] != ' ') ||
        p[13] != ':' || p[16] != ':')
        return false;
    if (!digits(p, 4, &year) || !digits(p + 5, 2, &month) || !digits(p + 8, 2, &tm.tm_mday) ||
        !digits(p + 11, 2, &tm.tm_hour) || !digits(p + 14, 2, &tm.tm_min) || !digits(p + 17, 2, &tm.tm_sec))
        return false;
    if (month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > days_in_month(year, month) ||
        tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    p += 19;
    if (*p == '.') {
        int scale = 100;
        const char *first = ++p;
        for (; p < end && *p >= '0' && *p <= '9'; p++, scale /= 10)
            ms += (*p - '0') * scale;
        if (p == first)
            return false;
    }
    if (!parse_offset(p, end, &offset))
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    int64_t at = ((int64_t)timegm(&tm) - (int64_t)offset * 60) * 1000 + ms;
    if (at < TIME_MIN_MS || at > TIME_MAX_MS)
        return false;
    *ret_ms = at;
    return true;
}

void
time_format(int64_t ms, char out[TIME_TEXT_MAX])
{
    ms = ms < TIME_MIN_MS ? TIME_MIN_MS : ms;
    ms = ms > TIME_MAX_MS ? TIME_MAX_MS : ms;
    int64_t frac = ((ms % 1000) + 1000) % 1000;
    time_t sec = (time_t)((ms - frac) / 1000);
    struct tm tm;
    must(gmtime_r(&sec, &tm) == &tm);
    /* strftime's %Y does not pad. */
    size_t n = (size_t)snprintf(out, TIME_TEXT_MAX, "%04d", tm.tm_year + 1900);
    n += strftime(out + n, TIME_TEXT_MAX - n, "-%m-%dT%H:%M:%S", &tm);
    if (frac)
        n += (size_t)snprintf(out + n, TIME_TEXT_MAX - n, ".%03d", (int)frac);
    out[n] = 'Z';
    out[n + 1] = '\0';
}

void
wipe(void *p, size_t len)
{
    explicit_bzero(p, len);
}
