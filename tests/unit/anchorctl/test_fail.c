/* Errors of the server, by class. */
#include "fake.h"

static _Atomic int code_to_fail_with; /* written by the test, read by a worker */

static int
fails(void *ctx, struct rpc_call *call, const void *req, void **ret, acd_err *err)
{
    (void)ctx;
    (void)req;
    (void)ret;
    (void)call;
    return err_set(err, code_to_fail_with, "because\033[2J of %s", status_name(code_to_fail_with));
}

START_TEST(classes)
{
    static const struct {
        int code, exit;
    } cases[] = {
        {ACD_EDENIED, 1}, {ACD_EUNAUTH, 1}, {ACD_EINVAL, 1},   {ACD_ELIMIT, 1},    {ACD_EEXIST, 1},
        {ACD_EIO, 1},     {ACD_ENOTSUP, 1}, {ACD_ETIMEOUT, 3}, {ACD_EINTERNAL, 1}, {ACD_EUNAVAIL, 3},
    };
    fake_new();
    fake_bind("AccountService/GetAccount", fails);
    fake_run();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        code_to_fail_with = cases[i].code;
        struct done d = ctl("account", "get", "x", "-o", "json", NULL);
        ck_assert_msg(d.code == cases[i].exit, "%s: %d", status_name(cases[i].code), d.code);
        ck_assert_str_eq(d.out, "");
        ck_has(d.err, "because?[2J of"); /* no control characters of others on the terminal */
    }
    fake_done();
}
END_TEST

/* A server that lacks the method. */
START_TEST(older_server)
{
    fake_new();
    fake_run();
    struct done d = ctl("account", "get", "x", NULL);
    ck_assert_int_eq(d.code, 1);
    ck_assert_uint_gt(strlen(d.err), strlen("anchorctl: \n"));
    fake_done();
}
END_TEST

START_TEST(full_disk)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "%s --help >/dev/full 2>/dev/null", ANCHORCTL);
    int status = system(command);
    ck_assert_int_eq(WEXITSTATUS(status), 1);
}
END_TEST

Suite *suite_fail(void);
Suite *
suite_fail(void)
{
    Suite *s = suite_create("anchorctl fail");
    ADD_TESTS(s, "fail", classes, older_server, full_disk);
    return s;
}
