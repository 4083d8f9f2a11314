/*
 * is_timed_hmac_valid_v0: text = message || separator || 10-digit time || "-" || base64 of the MAC, where the
 * MAC is HMAC-SHA-256 (RFC 2104) of message || time. Flag s: URL-safe base64 without padding; else standard
 * base64 that was URL-encoded.
 */
#include <string.h>

#include "base/str.h"
#include "model/digest.h"
#include "rule/func.h"

enum {
    HMAC_BLOCK = 64,
    TIME_DIGITS = 10,
    MAC_TEXT = BASE64_LEN(DIGEST_LEN), /* 44, the last one padding */
    MAC_ENCODED_MAX = 3 * MAC_TEXT,    /* when every character came as %HH */
};

static bool
hmac(struct rule_call *c, acd_slice key, acd_slice message, acd_slice time, uint8_t out[DIGEST_LEN])
{
    uint8_t pad[HMAC_BLOCK] = {0}, outer[HMAC_BLOCK + DIGEST_LEN];
    size_t len = HMAC_BLOCK + message.len + time.len;
    uint8_t *inner = rule_scratch(c->ctx, len);
    if (!inner)
        return false;
    *c->steps += 4 * rule_cost(len);
    if (key.len > HMAC_BLOCK)
        digest_sha256(key.ptr, key.len, pad);
    else if (key.len)
        memcpy(pad, key.ptr, key.len);
    for (int i = 0; i < HMAC_BLOCK; i++) {
        inner[i] = pad[i] ^ 0x36;
        outer[i] = pad[i] ^ 0x5c;
    }
    if (message.len)
        memcpy(inner + HMAC_BLOCK, message.ptr, message.len);
    memcpy(inner + HMAC_BLOCK + message.len, time.ptr, time.len);
    digest_sha256(inner, len, outer + HMAC_BLOCK);
    digest_sha256(outer, sizeof(outer), out);
    return true;
}

/* The MAC's text as standard base64 with padding; false: it cannot be one. */
static bool
mac_text(acd_slice s, bool url_safe, char out[MAC_TEXT])
{
    const char *p = s.ptr;
    size_t n = 0;
    if (url_safe) {
        if (s.len != MAC_TEXT - 1)
            return false;
        for (; n < s.len; n++) {
            if (p[n] == '+' || p[n] == '/')
                return false;
            out[n] = p[n] == '-' ? '+' : p[n] == '_' ? '/' : p[n];
        }
        out[n] = '=';
        return true;
    }
    for (size_t i = 0; i < s.len; n++) {
        uint8_t c;
        if (n == MAC_TEXT)
            return false;
        if (p[i] == '%' && s.len - i >= 3 && hex_decode(slice_of(p + i + 1, 2), &c, 1)) {
            out[n] = (char)c;
            i += 3;
        } else {
            out[n] = p[i++];
        }
    }
    return n == MAC_TEXT;
}

/* Position of the "-" before the MAC: the last one for standard base64; URL-safe base64 may hold dashes, but
 * its length is known. */
static bool
find_dash(acd_slice s, bool url_safe, size_t *ret)
{
    const char *p = s.ptr;
    if (url_safe) {
        *ret = s.len - MAC_TEXT;
        return s.len >= MAC_TEXT && p[*ret] == '-';
    }
    const char *dash = s.len ? memrchr(p, '-', s.len) : NULL;
    *ret = dash ? (size_t)(dash - p) : 0;
    return dash && s.len - *ret - 1 <= MAC_ENCODED_MAX;
}

bool
func_timed_hmac(struct rule_call *c, struct rule_value *ret)
{
    acd_slice s = c->args[1].bytes;
    int64_t ttl = c->args[2].i, now = c->args[3].i, sep = c->nargs > 4 ? c->args[4].i : 0, time, end;
    bool url_safe = c->nargs > 5 && c->args[5].bytes.len > 0;
    uint8_t want[DIGEST_LEN], got[DIGEST_LEN + 3], diff = 0;
    char text[MAC_TEXT];
    size_t dash, got_len;
    *ret = RULE_BOOL_VALUE(false);
    *c->steps += rule_cost(s.len);
    if (!find_dash(s, url_safe, &dash) || dash < TIME_DIGITS || (uint64_t)sep > dash - TIME_DIGITS)
        return true;
    acd_slice stamp = slice_of((const char *)s.ptr + dash - TIME_DIGITS, TIME_DIGITS);
    acd_slice message = slice_of(s.ptr, dash - TIME_DIGITS - (size_t)sep);
    acd_slice mac = slice_of((const char *)s.ptr + dash + 1, s.len - dash - 1);
    if (*(const char *)stamp.ptr == '-' || !str_i64(stamp, &time) || !mac_text(mac, url_safe, text) ||
        !base64_decode(slice_of(text, MAC_TEXT), got, &got_len) || got_len != DIGEST_LEN)
        return true;
    if (!hmac(c, c->args[0].bytes, message, stamp, want))
        return false;
    for (int i = 0; i < DIGEST_LEN; i++) /* in constant time */
        diff |= want[i] ^ got[i];
    if (__builtin_add_overflow(time, ttl, &end))
        end = INT64_MAX;
    ret->b = diff == 0 && now < end;
    return true;
}
