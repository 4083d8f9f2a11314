/* Imports: staged one by one, committed once, ended always. */
#include <jansson.h>

#include "fake.h"

#define CERT(body) "-----BEGIN CERTIFICATE-----\n" body "\n-----END CERTIFICATE-----\n"
#define KEY        "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"

static int
start_import(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    Anchord__V1__StartImportResponse *resp =
        wire_new(call->region, Anchord__V1__StartImportResponse, anchord__v1__start_import_response);
    (void)ctx;
    (void)req;
    (void)err;
    resp->import_id = WIRE_STR("import-1");
    *ret = resp;
    return 0;
}

/* "QkFE" (BAD) is refused, "TE9TVA==" (LOST) finds the import gone. */
static int
add(void *ctx, struct rpc_call *call, const void *req_, void **ret, acd_err *err)
{
    const Anchord__V1__AddToImportRequest *req = req_;
    Anchord__V1__AddToImportResponse *resp =
        wire_new(call->region, Anchord__V1__AddToImportResponse, anchord__v1__add_to_import_response);
    (void)ctx;
    if (strstr(req->certificates, "TE9TVA=="))
        return err_set(err, ACD_ENOENT, "no import 'import-1'");
    resp->acceptable = !strstr(req->certificates, "QkFE");
    if (!resp->acceptable) {
        Anchord__V1__Finding *f = wire_new(call->region, Anchord__V1__Finding, anchord__v1__finding);
        f->severity = ANCHORD__V1__SEVERITY__SEVERITY_ERROR;
        f->code = WIRE_STR("ca.not_ca");
        f->message = WIRE_STR("it is not a CA");
        ck_assert(wire_append(call->region, &resp->n_findings, &resp->findings, f) == 0);
    }
    *ret = resp;
    return 0;
}

static bool over;

static int
commit(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    Anchord__V1__CommitImportResponse *resp =
        wire_new(call->region, Anchord__V1__CommitImportResponse, anchord__v1__commit_import_response);
    (void)ctx;
    (void)req;
    if (over) {
        rpc_detail_error_info(call, "QUOTA_EXCEEDED", 1489, "mtls_ca");
        rpc_detail_quota(call, "mtls_ca", 5, 5);
        return err_set(err, ACD_ELIMIT, "Hit maximum CA cert allocation.");
    }
    ck_assert(wire_append(call->region, &resp->n_ids, &resp->ids, WIRE_STR("id-1")) == 0);
    resp->refused = 1;
    resp->duplicates = 3;
    resp->quota = wire_new(call->region, Anchord__V1__QuotaPool, anchord__v1__quota_pool);
    resp->quota->pool = WIRE_STR("mtls_ca");
    resp->quota->used = 1;
    resp->quota->limit = 5;
    *ret = resp;
    return 0;
}

static int
abort_import(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    (void)ctx;
    (void)req;
    (void)err;
    *ret = wire_new(call->region, Anchord__V1__AbortImportResponse, anchord__v1__abort_import_response);
    return 0;
}

static void
start(void)
{
    fake_new();
    fake_bind("CaService/StartImport", start_import);
    fake_bind("CaService/AddToImport", add);
    fake_bind("CaService/CommitImport", commit);
    fake_bind("CaService/AbortImport", abort_import);
    fake_run();
}

START_TEST(imports)
{
    start();
    struct done d = ctl("ca", "import", "--account", "acme", "--product", "gateway", "--idempotency-key",
                        "k1", fake_file("b.pem", "first\n" CERT("QUFB") "second\n" CERT("QkJC")), NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    const Anchord__V1__StartImportRequest *req =
        fake_req(Anchord__V1__StartImportRequest, "CaService/StartImport", 0);
    ck_assert_str_eq(req->account, "acme");
    ck_assert_str_eq(req->product, "gateway");
    ck_assert_uint_eq(fake_calls("CaService/AddToImport"), 2);
    const Anchord__V1__AddToImportRequest *second =
        fake_req(Anchord__V1__AddToImportRequest, "CaService/AddToImport", 1);
    ck_assert_str_eq(second->import_id, "import-1");
    ck_assert_str_eq(second->certificates, CERT("QkJC"));
    ck_assert_str_eq(second->name, "");
    const Anchord__V1__CommitImportRequest *last =
        fake_req(Anchord__V1__CommitImportRequest, "CaService/CommitImport", 0);
    ck_assert(!last->skip_refused && !last->dry_run);
    ck_assert_str_eq(fake_call("CaService/CommitImport", 0)->idem_key, "k1");
    ck_assert_str_ne(fake_call("CaService/StartImport", 0)->idem_key, "k1");
    ck_assert_str_ne(fake_call("CaService/AbortImport", 0)->idem_key, "k1");
    ck_assert_uint_gt(fake_call("CaService/CommitImport", 0)->timeout_ms, 300000);
    ck_assert_uint_eq(fake_calls("CaService/AbortImport"), 1);
    ck_has(d.out, "imported 1 of 2 certificates; 1 refused, 3 there already\n");
    ck_has(d.out, "quota mtls_ca: 1 of 5 used\n");
    ck_assert_str_eq(d.err, "checked 1 of 2 certificates\nchecked 2 of 2 certificates\n");
    fake_done();
}
END_TEST

START_TEST(refusals_stop_it)
{
    start();
    struct done d = ctl("ca", "import", "--account", "acme",
                        fake_file("b.pem", CERT("QUFB") CERT("QkFE") CERT("QkJC") "x\n" CERT("QkFE")), NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.err, "2 of 4 certificates are refused: nothing was imported\n");
    ck_has(d.err, "  line 4: error ca.not_ca: it is not a CA\n");
    ck_has(d.err, "  line 11: error ca.not_ca: it is not a CA\n");
    ck_assert_uint_eq(fake_calls("CaService/AddToImport"), 4); /* all of them were looked at */
    ck_assert_uint_eq(fake_calls("CaService/CommitImport"), 0);
    ck_assert_uint_eq(fake_calls("CaService/AbortImport"), 1);
    fake_done();
}
END_TEST

START_TEST(refusals_are_skipped)
{
    start();
    struct done d = ctl("ca", "import", "--account", "acme", "--skip-refused", "--dry-run", "-o", "json",
                        fake_file("b.pem", CERT("QUFB") KEY CERT("QkFE")), NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    ck_assert_str_eq(d.err, "");
    const Anchord__V1__CommitImportRequest *req =
        fake_req(Anchord__V1__CommitImportRequest, "CaService/CommitImport", 0);
    ck_assert(req->skip_refused && req->dry_run);
    ck_assert_uint_eq(fake_calls("CaService/AddToImport"), 2); /* the key was not sent */
    json_t *v = json_loads(d.out, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(v, "certificates")), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(v, "imported")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(v, "refused")), 2); /* the server's and the key */
    ck_assert_int_eq(json_integer_value(json_object_get(v, "duplicates")), 3);
    ck_assert_uint_eq(json_array_size(json_object_get(v, "ids")), 1);
    json_t *f = json_array_get(json_object_get(v, "findings"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(f, "index")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(f, "line")), 7);
    json_decref(v);
    fake_done();
}
END_TEST

