#include "rule/wild.h"

#include <string.h>

#include "base/str.h"
#include "rule/bytes.h"
#include "rule/find.h"

const char *
rule_wild_check(acd_slice pattern)
{
    const char *p = pattern.ptr;
    for (size_t i = 0; i < pattern.len; i++) {
        if (p[i] == '*' && i + 1 < pattern.len && p[i + 1] == '*')
            return "a wildcard has two adjacent stars";
        if (p[i] != '\\')
            continue;
        i++;
        if (i == pattern.len || (p[i] != '*' && p[i] != '\\'))
            return "a backslash in a wildcard stands before `*` or `\\`";
    }
    return NULL;
}

int
rule_wild_init(struct rule_wild *w, struct mem_region *region, acd_slice pattern, bool fold)
{
    const uint8_t *p = pattern.ptr;
    size_t n = 1, at = 0, start = 0;
    uint8_t *out = mem_alloc(region, pattern.len + 1);
    for (size_t i = 0; i < pattern.len; i++)
        n += p[i] == '*';
    w->pieces = mem_new_n(region, n, acd_slice);
    if (!out || !w->pieces)
        return ACD_ENOMEM;
    w->fold = fold;
    w->n = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        if (p[i] == '*') {
            w->pieces[w->n++] = slice_of(out + start, at - start);
            start = at;
            continue;
        }
        i += p[i] == '\\';
        out[at++] = fold ? bytes_lower(p[i]) : p[i];
    }
    w->pieces[w->n++] = slice_of(out + start, at - start);
    w->copies = fold && w->n > 2;
    return 0;
}

/* Is the text at p the piece? */
static bool
same(const struct rule_wild *w, const uint8_t *p, acd_slice piece)
{
    return w->fold ? bytes_same_lower(p, piece.ptr, piece.len) : bytes_same(p, piece.ptr, piece.len);
}

bool
rule_wild_match(const struct rule_wild *w, const void *ptr, size_t len, uint8_t *room)
{
    const uint8_t *p = ptr, *end = p + len;
    acd_slice first = w->pieces[0], last = w->pieces[w->n - 1];
    if (w->n == 1)
        return len == first.len && same(w, p, first);
    if (len < first.len + last.len || (last.len && !same(w, end - last.len, last)) ||
        (first.len && !same(w, p, first)))
        return false;
    if (w->n == 2)
        return true;
    if (w->copies) {
        for (size_t i = 0; i < len; i++)
            room[i] = bytes_lower(p[i]);
        p = room;
    }
    end = p + len - last.len;
    p += first.len;
    for (unsigned i = 1; i + 1 < w->n; i++) {
        p = rule_find_at(p, (size_t)(end - p), w->pieces[i].ptr, w->pieces[i].len);
        if (!p)
            return false;
        p += w->pieces[i].len;
    }
    return true;
}
