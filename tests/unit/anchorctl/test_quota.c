#include <jansson.h>

#include "fake.h"

static bool agree;

static int
quota(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    struct mem_region *r = call->region;
    Anchord__V1__GetQuotaResponse *resp =
        wire_new(r, Anchord__V1__GetQuotaResponse, anchord__v1__get_quota_response);
    Anchord__V1__QuotaPool *pool = wire_new(r, Anchord__V1__QuotaPool, anchord__v1__quota_pool);
    Anchord__V1__QuotaPool *open = wire_new(r, Anchord__V1__QuotaPool, anchord__v1__quota_pool);
    Anchord__V1__ProductUsage *use = wire_new(r, Anchord__V1__ProductUsage, anchord__v1__product_usage);
    (void)ctx;
    (void)req;
    (void)err;
    resp->account_id = WIRE_STR("0123456789abcdef0123456789abcdef");
    pool->pool = WIRE_STR("mtls_ca");
    pool->used = 3;
    pool->limit = 5;
    use->product = WIRE_STR("workers");
    use->used = 2;
    open->pool = WIRE_STR("other");
    open->limit = -1;
    ck_assert(wire_append(r, &pool->n_products, &pool->products, use) == 0);
    ck_assert(wire_append(r, &resp->n_pools, &resp->pools, pool) == 0);
    ck_assert(wire_append(r, &resp->n_pools, &resp->pools, open) == 0);
    *ret = resp;
    return 0;
}

static int
audit(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    Anchord__V1__AuditQuotaResponse *resp =
        wire_new(call->region, Anchord__V1__AuditQuotaResponse, anchord__v1__audit_quota_response);
    Anchord__V1__QuotaAudit *a = wire_new(call->region, Anchord__V1__QuotaAudit, anchord__v1__quota_audit);
    (void)ctx;
    (void)req;
    (void)err;
    a->pool = WIRE_STR("mtls_ca");
    a->counter = 3;
    a->rows = agree ? 3 : 4;
    resp->ok = a->ok = agree;
    ck_assert(wire_append(call->region, &resp->n_audits, &resp->audits, a) == 0);
    *ret = resp;
    return 0;
}

static void
start(void)
{
    fake_new();
    fake_bind("QuotaService/GetQuota", quota);
    fake_bind("QuotaService/SetQuota", quota);
    fake_bind("QuotaService/AuditQuota", audit);
    fake_run();
}

START_TEST(shows)
{
    start();
    struct done d = ctl("quota", "show", "--account", "acme", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 0);
    json_t *v = json_loads(d.out, 0, NULL), *pools = json_object_get(v, "pools"),
           *first = json_array_get(pools, 0);
    ck_assert_int_eq(json_integer_value(json_object_get(first, "used")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(first, "limit")), 5);
    ck_assert(json_is_null(json_object_get(json_array_get(pools, 1), "limit")));
    json_decref(v);
    d = ctl("quota", "show", "--account", "acme", NULL);
    ck_assert_str_eq(d.out, "POOL    USED LIMIT\n"
                            "mtls_ca    3     5\n"
                            "other      0     -\n"
                            "\n"
                            "POOL    PRODUCT USED\n"
                            "mtls_ca workers    2\n");
    fake_done();
}
END_TEST

START_TEST(sets)
{
    start();
    ck_assert_int_eq(ctl("quota", "set", "--account", "acme", "--limit", "0", "--pool", "mtls_ca", NULL).code,
                     0);
    const Anchord__V1__SetQuotaRequest *req =
        fake_req(Anchord__V1__SetQuotaRequest, "QuotaService/SetQuota", 0);
    ck_assert(req->limit == 0 && !req->reset);
    ck_assert_str_eq(req->pool, "mtls_ca");
    ck_assert_int_eq(ctl("quota", "set", "--account", "acme", "--limit", "default", NULL).code, 0);
    ck_assert(fake_req(Anchord__V1__SetQuotaRequest, "QuotaService/SetQuota", 1)->reset);
    ck_assert_int_eq(ctl("quota", "set", "--account", "acme", "--limit", "-1", NULL).code, 2);
    ck_assert_int_eq(ctl("quota", "set", "--account", "acme", "--limit", "many", NULL).code, 2);
    ck_assert_uint_eq(fake_calls("QuotaService/SetQuota"), 2);
    fake_done();
}
END_TEST

START_TEST(audits)
{
    start();
    struct done d = ctl("quota", "audit", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 1);
    json_t *v = json_loads(d.out, 0, NULL);
    ck_assert(json_is_false(json_object_get(v, "ok")));
    ck_assert_int_eq(
        json_integer_value(json_object_get(json_array_get(json_object_get(v, "audits"), 0), "rows")), 4);
    json_decref(v);
    ck_has(ctl("quota", "audit", NULL).out, "differ");
    fake_done();
}
END_TEST

START_TEST(audits_that_agree)
{
    agree = true;
    start();
    struct done d = ctl("quota", "audit", "--account", "acme", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_has(d.out, "agree");
    fake_done();
}
END_TEST

Suite *suite_quota(void);
Suite *
suite_quota(void)
{
    Suite *s = suite_create("anchorctl quota");
    ADD_TESTS(s, "quota", shows, sets, audits, audits_that_agree);
    return s;
}
