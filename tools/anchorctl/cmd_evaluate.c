/* query evaluate: what do the zone's rules say about this request? */
#include "base/err.h"
#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "input.h"
#include "json.h"
#include "out.h"
#include "rule_json.h"

/* --- the question -----------------------------------------------------------------------------------------
 */

static Anchord__V1__RuleValue *value_msg(struct ctl *c, const struct rule_value *v);

static void
ip_msg(struct ctl *c, const struct rule_value *v, Anchord__V1__RuleValue *m)
{
    size_t n = v->family == 4 ? 4 : 16;
    uint8_t *p = ctl_need(mem_alloc(&c->region, n));
    for (size_t i = 0; i < n; i++) {
        size_t from_end = n - 1 - i;
        p[i] = (uint8_t)((from_end < 8 ? v->ip.lo : v->ip.hi) >> 8 * (from_end % 8));
    }
    m->kind_case = ANCHORD__V1__RULE_VALUE__KIND_IP_VALUE;
    m->ip_value = wire_bytes(slice_of(p, n));
}

static void
array_msg(struct ctl *c, const struct rule_value *v, Anchord__V1__RuleValue *m)
{
    m->kind_case = ANCHORD__V1__RULE_VALUE__KIND_ARRAY_VALUE;
    m->array_value = ctl_new(c, Anchord__V1__RuleArray, anchord__v1__rule_array);
    m->array_value->items = ctl_need(mem_new_n(&c->region, v->array.len, Anchord__V1__RuleValue *));
    for (size_t i = 0; i < v->array.len; i++)
        m->array_value->items[m->array_value->n_items++] = value_msg(c, &v->array.items[i]);
}

static void
map_msg(struct ctl *c, const struct rule_value *v, Anchord__V1__RuleValue *m)
{
    m->kind_case = ANCHORD__V1__RULE_VALUE__KIND_MAP_VALUE;
    m->map_value = ctl_new(c, Anchord__V1__RuleMap, anchord__v1__rule_map);
    m->map_value->entries = ctl_need(mem_new_n(&c->region, v->map.len, Anchord__V1__RuleEntry *));
    for (size_t i = 0; i < v->map.len; i++) {
        Anchord__V1__RuleEntry *e = ctl_new(c, Anchord__V1__RuleEntry, anchord__v1__rule_entry);
        e->key = wire_bytes(v->map.items[i].key);
        e->value = value_msg(c, &v->map.items[i].value);
        m->map_value->entries[m->map_value->n_entries++] = e;
    }
}

static Anchord__V1__RuleValue *
value_msg(struct ctl *c, const struct rule_value *v)
{
    Anchord__V1__RuleValue *m = ctl_new(c, Anchord__V1__RuleValue, anchord__v1__rule_value);
    switch (v->tag) {
    case RULE_V_BOOL:
        m->kind_case = ANCHORD__V1__RULE_VALUE__KIND_BOOL_VALUE;
        m->bool_value = v->b;
        break;
    case RULE_V_INT:
        m->kind_case = ANCHORD__V1__RULE_VALUE__KIND_INT_VALUE;
        m->int_value = v->i;
        break;
    case RULE_V_BYTES:
        m->kind_case = ANCHORD__V1__RULE_VALUE__KIND_BYTES_VALUE;
        m->bytes_value = wire_bytes(v->bytes);
        break;
    case RULE_V_IP:
        ip_msg(c, v, m);
        break;
    case RULE_V_ARRAY:
        array_msg(c, v, m);
        break;
    default:
        map_msg(c, v, m);
    }
    return m;
}

