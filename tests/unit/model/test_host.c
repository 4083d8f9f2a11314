#include "base/str.h"
#include "lib/main.h"
#include "lib/seed.h"
#include "model/host.h"

struct row {
    const char *text, *normal; /* NULL: refused */
};

static const struct row hosts[] = {
    {"example.com", "example.com"},
    {"API.Example.COM.", "api.example.com"},
    {"b\xc3\xbc"
     "cher.example",
     "xn--bcher-kva.example"},
    {"xn--bcher-kva.example", "xn--bcher-kva.example"},
    {"_acme.example.com", "_acme.example.com"},
    {"a-b.example", "a-b.example"},
    {"stra\xc3\x9f"
     "e.example",
     "xn--strae-oqa.example"},
    {"localhost", "localhost"},
    {"", NULL},
    {".", NULL},
    {".example.com", NULL},
    {"a..example.com", NULL},
    {"example.com..", NULL},
    {"-a.example.com", NULL},
    {"a-.example.com", NULL},
    {"exa mple.com", NULL},
    {"example.com:443", NULL},
    {"https://example.com", NULL},
    {"*.example.com", NULL},
    {"192.0.2.1", NULL},
    {"1.2.3", NULL},
    {"[::1]", NULL},
    {"\xff.example.com", NULL},
    {"xn--a.example", NULL},
};

START_TEST(normal_form)
{
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct host h;
        acd_err err = ACD_ERR_INIT;
        int rc = host_parse(slice_str(hosts[i].text), &h, &err);
        ck_assert_msg((rc == 0) == (hosts[i].normal != NULL), "'%s': %s", hosts[i].text, err.text);
        if (rc == 0)
            ck_assert_str_eq(h.name, hosts[i].normal);
        else
            ck_assert_msg(err.text[0], "'%s' is refused without a reason", hosts[i].text);
    }
}
END_TEST

/* Whatever the fast path says is what the slow one says; and ordinary names need no slow one. */
START_TEST(folding_agrees_with_parsing)
{
    static const char letters[] = "aAzZ09-_..:*xn-- \xc3\xa4";
    struct prng rng = {test_seed()};
    struct host fast, slow;
    char text[24];
    unsigned agreed = 0;
    for (int i = 0; i < 200000; i++) {
        size_t len = prng_below(&rng, sizeof(text));
        for (size_t k = 0; k < len; k++)
            text[k] = letters[prng_below(&rng, sizeof(letters) - 1)];
        if (!host_fold(slice_of(text, len), &fast))
            continue;
        ck_assert_msg(host_parse(slice_of(text, len), &slow, NULL) == 0, "'%.*s'", (int)len, text);
        ck_assert_str_eq(fast.name, slow.name);
        ck_assert_uint_eq(fast.len, slow.len);
        agreed++;
    }
    ck_assert_uint_gt(agreed, 2000);
    ck_assert(host_fold(SLICE_LIT("API.Example.COM."), &fast));
    ck_assert_str_eq(fast.name, "api.example.com");
    ck_assert(!host_fold(SLICE_LIT("XN--bcher-kva.example"), &fast));
    ck_assert_str_eq(fast.name, "xn--bcher-kva.example"); /* whether that is a name, host_parse says */
    ck_assert(!host_fold(SLICE_LIT("b\xc3\xbc.example"), &fast) && fast.len == 0);
    ck_assert(!host_fold(SLICE_LIT(""), &fast) && !host_fold(SLICE_LIT("."), &fast));
}
END_TEST

START_TEST(nul_is_refused)
{
    struct host h;
    ck_assert_int_eq(host_parse(slice_of("a.example\0.com", 14), &h, NULL), ACD_EINVAL);
}
END_TEST

static const struct row patterns[] = {
    {"*.example.com", "*.example.com"},
    {"*.API.example.com", "*.api.example.com"},
    {"edge.internal", "edge.internal"},
    {"*.edge.internal", "*.edge.internal"},
    {"com", NULL},
    {"*.com", NULL},
    {"co.uk", NULL},
    {"*.co.uk", NULL},
    {"internal", NULL},
    {"*", NULL},
    {"*.", NULL},
    {"a.*.example.com", NULL},
    {"a*.example.com", NULL},
    {"*.*.example.com", NULL},
};

