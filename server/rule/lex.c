/* Names, white space, numbers. Byte strings are in lex_bytes.c, addresses in lex_ip.c. */
#include "rule/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

bool
lex_fail(struct lex *l, enum rule_error_kind kind, size_t at, size_t len, const char *fmt, ...)
{
    va_list ap;
    l->error.kind = kind;
    l->error.at = at;
    l->error.len = len;
    va_start(ap, fmt);
    (void)vsnprintf(l->error.message, sizeof(l->error.message), fmt, ap);
    va_end(ap);
    return false;
}

bool
lex_no_memory(struct lex *l)
{
    l->no_memory = true;
    return lex_fail(l, RULE_E_LIMIT, l->at, 0, "out of memory");
}

/* White_Space of Unicode, as UTF-8. */
static size_t
white_space(const uint8_t *p, size_t left)
{
    if (p[0] == ' ' || (p[0] >= 9 && p[0] <= 13))
        return 1;
    if (left >= 2 && p[0] == 0xc2 && (p[1] == 0x85 || p[1] == 0xa0))
        return 2;
    if (left < 3)
        return 0;
    if (p[0] == 0xe1 && p[1] == 0x9a && p[2] == 0x80) /* U+1680 */
        return 3;
    if (p[0] == 0xe2 && p[1] == 0x80 && (p[2] <= 0x8a || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf))
        return 3;                                     /* U+2000..U+200A, U+2028, U+2029, U+202F */
    if (p[0] == 0xe2 && p[1] == 0x81 && p[2] == 0x9f) /* U+205F */
        return 3;
    if (p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80) /* U+3000 */
        return 3;
    return 0;
}

void
lex_trim(struct lex *l, acd_slice text)
{
    const uint8_t *p = text.ptr;
    size_t n, end = text.len, at = 0;
    while (at < end && (n = white_space(p + at, end - at)) > 0)
        at += n;
    if (at == end) { /* nothing but white space counts as the empty text at the start */
        l->text = text.ptr;
        l->at = l->end = 0;
        return;
    }
    for (;;) {
        size_t step = 0;
        for (size_t k = 1; k <= 3 && k <= end - at; k++)
            if (white_space(p + end - k, k) == k)
                step = k;
        if (step == 0)
            break;
        end -= step;
    }
    l->text = text.ptr;
    l->at = at;
    l->end = end;
}

void
lex_space(struct lex *l)
{
    while (l->at < l->end && (l->text[l->at] == ' ' || l->text[l->at] == '\r' || l->text[l->at] == '\n'))
        l->at++;
}

bool
lex_starts(const struct lex *l, const char *word)
{
    size_t n = strlen(word);
    return l->end - l->at >= n && memcmp(l->text + l->at, word, n) == 0;
}

bool
lex_take(struct lex *l, const char *word)
{
    if (!lex_starts(l, word))
        return false;
    l->at += strlen(word);
    return true;
}

bool
lex_expect(struct lex *l, const char *word)
{
    lex_space(l);
    if (lex_take(l, word))
        return true;
    if (l->at == l->end)
        return lex_fail(l, RULE_E_SYNTAX, l->at, 0, "expected `%s`, found the end", word);
    return lex_fail(l, RULE_E_SYNTAX, l->at, 1, "expected `%s`", word);
}

bool
lex_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool
lex_name(struct lex *l, acd_slice *ret)
{
    size_t start = l->at;
    for (;;) {
        size_t part = l->at;
        while (lex_name_char(lex_peek(l)))
            l->at++;
        if (l->at == part)
            return lex_fail(l, RULE_E_SYNTAX, l->at, l->at < l->end,
                            part == start ? "expected a field, a function or `(`"
                                          : "expected the rest of a name after the dot");
        if (lex_peek(l) != '.')
            break;
        l->at++;
    }
    *ret = slice_of(l->text + start, l->at - start);
    return true;
}

bool
lex_list_name(struct lex *l, acd_slice *ret)
{
    size_t start = l->at;
    for (char c; (c = lex_peek(l)) != '\0'; l->at++)
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '.')
            break;
    *ret = slice_of(l->text + start, l->at - start);
    if (!rule_list_name_valid(*ret))
        return lex_fail(l, RULE_E_SYNTAX, start, ret->len,
                        "a list name is made of a-z, 0-9, `_` and `.`, without a dot at either end");
    return true;
}

/* Digits are taken greedily over hex digits in every form and only then converted. */
bool
lex_int(struct lex *l, int64_t *ret)
{
    size_t first = l->at;
    unsigned radix = 10;
    bool neg = false;
    if (lex_take(l, "0x")) {
        radix = 16;
        first = l->at;
    } else if (lex_peek(l) == '0') {
        radix = 8;
    } else if (lex_take(l, "-")) {
        neg = true;
    }
    size_t start = l->at;
    while (hex_digit(lex_peek(l)) >= 0)
        l->at++;
    if (l->at == start)
        return lex_fail(l, RULE_E_SYNTAX, start, start < l->end, "expected an integer");
    int64_t v = 0;
    for (size_t i = start; i < l->at; i++) {
        int d = hex_digit(l->text[i]);
        if (d >= (int)radix)
            return lex_fail(l, RULE_E_VALUE, first, l->at - first, "`%c` is not a digit of radix %u",
                            l->text[i], radix);
        if (__builtin_mul_overflow(v, (int64_t)radix, &v) ||
            (neg ? __builtin_sub_overflow(v, (int64_t)d, &v) : __builtin_add_overflow(v, (int64_t)d, &v)))
            return lex_fail(l, RULE_E_VALUE, first, l->at - first, "the integer does not fit in 64 bits");
    }
    *ret = v;
    return true;
}

bool
lex_int_elem(struct lex *l, struct ast_elem *ret)
{
    size_t start = l->at;
    int64_t lo, hi;
    if (!lex_int(l, &lo))
        return false;
    hi = lo;
    if (lex_take(l, "..") && !lex_int(l, &hi))
        return false;
    if (lo > hi)
        return lex_fail(l, RULE_E_VALUE, start, l->at - start, "the range is reversed");
    *ret = (struct ast_elem){RULE_INT_VALUE(lo), RULE_INT_VALUE(hi)};
    return true;
}
