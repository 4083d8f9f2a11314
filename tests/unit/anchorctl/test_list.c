/* Lists go on by themselves, ask for less when an answer is too large, and stop when the server repeats
 * itself. */
#include <jansson.h>

#include "fake.h"

enum { ZONES = 25, STEP = 10 };

static bool too_large, repeats;

/* Zones "z0" .. "z24", STEP of them a page at most; the cursor is the last name. */
static int
list_zones(void *ctx, struct rpc_call *call, const void *req_, void **ret, acd_err *err)
{
    const Anchord__V1__ListZonesRequest *req = req_;
    size_t at = req->page->after[0] ? (size_t)atoi(req->page->after + 1) + 1 : 0;
    char name[16] = "";
    (void)ctx;
    if (too_large && req->page->size > 100)
        return err_set(err, ACD_ELIMIT, "the answer is too large for one message: ask for less at once");
    Anchord__V1__ListZonesResponse *resp =
        wire_new(call->region, Anchord__V1__ListZonesResponse, anchord__v1__list_zones_response);
    for (size_t n = 0; n < STEP && at < ZONES; n++, at++) {
        Anchord__V1__Zone *z = wire_new(call->region, Anchord__V1__Zone, anchord__v1__zone);
        (void)snprintf(name, sizeof(name), "z%zu", at);
        z->id = z->name = mem_strdup(call->region, name);
        if (wire_append(call->region, &resp->n_zones, &resp->zones, z) < 0)
            return ACD_ENOMEM;
    }
    resp->page = wire_new(call->region, Anchord__V1__PageInfo, anchord__v1__page_info);
    resp->page->total = ZONES;
    if (repeats)
        resp->page->next = WIRE_STR("z3");
    else if (at < ZONES)
        resp->page->next = mem_strdup(call->region, name);
    *ret = resp;
    return 0;
}

static int
no_accounts(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    (void)ctx;
    (void)req;
    (void)err;
    *ret = wire_new(call->region, Anchord__V1__ListAccountsResponse, anchord__v1__list_accounts_response);
    return 0;
}

static void
start(void)
{
    fake_new();
    fake_bind("ZoneService/ListZones", list_zones);
    fake_bind("AccountService/ListAccounts", no_accounts);
    fake_run();
}

START_TEST(all_pages)
{
    start();
    struct done d = ctl("zone", "list", "--account", "acme", "-o", "json", NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    json_t *v = json_loads(d.out, 0, NULL);
    ck_assert_uint_eq(json_array_size(v), ZONES);
    for (size_t i = 0; i < ZONES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "z%zu", i);
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(v, i), "name")), name);
    }
    json_decref(v);
    ck_assert_uint_eq(fake_calls("ZoneService/ListZones"), 3);
    ck_assert_str_eq(fake_req(Anchord__V1__ListZonesRequest, "ZoneService/ListZones", 0)->account, "acme");
    ck_assert_str_eq(fake_req(Anchord__V1__ListZonesRequest, "ZoneService/ListZones", 1)->page->after, "z9");
    fake_done();
}
END_TEST

START_TEST(smaller_pages)
{
    too_large = true;
    start();
    struct done d = ctl("zone", "list", NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    ck_has(d.out, "z24");
    /* 1000, 500, 250, 125 are refused, 62 is not, and stays. */
    ck_assert_uint_eq(fake_calls("ZoneService/ListZones"), 4 + 3);
    ck_assert_uint_eq(fake_req(Anchord__V1__ListZonesRequest, "ZoneService/ListZones", 6)->page->size, 62);
    fake_done();
}
END_TEST

START_TEST(a_cursor_that_stays)
{
    repeats = true;
    start();
    struct done d = ctl("zone", "list", NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.err, "makes no sense");
    ck_assert_uint_eq(fake_calls("ZoneService/ListZones"), 2);
    fake_done();
}
END_TEST

START_TEST(empty)
{
    start();
    struct done d = ctl("account", "list", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_assert_str_eq(d.out, "[]\n");
    d = ctl("account", "list", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_assert_str_eq(d.out, "ID NAME PLAN CREATED MANAGED CA\n");
    fake_done();
}
END_TEST

Suite *suite_list(void);
Suite *
suite_list(void)
{
    Suite *s = suite_create("anchorctl list");
    ADD_TESTS(s, "list", all_pages, smaller_pages, a_cursor_that_stays, empty);
    return s;
}