static int
take_fields(struct ctl *c, Anchord__V1__EvaluateQuestion *q)
{
    struct rule_scheme *scheme;
    acd_err err = ACD_ERR_INIT;
    if (rule_scheme_new(true, &scheme) < 0)
        ctl_oom();
    q->fields = ctl_need(mem_new_n(&c->region, c->n_list, Anchord__V1__FieldValue *));
    for (size_t i = 0; i < c->n_list; i++) {
        Anchord__V1__FieldValue *m = ctl_new(c, Anchord__V1__FieldValue, anchord__v1__field_value);
        struct rule_value v;
        unsigned field;
        int rc = rule_json_pair(scheme, c->list[i], &c->region, &field, &v, &err);
        if (rc < 0) {
            rule_scheme_free(scheme);
            return fail_usage(c, "%s", err_text(&err, rc));
        }
        m->name = ctl_need(mem_strdup(&c->region, scheme->fields[field].name));
        m->value = value_msg(c, &v);
        q->fields[q->n_fields++] = m;
    }
    rule_scheme_free(scheme);
    return 0;
}

static int
take_chain(struct ctl *c, Anchord__V1__EvaluateQuestion *q)
{
    acd_slice chain[LIMIT_CHAIN];
    size_t n = 0;
    if (!ctl_flag(c, OPT_CHAIN))
        return 0;
    int rc = input_chain(c, ctl_text(c, OPT_CHAIN), LIMIT_CHAIN, chain, &n);
    q->chain = ctl_need(mem_new_n(&c->region, n, ProtobufCBinaryData));
    for (; rc == 0 && q->n_chain < n; q->n_chain++)
        q->chain[q->n_chain] = wire_bytes(chain[q->n_chain]);
    return rc;
}

/* --- the answer -------------------------------------------------------------------------------------------
 */

static json_t *
js_match_of(const Anchord__V1__RuleMatch *m)
{
    if (!m)
        return json_null();
    json_t *v = js_object();
    js_set(v, "id", js_text(m->rule_id));
    js_set(v, "ref", js_text(m->ref));
    js_set(v, "description", js_text(m->description));
    js_set(v, "action", js_text(m->action));
    js_set(v, "version", json_integer((json_int_t)m->rule_version));
    return v;
}

static json_t *
js_texts(char *const *list, size_t n)
{
    json_t *v = js_array();
    for (size_t i = 0; i < n; i++)
        js_add(v, js_text(list[i]));
    return v;
}

static json_t *
js_response(const Anchord__V1__RuleResponse *m)
{
    if (!m)
        return json_null();
    json_t *v = js_object();
    js_set(v, "status_code", json_integer(m->status_code));
    js_set(v, "content", js_text_or_null(m->content));
    js_set(v, "content_type", js_text_or_null(m->content_type));
    return v;
}

static json_t *
js_verification(const Anchord__V1__VerifyAnswer *m)
{
    if (!m)
        return json_null();
    json_t *v = js_object();
    js_set(v, "verified", json_boolean(m->verdict == ANCHORD__V1__VERDICT__VERIFIED));
    js_set(v, "revoked", json_boolean(m->revoked));
    js_set(v, "error", js_text_or_null(m->error));
    js_set(v, "reason", js_text_or_null(m->reason));
    js_set(v, "ca_id", js_text_or_null(m->ca_id));
    js_set(v, "match", js_text(js_match((int)m->match)));
    js_set(v, "pattern", js_text_or_null(m->pattern));
    js_set(v, "cached", json_boolean(m->cached));
    return v;
}

static json_t *
js_answer(const Anchord__V1__EvaluateAnswer *a, uint64_t revision)
{
    json_t *v = js_object(), *logged = js_array(), *skipped = js_object();
    for (size_t i = 0; i < a->n_logged; i++)
        js_add(logged, js_match_of(a->logged[i]));
    js_set(skipped, "phases", js_texts(a->skipped_phases, a->n_skipped_phases));
    js_set(skipped, "products", js_texts(a->skipped_products, a->n_skipped_products));
    js_set(v, "allowed", json_boolean(a->allowed));
    js_set(v, "action", js_text(a->action));
    js_set(v, "terminated", json_boolean(a->terminated));
    js_set(v, "rule", js_match_of(a->rule));
    js_set(v, "ruleset_id", js_text_or_null(a->ruleset_id));
    js_set(v, "ruleset_version", json_integer((json_int_t)a->ruleset_version));
    js_set(v, "response", js_response(a->response));
    js_set(v, "skipped", skipped);
    js_set(v, "stopped", json_boolean(a->stopped));
    js_set(v, "logged", logged);
    js_set(v, "logged_total", json_integer(a->logged_total));
    js_set(v, "verification", js_verification(a->verification));
    js_set(v, "error", js_text_or_null(a->error));
    js_set(v, "reason", js_text_or_null(a->reason));
    js_set(v, "need_certificate", json_boolean(a->need_certificate));
    js_set(v, "host", js_text_or_null(a->host));
    js_set(v, "zone_id", js_text_or_null(a->zone_id));
    js_set(v, "revision", json_integer((json_int_t)revision));
    if (a->explain_text[0]) {
        json_t *explain = json_loads(a->explain_json, 0, NULL);
        js_set(v, "explain", explain ? explain : json_null());
        js_set(v, "explain_text", js_text(a->explain_text));
    }
    return v;
}

