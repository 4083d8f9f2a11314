#include "eval/derive.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/limits.h"

struct pair {
    acd_slice name, value;
    size_t at; /* place in the text, so that sorting keeps the order of equal names */
};

struct pairs {
    struct pair *items;
    size_t n;
};

/* --- splitting --------------------------------------------------------------------------------------------
 */

static acd_slice
trim(acd_slice s)
{
    const char *p = s.ptr;
    while (s.len && (p[0] == ' ' || p[0] == '\t'))
        p++, s.len--;
    while (s.len && (p[s.len - 1] == ' ' || p[s.len - 1] == '\t'))
        s.len--;
    return slice_of(p, s.len);
}

/* "a=1<sep>b=2": divided at the first '=' of each piece; empty pieces are nothing. */
static int
split(struct mem_region *r, acd_slice text, char sep, struct pairs *ret)
{
    const char *p = text.ptr, *end = p + text.len;
    size_t most = 1;
    for (const char *q = p; q < end; q++)
        most += *q == sep;
    if (most > LIMIT_EVALUATE_ELEMENTS)
        return ACD_ELIMIT;
    *ret = (struct pairs){.items = mem_new_n(r, most, struct pair)};
    if (!ret->items)
        return ACD_ENOMEM;
    while (p < end) {
        const char *stop = memchr(p, sep, (size_t)(end - p));
        acd_slice piece = slice_of(p, (size_t)((stop ? stop : end) - p));
        if (sep == ';')
            piece = trim(piece);
        p = stop ? stop + 1 : end;
        if (!piece.len)
            continue;
        const char *s = piece.ptr, *equals = memchr(s, '=', piece.len);
        struct pair *pair = &ret->items[ret->n];
        pair->at = ret->n++;
        pair->name = slice_of(s, equals ? (size_t)(equals - s) : piece.len);
        pair->value = equals ? slice_of(equals + 1, piece.len - pair->name.len - 1) : slice_of("", 0);
    }
    return 0;
}

