#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "base/str.h"
#include "lib/main.h"
#include "lib/seed.h"
#include "rule/bytes.h"
#include "rule/find.h"
#include "rule/wild.h"

/* Against the C library, over two letters, so that near matches are common; blocks of exact size for ASan. */
START_TEST(random_against_memmem)
{
    struct prng r = {test_seed()};
    for (int i = 0; i < 20000; i++) {
        size_t n = prng_below(&r, 200), m = prng_below(&r, 12);
        char *h = malloc(n ? n : 1), needle[16];
        for (size_t k = 0; k < n; k++)
            h[k] = (char)('a' + (prng_below(&r, 4) == 0));
        for (size_t k = 0; k < m; k++)
            needle[k] = (char)('a' + (prng_below(&r, 3) == 0));
        ck_assert_ptr_eq(rule_find_at(h, n, needle, m), m ? memmem(h, n, needle, m) : h);
        free(h);
    }
}
END_TEST

START_TEST(many_near_matches)
{
    enum { LEN = 100000 };
    char *h = malloc(LEN);
    memset(h, 'a', LEN);
    ck_assert(!rule_find(h, LEN, "abaaaaaaaaaaaaaaaaaaaaaa", 24));
    h[LEN - 23] = 'b';
    ck_assert(rule_find(h, LEN, "abaaaaaaaaaaaaaaaaaaaaaa", 24));
    ck_assert(rule_find(NULL, 0, "", 0));
    ck_assert(!rule_find(NULL, 0, "a", 1));
    free(h);
}
END_TEST

static bool
naive(const char *p, const char *s)
{
    if (!*p)
        return !*s;
    if (*p == '*')
        return naive(p + 1, s) || (*s && naive(p, s + 1));
    return *p == *s && naive(p + 1, s + 1);
}

START_TEST(wildcards_against_naive)
{
    struct prng r = {test_seed()};
    for (int i = 0; i < 20000; i++) {
        char p[10] = "", s[12] = "";
        uint8_t room[12];
        struct mem_region region;
        struct rule_wild w;
        for (size_t k = 0, n = prng_below(&r, 9); k < n; k++)
            p[k] = "ab*"[prng_below(&r, k && p[k - 1] == '*' ? 2 : 3)];
        for (size_t k = 0, n = prng_below(&r, 11); k < n; k++)
            s[k] = "ab"[prng_below(&r, 2)];
        mem_init(&region, 256, 0);
        ck_assert_ptr_null(rule_wild_check(slice_str(p)));
        for (int fold = 0; fold < 2; fold++) {
            ck_assert_int_eq(rule_wild_init(&w, &region, slice_str(p), fold), 0);
            ck_assert_msg(rule_wild_match(&w, s, strlen(s), room) == naive(p, s), "%s %s", p, s);
        }
        mem_done(&region);
    }
}
END_TEST

/* Case is folded eight bytes at once: every byte, at every place, is its own lower case and no other's. */
START_TEST(every_byte_is_folded_alone)
{
    for (size_t len = 1; len < 20; len++)
        for (unsigned at = 0; at < len; at++)
            for (unsigned c = 0; c < 256; c++) {
                uint8_t text[20], lower[20];
                memset(text, 'Z', sizeof(text));
                memset(lower, 'z', sizeof(lower));
                text[at] = (uint8_t)c;
                lower[at] = bytes_lower((uint8_t)c);
                ck_assert_msg(bytes_same_lower(text, lower, len), "%u at %u of %zu", c, at, len);
                lower[at] ^= 0x20;
                ck_assert_msg(!bytes_same_lower(text, lower, len), "%u at %u of %zu", c, at, len);
            }
}
END_TEST

Suite *suite_find(void);

Suite *
suite_find(void)
{
    Suite *s = suite_create("find");
    ADD_TESTS(s, "find", random_against_memmem, many_near_matches, wildcards_against_naive,
              every_byte_is_folded_alone);
    return s;
}
