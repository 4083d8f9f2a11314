/* What a proxy forwards to /auth. */
#include "forwarded.h"

#include <string.h>

#include "base/str.h"
#include "lib/main.h"

static struct mem_region region;

static void
setup(void)
{
    mem_init(&region, 4096, 1 << 20);
}

static void
teardown(void)
{
    mem_done(&region);
}

#define BEGIN "-----BEGIN%20CERTIFICATE-----%0A"
#define END   "-----END%20CERTIFICATE-----%0A"

/* --- the form --- */

START_TEST(targets_of_the_hook)
{
    static const char *const ours[] = {"/auth", "/auth/", "/auth?x", "/auth/anything"};
    static const char *const others[] = {"/", "/aut", "/authx", "/AUTH", "auth", "//auth", ""};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        ck_assert_msg(hook_is(slice_str(ours[i])), "%s", ours[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        ck_assert_msg(!hook_is(slice_str(others[i])), "%s", others[i]);
}
END_TEST

START_TEST(words_of_the_form)
{
    struct hook_form f;
    ck_assert(hook_form_read(SLICE_LIT("/auth"), &f));
    ck_assert(f.cert == HOOK_ESCAPED_PEM && !f.optional && !f.only_403 && !f.request);
    ck_assert(hook_form_read(SLICE_LIT("/auth/only-403/digest/optional"), &f));
    ck_assert(f.cert == HOOK_DIGEST && f.optional && f.only_403 && !f.request);
    ck_assert(hook_form_read(SLICE_LIT("/auth/client-cert/request/a//b/optional?c=d"), &f));
    ck_assert(f.cert == HOOK_CLIENT_CERT && !f.optional && f.request);
    ck_assert(slice_eqs(f.uri, "/a//b/optional?c=d"));
    ck_assert(hook_form_read(SLICE_LIT("/auth/request"), &f));
    ck_assert(f.request && slice_eqs(f.uri, "/"));
}
END_TEST

START_TEST(no_form)
{
    static const char *const bad[] = {"/auth/",
                                      "/auth?x",
                                      "/auth/optional?x",
                                      "/auth/optional/",
                                      "/auth/optional/optional",
                                      "/auth/digest/client-cert",
                                      "/auth/only-403/only-403",
                                      "/auth/request?x",
                                      "/auth/requests",
                                      "/auth/Optional",
                                      "/other"};
    struct hook_form f;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!hook_form_read(slice_str(bad[i]), &f), "%s", bad[i]);
}
END_TEST

/* --- PEM --- */

static const char *
pem(const char *text, struct forwarded *f)
{
    const char *why = NULL;
    bool good = forwarded_pem(&region, slice_str(text), f, &why);
    ck_assert(good == !why);
    return why;
}

START_TEST(pem_is_read)
{
    struct forwarded f;
    ck_assert_ptr_null(pem("", &f));
    ck_assert_uint_eq(f.n, 0);
    ck_assert_ptr_null(pem(BEGIN "YWJj%0AZGVm%0d%0aZw%3D%3d%0A" END, &f));
    ck_assert_uint_eq(f.n, 1);
    ck_assert(slice_eqs(f.ders[0], "abcdefg"));
    ck_assert_ptr_null(pem(BEGIN "YWJj%0A" END BEGIN "ZGVm%0A" END "%0A%0A", &f));
    ck_assert_uint_eq(f.n, 2);
    ck_assert(slice_eqs(f.ders[0], "abc") && slice_eqs(f.ders[1], "def"));
    ck_assert_ptr_null(pem("-----BEGIN CERTIFICATE-----\tYWJj\t-----END CERTIFICATE-----", &f));
    ck_assert(slice_eqs(f.ders[0], "abc"));
}
END_TEST

START_TEST(pem_is_refused)
{
    static const char *const bad[] = {"%",
                                      "%0",
                                      "%zz",
                                      "x",
                                      BEGIN,
                                      BEGIN "YWJj",
                                      BEGIN END,
                                      BEGIN "YWJ%0A" END,
                                      BEGIN "YW%2DJj%0A" END,
                                      BEGIN "YWJj" BEGIN "YWJj" END,
                                      "a comment" BEGIN "YWJj" END,
                                      BEGIN "YWJj" END "more",
                                      "-----BEGIN%20X509%20CERTIFICATE-----%0AYWJj" END,
                                      BEGIN "YW%00Jj" END};
    struct forwarded f;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(pem(bad[i], &f) != NULL, "%s", bad[i]);
}
END_TEST

START_TEST(pem_is_bounded)
{
    static const char one[] = "-----BEGIN CERTIFICATE-----YWJj-----END CERTIFICATE-----";
    char all[(LIMIT_CHAIN + 1) * sizeof(one)] = "";
    struct forwarded f;
    for (int i = 0; i < LIMIT_CHAIN; i++)
        strcat(all, one);
    ck_assert_ptr_null(pem(all, &f));
    ck_assert_uint_eq(f.n, LIMIT_CHAIN);
    strcat(all, one);
    ck_assert_str_eq(pem(all, &f), "the chain has too many certificates");
    char *big = mem_zalloc(&region, LIMIT_CERT_DER * 2);
    ck_assert_ptr_nonnull(big);
    strcpy(big, "-----BEGIN CERTIFICATE-----");
    memset(big + strlen(big), 'A', (LIMIT_CERT_DER / 3 + 1) * 4);
    strcat(big, "-----END CERTIFICATE-----");
    ck_assert_str_eq(pem(big, &f), "a certificate is too long");
}
END_TEST

/* --- RFC 9440 --- */

static const char *
client_cert(const char *leaf, const char *chain, struct forwarded *f)
{
    const char *why = NULL;
    bool good = forwarded_client_cert(&region, slice_str(leaf), slice_str(chain), f, &why);
    ck_assert(good == !why);
    return why;
}

START_TEST(client_cert_is_read)
{
    struct forwarded f;
    ck_assert_ptr_null(client_cert("", "", &f));
    ck_assert_uint_eq(f.n, 0);
    ck_assert_ptr_null(client_cert(" :YWJj: ", "", &f));
    ck_assert_uint_eq(f.n, 1);
    ck_assert_ptr_null(client_cert(":YWJj:", ":ZGVm:,\t:Zw==:", &f));
    ck_assert_uint_eq(f.n, 3);
    ck_assert(slice_eqs(f.ders[0], "abc") && slice_eqs(f.ders[1], "def") && slice_eqs(f.ders[2], "g"));
}
END_TEST

START_TEST(client_cert_is_refused)
{
    static const char *const bad[][2] = {{"YWJj", ""},          {":YWJj", ""},
                                         {":YWJ:", ""},         {"::", ""},
                                         {":YWJj:;a", ""},      {":YWJj:, :YWJj:", ""},
                                         {"", ":YWJj:"},        {":YWJj:", ":YWJj:,"},
                                         {":YWJj:", ",:YWJj:"}, {":YWJj:", ":YWJj: :YWJj:"},
                                         {":YWJj:", "x"},       {":YW Jj:", ""}};
    struct forwarded f;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(client_cert(bad[i][0], bad[i][1], &f) != NULL, "%s %s", bad[i][0], bad[i][1]);
}
END_TEST

START_TEST(digest_of_a_leaf)
{
    uint8_t leaf[DIGEST_LEN], want[DIGEST_LEN], got[DIGEST_LEN];
    char plain[2 * DIGEST_LEN + 1], pairs[3 * DIGEST_LEN + 1] = "";
    const acd_slice der = SLICE_LIT("a certificate");
    digest_sha256(der.ptr, der.len, leaf);
    digest_chain(&der, 1, want);
    hex_encode(leaf, sizeof(leaf), plain);
    ck_assert(forwarded_digest(slice_str(plain), got));
    ck_assert_mem_eq(got, want, sizeof(want));
    for (int i = 0; i < DIGEST_LEN; i++)
        (void)snprintf(pairs + 3 * i, 4, i + 1 < DIGEST_LEN ? "%02X:" : "%02X", leaf[i]);
    ck_assert(forwarded_digest(slice_str(pairs), got));
    ck_assert_mem_eq(got, want, sizeof(want));
    pairs[2] = '-';
    ck_assert(!forwarded_digest(slice_str(pairs), got));
    plain[0] = 'x';
    ck_assert(!forwarded_digest(slice_str(plain), got));
    ck_assert(!forwarded_digest(SLICE_LIT(""), got));
    ck_assert(!forwarded_digest(slice_of(plain, 40), got));
}
END_TEST

/* --- addresses and hosts --- */

START_TEST(last_of_forwarded_for)
{
    static const char *const cases[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"10.0.0.1, 192.0.2.1", "192.0.2.1"},
        {"a,b ,192.0.2.1:80 ", "192.0.2.1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"2001:db8::1", "2001:db8::1"},
        {"192.0.2.1,", ""},
        {"", ""},
        {" , ", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(slice_eqs(forwarded_for(slice_str(cases[i][0])), cases[i][1]), "%s", cases[i][0]);
}
END_TEST

START_TEST(address_bytes)
{
    uint8_t a[16];
    ck_assert_uint_eq(forwarded_address(SLICE_LIT("192.0.2.1"), a), 4);
    ck_assert_mem_eq(a, "\xc0\0\2\1", 4);
    ck_assert_uint_eq(forwarded_address(SLICE_LIT("2001:db8::1"), a), 16);
    ck_assert_uint_eq(a[0], 0x20);
    ck_assert_uint_eq(forwarded_address(SLICE_LIT("unix:"), a), 0);
    ck_assert_uint_eq(forwarded_address(SLICE_LIT(""), a), 0);
}
END_TEST

START_TEST(host_without_port)
{
    static const char *const cases[][2] = {
        {"a.example", "a.example"}, {"a.example:80", "a.example"}, {"[::1]:80", "[::1]"}, {"", ""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(slice_eqs(forwarded_host(slice_str(cases[i][0])), cases[i][1]), "%s", cases[i][0]);
}
END_TEST

Suite *suite_forwarded(void);

Suite *
suite_forwarded(void)
{
    Suite *s = suite_create("gateway/forwarded");
    TCase *tc = tcase_create("certificates");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, pem_is_read);
    tcase_add_test(tc, pem_is_refused);
    tcase_add_test(tc, pem_is_bounded);
    tcase_add_test(tc, client_cert_is_read);
    tcase_add_test(tc, client_cert_is_refused);
    tcase_add_test(tc, digest_of_a_leaf);
    suite_add_tcase(s, tc);
    ADD_TESTS(s, "form", targets_of_the_hook, words_of_the_form, no_form);
    ADD_TESTS(s, "addresses", last_of_forwarded_for, address_bytes, host_without_port);
    return s;
}
