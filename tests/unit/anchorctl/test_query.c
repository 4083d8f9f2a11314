/* The edge's questions, asked by hand. */
#include <jansson.h>
#include <unistd.h>

#include "base/io.h"
#include "fake.h"

#define CERT(body) "-----BEGIN CERTIFICATE-----\n" body "\n-----END CERTIFICATE-----\n"

static size_t most = LIMIT_BATCH_TRUST; /* answers that fit into a message */

/* Hosts with a space are invalid, "no..." have no association, the others share one set. */
static int
trust(void *ctx, struct rpc_call *call, const void *req_, void **ret, acd_err *err)
{
    const Anchord__V1__GetTrustRequest *req = req_;
    struct mem_region *r = call->region;
    (void)ctx;
    if (req->n_questions > most)
        return err_set(err, ACD_ELIMIT, "the answer is too large for one message: ask for less at once");
    Anchord__V1__GetTrustResponse *resp =
        wire_new(r, Anchord__V1__GetTrustResponse, anchord__v1__get_trust_response);
    Anchord__V1__TrustSet *set = wire_new(r, Anchord__V1__TrustSet, anchord__v1__trust_set);
    Anchord__V1__TrustCa *ca = wire_new(r, Anchord__V1__TrustCa, anchord__v1__trust_ca);
    ca->ca_id = WIRE_STR("ca-1");
    ca->subject = WIRE_STR("CN=Edge CA");
    ca->sha256 = wire_bytes(SLICE_LIT("\xab\xcd"));
    ca->der = req->detail == ANCHORD__V1__TRUST_DETAIL__TRUST_DER ? wire_bytes(SLICE_LIT("der")) : ca->der;
    ck_assert(wire_append(r, &set->n_cas, &set->cas, ca) == 0);
    ck_assert(wire_append(r, &resp->n_sets, &resp->sets, set) == 0);
    for (size_t i = 0; i < req->n_questions; i++) {
        Anchord__V1__TrustAnswer *a = wire_new(r, Anchord__V1__TrustAnswer, anchord__v1__trust_answer);
        a->host = req->questions[i]->host;
        if (strchr(a->host, ' '))
            a->error = WIRE_STR("a space does not belong into a host name");
        else if (strncmp(a->host, "no", 2) != 0) {
            a->match = ANCHORD__V1__MATCH_KIND__MATCH_WILDCARD;
            a->pattern = WIRE_STR("*.example.com");
            a->set = 1;
        }
        if (req->explain)
            ck_assert(wire_append(r, &a->n_explain, &a->explain, WIRE_STR("a wildcard matched")) == 0);
        ck_assert(wire_append(r, &resp->n_answers, &resp->answers, a) == 0);
    }
    call->revision = 42;
    *ret = resp;
    return 0;
}

static _Atomic Anchord__V1__Verdict verdict = ANCHORD__V1__VERDICT__VERIFIED;

static int
verify(void *ctx, struct rpc_call *call, const void *req_, void **ret, acd_err *err)
{
    const Anchord__V1__VerifyClientRequest *req = req_;
    struct mem_region *r = call->region;
    Anchord__V1__VerifyClientResponse *resp =
        wire_new(r, Anchord__V1__VerifyClientResponse, anchord__v1__verify_client_response);
    Anchord__V1__VerifyAnswer *a = wire_new(r, Anchord__V1__VerifyAnswer, anchord__v1__verify_answer);
    (void)ctx;
    (void)err;
    a->verdict = verdict;
    a->depth = -1;
    if (verdict != ANCHORD__V1__VERDICT__VERIFIED) {
        a->error = WIRE_STR("X509_V_ERR_CERT_HAS_EXPIRED");
        a->reason = WIRE_STR("the certificate has expired");
        a->depth = 0;
    }
    if (req->fields) {
        Anchord__V1__Field *f = wire_new(r, Anchord__V1__Field, anchord__v1__field);
        f->name = WIRE_STR("cf.tls_client_auth.cert_verified");
        f->value = wire_bytes(SLICE_LIT("true"));
        ck_assert(wire_append(r, &a->n_fields, &a->fields, f) == 0);
    }
    if (req->explain) {
        Anchord__V1__VerifyStep *s = wire_new(r, Anchord__V1__VerifyStep, anchord__v1__verify_step);
        s->check = WIRE_STR("time");
        s->text = WIRE_STR("within its validity");
        s->ok = true;
        ck_assert(wire_append(r, &a->n_steps, &a->steps, s) == 0);
    }
    ck_assert(wire_append(r, &resp->n_answers, &resp->answers, a) == 0);
    *ret = resp;
    return 0;
}

