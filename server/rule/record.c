#include "rule/record.h"

#include <string.h>

#include "base/str.h"
#include "model/digest.h"

static const char magic[4] = "RUL1";
static const uint32_t absent = UINT32_MAX;

enum { FLAG_DISABLED = 1, FLAG_RESPONSE = 2, FLAG_SKIP = 4, FLAGS = 7 };

/* --- writing ----------------------------------------------------------------------------------------------
 */

static void
put_u32(struct buf *out, uint32_t n)
{
    const uint8_t b[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
    buf_put(out, b, sizeof(b));
}

static void
put_i64(struct buf *out, int64_t n)
{
    put_u32(out, (uint32_t)(uint64_t)n);
    put_u32(out, (uint32_t)((uint64_t)n >> 32));
}

static void
put_text(struct buf *out, acd_slice s)
{
    put_u32(out, (uint32_t)s.len);
    buf_slice(out, s);
}

static void
put_optional(struct buf *out, acd_slice s)
{
    if (s.ptr)
        put_text(out, s);
    else
        put_u32(out, absent);
}

static void
put_texts(struct buf *out, const acd_slice *list, size_t n)
{
    put_u32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        put_text(out, list[i]);
}

static bool
has_skip(const struct rule_skip_in *s)
{
    return s->ruleset.ptr || s->phase.ptr || s->nphases || s->nproducts || s->nrulesets || s->nrules;
}

static void
put_skip(struct buf *out, const struct rule_skip_in *s)
{
    put_optional(out, s->ruleset);
    put_optional(out, s->phase);
    put_texts(out, s->phases, s->nphases);
    put_texts(out, s->products, s->nproducts);
    put_texts(out, s->rulesets, s->nrulesets);
    put_u32(out, (uint32_t)s->nrules);
    for (size_t i = 0; i < s->nrules; i++) {
        put_text(out, s->rules[i].ruleset);
        put_texts(out, s->rules[i].rules, s->rules[i].nrules);
    }
}

/* What defines a rule: everything but its version and its time. */
static void
put_definition(struct buf *out, const struct rule_in *in)
{
    bool skip = has_skip(&in->skip);
    put_text(out, in->ref);
    put_text(out, in->description);
    put_text(out, in->expression);
    put_text(out, in->action);
    buf_putc(out, (char)((in->disabled ? FLAG_DISABLED : 0) | (in->response.present ? FLAG_RESPONSE : 0) |
                         (skip ? FLAG_SKIP : 0)));
    buf_putc(out, (char)in->logging);
    if (in->response.present) {
        put_i64(out, in->response.status_code);
        put_text(out, in->response.content);
        put_text(out, in->response.content_type);
    }
    if (skip)
        put_skip(out, &in->skip);
}

void
rule_record_encode(struct buf *out, const struct rule_record *rec)
{
    static const uint8_t room[RULE_RECORD_HEAD];
    must(out->len == 0);
    buf_put(out, room, sizeof(room));
    put_text(out, rec->id);
    put_i64(out, rec->version);
    put_u32(out, (uint32_t)rec->n);
    for (size_t i = 0; i < rec->n; i++) {
        put_text(out, rec->rules[i].id);
        put_i64(out, rec->rules[i].version);
        put_i64(out, rec->updated_ms[i]);
        put_definition(out, &rec->rules[i]);
    }
    if (out->failed)
        return;
    memcpy(out->data, magic, sizeof(magic));
    digest_sha256(out->data + RULE_RECORD_HEAD, out->len - RULE_RECORD_HEAD,
                  (uint8_t *)out->data + sizeof(magic));
}

/* --- reading ----------------------------------------------------------------------------------------------
 */

struct reader {
    struct mem_region *region;
    const uint8_t *p, *end;
    int rc; /* the first failure; nothing is read after it */
};

static int
damaged(struct reader *r, int code)
{
    if (r->rc == 0)
        r->rc = code;
    return r->rc;
}

static const uint8_t *
take(struct reader *r, size_t n)
{
    if (r->rc < 0 || (size_t)(r->end - r->p) < n) {
        (void)damaged(r, ACD_ECORRUPT);
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    return p;
}

static uint8_t
get_u8(struct reader *r)
{
    const uint8_t *p = take(r, 1);
    return p ? *p : 0;
}

static uint32_t
get_u32(struct reader *r)
{
    const uint8_t *p = take(r, 4);
    return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

static int64_t
get_i64(struct reader *r)
{
    uint64_t lo = get_u32(r), hi = get_u32(r);
    return (int64_t)(hi << 32 | lo);
}

static acd_slice
get_len(struct reader *r, uint32_t len)
{
    const uint8_t *p = take(r, len);
    return slice_of(p ? (const void *)p : "", p ? len : 0);
}

static acd_slice
get_text(struct reader *r)
{
    return get_len(r, get_u32(r));
}

static acd_slice
get_optional(struct reader *r)
{
    uint32_t len = get_u32(r);
    return len == absent && r->rc == 0 ? (acd_slice){NULL, 0} : get_len(r, len);
}

/* A number of things of which each takes at least `least` bytes, so that room is never made for more of them
 * than there can be. */
static uint32_t
get_count(struct reader *r, uint32_t max, size_t least)
{
    uint32_t n = get_u32(r);
    if (n > max)
        (void)damaged(r, ACD_ELIMIT);
    else if ((size_t)(r->end - r->p) / least < n)
        (void)damaged(r, ACD_ECORRUPT);
    return r->rc < 0 ? 0 : n;
}

static const acd_slice *
get_texts(struct reader *r, size_t *ret_n)
{
    uint32_t n = get_count(r, RULESET_RULES_MAX, 4);
    acd_slice *list = mem_new_n(r->region, n, acd_slice);
    if (!list)
        (void)damaged(r, ACD_ENOMEM);
    for (uint32_t i = 0; list && i < n; i++)
        list[i] = get_text(r);
    *ret_n = n;
    return list;
}

static void
get_skip(struct reader *r, struct rule_skip_in *s)
{
    s->ruleset = get_optional(r);
    s->phase = get_optional(r);
    s->phases = get_texts(r, &s->nphases);
    s->products = get_texts(r, &s->nproducts);
    s->rulesets = get_texts(r, &s->nrulesets);
    uint32_t n = get_count(r, RULESET_SKIP_RULESETS_MAX, 8);
    struct rule_skip_ids *ids = mem_new_n(r->region, n, struct rule_skip_ids);
    if (!ids)
        (void)damaged(r, ACD_ENOMEM);
    for (uint32_t i = 0; ids && i < n; i++) {
        ids[i].ruleset = get_text(r);
        ids[i].rules = get_texts(r, &ids[i].nrules);
    }
    s->rules = ids;
    s->nrules = n;
    if (!has_skip(s)) /* the flag says that there is something */
        (void)damaged(r, ACD_ECORRUPT);
}

static void
get_rule(struct reader *r, struct rule_in *in, int64_t *updated_ms)
{
    in->id = get_text(r);
    in->version = get_i64(r);
    *updated_ms = get_i64(r);
    in->ref = get_text(r);
    in->description = get_text(r);
    in->expression = get_text(r);
    in->action = get_text(r);
    unsigned flags = get_u8(r), logging = get_u8(r);
    if (flags > FLAGS || logging > RULE_LOG_OFF)
        (void)damaged(r, ACD_ECORRUPT);
    in->disabled = flags & FLAG_DISABLED;
    in->logging = logging == RULE_LOG_ON    ? RULE_LOG_ON
                  : logging == RULE_LOG_OFF ? RULE_LOG_OFF
                                            : RULE_LOG_DEFAULT;
    in->response.present = flags & FLAG_RESPONSE;
    if (in->response.present) {
        in->response.status_code = get_i64(r);
        in->response.content = get_text(r);
        in->response.content_type = get_text(r);
    }
    if (flags & FLAG_SKIP)
        get_skip(r, &in->skip);
}

int
rule_record_body(struct mem_region *region, acd_slice body, struct rule_record *ret)
{
    enum { RULE_LEAST = 38 }; /* bytes of the smallest rule */
    struct reader r = {.region = region, .p = body.ptr, .end = (const uint8_t *)body.ptr + body.len};
    *ret = (struct rule_record){.id = get_text(&r), .version = get_i64(&r)};
    ret->n = get_count(&r, RULESET_RULES_MAX, RULE_LEAST);
    ret->rules = mem_new_n(region, ret->n, struct rule_in);
    ret->updated_ms = mem_new_n(region, ret->n, int64_t);
    if (!ret->rules || !ret->updated_ms)
        return ACD_ENOMEM;
    for (size_t i = 0; r.rc == 0 && i < ret->n; i++)
        get_rule(&r, &ret->rules[i], &ret->updated_ms[i]);
    if (r.rc == 0 && r.p != r.end)
        (void)damaged(&r, ACD_ECORRUPT);
    return r.rc;
}

const uint8_t *
rule_record_digest(acd_slice bytes)
{
    if (bytes.len < RULE_RECORD_HEAD || memcmp(bytes.ptr, magic, sizeof(magic)) != 0)
        return NULL;
    return (const uint8_t *)bytes.ptr + sizeof(magic);
}

int
rule_record_decode(struct mem_region *region, acd_slice bytes, struct rule_record *ret)
{
    uint8_t digest[DIGEST_LEN];
    const uint8_t *said = rule_record_digest(bytes);
    if (!said)
        return ACD_ECORRUPT;
    acd_slice body = slice_of((const uint8_t *)bytes.ptr + RULE_RECORD_HEAD, bytes.len - RULE_RECORD_HEAD);
    digest_sha256(body.ptr, body.len, digest);
    return memcmp(digest, said, sizeof(digest)) == 0 ? rule_record_body(region, body, ret) : ACD_ECORRUPT;
}

bool
rule_record_same(const struct rule_in *a, const struct rule_in *b)
{
    enum { DEFINITION_MAX = 1 << 23 };
    struct buf x = BUF_INIT(DEFINITION_MAX), y = BUF_INIT(DEFINITION_MAX);
    put_definition(&x, a);
    put_definition(&y, b);
    bool same = !x.failed && !y.failed && slice_eq(slice_of(x.data, x.len), slice_of(y.data, y.len));
    buf_done(&x);
    buf_done(&y);
    return same;
}
