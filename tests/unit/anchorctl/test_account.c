/* Accounts and zones: requests as sent, answers as shown. */
#include <jansson.h>

#include "fake.h"

static Anchord__V1__Account *
account(struct rpc_call *call, const char *name)
{
    Anchord__V1__Account *a = wire_new(call->region, Anchord__V1__Account, anchord__v1__account);
    a->id = WIRE_STR("0123456789abcdef0123456789abcdef");
    a->name = mem_strdup(call->region, name);
    a->plan = ANCHORD__V1__PLAN__PLAN_FREE;
    a->created_ms = 1767323045000;
    a->managed_ca_id = WIRE_STR("11111111-2222-4333-8444-555555555555");
    a->revision = 7;
    return a;
}

static int
create_account(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    (void)ctx;
    (void)err;
    *ret = account(call, ((const Anchord__V1__CreateAccountRequest *)req)->name);
    return 0;
}

static int
get_account(void *ctx, struct rpc_call *call, const void *req_, void **ret, acd_err *err)
{
    const Anchord__V1__GetAccountRequest *req = req_;
    (void)ctx;
    if (strcmp(req->account, "acme") == 0) {
        *ret = account(call, "acme");
        return 0;
    }
    rpc_detail_error_info(call, "NOT_FOUND", 0, req->account);
    return err_set(err, ACD_ENOENT, "no account '%s'", req->account);
}

static int
delete_account(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    (void)ctx;
    (void)req;
    (void)ret;
    rpc_detail_error_info(call, "ACCOUNT_IN_USE", 0, "x");
    return err_set(err, ACD_EPRECOND, "account 'acme' still has 2 zones");
}

static int
create_zone(void *ctx, struct rpc_call *call, const void *req_, void **ret, acd_err *err)
{
    const Anchord__V1__CreateZoneRequest *req = req_;
    (void)ctx;
    (void)err;
    Anchord__V1__Zone *z = wire_new(call->region, Anchord__V1__Zone, anchord__v1__zone);
    z->id = WIRE_STR("00000000000000000000000000000001");
    z->name = mem_strdup(call->region, req->name);
    z->account_id = WIRE_STR("0123456789abcdef0123456789abcdef");
    z->account_name = mem_strdup(call->region, req->account);
    z->acm = req->acm;
    *ret = z;
    return 0;
}

static void
start(void)
{
    fake_new();
    fake_bind("AccountService/CreateAccount", create_account);
    fake_bind("AccountService/GetAccount", get_account);
    fake_bind("AccountService/DeleteAccount", delete_account);
    fake_bind("ZoneService/CreateZone", create_zone);
    fake_run();
}

static json_t *
json_of(const struct done *d)
{
    json_t *v = json_loads(d->out, 0, NULL);
    ck_assert_msg(v != NULL, "not JSON: %s", d->out);
    return v;
}

START_TEST(create)
{
    start();
    struct done d = ctl("account", "create", "--name", "acme", "--plan", "free", "-o", "json", "--timeout",
                        "7", "--idempotency-key", "once", NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    ck_assert_str_eq(d.err, "");
    const Anchord__V1__CreateAccountRequest *req =
        fake_req(Anchord__V1__CreateAccountRequest, "AccountService/CreateAccount", 0);
    ck_assert_str_eq(req->name, "acme");
    ck_assert_int_eq((int)req->plan, ANCHORD__V1__PLAN__PLAN_FREE);
    ck_assert_str_eq(fake_call("AccountService/CreateAccount", 0)->idem_key, "once");
    uint32_t ms = fake_call("AccountService/CreateAccount", 0)->timeout_ms;
    ck_assert(ms > 5000 && ms <= 7000);
    json_t *v = json_of(&d);
    ck_assert_str_eq(json_string_value(json_object_get(v, "id")), "0123456789abcdef0123456789abcdef");
    ck_assert_str_eq(json_string_value(json_object_get(v, "name")), "acme");
    ck_assert_str_eq(json_string_value(json_object_get(v, "plan")), "free");
    ck_assert_str_eq(json_string_value(json_object_get(v, "created_on")), "2026-01-02T03:04:05Z");
    ck_assert_int_eq(json_integer_value(json_object_get(v, "revision")), 7);
    json_decref(v);
    fake_done();
}
END_TEST

START_TEST(create_by_default)
{
    start();
    struct done d = ctl("account", "create", "--name", "acme", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_assert_int_eq(
        (int)fake_req(Anchord__V1__CreateAccountRequest, "AccountService/CreateAccount", 0)->plan,
        ANCHORD__V1__PLAN__PLAN_UNSPECIFIED);
    ck_assert_uint_ge(strlen(fake_call("AccountService/CreateAccount", 0)->idem_key), 16); /* made */
    ck_has(d.out, "NAME       acme\n");
    ck_has(d.out, "PLAN       free\n");
    fake_done();
}
END_TEST

START_TEST(not_found)
{
    start();
    struct done d = ctl("account", "get", "nobody", NULL);
    ck_assert_int_eq(d.code, 1);
    ck_assert_str_eq(d.out, "");
    ck_assert_str_eq(d.err, "anchorctl: no account 'nobody'\n  reason NOT_FOUND: nobody\n");
    d = ctl("account", "get", "acme", NULL);
    ck_assert_int_eq(d.code, 0);
    fake_done();
}
END_TEST

START_TEST(refused)
{
    start();
    struct done d = ctl("account", "delete", "acme", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 1);
    ck_assert_str_eq(d.out, "");
    ck_has(d.err, "still has 2 zones\n");
    /* The last line is for programs. */
    const char *line = strstr(d.err, "{\"error\"");
    json_t *v = json_loads(line ? line : "", 0, NULL);
    ck_assert_msg(v != NULL, "%s", d.err);
    json_t *e = json_object_get(v, "error");
    ck_assert_str_eq(json_string_value(json_object_get(e, "status")), "ACD_EPRECOND");
    ck_assert_str_eq(json_string_value(json_object_get(e, "reason")), "ACCOUNT_IN_USE");
    ck_assert_int_eq(json_integer_value(json_object_get(e, "exit")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(e, "details")), 1);
    json_decref(v);
    fake_done();
}
END_TEST

START_TEST(zone)
{
    start();
    struct done d =
        ctl("-o", "json", "zone", "create", "--account", "acme", "--name", "example.com", "--acm", NULL);
    ck_assert_int_eq(d.code, 0);
    const Anchord__V1__CreateZoneRequest *req =
        fake_req(Anchord__V1__CreateZoneRequest, "ZoneService/CreateZone", 0);
    ck_assert_str_eq(req->account, "acme");
    ck_assert(req->acm);
    json_t *v = json_of(&d), *owner = json_object_get(v, "account");
    ck_assert_str_eq(json_string_value(json_object_get(owner, "name")), "acme");
    ck_assert_str_eq(json_string_value(json_object_get(owner, "id")), "0123456789abcdef0123456789abcdef");
    ck_assert(json_is_true(json_object_get(v, "acm")));
    ck_assert(json_is_null(json_object_get(v, "created_on")));
    json_decref(v);
    fake_done();
}
END_TEST

Suite *suite_account(void);
Suite *
suite_account(void)
{
    Suite *s = suite_create("anchorctl account");
    ADD_TESTS(s, "account", create, create_by_default, not_found, refused, zone);
    return s;
}
