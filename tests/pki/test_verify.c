/* What a verdict says beside yes and no, explanations, limits, and the facts of a chain. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <anchord/plugin-validator.h>

#include "factory.h"
#include "lib/main.h"

extern const acd_plugin acd_plugin_1_validator_openssl;

static const acd_validator_ops *
ops(void)
{
    return acd_plugin_1_validator_openssl.ops;
}

static struct factory factory;

static struct item *
make(const char *id, const char *kind, const char *spec)
{
    static char copy[2048];
    static struct attrs a;
    (void)snprintf(copy, sizeof(copy), "%s", spec);
    attrs_read(copy, &a);
    return strcmp(kind, "crl") == 0 ? factory_crl(&factory, id, &a) : factory_cert(&factory, id, kind, &a);
}

static acd_slice
der_of(const char *id)
{
    const struct item *it = factory_find(&factory, id);
    return (acd_slice){it->der, it->len};
}

static acd_bundle *
bundle_of(const char *one, const char *two, const char *crl)
{
    acd_anchor anchors[2] = {{sizeof(acd_anchor), ACD_PROFILE_STRICT, der_of(one)}};
    acd_slice crls[1] = {{NULL, 0}};
    acd_bundle_spec spec = {.struct_size = sizeof(spec), .anchors = anchors, .nanchors = 1};
    acd_bundle *b = NULL;
    acd_err err = ACD_ERR_INIT;
    if (two)
        anchors[spec.nanchors++] = (acd_anchor){sizeof(acd_anchor), ACD_PROFILE_STRICT, der_of(two)};
    if (crl) {
        crls[0] = der_of(crl);
        spec.crls = crls;
        spec.ncrls = 1;
    }
    ck_assert_int_eq(ops()->bundle_build(NULL, &spec, &b, &err), 0);
    return b;
}

static acd_verify
question(const char *leaf, const char *when)
{
    acd_verify q = {
        .struct_size = sizeof(q), .leaf = der_of(leaf), .purpose = ACD_PURPOSE_SERVER, .max_depth = -1};
    q.at_ms = factory_time(when) * 1000;
    return q;
}

static acd_verdict
ask(const acd_bundle *b, const acd_verify *q)
{
    acd_verdict v = {.struct_size = sizeof(v)};
    acd_err err = ACD_ERR_INIT;
    ck_assert_int_eq(ops()->verify(b, q, NULL, &v, &err), 0);
    return v;
}

#define T(s) (factory_time(s) * 1000)

START_TEST(spans)
{
    factory_clear(&factory);
    (void)make("other", "ca", "");
    (void)make("root", "ca", "from=2024-06-01T00:00:00Z until=2030-01-01T00:00:00Z");
    (void)make("leaf", "ee", "by=root until=2027-01-01T00:00:00Z");
    (void)make("crl", "crl", "by=root");
    acd_bundle *b = bundle_of("other", "root", NULL), *c = bundle_of("root", NULL, "crl");
    acd_verify q = question("leaf", "2026-01-01T00:00:00Z");
    acd_verdict v = ask(b, &q);
    ck_assert_uint_eq(v.result, ACD_VERIFIED);
    ck_assert_int_eq(v.anchor, 1);
    ck_assert_int_eq(v.valid_from_ms, T("2024-06-01T00:00:00Z"));
    ck_assert_int_eq(v.valid_until_ms, T("2027-01-01T00:00:00Z") + 999);
    /* With a list: its dates count as well. */
    v = ask(c, &q);
    ck_assert_int_eq(v.valid_from_ms, T("2025-12-01T00:00:00Z"));
    ck_assert_int_eq(v.valid_until_ms, T("2026-02-01T00:00:00Z") + 999);
    /* Refusals hold until the next date at which anything changes. */
    q.at_ms = T("2024-02-01T00:00:00Z");
    v = ask(b, &q);
    ck_assert_str_eq(v.error, "X509_V_ERR_CERT_NOT_YET_VALID");
    ck_assert_int_eq(v.valid_from_ms, T("2024-01-01T00:00:00Z"));
    ck_assert_int_eq(v.valid_until_ms, T("2024-06-01T00:00:00Z") - 1);
    q.at_ms = T("2029-01-01T00:00:00Z");
    v = ask(b, &q);
    ck_assert_str_eq(v.error, "X509_V_ERR_CERT_HAS_EXPIRED");
    ck_assert_int_eq(v.anchor, -1);
    ck_assert_int_eq(v.valid_from_ms, T("2027-01-01T00:00:01Z"));
    ck_assert_int_eq(v.valid_until_ms, T("2030-01-01T00:00:00Z") + 999);
    ops()->bundle_free(b);
    ops()->bundle_free(c);
}
END_TEST

