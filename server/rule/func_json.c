/*
 * lookup_json_string and lookup_json_integer: one pass over the text checks all of it (RFC 8259) and
 * remembers the value at the path. Of equal member names the last one counts. Anything wrong with the text, a
 * missing path or another kind of value is a missing result.
 */
#include <string.h>

#include "base/str.h"
#include "rule/func.h"

struct json {
    const uint8_t *p;
    size_t at, len;
    const struct rule_value *path;
    unsigned npath;
    enum rule_base want;
    bool found;
    size_t from, to; /* the value's text: a string without quotes, or a number */
    enum rule_base kind;
};

static void
skip_space(struct json *j)
{
    while (j->at < j->len && j->p[j->at] && strchr(" \t\r\n", j->p[j->at]))
        j->at++;
}

static bool
take(struct json *j, char c)
{
    skip_space(j);
    if (j->at >= j->len || j->p[j->at] != (uint8_t)c)
        return false;
    j->at++;
    return true;
}

static int
hex4(const uint8_t *p)
{
    uint8_t b[2];
    return hex_decode(slice_of(p, 4), b, 2) ? b[0] << 8 | b[1] : -1;
}

/* One character of a string at *at, as up to four bytes; escapes undone. 0: not a string's character. */
static size_t
string_char(const struct json *j, size_t *at, uint8_t out[4])
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const uint8_t *p = j->p + *at;
    size_t left = j->len - *at;
    const char *simple;
    if (left == 0 || p[0] < 0x20)
        return 0;
    if (p[0] != '\\') {
        out[0] = p[0];
        *at += 1;
        return 1;
    }
    if (left >= 2 && p[1] && (simple = strchr(from, p[1]))) {
        out[0] = (uint8_t)to[simple - from];
        *at += 2;
        return 1;
    }
    int v = left >= 6 && p[1] == 'u' ? hex4(p + 2) : -1;
    uint32_t c = (uint32_t)v;
    size_t used = 6;
    if (v < 0 || (v >= 0xdc00 && v <= 0xdfff))
        return 0;
    if (v >= 0xd800 && v <= 0xdbff) {
        int low = left >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return 0;
        c = 0x10000 + (((uint32_t)v & 0x3ff) << 10 | ((uint32_t)low & 0x3ff));
        used = 12;
    }
    *at += used;
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

/* Behind the opening quote; moves behind the closing one. *ret_same: is it the key? */
static bool
string(struct json *j, const acd_slice *key, bool *ret_same)
{
    uint8_t c[4];
    size_t seen = 0, n;
    bool same = key != NULL;
    while (j->at < j->len && j->p[j->at] != '"') {
        n = string_char(j, &j->at, c);
        if (n == 0)
            return false;
        same = same && key->len - seen >= n && memcmp((const uint8_t *)key->ptr + seen, c, n) == 0;
        seen += n;
    }
    if (j->at >= j->len)
        return false;
    j->at++;
    if (ret_same)
        *ret_same = same && seen == key->len;
    return true;
}

static size_t
digits(struct json *j)
{
    size_t start = j->at;
    while (j->at < j->len && j->p[j->at] >= '0' && j->p[j->at] <= '9')
        j->at++;
    return j->at - start;
}

/* *ret_int: without fraction and exponent. */
static bool
number(struct json *j, bool *ret_int)
{
    *ret_int = true;
    if (j->p[j->at] == '-')
        j->at++;
    size_t start = j->at, n = digits(j);
    if (n == 0 || (n > 1 && j->p[start] == '0'))
        return false;
    if (j->at < j->len && j->p[j->at] == '.') {
        *ret_int = false;
        j->at++;
        if (digits(j) == 0)
            return false;
    }
    if (j->at < j->len && (j->p[j->at] | 0x20) == 'e') {
        *ret_int = false;
        j->at++;
        if (j->at < j->len && (j->p[j->at] == '+' || j->p[j->at] == '-'))
            j->at++;
        if (digits(j) == 0)
            return false;
    }
    return true;
}

static bool
word(struct json *j)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (j->len - j->at >= n && memcmp(j->p + j->at, words[i], n) == 0) {
            j->at += n;
            return true;
        }
    }
    return false;
}

/* level: how many keys of the path led here; -1: not on the path. */
static bool value(struct json *j, int level, unsigned depth);

static bool
object(struct json *j, int level, unsigned depth)
{
    const struct rule_value *key =
        level >= 0 && (unsigned)level < j->npath && j->path[level].tag == RULE_V_BYTES ? &j->path[level]
                                                                                       : NULL;
    if (take(j, '}'))
        return true;
    do {
        bool same = false;
        if (!take(j, '"') || !string(j, key ? &key->bytes : NULL, &same) || !take(j, ':'))
            return false;
        if (same)
            j->found = false; /* a later member of the same name replaces what was found */
        if (!value(j, key && same ? level + 1 : -1, depth))
            return false;
    } while (take(j, ','));
    return take(j, '}');
}

static bool
array(struct json *j, int level, unsigned depth)
{
    bool on_path = level >= 0 && (unsigned)level < j->npath && j->path[level].tag == RULE_V_INT;
    if (take(j, ']'))
        return true;
    for (int64_t i = 0;; i++) {
        if (!value(j, on_path && j->path[level].i == i ? level + 1 : -1, depth))
            return false;
        if (!take(j, ','))
            return take(j, ']');
    }
}

static bool
value(struct json *j, int level, unsigned depth)
{
    bool here = level >= 0 && (unsigned)level == j->npath, ok, whole = false;
    enum rule_base kind = RULE_NONE;
    skip_space(j);
    if (j->at >= j->len)
        return false;
    size_t from = j->at;
    uint8_t c = j->p[j->at];
    if (c == '{' || c == '[') {
        if (depth == RULE_JSON_DEPTH_MAX)
            return false;
        j->at++;
        ok = c == '{' ? object(j, level, depth + 1) : array(j, level, depth + 1);
    } else if (c == '"') {
        j->at++;
        from++;
        ok = string(j, NULL, NULL);
        kind = RULE_BYTES;
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        ok = number(j, &whole);
        kind = whole ? RULE_INT : RULE_NONE;
    } else {
        ok = word(j);
    }
    if (ok && here) {
        j->found = true;
        j->kind = kind;
        j->from = from;
        j->to = kind == RULE_BYTES ? j->at - 1 : j->at;
    }
    return ok;
}

static bool
string_result(struct rule_call *c, const struct json *j, struct rule_value *ret)
{
    uint8_t *out = rule_scratch(c->ctx, j->to - j->from + 4);
    size_t n = 0;
    if (!out)
        return false;
    for (size_t at = j->from; at < j->to;)
        n += string_char(j, &at, out + n);
    *ret = rule_bytes_value(out, n);
    return true;
}

bool
func_json(struct rule_call *c, enum rule_base want, struct rule_value *ret)
{
    struct json j = {.p = c->args[0].bytes.ptr,
                     .len = c->args[0].bytes.len,
                     .path = c->args + 1,
                     .npath = c->nargs - 1,
                     .want = want};
    int64_t i;
    *c->steps += 2 * rule_cost(j.len);
    *ret = RULE_NIL_VALUE;
    if (!utf8_valid(c->args[0].bytes) || !value(&j, 0, 0))
        return true;
    skip_space(&j);
    if (j.at < j.len || !j.found || j.kind != want)
        return true;
    if (want == RULE_BYTES)
        return string_result(c, &j, ret);
    if (str_i64(slice_of(j.p + j.from, j.to - j.from), &i))
        *ret = RULE_INT_VALUE(i);
    return true;
}
