#include "base/str.h"
#include "conf/items.h"
#include "lib/main.h"

static int
set(struct conf *c, const char *key, const char *value, acd_err *err)
{
    return conf_set(c, key, &value, 1, err);
}

START_TEST(overrides_are_checked_like_the_file)
{
    acd_err err = ACD_ERR_INIT;
    const char *listen[] = {"ipc:///a", "ipc:///b"};
    struct conf *c = conf_defaults();
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(set(c, "data", "/d", &err), 0);
    ck_assert_str_eq(c->data, "/d");
    ck_assert_uint_eq(c->line[CONF_ID_data], CONF_LINE_OVERRIDE);
    ck_assert_int_eq(conf_set(c, "listen", listen, 2, &err), 0);
    ck_assert_uint_eq(c->listen.n, 2);
    ck_assert_str_eq(c->listen.items[1], "ipc:///b");
    ck_assert_int_eq(set(c, "role", "edge", &err), 0);
    ck_assert_int_eq(c->role, CONF_EDGE);
    ck_assert_int_eq(set(c, "role", "boss", &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "'role': is not one of: primary, edge");
    ck_assert_int_eq(c->role, CONF_EDGE);
    ck_assert_int_eq(set(c, "rôle", "edge", &err), ACD_ENOENT);
    ck_assert_int_eq(conf_set(c, "data", listen, 2, &err), ACD_EINVAL);
    ck_assert_int_eq(set(c, "plugins.quota.options", "a", &err), ACD_EINVAL);
    conf_free(c);
}
END_TEST

START_TEST(a_message_about_an_override_names_no_line)
{
    acd_err err = ACD_ERR_INIT;
    struct conf *c = conf_defaults();
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(set(c, "role", "edge", &err), 0);
    ck_assert_int_eq(conf_check(c, NULL, NULL, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "'role' is edge, and 'primary' does not say whom it follows");
    conf_free(c);
}
END_TEST

START_TEST(memory_of_overrides_is_bounded)
{
    acd_err err = ACD_ERR_INIT;
    char value[4097];
    struct conf *c = conf_defaults();
    int rc = 0;
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (int i = 0; i < 1000 && rc == 0; i++)
        rc = set(c, "data", value, &err);
    ck_assert_int_eq(rc, ACD_ENOMEM);
    conf_free(c);
    conf_free(NULL);
}
END_TEST

START_TEST(table_is_sound)
{
    for (int i = 0; i < CONF_ITEMS; i++) {
        const struct conf_item *item = &conf_items[i];
        ck_assert_int_eq(conf_item_find(item->key), i);
        ck_assert(!conf_item_is_section(item->key));
        ck_assert_int_le(item->lo, item->hi);
        ck_assert(item->type != CONF_T_LIST || item->hi <= LIMIT_CONF_LIST);
    }
    ck_assert_int_eq(conf_item_find("log"), -1);
    ck_assert(conf_item_is_section("log") && conf_item_is_section("plugins.storage"));
    ck_assert(!conf_item_is_section("lo") && !conf_item_is_section(""));
}
END_TEST

Suite *suite_set(void);

Suite *
suite_set(void)
{
    Suite *s = suite_create("set");
    ADD_TESTS(s, "set", overrides_are_checked_like_the_file, a_message_about_an_override_names_no_line,
              memory_of_overrides_is_bounded, table_is_sound);
    return s;
}