static int
by_name(const void *a_, const void *b_)
{
    const struct pair *a = a_, *b = b_;
    int c = slice_cmp(a->name, b->name);
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

/* Name to values, the values of one name in order. */
static int
group(struct mem_region *r, struct pairs *p, struct rule_value *ret)
{
    struct rule_entry *entries = mem_new_n(r, p->n, struct rule_entry);
    struct rule_value *values = mem_new_n(r, p->n, struct rule_value);
    size_t n = 0;
    if (!entries || !values)
        return ACD_ENOMEM;
    if (p->n)
        qsort(p->items, p->n, sizeof(*p->items), by_name);
    for (size_t i = 0, k; i < p->n; i = k) {
        for (k = i; k < p->n && slice_eq(p->items[k].name, p->items[i].name); k++)
            values[k] = rule_bytes_value(p->items[k].value.ptr, p->items[k].value.len);
        entries[n++] = (struct rule_entry){p->items[i].name, rule_array_value(values + i, k - i)};
    }
    *ret = rule_map_value(entries, n);
    return 0;
}

static int
list(struct mem_region *r, const struct pairs *p, bool values, struct rule_value *ret)
{
    struct rule_value *items = mem_new_n(r, p->n, struct rule_value);
    if (!items)
        return ACD_ENOMEM;
    for (size_t i = 0; i < p->n; i++) {
        acd_slice s = values ? p->items[i].value : p->items[i].name;
        items[i] = rule_bytes_value(s.ptr, s.len);
    }
    *ret = rule_array_value(items, p->n);
    return 0;
}

/* --- cookies ----------------------------------------------------------------------------------------------
 */

/* %HH; anything else stays as it is. */
static int
decode_name(struct mem_region *r, acd_slice *name)
{
    const char *in = name->ptr;
    size_t n = 0;
    if (!memchr(in, '%', name->len))
        return 0;
    char *out = mem_alloc(r, name->len);
    if (!out)
        return ACD_ENOMEM;
    for (size_t i = 0; i < name->len; i++) {
        int hi = in[i] == '%' && name->len - i > 2 ? hex_digit(in[i + 1]) : -1;
        int lo = hi >= 0 ? hex_digit(in[i + 2]) : -1;
        out[n++] = lo >= 0 ? (char)(hi << 4 | lo) : in[i];
        i += lo >= 0 ? 2 : 0;
    }
    *name = slice_of(out, n);
    return 0;
}

static int
cookies(struct mem_region *r, acd_slice header, struct rule_value *ret)
{
    struct pairs p;
    int rc = split(r, header, ';', &p);
    for (size_t i = 0; rc == 0 && i < p.n; i++)
        rc = decode_name(r, &p.items[i].name);
    return rc < 0 ? rc : group(r, &p, ret);
}

/* --- path -------------------------------------------------------------------------------------------------
 */

/* Lower-cased text after the last dot of the last segment; empty for no dot, a trailing dot, or a segment
 * whose only dot is its first character. */
static int
extension(struct mem_region *r, acd_slice path, struct rule_value *ret)
{
    const char *p = path.ptr, *slash = path.len ? memrchr(p, '/', path.len) : NULL;
    const char *segment = slash ? slash + 1 : p, *end = p + path.len;
    const char *dot = end > segment ? memrchr(segment, '.', (size_t)(end - segment)) : NULL;
    *ret = rule_bytes_value("", 0);
    if (!dot || dot == segment || dot + 1 == end)
        return 0;
    size_t n = (size_t)(end - dot - 1);
    char *out = mem_dup(r, dot + 1, n);
    if (!out)
        return ACD_ENOMEM;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(out[i] >= 'A' && out[i] <= 'Z' ? out[i] | 0x20 : out[i]);
    *ret = rule_bytes_value(out, n);
    return 0;
}

/* --- the table --------------------------------------------------------------------------------------------
 */

enum how { HOW_NONE, HOW_SAME, HOW_EXTENSION, HOW_MAP, HOW_NAMES, HOW_VALUES, HOW_COOKIES };

#define ROW(to, how_, from) [RULE_F_##to] = {(how_), RULE_F_##from}
static const struct {
    enum how how;
    uint16_t from;
} rows[RULE_F_STANDARD] = {
    ROW(HTTP_REQUEST_URI_PATH_EXTENSION, HOW_EXTENSION, HTTP_REQUEST_URI_PATH),
    ROW(HTTP_REQUEST_URI_ARGS, HOW_MAP, HTTP_REQUEST_URI_QUERY),
    ROW(HTTP_REQUEST_URI_ARGS_NAMES, HOW_NAMES, HTTP_REQUEST_URI_QUERY),
    ROW(HTTP_REQUEST_URI_ARGS_VALUES, HOW_VALUES, HTTP_REQUEST_URI_QUERY),
    ROW(HTTP_REQUEST_COOKIES, HOW_COOKIES, HTTP_COOKIE),
    ROW(RAW_HTTP_REQUEST_URI, HOW_SAME, HTTP_REQUEST_URI),
    ROW(RAW_HTTP_REQUEST_URI_PATH, HOW_SAME, HTTP_REQUEST_URI_PATH),
    ROW(RAW_HTTP_REQUEST_URI_QUERY, HOW_SAME, HTTP_REQUEST_URI_QUERY),
    ROW(RAW_HTTP_REQUEST_URI_ARGS, HOW_SAME, HTTP_REQUEST_URI_ARGS),
    ROW(RAW_HTTP_REQUEST_URI_ARGS_NAMES, HOW_SAME, HTTP_REQUEST_URI_ARGS_NAMES),
    ROW(RAW_HTTP_REQUEST_URI_ARGS_VALUES, HOW_SAME, HTTP_REQUEST_URI_ARGS_VALUES),
    ROW(RAW_HTTP_REQUEST_FULL_URI, HOW_SAME, HTTP_REQUEST_FULL_URI),
    ROW(RAW_HTTP_REQUEST_URI_PATH_EXTENSION, HOW_SAME, HTTP_REQUEST_URI_PATH_EXTENSION),
    ROW(IP_GEOIP_COUNTRY, HOW_SAME, IP_SRC_COUNTRY),
    ROW(IP_GEOIP_CONTINENT, HOW_SAME, IP_SRC_CONTINENT),
    ROW(IP_GEOIP_ASNUM, HOW_SAME, IP_SRC_ASNUM),
    ROW(IP_GEOIP_SUBDIVISION_1_ISO_CODE, HOW_SAME, IP_SRC_SUBDIVISION_1_ISO_CODE),
    ROW(IP_GEOIP_SUBDIVISION_2_ISO_CODE, HOW_SAME, IP_SRC_SUBDIVISION_2_ISO_CODE),
    ROW(IP_GEOIP_IS_IN_EUROPEAN_UNION, HOW_SAME, IP_SRC_IS_IN_EUROPEAN_UNION),
};

int
eval_derive(struct mem_region *r, struct rule_ctx *c, unsigned field, struct rule_value *ret)
{
    struct pairs p;
    if (field >= RULE_F_STANDARD || rows[field].how == HOW_NONE)
        return 0;
    const struct rule_value *from = rule_ctx_get(c, rows[field].from);
    if (!from)
        return ACD_EUNAVAIL;
    if (from->tag == RULE_V_NIL)
        return 0;
    if (rows[field].how == HOW_SAME) {
        *ret = *from;
        return 0;
    }
    acd_slice text = slice_of(from->bytes.ptr ? from->bytes.ptr : "", from->bytes.len);
    if (rows[field].how == HOW_EXTENSION)
        return extension(r, text, ret);
    if (rows[field].how == HOW_COOKIES)
        return cookies(r, text, ret);
    int rc = split(r, text, '&', &p);
    if (rc < 0)
        return rc;
    return rows[field].how == HOW_MAP ? group(r, &p, ret) : list(r, &p, rows[field].how == HOW_VALUES, ret);
}
