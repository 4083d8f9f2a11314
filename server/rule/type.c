#include "rule/type.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"

static const char *const base_names[] = {"nothing", "Bool", "Int", "Bytes", "Ip"};

struct rule_type
rule_type_inner(struct rule_type t)
{
    must(t.depth > 0);
    t.depth--;
    t.maps &= ~(UINT32_C(1) << t.depth);
    return t;
}

bool
rule_type_array(struct rule_type t, struct rule_type *ret)
{
    if (t.depth >= RULE_TYPE_DEPTH_MAX)
        return false;
    t.depth++;
    *ret = t;
    return true;
}

bool
rule_type_parse(acd_slice text, struct rule_type *ret)
{
    const char *p = text.ptr;
    size_t at = 0, end = text.len;
    uint32_t outer = 0; /* bit i: layer i from the outside is a map */
    unsigned depth = 0;
    struct rule_type t = {0};
    for (;;) {
        bool map = end - at > 5 && memcmp(p + at, "Map<", 4) == 0;
        bool array = end - at > 7 && memcmp(p + at, "Array<", 6) == 0;
        if (!map && !array)
            break;
        if (p[end - 1] != '>' || depth == RULE_TYPE_DEPTH_MAX)
            return false;
        outer |= (uint32_t)map << depth++;
        at += map ? 4 : 6;
        end--;
    }
    for (unsigned b = RULE_BOOL; b <= RULE_IP; b++)
        if (slice_eqs(slice_of(p + at, end - at), base_names[b]))
            t.base = (uint8_t)b;
    t.depth = (uint8_t)depth;
    for (unsigned i = 0; i < depth; i++)
        t.maps |= (outer >> i & 1) << (depth - 1 - i);
    *ret = t;
    return t.base != RULE_NONE;
}

void
rule_type_print(struct buf *out, struct rule_type t)
{
    for (unsigned i = t.depth; i > 0; i--)
        buf_puts(out, t.maps >> (i - 1) & 1 ? "Map<" : "Array<");
    buf_puts(out, base_names[t.base]);
    for (unsigned i = 0; i < t.depth; i++)
        buf_putc(out, '>');
}

const char *
rule_type_text(struct rule_type t, char out[RULE_TYPE_TEXT_MAX])
{
    size_t at = 0;
    out[0] = '\0';
    for (unsigned i = t.depth; i > 0 && at < RULE_TYPE_TEXT_MAX; i--)
        at += (size_t)snprintf(out + at, RULE_TYPE_TEXT_MAX - at, "%s",
                               t.maps >> (i - 1) & 1 ? "Map<" : "Array<");
    if (at < RULE_TYPE_TEXT_MAX)
        at += (size_t)snprintf(out + at, RULE_TYPE_TEXT_MAX - at, "%s", base_names[t.base]);
    for (unsigned i = 0; i < t.depth && at + 1 < RULE_TYPE_TEXT_MAX; i++) {
        out[at++] = '>';
        out[at] = '\0';
    }
    return out;
}
