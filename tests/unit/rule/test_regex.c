#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "lib/main.h"
#include "rule/regex.h"

static struct rule_regex *
make(const char *pattern)
{
    struct rule_regex *re;
    char message[RULE_MESSAGE_MAX];
    ck_assert_msg(rule_regex_new(slice_str(pattern), &re, message) == 0, "%s: %s", pattern, message);
    return re;
}

static bool
matches(const char *pattern, const char *text)
{
    struct rule_regex *re = make(pattern);
    bool hit = rule_regex_match(re, text, strlen(text));
    rule_regex_free(re);
    return hit;
}

/* Fixed strings, anchored or not, are compared without the library. */
START_TEST(literals)
{
    static const char *const plain[] = {"abc", "^abc", "abc$", "^abc$",         "",
                                        "^",   "$",    "^$",   "\\.example\\.", "(?:a)b"};
    static const char *const others[] = {"a.", "(?i)a", "a|b", "a*", "a$b", "^a^", "\\ba"};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        struct rule_regex *re = make(plain[i]);
        ck_assert_msg(rule_regex_is_literal(re), "%s", plain[i]);
        rule_regex_free(re);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct rule_regex *re = make(others[i]);
        ck_assert_msg(!rule_regex_is_literal(re), "%s", others[i]);
        rule_regex_free(re);
    }
    ck_assert(matches("^$", "") && !matches("^$", "a") && matches("$", "x") && matches("^", ""));
    ck_assert(matches("abc$", "xabc") && !matches("abc$", "abcx") && !matches("^abc", "xabc"));
}
END_TEST

/* The filters in front of the library may only refuse what cannot match. */
START_TEST(filters)
{
    static const struct {
        const char *pattern, *text;
        bool hit;
    } cases[] = {
        {"needle[0-9]+$", "a needle7", true},
        {"needle[0-9]+$", "needle7x", false},
        {"needle[0-9]+$", "nedle7", false},
        {"(ab)+c", "ababc", true},
        {"(ab)+c", "abc", true},
        {"(ab){2}c", "abc", false},
        {"a(bc)*d", "ad", true},
        {"x(a|b)y", "xby", true},
        {"ab?c", "ac", true},
        {"(foo|bar)baz$", "barbaz", true},
        {"(a|bc$)$", "bc", true},
        {"[ab]|c$", "zz", false},
        {"(?:a|)$", "x", true},
        {"a\\b-b", "a-b", true},
        {"ab{0}c", "ac", true},
        {"(ab){0,2}c$", "c", true},
        {"a(?m:$\n^)b", "a\nb", true},
        {"[^a]$", "a", false},
        {"[^a]$", "", false},
        {"(?i)needle", "NEEDLE", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(matches(cases[i].pattern, cases[i].text) == cases[i].hit, "%s on %s", cases[i].pattern,
                      cases[i].text);
}
END_TEST

/* Counts that the library does not take as they are: every length near the borders of the pieces. */
START_TEST(large_counts)
{
    static const struct {
        const char *pattern;
        size_t least, most;
    } cases[] = {{"^a{1001}$", 1001, 1001},    {"^a{0,1000}$", 0, 1000},    {"^a{0,1999}$", 0, 1999},
                 {"^a{0,2000}$", 0, 2000},     {"^a{0,2001}$", 0, 2001},    {"^a{999,3500}$", 999, 3500},
                 {"^a{1500,}$", 1500, 100000}, {"^(?:a{600}){0,3}$", 0, 0}, {"^(?:a{40}){50}$", 2000, 2000}};
    enum { LONGEST = 5000 };
    char *text = malloc(LONGEST);
    memset(text, 'a', LONGEST);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rule_regex *re = make(cases[i].pattern);
        for (size_t n = 0; n<LONGEST; n += n % 500> 1 && n % 500 < 498 ? 83 : 1) {
            bool want = n >= cases[i].least && n <= cases[i].most;
            if (strstr(cases[i].pattern, "600"))
                want = n == 0 || n == 600 || n == 1200 || n == 1800;
            ck_assert_msg(rule_regex_match(re, text, n) == want, "%s on %zu", cases[i].pattern, n);
        }
        rule_regex_free(re);
    }
    free(text);
}
END_TEST

START_TEST(bytes_not_characters)
{
    struct rule_regex *re = make("^[\\x80-\\xff]\\x00.$");
    ck_assert(rule_regex_match(re, "\xfe\0\xff", 3));
    ck_assert(!rule_regex_match(re, "\x7f\0\xff", 3));
    rule_regex_free(re);
    re = make("(?i)\xc3\xa9");
    ck_assert(rule_regex_match(re, "\xc3\xa9", 2));
    ck_assert(!rule_regex_match(re, "\xe3\xa9", 2)); /* Latin-1 letters do not fold */
    rule_regex_free(re);
}
END_TEST

START_TEST(messages)
{
    static const struct {
        const char *pattern, *says;
    } cases[] = {{"a(?=b)", "look-around"},  {"(a", "group is not closed"}, {"a)", "unopened"},
                 {"*", "nothing to repeat"}, {"a{", "needs a number"},      {"[b-a]", "reversed"},
                 {"\\1", "back-references"}, {"\\y", "unknown escape"},     {"(x{1000}){1000}", "too big"}};
    char message[RULE_MESSAGE_MAX];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_int_eq(rule_regex_check(slice_str(cases[i].pattern), message), ACD_EINVAL);
        ck_assert_msg(strstr(message, cases[i].says) != NULL, "%s: %s", cases[i].pattern, message);
    }
    ck_assert_int_eq(rule_regex_check(SLICE_LIT("\xff"), message), ACD_EINVAL);
}
END_TEST

/* A literal and then bytes of a set up to the end: looked at from there. Against the library, which is asked
 * by writing the same pattern with a group around it that ours does not look into. */
START_TEST(tails_against_the_library)
{
    static const char *const tails[][2] = {{"ab[b1]+$", "(?:ab[b1]+|\\xff\\xff)$"},
                                           {"a[a1]{2,}$", "(?:a[a1]{2,}|\\xff\\xff)$"},
                                           {"bb[^a]*$", "(?:bb[^a]*|\\xff\\xff)$"},
                                           {"[1a]+$", "(?:[1a]+|\\xff\\xff)$"},
                                           {"ba[b]{3,}$", "(?:ba[b]{3,}|\\xff\\xff)$"}};
    for (size_t k = 0; k < sizeof(tails) / sizeof(tails[0]); k++) {
        struct rule_regex *ours = make(tails[k][0]), *theirs = make(tails[k][1]);
        ck_assert(rule_regex_is_literal(ours) && !rule_regex_is_literal(theirs));
        for (unsigned code = 0; code < 6561; code++) { /* every text of a, b, 1 of up to 8 bytes */
            char text[8];
            size_t len = 0;
            for (unsigned c = code; c; c /= 3)
                text[len++] = "ab1"[c % 3];
            for (; len < 9; len++) {
                ck_assert_msg(rule_regex_match(ours, text, len) == rule_regex_match(theirs, text, len),
                              "%s: %.*s", tails[k][0], (int)len, text);
                if (len < 8)
                    text[len] = 'a';
            }
        }
        rule_regex_free(ours);
        rule_regex_free(theirs);
    }
}
END_TEST

Suite *suite_regex(void);

Suite *
suite_regex(void)
{
    Suite *s = suite_create("regex");
    ADD_TESTS(s, "regex", literals, tails_against_the_library, filters, large_counts, bytes_not_characters,
              messages);
    return s;
}
