/* The client library against a server whose answers are known. */
#include <stdlib.h>
#include <unistd.h>

#include <anchord/anchord.h>

#include "lib/main.h"
#include "libanchord/admin.h"
#include "model/digest.h"
#include "wire/bus.h"

static struct rpc_table table;
static struct bus *bus;
static char dir[] = "/tmp/anchord_client.XXXXXX", url[64];
static unsigned verify_calls;
static size_t chain_bytes; /* that the server has seen */
static acd_client *client;

static int
get_trust(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    (void)ctx, (void)err;
    struct mem_region *r = call->region;
    const Anchord__V1__GetTrustRequest *in = req;
    Anchord__V1__GetTrustResponse *out =
        wire_new(r, Anchord__V1__GetTrustResponse, anchord__v1__get_trust_response);
    out->n_answers = in->n_questions;
    out->answers = wire_list(r, in->n_questions, Anchord__V1__TrustAnswer, anchord__v1__trust_answer);
    out->n_sets = 1;
    out->sets = wire_list(r, 1, Anchord__V1__TrustSet, anchord__v1__trust_set);
    out->sets[0]->n_cas = 1;
    out->sets[0]->cas = wire_list(r, 1, Anchord__V1__TrustCa, anchord__v1__trust_ca);
    out->sets[0]->cas[0]->subject = WIRE_STR("CN=CA");
    out->sets[0]->cas[0]->index = 3;
    out->sets[0]->cas[0]->observed = true;
    out->sets[0]->cas[0]->priority = 9;
    for (size_t i = 0; i < in->n_questions; i++) {
        Anchord__V1__TrustAnswer *a = out->answers[i];
        a->host = in->questions[i]->host;
        a->match = ANCHORD__V1__MATCH_KIND__MATCH_WILDCARD;
        a->unchanged = in->questions[i]->unless_digest.len == 32;
        a->set = !a->unchanged;
        if (in->explain) {
            size_t n = 0;
            ck_assert_int_eq(wire_append(r, &n, &a->explain, WIRE_STR("because")), 0);
            a->n_explain = n;
        }
        if (!strcmp(a->host, "broken"))
            a->set = 2; /* there is no such set */
    }
    call->revision = 5;
    *ret_resp = out;
    return 0;
}

/* Knows no digest but that of one chain; verifies what comes as bytes and starts with 'g'. */
static int
verify_client(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    (void)ctx, (void)err;
    struct mem_region *r = call->region;
    const Anchord__V1__VerifyClientRequest *in = req;
    uint8_t known[DIGEST_LEN];
    digest_chain((acd_slice[]){SLICE_LIT("good-known")}, 1, known);
    Anchord__V1__VerifyClientResponse *out =
        wire_new(r, Anchord__V1__VerifyClientResponse, anchord__v1__verify_client_response);
    out->n_answers = in->n_questions;
    out->answers = wire_list(r, in->n_questions, Anchord__V1__VerifyAnswer, anchord__v1__verify_answer);
    verify_calls++;
    for (size_t i = 0; i < in->n_questions; i++) {
        const Anchord__V1__VerifyQuestion *q = in->questions[i];
        Anchord__V1__VerifyAnswer *a = out->answers[i];
        bool good = q->n_chain > 0 && q->chain[0].data[0] == 'g';
        for (size_t k = 0; k < q->n_chain; k++)
            chain_bytes += q->chain[k].len;
        if (q->n_chain == 0)
            good = slice_eq(wire_slice(q->chain_digest), slice_of(known, sizeof(known)));
        a->verdict = good ? ANCHORD__V1__VERDICT__VERIFIED : ANCHORD__V1__VERDICT__NOT_VERIFIED;
        if (q->n_chain == 0 && !good)
            a->verdict = ANCHORD__V1__VERDICT__NEED_CERTIFICATE;
        if (!strcmp(q->host, "odd"))
            a->verdict = (Anchord__V1__Verdict)77; /* of a later version */
        a->pattern = q->host;
        if (good) {
            a->observed = wire_new(r, Anchord__V1__Observation, anchord__v1__observation);
            a->observed->verdict = ANCHORD__V1__VERDICT__VERIFIED;
            a->observed->ca_id = WIRE_STR("ca-new");
        }
    }
    call->revision = 10 + verify_calls;
    *ret_resp = out;
    return 0;
}

static int
get_zone(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    (void)ctx, (void)ret_resp;
    const Anchord__V1__GetZoneRequest *in = req;
    acd_slice who = rpc_metadata(call, "authorization");
    rpc_detail_error_info(call, "ZONE_MISSING", 1000, in->zone);
    return err_set(err, ACD_ENOENT, "no zone %s for %.*s", in->zone, (int)who.len, (const char *)who.ptr);
}