START_TEST(patterns_and_public_suffixes)
{
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct host h;
        acd_err err = ACD_ERR_INIT;
        int rc = host_parse_pattern(slice_str(patterns[i].text), &h, &err);
        ck_assert_msg((rc == 0) == (patterns[i].normal != NULL), "'%s': %s", patterns[i].text, err.text);
        if (rc == 0)
            ck_assert_str_eq(h.name, patterns[i].normal);
    }
}
END_TEST

START_TEST(length_limits)
{
    char name[LIMIT_HOST + 3];
    struct host h;
    size_t n = 0;
    while (n + 2 <= LIMIT_HOST) { /* one-letter labels up to exactly the limit: 127 labels make 253 bytes */
        name[n++] = 'a';
        name[n++] = '.';
    }
    name[n++] = 'a';
    ck_assert_uint_eq(n, LIMIT_HOST);
    ck_assert_int_eq(host_parse(slice_of(name, n), &h, NULL), 0);
    name[n++] = 'a';
    ck_assert_int_eq(host_parse(slice_of(name, n), &h, NULL), ACD_EINVAL);
    memset(name, 'b', sizeof(name));
    memcpy(name + LIMIT_LABEL, ".com", 4);
    ck_assert_int_eq(host_parse(slice_of(name, LIMIT_LABEL + 4), &h, NULL), 0);
    name[LIMIT_LABEL] = 'b';
    memcpy(name + LIMIT_LABEL + 1, ".com", 4);
    ck_assert_int_eq(host_parse(slice_of(name, LIMIT_LABEL + 5), &h, NULL), ACD_EINVAL);
}
END_TEST

static bool
in_zone(const char *pattern, const char *zone)
{
    struct host p, z;
    ck_assert_int_eq(host_parse_pattern(slice_str(pattern), &p, NULL), 0);
    ck_assert_int_eq(host_parse_zone(slice_str(zone), &z, NULL), 0);
    return host_in_zone(&p, &z);
}

START_TEST(zones)
{
    struct host z;
    ck_assert(in_zone("example.com", "example.com"));
    ck_assert(in_zone("a.b.example.com", "example.com"));
    ck_assert(in_zone("*.example.com", "example.com"));
    ck_assert(!in_zone("badexample.com", "example.com"));
    ck_assert(!in_zone("example.com", "a.example.com"));
    ck_assert_int_eq(host_parse_zone(slice_str("co.uk"), &z, NULL), ACD_EINVAL);
    ck_assert_int_eq(host_parse_zone(slice_str("*.example.com"), &z, NULL), ACD_EINVAL);
}
END_TEST

/* The rules of the normal form, byte for byte. */
static bool
normal_by_the_rules(const char *name, size_t len)
{
    size_t label = 0;
    bool digits = true;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && name[i] != '.') {
            digits = digits && name[i] >= '0' && name[i] <= '9';
            if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", name[i]))
                return false;
            continue;
        }
        const char *l = name + label;
        size_t n = i - label;
        if (n == 0 || n > LIMIT_LABEL || l[0] == '-' || l[n - 1] == '-' ||
            (n > 3 && l[2] == '-' && l[3] == '-'))
            return false;
        if (i == len)
            return len <= LIMIT_HOST && !digits;
        label = i + 1;
        digits = true;
    }
    return false;
}

/* Every length, and mostly names that are nearly right. */
START_TEST(normal_form_by_the_rules)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789ab-._-.A/:@[`{\x80";
    struct prng rng = {test_seed()};
    unsigned normal = 0;
    for (unsigned round = 0; round < 200000; round++) {
        char name[128];
        size_t len = prng_below(&rng, 80),
               kinds = prng_below(&rng, 4) ? 26 + prng_below(&rng, 16) : sizeof(bytes) - 1;
        for (size_t i = 0; i < len; i++)
            name[i] = bytes[prng_below(&rng, prng_below(&rng, 4) ? 26 : kinds)];
        bool want = normal_by_the_rules(name, len);
        ck_assert_msg(host_is_normal(name, len) == want, "'%.*s'", (int)len, name);
        normal += want;
    }
    ck_assert_uint_gt(normal, 10000);
    ck_assert_uint_lt(normal, 190000);
}
END_TEST

Suite *suite_host(void);

Suite *
suite_host(void)
{
    Suite *s = suite_create("host");
    ADD_TESTS(s, "host", normal_form, folding_agrees_with_parsing, nul_is_refused,
              patterns_and_public_suffixes, length_limits, zones, normal_form_by_the_rules);
    return s;
}
