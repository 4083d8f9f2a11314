/* Host associations: the three changes, preconditions, field violations, the list. */
#include <jansson.h>

#include "fake.h"

static int
change(void *ctx, struct rpc_call *call, const void *req_, void **ret, acd_err *err)
{
    const Anchord__V1__ChangeHostsRequest *req = req_;
    (void)ctx;
    if (req->expected && req->expected->revision != 9) {
        rpc_detail_precondition(call, 9);
        return err_set(err, ACD_ECONFLICT, "the list is at revision 9, not %llu: somebody else changed it",
                       (unsigned long long)req->expected->revision);
    }
    for (size_t i = 0; i < req->n_hosts; i++)
        if (strchr(req->hosts[i], ' ')) {
            rpc_detail_field(call, mem_printf(call->region, "hosts[%zu]", i),
                             "a space does not belong into it");
            return err_set(err, ACD_EINVAL, "a space does not belong into it");
        }
    Anchord__V1__ChangeHostsResponse *resp =
        wire_new(call->region, Anchord__V1__ChangeHostsResponse, anchord__v1__change_hosts_response);
    resp->hosts = req->hosts;
    resp->n_hosts = req->n_hosts;
    resp->total = req->n_hosts + 2;
    resp->added = 1;
    resp->list_revision = 10;
    resp->dry_run = req->dry_run;
    *ret = resp;
    return 0;
}

static int
list(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    Anchord__V1__ListHostsResponse *resp =
        wire_new(call->region, Anchord__V1__ListHostsResponse, anchord__v1__list_hosts_response);
    Anchord__V1__HostAssociation *h =
        wire_new(call->region, Anchord__V1__HostAssociation, anchord__v1__host_association);
    (void)ctx;
    (void)req;
    (void)err;
    h->host = WIRE_STR("B.example.com");
    h->pattern = WIRE_STR("b.example.com");
    h->ca_id = WIRE_STR("ca-1");
    ck_assert(wire_append(call->region, &resp->n_hosts, &resp->hosts, h) == 0);
    resp->list_revision = 10;
    *ret = resp;
    return 0;
}

static void
start(void)
{
    fake_new();
    fake_bind("HostService/SetHosts", change);
    fake_bind("HostService/AddHosts", change);
    fake_bind("HostService/RemoveHosts", change);
    fake_bind("HostService/ListHosts", list);
    fake_run();
}

START_TEST(changes)
{
    static const char *const verbs[][2] = {{"set", "HostService/SetHosts"},
                                           {"add", "HostService/AddHosts"},
                                           {"remove", "HostService/RemoveHosts"}};
    start();
    for (size_t i = 0; i < 3; i++) {
        struct done d = ctl("host", verbs[i][0], "a.example.com", "--zone", "example.com", "--ca", "ca-1",
                            "--expect", "9", "*.b.example.com", "-o", "json", NULL);
        ck_assert_msg(d.code == 0, "%s", d.err);
        const Anchord__V1__ChangeHostsRequest *req =
            fake_req(Anchord__V1__ChangeHostsRequest, verbs[i][1], 0);
        ck_assert_str_eq(req->zone, "example.com");
        ck_assert_str_eq(req->ca_id, "ca-1");
        ck_assert_uint_eq(req->n_hosts, 2);
        ck_assert_str_eq(req->hosts[1], "*.b.example.com");
        ck_assert_uint_eq(req->expected->revision, 9);
        json_t *v = json_loads(d.out, 0, NULL);
        ck_assert_uint_eq(json_array_size(json_object_get(v, "hostnames")), 2);
        ck_assert_int_eq(json_integer_value(json_object_get(v, "list_revision")), 10);
        json_decref(v);
    }
    fake_done();
}
END_TEST

