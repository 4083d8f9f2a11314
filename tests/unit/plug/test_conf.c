#include "base/err.h"
#include "lib/main.h"
#include "plug/conf.h"

#include <string.h>

#define ITEM(k, t, d, l, h, f)                                                                    \
    {                                                                                             \
        .struct_size = sizeof(acd_conf_item), .type = (t), .flags = (f), .key = (k), .dflt = (d), \
        .help = "h", .lo = (l), .hi = (h)                                                         \
    }
static const acd_conf_item items[] = {
    ITEM("path", ACD_CONF_PATH, NULL, 2, 10, 0),
    ITEM("size", ACD_CONF_INT, "16", -1, 64, ACD_CONF_RELOADABLE),
    ITEM("on", ACD_CONF_BOOL, "yes", 0, 1, 0),
    ITEM("name", ACD_CONF_STR, "", 0, 4, 0),
    ITEM("key", ACD_CONF_INT, "1", 0, 9, ACD_CONF_SECRET),
};
enum { N = sizeof(items) / sizeof(items[0]) };

static const char *
refusal(const char *key, const char *value)
{
    static acd_err err;
    struct plug_conf conf;
    struct plug_pair pairs[] = {{"path", "/x"}, {key, value}};
    size_t skip = strcmp(key, "path") == 0;
    err = (acd_err)ACD_ERR_INIT;
    ck_assert_int_eq(plug_conf_parse(items, N, pairs + skip, 2 - skip, &conf, &err), ACD_EINVAL);
    return err.text;
}

START_TEST(every_item_gets_a_value)
{
    struct plug_conf conf;
    struct plug_pair pairs[] = {{"size", "-1"}, {"path", "/x"}};
    ck_assert_int_eq(plug_conf_parse(items, N, pairs, 2, &conf, NULL), 0);
    ck_assert_uint_eq(conf.n, N);
    ck_assert_str_eq(conf.vals[0].str.ptr, "/x");
    ck_assert_int_eq(conf.vals[1].num, -1);
    ck_assert_int_eq(conf.vals[2].num, 1);
    ck_assert_uint_eq(conf.vals[3].str.len, 0);
    ck_assert_str_eq(conf.vals[4].key, "key");
    plug_conf_done(&conf);
}
END_TEST

START_TEST(refusals_name_the_key)
{
    ck_assert_str_eq(refusal("pat", "x"), "pat: no such option");
    ck_assert_str_eq(refusal("path", "x"), "path: 1 bytes long, 2..10 allowed");
    ck_assert_str_eq(refusal("path", "/2345678901"), "path: 11 bytes long, 2..10 allowed");
    ck_assert_str_eq(refusal("size", "65"), "size: 65 is outside -1..64");
    ck_assert_str_eq(refusal("size", "-2"), "size: -2 is outside -1..64");
    ck_assert_str_eq(refusal("size", "1k"), "size: 1k is not a number");
    ck_assert_str_eq(refusal("size", ""), "size:  is not a number");
    ck_assert_str_eq(refusal("on", "maybe"), "on: must be true or false");
    ck_assert_str_eq(refusal("name", "\xff"), "name: not UTF-8");
    ck_assert_str_eq(refusal("key", "77"), "key: the value is outside 0..9"); /* a secret is not shown */
    ck_assert_str_eq(refusal("key", "abc"), "key: the value is not a number");
    struct plug_conf conf;
    acd_err err = ACD_ERR_INIT;
    struct plug_pair twice[] = {{"path", "/x"}, {"path", "/y"}};
    ck_assert_int_eq(plug_conf_parse(items, N, twice, 2, &conf, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "path: given twice");
    ck_assert_int_eq(plug_conf_parse(items, N, NULL, 0, &conf, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "path: must be given");
}
END_TEST

START_TEST(items_of_a_newer_plugin_are_read)
{
    struct {
        acd_conf_item item;
        uint64_t more[2];
    } larger[2] = {{.item = ITEM("a", ACD_CONF_INT, "3", 0, 9, 0)},
                   {.item = ITEM("b", ACD_CONF_INT, "4", 0, 9, 0)}};
    struct plug_conf conf;
    larger[0].item.struct_size = larger[1].item.struct_size = sizeof(larger[0]);
    ck_assert_int_eq(plug_conf_items_check(&larger[0].item, 2, NULL), 0);
    ck_assert_int_eq(plug_conf_parse(&larger[0].item, 2, NULL, 0, &conf, NULL), 0);
    ck_assert_int_eq(conf.vals[1].num, 4);
    plug_conf_done(&conf);
    larger[1].item.key = "a";
    ck_assert_int_eq(plug_conf_items_check(&larger[0].item, 2, NULL), ACD_EABI);
    larger[1].item.key = "No";
    ck_assert_int_eq(plug_conf_items_check(&larger[0].item, 2, NULL), ACD_EABI);
    larger[0].item.struct_size = 8;
    ck_assert_int_eq(plug_conf_items_check(&larger[0].item, 2, NULL), ACD_EABI);
}
END_TEST

START_TEST(the_documentation_says_it_all)
{
    struct buf b = BUF_INIT(4096);
    plug_conf_document(items, N, &b);
    ck_assert_str_eq(b.data, "path: path, 2..10 bytes, required: h\n"
                             "size: number, -1..64, default 16, reloadable: h\n"
                             "on: switch, default yes: h\n"
                             "name: text, 0..4 bytes, default empty: h\n"
                             "key: number, 0..9, has a default: h\n");
    buf_done(&b);
}
END_TEST

Suite *suite_conf(void);

Suite *
suite_conf(void)
{
    Suite *s = suite_create("conf");
    ADD_TESTS(s, "conf", every_item_gets_a_value, refusals_name_the_key, items_of_a_newer_plugin_are_read,
              the_documentation_says_it_all);
    return s;
}
