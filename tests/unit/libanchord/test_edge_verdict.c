/* Verdicts of the edge handle, against a server whose answers are known. */
#include "libanchord/edge_fix.h"
#include "snap/revoked.h"
#include "wire/bus.h"

static struct edge_fix f;
static struct rpc_table table;
static struct bus *bus;
static char url[96];
static acd_client *client;
static unsigned calls;

/* What the server says about the next question. */
static struct {
    Anchord__V1__Verdict verdict;
    int64_t from, until;
    uint64_t epoch; /* not 0: from and until are said for who knows of epochs only */
    uint32_t anchor;
    bool revoked;
    const char *error;
    uint8_t trust[32];
} says;

static int
verify_client(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    (void)ctx, (void)err;
    struct mem_region *r = call->region;
    const Anchord__V1__VerifyClientRequest *in = req;
    Anchord__V1__VerifyClientResponse *out =
        wire_new(r, Anchord__V1__VerifyClientResponse, anchord__v1__verify_client_response);
    out->n_answers = in->n_questions;
    out->answers = wire_list(r, in->n_questions, Anchord__V1__VerifyAnswer, anchord__v1__verify_answer);
    for (size_t i = 0; i < in->n_questions; i++) {
        Anchord__V1__VerifyAnswer *a = out->answers[i];
        a->verdict = says.verdict;
        *(says.epoch ? &a->epoch_from_ms : &a->keep_from_ms) = says.from;
        *(says.epoch ? &a->epoch_until_ms : &a->keep_until_ms) = says.until;
        a->revocation_epoch = says.epoch;
        a->anchor = says.anchor;
        a->revoked = says.revoked;
        a->error = WIRE_STR(says.error);
        a->depth = says.verdict == ANCHORD__V1__VERDICT__VERIFIED ? 0 : 1;
        a->reason = WIRE_STR("because");
        a->match = ANCHORD__V1__MATCH_KIND__MATCH_EXACT;
        a->trust_digest = wire_bytes(slice_of(says.trust, 32));
        a->ca_id = WIRE_STR(says.anchor ? "A" : "");
    }
    calls++;
    call->revision = 77;
    *ret_resp = out;
    return 0;
}

static void
trust_now(uint8_t out[32])
{
    acd_edge_answer a;
    acd_edge_enter(f.reader);
    OK(acd_edge_lookup(f.reader, SLICE_LIT("api.example.com"), EDGE_NOW, &a));
    memcpy(out, a.digest.ptr, 32);
    acd_edge_leave(f.reader);
}

static void
setup(void)
{
    const char *urls[] = {url};
    struct bus_opts opts = {.table = &table, .urls = urls, .n_urls = 1};
    acd_client_opts copts = {.struct_size = sizeof(copts), .connect_ms = 5000};
    edge_fix_open(&f, (acd_edge_opts){.stale_after_ms = 100000});
    snprintf(url, sizeof(url), "ipc://%s.new", f.path);
    ck_assert_int_eq(rpc_table_init(&table, &clock_system), 0);
    ck_assert_int_eq(rpc_bind(&table, "EdgeService/VerifyClient", verify_client, NULL), 0);
    ck_assert_int_eq(bus_start(&opts, &bus, NULL), 0);
    OK(acd_client_open(url, &copts, &client, &fix_err));
    calls = 0;
    memset(&says, 0, sizeof(says));
    says.verdict = ANCHORD__V1__VERDICT__VERIFIED;
    says.from = 1000;
    says.until = 2000;
    says.anchor = 2;
    trust_now(says.trust);
}

static void
teardown(void)
{
    acd_client_close(client);
    bus_free(bus);
    rpc_table_done(&table);
    edge_fix_done(&f);
    f = (struct edge_fix){0};
}

static acd_slice chain[] = {{"leaf", 4}, {"issuer", 6}};

static acd_verify_question
question(const char *host, int64_t at)
{
    return (acd_verify_question){.host = host, .chain = chain, .chain_len = 2, .at_ms = at};
}

