#include "base/str.h"
#include "found.h"
#include "lib/main.h"
#include "model/limits.h"

static bool
is_password(void *ctx, const char *plugin, const char *key)
{
    (void)ctx;
    return strcmp(plugin, "storage") == 0 && strcmp(key, "password") == 0;
}

static bool
is_nothing(void *ctx, const char *plugin, const char *key)
{
    (void)ctx, (void)plugin, (void)key;
    return false;
}

static struct buf
dump_of(const char *text, conf_secret_f secret)
{
    acd_err err = ACD_ERR_INIT;
    struct buf out = BUF_INIT(LIMIT_CONF_FILE);
    struct conf *c = NULL;
    ck_assert_msg(conf_parse(slice_str(text), NULL, NULL, &c, &err) == 0, "%s", err.text);
    conf_dump(c, secret, NULL, &out);
    ck_assert_int_eq(out.failed, 0);
    conf_free(c);
    return out;
}

START_TEST(dump_is_a_fixed_point)
{
    struct buf one = dump_of("listen: [ipc:///a, 'tcp://[::1]:7']\n"
                             "data: \"q\\\"b\\\\ \\u00e4 \\u2028 \\x85 \\ufeff # : x\"\n"
                             "log: {level: error}\nlimits: {drain_ms: 9}\n"
                             "plugins: {quota: {options: {'a: b': \"c 'd'\", n: 007}}}\n",
                             is_nothing);
    struct buf two = dump_of(one.data, is_nothing);
    ck_assert_str_eq(one.data, two.data);
    ck_assert_ptr_nonnull(strstr(one.data, "\"a: b\": \"c 'd'\"\n"));
    ck_assert_ptr_nonnull(strstr(one.data, "\"n\": \"007\"\n"));
    ck_assert_ptr_nonnull(strstr(one.data, "\nlimits:\n  drain_ms: 9\n"));
    ck_assert_ptr_nonnull(strstr(one.data, "data: \"q\\\"b\\\\ \xc3\xa4 \\u2028 \\u0085 \\uFEFF # : x\"\n"));
    buf_done(&one);
    buf_done(&two);
}
END_TEST

START_TEST(secrets_are_hidden)
{
    const char *text =
        "plugins: {storage: {options: {password: hunter2, host: db}}, quota: {options: {password: q}}}\n";
    struct buf some = dump_of(text, is_password);
    ck_assert_ptr_null(strstr(some.data, "hunter2"));
    ck_assert_ptr_nonnull(strstr(some.data, "\"password\": \"***\""));
    ck_assert_ptr_nonnull(strstr(some.data, "\"host\": \"db\""));
    ck_assert_ptr_nonnull(strstr(some.data, "\"password\": \"q\""));
    buf_done(&some);
    struct buf all = dump_of(text, NULL);
    ck_assert_ptr_null(strstr(all.data, "\"db\""));
    ck_assert_ptr_null(strstr(all.data, "hunter2"));
    buf_done(&all);
}
END_TEST

Suite *suite_dump(void);

Suite *
suite_dump(void)
{
    Suite *s = suite_create("dump");
    ADD_TESTS(s, "dump", dump_is_a_fixed_point, secrets_are_hidden);
    return s;
}