struct steps {
    char text[4096];
};

static int
on_step(void *ctx, const acd_step *s)
{
    struct steps *t = ctx;
    size_t n = strlen(t->text);
    (void)snprintf(t->text + n, sizeof(t->text) - n, "%s:%s ", s->check, s->ok ? "ok" : s->error);
    ck_assert((s->error == NULL) == (s->ok != 0) && s->text.len > 0);
    return 0;
}

START_TEST(explanation)
{
    struct steps t = {""};
    factory_clear(&factory);
    (void)make("root", "ca", "");
    (void)make("dead", "ca", "by=root key=p256:i subj=mid until=2025-01-01T00:00:00Z");
    (void)make("live", "ca", "by=root key=p256:i subj=mid");
    (void)make("leaf", "ee", "by=live");
    acd_slice inter[] = {der_of("dead"), der_of("live"), {"junk", 4}};
    acd_bundle *b = bundle_of("root", NULL, NULL);
    acd_verify q = question("leaf", "2026-01-01T00:00:00Z");
    q.inter = inter;
    q.ninter = 3;
    q.step = on_step;
    q.step_ctx = &t;
    ck_assert_uint_eq(ask(b, &q).result, ACD_VERIFIED);
    ck_assert_str_eq(t.text,
                     "parse:ACD_V_ERR_CERT_UNREADABLE name:ok time:X509_V_ERR_CERT_HAS_EXPIRED signature:ok "
                     "constraints:ok ");
    ops()->bundle_free(b);
}
END_TEST

START_TEST(bad_questions)
{
    acd_verdict v = {.struct_size = sizeof(v)};
    acd_err err = ACD_ERR_INIT;
    factory_clear(&factory);
    (void)make("root", "ca", "");
    (void)make("leaf", "ee", "by=root");
    acd_bundle *b = bundle_of("root", NULL, NULL);
    acd_verify q = question("leaf", "2026-01-01T00:00:00Z");
    q.purpose = 0;
    ck_assert_int_eq(ops()->verify(b, &q, NULL, &v, &err), ACD_EINVAL);
    q.purpose = ACD_PURPOSE_CLIENT;
    q.host = (acd_slice){"a", 1};
    q.email = (acd_slice){"a@b", 3};
    ck_assert_int_eq(ops()->verify(b, &q, NULL, &v, &err), ACD_EINVAL);
    q.email = q.host = (acd_slice){NULL, 0};
    q.leaf = (acd_slice){NULL, 0};
    ck_assert_int_eq(ops()->verify(b, &q, NULL, &v, &err), ACD_EINVAL);
    ck_assert_uint_eq(v.result, ACD_NOT_VERIFIED);
    /* A deadline that is past: no verdict. */
    acd_call call = {.struct_size = sizeof(call), .deadline_ns = 1};
    q = question("leaf", "2026-01-01T00:00:00Z");
    ck_assert_int_eq(ops()->verify(b, &q, &call, &v, &err), ACD_ETIMEOUT);
    q.max_depth = INT32_MAX;
    ck_assert_uint_eq(ask(b, &q).result, ACD_VERIFIED);
    ops()->bundle_free(b);
}
END_TEST

START_TEST(size_limits)
{
    static const unsigned char zeros[16385];
    acd_slice inter[5];
    factory_clear(&factory);
    (void)make("root", "ca", "");
    (void)make("leaf", "ee", "by=root");
    acd_bundle *b = bundle_of("root", NULL, NULL);
    acd_verify q = question("leaf", "2026-01-01T00:00:00Z");
    q.inter = inter;
    for (int i = 0; i < 5; i++)
        inter[i] = (acd_slice){zeros, 16384};
    q.ninter = 3;
    ck_assert_uint_eq(ask(b, &q).result, ACD_VERIFIED);
    q.ninter = 4;
    ck_assert_str_eq(ask(b, &q).error, "ACD_V_ERR_CHAIN_SIZE");
    inter[0].len = 16385;
    q.ninter = 1;
    ck_assert_str_eq(ask(b, &q).error, "ACD_V_ERR_CERT_SIZE");
    q.ninter = 0;
    q.leaf = (acd_slice){zeros, 16385};
    ck_assert_str_eq(ask(b, &q).error, "ACD_V_ERR_CERT_SIZE");
    ops()->bundle_free(b);
}
END_TEST

