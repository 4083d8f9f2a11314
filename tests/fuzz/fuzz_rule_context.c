/*
 * The input gives the values of a context (one piece per field, cut at FE bytes): a fixed set of expressions
 * over every operator and function must evaluate within the budget, twice alike, and the explanation must
 * agree.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"
#include "rule/explain.h"
#include "rule/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUT = 0xfe, ITEMS_MAX = 64, OUT_MAX = 4 << 20 };

static const char *const texts[] = {
    "http.host lt \"m\" xor http.host in {\"a\" \"b\" \"c\" \"d\" \"e\" \"f\"} xor http.host contains \"ab\"",
    "http.host matches \"(a|b)*c?$\" or http.host wildcard \"*a*B*c\" or http.host strict wildcard "
    "\"a*\\\\**\"",
    "lookup_json_string(http.request.body.raw, \"a\", 0) eq \"x\" or "
    "lookup_json_integer(http.request.body.raw, 1) lt 5",
    "url_decode(http.request.uri, \"ru\") eq \"a\" or decode_base64(http.request.uri) contains \"b\"",
    "is_timed_hmac_valid_v0(\"key\", http.request.uri, 100, 1484063200, 1, \"s\") or "
    "is_timed_hmac_valid_v0(\"key\", http.request.uri, 100, 1484063200)",
    "any((http.request.headers.names[*] eq \"a\" and not http.request.headers.values[*] contains \"b\"))",
    "all(lower(http.request.headers[\"a\"][*])[*] in {\"x\" \"y\"}) or any(http.request.headers[*][0] ne "
    "\"\")",
    "join(concat(http.request.headers.names, http.request.headers.values), \",\") contains \"a,b\"",
    "len(substring(upper(remove_bytes(http.host, \"aeiou\")), -5, 3)) & 3 or has_key(http.request.headers, "
    "http.host)",
    "ends_with(concat(http.host, http.referer, \"z\"), http.host) and has_value(http.request.headers.names, "
    "http.host)",
};

enum { N = sizeof(texts) / sizeof(texts[0]) };

static struct rule_scheme *scheme;
static struct rule_ctx *ctx;
static struct rule_prog *progs[N];

static void
setup(void)
{
    struct rule_error error;
    must(rule_scheme_new(true, &scheme) == 0);
    must(rule_ctx_new(scheme, 0, &ctx) == 0);
    for (int i = 0; i < N; i++)
        must(rule_compile(scheme, slice_str(texts[i]), &progs[i], &error) == 0);
}

static struct rule_value
piece(const uint8_t **data, size_t *size)
{
    const uint8_t *p = *data, *cut = *size ? memchr(p, CUT, *size) : NULL;
    size_t n = cut ? (size_t)(cut - p) : *size;
    *data += n + (cut != NULL);
    *size -= n + (cut != NULL);
    return rule_bytes_value(p, n);
}

static void
fill(const uint8_t *data, size_t size, struct rule_value *items, struct rule_entry *entries)
{
    static const unsigned plain[] = {RULE_F_HTTP_HOST, RULE_F_HTTP_REFERER, RULE_F_HTTP_REQUEST_URI,
                                     RULE_F_HTTP_REQUEST_BODY_RAW};
    size_t n = 0;
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        rule_ctx_set(ctx, plain[i], piece(&data, &size));
    while (size > 0 && n < ITEMS_MAX)
        items[n++] = piece(&data, &size);
    rule_ctx_set(ctx, RULE_F_HTTP_REQUEST_HEADERS_NAMES, rule_array_value(items, n));
    rule_ctx_set(ctx, RULE_F_HTTP_REQUEST_HEADERS_VALUES, rule_array_value(items + n / 2, n - n / 2));
    for (size_t i = 0; i < n; i++)
        entries[i] =
            (struct rule_entry){items[i].bytes, rule_array_value(items + i, i % 3 < n - i ? i % 3 : n - i)};
    rule_ctx_set(ctx, RULE_F_HTTP_REQUEST_HEADERS, rule_map_value(entries, rule_map_sort(entries, n)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rule_value items[ITEMS_MAX];
    struct rule_entry entries[ITEMS_MAX];
    struct rule_result once, again;
    if (!scheme)
        setup();
    rule_ctx_reset(ctx);
    fill(data, size, items, entries);
    for (int i = 0; i < N; i++) {
        struct rule_explain *e;
        struct buf out = BUF_INIT(OUT_MAX);
        (void)rule_eval(progs[i], ctx, &once);
        must(once.outcome != RULE_FAILED || once.reason);
        must(rule_explain(progs[i], ctx, &again, &e) == 0);
        must(once.outcome == again.outcome && once.steps == again.steps);
        rule_explain_text(&out, e);
        rule_explain_json(&out, e);
        rule_explain_free(e);
        buf_done(&out);
    }
    return 0;
}