static void
start(void)
{
    fake_new();
    fake_bind("EdgeService/GetTrust", trust);
    fake_bind("EdgeService/VerifyClient", verify);
    fake_run();
}

START_TEST(trusts)
{
    start();
    struct done d = ctl("query", "trust", "a.example.com", "no.example.com", "--explain", "-o", "json", NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    json_t *v = json_loads(d.out, 0, NULL), *a = json_array_get(v, 0), *b = json_array_get(v, 1);
    ck_assert_uint_eq(json_array_size(v), 2);
    ck_assert_str_eq(json_string_value(json_object_get(a, "match")), "wildcard");
    ck_assert_int_eq(json_integer_value(json_object_get(a, "revision")), 42);
    json_t *ca = json_array_get(json_object_get(a, "cas"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(ca, "id")), "ca-1");
    ck_assert_str_eq(json_string_value(json_object_get(ca, "sha256")), "abcd");
    ck_assert_str_eq(json_string_value(json_object_get(b, "match")), "none");
    ck_assert_uint_eq(json_array_size(json_object_get(b, "cas")), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(b, "explain")), 1);
    json_decref(v);
    d = ctl("query", "trust", "a.example.com", "no.example.com", NULL);
    ck_has(d.out, "a.example.com  wildcard *.example.com ca-1 decides CN=Edge CA");
    ck_has(d.out, "no.example.com none     -             -    -       -");
    fake_done();
}
END_TEST

START_TEST(trust_of_an_invalid_host)
{
    start();
    struct done d = ctl("query", "trust", "a.example.com", "a b", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.err, "1 of 2 questions have no answer\n  a b: a space does not belong");
    json_t *v = json_loads(d.out, 0, NULL);
    ck_assert_uint_eq(json_array_size(v), 2); /* the other one is answered all the same */
    json_decref(v);
    fake_done();
}
END_TEST

START_TEST(trust_in_parts)
{
    most = 2;
    start();
    struct done d = ctl("query", "trust", "a", "b", "c", "d", "e", "-o", "json", NULL);
    ck_assert_int_eq(d.code, 0);
    json_t *v = json_loads(d.out, 0, NULL);
    static const char *const hosts[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(v, i), "host")), hosts[i]);
    json_decref(v);
    fake_done();
}
END_TEST