static void
setup(void)
{
    const char *urls[] = {url};
    struct bus_opts opts = {.table = &table, .urls = urls, .n_urls = 1};
    acd_client_opts copts = {.struct_size = sizeof(copts), .authorization = "Bearer me", .connect_ms = 5000};
    verify_calls = 0;
    chain_bytes = 0;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(url, sizeof(url), "ipc://%s/s", dir);
    ck_assert_int_eq(rpc_table_init(&table, &clock_system), 0);
    ck_assert_int_eq(rpc_bind(&table, "EdgeService/GetTrust", get_trust, NULL), 0);
    ck_assert_int_eq(rpc_bind(&table, "EdgeService/VerifyClient", verify_client, NULL), 0);
    ck_assert_int_eq(rpc_bind(&table, "ZoneService/GetZone", get_zone, NULL), 0);
    ck_assert_int_eq(bus_start(&opts, &bus, NULL), 0);
    ck_assert_int_eq(acd_client_open(url, &copts, &client, NULL), 0);
}

static void
teardown(void)
{
    acd_client_close(client);
    bus_free(bus);
    rpc_table_done(&table);
    (void)unlink(url + strlen("ipc://"));
    (void)rmdir(dir);
}

START_TEST(test_trust)
{
    uint8_t digest[32] = {1};
    acd_trust_question q[] = {{"a.example", NULL}, {"b.example", digest}};
    acd_result *res = NULL;
    acd_trust_answer a;
    acd_trust_ca ca;
    const char *why;
    ck_assert_int_eq(acd_get_trust(client, q, 2, ACD_EXPLAIN, &res, NULL), 0);
    ck_assert_uint_eq(acd_result_count(res), 2);
    ck_assert_uint_eq(acd_result_revision(res), 5);
    ck_assert_int_eq(acd_trust_get(res, 0, &a), 0);
    ck_assert_str_eq(a.host, "a.example");
    ck_assert_str_eq(a.error, "");
    ck_assert_int_eq(a.match, ACD_MATCH_WILDCARD);
    ck_assert_uint_eq(a.cas, 1);
    ck_assert_int_eq(acd_trust_get_ca(res, 0, 0, &ca), 0);
    ck_assert_str_eq(ca.subject, "CN=CA");
    ck_assert_uint_eq(ca.index, 3);
    ck_assert(ca.helper == ACD_CA_OBSERVED && ca.priority == 9);
    ck_assert_int_eq(acd_trust_get_ca(res, 0, 1, &ca), ACD_ENOENT);
    ck_assert_int_eq(acd_trust_get_reason(res, 0, 0, &why), 0);
    ck_assert_str_eq(why, "because");
    ck_assert_int_eq(acd_trust_get(res, 1, &a), 0);
    ck_assert(a.unchanged);
    ck_assert_uint_eq(a.cas, 0);
    ck_assert_int_eq(acd_trust_get(res, 2, &a), ACD_ENOENT);
    acd_result_free(res);
}
END_TEST

/* Answers that contradict themselves are an error, not a trust set out of thin air. */
START_TEST(test_broken_answers)
{
    acd_trust_question q[] = {{"broken", NULL}};
    acd_result *res = NULL;
    ck_assert_int_eq(acd_get_trust(client, q, 1, 0, &res, NULL), ACD_EIO);
    ck_assert_ptr_null(res);
    ck_assert_int_eq(acd_get_trust(client, q, 0, 0, &res, NULL), ACD_EINVAL);
}
END_TEST

