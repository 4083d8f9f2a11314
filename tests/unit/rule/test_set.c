#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "base/str.h"
#include "lib/main.h"
#include "lib/seed.h"
#include "rule/set.h"

START_TEST(bytes_of_all_sizes)
{
    static const size_t sizes[] = {0, 1, 4, 5, 100, 100000};
    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
        size_t n = sizes[k];
        struct rule_value *v = calloc(n + 1, sizeof(*v));
        char(*text)[24] = calloc(n + 1, sizeof(*text));
        struct rule_set *s;
        for (size_t i = 0; i < n; i++)
            v[i] = rule_bytes_value(text[i],
                                    (size_t)snprintf(text[i], sizeof(text[i]), "%zu.host-%zu", i, i * 7));
        ck_assert_int_eq(rule_set_new(RULE_BYTES, v, NULL, n, &s), 0);
        ck_assert_uint_eq(s->len, n);
        for (size_t i = 0; i < n; i++) {
            ck_assert(rule_set_has_bytes(s, v[i].bytes.ptr, v[i].bytes.len));
            ck_assert(!rule_set_has_bytes(s, v[i].bytes.ptr, v[i].bytes.len - 1));
            text[i][0] ^= 0x40;
            ck_assert(!rule_set_has_bytes(s, v[i].bytes.ptr, v[i].bytes.len));
        }
        ck_assert(!rule_set_has_bytes(s, "", 0));
        rule_set_free(s);
        free(text);
        free(v);
    }
}
END_TEST

/* A few strings are compared by words: every byte of every length counts. */
START_TEST(few_strings_differ_in_one_byte)
{
    for (size_t len = 0; len < 40; len++) {
        char text[RULE_SET_LINEAR][40], other[40];
        struct rule_value v[RULE_SET_LINEAR];
        struct rule_set *s;
        for (int i = 0; i < RULE_SET_LINEAR; i++) {
            memset(text[i], 'a' + i, sizeof(text[i]));
            v[i] = rule_bytes_value(text[i], len + (i == 0));
        }
        ck_assert_int_eq(rule_set_new(RULE_BYTES, v, NULL, RULE_SET_LINEAR, &s), 0);
        ck_assert(rule_set_has_bytes(s, "dddddddddddddddddddddddddddddddddddddddd", len));
        for (size_t at = 0; at < len; at++) {
            memset(other, 'd', sizeof(other));
            other[at] ^= 0x40;
            ck_assert_msg(!rule_set_has_bytes(s, other, len), "byte %zu of %zu", at, len);
        }
        rule_set_free(s);
    }
}
END_TEST

START_TEST(duplicates_and_empty_element)
{
    struct rule_value v[8];
    struct rule_set *s;
    for (int i = 0; i < 8; i++)
        v[i] = rule_bytes_value(i % 2 ? "" : "ab", i % 2 ? 0 : 2);
    ck_assert_int_eq(rule_set_new(RULE_BYTES, v, NULL, 8, &s), 0);
    ck_assert_uint_eq(s->len, 2);
    ck_assert(rule_set_has_bytes(s, NULL, 0));
    ck_assert(rule_set_has_bytes(s, "ab", 2));
    ck_assert(!rule_set_has_bytes(s, "a", 1));
    rule_set_free(s);
}
END_TEST

START_TEST(int_ranges_against_scan)
{
    struct prng r = {test_seed()};
    for (int round = 0; round < 500; round++) {
        struct rule_value lo[30], hi[30];
        struct rule_set *s;
        size_t n = prng_below(&r, 30);
        for (size_t i = 0; i < n; i++) {
            int64_t a = (int64_t)prng_below(&r, 200) - 100;
            lo[i] = RULE_INT_VALUE(a);
            hi[i] = RULE_INT_VALUE(a + (int64_t)prng_below(&r, 8));
        }
        if (n > 2) {
            lo[0] = RULE_INT_VALUE(INT64_MIN);
            hi[0] = RULE_INT_VALUE(-90);
            lo[1] = hi[1] = RULE_INT_VALUE(INT64_MAX);
        }
        ck_assert_int_eq(rule_set_new(RULE_INT, lo, hi, n, &s), 0);
        for (int64_t v = -120; v < 120; v++) {
            bool want = false;
            for (size_t i = 0; i < n; i++)
                want = want || (lo[i].i <= v && v <= hi[i].i);
            ck_assert_int_eq(rule_set_has_int(s, v), want);
        }
        ck_assert_int_eq(rule_set_has_int(s, INT64_MIN), n > 2);
        ck_assert_int_eq(rule_set_has_int(s, INT64_MAX), n > 2);
        rule_set_free(s);
    }
}
END_TEST

START_TEST(ip_ranges_against_scan)
{
    struct prng r = {test_seed()};
    for (int round = 0; round < 500; round++) {
        struct rule_value lo[20], hi[20];
        struct rule_set *s;
        size_t n = prng_below(&r, 20);
        for (size_t i = 0; i < n; i++) {
            uint64_t a = prng_below(&r, 60), len = prng_below(&r, 5);
            lo[i] = (struct rule_value){.tag = RULE_V_IP, .family = prng_below(&r, 2) ? 4 : 6, .ip = {0, a}};
            hi[i] = lo[i];
            hi[i].ip.lo += len;
            if (lo[i].family == 6)
                lo[i].ip.hi = hi[i].ip.hi = prng_below(&r, 2);
        }
        ck_assert_int_eq(rule_set_new(RULE_IP, lo, hi, n, &s), 0);
        for (uint64_t k = 0; k < 70 * 3; k++) {
            struct rule_value v = {.tag = RULE_V_IP, .family = k % 3 ? 6 : 4, .ip = {k % 3 == 2, k / 3}};
            bool want = false;
            for (size_t i = 0; i < n; i++)
                want = want || (lo[i].family == v.family && rule_ip_cmp(lo[i].ip, v.ip) <= 0 &&
                                rule_ip_cmp(v.ip, hi[i].ip) <= 0);
            ck_assert_int_eq(rule_set_has_ip(s, &v), want);
        }
        rule_set_free(s);
    }
}
END_TEST

Suite *suite_set(void);

Suite *
suite_set(void)
{
    Suite *s = suite_create("set");
    ADD_TESTS(s, "bytes", bytes_of_all_sizes, few_strings_differ_in_one_byte, duplicates_and_empty_element);
    ADD_TESTS(s, "ranges", int_ranges_against_scan, ip_ranges_against_scan);
    return s;
}
