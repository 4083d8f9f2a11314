#include "core/rule_text.h"

/* --- in ---------------------------------------------------------------------------------------------------
 */

static acd_slice
optional(const char *s)
{
    return s[0] ? slice_str(s) : (acd_slice){NULL, 0};
}

static int
texts_in(struct mem_region *r, char *const *list, size_t n, const acd_slice **ret, size_t *ret_n)
{
    acd_slice *out = mem_new_n(r, n, acd_slice);
    for (size_t i = 0; out && i < n; i++)
        out[i] = slice_str(list[i]);
    *ret = out;
    *ret_n = n;
    return out ? 0 : ACD_ENOMEM;
}

static int
skip_in(struct mem_region *r, const Anchord__V1__ActionParameters *p, struct rule_skip_in *s)
{
    struct rule_skip_ids *ids = mem_new_n(r, p->n_rules, struct rule_skip_ids);
    int rc = ids ? 0 : ACD_ENOMEM;
    s->ruleset = optional(p->ruleset);
    s->phase = optional(p->phase);
    if (rc == 0)
        rc = texts_in(r, p->phases, p->n_phases, &s->phases, &s->nphases);
    if (rc == 0)
        rc = texts_in(r, p->products, p->n_products, &s->products, &s->nproducts);
    if (rc == 0)
        rc = texts_in(r, p->rulesets, p->n_rulesets, &s->rulesets, &s->nrulesets);
    for (size_t i = 0; rc == 0 && i < p->n_rules; i++) {
        ids[i].ruleset = slice_str(p->rules[i]->ruleset_id);
        rc = texts_in(r, p->rules[i]->rule_ids, p->rules[i]->n_rule_ids, &ids[i].rules, &ids[i].nrules);
    }
    s->rules = ids;
    s->nrules = p->n_rules;
    return rc;
}

int
rules_from_msgs(struct mem_region *r, Anchord__V1__Rule *const *msgs, size_t n, struct rule_in *ret)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const Anchord__V1__Rule *m = msgs[i];
        const Anchord__V1__ActionParameters *p = m->action_parameters;
        struct rule_in *in = &ret[i];
        *in = (struct rule_in){
            .id = slice_str(m->id),
            .ref = slice_str(m->ref),
            .description = slice_str(m->description),
            .expression = slice_str(m->expression),
            .action = slice_str(m->action),
            .disabled = m->disabled,
        };
        if (m->logging == ANCHORD__V1__RULE_LOGGING__LOGGING_ON)
            in->logging = RULE_LOG_ON;
        else if (m->logging != ANCHORD__V1__RULE_LOGGING__LOGGING_DEFAULT)
            in->logging = RULE_LOG_OFF;
        if (p && p->response)
            in->response = (struct rule_response_in){
                .present = true,
                .status_code = p->response->status_code,
                .content = slice_str(p->response->content),
                .content_type = slice_str(p->response->content_type),
            };
        if (p)
            rc = skip_in(r, p, &in->skip);
    }
    return rc;
}

/* --- out --------------------------------------------------------------------------------------------------
 */

static int
dup_to(struct mem_region *r, acd_slice s, char **ret)
{
    char *copy = s.ptr ? wire_dup(r, s) : WIRE_STR(NULL);
    *ret = WIRE_STR(copy);
    return copy ? 0 : ACD_ENOMEM;
}

static int
texts_out(struct mem_region *r, const acd_slice *list, size_t n, size_t *ret_n, char ***ret)
{
    char **out = mem_new_n(r, n, char *);
    int rc = out ? 0 : ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = dup_to(r, list[i], &out[i]);
    *ret = out;
    *ret_n = rc == 0 ? n : 0;
    return rc;
}

static int
skip_out(struct mem_region *r, const struct rule_skip_in *s, Anchord__V1__ActionParameters *p)
{
    int rc = dup_to(r, s->ruleset, &p->ruleset);
    if (rc == 0)
        rc = dup_to(r, s->phase, &p->phase);
    if (rc == 0)
        rc = texts_out(r, s->phases, s->nphases, &p->n_phases, &p->phases);
    if (rc == 0)
        rc = texts_out(r, s->products, s->nproducts, &p->n_products, &p->products);
    if (rc == 0)
        rc = texts_out(r, s->rulesets, s->nrulesets, &p->n_rulesets, &p->rulesets);
    if (rc == 0 && !(p->rules = wire_list(r, s->nrules, Anchord__V1__SkipRules, anchord__v1__skip_rules)))
        rc = ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < s->nrules; i++) {
        Anchord__V1__SkipRules *m = p->rules[p->n_rules++];
        rc = dup_to(r, s->rules[i].ruleset, &m->ruleset_id);
        if (rc == 0)
            rc = texts_out(r, s->rules[i].rules, s->rules[i].nrules, &m->n_rule_ids, &m->rule_ids);
    }
    return rc;
}

