/* What an idempotency key stands for: one request of one actor, for 24 hours. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "core/core.h"
#include "lib/main.h"
#include "model/collections.h"
#include "plug/load.h"
#include "plug/registry.h"

enum { HOUR_MS = 3600 * 1000 };

/* The day is the test's, deadlines are real. */
static int64_t wall_ms;

static int64_t
fake_wall(const struct clock *c)
{
    (void)c;
    return wall_ms;
}

static uint64_t
real_mono(const struct clock *c)
{
    (void)c;
    return clock_mono_ns(&clock_system);
}

static const struct clock fake_clock = {fake_wall, real_mono};
static struct plug_registry *plugins;
static struct core *core;
static struct rpc_table table;
static struct mem_region region;
static struct rpc_call call;
static unsigned published;
static acd_err problem = ACD_ERR_INIT;

static void
publish(void *ctx, struct plug_session *s, const struct change_set *set, uint64_t revision)
{
    (void)ctx;
    (void)s;
    (void)set;
    (void)revision;
    published++;
}

static void
setup(void)
{
    static const struct {
        const char *name;
        uint32_t kind;
    } wanted[] = {
        {"storage-memory", ACD_STORAGE}, {"quota-pool", ACD_QUOTA}, {"validator-openssl", ACD_VALIDATOR}};
    char path[3][512];
    struct plug_spec specs[3] = {0};
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path[i], sizeof(path[i]), "%s/%s.so", getenv("ANCHORD_PLUGINS"), wanted[i].name);
        specs[i] = (struct plug_spec){.kind = wanted[i].kind, .path = path[i]};
    }
    const struct plug_registry_opts opts = {.env = {.clock = &fake_clock, .flags = PLUG_BUILD_TREE}};
    ck_assert_msg(plug_registry_open(specs, 3, &opts, &plugins, &problem) == 0, "%s", problem.text);
    struct plug_storage *storage = plug_registry_storage(plugins);
    ck_assert_int_eq(
        plug_storage_schema(storage, collections, COLLECTIONS, COLLECTIONS_VERSION, COLL_PLUGIN, &problem),
        0);
    const struct core_deps deps = {
        .storage = storage,
        .quota = plug_registry_quota(plugins),
        .validator = plug_registry_validator(plugins, 0),
        .clock = &fake_clock,
        .publish = publish,
    };
    wall_ms = 1800000000000;
    published = 0;
    mem_init(&region, 4096, LIMIT_REGION);
    ck_assert_int_eq(core_new(&deps, &core, &problem), 0);
    ck_assert_int_eq(rpc_table_init(&table, &fake_clock), 0);
    ck_assert_int_eq(core_bind(core, &table, &problem), 0);
}

static void
teardown(void)
{
    rpc_table_done(&table);
    core_free(core);
    plug_registry_close(plugins);
    mem_done(&region);
}

/* Creates an account, as a user and under a key. Its id, or NULL when the call is refused. */
static const char *
create(uint32_t uid, const char *key, const char *name)
{
    static uint8_t raw[4096];
    static struct rpc_peer peer;
    Anchord__V1__CreateAccountRequest req = ANCHORD__V1__CREATE_ACCOUNT_REQUEST__INIT;
    req.name = WIRE_STR(name);
    peer = (struct rpc_peer){.transport = RPC_IPC, .uid_known = true, .uid = uid};
    struct frame_call f = {.method = SLICE_LIT("anchord.v1.AccountService/CreateAccount"),
                           .request_id = SLICE_LIT("r"),
                           .idem_key = slice_str(key),
                           .body = &req};
    size_t n = frame_call_size(&f);
    ck_assert_uint_le(n, sizeof(raw));
    frame_call_write(&f, raw);
    mem_reset(&region);
    call = (struct rpc_call){.region = &region};
    ck_assert_int_eq(rpc_admit(&table, slice_of(raw, n), &peer, &call), 0);
    rpc_run(&table, &call);
    return call.status < 0 ? NULL : ((const Anchord__V1__Account *)call.reply.body)->id;
}

START_TEST(runs_once)
{
    char first[64];
    (void)snprintf(first, sizeof(first), "%s", create(1, "key", "acme"));
    uint64_t revision = call.revision;
    ck_assert_str_eq(create(1, "key", "acme"), first);
    ck_assert_uint_eq(call.revision, revision);
    ck_assert_uint_eq(published, 1);
    ck_assert_ptr_null(create(1, "other key", "acme")); /* the name is taken */
    ck_assert_int_eq(call.status, ACD_EEXIST);
}
END_TEST

START_TEST(stands_for_one_request)
{
    ck_assert_ptr_nonnull(create(1, "key", "acme"));
    ck_assert_ptr_null(create(1, "key", "another"));
    ck_assert_int_eq(call.status, ACD_EINVAL);
    ck_assert_uint_eq(published, 1);
}
END_TEST

START_TEST(belongs_to_its_actor)
{
    ck_assert_ptr_nonnull(create(1, "key", "acme"));
    ck_assert_ptr_nonnull(create(2, "key", "another"));
    ck_assert_ptr_null(create(2, "key", "acme"));
    ck_assert_int_eq(call.status, ACD_EINVAL);
    ck_assert_uint_eq(published, 2);
}
END_TEST

START_TEST(a_refusal_is_not_remembered)
{
    ck_assert_ptr_null(create(1, "key", ""));
    ck_assert_ptr_nonnull(create(1, "key", "acme"));
    ck_assert_uint_eq(published, 1);
}
END_TEST

START_TEST(holds_for_a_day)
{
    ck_assert_ptr_nonnull(create(1, "key", "acme"));
    wall_ms += 24 * HOUR_MS;
    ck_assert_ptr_nonnull(create(1, "key", "acme"));
    ck_assert_uint_eq(published, 1);
    wall_ms += 1;
    ck_assert_ptr_null(create(1, "key", "acme")); /* run again: the name is taken */
    ck_assert_int_eq(call.status, ACD_EEXIST);
    ck_assert_ptr_nonnull(create(1, "key", "another")); /* and free for another request */
    ck_assert_uint_eq(published, 2);
    ck_assert_ptr_nonnull(create(1, "key", "another"));
    ck_assert_uint_eq(published, 2);
}
END_TEST

Suite *suite_idem(void);

Suite *
suite_idem(void)
{
    Suite *s = suite_create("core/idem");
    TCase *c = tcase_create("idem");
    const TTest *tests[] = {runs_once, stands_for_one_request, belongs_to_its_actor,
                            a_refusal_is_not_remembered, holds_for_a_day};
    tcase_add_checked_fixture(c, setup, teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
