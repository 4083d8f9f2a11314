/* Tree of a pattern, in bytes: case folding, classes and flags are already resolved. Inside regex*.c only. */
#ifndef RULE_REGEX_PARSE_H
#define RULE_REGEX_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/mem.h"
#include "rule/regex.h"

enum re_kind {
    RE_EMPTY,
    RE_SET,    /* one byte out of set */
    RE_CAT,    /* kids in a row */
    RE_ALT,    /* one of kids */
    RE_REPEAT, /* kids: one, least..most times */
    RE_TEXT_BEGIN,
    RE_TEXT_END,
    RE_LINE_BEGIN,
    RE_LINE_END,
    RE_WORD_EDGE,
    RE_NO_WORD_EDGE,
};

struct re_set {
    uint64_t bits[4];
};

#define RE_UNBOUNDED UINT32_MAX

struct re_node {
    enum re_kind kind;
    struct re_set set;
    struct re_node *kids, *next;
    uint32_t least, most;
};

static inline bool
re_set_has(const struct re_set *s, uint8_t c)
{
    return s->bits[c >> 6] >> (c & 63) & 1;
}

static inline void
re_set_add(struct re_set *s, uint8_t c)
{
    s->bits[c >> 6] |= UINT64_C(1) << (c & 63);
}

static inline void
re_set_flip(struct re_set *s)
{
    for (int i = 0; i < 4; i++)
        s->bits[i] = ~s->bits[i];
}

/* The only byte of the set, or -1. */
int re_set_single(const struct re_set *s);

enum re_flag { RE_FLAG_I = 1, RE_FLAG_M = 2, RE_FLAG_S = 4, RE_FLAG_X = 8, RE_FLAG_SWAP = 16 };

struct re_parser {
    struct mem_region *region;
    const uint8_t *p;
    size_t at, end;
    unsigned flags, depth;
    char *message; /* RULE_MESSAGE_MAX */
    int failed;    /* 0, ACD_EINVAL or ACD_ENOMEM */
    struct re_name *names;
};

int re_parse(acd_slice pattern, struct mem_region *region, struct re_node **ret,
             char message[RULE_MESSAGE_MAX]) ACD_MUSTCHECK;

/* Shared by regex_parse.c and regex_class.c. */
bool re_fail(struct re_parser *r, const char *fmt, ...) ACD_PRINTF(2, 3);
void re_skip_space(struct re_parser *r);                /* in (?x) mode white space and comments */
bool re_class(struct re_parser *r, struct re_set *ret); /* at the [ */

enum re_escape_kind { RE_ESC_BYTE, RE_ESC_CHAR, RE_ESC_SET, RE_ESC_EDGE };
struct re_escape {
    enum re_escape_kind kind;
    uint32_t c; /* byte, or code point above 7F */
    struct re_set set;
    enum re_kind edge;
};
/* At the backslash. */
bool re_escape(struct re_parser *r, struct re_escape *ret);
/* Decodes the character at the position (the pattern is UTF-8) and moves on. */
uint32_t re_char(struct re_parser *r);
void re_set_fold(struct re_set *s); /* closes it under ASCII case */

#endif
