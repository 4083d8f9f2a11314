/* Functions over text, addresses, maps and arrays. url_decode, JSON and the HMAC have files of their own. */
#include "rule/func.h"

#include <string.h>

#include "base/str.h"
#include "rule/bytes.h"
#include "rule/scheme.h"

static bool
bytes_result(struct rule_value *ret, const void *p, size_t len)
{
    *ret = rule_bytes_value(p, len);
    return true;
}

static uint8_t *
room(struct rule_call *c, size_t len)
{
    *c->steps += rule_cost(len);
    return rule_scratch(c->ctx, len);
}

static bool
func_case(struct rule_call *c, bool upper, struct rule_value *ret)
{
    acd_slice s = c->args[0].bytes;
    const uint8_t *p = s.ptr;
    uint8_t *out = room(c, s.len);
    if (!out)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool change = upper ? p[i] >= 'a' && p[i] <= 'z' : p[i] >= 'A' && p[i] <= 'Z';
        out[i] = change ? p[i] ^ 0x20 : p[i];
    }
    return bytes_result(ret, out, s.len);
}

static bool
func_len(struct rule_call *c, struct rule_value *ret)
{
    const struct rule_value *v = &c->args[0];
    *ret = RULE_INT_VALUE((int64_t)(v->tag == RULE_V_BYTES ? v->bytes.len : v->array.len));
    return true;
}

static bool
func_edge(struct rule_call *c, bool end, struct rule_value *ret)
{
    acd_slice s = c->args[0].bytes, e = c->args[1].bytes;
    *c->steps += rule_cost(e.len);
    const uint8_t *at = (const uint8_t *)s.ptr + (end && s.len >= e.len ? s.len - e.len : 0);
    *ret = RULE_BOOL_VALUE(s.len >= e.len && (e.len == 0 || memcmp(at, e.ptr, e.len) == 0));
    return true;
}

/* Missing arguments are left out; all missing: missing. Bytes give bytes, arrays an array. */
static bool
func_concat(struct rule_call *c, struct rule_value *ret)
{
    size_t len = 0, at = 0;
    uint8_t tag = RULE_V_NIL;
    *ret = RULE_NIL_VALUE;
    for (unsigned i = 0; i < c->nargs; i++) {
        if (c->args[i].tag == RULE_V_NIL)
            continue;
        tag = c->args[i].tag;
        len += tag == RULE_V_BYTES ? c->args[i].bytes.len : c->args[i].array.len;
    }
    if (tag == RULE_V_NIL)
        return true;
    size_t unit = tag == RULE_V_BYTES ? 1 : sizeof(struct rule_value);
    char *out = (char *)room(c, len * unit);
    if (!out)
        return false;
    for (unsigned i = 0; i < c->nargs; i++) {
        const struct rule_value *v = &c->args[i];
        if (v->tag == RULE_V_NIL)
            continue;
        const void *from = tag == RULE_V_BYTES ? v->bytes.ptr : (const void *)v->array.items;
        size_t n = unit * (tag == RULE_V_BYTES ? v->bytes.len : v->array.len);
        if (n)
            memcpy(out + at, from, n);
        at += n;
    }
    *ret = tag == RULE_V_BYTES ? rule_bytes_value(out, len) : rule_array_value((const void *)out, len);
    return true;
}

/* From a position that may count from the end; clamped. */
static size_t
position(int64_t at, size_t len)
{
    if (at < 0)
        return (uint64_t) - (at + 1) >= len ? 0 : len - (size_t) - (at + 1) - 1;
    return (uint64_t)at > len ? len : (size_t)at;
}

static bool
func_substring(struct rule_call *c, struct rule_value *ret)
{
    acd_slice s = c->args[0].bytes;
    size_t start = position(c->args[1].i, s.len);
    size_t end = c->nargs > 2 ? position(c->args[2].i, s.len) : s.len;
    return start >= end ? bytes_result(ret, "", 0)
                        : bytes_result(ret, (const uint8_t *)s.ptr + start, end - start);
}

static bool
func_remove_bytes(struct rule_call *c, struct rule_value *ret)
{
    acd_slice s = c->args[0].bytes, drop = c->args[1].bytes;
    const uint8_t *p = s.ptr, *d = drop.ptr;
    uint8_t *out = room(c, s.len);
    bool gone[256] = {false};
    size_t n = 0;
    if (!out)
        return false;
    for (size_t i = 0; i < drop.len; i++)
        gone[d[i]] = true;
    for (size_t i = 0; i < s.len; i++)
        if (!gone[p[i]])
            out[n++] = p[i];
    return bytes_result(ret, out, n);
}

