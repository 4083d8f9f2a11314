/* Certificates: upload with its findings and quota, get, delete, associations; files that cannot be read. */
#include <jansson.h>
#include <unistd.h>

#include "fake.h"

#define PEM "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"
#define ID  "11111111-2222-4333-8444-555555555555"

static Anchord__V1__Certificate *
cert(struct rpc_call *call, const char *text)
{
    struct mem_region *r = call->region;
    Anchord__V1__Certificate *m = wire_new(r, Anchord__V1__Certificate, anchord__v1__certificate);
    Anchord__V1__CertificateItem *item =
        wire_new(r, Anchord__V1__CertificateItem, anchord__v1__certificate_item);
    m->id = WIRE_STR(ID);
    m->account_id = WIRE_STR("0123456789abcdef0123456789abcdef");
    m->name = WIRE_STR("edge CA");
    m->ca = true;
    m->product = WIRE_STR("api_shield");
    m->certificates = mem_strdup(r, text);
    m->uploaded_ms = m->updated_ms = 1767323045250;
    m->serial_number = WIRE_STR("12345678901234567890");
    item->subject = WIRE_STR("CN=Edge CA,O=Example");
    item->issuer = WIRE_STR("CN=Root,O=Example");
    item->signature = WIRE_STR("SHA256WithRSA");
    item->key_type = WIRE_STR("RSA");
    item->key_bits = 2048;
    item->not_after_ms = 1798859045000;
    item->sha256 = wire_bytes(SLICE_LIT("\x01\x02"));
    ck_assert(wire_append(r, &m->n_items, &m->items, item) == 0);
    return m;
}

static int
upload(void *ctx, struct rpc_call *call, const void *req_, void **ret, acd_err *err)
{
    const Anchord__V1__UploadCertificateRequest *req = req_;
    (void)ctx;
    if (strcmp(req->name, "full") == 0) {
        rpc_detail_error_info(call, "QUOTA_EXCEEDED", 1489, "mtls_ca");
        rpc_detail_quota(call, "mtls_ca", 5, 5);
        return err_set(err, ACD_ELIMIT, "Hit maximum CA cert allocation.");
    }
    if (strcmp(req->name, "bad") == 0) {
        rpc_detail_error_info(call, "UPLOAD_REFUSED", 0, "");
        rpc_detail_finding(call, ACD_SEV_ERROR, 0, "ca.not_ca", "it is not a CA");
        rpc_detail_finding(call, ACD_SEV_WARNING, 2, "key.short", "the key is short");
        rpc_detail_finding(call, ACD_SEV_ERROR, -1, "pem.text", "text that is odd");
        return err_set(err, ACD_EINVAL, "3 findings refuse this upload; the first: it is not a CA");
    }
    Anchord__V1__UploadCertificateResponse *resp = wire_new(
        call->region, Anchord__V1__UploadCertificateResponse, anchord__v1__upload_certificate_response);
    Anchord__V1__Finding *f = wire_new(call->region, Anchord__V1__Finding, anchord__v1__finding);
    f->severity = ANCHORD__V1__SEVERITY__SEVERITY_WARNING;
    f->code = WIRE_STR("ca.no_ski");
    f->message = WIRE_STR("no subject key identifier");
    ck_assert(wire_append(call->region, &resp->n_findings, &resp->findings, f) == 0);
    resp->certificate = cert(call, req->certificates);
    resp->quota = wire_new(call->region, Anchord__V1__QuotaPool, anchord__v1__quota_pool);
    resp->quota->pool = WIRE_STR("mtls_ca");
    resp->quota->used = 2;
    resp->quota->limit = 5;
    resp->dry_run = req->dry_run;
    *ret = resp;
    return 0;
}

static int
get(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    (void)ctx;
    (void)req;
    (void)err;
    *ret = cert(call, PEM);
    return 0;
}

static int
del(void *ctx, struct rpc_call *call, const void *req_, void **ret, acd_err *err)
{
    const Anchord__V1__DeleteCertificateRequest *req = req_;
    (void)ctx;
    if (!req->detach) {
        rpc_detail_error_info(call, "CA_IN_USE", 1406, req->id);
        rpc_detail_in_use(call, "0", "example.com", "a.example.com");
        rpc_detail_in_use(call, "0", "example.com", "b.example.com");
        return err_set(err, ACD_EPRECOND, "Certificate cannot be deleted while in use");
    }
    Anchord__V1__DeleteCertificateResponse *resp = wire_new(
        call->region, Anchord__V1__DeleteCertificateResponse, anchord__v1__delete_certificate_response);
    resp->certificate = cert(call, PEM);
    resp->detached = 2;
    resp->dry_run = req->dry_run;
    *ret = resp;
    return 0;
}