START_TEST(test_verify_with_chains)
{
    acd_slice good[] = {SLICE_LIT("good")}, bad[] = {SLICE_LIT("bad")};
    acd_verify_question q[] = {{"a", good, 1, NULL, 0}, {"b", bad, 1, NULL, 0}, {"odd", good, 1, NULL, 0}};
    static const int want[] = {ACD_VERIFIED, ACD_NOT_VERIFIED, ACD_NOT_VERIFIED};
    acd_result *res = NULL;
    acd_verify_answer a;
    ck_assert_int_eq(acd_verify_client(client, q, 3, 0, &res, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(acd_verify_get(res, i, &a), 0);
        ck_assert_int_eq(a.verdict, want[i]);
        ck_assert_str_eq(a.pattern, q[i].host);
        ck_assert(a.observed == (i != 1) && strcmp(a.observed_ca_id, i != 1 ? "ca-new" : "") == 0);
        ck_assert_str_eq(a.observed_error, "");
    }
    ck_assert_int_eq(acd_verify_get(res, 3, &a), ACD_ENOENT);
    ck_assert_uint_eq(verify_calls, 1);
    acd_result_free(res);
}
END_TEST

/* The known chain goes as a digest only; the others are sent when the server asks for them. */
START_TEST(test_verify_by_digest)
{
    acd_slice known[] = {SLICE_LIT("good-known")}, fresh[] = {SLICE_LIT("good-fresh")},
              bad[] = {SLICE_LIT("bad")};
    uint8_t digest[32] = {9};
    acd_verify_question q[] = {{"a", fresh, 1, NULL, 0},
                               {"b", known, 1, NULL, 0},
                               {"c", bad, 1, NULL, 0},
                               {"d", NULL, 0, digest, 0}};
    static const int want[] = {ACD_VERIFIED, ACD_VERIFIED, ACD_NOT_VERIFIED, ACD_NEED_CERTIFICATE};
    acd_result *res = NULL;
    acd_verify_answer a;
    ck_assert_int_eq(acd_verify_client(client, q, 4, ACD_VERIFY_DIGEST, &res, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(acd_verify_get(res, i, &a), 0);
        ck_assert_int_eq(a.verdict, want[i]);
        ck_assert_str_eq(a.pattern, q[i].host);
    }
    ck_assert_uint_eq(verify_calls, 2);
    ck_assert_uint_eq(chain_bytes, strlen("good-fresh") + strlen("bad"));
    ck_assert_uint_eq(acd_result_revision(res), 11); /* of the older part */
    acd_result_free(res);
    ck_assert_int_eq(acd_verify_client(client, &q[1], 1, ACD_VERIFY_DIGEST, &res, NULL), 0);
    ck_assert_uint_eq(verify_calls, 3); /* one call was enough */
    acd_result_free(res);
}
END_TEST

START_TEST(test_admin_call)
{
    Anchord__V1__GetZoneRequest req = ANCHORD__V1__GET_ZONE_REQUEST__INIT;
    struct admin_result res;
    const void *resp = NULL;
    acd_err err = ACD_ERR_INIT;
    req.zone = WIRE_STR("z");
    ck_assert_int_eq(anchord_admin_call(client, "ZoneService/GetZone", &req, &resp, &res, NULL, &err),
                     ACD_ENOENT);
    ck_assert_int_eq(res.code, 5);
    ck_assert_str_eq(res.message, "no zone z for Bearer me");
    ck_assert_str_eq(err.text, res.message);
    ck_assert_uint_eq(res.n_details, 1);
    ck_assert_str_eq(res.details[0]->error_info->subject, "z");
    ck_assert_ptr_null(resp);
    admin_result_done(&res);
    struct admin_opts opts = {.authorization = "Bearer you"};
    ck_assert_int_eq(anchord_admin_call(client, "ZoneService/GetZone", &req, &resp, &res, &opts, &err),
                     ACD_ENOENT);
    ck_assert_str_eq(res.message, "no zone z for Bearer you");
    admin_result_done(&res);
    ck_assert_int_eq(anchord_admin_call(client, "ZoneService/Nothing", &req, &resp, &res, NULL, &err),
                     ACD_ENOTSUP);
    admin_result_done(&res);
}
END_TEST

START_TEST(test_no_server)
{
    acd_client_opts opts = {.struct_size = sizeof(opts), .connect_ms = 100, .retries = ACD_NO_RETRIES};
    acd_trust_question q = {"a.example", NULL};
    acd_client *c = NULL;
    acd_result *res = NULL;
    acd_err err = ACD_ERR_INIT;
    ck_assert_int_eq(acd_client_open("ipc:///tmp/anchord-nobody-listens-here", &opts, &c, &err), 0);
    ck_assert_int_eq(acd_get_trust(c, &q, 1, 0, &res, &err), ACD_EUNAVAIL);
    ck_assert(err.text[0]);
    ck_assert_ptr_null(res);
    acd_client_close(c);
    acd_client_close(NULL);
    acd_result_free(NULL);
}
END_TEST

Suite *suite_client(void);
Suite *
suite_client(void)
{
    Suite *s = suite_create("client");
    TCase *tc = tcase_create("client");
    tcase_add_checked_fixture(tc, setup, teardown);
    const TTest *tests[] = {
        test_trust,      test_broken_answers, test_verify_with_chains, test_verify_by_digest,
        test_admin_call, test_no_server};
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    suite_add_tcase(s, tc);
    return s;
}
