/* Revocation by what the host knows: whose word counts, what it does to the verdict, its span and its steps.
 */
#include <string.h>

#include <anchord/plugin-validator.h>

#include "factory.h"
#include "lib/main.h"

extern const acd_plugin acd_plugin_1_validator_openssl;

static struct factory factory;

static acd_slice
make(const char *id, const char *kind, const char *spec)
{
    static char copy[2048];
    static struct attrs a;
    (void)snprintf(copy, sizeof(copy), "%s", spec);
    attrs_read(copy, &a);
    const struct item *it = factory_cert(&factory, id, kind, &a);
    return (acd_slice){it->der, it->len};
}

#define T(s) (factory_time(s) * 1000)

/* What the host says of each CA of the bundle, and what it was asked. */
struct host {
    acd_revocation says[4];
    int rc;
    char asked[256];
};

static int
host_says(void *ctx, uint32_t ca, acd_slice serial, int64_t at_ms, acd_revocation *ret)
{
    struct host *h = ctx;
    size_t n = strlen(h->asked);
    ck_assert_int_eq(at_ms, T("2026-01-01T00:00:00Z"));
    ck_assert_uint_lt(ca, 4);
    n += (size_t)snprintf(h->asked + n, sizeof(h->asked) - n, "%u:", ca);
    for (size_t i = 0; i < serial.len; i++)
        n += (size_t)snprintf(h->asked + n, sizeof(h->asked) - n, "%02x", ((const uint8_t *)serial.ptr)[i]);
    (void)snprintf(h->asked + n, sizeof(h->asked) - n, " ");
    if (h->rc < 0)
        return h->rc;
    if (h->says[ca].text) {
        acd_revocation all = *ret;
        *ret = h->says[ca];
        ret->struct_size = sizeof(*ret);
        ret->from_ms = ret->from_ms ? ret->from_ms : all.from_ms;
        ret->until_ms = ret->until_ms ? ret->until_ms : all.until_ms;
    }
    return 0;
}

static char steps[1024];

static int
on_step(void *ctx, const acd_step *s)
{
    size_t n = strlen(steps);
    (void)ctx;
    if (strcmp(s->check, "crl") == 0)
        (void)snprintf(steps + n, sizeof(steps) - n, "%d:%s:%.*s ", s->depth, s->ok ? "ok" : s->error,
                       (int)s->text.len, (const char *)s->text.ptr);
    return 0;
}

static acd_verdict
ask(struct host *h, const char *const *anchors, acd_slice leaf, const acd_slice *inter, size_t ninter, int rc)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    acd_anchor list[4];
    acd_bundle *b = NULL;
    acd_err err = ACD_ERR_INIT;
    acd_bundle_spec spec = {.struct_size = sizeof(spec), .anchors = list};
    for (; anchors[spec.nanchors]; spec.nanchors++) {
        const struct item *it = factory_find(&factory, anchors[spec.nanchors]);
        list[spec.nanchors] = (acd_anchor){sizeof(acd_anchor), ACD_PROFILE_STRICT, {it->der, it->len}};
    }
    ck_assert_int_eq(ops->bundle_build(NULL, &spec, &b, &err), 0);
    acd_verify q = {.struct_size = sizeof(q),
                    .leaf = leaf,
                    .inter = inter,
                    .ninter = ninter,
                    .purpose = ACD_PURPOSE_SERVER,
                    .max_depth = -1,
                    .at_ms = T("2026-01-01T00:00:00Z"),
                    .step = on_step,
                    .revocation = host_says,
                    .revocation_ctx = h};
    acd_verdict v = {.struct_size = sizeof(v)};
    h->asked[0] = steps[0] = '\0';
    ck_assert_int_eq(ops->verify(b, &q, NULL, &v, &err), rc);
    ops->bundle_free(b);
    return v;
}

#define ANCHORS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SAYS(s, ...) ((acd_revocation){.state = (s), .text = #s, __VA_ARGS__})

