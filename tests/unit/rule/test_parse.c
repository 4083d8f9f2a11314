#include "rule/print.h"
#include "unit/rule/common.h"

static unsigned
all_errors(const char *text, struct rule_error errors[RULE_ERRORS_MAX], unsigned max)
{
    struct rule_scheme *s;
    struct mem_region region;
    unsigned n = 0;
    ck_assert_int_eq(rule_scheme_new(true, &s), 0);
    mem_init(&region, 4096, 0);
    int r = rule_parse_all(s, slice_str(text), &region, errors, max, &n);
    ck_assert_int_eq(r, n ? ACD_EINVAL : 0);
    mem_done(&region);
    rule_scheme_free(s);
    return n;
}

START_TEST(several_errors)
{
    struct rule_error e[RULE_ERRORS_MAX];
    ck_assert_uint_eq(
        all_errors("bogus eq \"and\" and http.host eq POST or (foo.bar or ip.src in {1.2.3/4}) or not "
                   "lower(\"a\") eq \"x\" and ssl",
                   e, RULE_ERRORS_MAX),
        5);
    ck_assert(e[0].kind == RULE_E_IDENTIFIER && e[0].at == 0);
    ck_assert(e[1].kind == RULE_E_VALUE && e[1].at == 32);
    ck_assert(e[2].kind == RULE_E_IDENTIFIER && e[2].at == 41);
    ck_assert(e[3].kind == RULE_E_VALUE && e[3].at == 63);
    ck_assert(e[4].kind == RULE_E_ARGUMENTS && e[4].at == 86);
}
END_TEST

/* What depends on a refused operand is not judged, and an error whose extent is open ends the run. */
START_TEST(resumption_is_sound)
{
    struct rule_error e[RULE_ERRORS_MAX];
    ck_assert_uint_eq(all_errors("bogus and ssl", e, RULE_ERRORS_MAX), 1);
    ck_assert_uint_eq(all_errors("not bogus", e, RULE_ERRORS_MAX), 1);
    ck_assert_uint_eq(all_errors("any((bogus and ssl))", e, RULE_ERRORS_MAX), 1);
    ck_assert_uint_eq(all_errors("bogus or http.host eq \"x and bogus", e, RULE_ERRORS_MAX), 2);
    ck_assert_uint_eq(all_errors("bogus or ssl eq 1 or bogus", e, RULE_ERRORS_MAX), 2);
    ck_assert_uint_eq(all_errors("bogus or bogus or bogus", e, 2), 2);
    ck_assert_uint_eq(all_errors("ssl or ssl", e, RULE_ERRORS_MAX), 0);
}
END_TEST

static void
check_form(const char *text, const char *expected)
{
    struct rule_scheme *s;
    struct mem_region region;
    struct rule_error error;
    struct ast ast;
    struct buf out = BUF_INIT(4096);
    ck_assert_int_eq(rule_scheme_new(true, &s), 0);
    mem_init(&region, 4096, 0);
    ck_assert_int_eq(rule_parse(s, slice_str(text), &region, &ast, &error), ACD_EINVAL);
    rule_error_print(&out, slice_str(text), &error);
    ck_assert_int_eq(strncmp(out.data, expected, strlen(expected)), 0);
    mem_done(&region);
    rule_scheme_free(s);
    buf_done(&out);
}

START_TEST(form_for_people)
{
    check_form("ssl and\n  bogus or\nssl", "Filter parsing error (2:3):\n  bogus or\n  ^^^^^ unknown");
    check_form("ssl and", "Filter parsing error (1:8):\nssl and\n       ^ expected");
    check_form("http.host eq \"a\nb", "Filter parsing error (1:15):\nhttp.host eq \"a\n              ^ the");
    check_form("", "Filter parsing error (1:1):\n\n^ expected");
}
END_TEST

/* A region without room is "out of memory", never a wrong tree. */
START_TEST(region_is_full)
{
    struct rule_scheme *s;
    struct rule_error error;
    struct ast ast;
    static const char text[] = "http.host in {\"a\" \"b\"} and lower(http.host) eq \"c\"";
    int r = ACD_ENOMEM;
    ck_assert_int_eq(rule_scheme_new(true, &s), 0);
    for (size_t limit = 64; r == ACD_ENOMEM; limit += 64) {
        struct mem_region region;
        mem_init(&region, 64, limit);
        r = rule_parse(s, SLICE_LIT(text), &region, &ast, &error);
        ck_assert(r == 0 || r == ACD_ENOMEM);
        mem_done(&region);
        ck_assert_uint_lt(limit, 1 << 20);
    }
    rule_scheme_free(s);
}
END_TEST

Suite *suite_parse(void);

Suite *
suite_parse(void)
{
    Suite *s = suite_create("parse");
    ADD_TESTS(s, "parse", several_errors, resumption_is_sound, form_for_people, region_is_full);
    return s;
}

static void
check_print(const char *text, const char *expected)
{
    struct fixture f;
    struct buf out = BUF_INIT(8192);
    fixture_open(&f);
    struct rule_prog *p = compile(&f, text);
    rule_print(&out, f.scheme, rule_tree(p));
    ck_assert_str_eq(out.data, expected);
    rule_free(p);
    buf_done(&out);
    fixture_close(&f);
}

START_TEST(canonical)
{
    check_print(" ( ssl )&&!  ssl", "ssl and not ssl");
    check_print("ssl or(ssl and ssl)or ssl", "ssl or ssl and ssl or ssl");
    check_print("ssl and(ssl or ssl)", "ssl and (ssl or ssl)");
    check_print("ssl and(ssl and ssl)", "ssl and (ssl and ssl)");
    check_print("!(ssl^^ssl)", "not (ssl xor ssl)");
    check_print("http.host==r\"a\\b\"", "http.host eq \"a\\\\b\"");
    check_print("http.host eq 00:ff", "http.host eq \"\\x00\\xff\"");
    check_print("http.host~r#\"a\"b\"#", "http.host matches r#\"a\"b\"#");
    check_print("http.host~r\"a\\.[b]\"", "http.host matches \"a\\.[b]\"");
    check_print("cf.edge.server_port in{0x10..020 1}", "cf.edge.server_port in {16 1}");
    check_print("cf.edge.server_port in{-3..3}", "cf.edge.server_port in {-3..3}");
    check_print("ip.src in{10.0.0.0..10.255.255.255 ::1/128 1.1.1.1..1.1.1.2}",
                "ip.src in {10.0.0.0/8 ::1 1.1.1.1..1.1.1.2}");
    check_print("any( (http.request.headers[ \"a\" ][ * ]==\"1\" or http.request.headers[*][0x1]eq\"\"))",
                "any((http.request.headers[\"a\"][*] eq \"1\" or http.request.headers[*][1] eq \"\"))");
    check_print("concat( http.host,\"a\" )eq\"b\"", "concat(http.host, \"a\") eq \"b\"");
}
END_TEST

Suite *suite_print(void);

Suite *
suite_print(void)
{
    Suite *s = suite_create("print");
    ADD_TESTS(s, "print", canonical);
    return s;
}
