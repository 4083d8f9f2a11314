#include <stdlib.h>

#include "base/rand.h"
#include "lib/seed.h"
#include "rule/ruleset.h"
#include "unit/rule/common.h"

#define R(name, what, expr)                                                             \
    (struct rule_in)                                                                    \
    {                                                                                   \
        .id = SLICE_LIT(name), .action = SLICE_LIT(what), .expression = SLICE_LIT(expr) \
    }

static struct ruleset *
build(struct fixture *f, const struct rule_in *rules, size_t n)
{
    struct ruleset *s;
    struct ruleset_findings found;
    int r = ruleset_new(f->scheme, SLICE_LIT("set"), 1, rules, n, &s, &found);
    ck_assert_msg(r == 0, "%s", found.len ? found.items[0].message : "");
    ruleset_findings_done(&found);
    return s;
}

START_TEST(first_terminating_match)
{
    struct fixture f;
    struct ruleset_answer a;
    struct rule_in rules[] = {
        R("1", "log", "true"), R("2", "block", "ssl"), R("3", "skip", "http.host eq \"a\""),
        R("4", "managed_challenge", "http.host in {\"a\" \"b\"}"), R("5", "block", "true")};
    acd_slice phase = SLICE_LIT("http_ratelimit"), product = SLICE_LIT("waf");
    rules[2].skip.phases = &phase;
    rules[2].skip.nphases = 1;
    rules[2].skip.products = &product;
    rules[2].skip.nproducts = 1;
    rules[4].response = (struct rule_response_in){true, 429, SLICE_LIT("no"), SLICE_LIT("text/plain")};
    fixture_open(&f);
    struct ruleset *s = build(&f, rules, 5);
    set_text(&f, "http.host", "a");
    ruleset_eval(s, f.ctx, &a);
    ck_assert(!a.error && !a.stopped);
    ck_assert_int_eq(a.action, RULE_ACTION_MANAGED_CHALLENGE);
    ck_assert(slice_eqs(a.rule->id, "4") && slice_eqs(a.rule->ref, "4"));
    ck_assert_uint_eq(a.nlogged, 2);
    ck_assert(slice_eqs(a.logged[0]->id, "1") && slice_eqs(a.logged[1]->id, "3"));
    ck_assert_uint_eq(a.skip_phases, RULE_PHASE_RATELIMIT);
    ck_assert_uint_eq(a.skip_products, RULE_PRODUCT_WAF);
    rule_ctx_reset(f.ctx);
    ruleset_eval(s, f.ctx, &a);
    ck_assert(a.action == RULE_ACTION_BLOCK && a.rule->status == 429 && slice_eqs(a.rule->content, "no"));
    rule_ctx_set(f.ctx, RULE_F_SSL, RULE_BOOL_VALUE(true));
    ruleset_eval(s, f.ctx, &a);
    ck_assert(slice_eqs(a.rule->id, "2") && a.rule->status == RULE_BLOCK_STATUS && !a.rule->content.ptr);
    ck_assert(ruleset_fields(s)[RULE_F_SSL / 64] >> RULE_F_SSL % 64 & 1);
    ck_assert(!(ruleset_fields(s)[RULE_F_IP_SRC / 64] >> RULE_F_IP_SRC % 64 & 1));
    ruleset_free(s);
    fixture_close(&f);
}
END_TEST

START_TEST(skip_and_disabled)
{
    struct fixture f;
    struct ruleset_answer a;
    struct rule_in rules[] = {R("1", "block", "true"), R("2", "skip", "ssl"), R("3", "skip", "true"),
                              R("4", "block", "true")};
    fixture_open(&f);
    rules[0].disabled = true;
    rules[1].skip.ruleset = SLICE_LIT("current");
    rules[2].skip.phase = SLICE_LIT("current");
    rules[2].logging = RULE_LOG_OFF;
    struct ruleset *s = build(&f, rules, 4);
    ruleset_eval(s, f.ctx, &a);
    ck_assert(a.stopped && a.action == RULE_ACTION_NONE && !a.rule && a.nlogged == 0);
    rule_ctx_set(f.ctx, RULE_F_SSL, RULE_BOOL_VALUE(true));
    ruleset_eval(s, f.ctx, &a);
    ck_assert(a.stopped && a.nlogged == 1);
    ck_assert(!ruleset_at(s, 0)->enabled);
    ruleset_free(s);
    fixture_close(&f);
}
END_TEST