START_TEST(a_commit_that_fails)
{
    over = true;
    start();
    struct done d = ctl("ca", "import", "--account", "acme", fake_file("b.pem", CERT("QUFB")), NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.err, "Hit maximum CA cert allocation.");
    ck_has(d.err, "code 1489");
    ck_assert_uint_eq(fake_calls("CaService/AbortImport"), 1);
    fake_done();
}
END_TEST

START_TEST(an_import_that_is_gone)
{
    start();
    struct done d = ctl("ca", "import", "--account", "acme",
                        fake_file("b.pem", CERT("QUFB") CERT("TE9TVA==") CERT("QUFB")), NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.err, "no import 'import-1'");
    ck_assert_uint_eq(fake_calls("CaService/AddToImport"), 2);
    ck_assert_uint_eq(fake_calls("CaService/CommitImport"), 0);
    fake_done();
}
END_TEST

START_TEST(bundles_that_cannot_be_read)
{
    start();
    const struct {
        const char *file, *why;
    } cases[] = {
        {fake_file("none", "no blocks\n"), "holds no certificate"},
        {fake_file("key", CERT("QUFB") KEY), "line 4: a block that is not a certificate: PRIVATE KEY"},
        {fake_file("cut", CERT("QUFB") "-----BEGIN CERTIFICATE-----\nQUFB\n"),
         "line 4: the block has no end"},
        {"/no/such/file", "No such file"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct done d = ctl("ca", "import", "--account", "acme", cases[i].file, NULL);
        ck_assert_int_eq(d.code, 2);
        ck_has(d.err, cases[i].why);
    }
    ck_assert_uint_eq(fake_calls("CaService/StartImport"), 0);
    fake_done();
}
END_TEST

/* The bound, and one more. */
START_TEST(too_many)
{
    struct buf b = BUF_INIT(16 << 20);
    start();
    for (int i = 0; i < LIMIT_IMPORT_OBJECTS + 1; i++)
        buf_puts(&b, CERT("QUFB"));
    struct done d = ctl("ca", "import", "--account", "acme", fake_file("b.pem", b.data), NULL);
    ck_assert_int_eq(d.code, 2);
    ck_has(d.err, "more than 10000 certificates");
    ck_assert_uint_eq(fake_calls("CaService/StartImport"), 0);
    buf_done(&b);
    fake_done();
}
END_TEST

START_TEST(progress_in_tenths)
{
    struct buf b = BUF_INIT(1 << 20);
    start();
    for (int i = 0; i < 200; i++)
        buf_puts(&b, CERT("QUFB"));
    struct done d = ctl("ca", "import", "--account", "acme", fake_file("b.pem", b.data), NULL);
    ck_assert_int_eq(d.code, 0);
    size_t lines = 0;
    for (const char *s = d.err; *s; s++)
        lines += *s == '\n';
    ck_assert_uint_eq(lines, 10);
    ck_has(d.err, "checked 200 of 200 certificates\n");
    buf_done(&b);
    fake_done();
}
END_TEST

Suite *suite_import(void);
Suite *
suite_import(void)
{
    Suite *s = suite_create("anchorctl import");
    ADD_TESTS(s, "import", imports, refusals_stop_it, refusals_are_skipped, a_commit_that_fails,
              an_import_that_is_gone, bundles_that_cannot_be_read, too_many, progress_in_tenths);
    return s;
}
