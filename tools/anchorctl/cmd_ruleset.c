/* rule put|list|get|delete: the rules of a zone, in the form of the REST API. */
#include <inttypes.h>

#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "input.h"
#include "json.h"
#include "out.h"

/* --- from JSON --------------------------------------------------------------------------------------------
 */

/* Where reading is, and the first thing that is wrong. */
struct reader {
    struct ctl *c;
    size_t rule;
    const char *problem;
};

static void
problem(struct reader *r, const char *name, const char *what)
{
    if (!r->problem)
        r->problem = ctl_need(mem_printf(&r->c->region, "rule %zu: %s: %s", r->rule + 1, name, what));
}

static char *
text(struct reader *r, const json_t *object, const char *name)
{
    json_t *v = json_object_get(object, name);
    if (!v || json_is_null(v))
        return WIRE_STR(NULL);
    if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v)) {
        problem(r, name, "is not a text");
        return WIRE_STR(NULL);
    }
    return ctl_need(mem_strdup(&r->c->region, json_string_value(v)));
}

static bool
truth(struct reader *r, const json_t *object, const char *name, bool otherwise)
{
    json_t *v = json_object_get(object, name);
    if (v && !json_is_boolean(v) && !json_is_null(v))
        problem(r, name, "is neither true nor false");
    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

static char **
texts(struct reader *r, json_t *v, const char *name, size_t *ret_n)
{
    size_t n = json_array_size(v);
    char **list = ctl_need(mem_new_n(&r->c->region, n, char *));
    if (v && !json_is_null(v) && !json_is_array(v))
        problem(r, name, "is not an array");
    for (size_t i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(v, i));
        if (!s)
            problem(r, name, "holds something that is not a text");
        list[i] = s ? ctl_need(mem_strdup(&r->c->region, s)) : WIRE_STR(NULL);
    }
    *ret_n = n;
    return list;
}

/* A member that nobody reads is a misspelling, and would be lost in silence. */
static void
only(struct reader *r, const json_t *object, const char *what, const char *names)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object)) {
        problem(r, what, "is not an object");
        return;
    }
    json_object_foreach((json_t *)object, key, value) if (!ctl_choice_has(names, key))
        problem(r, key, "there is no such member");
}

static Anchord__V1__RuleResponse *
response(struct reader *r, const json_t *v)
{
    Anchord__V1__RuleResponse *m = ctl_new(r->c, Anchord__V1__RuleResponse, anchord__v1__rule_response);
    const json_t *status = json_object_get(v, "status_code");
    only(r, v, "response", "status_code|content|content_type");
    if (!json_is_integer(status) || json_integer_value(status) < 0 || json_integer_value(status) > INT16_MAX)
        problem(r, "status_code", "is not a status");
    else
        m->status_code = (uint32_t)json_integer_value(status);
    m->content = text(r, v, "content");
    m->content_type = text(r, v, "content_type");
    return m;
}

static void
skip_rules(struct reader *r, json_t *v, Anchord__V1__ActionParameters *p)
{
    const char *key;
    json_t *ids;
    if (v && !json_is_object(v))
        problem(r, "rules", "is not an object of rule ids by ruleset id");
    json_object_foreach(v, key, ids)
    {
        Anchord__V1__SkipRules *m = ctl_new(r->c, Anchord__V1__SkipRules, anchord__v1__skip_rules);
        m->ruleset_id = ctl_need(mem_strdup(&r->c->region, key));
        m->rule_ids = texts(r, ids, "rules", &m->n_rule_ids);
        if (wire_append(&r->c->region, &p->n_rules, &p->rules, m) < 0)
            ctl_oom();
    }
}