static int
fill_fails(void *arg, unsigned f, struct rule_value *ret)
{
    (void)arg;
    (void)f;
    (void)ret;
    return ACD_EIO;
}

/* An error ends the evaluation: neither the rule nor those behind it decide. */
START_TEST(fails_closed)
{
    struct fixture f;
    struct ruleset_answer a;
    struct rule_in rules[] = {R("1", "log", "true"), R("2", "skip", "not ip.src in {10.0.0.0/8}"),
                              R("3", "log", "true")};
    fixture_open(&f);
    rules[1].skip.phase = SLICE_LIT("current");
    struct ruleset *s = build(&f, rules, 3);
    f.ctx->fill = fill_fails;
    ruleset_eval(s, f.ctx, &a);
    ck_assert(a.error && !a.stopped && a.reason && slice_eqs(a.rule->id, "2"));
    ck_assert_uint_eq(a.nlogged, 1);
    f.ctx->fill = NULL;
    f.ctx->steps_max = 0;
    ruleset_eval(s, f.ctx, &a);
    ck_assert(a.error && strstr(a.reason, "steps"));
    ruleset_free(s);
    fixture_close(&f);
}
END_TEST

static bool
found(const struct ruleset_findings *f, size_t rule, const char *at, const char *says)
{
    for (size_t i = 0; i < f->len; i++)
        if (f->items[i].rule == rule && strcmp(f->items[i].field, at) == 0 &&
            strstr(f->items[i].message, says))
            return true;
    return false;
}

/* Everything at once, each at its place. */
START_TEST(all_findings)
{
    enum { N = 14 };
    struct fixture f;
    struct ruleset *s;
    struct ruleset_findings all;
    struct rule_in r[N];
    acd_slice bad = SLICE_LIT("WAF");
    static char long_text[RULESET_CONTENT_MAX + 1];
    memset(long_text, 'a', sizeof(long_text));
    for (int i = 0; i < N; i++)
        r[i] = (struct rule_in){.action = SLICE_LIT("block"), .expression = SLICE_LIT("true")};
    r[0].expression = SLICE_LIT("bogus or also.bogus");
    r[1].action = SLICE_LIT("execute");
    r[2].action = SLICE_LIT("Block");
    r[3].response = (struct rule_response_in){true, 200, SLICE_LIT(""), SLICE_LIT("text/css")};
    r[4].response =
        (struct rule_response_in){true, 400, slice_of(long_text, sizeof(long_text)), SLICE_LIT("text/xml")};
    r[5].action = SLICE_LIT("log");
    r[5].response.present = true;
    r[6].action = SLICE_LIT("skip");
    r[7] = r[6];
    r[7].skip.ruleset = SLICE_LIT("other");
    r[7].skip.phase = SLICE_LIT("current");
    r[8] = r[6];
    r[8].skip.products = &bad;
    r[8].skip.nproducts = 1;
    r[9].skip.phase = SLICE_LIT("current");
    r[10].ref = SLICE_LIT("same");
    r[11].ref = SLICE_LIT("same");
    r[12].description = slice_of(long_text, RULESET_TEXT_MAX + 1);
    r[13].expression = SLICE_LIT("cf.tls_client_auth.cert_verified");
    fixture_open(&f);
    ck_assert_int_eq(ruleset_new(f.scheme, SLICE_LIT("s"), 1, r, N, &s, &all), ACD_EINVAL);
    ck_assert(found(&all, 0, "expression", "`bogus`") && found(&all, 0, "expression", "`also.bogus`"));
    ck_assert(all.items[1].has_error && all.items[1].error.kind == RULE_E_IDENTIFIER);
    ck_assert(found(&all, 1, "action", "not available") && found(&all, 2, "action", "unknown"));
    ck_assert(found(&all, 3, "action_parameters.response.status_code", "400 to 499"));
    ck_assert(found(&all, 3, "action_parameters.response.content", "empty"));
    ck_assert(found(&all, 3, "action_parameters.response.content_type", "text/html"));
    ck_assert(found(&all, 4, "action_parameters.response.content", "longer"));
    ck_assert(found(&all, 5, "action_parameters.response", "only block"));
    ck_assert(found(&all, 6, "action_parameters", "what to skip"));
    ck_assert(found(&all, 7, "action_parameters.ruleset", "current"));
    ck_assert(found(&all, 7, "action_parameters.phase", "products only"));
    ck_assert(found(&all, 8, "action_parameters.products", "WAF"));
    ck_assert(found(&all, 9, "action_parameters", "only skip"));
    ck_assert(found(&all, 11, "ref", "twice") && found(&all, 12, "description", "longer"));
    ck_assert(found(&all, 13, "expression", "revoked"));
    ck_assert_uint_eq(all.errors + 1, all.len); /* all but the warning refuse */
    ck_assert_uint_eq(all.errors, 16);
    ruleset_findings_done(&all);
    ck_assert_int_eq(ruleset_new(f.scheme, SLICE_LIT("s"), 1, r + 13, 1, &s, &all), 0);
    ck_assert(all.len == 1 && all.items[0].warning && all.errors == 0);
    ruleset_findings_done(&all);
    ruleset_free(s);
    fixture_close(&f);
}
END_TEST