static bool
func_cidr(struct rule_call *c, int64_t bits4, int64_t bits6, struct rule_value *ret)
{
    const struct rule_value *ip = &c->args[0];
    struct rule_value high;
    rule_net_bounds(*ip, (unsigned)(ip->family == 4 ? bits4 : bits6), ret, &high);
    return true;
}

static bool
func_has_value(struct rule_call *c, struct rule_value *ret)
{
    const struct rule_value *v = &c->args[0];
    size_t n = v->tag == RULE_V_MAP ? v->map.len : v->array.len;
    *ret = RULE_BOOL_VALUE(false);
    for (size_t i = 0; i < n && !ret->b; i++) {
        const struct rule_value *item = v->tag == RULE_V_MAP ? &v->map.items[i].value : &v->array.items[i];
        *c->steps += item->tag == RULE_V_BYTES ? rule_cost(item->bytes.len) : 1;
        ret->b = rule_value_eq(item, &c->args[1]);
    }
    return true;
}

static bool
func_join(struct rule_call *c, struct rule_value *ret)
{
    const struct rule_value *items = c->args[0].array.items;
    acd_slice sep = c->args[1].bytes;
    size_t n = c->args[0].array.len, len = n ? (n - 1) * sep.len : 0, at = 0;
    for (size_t i = 0; i < n; i++)
        len += items[i].bytes.len;
    *c->steps += n;
    char *out = (char *)room(c, len);
    if (!out)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && sep.len)
            memcpy(out + at, sep.ptr, sep.len);
        at += i > 0 ? sep.len : 0;
        if (items[i].bytes.len)
            memcpy(out + at, items[i].bytes.ptr, items[i].bytes.len);
        at += items[i].bytes.len;
    }
    return bytes_result(ret, out, len);
}

static bool
func_decode_base64(struct rule_call *c, struct rule_value *ret)
{
    acd_slice s = c->args[0].bytes;
    size_t len;
    uint8_t *out = room(c, s.len / 4 * 3 + 3);
    if (!out)
        return false;
    *ret = RULE_NIL_VALUE;
    if (base64_decode(s, out, &len))
        *ret = rule_bytes_value(out, len);
    return true;
}

bool
rule_func_call(unsigned func, struct rule_call *c, struct rule_value *ret)
{
    switch ((enum rule_func_id)func) {
    case RULE_FN_LOWER:
    case RULE_FN_UPPER:
        return func_case(c, func == RULE_FN_UPPER, ret);
    case RULE_FN_LEN:
        return func_len(c, ret);
    case RULE_FN_STARTS_WITH:
    case RULE_FN_ENDS_WITH:
        return func_edge(c, func == RULE_FN_ENDS_WITH, ret);
    case RULE_FN_CONCAT:
        return func_concat(c, ret);
    case RULE_FN_URL_DECODE:
        return func_url_decode(c, ret);
    case RULE_FN_SUBSTRING:
        return func_substring(c, ret);
    case RULE_FN_REMOVE_BYTES:
        return func_remove_bytes(c, ret);
    case RULE_FN_CIDR:
        return func_cidr(c, c->args[1].i, c->args[2].i, ret);
    case RULE_FN_CIDR6:
        return func_cidr(c, 32, c->args[1].i, ret);
    case RULE_FN_HAS_KEY:
        *ret = RULE_BOOL_VALUE(rule_map_find(&c->args[0], c->args[1].bytes) != NULL);
        return true;
    case RULE_FN_HAS_VALUE:
        return func_has_value(c, ret);
    case RULE_FN_JOIN:
        return func_join(c, ret);
    case RULE_FN_LOOKUP_JSON_STRING:
        return func_json(c, RULE_BYTES, ret);
    case RULE_FN_LOOKUP_JSON_INTEGER:
        return func_json(c, RULE_INT, ret);
    case RULE_FN_DECODE_BASE64:
        return func_decode_base64(c, ret);
    case RULE_FN_IS_TIMED_HMAC_VALID_V0:
        return func_timed_hmac(c, ret);
    default:
        must_not_reach();
    }
}
