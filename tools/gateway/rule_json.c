#include "rule_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "model/limits.h"

enum {
    BAD_FIELD = 1419,
    TOO_MANY = 1424,
    BAD_ACTION = 20120,
    NO_EXPRESSION = 20125,
    NO_ACTION = 20126,
    BAD_EXPRESSION = 20127,
    BAD_RULE = 20128,
    PROBLEMS_MAX = 64,
};

/* --- in ---------------------------------------------------------------------------------------------------
 */

static bool
read_response(struct gw *g, const struct at *at, Anchord__V1__ActionParameters *p)
{
    struct at in;
    int64_t status = 0;
    const char *content = "", *type = "";
    if (!get_object(g, at, "response", OPTIONAL, &in))
        return false;
    if (!in.object)
        return true;
    p->response = gw_new(g, Anchord__V1__RuleResponse, anchord__v1__rule_response);
    if (!p->response || !get_int(g, &in, "status_code", REQUIRED, &status) ||
        !get_text(g, &in, "content", REQUIRED, &content) ||
        !get_text(g, &in, "content_type", REQUIRED, &type))
        return false;
    p->response->status_code = status < 0 || status > UINT16_MAX ? 0 : (uint32_t)status;
    p->response->content = WIRE_STR(content);
    p->response->content_type = WIRE_STR(type);
    return true;
}

/* {"RULESET": ["RULE", ...], ...} */
static bool
read_skip_rules(struct gw *g, const struct at *at, Anchord__V1__ActionParameters *p)
{
    struct at in;
    const char *id;
    json_t *ids;
    bool there;
    if (!get_object(g, at, "rules", OPTIONAL, &in))
        return false;
    json_object_foreach((json_t *)in.object, id, ids)
    {
        Anchord__V1__SkipRules *m = gw_new(g, Anchord__V1__SkipRules, anchord__v1__skip_rules);
        if (!m || !get_texts(g, &in, id, REQUIRED, &m->n_rule_ids, &m->rule_ids, &there))
            return false;
        m->ruleset_id = (char *)id;
        if (wire_append(g->region, &p->n_rules, &p->rules, m) < 0) {
            gw_fail_memory(g);
            return false;
        }
    }
    return true;
}

static bool
read_parameters(struct gw *g, const struct at *at, Anchord__V1__Rule *rule)
{
    struct at in;
    const char *ruleset = "", *phase = "";
    bool there;
    if (!get_object(g, at, "action_parameters", OPTIONAL, &in))
        return false;
    if (!in.object)
        return true;
    if (!rule->action[0]) {
        gw_fail(g, 400, NO_ACTION, pointer_to(g, at, "action"), "action is required for action parameters");
        return false;
    }
    Anchord__V1__ActionParameters *p =
        gw_new(g, Anchord__V1__ActionParameters, anchord__v1__action_parameters);
    if (!p || !read_response(g, &in, p) || !get_text(g, &in, "ruleset", OPTIONAL, &ruleset) ||
        !get_text(g, &in, "phase", OPTIONAL, &phase) ||
        !get_texts(g, &in, "phases", OPTIONAL, &p->n_phases, &p->phases, &there) ||
        !get_texts(g, &in, "products", OPTIONAL, &p->n_products, &p->products, &there) ||
        !get_texts(g, &in, "rulesets", OPTIONAL, &p->n_rulesets, &p->rulesets, &there) ||
        !read_skip_rules(g, &in, p))
        return false;
    p->ruleset = WIRE_STR(ruleset);
    p->phase = WIRE_STR(phase);
    /* {} is as good as none. */
    if (p->response || p->ruleset[0] || p->phase[0] || p->n_phases || p->n_products || p->n_rulesets ||
        p->n_rules)
        rule->action_parameters = p;
    return true;
}

static bool
read_logging(struct gw *g, const struct at *at, Anchord__V1__Rule *rule)
{
    struct at in;
    bool enabled = true;
    if (!get_object(g, at, "logging", OPTIONAL, &in))
        return false;
    if (!in.object)
        return true;
    if (strcmp(rule->action, "skip") != 0) {
        gw_fail(g, 400, BAD_RULE, pointer_to(g, at, "logging"), "logging is only valid with the action skip");
        return false;
    }
    if (!get_bool(g, &in, "enabled", REQUIRED, &enabled))
        return false;
    rule->logging = enabled ? ANCHORD__V1__RULE_LOGGING__LOGGING_ON : ANCHORD__V1__RULE_LOGGING__LOGGING_OFF;
    return true;
}