START_TEST(a_verdict_is_kept_within_its_bounds)
{
    static const struct {
        int64_t at;
        int rc;
    } rows[] = {{999, ACD_ENOENT}, {1000, 0}, {1500, 0}, {2000, 0}, {2001, ACD_ENOENT}};
    acd_edge_verdict v;
    acd_verify_question q = question("API.example.com", EDGE_NOW);
    uint8_t digest[32], sha[32];
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ENOENT);
    ck_assert_int_eq(v.verdict, ACD_NOT_VERIFIED);
    OK(acd_edge_verify(f.reader, client, &q, &v, &fix_err));
    ck_assert(v.verdict == ACD_VERIFIED && !v.cached && v.revision == 77 && v.valid_until_ms == 2000);
    OK(acd_edge_chain_digest(chain, 2, digest));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        q = (acd_verify_question){.host = "api.example.com", .chain_digest = digest, .at_ms = rows[i].at};
        ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), rows[i].rc);
        ck_assert_int_eq(v.verdict, rows[i].rc ? ACD_NOT_VERIFIED : ACD_VERIFIED);
    }
    q = question("api.example.com", 2000);
    OK(acd_edge_verify(f.reader, client, &q, &v, &fix_err));
    ck_assert_uint_eq(calls, 1);
    ck_assert(v.cached && !v.stale && v.revision == 1 && v.match == ACD_MATCH_EXACT && v.depth == 0);
    ck_assert(v.valid_from_ms == 1000 && v.valid_until_ms == 2000 && !v.error[0]);
    ck_assert_str_eq(v.ca_id, "A"); /* the second of B, A */
    ck_assert_str_eq(v.reason, "because");
    digest_sha256("der-a", 5, sha);
    ck_assert_mem_eq(v.ca_sha256, sha, 32);
    ck_assert_mem_eq(v.trust_digest, says.trust, 32);
    q.chain_len = 1; /* another chain */
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ENOENT);
}
END_TEST

START_TEST(a_change_of_trust_leaves_no_verdict_behind)
{
    acd_edge_verdict v;
    acd_verify_question q = question("api.example.com", EDGE_NOW);
    OK(acd_edge_verify(f.reader, client, &q, &v, &fix_err));
    edge_fix_change(&f, 2, "B");
    OK(acd_edge_refresh(f.edge, NULL, &fix_err));
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ENOENT);
    edge_fix_change(&f, 3, "BA"); /* the set of before */
    OK(acd_edge_refresh(f.edge, NULL, &fix_err));
    OK(acd_edge_verdict_find(f.reader, &q, &v));
    ck_assert(v.verdict == ACD_VERIFIED && v.revision == 3);
    q.host = "www.example.com"; /* another set */
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ENOENT);
}
END_TEST

/* What is said of CA A from now on; 0: nothing. */
static uint64_t
revocation_now(uint64_t revision, uint64_t epoch)
{
    const struct snap_revoked_state s = {.epoch = epoch, .policy = 1};
    struct snap_hit hit;
    struct snap_trust t;
    OK(snap_begin(f.w, &fix_err));
    if (epoch)
        OK(snap_put_revoked(f.w, SLICE_LIT("A"), 0, &s, SLICE_LIT(""), &fix_err));
    else
        OK(snap_del_revoked(f.w, SLICE_LIT("A"), 0, &fix_err));
    const struct snap_view *v = fix_commit(f.w, revision);
    OK(acd_edge_refresh(f.edge, NULL, &fix_err));
    ck_assert_int_eq(snap_lookup(v, "api.example.com", 15, &hit), 1);
    ck_assert_int_eq(snap_trust_get(v, hit.trust, &t), 0);
    return t.epoch;
}

