/* query verify: is this client certificate verified for this host? */
#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "input.h"
#include "json.h"
#include "out.h"

static json_t *
js_fields(const Anchord__V1__VerifyAnswer *a)
{
    json_t *list = js_array();
    for (size_t i = 0; i < a->n_fields; i++) {
        json_t *v = js_object();
        js_set(v, "name", js_text(a->fields[i]->name));
        js_set(v, "value", js_bytes(wire_slice(a->fields[i]->value)));
        js_add(list, v);
    }
    return list;
}

static json_t *
js_steps(const Anchord__V1__VerifyAnswer *a)
{
    json_t *list = js_array();
    for (size_t i = 0; i < a->n_steps; i++) {
        const Anchord__V1__VerifyStep *s = a->steps[i];
        json_t *v = js_object();
        js_set(v, "anchor", s->anchor < 0 ? json_null() : json_integer(s->anchor));
        js_set(v, "depth", s->depth < 0 ? json_null() : json_integer(s->depth));
        js_set(v, "check", js_text(s->check));
        js_set(v, "ok", json_boolean(s->ok));
        js_set(v, "error", js_text_or_null(s->error));
        js_set(v, "text", js_text(s->text));
        js_set(v, "observed", json_boolean(s->observed));
        js_add(list, v);
    }
    return list;
}

/* Anything that is not VERIFIED, a value we do not know included, is not verified. */
static bool
verified(const Anchord__V1__VerifyAnswer *a)
{
    return a->verdict == ANCHORD__V1__VERDICT__VERIFIED;
}

/* What the CAs that are only observed would have said; null when there are none. */
static json_t *
js_observed(const Anchord__V1__Observation *o)
{
    if (!o)
        return json_null();
    json_t *v = js_object();
    js_set(v, "verified", json_boolean(o->verdict == ANCHORD__V1__VERDICT__VERIFIED));
    js_set(v, "error", js_text_or_null(o->error));
    js_set(v, "reason", js_text_or_null(o->reason));
    js_set(v, "ca_id", js_text_or_null(o->ca_id));
    js_set(v, "ca_sha256", js_hex(wire_slice(o->ca_sha256)));
    return v;
}

static json_t *
js_answer(struct ctl *c, const Anchord__V1__VerifyAnswer *a, uint64_t revision)
{
    json_t *v = js_object();
    js_set(v, "host", js_text(ctl_text(c, OPT_HOST)));
    js_set(v, "verified", json_boolean(verified(a)));
    js_set(v, "revoked", json_boolean(a->revoked));
    js_set(v, "error", js_text_or_null(a->error));
    js_set(v, "depth", a->depth < 0 ? json_null() : json_integer(a->depth));
    js_set(v, "reason", js_text_or_null(a->reason));
    js_set(v, "ca_id", js_text_or_null(a->ca_id));
    js_set(v, "ca_sha256", js_hex(wire_slice(a->ca_sha256)));
    js_set(v, "match", js_text(js_match((int)a->match)));
    js_set(v, "pattern", js_text_or_null(a->pattern));
    js_set(v, "trust_digest", js_hex(wire_slice(a->trust_digest)));
    js_set(v, "valid_until", js_time(a->valid_until_ms));
    js_set(v, "cached", json_boolean(a->cached));
    js_set(v, "revision", json_integer((json_int_t)revision));
    js_set(v, "fields", js_fields(a));
    js_set(v, "steps", js_steps(a));
    js_set(v, "observed", js_observed(a->observed));
    return v;
}

/* --- human form ---------------------------------------------------------------------------------------- */

static const struct out_col cols[] = {
    {"REASON", "reason", false},
    {"ERROR", "error", false},
    {"DEPTH", "depth", false},
    {"MATCH", "match", false},
    {"PATTERN", "pattern", false},
    {"CA", "ca_id", false},
    {"CA SHA-256", "ca_sha256", false},
    {"REVOKED", "revoked", false},
    {"HOLDS UNTIL", "valid_until", false},
    {"REVISION", "revision", false},
    {"OBSERVED", "observed.verified", false},
    {"OBSERVED CA", "observed.ca_id", false},
    {"OBSERVED ERROR", "observed.error", false},
    {NULL, NULL, false},
};