static Anchord__V1__ActionParameters *
parameters(struct reader *r, const json_t *v)
{
    Anchord__V1__ActionParameters *p =
        ctl_new(r->c, Anchord__V1__ActionParameters, anchord__v1__action_parameters);
    only(r, v, "action_parameters", "response|ruleset|phase|phases|products|rulesets|rules");
    if (json_object_get(v, "response"))
        p->response = response(r, json_object_get(v, "response"));
    p->ruleset = text(r, v, "ruleset");
    p->phase = text(r, v, "phase");
    p->phases = texts(r, json_object_get(v, "phases"), "phases", &p->n_phases);
    p->products = texts(r, json_object_get(v, "products"), "products", &p->n_products);
    p->rulesets = texts(r, json_object_get(v, "rulesets"), "rulesets", &p->n_rulesets);
    skip_rules(r, json_object_get(v, "rules"), p);
    return p;
}

/* What `rule list` shows can be put again: version and last_updated are passed over. */
static Anchord__V1__Rule *
rule(struct reader *r, const json_t *v)
{
    Anchord__V1__Rule *m = ctl_new(r->c, Anchord__V1__Rule, anchord__v1__rule);
    const json_t *params = json_object_get(v, "action_parameters"), *logging = json_object_get(v, "logging");
    only(r, v, "the rule",
         "id|ref|description|expression|action|action_parameters|enabled|logging|version|last_updated");
    m->id = text(r, v, "id");
    m->ref = text(r, v, "ref");
    m->description = text(r, v, "description");
    m->expression = text(r, v, "expression");
    m->action = text(r, v, "action");
    m->disabled = !truth(r, v, "enabled", true);
    if (params && !json_is_null(params))
        m->action_parameters = parameters(r, params);
    if (logging && !json_is_null(logging)) {
        only(r, logging, "logging", "enabled");
        m->logging = truth(r, logging, "enabled", true) ? ANCHORD__V1__RULE_LOGGING__LOGGING_ON
                                                        : ANCHORD__V1__RULE_LOGGING__LOGGING_OFF;
    }
    return m;
}

static int
read_rules(struct ctl *c, const json_t *file, Anchord__V1__PutRulesRequest *req)
{
    const char *path = c->args[0];
    const json_t *rules = json_is_object(file) ? json_object_get(file, "rules") : file;
    struct reader r = {.c = c};
    if (!json_is_array(rules))
        return fail_input(c, ACD_EINVAL, "%s: neither an array of rules nor an object with \"rules\"", path);
    size_t n = json_array_size(rules);
    req->rules = ctl_need(mem_new_n(&c->region, n, Anchord__V1__Rule *));
    for (; r.rule < n; r.rule++)
        req->rules[req->n_rules++] = rule(&r, json_array_get(rules, r.rule));
    const json_t *description = json_is_object(file) ? json_object_get(file, "description") : NULL;
    if (json_is_string(description)) {
        req->set_description = true;
        req->description = ctl_need(mem_strdup(&c->region, json_string_value(description)));
    }
    return r.problem ? fail_input(c, ACD_EINVAL, "%s: %s", path, r.problem) : 0;
}

static int
read_file(struct ctl *c, Anchord__V1__PutRulesRequest *req)
{
    struct buf b = BUF_INIT(INPUT_PEM_MAX * 4);
    json_error_t bad;
    int rc = input_text(c, c->args[0], &b);
    if (rc == 0) {
        json_t *file = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, &bad);
        rc = file ? read_rules(c, file, req)
                  : fail_input(c, ACD_EINVAL, "%s: line %d: %s", c->args[0], bad.line, bad.text);
        json_decref(file);
    }
    buf_done(&b);
    return rc;
}

/* --- to JSON ----------------------------------------------------------------------------------------------
 */

static json_t *
js_texts(char *const *list, size_t n)
{
    json_t *v = js_array();
    for (size_t i = 0; i < n; i++)
        js_add(v, js_text(list[i]));
    return v;
}

