/*
 * From the tree of a pattern to something that runs: plain byte comparison (the pattern is one literal,
 * perhaps anchored), a look at the end (a literal, then bytes of a set up to the end), or the library behind
 * two filters that must hold for any match: a literal that occurs in every match, and for a pattern that ends
 * in $ the set of bytes that can come last.
 */
#include "rule/regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "rule/bytes.h"
#include "rule/find.h"
#include "rule/regex_parse.h"
#include "rule/regex_re2.h"

enum {
    LITERAL_MAX = 256,       /* longest required literal that is kept */
    RE2_COUNT_MAX = 1000,    /* the library's bound for (nested) counted repetition */
    RE2_TEXT_MAX = 64 << 20, /* bytes of a printed pattern */
    RE2_MEMORY = 8 << 20,    /* bytes for its automata */
    RE2_MEMORY_STATE = 200,  /* and for each state */
    REGION_BLOCK = 8192,
};

enum regex_kind { REGEX_CONTAINS, REGEX_PREFIX, REGEX_SUFFIX, REGEX_EQUAL, REGEX_TAIL, REGEX_LIBRARY };

struct rule_regex {
    enum regex_kind kind;
    bool has_last;
    unsigned states;
    struct re_set last; /* bytes that can end a match, and so the value */
    uint32_t least;     /* REGEX_TAIL: so many of them at the end, or more */
    size_t literal_len;
    uint8_t *literal;
    void *re2;
};

static uint64_t
states(const struct re_node *n)
{
    uint64_t sum = 1, kid;
    switch (n->kind) {
    case RE_CAT:
    case RE_ALT:
        for (const struct re_node *k = n->kids; k && sum <= RULE_REGEX_STATES_MAX; k = k->next)
            sum += states(k);
        return sum;
    case RE_REPEAT:
        kid = states(n->kids);
        if (kid > RULE_REGEX_STATES_MAX)
            return kid;
        if (n->most == RE_UNBOUNDED)
            return kid * (n->least ? n->least : 1) + 1;
        return kid * (n->most ? n->most : 1) + (n->most - n->least);
    default:
        return 1;
    }
}

/* Largest product of nested counts, as the library reckons it. */
static uint64_t
product(const struct re_node *n)
{
    uint64_t best = 1;
    for (const struct re_node *k = n->kids; k; k = k->next) {
        uint64_t p = product(k);
        best = p > best ? p : best;
    }
    if (n->kind == RE_REPEAT) {
        uint64_t c = n->most == RE_UNBOUNDED ? n->least : n->most;
        best *= c > 1 ? c : 1;
    }
    return best;
}

static void
print_set(struct buf *out, const struct re_set *s)
{
    int single = re_set_single(s);
    if (single >= 0) {
        buf_printf(out, "\\x%02x", (unsigned)single);
        return;
    }
    size_t start = out->len;
    buf_putc(out, '[');
    for (unsigned lo = 0; lo < 256; lo++) {
        unsigned hi = lo;
        if (!re_set_has(s, (uint8_t)lo))
            continue;
        while (hi < 255 && re_set_has(s, (uint8_t)(hi + 1)))
            hi++;
        buf_printf(out, hi > lo ? "\\x%02x-\\x%02x" : "\\x%02x", lo, hi);
        lo = hi;
    }
    if (out->len == start + 1)
        buf_puts(out, "^\\x00-\\xff"); /* nothing */
    buf_putc(out, ']');
}

static void print_node(struct buf *out, const struct re_node *n);

static void
print_counted(struct buf *out, const struct re_node *kid, const char *least, uint64_t most)
{
    if (most == 0)
        return;
    buf_puts(out, "(?:");
    print_node(out, kid);
    buf_printf(out, "){%s%u}", least, (unsigned)most);
}

static void
print_mandatory(struct buf *out, const struct re_node *kid, uint64_t times, uint64_t chunk)
{
    for (; times > 0 && !out->failed; times -= times < chunk ? times : chunk)
        print_counted(out, kid, "", times < chunk ? times : chunk);
}

