/* Making a CA and signing for requests: what is kept, what is left out, what is refused. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <anchord/plugin-validator.h>

#include "lib/main.h"

extern const acd_plugin acd_plugin_1_validator_openssl;
#define OPS ((const acd_validator_ops *)acd_plugin_1_validator_openssl.ops)

static const int64_t now_ms = 1767225600000, day_ms = 86400000;

struct bytes {
    uint8_t at[8192];
    size_t len;
};

static void
keep(struct bytes *b, acd_slice s)
{
    ck_assert_uint_le(s.len, sizeof(b->at));
    memcpy(b->at, s.ptr, s.len);
    b->len = s.len;
}

static acd_slice
slice(const struct bytes *b)
{
    return (acd_slice){b->at, b->len};
}

static int
on_key(void *ctx, acd_slice key)
{
    keep(ctx, key);
    return 0;
}

static int
on_cert(void *ctx, const acd_certinfo *c)
{
    keep(ctx, c->der);
    return 0;
}

struct found {
    char codes[512], subject[256];
    int facts;
};

static int
on_csr(void *ctx, const acd_csrinfo *i)
{
    struct found *f = ctx;
    (void)snprintf(f->subject, sizeof(f->subject), "%.*s", (int)i->subject.len, (const char *)i->subject.ptr);
    f->facts++;
    return 0;
}

static int
on_finding(void *ctx, const acd_finding *n)
{
    struct found *f = ctx;
    size_t at = strlen(f->codes);
    (void)snprintf(f->codes + at, sizeof(f->codes) - at, "%s%s%s", at ? " " : "",
                   n->severity == ACD_SEV_WARNING ? "~" : "", n->code);
    return 0;
}

static struct bytes ca_key, ca;

static void
setup(void)
{
    acd_err err = ACD_ERR_INIT;
    ck_assert_int_eq(OPS->key_make(NULL, ACD_KEY_P256, on_key, &ca_key, &err), 0);
    const acd_make_ca what = {.struct_size = sizeof(what),
                              .key = slice(&ca_key),
                              .common_name = {"Test CA", 7},
                              .organization = {"Org", 3},
                              .not_before_ms = now_ms,
                              .not_after_ms = now_ms + 100 * day_ms};
    ck_assert_msg(OPS->ca_make(NULL, &what, on_cert, &ca, &err) == 0, "%s", err.text);
}

/* A request; the extension is "name=value" for OpenSSL, NULL for none. */
struct wish {
    const char *cn, *ext1[2], *ext2[2];
    EVP_PKEY *key; /* NULL: P-256 */
    const EVP_MD *md;
    int serial_in_subject;
};

static void
add(STACK_OF(X509_EXTENSION) * to, const char *const ext[2])
{
    X509_EXTENSION *e = ext[0] ? X509V3_EXT_conf(NULL, NULL, ext[0], ext[1]) : NULL;
    if (e)
        sk_X509_EXTENSION_push(to, e);
}

static void
name(X509_REQ *req, const char *field, const char *value)
{
    ck_assert_int_eq(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), field, MBSTRING_ASC,
                                                (const unsigned char *)value, -1, -1, 0),
                     1);
}

static acd_slice
request(const struct wish *w)
{
    static unsigned char der[8192];
    unsigned char *p = der;
    EVP_PKEY *key = w->key ? w->key : EVP_EC_gen("P-256");
    X509_REQ *req = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
    if (w->cn)
        name(req, "CN", w->cn);
    if (w->serial_in_subject)
        name(req, "serialNumber", "1");
    X509_REQ_set_pubkey(req, key);
    add(exts, w->ext1);
    add(exts, w->ext2);
    if (sk_X509_EXTENSION_num(exts))
        X509_REQ_add_extensions(req, exts);
    ck_assert_int_gt(X509_REQ_sign(req, key, w->md ? w->md : EVP_sha256()), 0);
    int len = i2d_X509_REQ(req, &p);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    X509_REQ_free(req);
    EVP_PKEY_free(key);
    ck_assert_int_gt(len, 0);
    return (acd_slice){der, (size_t)len};
}

static int
sign(acd_slice csr, int64_t from, int64_t until, acd_slice key, struct bytes *ret)
{
    acd_err err = ACD_ERR_INIT;
    const acd_sign what = {.struct_size = sizeof(what),
                           .csr = csr,
                           .ca = slice(&ca),
                           .key = key,
                           .not_before_ms = from,
                           .not_after_ms = until};
    return OPS->client_sign(NULL, &what, on_cert, ret, &err);
}

static X509 *
parse(const struct bytes *b)
{
    const unsigned char *p = b->at;
    X509 *x = d2i_X509(NULL, &p, (long)b->len);
    ck_assert_ptr_nonnull(x);
    return x;
}

