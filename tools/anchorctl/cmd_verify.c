/* query verify and query origin: is this certificate verified, of a client for a host, of an origin for a
 * zone? */
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
js_steps(Anchord__V1__VerifyStep *const *steps, size_t n)
{
    json_t *list = js_array();
    for (size_t i = 0; i < n; i++) {
        const Anchord__V1__VerifyStep *s = steps[i];
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
verified(Anchord__V1__Verdict verdict)
{
    return verdict == ANCHORD__V1__VERDICT__VERIFIED;
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
    js_set(v, "verified", json_boolean(verified(a->verdict)));
    js_set(v, "revoked", json_boolean(a->revoked));
    js_set(v, "revoked_at", js_time(a->revoked_at_ms));
    js_set(v, "revoked_reason", js_text_or_null(a->revoked_reason));
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
    js_set(v, "steps", js_steps(a->steps, a->n_steps));
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
show(struct ctl *c, json_t *answer, const struct out_col *answer_cols)
{
    json_t *fields = json_incref(json_object_get(answer, "fields"));
    json_t *steps = json_incref(json_object_get(answer, "steps"));
    bool good = json_is_true(json_object_get(answer, "verified"));
    if (!c->json) {
        (void)fprintf(c->out, "%s%s%s for ", out_paint(c->out, good ? PAINT_GOOD : PAINT_BAD),
                      good ? "verified" : "not verified", out_paint(c->out, PAINT_OFF));
        out_line(c, "%s", ctl_text(c, OPT_HOST));
    }
    out_object(c, answer, answer_cols);
    if (!c->json) {
        show_part(c, steps, step_cols);
        show_part(c, fields, field_cols);
    }
    json_decref(fields);
    json_decref(steps);
}

/* --- the call ------------------------------------------------------------------------------------------ */

/* The certificates of the file that the command names. */
static int
take_chain(struct ctl *c, size_t *ret_n, ProtobufCBinaryData **ret)
{
    acd_slice chain[LIMIT_CHAIN];
    int rc = input_chain(c, c->args[0], LIMIT_CHAIN, chain, ret_n);
    if (rc)
        return rc;
    *ret = ctl_need(mem_new_n(&c->region, *ret_n, ProtobufCBinaryData));
    for (size_t i = 0; i < *ret_n; i++)
        (*ret)[i] = wire_bytes(chain[i]);
    return 0;
}

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
            show(c, js_answer(c, resp->answers[0], res.revision), cols);
            rc = verified(resp->answers[0]->verdict) ? EXIT_DONE : EXIT_REFUSED;
        }
    }
    admin_result_done(&res);
    return rc;
}

int
cmd_query_verify(struct ctl *c)
{
    Anchord__V1__VerifyClientRequest *req =
        ctl_new(c, Anchord__V1__VerifyClientRequest, anchord__v1__verify_client_request);
    req->questions =
        ctl_need(wire_list(&c->region, 1, Anchord__V1__VerifyQuestion, anchord__v1__verify_question));
    req->n_questions = 1;
    req->explain = ctl_flag(c, OPT_EXPLAIN);
    req->fields = ctl_flag(c, OPT_FIELDS);
    Anchord__V1__VerifyQuestion *q = req->questions[0];
    q->host = ctl_text(c, OPT_HOST);
    q->product = ctl_space(c);
    int rc = ctl_time(c, &q->at_ms);
    if (rc == 0)
        rc = take_chain(c, &q->n_chain, &q->chain);
    return rc ? rc : ask(c, req);
}

/* --- query origin -------------------------------------------------------------------------------------- */

static const struct out_col origin_cols[] = {
    {"REASON", "reason", false},
    {"ERROR", "error", false},
    {"DEPTH", "depth", false},
    {"STORE", "store", false},
    {"CAS", "cas", false},
    {"CA", "ca_id", false},
    {"CA SHA-256", "ca_sha256", false},
    {"HOLDS UNTIL", "valid_until", false},
    {"REVISION", "revision", false},
    {NULL, NULL, false},
};

static const char *
store_name(Anchord__V1__OriginStore store)
{
    return store == ANCHORD__V1__ORIGIN_STORE__ORIGIN_STORE_CUSTOM   ? "custom"
           : store == ANCHORD__V1__ORIGIN_STORE__ORIGIN_STORE_PUBLIC ? "public"
                                                                     : "none";
}

static json_t *
js_origin(const Anchord__V1__OriginAnswer *a, const char *host, uint64_t revision)
{
    json_t *v = js_object(), *explain = js_array();
    js_set(v, "host", js_text(host));
    js_set(v, "zone_id", js_text_or_null(a->zone_id));
    js_set(v, "verified", json_boolean(verified(a->verdict)));
    js_set(v, "error", js_text_or_null(a->error));
    js_set(v, "depth", a->depth < 0 ? json_null() : json_integer(a->depth));
    js_set(v, "reason", js_text_or_null(a->reason));
    js_set(v, "store", js_text(store_name(a->store)));
    js_set(v, "cas", json_integer(a->cas));
    js_set(v, "ca_id", js_text_or_null(a->ca_id));
    js_set(v, "ca_sha256", js_hex(wire_slice(a->ca_sha256)));
    js_set(v, "trust_digest", js_hex(wire_slice(a->trust_digest)));
    js_set(v, "valid_until", js_time(a->valid_until_ms));
    js_set(v, "cached", json_boolean(a->cached));
    js_set(v, "revision", json_integer((json_int_t)revision));
    for (size_t i = 0; i < a->n_explain; i++)
        js_add(explain, js_text(a->explain[i]));
    js_set(v, "explain", explain);
    js_set(v, "steps", js_steps(a->steps, a->n_steps));
    return v;
}

static int
ask_origin(struct ctl *c, const Anchord__V1__VerifyOriginRequest *req)
{
    struct admin_result res;
    const void *resp_ = NULL;
    int rc = ctl_call(c, "EdgeService/VerifyOrigin", req, &resp_, &res);
    if (rc == 0) {
        const Anchord__V1__VerifyOriginResponse *resp = resp_;
        if (resp->n_answers != 1)
            rc = fail_answer(c, "%zu answers to one question", resp->n_answers);
        else {
            const Anchord__V1__OriginAnswer *a = resp->answers[0];
            show(c, js_origin(a, ctl_text(c, OPT_HOST), res.revision), origin_cols);
            for (size_t i = 0; !c->json && i < a->n_explain; i++)
                out_line(c, "%s", a->explain[i]);
            rc = verified(a->verdict) ? EXIT_DONE : EXIT_REFUSED;
        }
    }
    admin_result_done(&res);
    return rc;
}

int
cmd_query_origin(struct ctl *c)
{
    Anchord__V1__VerifyOriginRequest *req =
        ctl_new(c, Anchord__V1__VerifyOriginRequest, anchord__v1__verify_origin_request);
    req->questions =
        ctl_need(wire_list(&c->region, 1, Anchord__V1__OriginQuestion, anchord__v1__origin_question));
    req->n_questions = 1;
    req->explain = ctl_flag(c, OPT_EXPLAIN);
    Anchord__V1__OriginQuestion *q = req->questions[0];
    q->zone = ctl_text(c, OPT_ZONE);
    q->host = ctl_text(c, OPT_HOST);
    if (strcmp(ctl_text(c, OPT_MODE), "full") == 0)
        q->mode = ANCHORD__V1__ORIGIN_MODE__ORIGIN_FULL;
    int rc = ctl_time(c, &q->at_ms);
    if (rc == 0)
        rc = take_chain(c, &q->n_chain, &q->chain);
    return rc ? rc : ask_origin(c, req);
}
