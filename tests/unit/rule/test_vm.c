#include <stdlib.h>

#include "unit/rule/common.h"

static unsigned filled[RULE_F_STANDARD];

static int
fill_host(void *arg, unsigned f, struct rule_value *ret)
{
    filled[f]++;
    if (f == RULE_F_HTTP_HOST)
        *ret = rule_bytes_value(arg, strlen(arg));
    return f == RULE_F_IP_SRC ? ACD_EUNAVAIL : 0;
}

/* A field is asked for when a program first needs it, once until the context is reset. */
START_TEST(lazy_fields)
{
    struct fixture f;
    fixture_open(&f);
    f.ctx->fill = fill_host;
    f.ctx->arg = "a";
    memset(filled, 0, sizeof(filled));
    ck_assert_int_eq(eval(&f, "http.host eq \"a\" or http.referer eq \"b\""), RULE_TRUE);
    ck_assert_int_eq(eval(&f, "lower(http.host) eq \"a\" and http.host ne \"b\""), RULE_TRUE);
    ck_assert_uint_eq(filled[RULE_F_HTTP_HOST], 1);
    ck_assert_uint_eq(filled[RULE_F_HTTP_REFERER], 0);
    ck_assert_int_eq(eval(&f, "http.referer ne \"b\""), RULE_FALSE); /* asked, and missing */
    ck_assert_int_eq(eval(&f, "not http.referer eq \"b\""), RULE_TRUE);
    ck_assert_uint_eq(filled[RULE_F_HTTP_REFERER], 1);
    rule_ctx_reset(f.ctx);
    ck_assert_int_eq(eval(&f, "http.host eq \"a\""), RULE_TRUE);
    ck_assert_uint_eq(filled[RULE_F_HTTP_HOST], 2);
    fixture_close(&f);
}
END_TEST

START_TEST(field_that_fails)
{
    static const char *const all[] = {"ip.src eq 1.2.3.4", "not ip.src eq 1.2.3.4",
                                      "cidr(ip.src, 8, 8) eq 1.0.0.0", "ssl or ip.src in {::/0}"};
    struct fixture f;
    struct rule_result r;
    fixture_open(&f);
    f.ctx->fill = fill_host;
    f.ctx->arg = "a";
    for (size_t i = 0; i < 4; i++) {
        struct rule_prog *p = compile(&f, all[i]);
        ck_assert_int_eq(rule_eval(p, f.ctx, &r), RULE_FAILED);
        ck_assert_int_eq(r.code, ACD_EUNAVAIL);
        ck_assert_ptr_nonnull(r.reason);
        rule_free(p);
    }
    ck_assert_int_eq(eval(&f, "true or ip.src eq 1.2.3.4"), RULE_TRUE);
    fixture_close(&f);
}
END_TEST

