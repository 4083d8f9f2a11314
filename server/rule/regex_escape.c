/* Escapes of patterns, outside and inside classes. */
#include <string.h>

#include "base/str.h"
#include "rule/regex_parse.h"

static bool
scalar(struct re_parser *r, uint64_t v, struct re_escape *ret)
{
    if (v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        return re_fail(r, "the escape is not a Unicode character");
    *ret = (struct re_escape){.kind = v <= 0x7f ? RE_ESC_BYTE : RE_ESC_CHAR, .c = (uint32_t)v};
    return true;
}

/* \xHH \x{...} \uHHHH \u{...} \UHHHHHHHH \U{...}; a two-digit \x is a byte, all else a character. */
static bool
hex_escape(struct re_parser *r, uint8_t letter, struct re_escape *ret)
{
    unsigned digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
    uint64_t v = 0;
    re_skip_space(r);
    if (r->at < r->end && r->p[r->at] == '{') {
        unsigned n = 0;
        for (r->at++;; r->at++, n++) {
            re_skip_space(r);
            if (r->at >= r->end)
                return re_fail(r, "a hexadecimal escape has no closing brace");
            if (r->p[r->at] == '}')
                break;
            int d = hex_digit(r->p[r->at]);
            if (d < 0)
                return re_fail(r, "a hexadecimal escape has a character that is no digit");
            v = v > 0x10ffff ? v : v << 4 | (unsigned)d;
        }
        r->at++;
        return n ? scalar(r, v, ret) : re_fail(r, "a hexadecimal escape is empty");
    }
    for (unsigned i = 0; i < digits; i++, r->at++) {
        re_skip_space(r);
        int d = r->at < r->end ? hex_digit(r->p[r->at]) : -1;
        if (d < 0)
            return re_fail(r, "a hexadecimal escape has too few digits");
        v = v << 4 | (unsigned)d;
    }
    if (digits == 2) {
        *ret = (struct re_escape){.kind = RE_ESC_BYTE, .c = (uint32_t)v};
        return true;
    }
    return scalar(r, v, ret);
}

static void
add_range(struct re_set *s, uint8_t lo, uint8_t hi)
{
    for (unsigned c = lo; c <= hi; c++)
        re_set_add(s, (uint8_t)c);
}

static void
perl_class(uint8_t letter, struct re_escape *ret)
{
    *ret = (struct re_escape){.kind = RE_ESC_SET};
    switch (letter | 0x20) {
    case 'd':
        add_range(&ret->set, '0', '9');
        break;
    case 's':
        add_range(&ret->set, '\t', '\r');
        re_set_add(&ret->set, ' ');
        break;
    default:
        add_range(&ret->set, '0', '9');
        add_range(&ret->set, 'A', 'Z');
        add_range(&ret->set, 'a', 'z');
        re_set_add(&ret->set, '_');
    }
    if (!(letter & 0x20))
        re_set_flip(&ret->set);
}

static bool
edge(struct re_parser *r, uint8_t letter, struct re_escape *ret)
{
    static const char letters[] = "AzbB";
    static const enum re_kind kinds[] = {RE_TEXT_BEGIN, RE_TEXT_END, RE_WORD_EDGE, RE_NO_WORD_EDGE};
    *ret = (struct re_escape){.kind = RE_ESC_EDGE, .edge = kinds[strchr(letters, letter) - letters]};
    if (letter == 'b' && r->end - r->at >= 2 && r->p[r->at] == '{' &&
        ((r->p[r->at + 1] | 0x20) >= 'a' && (r->p[r->at + 1] | 0x20) <= 'z'))
        return re_fail(r, "\\b{...} is not supported");
    return true;
}

bool
re_escape(struct re_parser *r, struct re_escape *ret)
{
    static const char control[] = "aftnrv", control_is[] = "\a\f\t\n\r\v";
    const char *found;
    if (++r->at >= r->end)
        return re_fail(r, "the pattern ends with a backslash");
    uint8_t c = r->p[r->at];
    if (c >= 0x80)
        return re_fail(r, "only ASCII characters can be escaped");
    r->at++;
    if (c >= '0' && c <= '9')
        return re_fail(r, "back-references and octal escapes are not supported");
    if (c == 'x' || c == 'u' || c == 'U')
        return hex_escape(r, c, ret);
    if (c == 'p' || c == 'P')
        return re_fail(r, "Unicode classes are not allowed, patterns work on bytes");
    if (c && strchr("dDsSwW", c)) {
        perl_class(c, ret);
        return true;
    }
    if (c && strchr("AzbB", c))
        return edge(r, c, ret);
    if (c && (found = strchr(control, c))) {
        *ret = (struct re_escape){.kind = RE_ESC_BYTE, .c = (uint8_t)control_is[found - control]};
        return true;
    }
    if (((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '<' || c == '>')
        return re_fail(r, "unknown escape \\%c", c);
    *ret = (struct re_escape){.kind = RE_ESC_BYTE, .c = c};
    return true;
}