static bool
is_blank(const char *s)
{
    return s[strspn(s, " \t\r\n")] == '\0';
}

bool
rule_read(struct gw *g, const struct at *at, Anchord__V1__Rule *rule)
{
    bool enabled = true;
    const char *id = "", *ref = "", *description = "", *expression = "", *action = "";
    if (!get_text(g, at, "id", OPTIONAL, &id) || !get_text(g, at, "ref", OPTIONAL, &ref) ||
        !get_text(g, at, "description", OPTIONAL, &description) ||
        !get_text(g, at, "expression", OPTIONAL, &expression) ||
        !get_text(g, at, "action", OPTIONAL, &action) || !get_bool(g, at, "enabled", OPTIONAL, &enabled))
        return false;
    rule->id = WIRE_STR(id);
    rule->ref = WIRE_STR(ref);
    rule->description = WIRE_STR(description);
    rule->expression = WIRE_STR(expression);
    rule->action = WIRE_STR(action);
    rule->disabled = !enabled;
    if (!read_parameters(g, at, rule) || !read_logging(g, at, rule))
        return false;
    if (is_blank(expression)) {
        gw_fail(g, 400, NO_EXPRESSION, pointer_to(g, at, "expression"),
                "'%s' is not a valid value for expression because the expression cannot be blank",
                expression);
        return false;
    }
    return true;
}

bool
rules_read(struct gw *g, const struct at *at, enum need need, Anchord__V1__PutRulesRequest *req,
           bool *ret_there)
{
    const json_t *list;
    struct at in;
    if (!get_list(g, at, "rules", need, &list))
        return false;
    *ret_there = list != NULL;
    size_t n = json_array_size(list);
    if (n > LIMIT_RULES) {
        gw_fail(g, 400, TOO_MANY, "/rules", "rules has %zu entries, more than %d", n, LIMIT_RULES);
        return false;
    }
    req->rules = gw_need(g, wire_list(g->region, n, Anchord__V1__Rule, anchord__v1__rule));
    for (; req->rules && req->n_rules < n; req->n_rules++)
        if (!get_item(g, at, "rules", list, req->n_rules, &in) ||
            !rule_read(g, &in, req->rules[req->n_rules]))
            return false;
    return req->rules != NULL;
}

/* --- out --------------------------------------------------------------------------------------------------
 */

static json_t *
texts_json(char *const *list, size_t n)
{
    json_t *v = js_array();
    for (size_t i = 0; i < n; i++)
        js_add(v, js_text(list[i]));
    return v;
}

static json_t *
parameters_json(const Anchord__V1__ActionParameters *p)
{
    json_t *v = js_object(), *rules = js_object();
    if (p->response) {
        json_t *r = js_object();
        js_set(r, "status_code", json_integer(p->response->status_code));
        js_set(r, "content", js_text(p->response->content));
        js_set(r, "content_type", js_text(p->response->content_type));
        js_set(v, "response", r);
    }
    if (p->ruleset[0])
        js_set(v, "ruleset", js_text(p->ruleset));
    if (p->phase[0])
        js_set(v, "phase", js_text(p->phase));
    if (p->n_phases)
        js_set(v, "phases", texts_json(p->phases, p->n_phases));
    if (p->n_products)
        js_set(v, "products", texts_json(p->products, p->n_products));
    if (p->n_rulesets)
        js_set(v, "rulesets", texts_json(p->rulesets, p->n_rulesets));
    for (size_t i = 0; i < p->n_rules; i++)
        js_set(rules, p->rules[i]->ruleset_id, texts_json(p->rules[i]->rule_ids, p->rules[i]->n_rule_ids));
    if (p->n_rules)
        js_set(v, "rules", json_incref(rules));
    json_decref(rules);
    return v;
}

static json_t *
version_json(uint64_t version)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, version);
    return js_text(text);
}

