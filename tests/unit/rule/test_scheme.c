#include "unit/rule/common.h"

START_TEST(standard_fields)
{
    struct rule_scheme *s;
    ck_assert_int_eq(rule_scheme_new(true, &s), 0);
    ck_assert_uint_eq(s->nfields, RULE_F_STANDARD);
    ck_assert_int_eq(rule_scheme_find_field(s, SLICE_LIT("http.host")), RULE_F_HTTP_HOST);
    ck_assert_int_eq(rule_scheme_find_field(s, SLICE_LIT("anchord.cert_trusted")),
                     RULE_F_ANCHORD_CERT_TRUSTED);
    ck_assert_int_lt(rule_scheme_find_field(s, SLICE_LIT("http.response.code")), 0);
    for (unsigned i = 0; i < s->nfields; i++) {
        ck_assert(rule_name_valid(slice_of(s->fields[i].name, s->fields[i].name_len)));
        ck_assert_uint_gt(strlen(s->fields[i].doc), 0);
        ck_assert_ptr_null(rule_func_find(slice_str(s->fields[i].name)));
    }
    ck_assert(rule_type_is_map(s->fields[RULE_F_HTTP_REQUEST_HEADERS].type));
    rule_scheme_free(s);
}
END_TEST

START_TEST(own_fields)
{
    struct rule_scheme *s;
    acd_err err = ACD_ERR_INIT;
    struct rule_type t = RULE_TYPE(RULE_INT);
    ck_assert_int_eq(rule_scheme_new(true, &s), 0);
    ck_assert_int_eq(rule_scheme_add_field(s, SLICE_LIT("x.y"), t, &err), 0);
    ck_assert_int_eq(rule_scheme_add_field(s, SLICE_LIT("x.y"), t, &err), 0);
    ck_assert_int_eq(rule_scheme_add_field(s, SLICE_LIT("x.y"), RULE_TYPE(RULE_IP), &err), ACD_EEXIST);
    ck_assert_int_eq(rule_scheme_add_field(s, SLICE_LIT("lower"), t, &err), ACD_EEXIST);
    static const char *const bad[] = {"", ".x", "x.", "x..y", "x y", "x-y", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(rule_scheme_add_field(s, slice_str(bad[i]), t, &err), ACD_EINVAL);
    ck_assert_int_eq(rule_scheme_add_field(s, SLICE_LIT("x.z"), (struct rule_type){0}, &err), ACD_EINVAL);
    int r = 0;
    for (int i = 0; r == 0 && i <= RULE_FIELDS_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "f%d", i);
        r = rule_scheme_add_field(s, slice_str(name), t, &err);
    }
    ck_assert_int_eq(r, ACD_ELIMIT);
    ck_assert_uint_eq(s->nfields, RULE_FIELDS_MAX);
    rule_scheme_free(s);
}
END_TEST

START_TEST(lists)
{
    struct rule_scheme *s;
    struct rule_value v = RULE_INT_VALUE(1);
    acd_err err = ACD_ERR_INIT;
    ck_assert_int_eq(rule_scheme_new(true, &s), 0);
    ck_assert_int_eq(rule_scheme_add_list(s, SLICE_LIT("a.b"), RULE_INT, &v, &v, 1, &err), 0);
    ck_assert_int_eq(rule_scheme_add_list(s, SLICE_LIT("a.b"), RULE_INT, &v, &v, 1, &err), ACD_EEXIST);
    ck_assert_int_eq(rule_scheme_add_list(s, SLICE_LIT("A"), RULE_INT, &v, &v, 1, &err), ACD_EINVAL);
    ck_assert_int_eq(rule_scheme_add_list(s, SLICE_LIT(".a"), RULE_INT, &v, &v, 1, &err), ACD_EINVAL);
    ck_assert_int_eq(rule_scheme_add_list(s, SLICE_LIT("c"), RULE_BYTES, &v, &v, 1, &err), ACD_EINVAL);
    ck_assert(rule_set_has_int(rule_scheme_find_list(s, SLICE_LIT("a.b"))->set, 1));
    ck_assert_ptr_null(rule_scheme_find_list(s, SLICE_LIT("b")));
    rule_scheme_free(s);
}
END_TEST

START_TEST(warning_about_revocation)
{
    struct fixture f;
    static const struct {
        const char *text;
        bool warns;
    } cases[] = {
        {"not cf.tls_client_auth.cert_verified", true},
        {"cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked", false},
        {"anchord.cert_trusted or cf.tls_client_auth.cert_verified", false},
        {"has_value(anchord.cert_san_dns, \"a\") and not (ssl and cf.tls_client_auth.cert_verified)", true},
        {"ssl", false},
    };
    fixture_open(&f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rule_prog *p = compile(&f, cases[i].text);
        ck_assert_msg((rule_warning(p) != NULL) == cases[i].warns, "%s", cases[i].text);
        rule_free(p);
    }
    fixture_close(&f);
}
END_TEST

Suite *suite_scheme(void);

Suite *
suite_scheme(void)
{
    Suite *s = suite_create("scheme");
    ADD_TESTS(s, "scheme", standard_fields, own_fields, lists, warning_about_revocation);
    return s;
}