START_TEST(findings_by_request)
{
    const struct {
        struct wish wish;
        const char *codes, *subject;
    } cases[] = {
        {{.cn = "bob"}, "", "CN=bob"},
        {{.cn = "bob", .serial_in_subject = 1}, "~csr.subject_left_out", "CN=bob"},
        {{.cn = "bob", .ext1 = {"basicConstraints", "CA:TRUE"}}, "~csr.extensions_left_out", "CN=bob"},
        {{.cn = "bob", .ext1 = {"subjectAltName", "DNS:a.example,RID:1.2.3"}},
         "~csr.names_left_out",
         "CN=bob"},
        {{.ext1 = {"subjectAltName", "URI:spiffe://a/b"}}, "", ""},
        {{.ext1 = {"subjectAltName", "RID:1.2.3"}}, "~csr.names_left_out csr.nameless", NULL},
        {{.cn = "bob", .ext1 = {"subjectAltName", "DNS:a b"}}, "csr.names", NULL},
        {{.cn = "bob",
          .ext1 = {"subjectAltName", "DNS:a.example"},
          .ext2 = {"subjectAltName", "DNS:b.example"}},
         "csr.names",
         NULL},
        {{.cn = NULL}, "csr.nameless", NULL},
        {{.cn = "bob", .md = EVP_sha1()}, "csr.signature_algorithm", NULL},
        {{.cn = "bob", .key = EVP_RSA_gen(1024)}, "csr.key", NULL},
        {{.cn = "bob", .key = EVP_EC_gen("secp256k1")}, "csr.key", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct found f = {.facts = 0};
        struct bytes cert;
        acd_slice csr = request(&cases[i].wish);
        ck_assert_int_eq(OPS->inspect_csr(NULL, csr, on_csr, on_finding, &f, NULL), 0);
        ck_assert_msg(strcmp(f.codes, cases[i].codes) == 0, "case %zu: '%s', not '%s'", i, f.codes,
                      cases[i].codes);
        ck_assert_int_eq(f.facts, cases[i].subject != NULL);
        if (cases[i].subject)
            ck_assert_str_eq(f.subject, cases[i].subject);
        ck_assert_int_eq(sign(csr, now_ms, now_ms + day_ms, slice(&ca_key), &cert),
                         cases[i].subject ? 0 : ACD_EINVAL);
    }
}
END_TEST

/* The bits that the request's own signature protects. */
START_TEST(a_forged_request_is_refused)
{
    struct found f = {.facts = 0};
    acd_slice csr = request(&(struct wish){.cn = "bob"});
    uint8_t *p = memmem(csr.ptr, csr.len, "bob", 3);
    p[0] = 'B';
    ck_assert_int_eq(OPS->inspect_csr(NULL, csr, on_csr, on_finding, &f, NULL), 0);
    ck_assert_str_eq(f.codes, "csr.signature");
}
END_TEST

/* Whatever was asked for, a leaf for clients comes out, and the CA's key signed it. */
START_TEST(the_certificate_is_a_client_leaf)
{
    struct bytes der;
    acd_slice csr = request(&(struct wish){.cn = "bob",
                                           .ext1 = {"basicConstraints", "critical,CA:TRUE"},
                                           .ext2 = {"keyUsage", "critical,keyCertSign"}});
    ck_assert_int_eq(sign(csr, now_ms, now_ms + day_ms, slice(&ca_key), &der), 0);
    X509 *x = parse(&der), *issuer = parse(&ca);
    ck_assert_int_eq(X509_check_ca(x), 0);
    ck_assert_uint_eq(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
    ck_assert_uint_eq(X509_get_extended_key_usage(x), XKU_SSL_CLIENT);
    ck_assert_int_eq(X509_get_ext_count(x), 5);
    ck_assert_int_eq(X509_verify(x, X509_get0_pubkey(issuer)), 1);
    ck_assert_int_eq(X509_check_issued(issuer, x), X509_V_OK);
    ck_assert_int_eq(ASN1_STRING_length(X509_get0_serialNumber(x)), 17);
    ck_assert_int_eq(X509_check_ca(issuer), 1);
    ck_assert_int_eq((int)X509_get_pathlen(issuer), 0);
    ck_assert_uint_eq(X509_get_key_usage(issuer), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    X509_free(x);
    X509_free(issuer);
}
END_TEST

START_TEST(names_without_a_subject_are_critical)
{
    struct bytes der;
    int critical = 0;
    acd_slice csr = request(&(struct wish){.ext1 = {"subjectAltName", "DNS:a.example"}});
    ck_assert_int_eq(sign(csr, now_ms, now_ms + day_ms, slice(&ca_key), &der), 0);
    X509 *x = parse(&der);
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
    ck_assert_int_eq(critical, 1);
    ck_assert_int_eq(sk_GENERAL_NAME_num(names), 1);
    GENERAL_NAMES_free(names);
    X509_free(x);
}
END_TEST

START_TEST(dates_and_keys_must_be_those_of_the_ca)
{
    struct bytes der, other = {.len = 0};
    acd_slice csr = request(&(struct wish){.cn = "bob"});
    ck_assert_int_eq(OPS->key_make(NULL, ACD_KEY_RSA2048, on_key, &other, NULL), 0);
    ck_assert_int_eq(sign(csr, now_ms, now_ms + day_ms, slice(&other), &der), ACD_EINVAL);
    ck_assert_int_eq(sign(csr, now_ms, now_ms + day_ms, (acd_slice){"x", 1}, &der), ACD_EINVAL);
    ck_assert_int_eq(sign(csr, now_ms - day_ms, now_ms, slice(&ca_key), &der), ACD_EINVAL);
    ck_assert_int_eq(sign(csr, now_ms, now_ms + 101 * day_ms, slice(&ca_key), &der), ACD_EINVAL);
    ck_assert_int_eq(sign(csr, now_ms + day_ms, now_ms, slice(&ca_key), &der), ACD_EINVAL);
    ck_assert_int_eq(sign(csr, now_ms, now_ms + 100 * day_ms, slice(&ca_key), &der), 0);
    ck_assert_int_eq(OPS->key_make(NULL, 77, on_key, &other, NULL), ACD_EINVAL);
}
END_TEST

Suite *suite_sign(void);

Suite *
suite_sign(void)
{
    Suite *s = suite_create("sign");
    TCase *c = tcase_create("sign");
    const TTest *tests[] = {findings_by_request, a_forged_request_is_refused,
                            the_certificate_is_a_client_leaf, names_without_a_subject_are_critical,
                            dates_and_keys_must_be_those_of_the_ca};
    tcase_add_checked_fixture(c, setup, NULL);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