static int
associations(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    (void)ctx;
    (void)req;
    (void)err;
    Anchord__V1__ListCertificateAssociationsResponse *resp =
        wire_new(call->region, Anchord__V1__ListCertificateAssociationsResponse,
                 anchord__v1__list_certificate_associations_response);
    Anchord__V1__CertificateAssociation *a =
        wire_new(call->region, Anchord__V1__CertificateAssociation, anchord__v1__certificate_association);
    a->zone_name = WIRE_STR("example.com");
    a->host = WIRE_STR("a.example.com");
    a->service = WIRE_STR("api_shield");
    a->status = WIRE_STR("active");
    ck_assert(wire_append(call->region, &resp->n_associations, &resp->associations, a) == 0);
    *ret = resp;
    return 0;
}

static void
start(void)
{
    fake_new();
    fake_bind("CaService/UploadCertificate", upload);
    fake_bind("CaService/GetCertificate", get);
    fake_bind("CaService/DeleteCertificate", del);
    fake_bind("CaService/ListCertificateAssociations", associations);
    fake_run();
}

START_TEST(uploads)
{
    start();
    const char *text = "# ours\r\n" PEM;
    struct done d = ctl("ca", "upload", "--account", "acme", "--name", "edge CA", "--product", "workers",
                        "--profile", "compat", "--key", fake_file("key", KEY), "--dry-run", "-o", "json",
                        fake_file("ca.pem", text), NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    const Anchord__V1__UploadCertificateRequest *req =
        fake_req(Anchord__V1__UploadCertificateRequest, "CaService/UploadCertificate", 0);
    ck_assert_str_eq(req->account, "acme");
    ck_assert_str_eq(req->name, "edge CA");
    ck_assert_str_eq(req->product, "workers");
    ck_assert_str_eq(req->certificates, text);
    ck_assert(slice_eqs(wire_slice(req->private_key), KEY));
    ck_assert_int_eq((int)req->profile, ANCHORD__V1__PROFILE__PROFILE_COMPAT);
    ck_assert(req->dry_run && !req->leaf);
    json_t *v = json_loads(d.out, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(v, "id")), ID);
    ck_assert_str_eq(json_string_value(json_object_get(v, "issuer")), "CN=Root,O=Example");
    ck_assert_str_eq(json_string_value(json_object_get(v, "signature")), "SHA256WithRSA");
    ck_assert_str_eq(json_string_value(json_object_get(v, "serial_number")), "12345678901234567890");
    ck_assert_str_eq(json_string_value(json_object_get(v, "expires_on")), "2027-01-02T03:04:05Z");
    ck_assert_str_eq(json_string_value(json_object_get(v, "uploaded_on")), "2026-01-02T03:04:05.250Z");
    ck_assert_str_eq(json_string_value(json_object_get(v, "certificates")), text);
    ck_assert_str_eq(json_string_value(json_object_get(v, "type")), "custom");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(v, "quota"), "used")), 2);
    ck_assert_uint_eq(json_array_size(json_object_get(v, "findings")), 1);
    ck_assert(json_is_true(json_object_get(v, "ca")) && json_is_true(json_object_get(v, "dry_run")));
    json_decref(v);
    fake_done();
}
END_TEST

