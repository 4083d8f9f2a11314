/* Fields that follow from others. */
#include "eval/derive.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "lib/main.h"
#include "model/limits.h"

static struct mem_region region;
static struct rule_scheme *scheme;
static struct rule_ctx *ctx;

static int
fill(void *arg, unsigned field, struct rule_value *ret)
{
    (void)arg;
    return eval_derive(&region, ctx, field, ret);
}

static void
setup(void)
{
    mem_init(&region, 4096, 0);
    ck_assert_int_eq(rule_scheme_new(true, &scheme), 0);
    ck_assert_int_eq(rule_ctx_new(scheme, 0, &ctx), 0);
    ctx->fill = fill;
}

static void
teardown(void)
{
    rule_ctx_free(ctx);
    rule_scheme_free(scheme);
    mem_done(&region);
}

static void
give(unsigned field, const char *text)
{
    rule_ctx_set(ctx, field, rule_bytes_value(text, strlen(text)));
}

/* The value as JSON, which says its type as well. */
static void
is(unsigned field, const char *want)
{
    struct buf out = BUF_INIT(1 << 16);
    const struct rule_value *v = rule_ctx_get(ctx, field);
    ck_assert_ptr_nonnull(v);
    ck_assert(rule_value_fits(v, scheme->fields[field].type));
    rule_value_json(&out, v);
    ck_assert_str_eq(out.data, want);
    buf_done(&out);
}

START_TEST(extension)
{
    static const struct {
        const char *path, *want;
    } rows[] = {{"/.mp3", "\"\""},
                {"/.foo.mp3", "\"mp3\""},
                {"/foo.tar.bz2", "\"bz2\""},
                {"/a.b/c", "\"\""},
                {"/x.", "\"\""},
                {"/X.PHP", "\"php\""},
                {"", "\"\""},
                {"/", "\"\""},
                {"plain.txt", "\"txt\""}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rule_ctx_reset(ctx);
        give(RULE_F_HTTP_REQUEST_URI_PATH, rows[i].path);
        is(RULE_F_RAW_HTTP_REQUEST_URI_PATH_EXTENSION, rows[i].want);
        is(RULE_F_HTTP_REQUEST_URI_PATH_EXTENSION, rows[i].want);
    }
}
END_TEST

START_TEST(arguments)
{
    give(RULE_F_HTTP_REQUEST_URI_QUERY, "b=1&a=2&&b=%20x=y&c&=v");
    is(RULE_F_HTTP_REQUEST_URI_ARGS_NAMES, "[\"b\",\"a\",\"b\",\"c\",\"\"]");
    is(RULE_F_RAW_HTTP_REQUEST_URI_ARGS_VALUES, "[\"1\",\"2\",\"%20x=y\",\"\",\"v\"]");
    const struct rule_value *map = rule_ctx_get(ctx, RULE_F_HTTP_REQUEST_URI_ARGS);
    ck_assert_uint_eq(map->map.len, 4);
    const struct rule_value *b = rule_map_find(map, SLICE_LIT("b"));
    ck_assert_uint_eq(b->array.len, 2);
    ck_assert(slice_eqs(b->array.items[0].bytes, "1") && slice_eqs(b->array.items[1].bytes, "%20x=y"));
    ck_assert_ptr_nonnull(rule_map_find(map, SLICE_LIT("")));
    rule_ctx_reset(ctx);
    give(RULE_F_HTTP_REQUEST_URI_QUERY, "");
    is(RULE_F_HTTP_REQUEST_URI_ARGS_NAMES, "[]");
}
END_TEST

START_TEST(cookies)
{
    give(RULE_F_HTTP_COOKIE, " a=1; s%20id=x%20y;a=2 ; %zz=q; flag");
    const struct rule_value *map = rule_ctx_get(ctx, RULE_F_HTTP_REQUEST_COOKIES);
    ck_assert_uint_eq(map->map.len, 4);
    const struct rule_value *a = rule_map_find(map, SLICE_LIT("a"));
    ck_assert(a->array.len == 2 && slice_eqs(a->array.items[1].bytes, "2"));
    ck_assert(slice_eqs(rule_map_find(map, SLICE_LIT("s id"))->array.items[0].bytes, "x%20y"));
    ck_assert_ptr_nonnull(rule_map_find(map, SLICE_LIT("%zz")));
}
END_TEST

START_TEST(missing_stays_missing)
{
    for (unsigned field = 0; field < RULE_F_STANDARD; field++)
        if (field != RULE_F_TRUE && field != RULE_F_FALSE)
            ck_assert_int_eq(rule_ctx_get(ctx, field)->tag, RULE_V_NIL);
}
END_TEST

START_TEST(old_spellings)
{
    give(RULE_F_IP_SRC_COUNTRY, "DE");
    is(RULE_F_IP_GEOIP_COUNTRY, "\"DE\"");
    rule_ctx_set(ctx, RULE_F_IP_SRC_ASNUM, RULE_INT_VALUE(64500));
    is(RULE_F_IP_GEOIP_ASNUM, "64500");
}
END_TEST

START_TEST(too_many_parts_are_no_value)
{
    struct buf text = BUF_INIT(1 << 20);
    struct rule_value v = RULE_NIL_VALUE;
    for (int i = 0; i < LIMIT_EVALUATE_ELEMENTS - 1; i++)
        buf_puts(&text, "a&");
    give(RULE_F_HTTP_REQUEST_URI_QUERY, text.data);
    ck_assert_int_eq(eval_derive(&region, ctx, RULE_F_HTTP_REQUEST_URI_ARGS, &v), 0);
    buf_puts(&text, "a&");
    rule_ctx_reset(ctx);
    give(RULE_F_HTTP_REQUEST_URI_QUERY, text.data);
    ck_assert_int_eq(eval_derive(&region, ctx, RULE_F_HTTP_REQUEST_URI_ARGS, &v), ACD_ELIMIT);
    ck_assert_ptr_null(rule_ctx_get(ctx, RULE_F_HTTP_REQUEST_URI_ARGS_NAMES));
    buf_done(&text);
}
END_TEST

Suite *suite_derive(void);

Suite *
suite_derive(void)
{
    Suite *s = suite_create("derive");
    TCase *c = tcase_create("derive");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, extension);
    tcase_add_test(c, arguments);
    tcase_add_test(c, cookies);
    tcase_add_test(c, missing_stays_missing);
    tcase_add_test(c, old_spellings);
    tcase_add_test(c, too_many_parts_are_no_value);
    suite_add_tcase(s, c);
    return s;
}
