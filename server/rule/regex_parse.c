/*
 * Recursive descent over the pattern. Flags hold from where they stand to the end of their group; case
 * folding,
 * `.` and the anchors are resolved here, so that the tree has no modes.
 */
#include "rule/regex_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct re_name {
    struct re_name *next;
    acd_slice name;
};

bool
re_fail(struct re_parser *r, const char *fmt, ...)
{
    va_list ap;
    char text[RULE_MESSAGE_MAX - 40];
    if (r->failed)
        return false;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    r->failed = ACD_EINVAL;
    (void)snprintf(r->message, RULE_MESSAGE_MAX, "bad pattern near byte %zu: %s", r->at, text);
    return false;
}

static struct re_node *
node(struct re_parser *r, enum re_kind kind)
{
    struct re_node *n = mem_new(r->region, struct re_node);
    if (n) {
        n->kind = kind;
    } else {
        (void)re_fail(r, "out of memory");
        r->failed = ACD_ENOMEM;
    }
    return n;
}

int
re_set_single(const struct re_set *s)
{
    int found = -1, bits = 0;
    for (int i = 0; i < 4; i++) {
        bits += __builtin_popcountll(s->bits[i]);
        if (s->bits[i])
            found = 64 * i + __builtin_ctzll(s->bits[i]);
    }
    return bits == 1 ? found : -1;
}

void
re_skip_space(struct re_parser *r)
{
    if (!(r->flags & RE_FLAG_X))
        return;
    for (; r->at < r->end; r->at++) {
        uint8_t c = r->p[r->at];
        if (c == '#') {
            while (r->at < r->end && r->p[r->at] != '\n')
                r->at++;
            if (r->at == r->end)
                return;
        } else if (c != ' ' && !(c >= '\t' && c <= '\r')) {
            return;
        }
    }
}

uint32_t
re_char(struct re_parser *r)
{
    uint8_t c = r->p[r->at++];
    unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    uint32_t v = more == 0 ? c : c & (0x3fu >> more);
    for (; more > 0; more--)
        v = v << 6 | (r->p[r->at++] & 0x3f);
    return v;
}

static struct re_node *
byte_node(struct re_parser *r, uint8_t c)
{
    struct re_node *n = node(r, RE_SET);
    if (!n)
        return NULL;
    re_set_add(&n->set, c);
    if (r->flags & RE_FLAG_I)
        re_set_fold(&n->set);
    return n;
}

