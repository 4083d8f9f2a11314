#include "route.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "model/ids.h"
#include "res.h"
#include "style.h"

enum { PARTS_MAX = 16, PART_MAX = 256 };

static const struct route routes[] = {
#define ROUTE(method, pattern, handler, auth, style) {#method, pattern, handler, AUTH_##auth, &style##_style},
#include "route.def"
#undef ROUTE
};

enum { ROUTES = sizeof(routes) / sizeof(routes[0]) };

const struct route *
route_at(size_t i)
{
    return i < ROUTES ? &routes[i] : NULL;
}

/* --- text -------------------------------------------------------------------------------------------------
 */

/* Undoes escapes. NULL: one is broken, or there is something in it that no text of ours holds. */
static char *
decode(struct mem_region *r, acd_slice s, bool plus)
{
    const char *in = s.ptr;
    char *out = mem_alloc(r, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < s.len; i++) {
        char c = in[i];
        if (c == '%') {
            uint8_t byte;
            if (s.len - i < 3 || !hex_decode(slice_of(in + i + 1, 2), &byte, 1))
                return NULL;
            c = (char)byte;
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return NULL;
        out[n++] = c;
    }
    if (!out || !utf8_valid(slice_of(out, n)))
        return NULL;
    out[n] = '\0';
    return out;
}

/* --- paths ------------------------------------------------------------------------------------------------
 */

/* What lies between two '/'. One that is no name, such as an escaped '/' or "..", is "": neither a word nor
 * an id. */
struct parts {
    const char *at[PARTS_MAX];
    size_t n;
};

static bool
is_name(const char *text)
{
    return text && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 && !strchr(text, '/');
}

static bool
split(struct mem_region *r, acd_slice path, struct parts *ret)
{
    const char *s = path.ptr, *end = s + path.len;
    ret->n = 0;
    while (s < end) {
        if (*s != '/' || ret->n == PARTS_MAX)
            return false;
        s++;
        const char *stop = memchr(s, '/', (size_t)(end - s));
        acd_slice part = slice_of(s, (size_t)((stop ? stop : end) - s));
        if (part.len == 0)
            return false;
        const char *text = part.len < PART_MAX ? decode(r, part, false) : NULL;
        ret->at[ret->n++] = is_name(text) ? text : "";
        s += part.len;
    }
    return ret->n > 0;
}

/* The form of what may stand for a name. Only ids have one. */
static bool
fits(acd_slice name, const char *value)
{
    static const char *const hex[] = {"account", "zone", "ruleset", "rule"};
    for (size_t i = 0; i < sizeof(hex) / sizeof(hex[0]); i++)
        if (slice_eqs(name, hex[i]))
            return id_is_hex(slice_str(value));
    return slice_eqs(name, "phase") ? value[0] != '\0' : id_is_uuid(slice_str(value));
}

/* 1: the path is the pattern's; 0: it is not; -1: but for an id that is none. */
static int
match(struct mem_region *r, const char *pattern, const struct parts *parts, struct route_match *m)
{
    int found = 1;
    m->n = 0;
    for (size_t i = 0; i < parts->n; i++) {
        if (*pattern++ != '/')
            return 0;
        acd_slice want = slice_of(pattern, strcspn(pattern, "/"));
        pattern += want.len;
        if (((const char *)want.ptr)[0] != '{') {
            if (!slice_eqs(want, parts->at[i]))
                return 0;
            continue;
        }
        want = slice_of((const char *)want.ptr + 1, want.len - 2);
        must(m->n < ROUTE_PARAMS);
        m->name[m->n] = mem_strndup(r, want.ptr, want.len);
        m->value[m->n] = parts->at[i];
        if (!m->name[m->n++])
            return 0;
        if (!fits(want, parts->at[i]))
            found = -1;
    }
    return *pattern ? 0 : found;
}

static bool
method_fits(const char *have, const char *want)
{
    return strcmp(have, want) == 0 || (strcmp(have, "HEAD") == 0 && strcmp(want, "GET") == 0);
}

/* A row whose words all fit goes before one that takes a word for an id ("settings" for {access}). */
enum route_found
route_find(struct mem_region *r, const char *method, acd_slice path, struct route_match *ret)
{
    struct parts parts;
    struct route_match m, bad = {0};
    struct buf allow = BUF_INIT(256);
    *ret = (struct route_match){0};
    if (!split(r, path, &parts))
        return ROUTE_UNKNOWN;
    for (size_t i = 0; i < ROUTES; i++) {
        int found = match(r, routes[i].pattern, &parts, &m);
        if (found == 0)
            continue;
        m.route = &routes[i];
        m.allow = NULL;
        if (found > 0 && method_fits(method, routes[i].method)) {
            *ret = m;
            buf_done(&allow);
            return ROUTE_FOUND;
        }
        if (found < 0 && method_fits(method, routes[i].method))
            bad = bad.route ? bad : m;
        else if (found > 0)
            buf_printf(&allow, "%s%s%s", allow.len ? ", " : "", routes[i].method,
                       strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
        if (found > 0)
            *ret = m;
    }
    bool known = allow.len > 0;
    if (known)
        ret->allow = mem_printf(r, "%s, OPTIONS", allow.data);
    else
        *ret = bad;
    buf_done(&allow);
    return known ? ROUTE_METHOD : bad.route ? ROUTE_IDENTIFIER : ROUTE_UNKNOWN;
}

const char *
route_value(const struct route_match *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->name[i], name) == 0)
            return m->value[i];
    return "";
}

/* --- the query --------------------------------------------------------------------------------------------
 */

bool
query_parse(struct mem_region *r, acd_slice text, struct query *ret)
{
    const char *s = text.ptr, *end = s + text.len;
    ret->n = 0;
    while (s && s < end) {
        const char *stop = memchr(s, '&', (size_t)(end - s));
        stop = stop ? stop : end;
        const char *eq = memchr(s, '=', (size_t)(stop - s));
        eq = eq ? eq : stop;
        if (stop > s) {
            if (ret->n == QUERY_MAX)
                return false;
            const char *name = decode(r, slice_of(s, (size_t)(eq - s)), true);
            const char *value = eq < stop ? decode(r, slice_of(eq + 1, (size_t)(stop - eq - 1)), true) : "";
            if (!name || !value)
                return false;
            ret->pairs[ret->n].name = name;
            ret->pairs[ret->n++].value = value;
        }
        s = stop + 1;
    }
    return true;
}

const char *
query_get(const struct query *q, const char *name)
{
    for (size_t i = 0; i < q->n; i++)
        if (strcmp(q->pairs[i].name, name) == 0)
            return q->pairs[i].value;
    return NULL;
}

bool
query_has(const struct query *q, const char *name, const char *value)
{
    bool asked = false;
    for (size_t i = 0; i < q->n; i++) {
        if (strcmp(q->pairs[i].name, name) != 0)
            continue;
        for (const char *s = q->pairs[i].value; *s;) {
            size_t n = strcspn(s, ",");
            if (slice_eqs(slice_of(s, n), value))
                return true;
            asked |= n > 0;
            s += n + (s[n] == ',');
        }
    }
    return !asked;
}

bool
query_flag(const struct query *q, const char *name)
{
    const char *v = query_get(q, name);
    return v && (strcmp(v, "true") == 0 || strcmp(v, "1") == 0);
}
