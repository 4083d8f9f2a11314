/* Small texts: filters, compression, bounds of JSON, times. */
#include <stdlib.h>

#include "base/str.h"
#include "filter.h"
#include "gzip.h"
#include "json.h"
#include "lib/main.h"

START_TEST(filters)
{
    static const struct {
        const char *filter, *text;
        bool fits;
    } rows[] = {
        {NULL, "a", true},
        {"a", "a", true},
        {"a", "b", false},
        {"equal:a", "a", true},
        {"not_equal:a", "a", false},
        {"starts_with:AB", "abc", true},
        {"starts_with_case_sensitive:AB", "abc", false},
        {"ends_with:BC", "abc", true},
        {"ends_with:abcd", "abc", false},
        {"ends_with_case_sensitive:bc", "abc", true},
        {"contains:B", "abc", true},
        {"contains_case_sensitive:B", "abc", false},
        {"unknown:a", "a", false},
        {"", "a", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_msg(filter_fits(rows[i].filter, rows[i].text) == rows[i].fits, "%s", rows[i].filter);
}
END_TEST

START_TEST(accepted_encodings)
{
    static const char *const yes[] = {
        "gzip", "GZIP", "br, gzip", "gzip;q=0.001", "*", "deflate , gzip ; q=1", "*;q=0, gzip", "br;q=0, *"};
    static const char *const no[] = {NULL,        "",      "identity", "gzip;q=0", "gzip;q=0.000",
                                     "gzip; q=0", "*;q=0", "xgzip",    "gzipx",    "gzip;q=0, *",
                                     "br"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        ck_assert_msg(gzip_accepted(yes[i]), "%s", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        ck_assert_msg(!gzip_accepted(no[i]), "%s", no[i] ? no[i] : "none");
}
END_TEST

START_TEST(bounds_of_json)
{
    char text[4 * JSON_VALUES_MAX];
    ck_assert(json_is_bounded(slice_str("{\"a\":[1,2,{\"b\":\"],,,[\\\"[\"}]}")));
    memset(text, '[', sizeof(text));
    ck_assert(json_is_bounded(slice_of(text, JSON_DEPTH_MAX)));
    ck_assert(!json_is_bounded(slice_of(text, JSON_DEPTH_MAX + 1)));
    memset(text, ',', sizeof(text));
    ck_assert(json_is_bounded(slice_of(text, JSON_VALUES_MAX - 1)));
    ck_assert(!json_is_bounded(slice_of(text, JSON_VALUES_MAX)));
    text[0] = '"'; /* a text may hold as many as it likes */
    ck_assert(json_is_bounded(slice_of(text, sizeof(text))));
    ck_assert(json_is_bounded(slice_str("\"\\")));
}
END_TEST

static void
check_time(json_t *v, const char *want)
{
    ck_assert_str_eq(json_string_value(v), want);
    json_decref(v);
}

START_TEST(times)
{
    const int64_t ms = 1767323045000;
    check_time(js_time(ms + 999), "2026-01-02T03:04:05Z");
    check_time(js_time(-1), "1969-12-31T23:59:59Z");
    check_time(js_time_short(ms), "2026-01-02T03:04:05Z");
    check_time(js_time_short(ms + 120), "2026-01-02T03:04:05.12Z");
    check_time(js_time_short(ms + 100), "2026-01-02T03:04:05.1Z");
    check_time(js_time_short(ms + 7), "2026-01-02T03:04:05.007Z");
    check_time(js_time_micros(ms), "2026-01-02T03:04:05.000000Z");
    check_time(js_time_micros(ms + 45), "2026-01-02T03:04:05.045000Z");
}
END_TEST

Suite *suite_text(void);

Suite *
suite_text(void)
{
    Suite *s = suite_create("gateway/text");
    ADD_TESTS(s, "text", filters, accepted_encodings, bounds_of_json, times);
    return s;
}