static const struct out_col cols[] = {
    {"ACTION", "action", false},
    {"RULE", "rule.id", false},
    {"REF", "rule.ref", false},
    {"DESCRIPTION", "rule.description", false},
    {"STATUS", "response.status_code", false},
    {"CERTIFICATE", "verification.reason", false},
    {"ERROR", "error", false},
    {"REASON", "reason", false},
    {"ZONE", "zone_id", false},
    {"REVISION", "revision", false},
    {NULL, NULL, false},
};

static const struct out_col logged_cols[] = {
    {"MATCHED", "id", false}, {"ACTION", "action", false},
    {"REF", "ref", false},    {"DESCRIPTION", "description", false},
    {NULL, NULL, false},
};

static void
show(struct ctl *c, const Anchord__V1__EvaluateAnswer *a, uint64_t revision)
{
    json_t *v = js_answer(a, revision), *logged = json_incref(json_object_get(v, "logged"));
    if (!c->json) {
        (void)fprintf(c->out, "%s%s%s\n", out_paint(c->out, a->allowed ? PAINT_GOOD : PAINT_BAD),
                      a->allowed ? "allowed" : "not allowed", out_paint(c->out, PAINT_OFF));
    }
    out_object(c, v, cols);
    if (!c->json && json_array_size(logged))
        out_table(c, logged, logged_cols);
    for (const char *line = a->explain_text; !c->json && *line;) {
        size_t n = strcspn(line, "\n");
        out_line(c, "%.*s", (int)n, line);
        line += n + (line[n] == '\n');
    }
    json_decref(logged);
}

static int
ask(struct ctl *c, const Anchord__V1__EvaluateRequest *req)
{
    struct admin_result res;
    const void *resp_ = NULL;
    int rc = ctl_call(c, "EdgeService/Evaluate", req, &resp_, &res);
    if (rc == 0) {
        const Anchord__V1__EvaluateResponse *resp = resp_;
        if (resp->n_answers != 1)
            rc = fail_answer(c, "%zu answers to one question", resp->n_answers);
        else {
            show(c, resp->answers[0], res.revision);
            rc = resp->answers[0]->allowed ? EXIT_DONE : EXIT_REFUSED;
        }
    }
    admin_result_done(&res);
    return rc;
}

int
cmd_query_evaluate(struct ctl *c)
{
    Anchord__V1__EvaluateRequest *req =
        ctl_new(c, Anchord__V1__EvaluateRequest, anchord__v1__evaluate_request);
    req->questions =
        ctl_need(wire_list(&c->region, 1, Anchord__V1__EvaluateQuestion, anchord__v1__evaluate_question));
    req->n_questions = 1;
    req->explain = ctl_flag(c, OPT_EXPLAIN);
    Anchord__V1__EvaluateQuestion *q = req->questions[0];
    q->host = ctl_text(c, OPT_HOST);
    q->zone = ctl_text(c, OPT_ZONE);
    q->sni = ctl_text(c, OPT_SNI);
    q->resumed = ctl_flag(c, OPT_RESUMED);
    int rc = ctl_time(c, &q->at_ms);
    if (rc == 0)
        rc = take_fields(c, q);
    if (rc == 0)
        rc = take_chain(c, q);
    return rc ? rc : ask(c, req);
}