/* 0..times copies, as nested optional blocks of `chunk` and a rest. Written as a row of {0,chunk} every piece
 * could end anywhere, and the library's automata would take minutes to build. */
static void
print_optional(struct buf *out, const struct re_node *kid, uint64_t times, uint64_t chunk)
{
    uint64_t blocks = times < chunk ? 0 : (times - (chunk - 1)) / chunk;
    for (uint64_t i = 0; i < blocks; i++) {
        buf_puts(out, "(?:");
        print_counted(out, kid, "", chunk);
    }
    for (uint64_t i = 0; i < blocks; i++)
        buf_puts(out, ")?");
    uint64_t rest = times - blocks * chunk;
    print_counted(out, kid, "0,", rest < chunk ? rest : chunk - 1);
    print_counted(out, kid, "0,", rest < chunk ? 0 : rest - (chunk - 1));
}

static void
print_repeat(struct buf *out, const struct re_node *n)
{
    uint64_t inner = product(n->kids), chunk = inner >= RE2_COUNT_MAX ? 1 : RE2_COUNT_MAX / inner;
    print_mandatory(out, n->kids, n->least, chunk);
    if (n->most == RE_UNBOUNDED) {
        buf_puts(out, "(?:");
        print_node(out, n->kids);
        buf_puts(out, ")*");
    } else {
        print_optional(out, n->kids, n->most - n->least, chunk);
    }
    if (n->most == 0)
        buf_puts(out, "(?:)");
}

static void
print_node(struct buf *out, const struct re_node *n)
{
    static const char *const edges[] = {
        [RE_TEXT_BEGIN] = "\\A",  [RE_TEXT_END] = "\\z",  [RE_LINE_BEGIN] = "(?m:^)",
        [RE_LINE_END] = "(?m:$)", [RE_WORD_EDGE] = "\\b", [RE_NO_WORD_EDGE] = "\\B",
    };
    switch (n->kind) {
    case RE_EMPTY:
        buf_puts(out, "(?:)");
        break;
    case RE_SET:
        print_set(out, &n->set);
        break;
    case RE_CAT:
        for (const struct re_node *k = n->kids; k; k = k->next)
            print_node(out, k);
        break;
    case RE_ALT:
        buf_puts(out, "(?:");
        for (const struct re_node *k = n->kids; k; k = k->next) {
            print_node(out, k);
            if (k->next)
                buf_putc(out, '|');
        }
        buf_putc(out, ')');
        break;
    case RE_REPEAT:
        print_repeat(out, n);
        break;
    default:
        buf_puts(out, edges[n->kind]);
    }
}

/* The longest run of fixed bytes that every match contains. */
struct run {
    uint8_t cur[LITERAL_MAX], best[LITERAL_MAX];
    size_t cur_len, best_len;
};

static void
run_end(struct run *r)
{
    if (r->cur_len > r->best_len) {
        memcpy(r->best, r->cur, r->cur_len);
        r->best_len = r->cur_len;
    }
    r->cur_len = 0;
}

static void
required(struct run *r, const struct re_node *n)
{
    int c;
    switch (n->kind) {
    case RE_SET:
        c = re_set_single(&n->set);
        if (c < 0 || r->cur_len == LITERAL_MAX)
            run_end(r);
        if (c >= 0)
            r->cur[r->cur_len++] = (uint8_t)c;
        break;
    case RE_CAT:
        for (const struct re_node *k = n->kids; k; k = k->next)
            required(r, k);
        break;
    case RE_REPEAT:
        if (n->least > 0)
            required(r, n->kids);
        run_end(r);
        break;
    case RE_ALT:
        run_end(r);
        break;
    default: /* of no width: what is on both sides touches */
        break;
    }
}

