/* The cases of the two data files: result, or error with kind and position; and their canonical text. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchorctl/offline_rule.h"
#include "anchorctl/rule_batch.h"
#include "anchorctl/rule_json.h"
#include "base/str.h"
#include "lib/main.h"
#include "rule/print.h"
#include "rule/rule.h"

enum { LEAST_SHARED = 167, LEAST_OWN = 1000, REGION_BLOCK = 65536 };

static json_t *fields;

static json_t *
load_line(const char *line, size_t len)
{
    json_error_t bad;
    json_t *j = json_loadb(line, len, JSON_ALLOW_NUL, &bad);
    ck_assert_msg(j != NULL, "%s: %.80s", bad.text, line);
    return j;
}

static FILE *
open_data(const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", RULES_DIR, name);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s cannot be opened", path);
    return f;
}

static void
load_fields(void)
{
    char path[4096];
    json_error_t bad;
    (void)snprintf(path, sizeof(path), "%s/rules-fields.json", RULES_DIR);
    fields = json_load_file(path, 0, &bad);
    ck_assert_ptr_nonnull(fields);
}

static const char *
text_of(const json_t *c, const char *key)
{
    return json_string_value(json_object_get(c, key));
}

static void
check_canonical(const struct rule_scheme *scheme, const struct rule_prog *prog, const char *id)
{
    struct buf text = BUF_INIT(1 << 20);
    struct mem_region region;
    struct rule_error error;
    struct ast again;
    mem_init(&region, REGION_BLOCK, 0);
    rule_print(&text, scheme, rule_tree(prog));
    if (text.len <= RULE_TEXT_MAX) {
        int r = rule_parse(scheme, slice_of(text.data, text.len), &region, &again, &error);
        ck_assert_msg(r == 0, "%s: canonical text %s: %s", id, text.data, error.message);
        ck_assert_msg(rule_ast_eq(&again, rule_tree(prog)), "%s: canonical text differs: %s", id, text.data);
    }
    mem_done(&region);
    buf_done(&text);
}

static void
check_result(const json_t *c, const struct rule_scheme *scheme, const struct rule_prog *prog, const char *id)
{
    struct mem_region region;
    struct rule_ctx *ctx;
    struct rule_result result;
    acd_err err = ACD_ERR_INIT;
    mem_init(&region, REGION_BLOCK, 0);
    ck_assert_int_eq(rule_ctx_new(scheme, 0, &ctx), 0);
    int r = rule_json_context(json_object_get(c, "context"), ctx, &region, &err);
    ck_assert_msg(r == 0, "%s: %s", id, err.text);
    bool want = json_is_true(json_object_get(c, "expect"));
    ck_assert_msg(rule_eval(prog, ctx, &result) == (want ? RULE_TRUE : RULE_FALSE), "%s: not %s", id,
                  want ? "true" : "false");
    rule_ctx_free(ctx);
    mem_done(&region);
}

static void
check_case(const json_t *c)
{
    const char *id = text_of(c, "id");
    const json_t *text = json_object_get(c, "expression"), *at = json_object_get(c, "at");
    struct rule_scheme *scheme;
    struct rule_prog *prog;
    struct rule_error error, all[RULE_ERRORS_MAX];
    struct mem_region region;
    unsigned n = 0;
    acd_err err = ACD_ERR_INIT;
    acd_slice expr = slice_of(json_string_value(text), json_string_length(text));
    ck_assert_int_eq(rule_json_scheme(fields, &scheme, &err), 0);
    ck_assert_int_eq(rule_json_lists(json_object_get(c, "lists"), scheme, &err), 0);
    mem_init(&region, REGION_BLOCK, 0);
    int many = rule_parse_all(scheme, expr, &region, all, RULE_ERRORS_MAX, &n);
    int r = rule_compile(scheme, expr, &prog, &error);
    if (json_is_true(json_object_get(c, "error"))) {
        ck_assert_msg(r == ACD_EINVAL && many == ACD_EINVAL && n > 0, "%s: compiled", id);
        ck_assert_msg(strcmp(rule_error_kind_name(error.kind), text_of(c, "kind")) == 0, "%s: kind %s: %s",
                      id, rule_error_kind_name(error.kind), error.message);
        ck_assert_msg(!at || json_integer_value(at) == (json_int_t)error.at, "%s: at %zu: %s", id, error.at,
                      error.message);
        ck_assert_msg(all[0].at == error.at && all[0].kind == error.kind, "%s: another first error", id);
        ck_assert_msg(error.at <= expr.len && error.at + error.len <= expr.len + 1, "%s: span outside", id);
        ck_assert_msg(error.message[0] != '\0', "%s: no message", id);
    } else {
        ck_assert_msg(r == 0 && many == 0, "%s: %s at %zu", id, r ? error.message : "", r ? error.at : 0);
        check_result(c, scheme, prog, id);
        check_canonical(scheme, prog, id);
        rule_free(prog);
    }
    mem_done(&region);
    rule_scheme_free(scheme);
}

static size_t
run_file(const char *name)
{
    FILE *f = open_data(name);
    char *line = NULL;
    size_t cap = 0, n = 0;
    ssize_t len;
    load_fields();
    for (; (len = getline(&line, &cap, f)) > 0; n++) {
        json_t *c = load_line(line, (size_t)len);
        check_case(c);
        json_decref(c);
    }
    free(line);
    (void)fclose(f);
    json_decref(fields);
    return n;
}

START_TEST(reference_cases)
{
    ck_assert_uint_ge(run_file("rules.jsonl"), LEAST_SHARED);
}
END_TEST

START_TEST(own_cases)
{
    ck_assert_uint_ge(run_file("cases.jsonl"), LEAST_OWN);
}
END_TEST

/* The batch form gives the same answers, one line each, in order. */
START_TEST(batch)
{
    FILE *in = open_data("rules.jsonl"), *again = open_data("rules.jsonl"), *out;
    char *text = NULL, *line = NULL, *at;
    size_t size = 0, cap = 0;
    ssize_t len;
    load_fields();
    out = open_memstream(&text, &size);
    ck_assert_int_eq(rule_batch(in, out, fields), 0);
    (void)fclose(out);
    at = text;
    while ((len = getline(&line, &cap, again)) > 0) {
        char *end = strchr(at, '\n');
        ck_assert_ptr_nonnull(end);
        json_t *c = load_line(line, (size_t)len), *a = load_line(at, (size_t)(end - at));
        const char *id = text_of(c, "id");
        ck_assert_str_eq(text_of(a, "id"), id);
        if (json_is_true(json_object_get(c, "error")))
            ck_assert_msg(strcmp(text_of(a, "kind"), text_of(c, "kind")) == 0, "%s", id);
        else
            ck_assert_msg(json_object_get(a, "result") == json_object_get(c, "expect"), "%s", id);
        json_decref(c);
        json_decref(a);
        at = end + 1;
    }
    ck_assert_str_eq(at, "");
    free(text);
    free(line);
    (void)fclose(in);
    (void)fclose(again);
    json_decref(fields);
}
END_TEST

