/* Bracketed classes: ranges, POSIX names, nested classes and the set operators && -- ~~ . */
#include <string.h>

#include "rule/regex_parse.h"

static const struct {
    const char *name, *ranges; /* pairs of first and last byte */
    uint8_t pairs;
} posix[] = {
    {"alnum", "09AZaz", 3},
    {"alpha", "AZaz", 2},
    {"ascii", "\0\x7f", 1},
    {"blank", "\t\t  ", 2},
    {"cntrl", "\0\x1f\x7f\x7f", 2},
    {"digit", "09", 1},
    {"graph", "!~", 1},
    {"lower", "az", 1},
    {"print", " ~", 1},
    {"punct", "!/:@[`{~", 4},
    {"space", "\t\r  ", 2},
    {"upper", "AZ", 1},
    {"word", "09AZ__az", 4},
    {"xdigit", "09AFaf", 3},
};

void
re_set_fold(struct re_set *s)
{
    for (unsigned c = 'a'; c <= 'z'; c++) {
        if (re_set_has(s, (uint8_t)c))
            re_set_add(s, (uint8_t)(c - 32));
        else if (re_set_has(s, (uint8_t)(c - 32)))
            re_set_add(s, (uint8_t)c);
    }
}

static void
merge(struct re_set *into, const struct re_set *s)
{
    for (int i = 0; i < 4; i++)
        into->bits[i] |= s->bits[i];
}

/* [:name:] or [:^name:] inside a class. False without an error: it is something else, nothing is taken. */
static bool
posix_class(struct re_parser *r, struct re_set *into)
{
    size_t at = r->at;
    struct re_set s = {{0}};
    if (r->end - at < 4 || r->p[at + 1] != ':')
        return false;
    at += 2;
    bool negated = r->p[at] == '^';
    at += negated;
    size_t start = at;
    while (at < r->end && r->p[at] != ':')
        at++;
    if (r->end - at < 2 || r->p[at + 1] != ']')
        return false;
    for (size_t i = 0; i < sizeof(posix) / sizeof(posix[0]); i++) {
        if (strlen(posix[i].name) != at - start || memcmp(posix[i].name, r->p + start, at - start) != 0)
            continue;
        for (unsigned k = 0; k < posix[i].pairs; k++)
            for (unsigned c = (uint8_t)posix[i].ranges[2 * k]; c <= (uint8_t)posix[i].ranges[2 * k + 1]; c++)
                re_set_add(&s, (uint8_t)c);
        if (r->flags & RE_FLAG_I)
            re_set_fold(&s);
        if (negated)
            re_set_flip(&s);
        merge(into, &s);
        r->at = at + 2;
        return true;
    }
    return false;
}

/* One byte, or a class escape; set_ret says which. */
static bool
item(struct re_parser *r, struct re_escape *ret)
{
    if (r->p[r->at] != '\\') {
        uint32_t c = re_char(r);
        *ret = (struct re_escape){.kind = c > 0x7f ? RE_ESC_CHAR : RE_ESC_BYTE, .c = c};
    } else if (!re_escape(r, ret)) {
        return false;
    }
    if (ret->kind == RE_ESC_EDGE)
        return re_fail(r, "an anchor cannot stand in a class");
    if (ret->kind == RE_ESC_CHAR)
        return re_fail(r, "only ASCII characters and \\xHH may stand in a class, patterns work on bytes");
    return true;
}

static bool
range(struct re_parser *r, struct re_set *into)
{
    struct re_escape lo, hi;
    struct re_set s = {{0}};
    if (!item(r, &lo))
        return false;
    re_skip_space(r);
    if (r->at >= r->end)
        return re_fail(r, "the class is not closed");
    struct re_parser probe = *r;
    bool single = r->p[r->at] != '-';
    if (!single) {
        probe.at++;
        re_skip_space(&probe);
        if (probe.at >= r->end)
            return re_fail(r, "the class is not closed");
        single = r->p[probe.at] == ']' || r->p[probe.at] == '-';
    }
    if (single) {
        if (lo.kind == RE_ESC_SET)
            s = lo.set;
        else
            re_set_add(&s, (uint8_t)lo.c);
    } else {
        r->at = probe.at;
        if (!item(r, &hi))
            return false;
        if (lo.kind == RE_ESC_SET || hi.kind == RE_ESC_SET)
            return re_fail(r, "a class range needs a byte at both ends");
        if (lo.c > hi.c)
            return re_fail(r, "the class range is reversed");
        for (unsigned c = lo.c; c <= hi.c; c++)
            re_set_add(&s, (uint8_t)c);
    }
    if (r->flags & RE_FLAG_I)
        re_set_fold(&s);
    merge(into, &s);
    return true;
}

static void
apply(struct re_set *acc, char op, const struct re_set *s)
{
    for (int i = 0; i < 4; i++) {
        if (op == '&')
            acc->bits[i] &= s->bits[i];
        else if (op == '-')
            acc->bits[i] &= ~s->bits[i];
        else if (op == '~')
            acc->bits[i] ^= s->bits[i];
        else
            acc->bits[i] = s->bits[i];
    }
}

/* Behind [ : the ^ and what may stand first without meaning something else. */
static bool
class_open(struct re_parser *r, bool *ret_negated, struct re_set *cur)
{
    bool any = false;
    r->at++;
    re_skip_space(r);
    *ret_negated = r->at < r->end && r->p[r->at] == '^';
    r->at += *ret_negated;
    re_skip_space(r);
    for (; r->at < r->end && r->p[r->at] == '-'; any = true) {
        re_set_add(cur, '-');
        r->at++;
        re_skip_space(r);
    }
    if (!any && r->at < r->end && r->p[r->at] == ']') {
        re_set_add(cur, ']');
        r->at++;
    }
    return true;
}

bool
re_class(struct re_parser *r, struct re_set *ret)
{
    struct re_set acc = {{0}}, cur = {{0}}, nested;
    bool negated;
    char op = 0;
    if (++r->depth > RULE_REGEX_DEPTH_MAX)
        return re_fail(r, "nested more than %d deep", RULE_REGEX_DEPTH_MAX);
    (void)class_open(r, &negated, &cur);
    for (;;) {
        re_skip_space(r);
        if (r->at >= r->end)
            return re_fail(r, "the class is not closed");
        uint8_t c = r->p[r->at], next = r->at + 1 < r->end ? r->p[r->at + 1] : 0;
        if (c == ']')
            break;
        if ((c == '&' || c == '-' || c == '~') && next == c) {
            apply(&acc, op, &cur);
            op = (char)c;
            cur = (struct re_set){{0}};
            r->at += 2;
        } else if (c == '[') {
            if (posix_class(r, &cur))
                continue;
            if (!re_class(r, &nested))
                return false;
            merge(&cur, &nested);
        } else if (!range(r, &cur)) {
            return false;
        }
    }
    apply(&acc, op, &cur);
    if (negated)
        re_set_flip(&acc);
    r->at++;
    r->depth--;
    *ret = acc;
    return true;
}
