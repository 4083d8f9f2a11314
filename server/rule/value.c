/* Values: construction, comparison, text. Addresses are compared as two 64-bit numbers, never as bytes. */
#include "rule/value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"

struct rule_value
rule_ip_value(const uint8_t *p, size_t len)
{
    struct rule_value v = {.tag = RULE_V_IP, .family = len == 4 ? 4 : 6};
    must(len == 4 || len == 16);
    v.ip = (struct rule_ip){0, 0};
    for (size_t i = 0; i < len; i++) {
        v.ip.hi = v.ip.hi << 8 | v.ip.lo >> 56;
        v.ip.lo = v.ip.lo << 8 | p[i];
    }
    return v;
}

static void
ip_bytes(struct rule_value ip, uint8_t out[16])
{
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(ip.ip.hi >> (56 - 8 * i));
        out[8 + i] = (uint8_t)(ip.ip.lo >> (56 - 8 * i));
    }
}

bool
rule_ip_parse(acd_slice text, struct rule_value *ret)
{
    char s[INET6_ADDRSTRLEN];
    uint8_t raw[16];
    if (text.len == 0 || text.len >= sizeof(s) || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(s, text.ptr, text.len);
    s[text.len] = '\0';
    if (strchr(s, ':')) {
        if (inet_pton(AF_INET6, s, raw) != 1)
            return false;
        *ret = rule_ip_value(raw, 16);
        return true;
    }
    if (inet_pton(AF_INET, s, raw) != 1)
        return false;
    *ret = rule_ip_value(raw, 4);
    return true;
}

void
rule_net_bounds(struct rule_value ip, unsigned len, struct rule_value *ret_lo, struct rule_value *ret_hi)
{
    unsigned host = (ip.family == 4 ? 32 : 128) - len; /* bits of the host part */
    struct rule_ip mask = {0, 0};
    if (host >= 128)
        mask.hi = UINT64_MAX;
    else if (host > 64)
        mask.hi = (UINT64_C(1) << (host - 64)) - 1;
    mask.lo = host >= 64 ? UINT64_MAX : (UINT64_C(1) << host) - 1;
    *ret_lo = ip;
    ret_lo->ip.hi &= ~mask.hi;
    ret_lo->ip.lo &= ~mask.lo;
    *ret_hi = ip;
    ret_hi->ip.hi |= mask.hi;
    ret_hi->ip.lo |= mask.lo;
}

bool
rule_net_parse(acd_slice text, struct rule_value *ret_lo, struct rule_value *ret_hi)
{
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    struct rule_value ip;
    uint64_t len;
    if (!slash) {
        if (!rule_ip_parse(text, &ip))
            return false;
        *ret_lo = *ret_hi = ip;
        return true;
    }
    size_t head = (size_t)(slash - (const char *)text.ptr);
    if (!rule_ip_parse(slice_of(text.ptr, head), &ip) ||
        !str_u64(slice_of(slash + 1, text.len - head - 1), &len) || len > (ip.family == 4 ? 32u : 128u))
        return false;
    rule_net_bounds(ip, (unsigned)len, ret_lo, ret_hi);
    return rule_ip_cmp(ret_lo->ip, ip.ip) == 0;
}

void
rule_ip_print(struct rule_value ip, char out[RULE_IP_TEXT_MAX])
{
    uint8_t raw[16];
    ip_bytes(ip, raw);
    if (ip.family == 4)
        (void)inet_ntop(AF_INET, raw + 12, out, RULE_IP_TEXT_MAX);
    else
        (void)inet_ntop(AF_INET6, raw, out, RULE_IP_TEXT_MAX);
}

static int
entry_cmp(const void *a, const void *b)
{
    const struct rule_entry *x = a, *y = b;
    int c = slice_cmp(x->key, y->key);
    return c ? c : (x->value.order > y->value.order) - (x->value.order < y->value.order);
}

size_t
rule_map_sort(struct rule_entry *items, size_t len)
{
    size_t out = 0;
    bool sorted = true;
    for (size_t i = 1; i < len && sorted; i++)
        sorted = slice_cmp(items[i - 1].key, items[i].key) < 0;
    if (sorted)
        return len;
    for (size_t i = 0; i < len; i++)
        items[i].value.order = (uint32_t)i;
    qsort(items, len, sizeof(*items), entry_cmp);
    for (size_t i = 0; i < len; i++) {
        if (out > 0 && slice_eq(items[out - 1].key, items[i].key))
            items[out - 1] = items[i];
        else
            items[out++] = items[i];
    }
    return out;
}

const struct rule_value *
rule_map_find(const struct rule_value *map, acd_slice key)
{
    size_t lo = 0, hi = map->map.len;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = slice_cmp(map->map.items[mid].key, key);
        if (c == 0)
            return &map->map.items[mid].value;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

bool
rule_value_fits(const struct rule_value *v, struct rule_type t)
{
    if (v->tag == RULE_V_NIL)
        return true;
    if (t.depth == 0)
        return v->tag == t.base && (v->tag != RULE_V_IP || v->family == 4 || v->family == 6);
    struct rule_type inner = rule_type_inner(t);
    if (rule_type_is_map(t)) {
        if (v->tag != RULE_V_MAP)
            return false;
        for (size_t i = 0; i < v->map.len; i++)
            if (v->map.items[i].value.tag == RULE_V_NIL || !rule_value_fits(&v->map.items[i].value, inner) ||
                (i > 0 && slice_cmp(v->map.items[i - 1].key, v->map.items[i].key) >= 0))
                return false;
        return true;
    }
    if (v->tag != RULE_V_ARRAY)
        return false;
    for (size_t i = 0; i < v->array.len; i++)
        if (v->array.items[i].tag == RULE_V_NIL || !rule_value_fits(&v->array.items[i], inner))
            return false;
    return true;
}

bool
rule_value_eq(const struct rule_value *a, const struct rule_value *b)
{
    if (a->tag != b->tag)
        return false;
    switch (a->tag) {
    case RULE_V_BOOL:
        return a->b == b->b;
    case RULE_V_INT:
        return a->i == b->i;
    case RULE_V_BYTES:
        return slice_eq(a->bytes, b->bytes);
    case RULE_V_IP:
        return a->family == b->family && rule_ip_cmp(a->ip, b->ip) == 0;
    case RULE_V_ARRAY:
        if (a->array.len != b->array.len)
            return false;
        for (size_t i = 0; i < a->array.len; i++)
            if (!rule_value_eq(&a->array.items[i], &b->array.items[i]))
                return false;
        return true;
    case RULE_V_MAP:
        if (a->map.len != b->map.len)
            return false;
        for (size_t i = 0; i < a->map.len; i++)
            if (!slice_eq(a->map.items[i].key, b->map.items[i].key) ||
                !rule_value_eq(&a->map.items[i].value, &b->map.items[i].value))
                return false;
        return true;
    default:
        return a->tag == RULE_V_NIL;
    }
}

void
rule_json_string(struct buf *out, acd_slice s)
{
    const uint8_t *p = s.ptr;
    if (!utf8_valid(s)) {
        buf_puts(out, "{\"hex\":\"");
        for (size_t i = 0; i < s.len; i++)
            buf_printf(out, "%02x", p[i]);
        buf_puts(out, "\"}");
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (p[i] == '"' || p[i] == '\\')
            buf_printf(out, "\\%c", p[i]);
        else if (p[i] < 0x20 || p[i] == 0x7f)
            buf_printf(out, "\\u%04x", p[i]);
        else
            buf_putc(out, (char)p[i]);
    }
    buf_putc(out, '"');
}

void
rule_value_json(struct buf *out, const struct rule_value *v)
{
    char text[RULE_IP_TEXT_MAX];
    switch (v->tag) {
    case RULE_V_BOOL:
        buf_puts(out, v->b ? "true" : "false");
        break;
    case RULE_V_INT:
        buf_printf(out, "%" PRId64, v->i);
        break;
    case RULE_V_BYTES:
        rule_json_string(out, v->bytes);
        break;
    case RULE_V_IP:
        rule_ip_print(*v, text);
        buf_printf(out, "\"%s\"", text);
        break;
    case RULE_V_ARRAY:
        buf_putc(out, '[');
        for (size_t i = 0; i < v->array.len; i++) {
            buf_puts(out, i ? "," : "");
            rule_value_json(out, &v->array.items[i]);
        }
        buf_putc(out, ']');
        break;
    case RULE_V_BITS:
        buf_putc(out, '[');
        for (size_t i = 0; i < v->bits.len; i++)
            buf_printf(out, "%s%s", i ? "," : "", v->bits.items[i] ? "true" : "false");
        buf_putc(out, ']');
        break;
    case RULE_V_MAP:
        /* An object would need text keys; pairs keep any key. */
        buf_putc(out, '[');
        for (size_t i = 0; i < v->map.len; i++) {
            buf_puts(out, i ? ",[" : "[");
            rule_json_string(out, v->map.items[i].key);
            buf_putc(out, ',');
            rule_value_json(out, &v->map.items[i].value);
            buf_putc(out, ']');
        }
        buf_putc(out, ']');
        break;
    default:
        buf_puts(out, "null");
    }
}

void
rule_value_text(struct buf *out, const struct rule_value *v, size_t max)
{
    struct buf json = BUF_INIT(16384);
    if (v->tag == RULE_V_NIL || v->tag == RULE_V_UNSET) {
        buf_puts(out, "missing");
        return;
    }
    rule_value_json(&json, v);
    if (!json.failed && json.len <= max) {
        buf_put(out, json.data, json.len);
    } else {
        size_t cut = json.len < max ? json.len : max;
        while (cut > 0 && ((uint8_t)json.data[cut] & 0xc0) == 0x80)
            cut--;
        buf_put(out, json.data, cut);
        buf_puts(out, "...");
    }
    buf_done(&json);
}