/* The trust digest stays what it is; the verdict of before is not found for another list all the same. */
START_TEST(a_change_of_revocation_leaves_no_verdict_behind)
{
    acd_edge_verdict v;
    uint8_t trust[32];
    acd_verify_question q = question("api.example.com", EDGE_NOW);
    OK(acd_edge_verify(f.reader, client, &q, &v, &fix_err));
    says.epoch = revocation_now(2, 5);
    ck_assert_uint_ne(says.epoch, 0);
    trust_now(trust);
    ck_assert_mem_eq(trust, says.trust, 32);
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ENOENT);
    OK(acd_edge_verify(f.reader, client, &q, &v, &fix_err)); /* kept, with its epoch */
    ck_assert_int_eq(v.valid_until_ms, 2000);
    OK(acd_edge_verdict_find(f.reader, &q, &v));
    ck_assert_uint_eq(calls, 2);
    ck_assert_uint_ne(revocation_now(3, 6), says.epoch);
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ENOENT);
    /* An answer of the server's newer or older data is of no use for the image's. */
    OK(acd_edge_verify(f.reader, client, &q, &v, &fix_err));
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ENOENT);
    ck_assert_uint_eq(revocation_now(4, 0), 0);
    OK(acd_edge_verdict_find(f.reader, &q, &v)); /* as at the first */
    ck_assert_uint_eq(calls, 3);
}
END_TEST

START_TEST(refusals_are_kept_too)
{
    acd_edge_verdict v;
    acd_verify_question q = question("api.example.com", EDGE_NOW);
    says.verdict = ANCHORD__V1__VERDICT__NOT_VERIFIED;
    says.error = "X509_V_ERR_CERT_REVOKED";
    says.revoked = true;
    says.anchor = 0;
    for (int i = 0; i < 2; i++) {
        OK(acd_edge_verify(f.reader, client, &q, &v, &fix_err));
        ck_assert(v.verdict == ACD_NOT_VERIFIED && v.revoked && v.depth == 1 && v.cached == i);
        ck_assert_str_eq(v.error, "X509_V_ERR_CERT_REVOKED");
        ck_assert_str_eq(v.ca_id, "");
    }
    ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(what_must_not_be_kept_is_asked_again)
{
    static const struct {
        int verdict;
        int64_t from, until;
        const char *error;
        bool revoked;
    } rows[] = {
        {ANCHORD__V1__VERDICT__NOT_VERIFIED, 0, 0, "ACD_V_ERR_WORK_LIMIT", false},
        {ANCHORD__V1__VERDICT__NOT_VERIFIED, 2, 1, "X", false},
        {ANCHORD__V1__VERDICT__NEED_CERTIFICATE, 1000, 2000, "", false},
        {ANCHORD__V1__VERDICT__VERDICT_UNSPECIFIED, 1000, 2000, "", false},
        {77, 1000, 2000, "", false},
        {ANCHORD__V1__VERDICT__VERIFIED, 1000, 2000, "contradiction", false},
        {ANCHORD__V1__VERDICT__VERIFIED, 1000, 2000, "", true},
        {ANCHORD__V1__VERDICT__NOT_VERIFIED, 1000, 2000,
         "a code of more than fifty-five characters has no room in the cache", false},
    };
    acd_edge_verdict v;
    acd_verify_question q = question("api.example.com", EDGE_NOW);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        says.verdict = (Anchord__V1__Verdict)rows[i].verdict;
        says.from = rows[i].from;
        says.until = rows[i].until;
        says.error = rows[i].error;
        says.revoked = rows[i].revoked;
        OK(acd_edge_verify(f.reader, client, &q, &v, &fix_err));
        ck_assert_uint_eq(calls, i + 1);
        ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ENOENT);
    }
}
END_TEST

