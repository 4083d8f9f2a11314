#include "rule/explain.h"
#include "unit/rule/common.h"

static struct rule_explain *
explain(struct fixture *f, struct rule_prog *p)
{
    struct rule_explain *e;
    struct rule_result r;
    ck_assert_int_eq(rule_explain(p, f->ctx, &r, &e), 0);
    return e;
}

START_TEST(which_term_decided)
{
    struct fixture f;
    fixture_open(&f);
    set_text(&f, "http.host", "b");
    struct rule_prog *p = compile(&f, "ssl and http.host eq \"a\" or http.host in {\"b\" \"c\"} or ssl");
    struct rule_explain *e = explain(&f, p);
    const struct rule_term *root = rule_explain_root(e), *first = root->kids, *second = first->next;
    ck_assert_str_eq(root->op, "or");
    ck_assert_int_eq(root->state, RULE_TERM_TRUE);
    ck_assert(!first->decided && first->state == RULE_TERM_FALSE);
    ck_assert_int_eq(first->kids->next->state, RULE_TERM_SKIPPED);
    ck_assert(second->decided && second->state == RULE_TERM_TRUE && second->has_value);
    ck_assert(slice_eqs(second->value.bytes, "b"));
    ck_assert(slice_eqs(second->text, "http.host in {\"b\" \"c\"}"));
    ck_assert(!second->next->decided && second->next->state == RULE_TERM_SKIPPED);
    rule_explain_free(e);
    rule_free(p);
    fixture_close(&f);
}
END_TEST

START_TEST(text_and_json)
{
    struct fixture f;
    struct buf text = BUF_INIT(8192), json = BUF_INIT(8192);
    struct rule_value items[2] = {rule_bytes_value("a", 1), rule_bytes_value("\xff", 1)};
    fixture_open(&f);
    rule_ctx_set(f.ctx, field(&f, "http.request.headers.names"), rule_array_value(items, 2));
    struct rule_prog *p = compile(&f, "not ssl and any(http.request.headers.names[*] eq \"a\")");
    struct rule_explain *e = explain(&f, p);
    rule_explain_text(&text, e);
    ck_assert_ptr_nonnull(strstr(text.data, "*   true  not\n*     false  ssl  <- missing\n"));
    ck_assert_ptr_nonnull(strstr(text.data,
                                 "http.request.headers.names[*] eq \"a\"  <- [\"a\",{\"hex\":\"ff\"}]  = "
                                 "[true,false]\n"));
    rule_explain_json(&json, e);
    ck_assert_ptr_nonnull(strstr(json.data, "{\"result\":true,\"steps\":"));
    ck_assert_ptr_nonnull(strstr(json.data, "\"value\":[\"a\",{\"hex\":\"ff\"}],\"elements\":[true,false]"));
    rule_explain_free(e);
    rule_free(p);
    fixture_close(&f);
    buf_done(&text);
    buf_done(&json);
}
END_TEST

START_TEST(failure_is_told)
{
    struct fixture f;
    struct buf text = BUF_INIT(8192);
    fixture_open(&f);
    set_text(&f, "http.host", "abc");
    f.ctx->steps_max = 1;
    struct rule_prog *p = compile(&f, "http.host contains \"a\" or ssl");
    struct rule_explain *e = explain(&f, p);
    rule_explain_text(&text, e);
    ck_assert_int_eq(strncmp(text.data, "failed: the evaluation takes more steps", 39), 0);
    rule_explain_free(e);
    rule_free(p);
    fixture_close(&f);
    buf_done(&text);
}
END_TEST

Suite *suite_explain(void);

Suite *
suite_explain(void)
{
    Suite *s = suite_create("explain");
    ADD_TESTS(s, "explain", which_term_decided, text_and_json, failure_is_told);
    return s;
}
