/* The SDK's pure parts. */
#include <string.h>

#include "lib/main.h"
#include "sdk/gate.h"
#include "sdk/rows.h"
#include "sdk/sdk.h"
#include "sdk/sql.h"

START_TEST(a_counter_window_is_exact)
{
    static const int64_t edge[] = {INT64_MIN, INT64_MIN + 1, -5, -1, 0, 1, 4, INT64_MAX - 1, INT64_MAX};
    enum { N = sizeof(edge) / sizeof(edge[0]) };
    for (int d = 0; d < N; d++)
        for (int l = 0; l < N; l++)
            for (int h = 0; h < N; h++)
                for (int v = 0; v < N; v++) {
                    int64_t min = 1, max = 0;
                    bool any = sdk_counter_window(edge[d], edge[l], edge[h], &min, &max);
                    __int128 next = (__int128)edge[v] + edge[d];
                    bool want = next >= edge[l] && next <= edge[h];
                    ck_assert(want == (any && edge[v] >= min && edge[v] <= max));
                }
}
END_TEST

START_TEST(text_is_utf8_without_nul)
{
    static const struct {
        const char *s;
        size_t n;
        bool ok;
    } rows[] = {
        {"", 0, true},
        {"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x92", 10, true},
        {"\xf4\x8f\xbf\xbf", 4, true},
        {"a\0", 2, false},
        {"\xc0\x80", 2, false},         /* overlong */
        {"\xe0\x9f\xbf", 3, false},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 4, false}, /* overlong */
        {"\xed\xa0\x80", 3, false},     /* surrogate */
        {"\xf4\x90\x80\x80", 4, false}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", 4, false},
        {"\x80", 1, false},
        {"\xe2\x82", 2, false}, /* cut off */
        {"\xc3(", 2, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *copy = malloc(rows[i].n + 1); /* exactly the bytes, for sanitizers */
        memcpy(copy, rows[i].s, rows[i].n);
        ck_assert_msg(sdk_text_valid((acd_slice){copy, rows[i].n}) == rows[i].ok, "row %zu", i);
        free(copy);
    }
}
END_TEST

static const acd_column cols[] = {
    {.name = "id", .type = ACD_COL_INT},
    {.name = "opt", .type = ACD_COL_TEXT, .flags = ACD_COL_NULL},
};
static const acd_index by_opt[] = {{.name = "by_opt", .cols = {1}, .ncols = 1}};

START_TEST(collections_of_a_newer_host_are_stepped_over)
{
    struct {
        acd_collection c;
        uint64_t more[3];
    } two[2] = {{.c = {.name = "one"}}, {.c = {.name = "two"}}};
    for (int i = 0; i < 2; i++) {
        two[i].c.struct_size = sizeof(two[0]);
        two[i].c.cols = cols;
        two[i].c.ncols = 2;
        two[i].c.npk = 1;
        two[i].c.since = 1;
    }
    ck_assert_str_eq(sdk_coll(&two[0].c, 1)->name, "two");
    ck_assert_int_eq(sdk_colls_check(&two[0].c, 2, 1, NULL), 0);
    two[1].c.name = "one";
    ck_assert_int_eq(sdk_colls_check(&two[0].c, 2, 1, NULL), ACD_EINVAL);
    two[1].c.name = "sqlite_two"; /* reserved by the database */
    ck_assert_int_eq(sdk_colls_check(&two[0].c, 2, 1, NULL), ACD_EINVAL);
}
END_TEST

START_TEST(sql_speaks_dialects)
{
    static const struct sdk_dialect d = {.mark = '$',
                                         .type = {"", "BIGINT", "TEXT COLLATE \"C\"", "BYTEA"},
                                         .zero = {"", "0", "''", "''"},
                                         .table_end = "",
                                         .table_end_int = "",
                                         .say_nulls_first = true};
    acd_collection c = {.struct_size = sizeof(c),
                        .name = "t",
                        .cols = cols,
                        .ncols = 2,
                        .npk = 1,
                        .indexes = by_opt,
                        .nindexes = 1,
                        .since = 1};
    acd_value row[2] = {{.num = 7}, {.bytes = {"x", 1}}};
    acd_scan scan = {.struct_size = sizeof(scan), .index = 1, .reverse = 1, .after = row};
    static const char *const want[] = {
        "SELECT \"id\",\"opt\" FROM \"t\" WHERE \"opt\"=$1 AND \"id\"<$2 ORDER BY \"id\" DESC LIMIT $3",
        "SELECT \"id\",\"opt\" FROM \"t\" WHERE \"opt\"<$1 ORDER BY \"opt\" DESC NULLS LAST,\"id\" DESC "
        "LIMIT $2",
        "SELECT \"id\",\"opt\" FROM \"t\" WHERE \"opt\" IS NULL ORDER BY \"id\" DESC LIMIT $1",
    };
    struct sdk_text t = {0};
    struct sdk_walk w;
    struct sdk_range r;
    size_t n = 0;
    sdk_sql_table(&t, &d, &c, &c);
    ck_assert_str_eq(
        t.data, "CREATE TABLE \"t\"(\"id\" BIGINT NOT NULL,\"opt\" TEXT COLLATE \"C\",PRIMARY KEY(\"id\"))");
    sdk_text_clear(&t);
    sdk_sql_index(&t, &d, &c, &by_opt[0]);
    ck_assert_str_eq(t.data, "CREATE INDEX \"ix_t__by_opt\" ON \"t\"(\"opt\" NULLS FIRST)");
    sdk_walk_init(&w, &c, &scan);
    for (; sdk_walk_next(&w, &r); n++) {
        sdk_text_clear(&t);
        sdk_sql_range(&t, &d, &c, &r);
        ck_assert_uint_lt(n, 3);
        ck_assert_str_eq(t.data, want[n]);
    }
    ck_assert_uint_eq(n, 3);
    sdk_text_done(&t);
}
END_TEST

Suite *suite_sdk(void);

Suite *
suite_sdk(void)
{
    Suite *s = suite_create("sdk");
    ADD_TESTS(s, "sdk", a_counter_window_is_exact, text_is_utf8_without_nul,
              collections_of_a_newer_host_are_stepped_over, sql_speaks_dialects);
    return s;
}
