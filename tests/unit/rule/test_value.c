#include "base/str.h"
#include "lib/main.h"
#include "rule/value.h"

START_TEST(types)
{
    static const char *const good[] = {
        "Bool",           "Int", "Bytes", "Ip", "Array<Bytes>", "Map<Array<Bytes>>", "Array<Map<Array<Int>>>",
        "Map<Map<Bytes>>"};
    static const char *const bad[] = {"",       "bool",        "Array",       "Array<>",    "Array<Bytes",
                                      "Bytes>", "Map<Bytes>>", "Array< Int>", "Array<Foo>", "Map<"};
    struct rule_type t;
    char text[RULE_TYPE_TEXT_MAX];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert(rule_type_parse(slice_str(good[i]), &t));
        ck_assert_str_eq(rule_type_text(t, text), good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!rule_type_parse(slice_str(bad[i]), &t), "%s", bad[i]);
    ck_assert(rule_type_parse(SLICE_LIT("Map<Array<Bytes>>"), &t));
    ck_assert(rule_type_is_map(t));
    ck_assert(rule_type_is_array(rule_type_inner(t)));
}
END_TEST

static struct rule_type
nested(unsigned layers, bool *ret_ok)
{
    struct buf b = BUF_INIT(4096);
    struct rule_type t = {0};
    for (unsigned i = 0; i < layers; i++)
        buf_puts(&b, "Array<");
    buf_puts(&b, "Int");
    for (unsigned i = 0; i < layers; i++)
        buf_putc(&b, '>');
    *ret_ok = rule_type_parse(slice_of(b.data, b.len), &t);
    buf_done(&b);
    return t;
}

START_TEST(type_depth)
{
    bool ok;
    struct rule_type t = nested(RULE_TYPE_DEPTH_MAX, &ok);
    ck_assert(ok);
    ck_assert(!rule_type_array(t, &t));
    (void)nested(RULE_TYPE_DEPTH_MAX + 1, &ok);
    ck_assert(!ok);
}
END_TEST

START_TEST(networks)
{
    struct rule_value lo, hi;
    ck_assert(rule_net_parse(SLICE_LIT("10.0.0.0/8"), &lo, &hi));
    ck_assert_uint_eq(lo.ip.lo, 0x0a000000);
    ck_assert_uint_eq(hi.ip.lo, 0x0affffff);
    ck_assert(rule_net_parse(SLICE_LIT("::/0"), &lo, &hi));
    ck_assert(lo.ip.hi == 0 && hi.ip.hi == UINT64_MAX && hi.ip.lo == UINT64_MAX);
    ck_assert(rule_net_parse(SLICE_LIT("2001:db8::/65"), &lo, &hi));
    ck_assert(hi.ip.hi == lo.ip.hi && hi.ip.lo == INT64_MAX);
    ck_assert(!rule_net_parse(SLICE_LIT("10.0.0.1/8"), &lo, &hi));
    ck_assert(!rule_net_parse(SLICE_LIT("10.0.0.0/33"), &lo, &hi));
    ck_assert(!rule_net_parse(SLICE_LIT("10.0.0.0/"), &lo, &hi));
    ck_assert(!rule_net_parse(SLICE_LIT("10.0.0.0\0"), &lo, &hi));
}
END_TEST

/* Keys may come in any order and twice; the last value counts, whatever the length of the map. */
START_TEST(map_order)
{
    static const size_t sizes[] = {3, 200};
    for (int k = 0; k < 2; k++) {
        struct rule_entry e[200];
        char keys[200][8];
        size_t n = sizes[k];
        for (size_t i = 0; i < n; i++) {
            int len = snprintf(keys[i], sizeof(keys[i]), "k%zu", (n - i) / 2);
            e[i] = (struct rule_entry){slice_of(keys[i], (size_t)len), RULE_INT_VALUE((int64_t)i)};
        }
        struct rule_value m = rule_map_value(e, rule_map_sort(e, n));
        ck_assert_uint_eq(m.map.len, n / 2 + 1);
        for (size_t i = 0; i < n; i++) {
            char key[8];
            int len = snprintf(key, sizeof(key), "k%zu", i / 2);
            const struct rule_value *v = rule_map_find(&m, slice_of(key, (size_t)len));
            ck_assert_ptr_nonnull(v);
            size_t last = n - 2 * (i / 2) < n ? n - 2 * (i / 2) : n - 1;
            ck_assert_int_eq(v->i, (int64_t)(i / 2 == n / 2 && n % 2 == 0 ? 0 : last));
        }
        ck_assert_ptr_null(rule_map_find(&m, SLICE_LIT("k")));
        struct rule_type t;
        ck_assert(rule_type_parse(SLICE_LIT("Map<Int>"), &t));
        ck_assert(rule_value_fits(&m, t));
        ck_assert(!rule_value_fits(&m, rule_type_inner(t)));
    }
}
END_TEST

Suite *suite_value(void);

Suite *
suite_value(void)
{
    Suite *s = suite_create("value");
    ADD_TESTS(s, "value", types, type_depth, networks, map_order);
    return s;
}