START_TEST(trust_to_files)
{
    struct buf b = BUF_INIT(100);
    char prefix[64], path[128];
    start();
    (void)snprintf(prefix, sizeof(prefix), "%s/out-", fake.dir);
    struct done d = ctl("query", "trust", "a.example.com", "--der", prefix, NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    (void)snprintf(path, sizeof(path), "%sca-1.0.der", prefix);
    ck_assert_int_eq(io_read_file(path, &b, NULL), 0);
    ck_assert_str_eq(b.data, "der");
    buf_done(&b);
    d = ctl("query", "trust", "a.example.com", "--der", "/no/such/dir/x", NULL);
    ck_assert_int_eq(d.code, 2);
    fake_done();
}
END_TEST

START_TEST(verifies)
{
    start();
    struct done d =
        ctl("query", "verify", "--host", "A.example.com", "--time", "2026-01-02T03:04:05Z", "--explain",
            "--fields", fake_file("chain", "leaf\n" CERT("QUJD") CERT("REVG")), "-o", "json", NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    const Anchord__V1__VerifyClientRequest *req =
        fake_req(Anchord__V1__VerifyClientRequest, "EdgeService/VerifyClient", 0);
    const Anchord__V1__VerifyQuestion *q = req->questions[0];
    ck_assert_str_eq(q->host, "A.example.com");
    ck_assert_int_eq(q->at_ms, 1767323045000);
    ck_assert_uint_eq(q->n_chain, 2);
    ck_assert(slice_eqs(wire_slice(q->chain[0]), "ABC") && slice_eqs(wire_slice(q->chain[1]), "DEF"));
    json_t *v = json_loads(d.out, 0, NULL);
    ck_assert(json_is_true(json_object_get(v, "verified")) && json_is_null(json_object_get(v, "error")));
    ck_assert(json_is_null(json_object_get(v, "depth")));
    ck_assert_str_eq(
        json_string_value(json_object_get(json_array_get(json_object_get(v, "fields"), 0), "value")), "true");
    ck_assert(json_is_true(json_object_get(json_array_get(json_object_get(v, "steps"), 0), "ok")));
    json_decref(v);
    fake_done();
}
END_TEST

/* Whatever is not VERIFIED is not verified. */
START_TEST(does_not_verify)
{
    static const Anchord__V1__Verdict others[] = {
        ANCHORD__V1__VERDICT__NOT_VERIFIED, ANCHORD__V1__VERDICT__VERDICT_UNSPECIFIED,
        ANCHORD__V1__VERDICT__NEED_CERTIFICATE, (Anchord__V1__Verdict)99};
    start();
    const char *file = fake_file("chain", CERT("QUJD"));
    for (size_t i = 0; i < 4; i++) {
        verdict = others[i];
        struct done d = ctl("query", "verify", "--host", "h", file, NULL);
        ck_assert_int_eq(d.code, 1);
        ck_has(d.out, "not verified for h\n");
        ck_has(d.out, "X509_V_ERR_CERT_HAS_EXPIRED");
        d = ctl("query", "verify", "--host", "h", file, "-o", "json", NULL);
        ck_assert_int_eq(d.code, 1);
        ck_has(d.out, "\"verified\": false");
    }
    fake_done();
}
END_TEST

START_TEST(verifies_stdin)
{
    start();
    struct done d = ctl_stdin(CERT("QUJD"), "query", "verify", "--host", "h", "-", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_has(d.out, "verified for h\n");
    ck_assert_int_eq(
        fake_req(Anchord__V1__VerifyClientRequest, "EdgeService/VerifyClient", 0)->questions[0]->at_ms, 0);
    fake_done();
}
END_TEST

START_TEST(chains_that_cannot_be_read)
{
    struct buf b = BUF_INIT(4096);
    start();
    for (int i = 0; i < LIMIT_CHAIN + 1; i++)
        buf_puts(&b, CERT("QUJD"));
    const struct {
        const char *file, *why;
    } cases[] = {
        {fake_file("none", "nothing"), "holds no certificate"},
        {fake_file("bad", CERT("Q!==")), "not base64"},
        {fake_file("key", "-----BEGIN EC PRIVATE KEY-----\nQQ==\n-----END EC PRIVATE KEY-----\n"),
         "a block that is not a certificate: EC PRIVATE KEY"},
        {fake_file("long", b.data), "more than 17 certificates"},
        {"/no/such/file", "No such file"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct done d = ctl("query", "verify", "--host", "h", cases[i].file, NULL);
        ck_assert_int_eq(d.code, 2);
        ck_has(d.err, cases[i].why);
    }
    struct done d =
        ctl("query", "verify", "--host", "h", "--time", "1970-01-01T00:00:00Z", cases[0].file, NULL);
    ck_assert_int_eq(d.code, 2);
    ck_assert_uint_eq(fake_calls("EdgeService/VerifyClient"), 0);
    buf_done(&b);
    fake_done();
}
END_TEST

Suite *suite_query(void);
Suite *
suite_query(void)
{
    Suite *s = suite_create("anchorctl query");
    ADD_TESTS(s, "query", trusts, trust_of_an_invalid_host, trust_in_parts, trust_to_files, verifies,
              does_not_verify, verifies_stdin, chains_that_cannot_be_read);
    return s;
}