/* Without a certificate to look at, the image alone says no, with the server's words for it. */
START_TEST(some_refusals_need_nobody)
{
    static const struct {
        const char *host, *error;
        bool chain;
    } rows[] = {{"nobody.test", "ACD_V_ERR_NO_ASSOCIATION", true},
                {"empty.example", "ACD_V_ERR_EMPTY_TRUST_SET", true},
                {"a b", "ACD_V_ERR_INVALID_HOST", true},
                {"api.example.com", "ACD_V_ERR_NO_CERTIFICATE", false}};
    acd_edge_verdict v;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        acd_verify_question q = question(rows[i].host, EDGE_NOW);
        q.chain_len = rows[i].chain ? 2 : 0;
        memset(&v, 0xff, sizeof(v));
        OK(acd_edge_verdict_find(f.reader, &q, &v));
        ck_assert_int_eq(v.verdict, ACD_NOT_VERIFIED);
        ck_assert_str_eq(v.error, rows[i].error);
    }
    acd_verify_question q = question("api.example.com", 0);
    ck_assert_int_eq(acd_edge_verify(f.reader, client, &q, &v, &fix_err), ACD_EINVAL);
    q = question(NULL, 1);
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_EINVAL);
    q = question("api.example.com", 1);
    q.chain_len = 18;
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ELIMIT);
    ck_assert_uint_eq(calls, 0);
}
END_TEST

START_TEST(no_server_and_no_image_verify_nothing)
{
    acd_edge_verdict v;
    acd_verify_question q = question("api.example.com", 1999);
    OK(acd_edge_verify(f.reader, client, &q, &v, &fix_err));
    says.from = 1;
    acd_verify_question early = question("api.example.com", 3000);
    acd_client_opts hasty = {
        .struct_size = sizeof(hasty), .connect_ms = 50, .timeout_ms = 300, .retries = ACD_NO_RETRIES};
    bus_free(bus);
    bus = NULL;
    acd_client_close(client);
    OK(acd_client_open(url, &hasty, &client, &fix_err));
    ck_assert_int_lt(acd_edge_verify(f.reader, client, &early, &v, &fix_err), 0);
    ck_assert_int_eq(v.verdict, ACD_NOT_VERIFIED);
    OK(acd_edge_verify(f.reader, client, &q, &v, &fix_err)); /* what is kept goes on */
    ck_assert_int_eq(v.verdict, ACD_VERIFIED);
    ck_assert_int_eq(truncate(f.path, 0), 0);
    ck_assert_int_eq(acd_edge_refresh(f.edge, NULL, &fix_err), ACD_ECORRUPT);
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_EUNAVAIL);
    ck_assert_int_eq(v.verdict, ACD_NOT_VERIFIED);
}
END_TEST

START_TEST(put_takes_results_of_the_client)
{
    acd_result *res;
    acd_edge_verdict v;
    uint8_t digest[32];
    acd_verify_question q = question("api.example.com", EDGE_NOW);
    OK(acd_verify_client(client, &q, 1, 0, &res, &fix_err));
    OK(acd_edge_chain_digest(chain, 2, digest));
    ck_assert_int_eq(acd_edge_verdict_put(f.edge, digest, res, 1), ACD_ENOENT);
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ENOENT);
    OK(acd_edge_verdict_put(f.edge, digest, res, 0));
    OK(acd_edge_verdict_find(f.reader, &q, &v));
    ck_assert_int_eq(v.verdict, ACD_VERIFIED);
    acd_result_free(res);
    ck_assert_int_eq(acd_edge_chain_digest(chain, 0, digest), ACD_EINVAL);
    ck_assert_int_eq(acd_edge_chain_digest(chain, 18, digest), ACD_ELIMIT);
}
END_TEST

Suite *suite_edge_verdict(void);

Suite *
suite_edge_verdict(void)
{
    Suite *s = suite_create("edge_verdict");
    TCase *tc = tcase_create("edge_verdict");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_verdict_is_kept_within_its_bounds);
    tcase_add_test(tc, a_change_of_trust_leaves_no_verdict_behind);
    tcase_add_test(tc, a_change_of_revocation_leaves_no_verdict_behind);
    tcase_add_test(tc, refusals_are_kept_too);
    tcase_add_test(tc, what_must_not_be_kept_is_asked_again);
    tcase_add_test(tc, some_refusals_need_nobody);
    tcase_add_test(tc, no_server_and_no_image_verify_nothing);
    tcase_add_test(tc, put_takes_results_of_the_client);
    suite_add_tcase(s, tc);
    return s;
}