/* Beyond the budget there is a reason and no match, also under `not`. */
START_TEST(budget)
{
    struct fixture f;
    struct rule_result r;
    fixture_open(&f);
    set_text(&f, "http.host",
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    static const char *const all[] = {"not http.host contains \"b\" and not http.host contains \"c\"",
                                      "http.host matches \"a+b?\" or not http.host matches \"c|d\"",
                                      "upper(http.host) ne lower", "not http.host wildcard \"*b*c*\""};
    for (size_t i = 0; i < 4; i++) {
        struct rule_prog *p = compile(&f, i == 2 ? "upper(http.host) ne \"lower\" or ssl" : all[i]);
        f.ctx->steps_max = RULE_STEPS_MAX;
        ck_assert_int_ne(rule_eval(p, f.ctx, &r), RULE_FAILED);
        uint64_t need = r.steps;
        f.ctx->steps_max = need;
        ck_assert_int_ne(rule_eval(p, f.ctx, &r), RULE_FAILED);
        f.ctx->steps_max = 3;
        ck_assert_int_eq(rule_eval(p, f.ctx, &r), RULE_FAILED);
        ck_assert_int_eq(r.code, ACD_ELIMIT);
        ck_assert_ptr_nonnull(strstr(r.reason, "steps"));
        rule_free(p);
    }
    fixture_close(&f);
}
END_TEST

START_TEST(scratch_is_bounded)
{
    struct fixture f;
    struct rule_result r;
    fixture_open(&f);
    rule_ctx_free(f.ctx);
    ck_assert_int_eq(rule_ctx_new(f.scheme, 64, &f.ctx), 0);
    char *text = malloc(101);
    memset(text, 'A', 100);
    text[100] = '\0';
    set_text(&f, "http.host", text);
    struct rule_value items[30];
    for (int i = 0; i < 30; i++)
        items[i] = rule_bytes_value("a", 1);
    rule_ctx_set(f.ctx, field(&f, "http.request.headers.names"), rule_array_value(items, 30));
    static const char *const all[] = {
        "not lower(http.host) eq \"x\"",
        "not http.host wildcard \"*a*b*\"",
        "not concat(http.host, http.host) eq \"x\"",
        "not url_decode(http.host) eq \"x\"",
        "not all(lower(http.request.headers.names[*])[*] eq \"a\")",
        "not any((http.request.headers.names[*] eq \"b\" or http.request.headers.names[*] eq \"b\" or "
        "http.request.headers.names[*] eq \"b\"))",
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct rule_prog *p = compile(&f, all[i]);
        ck_assert_msg(rule_eval(p, f.ctx, &r) == RULE_FAILED, "%s", all[i]);
        ck_assert_ptr_nonnull(strstr(r.reason, "memory"));
        rule_free(p);
    }
    free(text);
    fixture_close(&f);
}
END_TEST

/* Steps of expressions that are made to hurt, on values of n and 2n bytes: twice the length, about twice the
 * cost. */
START_TEST(cost_is_linear)
{
    static const char *const all[] = {
        "http.host matches \"^(a+)+$\"",
        "http.host matches \"(a|a)*b\"",
        "http.host matches \"(a?){30}a{30}b\"",
        "http.host matches \"(.*)(.*)(.*)x\"",
        "http.host strict wildcard \"*a*a*a*a*a*a*a*b\"",
        "http.host wildcard \"*A*a*A*a*b*\"",
        "http.host contains \"aaaaaaaaaaaaaaaaaaaaaaaaaaab\"",
        "url_decode(http.host, \"r\") contains \"b\"",
        "lookup_json_string(http.host, \"a\") eq \"x\"",
        "remove_bytes(http.host, \"bcd\") eq \"x\"",
        "lower(upper(lower(upper(http.host)))) eq \"x\"",
    };
    enum { LEN = 20000 };
    struct fixture f;
    fixture_open(&f);
    char *text = malloc(2 * LEN);
    memset(text, 'a', 2 * LEN);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct rule_prog *p = compile(&f, all[i]);
        struct rule_result once, twice;
        rule_ctx_set(f.ctx, RULE_F_HTTP_HOST, rule_bytes_value(text, LEN));
        ck_assert_int_ne(rule_eval(p, f.ctx, &once), RULE_FAILED);
        rule_ctx_set(f.ctx, RULE_F_HTTP_HOST, rule_bytes_value(text, 2 * LEN));
        ck_assert_int_ne(rule_eval(p, f.ctx, &twice), RULE_FAILED);
        ck_assert_msg(twice.steps <= 2 * once.steps + 16 && twice.steps > once.steps, "%s: %llu, %llu",
                      all[i], (unsigned long long)once.steps, (unsigned long long)twice.steps);
        rule_free(p);
    }
    free(text);
    fixture_close(&f);
}
END_TEST

START_TEST(constants_fold)
{
    static const struct {
        const char *text;
        uint64_t steps; /* including the end */
    } cases[] = {{"true", 1},
                 {"false and http.host eq \"a\"", 1},
                 {"ssl or true", 1},
                 {"not (true xor true) and ssl", 2},
                 {"http.host in {}", 1},
                 {"ssl and not false", 2},
                 {"ssl xor true", 2},
                 {"not not not ssl", 2}};
    struct fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rule_prog *p = compile(&f, cases[i].text);
        struct rule_result r;
        ck_assert_int_ne(rule_eval(p, f.ctx, &r), RULE_FAILED);
        ck_assert_msg(r.steps == cases[i].steps, "%s: %llu", cases[i].text, (unsigned long long)r.steps);
        rule_free(p);
    }
    fixture_close(&f);
}
END_TEST

START_TEST(fields_of_a_program)
{
    struct fixture f;
    unsigned n;
    fixture_open(&f);
    struct rule_prog *p =
        compile(&f, "any(starts_with(http.request.headers.names[*], http.host)) or ssl and ssl");
    const uint16_t *reads = rule_fields(p, &n);
    ck_assert_uint_eq(n, 3);
    ck_assert(reads[0] < reads[1] && reads[1] < reads[2]);
    ck_assert(rule_reads(p, RULE_F_HTTP_HOST) && rule_reads(p, RULE_F_SSL) && !rule_reads(p, RULE_F_IP_SRC));
    ck_assert(
        slice_eqs(rule_text(p), "any(starts_with(http.request.headers.names[*], http.host)) or ssl and ssl"));
    rule_free(p);
    fixture_close(&f);
}
END_TEST

Suite *suite_vm(void);

Suite *
suite_vm(void)
{
    Suite *s = suite_create("vm");
    ADD_TESTS(s, "context", lazy_fields, field_that_fails);
    ADD_TESTS(s, "bounds", budget, scratch_is_bounded, cost_is_linear);
    ADD_TESTS(s, "program", constants_fold, fields_of_a_program);
    return s;
}
