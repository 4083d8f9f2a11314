#include "base/str.h"
#include "found.h"
#include "lib/main.h"

/* What conf_check says of a file that parses. */
static void
says(const char *text, const char *problems)
{
    acd_err err = ACD_ERR_INIT;
    struct found f = {0};
    struct conf *c = NULL;
    ck_assert_int_eq(conf_parse(slice_str(text), NULL, NULL, &c, &err), 0);
    ck_assert_int_eq(conf_check(c, found_add, &f, &err), problems[0] ? ACD_EINVAL : 0);
    ck_assert_str_eq(f.text, problems);
    conf_free(c);
}

START_TEST(defaults_are_good)
{
    says("", "");
}
END_TEST

START_TEST(roles)
{
    says("role: edge\n", "1 role: 'role' is edge, and 'primary' does not say whom it follows\n");
    says("primary: ipc:///a\n", "1 primary: 'primary' is given, and 'role' is not edge\n");
    says("role: edge\nprimary: ipc:///a\n", "");
    says("role: edge\nprimary: http://a\n",
         "2 primary: 'primary': 'http://a' does not begin with ipc:// or tcp://\n");
}
END_TEST

START_TEST(plain_tcp_stays_on_loopback)
{
    says("listen: ['tcp://127.0.0.1:7', 'tcp://localhost:7', 'tcp://[::1]:7']\n", "");
    says("listen: ['tcp://0.0.0.0:7', 'ipc:///a', 'tcp://[::]:7']\n",
         "1 listen: 'listen': 'tcp://0.0.0.0:7' is not on loopback: say 'insecure: true' if that is meant\n"
         "1 listen: 'listen': 'tcp://[::]:7' is not on loopback: say 'insecure: true' if that is meant\n");
    says("insecure: true\nlisten: ['tcp://0.0.0.0:7']\n", "");
    says("role: edge\nprimary: tcp://192.0.2.1:7\n", "2 primary: 'primary': 'tcp://192.0.2.1:7' is not on "
                                                     "loopback: say 'insecure: true' if that is meant\n");
}
END_TEST

START_TEST(a_plugin_has_a_name_or_a_file)
{
    says("plugins:\n  storage:\n    file: /s.so\n", "");
    says("plugins:\n  storage:\n    name: storage-memory\n", "");
    says("plugins:\n  quota:\n    name: a\n    file: /s.so\n",
         "4 plugins.quota.file: 'plugins.quota.name' and 'plugins.quota.file' are both given\n");
    says("plugins:\n  validator:\n    name: ../x\n", "3 plugins.validator.name: 'plugins.validator.name' is "
                                                     "a name, not a path: give 'plugins.validator.file'\n");
}
END_TEST

START_TEST(the_packaged_file_is_good)
{
    acd_err err = ACD_ERR_INIT;
    struct conf *c = NULL;
    ck_assert_msg(conf_load(SOURCE_ROOT "/tools/packaging/anchord.yaml", NULL, NULL, &c, &err) == 0, "%s",
                  err.text);
    ck_assert_int_eq(conf_check(c, NULL, NULL, &err), 0);
    ck_assert_uint_eq(c->listen.n, 1);
    conf_free(c);
}
END_TEST

Suite *suite_check(void);

Suite *
suite_check(void)
{
    Suite *s = suite_create("check");
    ADD_TESTS(s, "check", defaults_are_good, roles, plain_tcp_stays_on_loopback,
              a_plugin_has_a_name_or_a_file, the_packaged_file_is_good);
    return s;
}