START_TEST(the_answer_decides)
{
    struct host h = {0};
    factory_clear(&factory);
    (void)make("root", "ca", "");
    acd_slice leaf = make("leaf", "ee", "by=root serial=00abcdef until=2027-01-01T00:00:00Z");
    acd_verdict v = ask(&h, ANCHORS("root"), leaf, NULL, 0, 0); /* says nothing */
    ck_assert_uint_eq(v.result, ACD_VERIFIED);
    ck_assert_str_eq(steps, "");
    h.says[0] = SAYS(ACD_REVOCATION_GOOD, .from_ms = T("2025-06-01T00:00:00Z"),
                     .until_ms = T("2026-02-01T00:00:00Z") + 999);
    v = ask(&h, ANCHORS("root"), leaf, NULL, 0, 0);
    ck_assert_uint_eq(v.result, ACD_VERIFIED);
    ck_assert_int_eq(v.valid_from_ms, T("2025-06-01T00:00:00Z"));
    ck_assert_int_eq(v.valid_until_ms, T("2026-02-01T00:00:00Z") + 999);
    ck_assert_str_eq(steps, "0:ok:ACD_REVOCATION_GOOD ");
    h.says[0] = SAYS(ACD_REVOCATION_REVOKED, .revoked_ms = 5000, .reason = 1);
    v = ask(&h, ANCHORS("root"), leaf, NULL, 0, 0);
    ck_assert_uint_eq(v.result, ACD_NOT_VERIFIED);
    ck_assert_uint_eq(v.flags, ACD_VERDICT_REVOKED);
    ck_assert_str_eq(v.error, "X509_V_ERR_CERT_REVOKED");
    ck_assert_str_eq(v.text, "ACD_REVOCATION_REVOKED");
    ck_assert(v.revoked_ms == 5000 && v.revoked_reason == 1 && v.depth == 0);
    h.says[0] = SAYS(ACD_REVOCATION_UNKNOWN, .error = "X509_V_ERR_CRL_HAS_EXPIRED",
                     .from_ms = T("2025-12-01T00:00:00Z"));
    v = ask(&h, ANCHORS("root"), leaf, NULL, 0, 0);
    ck_assert_uint_eq(v.result, ACD_NOT_VERIFIED);
    ck_assert_uint_eq(v.flags, 0);
    ck_assert_str_eq(v.error, "X509_V_ERR_CRL_HAS_EXPIRED");
    ck_assert_int_eq(v.valid_from_ms, T("2025-12-01T00:00:00Z"));
    h.says[0] = SAYS(ACD_REVOCATION_NOTED, .until_ms = T("2026-01-15T00:00:00Z") - 1);
    v = ask(&h, ANCHORS("root"), leaf, NULL, 0, 0);
    ck_assert_uint_eq(v.result, ACD_VERIFIED);
    ck_assert_int_eq(v.valid_until_ms, T("2026-01-15T00:00:00Z") - 1);
    ck_assert_str_eq(steps, "0:ok:ACD_REVOCATION_NOTED ");
    h.says[0] = SAYS(77); /* of a later version of the host */
    ck_assert_uint_eq(ask(&h, ANCHORS("root"), leaf, NULL, 0, 0).result, ACD_NOT_VERIFIED);
    h.rc = ACD_ECORRUPT;
    (void)ask(&h, ANCHORS("root"), leaf, NULL, 0, ACD_ECORRUPT);
}
END_TEST

/* Every certificate below the anchor is asked about, at each CA that is its issuer by name and key. */
START_TEST(whose_word_counts)
{
    struct host h = {0};
    factory_clear(&factory);
    (void)make("root", "ca", "");
    (void)make("twin", "ca", "subj=root key=p256:other"); /* the same name, another key */
    acd_slice mid = make("mid", "ca", "by=root serial=11");
    (void)make("again", "ca", "by=twin subj=mid key=p256:mid serial=12"); /* the same name and key */
    acd_slice leaf = make("leaf", "ee", "by=mid serial=22");
    acd_verdict v = ask(&h, ANCHORS("twin", "root"), leaf, &mid, 1, 0);
    ck_assert_uint_eq(v.result, ACD_VERIFIED);
    ck_assert_str_eq(h.asked, "1:11 "); /* nobody here speaks for mid; twin is another CA */
    h.says[1] = SAYS(ACD_REVOCATION_REVOKED);
    v = ask(&h, ANCHORS("twin", "root"), leaf, &mid, 1, 0);
    ck_assert_int_eq(v.depth, 1);
    ck_assert_uint_eq(v.flags, ACD_VERDICT_REVOKED);
    ck_assert_str_eq(steps, "1:X509_V_ERR_CERT_REVOKED:ACD_REVOCATION_REVOKED ");
    /* Two CAs that are one: a list of either is enough, and a revocation in either counts. */
    h.says[0] = SAYS(ACD_REVOCATION_UNKNOWN);
    h.says[1] = SAYS(ACD_REVOCATION_GOOD);
    v = ask(&h, ANCHORS("mid", "again"), leaf, NULL, 0, 0);
    ck_assert_uint_eq(v.result, ACD_VERIFIED);
    ck_assert_str_eq(h.asked, "0:22 1:22 ");
    h.says[1] = SAYS(ACD_REVOCATION_NOTED);
    ck_assert_uint_eq(ask(&h, ANCHORS("mid", "again"), leaf, NULL, 0, 0).result, ACD_NOT_VERIFIED);
    h.says[1] = SAYS(ACD_REVOCATION_REVOKED);
    ck_assert_uint_eq(ask(&h, ANCHORS("mid", "again"), leaf, NULL, 0, 0).flags, ACD_VERDICT_REVOKED);
}
END_TEST

