#include "anchorctl/rule_batch.h"

#include <stdlib.h>
#include <string.h>

#include "anchorctl/rule_json.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"
#include "rule/rule.h"

enum { BATCH_BLOCK = 65536 };

struct batch {
    const json_t *fields;
    struct rule_scheme *scheme; /* for lines without lists */
    struct rule_ctx *ctx;
    struct mem_region region;
};

static void
put_error(json_t *out, const char *text, const char *kind, json_int_t at)
{
    (void)json_object_set_new(out, "error", json_string(text));
    if (kind)
        (void)json_object_set_new(out, "kind", json_string(kind));
    if (at >= 0)
        (void)json_object_set_new(out, "at", json_integer(at));
}

static void
evaluate(struct batch *b, const json_t *line, struct rule_scheme *scheme, struct rule_ctx *ctx, json_t *out)
{
    const json_t *text = json_object_get(line, "expression");
    struct rule_prog *prog;
    struct rule_error error;
    struct rule_result result;
    acd_err err = ACD_ERR_INIT;
    int r = rule_compile(scheme, slice_of(json_string_value(text), json_string_length(text)), &prog, &error);
    if (r == ACD_EINVAL) {
        put_error(out, error.message, rule_error_kind_name(error.kind), (json_int_t)error.at);
        return;
    }
    if (r < 0) {
        put_error(out, status_text(r), NULL, -1);
        return;
    }
    r = rule_json_context(json_object_get(line, "context"), ctx, &b->region, &err);
    if (r < 0)
        put_error(out, err_text(&err, r), "context", -1);
    else if (rule_eval(prog, ctx, &result) == RULE_FAILED)
        put_error(out, result.reason, "evaluation", -1);
    else
        (void)json_object_set_new(out, "result", json_boolean(result.outcome == RULE_TRUE));
    rule_free(prog);
}

/* Lists belong to a line, so such a line has a scheme of its own. */
static void
with_lists(struct batch *b, const json_t *line, const json_t *lists, json_t *out)
{
    struct rule_scheme *scheme = NULL;
    struct rule_ctx *ctx = NULL;
    acd_err err = ACD_ERR_INIT;
    int r = rule_json_scheme(b->fields, &scheme, &err);
    if (r == 0) {
        r = rule_json_lists(lists, scheme, &err);
        if (r == 0)
            r = rule_ctx_new(scheme, 0, &ctx);
        if (r == 0)
            evaluate(b, line, scheme, ctx, out);
        rule_ctx_free(ctx);
        rule_scheme_free(scheme);
    }
    if (r < 0)
        put_error(out, err_text(&err, r), "context", -1);
}

static void
one_line(struct batch *b, const char *text, size_t len, FILE *to)
{
    json_error_t bad;
    json_t *line = json_loadb(text, len, JSON_ALLOW_NUL, &bad), *out = json_object();
    json_t *id = json_object_get(line, "id"), *lists = json_object_get(line, "lists");
    (void)json_object_set(out, "id", id ? id : json_null());
    mem_reset(&b->region);
    rule_ctx_reset(b->ctx);
    if (!line)
        put_error(out, bad.text, "json", -1);
    else if (!json_is_string(json_object_get(line, "expression")))
        put_error(out, "there is no expression", "json", -1);
    else if (lists && !json_is_null(lists))
        with_lists(b, line, lists, out);
    else
        evaluate(b, line, b->scheme, b->ctx, out);
    (void)json_dumpf(out, to, JSON_COMPACT);
    (void)fputc('\n', to);
    json_decref(out);
    json_decref(line);
}

int
rule_batch(FILE *in, FILE *out, const json_t *fields)
{
    struct batch b = {.fields = fields};
    _cleanup_free_ char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    acd_err err = ACD_ERR_INIT;
    int r = rule_json_scheme(fields, &b.scheme, &err);
    mem_init(&b.region, BATCH_BLOCK, 0);
    if (r == 0 && (r = rule_ctx_new(b.scheme, 0, &b.ctx)) < 0)
        rule_scheme_free(b.scheme);
    if (r < 0) {
        (void)fprintf(stderr, "rule eval: %s\n", err_text(&err, r));
        return 2;
    }
    while ((n = getline(&line, &cap, in)) >= 0)
        if (n > 1 || line[0] != '\n')
            one_line(&b, line, (size_t)n, out);
    r = ferror(in) || fflush(out) != 0 ? 2 : 0;
    rule_ctx_free(b.ctx);
    rule_scheme_free(b.scheme);
    mem_done(&b.region);
    return r;
}