/* A bundle is immutable: many threads may ask it at once, CRLs included. */
struct work {
    const acd_bundle *bundle;
    acd_verify q;
    int good;
};

static void *
worker(void *arg)
{
    struct work *w = arg;
    for (int i = 0; i < 50; i++) {
        acd_verdict v = {.struct_size = sizeof(v)};
        acd_err err = ACD_ERR_INIT;
        w->good += ops()->verify(w->bundle, &w->q, NULL, &v, &err) == 0 && v.result == ACD_VERIFIED;
    }
    return NULL;
}

START_TEST(many_threads)
{
    pthread_t threads[4];
    struct work work[4];
    factory_clear(&factory);
    (void)make("root", "ca", "");
    (void)make("leaf", "ee", "by=root");
    (void)make("gone", "ee", "by=root");
    (void)make("crl", "crl", "by=root revoked=gone");
    acd_bundle *b = bundle_of("root", NULL, "crl");
    for (int i = 0; i < 4; i++) {
        work[i] = (struct work){b, question("leaf", "2026-01-01T00:00:00Z"), 0};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, &work[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_int_eq(work[i].good, 50);
    }
    ops()->bundle_free(b);
}
END_TEST

/* --- facts --------------------------------------------------------------------------------------------- */

struct facts {
    char text[65536];
};

static int
on_field(void *ctx, const char *name, acd_slice value)
{
    struct facts *f = ctx;
    size_t n = strlen(f->text);
    (void)snprintf(f->text + n, sizeof(f->text) - n, "%s=%.*s\n", name, (int)value.len,
                   (const char *)value.ptr);
    return 0;
}

static void
has(const struct facts *f, const char *name, const char *value)
{
    char line[512];
    (void)snprintf(line, sizeof(line), "%s=%s\n", name, value);
    ck_assert_msg(strstr(f->text, line) != NULL, "missing %s in\n%s", line, f->text);
}

#define CF "cf.tls_client_auth."

START_TEST(facts_of_a_leaf)
{
    static struct facts f;
    acd_err err = ACD_ERR_INIT;
    f.text[0] = '\0';
    factory_clear(&factory);
    (void)make("root", "ca", "subj=Acme/Root serial=0A");
    (void)make(
        "leaf", "ee",
        "by=root subj=Example/a/b from=2024-03-01T03:04:05Z serial=527E0F20A20EA2A4146C78390F34CE7AF0878CA4 "
        "san=DNS:a.test,DNS:b.test,URI:spiffe://x/y,email:a@b.test,IP:192.0.2.1,IP:2001:db8::1 "
        "eku=clientAuth");
    acd_slice inter[] = {der_of("leaf"), der_of("root")};
    ck_assert_int_eq(ops()->describe(NULL, der_of("leaf"), inter + 1, 1, on_field, &f, &err), 0);
    has(&f, CF "cert_subject_dn", "CN=a/b,O=Example");
    has(&f, CF "cert_subject_dn_rfc2253", "CN=a/b,O=Example");
    has(&f, CF "cert_subject_dn_legacy", "/O=Example/CN=a/b");
    has(&f, CF "cert_issuer_dn", "CN=Root,O=Acme");
    has(&f, CF "cert_issuer_dn_legacy", "/O=Acme/CN=Root");
    has(&f, CF "cert_serial", "527E0F20A20EA2A4146C78390F34CE7AF0878CA4");
    has(&f, CF "cert_issuer_serial", "0A");
    has(&f, CF "cert_not_before", "Mar  1 03:04:05 2024 GMT");
    has(&f, CF "cert_not_after", "Jan  1 00:00:00 2034 GMT");
    has(&f, CF "cert_rfc9440_too_large", "false");
    has(&f, "anchord.cert_san_dns", "a.test,b.test");
    has(&f, "anchord.cert_san_uri", "spiffe://x/y");
    has(&f, "anchord.cert_san_email", "a@b.test");
    has(&f, "anchord.cert_san_ip", "192.0.2.1,2001:db8::1");
    has(&f, "anchord.cert_key_type", "P-256");
    has(&f, "anchord.cert_key_bits", "256");
    has(&f, "anchord.cert_eku", "1.3.6.1.5.5.7.3.2");
    ck_assert_ptr_nonnull(strstr(f.text, CF "cert_rfc9440=:MII"));
    ck_assert_ptr_nonnull(strstr(f.text, CF "cert_chain_rfc9440=:MII"));
    const char *ski = strstr(f.text, CF "cert_ski="), *iski = strstr(f.text, CF "cert_issuer_ski=");
    ck_assert_uint_eq(strcspn(strchr(ski, '=') + 1, "\n"), 40);
    ck_assert_uint_eq(strspn(strchr(iski, '=') + 1, "0123456789ABCDEF"), 40);
    ck_assert_uint_eq(strspn(strchr(strstr(f.text, "cert_fingerprint_sha1="), '=') + 1, "0123456789abcdef"),
                      40);
}
END_TEST

START_TEST(facts_without_extras)
{
    static struct facts f;
    acd_err err = ACD_ERR_INIT;
    f.text[0] = '\0';
    factory_clear(&factory);
    (void)make("root", "ca", "");
    (void)make("namesake", "ca", "subj=root key=p256:namesake serial=0B ski=none");
    (void)make("leaf", "ee", "by=root aki=none ski=none san=none eku=none serial=-5");
    acd_slice inter[] = {der_of("namesake")};
    ck_assert_int_eq(ops()->describe(NULL, der_of("leaf"), inter, 1, on_field, &f, &err), 0);
    has(&f, CF "cert_serial", "-05");
    has(&f, CF "cert_issuer_serial", "");
    has(&f, CF "cert_issuer_ski", "");
    has(&f, CF "cert_ski", "");
    has(&f, "anchord.cert_san_dns", "");
    has(&f, "anchord.cert_eku", "");
    ck_assert_int_eq(ops()->describe(NULL, (acd_slice){"junk", 4}, NULL, 0, on_field, &f, &err), ACD_EINVAL);
}
END_TEST

START_TEST(headers_have_limits)
{
    static struct facts f;
    acd_err err = ACD_ERR_INIT;
    acd_slice inter[40];
    f.text[0] = '\0';
    factory_clear(&factory);
    (void)make("root", "ca", "");
    (void)make("leaf", "ee", "by=root");
    for (int i = 0; i < 40; i++)
        inter[i] = der_of("root");
    ck_assert_int_eq(ops()->describe(NULL, der_of("leaf"), inter, 40, on_field, &f, &err), 0);
    has(&f, CF "cert_chain_rfc9440_too_large", "true");
    has(&f, CF "cert_chain_rfc9440", "");
    has(&f, CF "cert_rfc9440_too_large", "false");
}
END_TEST

START_TEST(descriptor)
{
    const acd_plugin *p = &acd_plugin_1_validator_openssl;
    acd_err err = ACD_ERR_INIT;
    acd_conf_val val = {.key = "what"};
    void *inst = NULL;
    ck_assert_uint_eq(p->kind, ACD_VALIDATOR);
    ck_assert_uint_eq(p->thread, ACD_FREE_THREADED);
    ck_assert_int_eq(p->create(NULL, NULL, 0, &inst, &err), 0);
    ck_assert_int_eq(p->start(inst, &err), 0);
    ck_assert_int_eq(p->health(inst, &err), 0);
    ck_assert_int_eq(p->quiesce(inst, 0), 0);
    p->destroy(inst);
    ck_assert_int_eq(p->conf_check(&val, 1, &err), ACD_EINVAL);
}
END_TEST

Suite *suite_verify(void);

Suite *
suite_verify(void)
{
    Suite *s = suite_create("verify");
    ADD_TESTS(s, "verify", spans, explanation, bad_questions, size_limits, many_threads);
    ADD_TESTS(s, "describe", facts_of_a_leaf, facts_without_extras, headers_have_limits);
    ADD_TESTS(s, "plugin", descriptor);
    return s;
}