static json_t *
js_parameters(const Anchord__V1__ActionParameters *p)
{
    json_t *v = js_object();
    if (p->response) {
        json_t *m = js_object();
        js_set(m, "status_code", json_integer(p->response->status_code));
        js_set(m, "content", js_text(p->response->content));
        js_set(m, "content_type", js_text(p->response->content_type));
        js_set(v, "response", m);
    }
    if (p->ruleset[0])
        js_set(v, "ruleset", js_text(p->ruleset));
    if (p->phase[0])
        js_set(v, "phase", js_text(p->phase));
    if (p->n_phases)
        js_set(v, "phases", js_texts(p->phases, p->n_phases));
    if (p->n_products)
        js_set(v, "products", js_texts(p->products, p->n_products));
    if (p->n_rulesets)
        js_set(v, "rulesets", js_texts(p->rulesets, p->n_rulesets));
    if (p->n_rules) {
        json_t *m = js_object();
        for (size_t i = 0; i < p->n_rules; i++)
            js_set(m, p->rules[i]->ruleset_id, js_texts(p->rules[i]->rule_ids, p->rules[i]->n_rule_ids));
        js_set(v, "rules", m);
    }
    return v;
}

/* Versions are texts, as in the REST API. */
static json_t *
js_version(uint64_t version)
{
    char digits[24];
    (void)snprintf(digits, sizeof(digits), "%" PRIu64, version);
    return js_text(digits);
}

static json_t *
js_rule(const Anchord__V1__Rule *m)
{
    json_t *v = js_object();
    js_set(v, "id", js_text(m->id));
    js_set(v, "version", js_version(m->version));
    js_set(v, "ref", js_text(m->ref));
    js_set(v, "action", js_text(m->action));
    if (m->action_parameters)
        js_set(v, "action_parameters", js_parameters(m->action_parameters));
    js_set(v, "expression", js_text(m->expression));
    js_set(v, "description", js_text(m->description));
    js_set(v, "enabled", json_boolean(!m->disabled));
    if (m->logging != ANCHORD__V1__RULE_LOGGING__LOGGING_DEFAULT) {
        json_t *logging = js_object();
        js_set(logging, "enabled", json_boolean(m->logging == ANCHORD__V1__RULE_LOGGING__LOGGING_ON));
        js_set(v, "logging", logging);
    }
    js_set(v, "last_updated", js_time(m->last_updated_ms));
    return v;
}

static json_t *
js_rules(const Anchord__V1__Ruleset *m)
{
    json_t *v = js_array();
    for (size_t i = 0; i < m->n_rules; i++)
        js_add(v, js_rule(m->rules[i]));
    return v;
}

static json_t *
js_ruleset(const Anchord__V1__Ruleset *m)
{
    json_t *v = js_object();
    js_set(v, "id", js_text_or_null(m->id));
    js_set(v, "zone_id", js_text(m->zone_id));
    js_set(v, "name", js_text(m->name));
    js_set(v, "description", js_text(m->description));
    js_set(v, "kind", js_text(m->kind));
    js_set(v, "phase", js_text(m->phase));
    js_set(v, "version", js_version(m->version));
    js_set(v, "revision", json_integer((json_int_t)m->revision));
    js_set(v, "current", json_boolean(m->current));
    js_set(v, "last_updated", js_time(m->last_updated_ms));
    js_set(v, "rules", js_rules(m));
    return v;
}

/* --- human form -------------------------------------------------------------------------------------------
 */

static const struct out_col rule_cols[] = {
    {"ID", "id", false},
    {"ACTION", "action", false},
    {"ENABLED", "enabled", false},
    {"VERSION", "version", true},
    {"REF", "ref", false},
    {"EXPRESSION", "expression", false},
    {"DESCRIPTION", "description", false},
    {NULL, NULL, false},
};

static const struct out_col ruleset_cols[] = {
    {"RULESET", "id", false},        {"DESCRIPTION", "description", false},   {"VERSION", "version", false},
    {"REVISION", "revision", false}, {"LAST UPDATED", "last_updated", false}, {NULL, NULL, false},
};

