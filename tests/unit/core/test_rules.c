/* RuleService without a bus: every method has its handler, and one expression is checked as an upload is. */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "core/unit.h"
#include "lib/main.h"
#include "plug/load.h"
#include "plug/registry.h"

static struct plug_registry *plugins;
static struct core *core;
static struct rpc_table table;
static struct mem_region region;
static acd_err problem = ACD_ERR_INIT;

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
    const struct plug_registry_opts opts = {.env = {.clock = &clock_system, .flags = PLUG_BUILD_TREE}};
    ck_assert_msg(plug_registry_open(specs, 3, &opts, &plugins, &problem) == 0, "%s", problem.text);
    struct plug_storage *storage = plug_registry_storage(plugins);
    ck_assert_int_eq(
        plug_storage_schema(storage, collections, COLLECTIONS, COLLECTIONS_VERSION, COLL_PLUGIN, &problem),
        0);
    const struct core_deps deps = {.storage = storage,
                                   .quota = plug_registry_quota(plugins),
                                   .validator = plug_registry_validator(plugins, 0),
                                   .clock = &clock_system};
    mem_init(&region, 4096, LIMIT_REGION);
    ck_assert_int_eq(core_new(&deps, &core, &problem), 0);
    ck_assert_int_eq(rpc_table_init(&table, &clock_system), 0);
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
            ck_assert_msg(rpc_bind(&table, m->name, nobody, NULL) == ACD_EEXIST, "%s", m->name);
            n++;
        }
    ck_assert_uint_eq(n, 9);
}
END_TEST

static const Anchord__V1__CheckExpressionResponse *
check(const char *expression)
{
    Anchord__V1__CheckExpressionRequest req = ANCHORD__V1__CHECK_EXPRESSION_REQUEST__INIT;
    struct rpc_call call = {.region = &region};
    void *resp = NULL;
    req.expression = (char *)expression;
    ck_assert_int_eq(unit_run(core, &expression_ops[0], &call, &req, &resp, &problem), 0);
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
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, every_method_has_its_handler);
    tcase_add_test(c, expressions);
    suite_add_tcase(s, c);
    return s;
}
