#include "base/rand.h"
#include "base/str.h"
#include "lib/main.h"

START_TEST(numbers)
{
    uint64_t u;
    int64_t i;
    ck_assert(str_u64(slice_str("18446744073709551615"), &u) && u == UINT64_MAX);
    ck_assert(!str_u64(slice_str("18446744073709551616"), &u));
    ck_assert(!str_u64(slice_str(""), &u) && !str_u64(slice_str("+1"), &u) && !str_u64(slice_str("1 "), &u));
    ck_assert(str_i64(slice_str("-9223372036854775808"), &i) && i == INT64_MIN);
    ck_assert(!str_i64(slice_str("9223372036854775808"), &i));
    ck_assert(!str_i64(slice_str("-"), &i));
}
END_TEST

START_TEST(hex_round_trip)
{
    uint8_t in[32], out[32];
    char text[65];
    rand_bytes(in, sizeof(in));
    hex_encode(in, sizeof(in), text);
    ck_assert(hex_decode(slice_str(text), out, sizeof(out)));
    ck_assert(memcmp(in, out, sizeof(in)) == 0);
    ck_assert(!hex_decode(slice_str("0g"), out, 1));
    ck_assert(!hex_decode(slice_str("000"), out, 1));
}
END_TEST

START_TEST(base64_round_trip_and_strictness)
{
    uint8_t in[64], out[96];
    char text[BASE64_LEN(64) + 1];
    size_t n;
    rand_bytes(in, sizeof(in));
    for (size_t len = 0; len <= sizeof(in); len++) {
        size_t t = base64_encode(in, len, text);
        ck_assert_uint_eq(t, BASE64_LEN(len));
        ck_assert(base64_decode(slice_of(text, t), out, &n) && n == len && memcmp(in, out, len) == 0);
    }
    ck_assert(!base64_decode(slice_str("QQ"), out, &n));
    ck_assert(!base64_decode(slice_str("QR=="), out, &n));
    ck_assert(!base64_decode(slice_str("Q==="), out, &n));
    ck_assert(!base64_decode(slice_str("QQ==QQ=="), out, &n));
    ck_assert(!base64_decode(slice_str("Q Q="), out, &n));
}
END_TEST

START_TEST(utf8)
{
    ck_assert(utf8_valid(slice_str("h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")));
    ck_assert(!utf8_valid(slice_str("\xc0\x80")));
    ck_assert(!utf8_valid(slice_str("\xed\xa0\x80")));
    ck_assert(!utf8_valid(slice_str("\xf4\x90\x80\x80")));
    ck_assert(!utf8_valid(slice_str("\xe2\x82")));
    ck_assert(!utf8_valid(slice_str("\x80")));
}
END_TEST

START_TEST(times)
{
    int64_t ms;
    char text[TIME_TEXT_MAX];
    ck_assert(time_parse(slice_str("2026-11-22T15:04:05.25+01:30"), &ms));
    time_format(ms, text);
    ck_assert_str_eq(text, "2026-11-22T13:34:05.250Z");
    ck_assert(time_parse(slice_str("1950-01-01T00:00:00Z"), &ms) && ms < 0);
    time_format(ms, text);
    ck_assert_str_eq(text, "1950-01-01T00:00:00Z");
    ck_assert(time_parse(slice_str("2024-02-29T00:00:00Z"), &ms));
    ck_assert(!time_parse(slice_str("2023-02-29T00:00:00Z"), &ms));
    ck_assert(!time_parse(slice_str("2023-02-28T00:00:00"), &ms));
    ck_assert(!time_parse(slice_str("2023-02-28T24:00:00Z"), &ms));
    ck_assert(!time_parse(slice_str("2023-02-28T00:00:00.Z"), &ms));
    ck_assert(!time_parse(slice_str("2023-02-28T00:00:00+0100"), &ms));
    time_format(INT64_MAX, text);
    ck_assert_str_eq(text, "9999-12-31T23:59:59.999Z");
    time_format(INT64_MIN, text);
    ck_assert_str_eq(text, "0000-01-01T00:00:00Z");
    ck_assert(time_parse(slice_str("0999-12-31T00:00:00Z"), &ms));
    time_format(ms, text);
    ck_assert_str_eq(text, "0999-12-31T00:00:00Z");
    ck_assert(!time_parse(slice_str("0000-01-01T00:00:00+00:01"), &ms));
    ck_assert(!time_parse(slice_str("9999-12-31T23:59:59-00:01"), &ms));
}
END_TEST

Suite *suite_str(void);

Suite *
suite_str(void)
{
    Suite *s = suite_create("str");
    ADD_TESTS(s, "str", numbers, hex_round_trip, base64_round_trip_and_strictness, utf8, times);
    return s;
}