/* Set of bytes a match of n can end with; false: n may be empty, or too hard to say. */
static bool
last_bytes(const struct re_node *n, struct re_set *ret)
{
    const struct re_node *last = NULL;
    struct re_set s;
    switch (n->kind) {
    case RE_SET:
        *ret = n->set;
        return true;
    case RE_CAT:
        for (const struct re_node *k = n->kids; k; k = k->next)
            if (k->kind <= RE_REPEAT && k->kind != RE_EMPTY)
                last = k;
        return last && last_bytes(last, ret);
    case RE_REPEAT:
        return n->least > 0 && last_bytes(n->kids, ret);
    case RE_ALT:
        *ret = (struct re_set){{0}};
        for (const struct re_node *k = n->kids; k; k = k->next) {
            if (!last_bytes(k, &s))
                return false;
            for (int i = 0; i < 4; i++)
                ret->bits[i] |= s.bits[i];
        }
        return true;
    default:
        return false;
    }
}

/* Appends the bytes of a node that is a fixed string. */
static bool
fixed(const struct re_node *n, struct buf *out)
{
    if (n->kind == RE_EMPTY)
        return true;
    if (n->kind == RE_SET) {
        int c = re_set_single(&n->set);
        if (c >= 0)
            buf_putc(out, (char)c);
        return c >= 0;
    }
    if (n->kind != RE_CAT)
        return false;
    for (const struct re_node *k = n->kids; k; k = k->next)
        if (!fixed(k, out))
            return false;
    return true;
}

/* Is the whole pattern ^? literal $? ? */
static bool
literal_kind(const struct re_node *root, struct buf *out, enum regex_kind *ret)
{
    const struct re_node *k = root;
    bool begin = false, end = false;
    if (root->kind != RE_CAT) {
        *ret = REGEX_CONTAINS;
        return fixed(root, out);
    }
    k = root->kids;
    begin = k->kind == RE_TEXT_BEGIN;
    for (k = begin ? k->next : k; k; k = k->next) {
        if (k->kind == RE_TEXT_END && !k->next)
            end = true;
        else if (!fixed(k, out))
            return false;
    }
    *ret = begin && end ? REGEX_EQUAL : begin ? REGEX_PREFIX : end ? REGEX_SUFFIX : REGEX_CONTAINS;
    return true;
}

/* Is the whole pattern literal [set]{least,}$ ? */
static bool
tail_kind(const struct re_node *root, struct buf *out, struct rule_regex *re)
{
    const struct re_node *k = root->kids;
    if (root->kind != RE_CAT)
        return false;
    while (k && fixed(k, out))
        k = k->next;
    if (!k || k->kind != RE_REPEAT || k->kids->kind != RE_SET || k->most != RE_UNBOUNDED || !k->next ||
        k->next->kind != RE_TEXT_END || k->next->next)
        return false;
    re->kind = REGEX_TAIL;
    re->last = k->kids->set;
    re->least = k->least;
    return true;
}

static bool
ends_with_anchor(const struct re_node *root)
{
    const struct re_node *k = root->kids;
    if (root->kind != RE_CAT)
        return false;
    while (k->next)
        k = k->next;
    return k->kind == RE_TEXT_END;
}

static int
keep_literal(struct rule_regex *re, const void *p, size_t len)
{
    re->literal = malloc(len + 1);
    if (!re->literal)
        return ACD_ENOMEM;
    if (len)
        memcpy(re->literal, p, len);
    re->literal_len = len;
    return 0;
}

static int
compile(struct rule_regex *re, const struct re_node *root, char message[RULE_MESSAGE_MAX])
{
    struct run run = {.cur_len = 0};
    struct buf text = BUF_INIT(RE2_TEXT_MAX);
    re->kind = REGEX_LIBRARY;
    re->states = (unsigned)states(root);
    required(&run, root);
    run_end(&run);
    if (keep_literal(re, run.best, run.best_len) < 0)
        return ACD_ENOMEM;
    re->has_last = ends_with_anchor(root) && last_bytes(root, &re->last);
    print_node(&text, root);
    if (text.failed) {
        buf_done(&text);
        (void)snprintf(message, RULE_MESSAGE_MAX, "bad pattern: compiled too big");
        return text.failed == ACD_ENOMEM ? ACD_ENOMEM : ACD_EINVAL;
    }
    re->re2 = regex_re2_new(text.data, text.len, RE2_MEMORY + RE2_MEMORY_STATE * (int64_t)states(root),
                            message, RULE_MESSAGE_MAX);
    buf_done(&text);
    return re->re2 ? 0 : ACD_EINVAL;
}