/* A bad line is answered in its place and stops nothing. */
START_TEST(batch_bad_lines)
{
    static char input[] = "{\"id\":1,\"expression\":\"true\"}\n"
                          "not json\n"
                          "{\"id\":\"b\"}\n"
                          "[]\n"
                          "{\"id\":\"c\",\"expression\":\"ssl\",\"context\":{\"ssl\":5}}\n"
                          "{\"id\":\"d\",\"expression\":\"ssl\",\"context\":{\"nope\":5}}\n"
                          "{\"id\":\"e\",\"expression\":\"ssl\",\"lists\":{\"X\":{}}}\n"
                          "{\"id\":\"f\",\"expression\":\"bogus\"}\n"
                          "{\"id\":\"g\",\"expression\":\"ssl\",\"context\":{\"ssl\":true}}";
    static const char expected[] =
        "{\"id\":1,\"result\":true}\n"
        "{\"id\":null,\"error\":\"'not' expected\",\"kind\":\"json\"}\n"
        "{\"id\":\"b\",\"error\":\"there is no expression\",\"kind\":\"json\"}\n"
        "{\"id\":null,\"error\":\"there is no expression\",\"kind\":\"json\"}\n"
        "{\"id\":\"c\",\"error\":\"field ssl: expected true or false\",\"kind\":\"context\"}\n"
        "{\"id\":\"d\",\"error\":\"unknown field nope in the context\",\"kind\":\"context\"}\n"
        "{\"id\":\"e\",\"error\":\"list X needs a kind (ip or int) and items\",\"kind\":\"context\"}\n"
        "{\"id\":\"f\",\"error\":\"unknown field or function `bogus`\",\"kind\":\"identifier\",\"at\":0}\n"
        "{\"id\":\"g\",\"result\":true}\n";
    char *text = NULL, *json_words;
    size_t size = 0;
    FILE *in = fmemopen(input, sizeof(input) - 1, "rb"), *out = open_memstream(&text, &size);
    ck_assert_int_eq(rule_batch(in, out, NULL), 0);
    (void)fclose(in);
    (void)fclose(out);
    /* what the JSON library says about the second line is its own affair */
    json_words = strstr(text, "\"error\":\"");
    ck_assert_ptr_nonnull(json_words);
    ck_assert_ptr_nonnull(strstr(json_words, "\"kind\":\"json\"}\n{\"id\":\"b\""));
    ck_assert_int_eq(strncmp(text, expected, strlen("{\"id\":1,\"result\":true}\n{\"id\":null,\"error\":\"")),
                     0);
    ck_assert_str_eq(strstr(text, "{\"id\":\"b\""), strstr(expected, "{\"id\":\"b\""));
    free(text);
}
END_TEST

