#include "lib/main.h"
#include "raw.h"
#include "wire/rpc.h"

/* A clock that tests set. */
static uint64_t now_ns;

static uint64_t
fake_mono(const struct clock *c)
{
    (void)c;
    return now_ns;
}

static int64_t
fake_wall(const struct clock *c)
{
    (void)c;
    return 0;
}

static const struct clock clock_fake = {fake_wall, fake_mono};
static struct rpc_table table;
static struct mem_region region;
static unsigned ran;
static int answer;         /* of the handler */
static const char *saying; /* its sentence */

static int
handler(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    ran++;
    ck_assert_str_eq(ctx, "ctx");
    if (answer < 0) {
        rpc_detail_error_info(call, "CA_IN_USE", 1234, "a\xff");
        rpc_detail_quota(call, "mtls_ca", 5, 5);
        rpc_detail_finding(call, 1, -1, "ca.not_ca", "not a CA");
        rpc_detail_field(call, "hosts[3]", "empty");
        rpc_detail_precondition(call, 9);
        rpc_detail_in_use(call, "z", "example.com", "a.example.com");
        return err_set(err, answer, "%s", saying);
    }
    const Anchord__V1__CreateZoneRequest *in = req;
    Anchord__V1__Zone *zone = wire_new(call->region, Anchord__V1__Zone, anchord__v1__zone);
    zone->name = in->name;
    call->revision = 42;
    *ret_resp = zone;
    return 0;
}

static void
setup(void)
{
    now_ns = 1000000000;
    ran = 0;
    answer = 0;
    saying = "";
    mem_init(&region, 4096, LIMIT_REGION);
    ck_assert_int_eq(rpc_table_init(&table, &clock_fake), 0);
    ck_assert_int_eq(rpc_bind(&table, "ZoneService/CreateZone", handler, (void *)"ctx"), 0);
}

static void
teardown(void)
{
    rpc_table_done(&table);
    mem_done(&region);
}

static acd_slice
request(const char *method, const char *key, uint32_t timeout_ms)
{
    static uint8_t raw[4096];
    Anchord__V1__CreateZoneRequest req = ANCHORD__V1__CREATE_ZONE_REQUEST__INIT;
    req.name = WIRE_STR("example.com");
    struct frame_call f = {.method = slice_str(method),
                           .request_id = SLICE_LIT("rid"),
                           .idem_key = slice_str(key),
                           .timeout_ms = timeout_ms,
                           .n_meta = 1,
                           .meta = {{SLICE_LIT("authorization"), SLICE_LIT("Bearer x")}},
                           .body = &req};
    size_t len = frame_call_size(&f);
    ck_assert_uint_le(len, sizeof(raw));
    frame_call_write(&f, raw);
    return slice_of(raw, len);
}

#define CREATE "anchord.v1.ZoneService/CreateZone"

static const struct rpc_peer peer = {.conn = 1};

/* The reply as a client sees it. */
static struct frame_reply
run(acd_slice raw)
{
    struct rpc_call call;
    struct frame_reply got;
    int rc = rpc_admit(&table, raw, &peer, &call);
    if (rc == 0) {
        call.region = &region;
        rpc_run(&table, &call);
    }
    size_t len = rpc_reply_size(&call);
    ck_assert_uint_le(len, LIMIT_MESSAGE);
    uint8_t *out = mem_alloc(&region, len);
    rpc_reply_write(&call, out);
    ck_assert_int_eq(frame_reply_decode(&region, slice_of(out, len), &got, NULL), 0);
    return got;
}

START_TEST(test_call)
{
    struct frame_reply p = run(request(CREATE, "key", 0));
    void *zone;
    ck_assert_uint_eq(p.code, 0);
    ck_assert_uint_eq(p.revision, 42);
    ck_assert(slice_eqs(p.request_id, "rid"));
    ck_assert_int_eq(wire_unpack(&region, &anchord__v1__zone__descriptor, p.payload, &zone, NULL), 0);
    ck_assert_str_eq(((Anchord__V1__Zone *)zone)->name, "example.com");
}
END_TEST