static const struct out_col field_cols[] = {
    {"FIELD", "name", false},
    {"VALUE", "value", false},
    {NULL, NULL, false},
};

static const struct out_col step_cols[] = {
    {"CA", "anchor", true},    {"DEPTH", "depth", true}, {"CHECK", "check", false},       {"OK", "ok", false},
    {"ERROR", "error", false}, {"STEP", "text", false},  {"OBSERVED", "observed", false}, {NULL, NULL, false},
};

static void
show_part(struct ctl *c, const json_t *list, const struct out_col *part)
{
    if (json_array_size(list) == 0)
        return;
    out_line(c, "%s", "");
    out_table(c, list, part);
}

static void
show(struct ctl *c, json_t *answer)
{
    json_t *fields = json_incref(json_object_get(answer, "fields"));
    json_t *steps = json_incref(json_object_get(answer, "steps"));
    bool good = json_is_true(json_object_get(answer, "verified"));
    if (!c->json) {
        (void)fprintf(c->out, "%s%s%s for ", out_paint(c->out, good ? PAINT_GOOD : PAINT_BAD),
                      good ? "verified" : "not verified", out_paint(c->out, PAINT_OFF));
        out_line(c, "%s", ctl_text(c, OPT_HOST));
    }
    out_object(c, answer, cols);
    if (!c->json) {
        show_part(c, steps, step_cols);
        show_part(c, fields, field_cols);
    }
    json_decref(fields);
    json_decref(steps);
}

/* --- the call ------------------------------------------------------------------------------------------ */

static int
ask(struct ctl *c, Anchord__V1__VerifyClientRequest *req)
{
    struct admin_result res;
    const void *resp_ = NULL;
    int rc = ctl_call(c, "EdgeService/VerifyClient", req, &resp_, &res);
    if (rc == 0) {
        const Anchord__V1__VerifyClientResponse *resp = resp_;
        if (resp->n_answers != 1)
            rc = fail_answer(c, "%zu answers to one question", resp->n_answers);
        else {
            show(c, js_answer(c, resp->answers[0], res.revision));
            rc = verified(resp->answers[0]) ? EXIT_DONE : EXIT_REFUSED;
        }
    }
    admin_result_done(&res);
    return rc;
}

int
cmd_query_verify(struct ctl *c)
{
    acd_slice chain[LIMIT_CHAIN];
    ProtobufCBinaryData ders[LIMIT_CHAIN];
    size_t n = 0;
    Anchord__V1__VerifyClientRequest *req =
        ctl_new(c, Anchord__V1__VerifyClientRequest, anchord__v1__verify_client_request);
    req->questions =
        ctl_need(wire_list(&c->region, 1, Anchord__V1__VerifyQuestion, anchord__v1__verify_question));
    req->n_questions = 1;
    req->explain = ctl_flag(c, OPT_EXPLAIN);
    req->fields = ctl_flag(c, OPT_FIELDS);
    Anchord__V1__VerifyQuestion *q = req->questions[0];
    q->host = ctl_text(c, OPT_HOST);
    if (ctl_flag(c, OPT_TIME)) {
        must(time_parse(slice_str(ctl_text(c, OPT_TIME)), &q->at_ms)); /* the parser refused what is none */
        if (q->at_ms == 0)
            return fail_usage(c, "option --time: the first instant of 1970 cannot be asked for");
    }
    int rc = input_chain(c, c->args[0], LIMIT_CHAIN, chain, &n);
    if (rc)
        return rc;
    for (size_t i = 0; i < n; i++)
        ders[i] = wire_bytes(chain[i]);
    q->chain = ders;
    q->n_chain = n;
    return ask(c, req);
}
