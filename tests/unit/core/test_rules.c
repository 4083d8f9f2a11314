/* RuleService without a bus: every method has its handler, and one expression is checked as an upload is. */
#include <string.h>

#include "lib/main.h"
#include "rig.h"
#include "wire/msg.h"

static int
nobody(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    (void)ctx, (void)call, (void)req, (void)ret_resp, (void)err;
    return ACD_ENOTSUP;
}

START_TEST(every_method_has_its_handler)
{
    const struct rpc_method *m;
    size_t n = 0;
    for (size_t i = 0; (m = rpc_method_at(i)); i++)
        if (strcmp(m->service, "RuleService") == 0 || strcmp(m->service, "HostService") == 0) {
            ck_assert_msg(rpc_bind(rig_table(), m->name, nobody, NULL) == ACD_EEXIST, "%s", m->name);
            n++;
        }
    ck_assert_uint_eq(n, 9);
}
END_TEST

static const Anchord__V1__CheckExpressionResponse *
check(const char *expression)
{
    Anchord__V1__CheckExpressionRequest req = ANCHORD__V1__CHECK_EXPRESSION_REQUEST__INIT;
    req.expression = (char *)expression;
    const void *resp = rig_invoke(0, "", "RuleService/CheckExpression", &req);
    ck_assert_ptr_nonnull(resp);
    return resp;
}

START_TEST(expressions)
{
    const Anchord__V1__CheckExpressionResponse *r = check("cf.tls_client_auth.cert_verified and ssl");
    ck_assert(r->valid);
    ck_assert_uint_eq(r->n_fields, 2);
    ck_assert_str_eq(r->fields[0], "cf.tls_client_auth.cert_verified");
    ck_assert_uint_eq(r->n_findings, 1);
    ck_assert_int_eq(r->findings[0]->severity, ANCHORD__V1__SEVERITY__SEVERITY_WARNING);
    r = check("no.such eq 1 and ssl eq 2");
    ck_assert(!r->valid);
    ck_assert_uint_eq(r->n_findings, 2);
    ck_assert_str_eq(r->findings[0]->kind, "identifier");
    ck_assert_uint_eq(r->findings[0]->at, 0);
    ck_assert_uint_eq(r->findings[0]->length, 7);
    ck_assert_uint_eq(r->findings[1]->at, 20);
    ck_assert(!check("")->valid);
}
END_TEST

Suite *suite_rules(void);

Suite *
suite_rules(void)
{
    Suite *s = suite_create("rules");
    TCase *c = tcase_create("rules");
    tcase_add_checked_fixture(c, rig_setup, rig_teardown);
    tcase_add_test(c, every_method_has_its_handler);
    tcase_add_test(c, expressions);
    suite_add_tcase(s, c);
    return s;
}
