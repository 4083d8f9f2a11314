/* url_decode: %HH and + ; option u also %uHHHH as UTF-8; option r repeats until nothing changes. */
#include <string.h>

#include "base/str.h"
#include "rule/func.h"

/* Value of n hex digits, or -1. */
static int
hex_run(const uint8_t *p, size_t n)
{
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

static size_t
put_utf8(uint8_t *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    out[0] = (uint8_t)(0xe0 | c >> 12);
    out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c & 0x3f));
    return 3;
}

/* In place: nothing grows. Malformed escapes stay as they are; so do lone surrogates. */
static size_t
decode_once(uint8_t *p, size_t len, bool unicode, bool *changed)
{
    size_t out = 0;
    *changed = false;
    for (size_t i = 0; i < len;) {
        int v = -1;
        if (p[i] == '+') {
            p[out++] = ' ';
            i++;
            *changed = true;
            continue;
        }
        if (p[i] == '%' && unicode && len - i >= 6 && (p[i + 1] == 'u' || p[i + 1] == 'U') &&
            (v = hex_run(p + i + 2, 4)) >= 0 && (v < 0xd800 || v > 0xdfff)) {
            out += put_utf8(p + out, (unsigned)v);
            i += 6;
            *changed = true;
            continue;
        }
        if (p[i] == '%' && len - i >= 3 && (v = hex_run(p + i + 1, 2)) >= 0) {
            p[out++] = (uint8_t)v;
            i += 3;
            *changed = true;
            continue;
        }
        p[out++] = p[i++];
    }
    return out;
}

bool
func_url_decode(struct rule_call *c, struct rule_value *ret)
{
    acd_slice s = c->args[0].bytes, options = c->nargs > 1 ? c->args[1].bytes : (acd_slice){"", 0};
    bool repeat = options.len && memchr(options.ptr, 'r', options.len);
    bool unicode = options.len && memchr(options.ptr, 'u', options.len);
    uint8_t *out = rule_scratch(c->ctx, s.len);
    size_t len = s.len;
    bool changed = true;
    if (!out)
        return false;
    if (len)
        memcpy(out, s.ptr, len);
    for (unsigned round = 0; changed && round < (repeat ? RULE_DECODE_ROUNDS_MAX : 1); round++) {
        *c->steps += rule_cost(len);
        len = decode_once(out, len, unicode, &changed);
    }
    *ret = rule_bytes_value(out, len);
    return true;
}