static void
show_ruleset(struct ctl *c, json_t *v)
{
    json_t *rules = json_incref(json_object_get(v, "rules"));
    out_object(c, v, ruleset_cols);
    if (!c->json && json_array_size(rules))
        out_table(c, rules, rule_cols);
    json_decref(rules);
}

/* --- commands ---------------------------------------------------------------------------------------------
 */

static Anchord__V1__Precondition *
expected(struct ctl *c)
{
    if (!ctl_flag(c, OPT_EXPECT))
        return NULL;
    Anchord__V1__Precondition *m = ctl_new(c, Anchord__V1__Precondition, anchord__v1__precondition);
    m->revision = ctl_number(c, OPT_EXPECT);
    return m;
}

static void
show_put(struct ctl *c, const Anchord__V1__PutRulesResponse *resp)
{
    json_t *v = js_ruleset(resp->ruleset), *warnings = js_array();
    for (size_t i = 0; i < resp->n_warnings; i++) {
        js_add(warnings, js_rule_finding(resp->warnings[i]));
        (void)fprintf(c->err, "warning: rule %u: ", (unsigned)resp->warnings[i]->rule + 1);
        fail_put(c->err, resp->warnings[i]->message);
        (void)fputc('\n', c->err);
    }
    js_set(v, "warnings", warnings);
    js_set(v, "changed", json_boolean(resp->changed));
    js_set(v, "dry_run", json_boolean(resp->dry_run));
    show_ruleset(c, v);
    if (!c->json)
        out_line(c, "%s",
                 resp->dry_run   ? "dry run: nothing was changed"
                 : resp->changed ? "the rules were replaced"
                                 : "the rules were like this already");
}

int
cmd_rule_put(struct ctl *c)
{
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__PutRulesRequest *req =
        ctl_new(c, Anchord__V1__PutRulesRequest, anchord__v1__put_rules_request);
    req->zone = ctl_text(c, OPT_ZONE);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    req->expected = expected(c);
    int rc = read_file(c, req);
    if (rc)
        return rc;
    rc = ctl_call(c, "RuleService/PutRules", req, &resp, &res);
    if (rc == 0)
        show_put(c, resp);
    admin_result_done(&res);
    return rc;
}

int
cmd_rule_list(struct ctl *c)
{
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__ListRulesRequest *req =
        ctl_new(c, Anchord__V1__ListRulesRequest, anchord__v1__list_rules_request);
    req->zone = ctl_text(c, OPT_ZONE);
    int rc = ctl_call(c, "RuleService/ListRules", req, &resp, &res);
    if (rc == 0)
        out_rows(c, js_rules(resp), rule_cols);
    admin_result_done(&res);
    return rc;
}

static int
show_one(struct ctl *c, const char *method, const void *req)
{
    struct admin_result res;
    const void *resp = NULL;
    int rc = ctl_call(c, method, req, &resp, &res);
    if (rc == 0)
        show_ruleset(c, js_ruleset(resp));
    admin_result_done(&res);
    return rc;
}

int
cmd_rule_get(struct ctl *c)
{
    Anchord__V1__GetRulesetRequest *req =
        ctl_new(c, Anchord__V1__GetRulesetRequest, anchord__v1__get_ruleset_request);
    req->zone = ctl_text(c, OPT_ZONE);
    req->version = ctl_flag(c, OPT_AS_OF) ? ctl_number(c, OPT_AS_OF) : 0;
    return show_one(c, "RuleService/GetRuleset", req);
}

int
cmd_rule_delete(struct ctl *c)
{
    Anchord__V1__DeleteRulesetRequest *req =
        ctl_new(c, Anchord__V1__DeleteRulesetRequest, anchord__v1__delete_ruleset_request);
    req->zone = ctl_text(c, OPT_ZONE);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    req->expected = expected(c);
    return show_one(c, "RuleService/DeleteRuleset", req);
}
