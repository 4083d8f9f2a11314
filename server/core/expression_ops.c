/* RuleService/CheckExpression: everything that is wrong with one expression, and what it reads. Asks no
 * storage. */
#include <stdio.h>

#include "core/rule_text.h"
#include "core/unit.h"
#include "rule/rule.h"

static int
add_error(struct unit *u, Anchord__V1__CheckExpressionResponse *resp, const struct rule_error *e,
          const char *warning)
{
    struct ruleset_finding f = {.field = "expression", .warning = warning != NULL, .has_error = e != NULL};
    if (e)
        f.error = *e;
    (void)snprintf(f.message, sizeof(f.message), "%s", e ? e->message : warning);
    Anchord__V1__RuleFinding *m = rule_finding_msg(u->region, &f);
    return m ? wire_append(u->region, &resp->n_findings, &resp->findings, m) : ACD_ENOMEM;
}

static int
add_errors(struct unit *u, acd_slice text, const struct rule_error *late,
           Anchord__V1__CheckExpressionResponse *resp)
{
    struct rule_error errors[RULE_ERRORS_MAX];
    unsigned n = 0;
    int rc = rule_parse_all(core_scheme(u->core), text, u->region, errors, RULE_ERRORS_MAX, &n);
    if (rc < 0 && rc != ACD_EINVAL)
        return rc;
    if (n == 0) /* found only when the program was made */
        return add_error(u, resp, late, NULL);
    rc = 0;
    for (unsigned i = 0; rc == 0 && i < n; i++)
        rc = add_error(u, resp, &errors[i], NULL);
    return rc;
}

static int
add_facts(struct unit *u, const struct rule_prog *prog, Anchord__V1__CheckExpressionResponse *resp)
{
    unsigned n;
    const uint16_t *fields = rule_fields(prog, &n);
    const char *warning = rule_warning(prog);
    int rc = warning ? add_error(u, resp, NULL, warning) : 0;
    for (unsigned i = 0; rc == 0 && i < n; i++)
        rc = wire_append(u->region, &resp->n_fields, &resp->fields,
                         (char *)core_scheme(u->core)->fields[fields[i]].name);
    return rc;
}

static int
expression_check(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__CheckExpressionRequest *req = req_;
    acd_slice text = slice_str(req->expression);
    struct rule_prog *prog;
    struct rule_error late;
    (void)plan_;
    (void)err;
    Anchord__V1__CheckExpressionResponse *resp =
        wire_new(u->region, Anchord__V1__CheckExpressionResponse, anchord__v1__check_expression_response);
    if (!resp)
        return ACD_ENOMEM;
    *ret_resp = resp;
    int rc = rule_compile(core_scheme(u->core), text, &prog, &late);
    if (rc == ACD_EINVAL)
        return add_errors(u, text, &late, resp);
    if (rc < 0)
        return rc;
    resp->valid = true;
    rc = add_facts(u, prog, resp);
    rule_free(prog);
    return rc;
}

const struct op expression_ops[] = {
    OP_READ("RuleService/CheckExpression", expression_check),
    {0},
};
