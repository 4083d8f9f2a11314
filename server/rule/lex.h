/*
 * Lexical rules: white space, literals, names; no token boundaries for words. Inside rule/ only.
 *
 * Functions that read something return false and set the error; the position is then meaningless.
 */
#ifndef RULE_LEX_H
#define RULE_LEX_H

#include <stdbool.h>

#include "rule/parse.h"

struct lex {
    const struct rule_scheme *scheme;
    struct mem_region *region;
    const char *text;
    size_t at, end;   /* of the trimmed text */
    unsigned depth;   /* open groups, not, calls, quantifiers */
    unsigned regexes; /* patterns so far */
    unsigned nodes;
    unsigned in_args; /* open argument lists; errors inside are not resumed from */
    bool no_memory;
    struct rule_error error; /* the first one, or the last one of a failed trial */
    struct rule_error *all;  /* NULL: stop at the first */
    unsigned all_max, all_n;
};

bool lex_fail(struct lex *l, enum rule_error_kind kind, size_t at, size_t len, const char *fmt, ...)
    ACD_PRINTF(5, 6);
bool lex_no_memory(struct lex *l);

/* The next byte, or 0 at the end (a NUL byte is no token, so nobody needs to tell the two apart). */
static inline char
lex_peek(const struct lex *l)
{
    return l->at < l->end ? l->text[l->at] : '\0';
}

void lex_space(struct lex *l); /* space, CR, LF */
bool lex_starts(const struct lex *l, const char *word);
bool lex_take(struct lex *l, const char *word); /* moves on when the text begins with word */
/* After white space; the error names what is missing. */
bool lex_expect(struct lex *l, const char *word);

bool lex_name(struct lex *l, acd_slice *ret);      /* dotted identifier */
bool lex_list_name(struct lex *l, acd_slice *ret); /* after the $ */
bool lex_int(struct lex *l, int64_t *ret);
bool lex_bytes(struct lex *l, struct rule_value *ret);
bool lex_quoted(struct lex *l, struct rule_value *ret); /* at the opening quote */
bool lex_raw(struct lex *l, struct rule_value *ret);    /* at the r */
bool lex_ip(struct lex *l, struct rule_value *ret);     /* one address */
/* Elements of { }. */
bool lex_int_elem(struct lex *l, struct ast_elem *ret);
bool lex_ip_elem(struct lex *l, struct ast_elem *ret);
/* Pattern text of matches; *ret_at: where the pattern starts. */
bool lex_pattern(struct lex *l, struct rule_value *ret, size_t *ret_at);

bool lex_name_char(char c);
/* Trims Unicode white space at both ends; sets at and end. */
void lex_trim(struct lex *l, acd_slice text);

#endif