/* A revoked intermediate beside an unknown leaf: "revoked" would say that all else is good. */
START_TEST(unknown_is_not_hidden_by_revoked)
{
    struct host h = {0};
    factory_clear(&factory);
    (void)make("root", "ca", "");
    acd_slice mid = make("mid", "ca", "by=root serial=11");
    (void)make("own", "ca", "by=root subj=mid key=p256:mid serial=13 until=2025-01-01T00:00:00Z");
    acd_slice leaf = make("leaf", "ee", "by=mid serial=22");
    h.says[0] = SAYS(ACD_REVOCATION_REVOKED);
    h.says[1] = SAYS(ACD_REVOCATION_UNKNOWN);
    acd_verdict v = ask(&h, ANCHORS("root", "own"), leaf, &mid, 1, 0);
    ck_assert_str_eq(h.asked, "1:22 0:11 ");
    ck_assert_str_eq(v.error, "X509_V_ERR_UNABLE_TO_GET_CRL");
    ck_assert_uint_eq(v.flags, 0);
}
END_TEST

/* The walk goes on where a certificate is revoked: another path may be good. */
START_TEST(another_path_is_tried)
{
    struct host h = {0};
    factory_clear(&factory);
    (void)make("root", "ca", "");
    (void)make("other", "ca", "");
    acd_slice inter[] = {make("one", "ca", "by=root subj=mid key=p256:m serial=11"),
                         make("two", "ca", "by=other subj=mid key=p256:m serial=12")};
    acd_slice leaf = make("leaf", "ee", "by=one serial=22");
    h.says[0] = SAYS(ACD_REVOCATION_REVOKED);
    acd_verdict v = ask(&h, ANCHORS("root", "other"), leaf, inter, 2, 0);
    ck_assert_uint_eq(v.result, ACD_VERIFIED);
    ck_assert_int_eq(v.anchor, 1);
    h.says[1] = SAYS(ACD_REVOCATION_REVOKED, .reason = 4);
    v = ask(&h, ANCHORS("root", "other"), leaf, inter, 2, 0);
    ck_assert_str_eq(v.error, "X509_V_ERR_CERT_REVOKED");
    ck_assert_uint_eq(v.revoked_reason, 0); /* of the failure that is reported, the first */
}
END_TEST

/* A host of before: smaller structs, and nothing is written behind them. */
START_TEST(hosts_of_before)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    acd_bundle *b = NULL;
    acd_err err = ACD_ERR_INIT;
    factory_clear(&factory);
    acd_anchor anchor = {sizeof(anchor), ACD_PROFILE_STRICT, make("root", "ca", "")};
    acd_bundle_spec spec = {.struct_size = sizeof(spec), .anchors = &anchor, .nanchors = 1};
    ck_assert_int_eq(ops->bundle_build(NULL, &spec, &b, &err), 0);
    acd_verify q = {.struct_size = offsetof(acd_verify, revocation),
                    .leaf = make("leaf", "ee", "by=root"),
                    .purpose = ACD_PURPOSE_SERVER,
                    .max_depth = -1,
                    .at_ms = T("2026-01-01T00:00:00Z"),
                    .revocation = host_says};
    acd_verdict v = {.struct_size = offsetof(acd_verdict, revoked_ms), .revoked_ms = 12345};
    ck_assert_int_eq(ops->verify(b, &q, NULL, &v, &err), 0);
    ck_assert_uint_eq(v.result, ACD_VERIFIED);
    ck_assert_int_eq(v.revoked_ms, 12345);
    ops->bundle_free(b);
}
END_TEST

Suite *suite_told(void);

Suite *
suite_told(void)
{
    Suite *s = suite_create("told");
    ADD_TESTS(s, "told", the_answer_decides, whose_word_counts, unknown_is_not_hidden_by_revoked,
              another_path_is_tried, hosts_of_before);
    return s;
}