START_TEST(test_refusals_before_the_handler)
{
    static const struct {
        const char *method, *key;
        uint32_t code;
        const char *says;
    } cases[] = {
        {"anchord.v1.ZoneService/Nothing", "k", 12, "there is no method \"anchord.v1.ZoneService/Nothing\""},
        {"anchord.v1.ZoneService/GetZone", "k", 12, "there is no method \"anchord.v1.ZoneService/GetZone\""},
        {"ZoneService/CreateZone", "k", 12, "there is no method \"ZoneService/CreateZone\""},
        {"", "k", 3, "method: missing"},
        {CREATE, "", 3, "idempotency_key: missing, a change must carry one"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct frame_reply p = run(request(cases[i].method, cases[i].key, 0));
        ck_assert_uint_eq(p.code, cases[i].code);
        ck_assert(slice_eqs(p.message, cases[i].says));
        ck_assert(slice_eqs(p.request_id, "rid"));
    }
    ck_assert_uint_eq(ran, 0);
}
END_TEST

/* A deadline counts from the arrival; one that passed in the queue is not run. */
START_TEST(test_deadline)
{
    static const struct {
        uint32_t timeout_ms;
        uint64_t effective_ms;
    } cases[] = {{5, 5},
                 {0, LIMIT_TIMEOUT_DEFAULT_MS},
                 {LIMIT_TIMEOUT_MS - 1, LIMIT_TIMEOUT_MS - 1},
                 {LIMIT_TIMEOUT_MS, LIMIT_TIMEOUT_MS},
                 {LIMIT_TIMEOUT_MS + 1, LIMIT_TIMEOUT_MS}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int late = 0; late < 2; late++) {
            struct rpc_call call = {.region = &region};
            ran = 0;
            ck_assert_int_eq(rpc_admit(&table, request(CREATE, "k", cases[i].timeout_ms), &peer, &call), 0);
            now_ns += cases[i].effective_ms * 1000000 - !late;
            rpc_run(&table, &call);
            ck_assert_uint_eq(ran, !late);
            ck_assert_int_eq(call.status, late ? ACD_ETIMEOUT : 0);
            ck_assert_uint_eq(call.reply.code, late ? 4 : 0);
        }
}
END_TEST

START_TEST(test_errors_carry_their_details)
{
    answer = ACD_ECONFLICT;
    saying = "somebody was faster \xff";
    struct frame_reply p = run(request(CREATE, "k", 0));
    ck_assert_uint_eq(p.code, 10);
    ck_assert_uint_eq(p.revision, 0);
    ck_assert(slice_eqs(p.message, "somebody was faster ?"));
    ck_assert_uint_eq(p.n_details, 6);
    ck_assert_str_eq(p.details[0]->error_info->reason, "CA_IN_USE");
    ck_assert_uint_eq(p.details[0]->error_info->code, 1234);
    ck_assert_str_eq(p.details[0]->error_info->subject, "a?");
    ck_assert_int_eq(p.details[1]->quota_failure->limit, 5);
    ck_assert_int_eq(p.details[2]->finding->index, -1);
    ck_assert_str_eq(p.details[3]->field_violation->field, "hosts[3]");
    ck_assert_uint_eq(p.details[4]->precondition->revision, 9);
    ck_assert_str_eq(p.details[5]->resource_in_use->host, "a.example.com");
}
END_TEST

START_TEST(test_every_status_has_its_code)
{
    static const struct {
        int status;
        uint32_t grpc;
        int seen;
    } cases[] = {
#define ROW(name, number, text, retryable, grpc, http) {name, grpc, 0},
        ACD_STATUS_MAP(ROW)
#undef ROW
    };
    for (size_t i = 1; i < sizeof(cases) / sizeof(cases[0]); i++) {
        answer = cases[i].status;
        struct frame_reply p = run(request(CREATE, "k", 0));
        ck_assert_uint_eq(p.code, cases[i].grpc);
        ck_assert(slice_eqs(p.message, status_text(answer))); /* an empty sentence becomes the code's own */
        mem_reset(&region);
    }
    ck_assert_int_eq(rpc_status_of(8, 0), ACD_ELIMIT);
    ck_assert_int_eq(rpc_status_of(8, 1), ACD_EBUSY);
    ck_assert_int_eq(rpc_status_of(9, 0), ACD_EPRECOND);
    ck_assert_int_eq(rpc_status_of(13, 0), ACD_EINTERNAL);
    ck_assert_int_eq(rpc_status_of(0, 0), 0);
    ck_assert_int_eq(rpc_status_of(12, 0), ACD_ENOTSUP);
    ck_assert_int_eq(rpc_status_of(UINT32_MAX, 0), ACD_EINTERNAL);
}
END_TEST

static int verdict;

static int
authorize(void *ctx, struct rpc_call *call, acd_err *err)
{
    ck_assert_ptr_eq(ctx, &verdict);
    ck_assert(slice_eqs(rpc_metadata(call, "authorization"), "Bearer x"));
    ck_assert_ptr_null(rpc_metadata(call, "cookie").ptr);
    ck_assert_str_eq(call->method->service, "ZoneService");
    ck_assert_int_eq(call->method->class, RPC_MUTATION);
    return verdict < 0 ? err_set(err, verdict, "who are you") : 0;
}

START_TEST(test_authorize)
{
    rpc_set_authorize(&table, authorize, &verdict);
    verdict = ACD_EUNAUTH;
    ck_assert_uint_eq(run(request(CREATE, "k", 0)).code, 16);
    verdict = ACD_EDENIED;
    ck_assert_uint_eq(run(request(CREATE, "k", 0)).code, 7);
    ck_assert_uint_eq(ran, 0);
    verdict = 0;
    ck_assert_uint_eq(run(request(CREATE, "k", 0)).code, 0);
    ck_assert_uint_eq(ran, 1);
}
END_TEST

START_TEST(test_malformed_requests)
{
    uint8_t raw[64];
    struct frame_call f = {
        .method = SLICE_LIT(CREATE), .idem_key = SLICE_LIT("k"), .payload = SLICE_LIT("\x0a\x05x")};
    size_t len = frame_call_size(&f);
    frame_call_write(&f, raw);
    struct frame_reply p = run(slice_of(raw, len));
    ck_assert_uint_eq(p.code, 3);
    ck_assert(slice_eqs(p.message, "message: truncated"));
    ck_assert_uint_eq(run(SLICE_LIT("garbage")).code, 3);
    ck_assert_uint_eq(ran, 0);
}
END_TEST

static int
large(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    (void)req, (void)err;
    size_t len = *(size_t *)ctx;
    Anchord__V1__Zone *zone = wire_new(call->region, Anchord__V1__Zone, anchord__v1__zone);
    zone->name = mem_alloc(call->region, len + 1);
    memset(zone->name, 'a', len);
    zone->name[len] = '\0';
    *ret_resp = zone;
    return 0;
}

START_TEST(test_reply_at_below_above)
{
    size_t len;
    ck_assert_int_eq(rpc_bind(&table, "ZoneService/DeleteZone", large, &len), 0);
    /* request id 5, payload head 4, name head 4 */
    for (int over = -1; over <= 1; over++) {
        len = (size_t)(LIMIT_MESSAGE - 13 + over);
        struct frame_reply p = run(request("anchord.v1.ZoneService/DeleteZone", "k", 0));
        ck_assert_uint_eq(p.code, over > 0 ? 8 : 0);
        mem_reset(&region);
    }
}
END_TEST

static int
greedy(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    (void)req, (void)ret_resp, (void)err;
    return mem_alloc(call->region, *(size_t *)ctx) ? ACD_EINTERNAL : ACD_ENOMEM;
}

/* A call that is too large is not told to come again. */
START_TEST(test_memory_of_a_call)
{
    size_t len = LIMIT_REGION;
    ck_assert_int_eq(rpc_bind(&table, "ZoneService/DeleteZone", greedy, &len), 0);
    struct frame_reply p = run(request("anchord.v1.ZoneService/DeleteZone", "k", 0));
    ck_assert_uint_eq(p.retry_after_ms, 0);
    ck_assert(
        slice_eqs(p.message, "the call needs more than 16777216 bytes of memory: ask for less at once"));
    mem_reset(&region);
    len = SIZE_MAX; /* not the limit's fault */
    p = run(request("anchord.v1.ZoneService/DeleteZone", "k", 0));
    ck_assert_uint_gt(p.retry_after_ms, 0);
}
END_TEST

START_TEST(test_details_are_bounded)
{
    struct rpc_call call = {.region = &region};
    for (int i = 0; i < LIMIT_DETAILS + 10; i++)
        rpc_detail_field(&call, "f", NULL);
    ck_assert_uint_eq(call.reply.n_details, LIMIT_DETAILS);
    ck_assert_str_eq(call.reply.details[0]->field_violation->description, "");
}
END_TEST

START_TEST(test_binding)
{
    ck_assert_int_eq(rpc_bind(&table, "ZoneService/CreateZone", handler, NULL), ACD_EEXIST);
    ck_assert_int_eq(rpc_bind(&table, "anchord.v1.ZoneService/GetZone", handler, NULL), 0);
    ck_assert_int_eq(rpc_bind(&table, "ZoneService/GetZone", handler, NULL), ACD_EEXIST);
    ck_assert_int_eq(rpc_bind(&table, "ZoneService/Nothing", handler, NULL), ACD_ENOENT);
}
END_TEST

/* methods.def and the services of the contract say the same. */
START_TEST(test_table_is_the_contract)
{
    static const ProtobufCServiceDescriptor *services[] = {
        &anchord__v1__edge_service__descriptor,   &anchord__v1__account_service__descriptor,
        &anchord__v1__zone_service__descriptor,   &anchord__v1__ca_service__descriptor,
        &anchord__v1__host_service__descriptor,   &anchord__v1__quota_service__descriptor,
        &anchord__v1__rule_service__descriptor,   &anchord__v1__server_service__descriptor,
        &anchord__v1__plugin_service__descriptor, &anchord__v1__origin_trust_service__descriptor,
        &anchord__v1__access_service__descriptor, &anchord__v1__token_service__descriptor,
        &anchord__v1__key_service__descriptor,    &anchord__v1__managed_ca_service__descriptor,
        &anchord__v1__expiry_service__descriptor, &anchord__v1__client_cert_service__descriptor,
        &anchord__v1__crl_service__descriptor,
    };
    size_t methods = 0, rows = 0;
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        for (unsigned k = 0; k < services[i]->n_methods; k++, methods++) {
            char name[128];
            (void)snprintf(name, sizeof(name), "%s/%s", services[i]->name, services[i]->methods[k].name);
            const struct rpc_method *m = rpc_method_find(slice_str(name));
            ck_assert_msg(m != NULL, "%s is not in methods.def", name);
            ck_assert_ptr_eq(m->request, services[i]->methods[k].input);
            ck_assert_ptr_eq(m->response, services[i]->methods[k].output);
        }
    while (rpc_method_at(rows))
        rows++;
    ck_assert_uint_eq(rows, methods);
}
END_TEST

Suite *suite_rpc(void);
Suite *
suite_rpc(void)
{
    Suite *s = suite_create("rpc");
    TCase *tc = tcase_create("rpc");
    tcase_add_checked_fixture(tc, setup, teardown);
    const TTest *tests[] = {test_call,
                            test_refusals_before_the_handler,
                            test_deadline,
                            test_errors_carry_their_details,
                            test_every_status_has_its_code,
                            test_authorize,
                            test_malformed_requests,
                            test_reply_at_below_above,
                            test_memory_of_a_call,
                            test_details_are_bounded,
                            test_binding,
                            test_table_is_the_contract};
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(s, tc);
    return s;
}