/* A character is the row of its UTF-8 bytes, as one atom. */
static struct re_node *
char_node(struct re_parser *r, uint32_t c)
{
    uint8_t b[4];
    unsigned n = 0;
    if (c < 0x80)
        return byte_node(r, (uint8_t)c);
    if (c < 0x800) {
        b[n++] = (uint8_t)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        b[n++] = (uint8_t)(0xe0 | c >> 12);
        b[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    } else {
        b[n++] = (uint8_t)(0xf0 | c >> 18);
        b[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        b[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    }
    b[n++] = (uint8_t)(0x80 | (c & 0x3f));
    struct re_node *cat = node(r, RE_CAT), **tail = cat ? &cat->kids : NULL;
    for (unsigned i = 0; cat && i < n; i++) {
        *tail = byte_node(r, b[i]);
        if (!*tail)
            return NULL;
        tail = &(*tail)->next;
    }
    return cat;
}

/* Number of { }: blanks around it are allowed. */
static bool
count(struct re_parser *r, uint32_t *ret)
{
    uint64_t v = 0;
    size_t start;
    while (r->at < r->end && (r->p[r->at] == ' ' || (r->p[r->at] >= '\t' && r->p[r->at] <= '\r')))
        r->at++;
    for (start = r->at; r->at < r->end && r->p[r->at] >= '0' && r->p[r->at] <= '9'; r->at++)
        if ((v = v * 10 + (r->p[r->at] - '0')) > UINT32_MAX)
            return re_fail(r, "the repetition count is too large");
    if (r->at == start)
        return re_fail(r, "a repetition `{` needs a number");
    while (r->at < r->end && (r->p[r->at] == ' ' || (r->p[r->at] >= '\t' && r->p[r->at] <= '\r')))
        r->at++;
    *ret = (uint32_t)v;
    return true;
}

static bool
braces(struct re_parser *r, uint32_t *ret_least, uint32_t *ret_most)
{
    r->at++;
    re_skip_space(r);
    if (!count(r, ret_least))
        return false;
    *ret_most = *ret_least;
    re_skip_space(r);
    if (r->at < r->end && r->p[r->at] == ',') {
        r->at++;
        re_skip_space(r);
        if (r->at < r->end && r->p[r->at] == '}')
            *ret_most = RE_UNBOUNDED;
        else if (!count(r, ret_most))
            return false;
    }
    re_skip_space(r);
    if (r->at >= r->end || r->p[r->at] != '}')
        return re_fail(r, "the repetition is not closed");
    r->at++;
    if (*ret_least > *ret_most)
        return re_fail(r, "the repetition counts are reversed");
    return true;
}

/* At an operator, if there is one, that applies to *atom. Laziness changes no answer and is read over. */
static bool
repetition(struct re_parser *r, struct re_node **atom, bool *ret_found)
{
    uint8_t c = r->at < r->end ? r->p[r->at] : 0;
    uint32_t least = 0, most = RE_UNBOUNDED;
    *ret_found = c == '*' || c == '+' || c == '?' || c == '{';
    if (!*ret_found)
        return true;
    if (!*atom)
        return re_fail(r, "there is nothing to repeat");
    if (c == '{') {
        if (!braces(r, &least, &most))
            return false;
    } else {
        r->at++;
        least = c == '+';
        most = c == '?' ? 1 : RE_UNBOUNDED;
    }
    if (r->at < r->end && r->p[r->at] == '?')
        r->at++;
    struct re_node *n = node(r, RE_REPEAT);
    if (!n)
        return false;
    n->kids = *atom;
    n->least = least;
    n->most = most;
    *atom = n;
    return true;
}

static bool alternation(struct re_parser *r, struct re_node **ret);

static bool
group_name(struct re_parser *r)
{
    size_t start = r->at;
    for (; r->at < r->end && r->p[r->at] != '>'; r->at++) {
        uint8_t c = r->p[r->at], l = c | 0x20;
        bool first = c == '_' || (l >= 'a' && l <= 'z');
        if (!first && (r->at == start || !((c >= '0' && c <= '9') || c == '.' || c == '[' || c == ']')))
            return re_fail(r, "bad character in a group name");
    }
    acd_slice name = slice_of(r->p + start, r->at - start);
    if (r->at >= r->end || name.len == 0)
        return re_fail(r, "a group name is empty or not closed");
    r->at++;
    for (struct re_name *n = r->names; n; n = n->next)
        if (slice_eq(n->name, name))
            return re_fail(r, "a group name is used twice");
    struct re_name *n = mem_new(r->region, struct re_name);
    if (!n) {
        r->failed = ACD_ENOMEM;
        return false;
    }
    *n = (struct re_name){r->names, name};
    r->names = n;
    return true;
}

/* Behind (? : letters up to : or ). *ret_scoped: a group follows. */
static bool
flags(struct re_parser *r, bool *ret_scoped)
{
    static const char letters[] = "imsxU";
    unsigned on = 0, off = 0, seen = 0;
    bool minus = false, dangling = false;
    const char *found;
    for (;; r->at++) {
        re_skip_space(r);
        uint8_t c = r->at < r->end ? r->p[r->at] : 0;
        if (c == ':' || c == ')')
            break;
        if (c == '-') {
            if (minus)
                return re_fail(r, "a second `-` among the flags");
            minus = dangling = true;
        } else if (c == 'u' && minus) { /* Unicode mode is off already */
            if (seen & 64)
                return re_fail(r, "a flag is given twice");
            seen |= 64;
            dangling = false;
        } else if (c && (found = strchr(letters, c))) {
            unsigned bit = 1u << (found - letters);
            if (seen & bit)
                return re_fail(r, "a flag is given twice");
            seen |= bit;
            *(minus ? &off : &on) |= bit;
            dangling = false;
        } else {
            return re_fail(r, r->at >= r->end                    ? "the group is not closed"
                              : c == '=' || c == '!' || c == '<' ? "look-around is not supported"
                              : c == 'u' || c == 'R'             ? "this flag is not supported"
                                                                 : "unknown flag or group");
        }
    }
    *ret_scoped = r->p[r->at] == ':';
    if (dangling || (!*ret_scoped && seen == 0))
        return re_fail(r, "flags are missing");
    r->at++;
    r->flags = (r->flags | on) & ~off;
    return true;
}

/* At the ( . A bare flag group leaves *ret NULL. */
static bool
group(struct re_parser *r, struct re_node **ret)
{
    unsigned outer = r->flags;
    bool scoped = true;
    if (++r->depth > RULE_REGEX_DEPTH_MAX)
        return re_fail(r, "nested more than %d deep", RULE_REGEX_DEPTH_MAX);
    r->at++;
    re_skip_space(r);
    size_t left = r->end - r->at;
    const uint8_t *p = r->p + r->at;
    if (left >= 3 && p[0] == '?' && p[1] == 'P' && p[2] == '<') {
        r->at += 3;
        if (!group_name(r))
            return false;
    } else if (left >= 3 && p[0] == '?' && p[1] == '<' && p[2] != '=' && p[2] != '!') {
        r->at += 2;
        if (!group_name(r))
            return false;
    } else if (left >= 1 && p[0] == '?') {
        r->at++;
        if (!flags(r, &scoped))
            return false;
    }
    if (!scoped) {
        r->depth--;
        *ret = NULL;
        return true;
    }
    if (!alternation(r, ret))
        return false;
    if (r->at >= r->end || r->p[r->at] != ')')
        return re_fail(r, "a group is not closed");
    r->at++;
    r->flags = outer;
    r->depth--;
    return true;
}

static bool
escaped(struct re_parser *r, struct re_node **ret)
{
    struct re_escape e;
    if (!re_escape(r, &e))
        return false;
    if (e.kind == RE_ESC_BYTE)
        *ret = byte_node(r, (uint8_t)e.c);
    else if (e.kind == RE_ESC_CHAR)
        *ret = char_node(r, e.c);
    else
        *ret = node(r, e.kind == RE_ESC_SET ? RE_SET : e.edge);
    if (*ret && e.kind == RE_ESC_SET)
        (*ret)->set = e.set;
    return *ret != NULL;
}

static bool
atom(struct re_parser *r, struct re_node **ret)
{
    uint8_t c = r->p[r->at];
    switch (c) {
    case '(':
        return group(r, ret);
    case '[':
        *ret = node(r, RE_SET);
        return *ret && re_class(r, &(*ret)->set);
    case '\\':
        return escaped(r, ret);
    case '^':
    case '$':
        r->at++;
        *ret = node(r, c == '^' ? (r->flags & RE_FLAG_M ? RE_LINE_BEGIN : RE_TEXT_BEGIN)
                                : (r->flags & RE_FLAG_M ? RE_LINE_END : RE_TEXT_END));
        return *ret != NULL;
    case '.':
        r->at++;
        *ret = node(r, RE_SET);
        if (!*ret)
            return false;
        if (!(r->flags & RE_FLAG_S))
            re_set_add(&(*ret)->set, '\n');
        re_set_flip(&(*ret)->set);
        return true;
    default:
        *ret = char_node(r, re_char(r));
        return *ret != NULL;
    }
}

static bool
concatenation(struct re_parser *r, struct re_node **ret)
{
    struct re_node *cat = node(r, RE_CAT), **last = NULL, **tail;
    bool found;
    if (!cat)
        return false;
    tail = &cat->kids;
    for (;;) {
        struct re_node *none = NULL;
        re_skip_space(r);
        if (r->at >= r->end || r->p[r->at] == '|' || r->p[r->at] == ')')
            break;
        if (!repetition(r, last ? last : &none, &found))
            return false;
        if (found) {
            tail = &(*last)->next;
            continue;
        }
        last = tail;
        if (!atom(r, last))
            return false;
        if (*last)
            tail = &(*last)->next;
        else
            last = NULL;
    }
    if (!cat->kids)
        cat->kind = RE_EMPTY;
    *ret = cat;
    return true;
}

static bool
alternation(struct re_parser *r, struct re_node **ret)
{
    struct re_node *first, **tail;
    if (!concatenation(r, &first))
        return false;
    *ret = first;
    if (r->at >= r->end || r->p[r->at] != '|')
        return true;
    *ret = node(r, RE_ALT);
    if (!*ret)
        return false;
    (*ret)->kids = first;
    tail = &first->next;
    while (r->at < r->end && r->p[r->at] == '|') {
        r->at++;
        if (!concatenation(r, tail))
            return false;
        tail = &(*tail)->next;
    }
    return true;
}

int
re_parse(acd_slice pattern, struct mem_region *region, struct re_node **ret, char message[RULE_MESSAGE_MAX])
{
    struct re_parser r = {.region = region, .p = pattern.ptr, .end = pattern.len, .message = message};
    if (!utf8_valid(pattern))
        (void)re_fail(&r, "the pattern is not UTF-8");
    else if (alternation(&r, ret) && r.at < r.end)
        (void)re_fail(&r, "an unopened group is closed");
    return r.failed;
}