static int
response_out(struct mem_region *r, const struct rule_response_in *in, Anchord__V1__RuleResponse **ret)
{
    Anchord__V1__RuleResponse *m = wire_new(r, Anchord__V1__RuleResponse, anchord__v1__rule_response);
    *ret = m;
    if (!m)
        return ACD_ENOMEM;
    m->status_code = (uint32_t)in->status_code;
    int rc = dup_to(r, in->content, &m->content);
    return rc < 0 ? rc : dup_to(r, in->content_type, &m->content_type);
}

static int
params_out(struct mem_region *r, const struct rule_in *in, Anchord__V1__Rule *m)
{
    const struct rule_skip_in *s = &in->skip;
    bool skip = s->ruleset.ptr || s->phase.ptr || s->nphases || s->nproducts || s->nrulesets || s->nrules;
    if (!skip && !in->response.present)
        return 0;
    m->action_parameters = wire_new(r, Anchord__V1__ActionParameters, anchord__v1__action_parameters);
    int rc = m->action_parameters ? 0 : ACD_ENOMEM;
    if (rc == 0 && in->response.present)
        rc = response_out(r, &in->response, &m->action_parameters->response);
    return rc == 0 && skip ? skip_out(r, s, m->action_parameters) : rc;
}

static int
rule_out_msg(struct mem_region *r, const struct rule_in *in, int64_t updated_ms, Anchord__V1__Rule *m)
{
    static const Anchord__V1__RuleLogging logging[] = {
        [RULE_LOG_DEFAULT] = ANCHORD__V1__RULE_LOGGING__LOGGING_DEFAULT,
        [RULE_LOG_ON] = ANCHORD__V1__RULE_LOGGING__LOGGING_ON,
        [RULE_LOG_OFF] = ANCHORD__V1__RULE_LOGGING__LOGGING_OFF,
    };
    int rc = dup_to(r, in->id, &m->id);
    if (rc == 0)
        rc = dup_to(r, in->ref, &m->ref);
    if (rc == 0)
        rc = dup_to(r, in->description, &m->description);
    if (rc == 0)
        rc = dup_to(r, in->expression, &m->expression);
    if (rc == 0)
        rc = dup_to(r, in->action, &m->action);
    m->disabled = in->disabled;
    m->logging = logging[in->logging];
    m->version = (uint64_t)in->version;
    m->last_updated_ms = updated_ms;
    return rc < 0 ? rc : params_out(r, in, m);
}

int
rules_to_msgs(struct mem_region *r, const struct rule_record *rec, size_t *ret_n, Anchord__V1__Rule ***ret)
{
    Anchord__V1__Rule **list = wire_list(r, rec->n, Anchord__V1__Rule, anchord__v1__rule);
    int rc = list ? 0 : ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < rec->n; i++)
        rc = rule_out_msg(r, &rec->rules[i], rec->updated_ms[i], list[i]);
    *ret = list;
    *ret_n = rc == 0 ? rec->n : 0;
    return rc;
}

Anchord__V1__RuleFinding *
rule_finding_msg(struct mem_region *r, const struct ruleset_finding *f)
{
    Anchord__V1__RuleFinding *m = wire_new(r, Anchord__V1__RuleFinding, anchord__v1__rule_finding);
    if (!m)
        return NULL;
    m->severity =
        f->warning ? ANCHORD__V1__SEVERITY__SEVERITY_WARNING : ANCHORD__V1__SEVERITY__SEVERITY_ERROR;
    m->rule = (uint32_t)f->rule;
    m->field = (char *)f->field;
    m->message = wire_text(r, slice_str(f->message));
    if (f->has_error) {
        m->kind = (char *)rule_error_kind_name(f->error.kind);
        m->at = (uint32_t)f->error.at;
        m->length = (uint32_t)f->error.len;
    }
    return m->message ? m : NULL;
}