/* Runs the command with text on standard input; what it says on both outputs goes to out. */
static int
command(const char *input, char *out, size_t room, char **argv)
{
    FILE *in = tmpfile(), *said = tmpfile();
    int argc = 0;
    ck_assert(in && said);
    (void)fputs(input, in);
    (void)fflush(in);
    rewind(in);
    ck_assert_int_ge(dup2(fileno(in), 0), 0);
    ck_assert_int_ge(dup2(fileno(said), 1), 0);
    ck_assert_int_ge(dup2(fileno(said), 2), 0);
    clearerr(stdin);
    while (argv[argc])
        argc++;
    int r = offline_rule(argc, argv);
    (void)fflush(stdout);
    rewind(said);
    out[fread(out, 1, room - 1, said)] = '\0';
    (void)fclose(in);
    (void)fclose(said);
    return r;
}

static const struct {
    const char *args[12], *input;
    int status;
    const char *says;
} commands[] = {
    {{"rule", "check", "-"}, "ssl", 0, ""},
    {{"rule", "check", "-"},
     "bogus\nor also",
     1,
     "Filter parsing error (2:4):\nor also\n   ^^^^ unknown field"},
    {{"rule", "check", "-"}, "cf.tls_client_auth.cert_verified", 0, "warning: the rule reads"},
    {{"rule", "check", "-", "-o", "json"}, "bogus", 1, "\"kind\": \"identifier\""},
    {{"rule", "check", "/nonexistent/file"}, "", 2, "No such file"},
    {{"rule", "check"}, "", 2, "usage"},
    {{"rule"}, "", 2, "usage"},
    {{"rule", "eval", "ssl", "--batch"}, "", 2, "usage"},
    {{"rule", "eval", "ssl", "--field", "ssl=true"}, "", 0, "true\n"},
    {{"rule", "eval", "ssl"}, "", 0, "false\n"},
    {{"rule", "eval", "ssl", "--field", "ssl=yes"}, "", 2, "not a value"},
    {{"rule", "eval", "ssl", "--field", "nope=1"}, "", 2, "no such field"},
    {{"rule", "eval", "nope"}, "", 1, "unknown field"},
    {{"rule", "eval", "ip.src in {10.0.0.0/8}", "--field", "ip.src=10.1.1.1", "-o", "json"},
     "",
     0,
     "{\"result\":true}"},
    {{"rule", "eval", "any(http.request.headers[\"a\"][*] eq \"1\")", "--field",
      "http.request.headers={\"map\":{\"a\":[\"1\"]}}", "--explain"},
     "",
     0,
     "* true  any"},
    {{"rule", "eval", "--batch"}, "{\"id\":1,\"expression\":\"true\"}\n", 0, "{\"id\":1,\"result\":true}\n"},
    {{"rule", "eval", "--batch", "--fields", "/nonexistent/file"}, "", 2, "nonexistent"},
};

START_TEST(command_line)
{
    char out[8192];
    char *argv[12] = {NULL};
    for (size_t k = 0; k < 12; k++)
        argv[k] = (char *)commands[_i].args[k];
    int r = command(commands[_i].input, out, sizeof(out), argv);
    ck_assert_msg(r == commands[_i].status, "%d: status %d: %s", _i, r, out);
    ck_assert_msg(strstr(out, commands[_i].says) != NULL, "%d: %s", _i, out);
}
END_TEST

static Suite *
suite_rules(void)
{
    Suite *s = suite_create("rules");
    ADD_TESTS(s, "data", reference_cases, own_cases);
    ADD_TESTS(s, "batch", batch, batch_bad_lines);
    TCase *line = tcase_create("command line");
    tcase_add_loop_test(line, command_line, 0, sizeof(commands) / sizeof(commands[0]));
    suite_add_tcase(s, line);
    return s;
}

TEST_MAIN(suite_rules)
