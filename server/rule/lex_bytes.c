/* Byte-string literals: quoted, raw, byte list; and the special lexer of quoted patterns. */
#include "rule/lex.h"

#include <string.h>

#include "base/str.h"

static bool
octal_escape(struct lex *l, uint8_t *ret)
{
    unsigned v = 0;
    if (l->end - l->at < 3)
        return lex_fail(l, RULE_E_SYNTAX, l->at, l->end - l->at, "an octal escape has three digits");
    for (size_t i = 0; i < 3; i++) {
        char c = l->text[l->at + i];
        if (c < '0' || c > '7')
            return lex_fail(l, RULE_E_VALUE, l->at, 3, "an octal escape has three digits");
        v = v * 8 + (unsigned)(c - '0');
    }
    if (v > UINT8_MAX)
        return lex_fail(l, RULE_E_VALUE, l->at, 3, "an octal escape is at most 377");
    *ret = (uint8_t)v;
    l->at += 3;
    return true;
}

static bool
hex_pair(struct lex *l, const char *message, uint8_t *ret)
{
    if (l->end - l->at < 2)
        return lex_fail(l, RULE_E_SYNTAX, l->at, l->end - l->at, "%s", message);
    int hi = hex_digit(l->text[l->at]), lo = hex_digit(l->text[l->at + 1]);
    if (hi < 0 || lo < 0)
        return lex_fail(l, RULE_E_VALUE, l->at, 2, "%s", message);
    *ret = (uint8_t)(hi << 4 | lo);
    l->at += 2;
    return true;
}

/* Behind the backslash. */
static bool
escape(struct lex *l, uint8_t *ret)
{
    char c = lex_peek(l);
    if (c == '"' || c == '\\') {
        l->at++;
        *ret = (uint8_t)c;
        return true;
    }
    if (c == 'x') {
        l->at++;
        return hex_pair(l, "a hexadecimal escape has two digits", ret);
    }
    if (c >= '0' && c <= '7')
        return octal_escape(l, ret);
    return lex_fail(l, RULE_E_SYNTAX, l->at, 1,
                    "unknown escape; only \\\", \\\\, \\xHH and \\OOO are known in a string");
}

bool
lex_quoted(struct lex *l, struct rule_value *ret)
{
    size_t start = ++l->at, n = 0;
    uint8_t *out = mem_alloc(l->region, l->end - l->at + 1);
    if (!out)
        return lex_no_memory(l);
    while (l->at < l->end) {
        char c = l->text[l->at++];
        if (c == '"') {
            *ret = rule_bytes_value(out, n);
            return true;
        }
        if (c != '\\') {
            out[n++] = (uint8_t)c;
        } else if (l->at == l->end) {
            break;
        } else if (!escape(l, &out[n++])) {
            return false;
        }
    }
    return lex_fail(l, RULE_E_SYNTAX, start, l->end - start, "the string has no closing quote");
}

/* Text of a raw literal, still in the expression. */
static bool
raw_text(struct lex *l, acd_slice *ret)
{
    size_t start = ++l->at, hashes = 0;
    for (; lex_peek(l) == '#'; l->at++)
        hashes++;
    if (hashes > RULE_HASHES_MAX)
        return lex_fail(l, RULE_E_SYNTAX, start, hashes, "a raw string begins with at most %d `#`",
                        RULE_HASHES_MAX);
    if (!lex_take(l, "\""))
        return lex_fail(l, RULE_E_SYNTAX, l->at, l->at < l->end, "expected `\"` of a raw string");
    for (size_t text = l->at; l->at < l->end; l->at++) {
        size_t n = 0;
        if (l->text[l->at] != '"')
            continue;
        while (n < hashes && l->at + 1 + n < l->end && l->text[l->at + 1 + n] == '#')
            n++;
        if (n < hashes)
            continue;
        *ret = slice_of(l->text + text, l->at - text);
        l->at += 1 + hashes;
        return true;
    }
    return lex_fail(l, RULE_E_SYNTAX, start, l->end - start, "the raw string has no end");
}

bool
lex_raw(struct lex *l, struct rule_value *ret)
{
    acd_slice text, copy;
    if (!raw_text(l, &text))
        return false;
    copy = mem_slice(l->region, text);
    if (!copy.ptr)
        return lex_no_memory(l);
    *ret = rule_bytes_value(copy.ptr, copy.len);
    return true;
}

static bool
byte_list(struct lex *l, struct rule_value *ret)
{
    size_t n = 0;
    uint8_t *out = mem_alloc(l->region, (l->end - l->at) / 2 + 1);
    if (!out)
        return lex_no_memory(l);
    for (;;) {
        if (!hex_pair(l, "expected a string, or two hexadecimal digits of a byte list", &out[n]))
            return false;
        n++;
        char c = lex_peek(l);
        if (c != ':' && c != '-' && c != '.')
            break;
        l->at++;
    }
    if (n < 2)
        return lex_fail(l, RULE_E_SYNTAX, l->at, l->at < l->end, "expected `:`, `-` or `.` of a byte list");
    *ret = rule_bytes_value(out, n);
    return true;
}

bool
lex_bytes(struct lex *l, struct rule_value *ret)
{
    if (l->at == l->end)
        return lex_fail(l, RULE_E_SYNTAX, l->at, 0, "expected a string");
    if (lex_peek(l) == '"')
        return lex_quoted(l, ret);
    if (lex_peek(l) == 'r')
        return lex_raw(l, ret);
    return byte_list(l, ret);
}

/* \" outside a class becomes "; every other pair stays as it is, and inside a class a quote does not end the
 * literal. */
static bool
quoted_pattern(struct lex *l, struct rule_value *ret)
{
    size_t start = ++l->at, n = 0;
    bool in_class = false;
    char *out = mem_alloc(l->region, l->end - l->at + 1);
    if (!out)
        return lex_no_memory(l);
    while (l->at < l->end) {
        char c = l->text[l->at++];
        if (c == '"' && !in_class) {
            *ret = rule_bytes_value(out, n);
            return true;
        }
        if (c == '\\') {
            if (l->at == l->end)
                break;
            char d = l->text[l->at++];
            if (d != '"' || in_class)
                out[n++] = c;
            out[n++] = d;
            continue;
        }
        if (c == '[')
            in_class = true;
        else if (c == ']')
            in_class = false;
        out[n++] = c;
    }
    return lex_fail(l, RULE_E_SYNTAX, start, l->end - start, "the pattern has no closing quote");
}

bool
lex_pattern(struct lex *l, struct rule_value *ret, size_t *ret_at)
{
    size_t start = l->at;
    if (lex_peek(l) == '"') {
        *ret_at = start + 1;
        return quoted_pattern(l, ret);
    }
    if (lex_peek(l) == 'r') {
        if (!lex_raw(l, ret))
            return false;
        *ret_at = (size_t)((const char *)memchr(l->text + start, '"', l->at - start) - l->text) + 1;
        return true;
    }
    return lex_fail(l, RULE_E_SYNTAX, start, start < l->end, "expected a pattern: a quoted or raw string");
}