START_TEST(uploads_from_stdin)
{
    start();
    struct done d = ctl_stdin(PEM, "ca", "upload", "--account", "acme", "-", "--leaf", NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    const Anchord__V1__UploadCertificateRequest *req =
        fake_req(Anchord__V1__UploadCertificateRequest, "CaService/UploadCertificate", 0);
    ck_assert_str_eq(req->certificates, PEM);
    ck_assert(req->leaf && req->private_key.len == 0);
    ck_has(d.out, "QUOTA USED");
    ck_has(d.out, "no subject key identifier");
    ck_has(d.out, "0102");
    fake_done();
}
END_TEST

START_TEST(over_quota)
{
    start();
    struct done d =
        ctl("ca", "upload", "--account", "acme", "--name", "full", fake_file("ca.pem", PEM), NULL);
    ck_assert_int_eq(d.code, 1);
    ck_assert_str_eq(d.out, "");
    ck_assert_str_eq(d.err, "anchorctl: Hit maximum CA cert allocation.\n"
                            "  reason QUOTA_EXCEEDED, code 1489: mtls_ca\n"
                            "  quota mtls_ca: 5 of 5 used\n");
    d = ctl("ca", "upload", "--account", "acme", "--name", "full", fake_file("ca.pem", PEM), "-ojson", NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.err, "\"code\":1489");
    ck_has(d.err, "\"used\":5,\"limit\":5");
    fake_done();
}
END_TEST

START_TEST(findings)
{
    start();
    struct done d = ctl("ca", "upload", "--account", "acme", "--name", "bad", fake_file("ca.pem", PEM), NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.err, "  error ca.not_ca, certificate 0: it is not a CA\n");
    ck_has(d.err, "  warning key.short, certificate 2: the key is short\n");
    ck_has(d.err, "  error pem.text: text that is odd\n");
    fake_done();
}
END_TEST

/* Nothing is sent, and nothing of a key is shown. */
START_TEST(files_that_cannot_be_read)
{
    static const char long_key[] =
        KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY KEY;
    struct buf large = BUF_INIT(1 << 20);
    start();
    for (int i = 0; large.len <= LIMIT_KEY_PEM; i++)
        buf_puts(&large, long_key);
    const struct {
        const char *file, *key, *why;
    } cases[] = {
        {"/no/such/file", NULL, "/no/such/file: No such file"},
        {fake.dir, NULL, "Is a directory"},
        {fake_file("empty", ""), NULL, "is empty"},
        {fake_file("der", "\x30\x82\x01\x02xyz"), NULL, "is DER"},
        {fake_file("latin1", "caf\xe9"), NULL, "is not text"},
        {fake_file("good", PEM), "/no/such/key", "/no/such/key: No such file"},
        {fake_file("good", PEM), fake_file("nokey", ""), "is empty"},
        {fake_file("good", PEM), fake_file("bigkey", large.data), "is larger than 16384 bytes"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct done d =
            cases[i].key ? ctl("ca", "upload", "--account", "a", "--key", cases[i].key, cases[i].file, NULL)
                         : ctl("ca", "upload", "--account", "a", cases[i].file, NULL);
        ck_assert_msg(d.code == 2, "%s: %d %s", cases[i].why, d.code, d.err);
        ck_has(d.err, cases[i].why);
        ck_lacks(d.err, "c2VjcmV0");
    }
    ck_assert_uint_eq(fake_calls("CaService/UploadCertificate"), 0);
    buf_done(&large);
    fake_done();
}
END_TEST

START_TEST(gets)
{
    start();
    struct done d = ctl("ca", "get", ID, NULL);
    ck_assert_int_eq(d.code, 0);
    ck_has(d.out, "CN=Edge CA,O=Example");
    ck_assert_str_eq(fake_req(Anchord__V1__GetCertificateRequest, "CaService/GetCertificate", 0)->id, ID);
    fake_done();
}
END_TEST

START_TEST(in_use)
{
    start();
    struct done d = ctl("ca", "delete", ID, NULL);
    ck_assert_int_eq(d.code, 1);
    ck_has(d.err, "code 1406");
    ck_has(d.err, "  in use by a.example.com in zone example.com\n");
    ck_has(d.err, "  in use by b.example.com in zone example.com\n");
    d = ctl("ca", "delete", "--detach", "--dry-run", ID, "-o", "json", NULL);
    ck_assert_int_eq(d.code, 0);
    json_t *v = json_loads(d.out, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(v, "detached")), 2);
    ck_assert(json_is_true(json_object_get(v, "dry_run")));
    ck_assert_str_eq(json_string_value(json_object_get(v, "id")), ID);
    json_decref(v);
    fake_done();
}
END_TEST

START_TEST(used_by)
{
    start();
    struct done d = ctl("ca", "associations", ID, "-o", "json", NULL);
    ck_assert_int_eq(d.code, 0);
    json_t *v = json_loads(d.out, 0, NULL), *a = json_array_get(v, 0);
    ck_assert_str_eq(json_string_value(json_object_get(a, "host")), "a.example.com");
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(a, "zone"), "name")), "example.com");
    json_decref(v);
    fake_done();
}
END_TEST

Suite *suite_ca(void);
Suite *
suite_ca(void)
{
    Suite *s = suite_create("anchorctl ca");
    ADD_TESTS(s, "ca", uploads, uploads_from_stdin, over_quota, findings, files_that_cannot_be_read, gets,
              in_use, used_by);
    return s;
}