START_TEST(too_many_rules)
{
    struct fixture f;
    struct ruleset *s;
    struct ruleset_findings all;
    struct rule_in *r = calloc(RULESET_RULES_MAX + 1, sizeof(*r));
    for (int i = 0; i <= RULESET_RULES_MAX; i++)
        r[i] = R("", "block", "ssl");
    fixture_open(&f);
    ck_assert_int_eq(ruleset_new(f.scheme, SLICE_LIT("s"), 1, r, RULESET_RULES_MAX + 1, &s, &all),
                     ACD_EINVAL);
    ruleset_findings_done(&all);
    ck_assert_int_eq(ruleset_new(f.scheme, SLICE_LIT("s"), 1, r, RULESET_RULES_MAX, &s, &all), 0);
    ruleset_findings_done(&all);
    ruleset_free(s);
    fixture_close(&f);
    free(r);
}
END_TEST

/* The table by value changes no answer: against the plain loop over the rules. */
START_TEST(table_against_loop)
{
    static const char *const terms[] = {
        "http.host eq \"%c\"",     "http.host in {\"%c\" \"q\"}",
        "not http.host eq \"%c\"", "(http.host eq \"%c\" or http.host eq \"r\")",
        "http.referer eq \"%c\"",  "http.host ne \"%c\"",
        "http.host in {}",         "http.host lt \"%c\""};
    struct prng r = {test_seed()};
    for (int round = 0; round < 300; round++) {
        enum { N = 90 };
        struct fixture f;
        struct rule_in in[N];
        char text[N][200];
        struct ruleset_answer a;
        fixture_open(&f);
        for (int i = 0; i < N; i++) {
            int at = 0;
            for (uint64_t k = 0, n = 1 + prng_below(&r, 2); k < n; k++) {
                char term[80];
                (void)snprintf(term, sizeof(term), "%s%s", k ? (prng_below(&r, 3) ? " and " : " or ") : "",
                               terms[prng_below(&r, 8)]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                at += snprintf(text[i] + at, sizeof(text[i]) - (size_t)at, term,
                               (int)('a' + prng_below(&r, 20)));
#pragma GCC diagnostic pop
            }
            in[i] = (struct rule_in){.action = prng_below(&r, 4) ? SLICE_LIT("log") : SLICE_LIT("block"),
                                     .expression = slice_str(text[i]),
                                     .disabled = prng_below(&r, 10) == 0};
        }
        struct ruleset *s = build(&f, in, N);
        for (int k = 0; k < 25; k++) {
            char host[2] = {(char)('a' + k), 0};
            rule_ctx_reset(f.ctx);
            if (k < 24)
                set_text(&f, "http.host", host);
            set_text(&f, "http.referer", "c");
            size_t logged = 0;
            const struct rule_out *end = NULL;
            for (size_t i = 0; i < N && !end; i++) {
                const struct rule_out *rule = ruleset_at(s, i);
                struct rule_result result;
                if (!rule->enabled || rule_eval(rule->prog, f.ctx, &result) != RULE_TRUE)
                    continue;
                logged += rule->action == RULE_ACTION_LOG;
                end = rule->action == RULE_ACTION_BLOCK ? rule : NULL;
            }
            ruleset_eval(s, f.ctx, &a);
            ck_assert_ptr_eq(a.rule, end);
            ck_assert_uint_eq(a.nlogged, logged);
        }
        ruleset_free(s);
        fixture_close(&f);
    }
}
END_TEST

Suite *suite_ruleset(void);

Suite *
suite_ruleset(void)
{
    Suite *s = suite_create("ruleset");
    ADD_TESTS(s, "evaluation", first_terminating_match, skip_and_disabled, fails_closed, table_against_loop);
    ADD_TESTS(s, "validation", all_findings, too_many_rules);
    return s;
}
