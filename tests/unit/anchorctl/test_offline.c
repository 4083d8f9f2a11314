/* What needs no server: plugin files, certificates through the validator plugin, rule expressions. */
#include <jansson.h>

#include "fake.h"

START_TEST(inspects_plugins)
{
    struct done d = ctl("plugin", "inspect", PLUGIN_DIR "/quota-pool.so", "-o", "json", NULL);
    ck_assert_msg(d.code == 0, "%s", d.err);
    json_t *v = json_loads(d.out, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(v, "name")), "quota-pool");
    ck_assert_str_eq(json_string_value(json_object_get(v, "kind")), "quota");
    ck_assert_str_eq(json_string_value(json_object_get(v, "abi")), "1.0");
    json_decref(v);
    ck_assert_int_eq(ctl("plugin", "inspect", ANCHORCTL, NULL).code, 1); /* a program, and no plugin */
    ck_assert_int_eq(ctl("plugin", "inspect", "/no/such/file", NULL).code, 2);
}
END_TEST

/* The plugin of the build tree is found and asked; what it says is the business of its own tests. */
START_TEST(inspects_certificates)
{
    struct done d = ctl_stdin("nothing", "-o", "json", "x509", "inspect", "-", NULL);
    ck_assert_msg(d.code == 2 || d.code == 1, "%d %s", d.code, d.err);
    json_t *v = json_loads(d.out, 0, NULL);
    ck_assert_msg(v && json_is_false(json_object_get(v, "acceptable")), "%s %s", d.out, d.err);
    json_decref(v);
    d = ctl("x509", "inspect", "/no/such/file", NULL);
    ck_assert_int_eq(d.code, 2);
    ck_has(d.err, "/no/such/file");
}
END_TEST

START_TEST(verifies_batches)
{
    struct done d = ctl_stdin("{\"id\":\"a\",\"leaf\":\"x\",\"trust\":[],\"purpose\":\"client\"}\nnot json\n",
                              "x509", "verify", "--batch", NULL);
    ck_assert_int_eq(d.code, 0);
    char *second = strchr(d.out, '\n');
    ck_assert(second && second[1]);
    ck_has(d.out, "\"id\":\"a\"");
    ck_assert(strstr(d.out, "\"verified\":false") && strstr(second, "\"verified\":false"));
}
END_TEST

START_TEST(evaluates_rules)
{
    struct done d = ctl("rule", "eval", "http.host eq \"a\"", "--field", "http.host=a", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_assert_str_eq(d.out, "true\n");
    /* -o in front is the command's too; -o table is what it does without. */
    d = ctl("-o", "json", "rule", "eval", "http.host eq \"a\"", "--field", "http.host=b", NULL);
    ck_assert_str_eq(d.out, "{\"result\":false}\n");
    d = ctl("-o", "table", "rule", "eval", "http.host eq \"a\"", "--field", "http.host=a", NULL);
    ck_assert_str_eq(d.out, "true\n");
    ck_assert_int_eq(ctl_stdin("http.hst eq 1", "rule", "check", "-", NULL).code, 1);
    ck_assert_int_eq(ctl("rule", "check", "--frobnicate", NULL).code, 2);
}
END_TEST

START_TEST(help_of_what_parses_itself)
{
    struct done d = ctl("x509", "verify", "--help", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_has(d.out, "--untrusted FILE");
    ck_lacks(d.out, "--socket");
}
END_TEST

Suite *suite_offline(void);
Suite *
suite_offline(void)
{
    Suite *s = suite_create("anchorctl offline");
    ADD_TESTS(s, "offline", inspects_plugins, inspects_certificates, verifies_batches, evaluates_rules,
              help_of_what_parses_itself);
    return s;
}