START_TEST(clears)
{
    start();
    struct done d = ctl("host", "set", "--zone", "z", "--dry-run", NULL);
    ck_assert_int_eq(d.code, 0);
    const Anchord__V1__ChangeHostsRequest *req =
        fake_req(Anchord__V1__ChangeHostsRequest, "HostService/SetHosts", 0);
    ck_assert(req->n_hosts == 0 && !req->ca_id[0] && !req->expected && req->dry_run);
    ck_assert_str_eq(d.out,
                     "... and 2 more\ndry run: 2 hosts (1 added, 0 removed, 0 changed), list revision 10\n");
    ck_assert_int_eq(ctl("host", "add", "--zone", "z", NULL).code, 2);
    ck_assert_int_eq(ctl("host", "remove", "--zone", "z", NULL).code, 2);
    fake_done();
}
END_TEST

START_TEST(priority_and_role)
{
    start();
    ck_assert_int_eq(ctl("host", "add", "--zone", "z", "--priority", "7", "--observe", "a.x", NULL).code, 0);
    const Anchord__V1__ChangeHostsRequest *req =
        fake_req(Anchord__V1__ChangeHostsRequest, "HostService/AddHosts", 0);
    ck_assert_uint_eq(req->priority->value, 7);
    ck_assert_int_eq(req->role, ANCHORD__V1__HOST_ROLE__HOST_ROLE_OBSERVED);
    ck_assert_int_eq(ctl("host", "add", "--zone", "z", "--priority", "none", "--decide", "a.x", NULL).code,
                     0);
    req = fake_req(Anchord__V1__ChangeHostsRequest, "HostService/AddHosts", 1);
    ck_assert_uint_eq(req->priority->value, 0);
    ck_assert_int_eq(req->role, ANCHORD__V1__HOST_ROLE__HOST_ROLE_DECIDES);
    ck_assert_int_eq(ctl("host", "add", "--zone", "z", "a.x", NULL).code, 0);
    req = fake_req(Anchord__V1__ChangeHostsRequest, "HostService/AddHosts", 2);
    ck_assert(!req->priority && req->role == ANCHORD__V1__HOST_ROLE__HOST_ROLE_KEEP);
    ck_assert_int_eq(ctl("host", "add", "--zone", "z", "--observe", "--decide", "a.x", NULL).code, 2);
    static const char *const bad[] = {"0", "1000001", "x", ""};
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(ctl("host", "add", "--zone", "z", "--priority", bad[i], "a.x", NULL).code, 2);
    ck_assert_int_eq(ctl("host", "remove", "--zone", "z", "--priority", "1", "a.x", NULL).code, 2);
    fake_done();
}
END_TEST

START_TEST(conflict)
{
    start();
    struct done d = ctl("host", "set", "--zone", "z", "--expect", "0", "a.example.com", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.err, "somebody else changed it\n  it is at revision 9 now\n");
    ck_has(d.err, "\"type\":\"precondition\"");
    ck_has(d.err, "\"revision\":9");
    fake_done();
}
END_TEST

START_TEST(violations)
{
    start();
    struct done d = ctl("host", "set", "--zone", "z", "a.example.com", "a b", NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.err, "  hosts[1]: a space does not belong into it\n");
    fake_done();
}
END_TEST

START_TEST(lists)
{
    start();
    struct done d = ctl("host", "list", "--zone", "z", "--all", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_assert(fake_req(Anchord__V1__ListHostsRequest, "HostService/ListHosts", 0)->all);
    json_t *v = json_loads(d.out, 0, NULL), *h = json_array_get(v, 0);
    ck_assert_str_eq(json_string_value(json_object_get(h, "host")), "B.example.com");
    ck_assert_str_eq(json_string_value(json_object_get(h, "mtls_certificate_id")), "ca-1");
    ck_assert_int_eq(json_integer_value(json_object_get(h, "list_revision")), 10);
    json_decref(v);
    d = ctl("host", "list", "--zone", "z", "--all", "--ca", "x", NULL);
    ck_assert_int_eq(d.code, 2);
    ck_has(d.err, "exclude each other");
    fake_done();
}
END_TEST

Suite *suite_host(void);
Suite *
suite_host(void)
{
    Suite *s = suite_create("anchorctl host");
    ADD_TESTS(s, "host", changes, clears, priority_and_role, conflict, violations, lists);
    return s;
}