json_t *
rule_json(const Anchord__V1__Rule *m)
{
    json_t *v = js_object();
    js_set(v, "id", js_text(m->id));
    js_set(v, "version", version_json(m->version));
    js_set(v, "action", js_text(m->action));
    if (m->action_parameters)
        js_set(v, "action_parameters", parameters_json(m->action_parameters));
    js_set(v, "expression", js_text(m->expression));
    js_set(v, "description", js_text(m->description));
    js_set(v, "enabled", json_boolean(!m->disabled));
    js_set(v, "ref", js_text(m->ref));
    if (m->logging != ANCHORD__V1__RULE_LOGGING__LOGGING_DEFAULT) {
        json_t *logging = js_object();
        js_set(logging, "enabled", json_boolean(m->logging == ANCHORD__V1__RULE_LOGGING__LOGGING_ON));
        js_set(v, "logging", logging);
    }
    js_set(v, "last_updated", js_time_micros(m->last_updated_ms));
    return v;
}

json_t *
ruleset_json(const Anchord__V1__Ruleset *m, bool with_rules)
{
    json_t *v = js_object(), *rules = js_array();
    js_set(v, "id", js_text(m->id));
    js_set(v, "name", js_text(m->name));
    js_set(v, "description", js_text(m->description));
    js_set(v, "source", js_text("firewall_custom"));
    js_set(v, "kind", js_text(m->kind));
    js_set(v, "version", version_json(m->version));
    js_set(v, "last_updated", js_time_micros(m->last_updated_ms));
    js_set(v, "phase", js_text(m->phase));
    for (size_t i = 0; with_rules && i < m->n_rules; i++)
        js_add(rules, rule_json(m->rules[i]));
    if (with_rules)
        js_set(v, "rules", json_incref(rules));
    json_decref(rules);
    return v;
}

/* --- refusals ---------------------------------------------------------------------------------------------
 */

/* "action_parameters.response" of the third rule: "/rules/2/action_parameters/response". */
static const char *
finding_pointer(struct gw *g, const Anchord__V1__RuleFinding *m, size_t only)
{
    char *at = only == SIZE_MAX  ? mem_printf(g->region, "/rules/%u/%s", (unsigned)m->rule, m->field)
               : m->rule == only ? mem_printf(g->region, "/%s", m->field)
                                 : NULL;
    for (char *dot = at; dot && (dot = strchr(dot, '.'));)
        *dot++ = '/';
    return at;
}

static const char *
expression_message(struct gw *g, const Anchord__V1__RuleFinding *m, const char *expression)
{
    unsigned line = 1, column = 1;
    for (uint32_t i = 0; i < m->at && expression[i]; i++) {
        column = expression[i] == '\n' ? 1 : column + 1;
        line += expression[i] == '\n';
    }
    return mem_printf(
        g->region,
        "'%.512s' is not a valid value for expression because could not parse filter expression: "
        "Filter parsing error (%u:%u): %s",
        expression, line, column, m->message);
}

static struct problem
finding_problem(struct gw *g, const Anchord__V1__RuleFinding *m, const Anchord__V1__PutRulesRequest *req,
                size_t only)
{
    struct problem p = {.status = 400, .code = BAD_RULE, .message = m->message};
    const Anchord__V1__Rule *rule = m->rule < req->n_rules ? req->rules[m->rule] : NULL;
    p.pointer = finding_pointer(g, m, only);
    if (rule && strcmp(m->field, "expression") == 0) {
        p.code = BAD_EXPRESSION;
        p.message = expression_message(g, m, rule->expression);
    } else if (rule && strcmp(m->field, "action") == 0) {
        p.code = BAD_ACTION;
        p.message = mem_printf(g->region, "'%.64s' is not a valid value for action because %s", rule->action,
                               m->message);
    }
    p.message = p.message ? p.message : m->message;
    return p;
}

void
rules_fail(struct gw *g, const struct resource *what, const Anchord__V1__PutRulesRequest *req,
           const struct admin_result *res, size_t only)
{
    struct problem list[PROBLEMS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < res->n_details && n < PROBLEMS_MAX; i++) {
        const Anchord__V1__ErrorDetail *d = res->details[i];
        if (d->detail_case == ANCHORD__V1__ERROR_DETAIL__DETAIL_RULE &&
            d->rule->severity == ANCHORD__V1__SEVERITY__SEVERITY_ERROR)
            list[n++] = finding_problem(g, d->rule, req, only);
    }
    if (n)
        g->match.route->style->problems(g, list, n);
    else
        gw_fail_call(g, what, res);
}