static int
check(acd_slice pattern, struct mem_region *region, struct re_node **ret, char message[RULE_MESSAGE_MAX])
{
    int r = re_parse(pattern, region, ret, message);
    if (r == 0 && states(*ret) > RULE_REGEX_STATES_MAX) {
        (void)snprintf(message, RULE_MESSAGE_MAX, "bad pattern: compiled too big");
        return ACD_EINVAL;
    }
    return r;
}

int
rule_regex_check(acd_slice pattern, char message[RULE_MESSAGE_MAX])
{
    struct mem_region region;
    struct re_node *root;
    mem_init(&region, REGION_BLOCK, 0);
    int r = check(pattern, &region, &root, message);
    mem_done(&region);
    return r;
}

int
rule_regex_new(acd_slice pattern, struct rule_regex **ret, char message[RULE_MESSAGE_MAX])
{
    struct mem_region region;
    struct re_node *root;
    struct buf literal = BUF_INIT(RULE_TEXT_MAX), head = BUF_INIT(RULE_TEXT_MAX);
    struct rule_regex *re = calloc(1, sizeof(*re));
    if (!re)
        return ACD_ENOMEM;
    mem_init(&region, REGION_BLOCK, 0);
    int r = check(pattern, &region, &root, message);
    if (r == 0 && literal_kind(root, &literal, &re->kind) && !literal.failed)
        r = keep_literal(re, literal.data, literal.len);
    else if (r == 0 && tail_kind(root, &head, re) && !head.failed)
        r = keep_literal(re, head.data, head.len);
    else if (r == 0)
        r = compile(re, root, message);
    buf_done(&literal);
    buf_done(&head);
    mem_done(&region);
    if (r < 0)
        rule_regex_free(re);
    else
        *ret = re;
    return r;
}

void
rule_regex_free(struct rule_regex *re)
{
    if (!re)
        return;
    regex_re2_free(re->re2);
    free(re->literal);
    free(re);
}

unsigned
rule_regex_states(const struct rule_regex *re)
{
    return re->states;
}

bool
rule_regex_is_literal(const struct rule_regex *re)
{
    return re->kind != REGEX_LIBRARY;
}

/* The literal may end anywhere in the run of bytes of the set at the end, if `least` of them follow. */
static bool
match_tail(const struct rule_regex *re, const uint8_t *p, size_t len)
{
    size_t run = len, n = re->literal_len;
    while (run > 0 && re_set_has(&re->last, p[run - 1]))
        run--;
    if (n > 0 && !re_set_has(&re->last, re->literal[n - 1])) /* it can end only where the run begins */
        return len - run >= re->least && run >= n && bytes_same(p + run - n, re->literal, n);
    size_t from = run > n ? run - n : 0;
    return len - run >= re->least && len - from >= n + re->least &&
           rule_find(p + from, len - from - re->least, re->literal, n);
}

bool
rule_regex_match(const struct rule_regex *re, const void *ptr, size_t len)
{
    const uint8_t *p = ptr;
    size_t n = re->literal_len;
    if (n > len)
        return false;
    switch (re->kind) {
    case REGEX_CONTAINS:
        return rule_find(p, len, re->literal, n);
    case REGEX_PREFIX:
        return n == 0 || memcmp(p, re->literal, n) == 0;
    case REGEX_SUFFIX:
        return n == 0 || memcmp(p + len - n, re->literal, n) == 0;
    case REGEX_EQUAL:
        return n == len && (n == 0 || memcmp(p, re->literal, n) == 0);
    case REGEX_TAIL:
        return match_tail(re, p, len);
    default:
        if (re->has_last && (len == 0 || !re_set_has(&re->last, p[len - 1])))
            return false;
        if (n > 0 && !rule_find(p, len, re->literal, n))
            return false;
        return regex_re2_match(re->re2, p ? (const void *)p : "", len);
    }
}
