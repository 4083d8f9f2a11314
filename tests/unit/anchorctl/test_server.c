/* The server's state, plugins, and waiting for it to come up. */
#include <fcntl.h>
#include <jansson.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "fake.h"

static bool healthy;

static int
status(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    Anchord__V1__GetStatusResponse *resp =
        wire_new(call->region, Anchord__V1__GetStatusResponse, anchord__v1__get_status_response);
    Anchord__V1__Counter *n = wire_new(call->region, Anchord__V1__Counter, anchord__v1__counter);
    (void)ctx;
    (void)req;
    (void)err;
    resp->version = WIRE_STR("0.1.0");
    resp->role = WIRE_STR("primary");
    resp->truth_revision = 12;
    resp->snapshot_revision = 11;
    n->name = WIRE_STR("hosts");
    n->value = 1000;
    ck_assert(wire_append(call->region, &resp->n_counters, &resp->counters, n) == 0);
    ck_assert(wire_append(call->region, &resp->n_listeners, &resp->listeners, WIRE_STR("ipc:///x")) == 0);
    *ret = resp;
    return 0;
}

static int
check(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    Anchord__V1__CheckServerResponse *resp =
        wire_new(call->region, Anchord__V1__CheckServerResponse, anchord__v1__check_server_response);
    Anchord__V1__CheckResult *one =
        wire_new(call->region, Anchord__V1__CheckResult, anchord__v1__check_result);
    (void)ctx;
    (void)req;
    (void)err;
    one->name = WIRE_STR("counters");
    one->text = WIRE_STR("5 rows");
    one->ok = resp->ok = healthy;
    ck_assert(wire_append(call->region, &resp->n_results, &resp->results, one) == 0);
    *ret = resp;
    return 0;
}

static int
plugins(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    Anchord__V1__ListPluginsResponse *resp =
        wire_new(call->region, Anchord__V1__ListPluginsResponse, anchord__v1__list_plugins_response);
    Anchord__V1__Plugin *p = wire_new(call->region, Anchord__V1__Plugin, anchord__v1__plugin);
    Anchord__V1__PluginItem *item = wire_new(call->region, Anchord__V1__PluginItem, anchord__v1__plugin_item);
    (void)ctx;
    (void)req;
    (void)err;
    p->name = WIRE_STR("storage-sqlite");
    p->kind = WIRE_STR("storage");
    p->state = WIRE_STR("started");
    p->major = 1;
    item->key = WIRE_STR("path");
    item->value = WIRE_STR("/x/truth.db");
    ck_assert(wire_append(call->region, &p->n_config, &p->config, item) == 0);
    ck_assert(wire_append(call->region, &resp->n_plugins, &resp->plugins, p) == 0);
    *ret = resp;
    return 0;
}

static void
bind_all(void)
{
    fake_new();
    fake_bind("ServerService/GetStatus", status);
    fake_bind("ServerService/CheckServer", check);
    fake_bind("PluginService/ListPlugins", plugins);
}

START_TEST(shows_status)
{
    bind_all();
    fake_run();
    struct done d = ctl("server", "status", "-o", "json", NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    json_t *v = json_loads(d.out, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(v, "truth_revision")), 12);
    ck_assert_int_eq(json_integer_value(json_object_get(v, "snapshot_revision")), 11);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(v, "counters"), "hosts")), 1000);
    ck_assert_uint_eq(json_array_size(json_object_get(v, "listeners")), 1);
    json_decref(v);
    fake_done();
}
END_TEST

START_TEST(shows_status_to_people)
{
    bind_all();
    fake_run();
    struct done d = ctl("server", "status", NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    ck_has(d.out, "VERSION           0.1.0");
    ck_has(d.out, "hosts    1000");
    fake_done();
}
END_TEST

START_TEST(waits_for_nothing)
{
    bind_all();
    fake_run();
    struct done d = ctl("server", "status", "--wait", "5", NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    ck_has(d.out, "VERSION");
    fake_done();
}
END_TEST

START_TEST(checks)
{
    bind_all();
    fake_run();
    struct done d = ctl("server", "check", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.out, "\"ok\": false");
    fake_done();
}
END_TEST

START_TEST(checks_well)
{
    healthy = true;
    bind_all();
    fake_run();
    struct done d = ctl("server", "check", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_has(d.out, "counters yes 5 rows");
    fake_done();
}
END_TEST

START_TEST(lists_plugins)
{
    bind_all();
    fake_run();
    struct done d = ctl("plugin", "list", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 0);
    json_t *v = json_loads(d.out, 0, NULL), *p = json_array_get(v, 0);
    ck_assert_str_eq(json_string_value(json_object_get(p, "abi")), "1.0");
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(p, "config"), "path")), "/x/truth.db");
    json_decref(v);
    fake_done();
}
END_TEST

START_TEST(unreachable)
{
    fake_new();
    struct done d = ctl("--socket", fake.url, "account", "list", NULL);
    ck_assert_int_eq(d.code, 3);
    ck_assert_str_eq(d.out, "");
    ck_has(d.err, fake.url);
    d = ctl("--socket", fake.url, "ca", "delete", "x", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 3);
    ck_has(d.err, "\"exit\":3");
    d = ctl("--socket", fake.url, "server", "status", "--wait", "1", NULL);
    ck_assert_int_eq(d.code, 3);
    ck_assert_int_eq(ctl("--socket", "carrier-pigeon://x", "account", "list", NULL).code, 2);
    fake_done();
}
END_TEST

START_TEST(socket_of_the_environment)
{
    bind_all();
    fake_run();
    ck_assert_int_eq(setenv("ANCHORD_SOCKET", fake.url, 1), 0);
    struct bus *bus = fake.bus;
    fake.bus = NULL; /* ctl gives no --socket then */
    ck_assert_int_eq(ctl("server", "status", NULL).code, 0);
    ck_assert_int_eq(ctl("server", "status", "--socket", "ipc:///no/such/socket", NULL).code, 3);
    fake.bus = bus;
    fake_done();
}
END_TEST

/* The program waits in a process of its own while the server comes up; it must outlast the first refusals. */
START_TEST(waits)
{
    int code;
    bind_all();
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)dup2(open("/dev/null", O_WRONLY), 1);
        (void)execl(ANCHORCTL, "anchorctl", "--socket", fake.url, "server", "status", "--wait", "30",
                    (char *)NULL);
        _exit(127);
    }
    uint64_t until = clock_mono_ns(&clock_system) + 700000000u; /* longer than one try to connect */
    while (clock_mono_ns(&clock_system) < until && waitpid(pid, &code, WNOHANG) == 0)
        (void)usleep(10000);
    fake_run();
    ck_assert_int_eq(waitpid(pid, &code, 0), pid);
    ck_assert(WIFEXITED(code));
    ck_assert_int_eq(WEXITSTATUS(code), 0);
    ck_assert_uint_eq(fake_calls("ServerService/GetStatus"), 1);
    fake_done();
}
END_TEST

Suite *suite_server(void);
Suite *
suite_server(void)
{
    Suite *s = suite_create("anchorctl server");
    ADD_TESTS(s, "server", shows_status, shows_status_to_people, waits_for_nothing, checks, checks_well,
              lists_plugins, unreachable, socket_of_the_environment, waits);
    return s;
}
