/* The table of routes, and paths and queries that are looked up in it. */
#include "base/str.h"
#include "lib/main.h"
#include "route.h"

#define HEX  "0123456789abcdef0123456789abcdef"
#define UUID "00000000-0000-4000-8000-00000000000a"
#define V4   "/client/v4"

static struct mem_region region;
static struct route_match found;

static void
setup(void)
{
    mem_init(&region, 4096, 0);
}

static void
teardown(void)
{
    mem_done(&region);
}

static enum route_found
look(const char *method, const char *path)
{
    return route_find(&region, method, slice_str(path), &found);
}

/* Every row is found by its own method and pattern, so none stands in the shadow of another. */
START_TEST(every_row_is_reached)
{
    const struct route *r;
    for (size_t i = 0; (r = route_at(i)); i++) {
        char path[512];
        size_t n = 0;
        for (const char *p = r->pattern; *p;) {
            size_t len = *p == '{' ? strcspn(p, "}") + 1 : 1;
            const char *value = *p != '{'                         ? p
                                : strncmp(p, "{phase}", 7) == 0   ? "some_phase"
                                : strncmp(p, "{account}", 9) == 0 ? HEX
                                : strncmp(p, "{zone}", 6) == 0    ? HEX
                                : strncmp(p, "{rule", 5) == 0     ? HEX
                                                                  : UUID;
            size_t m = *p == '{' ? strlen(value) : 1;
            memcpy(path + n, value, m);
            n += m;
            p += len;
        }
        path[n] = '\0';
        ck_assert_msg(look(r->method, path) == ROUTE_FOUND && found.route == r, "%s %s", r->method,
                      r->pattern);
    }
}
END_TEST

START_TEST(paths_are_split_before_they_are_decoded)
{
    ck_assert_int_eq(look("GET", V4 "/zones/" HEX), ROUTE_FOUND);
    ck_assert_str_eq(route_value(&found, "zone"), HEX);
    ck_assert_str_eq(route_value(&found, "account"), "");
    ck_assert_int_eq(look("HEAD", V4 "/%7Aones"), ROUTE_FOUND);
    static const char *const unknown[] = {"",
                                          "/",
                                          V4,
                                          V4 "/",
                                          V4 "/zones/",
                                          V4 "//zones",
                                          "client/v4/zones",
                                          V4 "/zones%2f" HEX,
                                          V4 "/zones/../nothing",
                                          V4 "/zones/" HEX "/%2e%2e",
                                          V4 "/zones/" HEX "/nothing"};
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        ck_assert_msg(look("GET", unknown[i]) == ROUTE_UNKNOWN, "%s", unknown[i]);
}
END_TEST

START_TEST(ids_have_their_form)
{
    static const char *const bad[] = {V4 "/zones/example.com",
                                      V4 "/zones/0" HEX,
                                      V4 "/zones/0123456789ABCDEF0123456789ABCDEF",
                                      V4 "/accounts/" HEX "/mtls_certificates/" HEX,
                                      V4 "/zones/" HEX "/rulesets/" UUID,
                                      V4 "/zones/.",
                                      V4 "/zones/..",
                                      V4 "/zones/%2e%2E",
                                      V4 "/zones/%",
                                      V4 "/zones/%1",
                                      V4 "/zones/%zz",
                                      V4 "/zones/%00",
                                      V4 "/zones/%ff",
                                      V4 "/zones/" HEX "%2frulesets",
                                      V4 "/accounts/" HEX "/mtls_certificates/a%20b%2Fc",
                                      V4 "/zones/" HEX "/rulesets/phases/%2e/entrypoint"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(look("GET", bad[i]) == ROUTE_IDENTIFIER && found.route, "%s", bad[i]);
}
END_TEST

START_TEST(other_methods_are_told)
{
    ck_assert_int_eq(look("PATCH", V4 "/accounts/" HEX "/mtls_certificates"), ROUTE_METHOD);
    ck_assert_str_eq(found.allow, "GET, HEAD, POST, OPTIONS");
    ck_assert_int_eq(look("OPTIONS", "/livez"), ROUTE_METHOD);
    ck_assert_str_eq(found.allow, "GET, HEAD, OPTIONS");
    ck_assert_int_eq(look("DELETE", V4 "/accounts/" HEX "/access/certificates/settings"), ROUTE_METHOD);
}
END_TEST

START_TEST(queries)
{
    struct query q;
    ck_assert(query_parse(&region, slice_str("a=1&b=x+y%2B&a=2&&c&=d&e=f=g&t=one,two&t=three"), &q));
    ck_assert_str_eq(query_get(&q, "a"), "1");
    ck_assert_str_eq(query_get(&q, "b"), "x y+");
    ck_assert_str_eq(query_get(&q, "c"), "");
    ck_assert_str_eq(query_get(&q, "e"), "f=g");
    ck_assert_ptr_null(query_get(&q, "d"));
    ck_assert(query_flag(&q, "a"));
    ck_assert(!query_flag(&q, "b") && !query_flag(&q, "d"));
    ck_assert(query_has(&q, "t", "two") && query_has(&q, "t", "three") && query_has(&q, "none", "x"));
    ck_assert(!query_has(&q, "t", "four") && !query_has(&q, "t", "one,two"));
    static const char *const bad[] = {"a=%", "a=%4", "a=%zz", "%00", "a=%ff", "a=%0a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!query_parse(&region, slice_str(bad[i]), &q), "%s", bad[i]);
    char many[3 * QUERY_MAX + 4] = "";
    for (size_t i = 0; i < QUERY_MAX; i++)
        memcpy(many + 2 * i, "a&", 3);
    ck_assert(query_parse(&region, slice_str(many), &q));
    memcpy(many + 2 * QUERY_MAX, "a", 2);
    ck_assert(!query_parse(&region, slice_str(many), &q));
}
END_TEST

Suite *suite_route(void);

Suite *
suite_route(void)
{
    Suite *s = suite_create("gateway/route");
    TCase *c = tcase_create("route");
    const TTest *tests[] = {every_row_is_reached, paths_are_split_before_they_are_decoded,
                            ids_have_their_form, other_methods_are_told, queries};
    tcase_add_checked_fixture(c, setup, teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
