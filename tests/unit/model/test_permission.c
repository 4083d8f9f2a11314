#include "base/str.h"
#include "lib/main.h"
#include "model/permission.h"

START_TEST(write_includes_read)
{
    permission_set read = permission_parse(slice_str("Zone WAF Read"));
    permission_set write = permission_parse(slice_str("Zone WAF Write"));
    ck_assert_uint_eq(read, permission(PERM_WAF, PERM_READ));
    ck_assert_uint_eq(write, read | permission(PERM_WAF, PERM_WRITE));
    ck_assert_uint_eq(permission_parse(slice_str("Zone WAF")), 0);
    ck_assert_uint_eq(permission_parse(slice_str("zone waf read")), 0);
    ck_assert_uint_eq(permission_parse(slice_str("")), 0);
}
END_TEST

START_TEST(names_and_sets_are_the_same_thing)
{
    permission_set bit, seen = 0;
    const char *name;
    unsigned n = 0;
    for (; (name = permission_name(n, &bit)); n++) {
        ck_assert_uint_eq(seen & bit, 0);
        ck_assert_uint_eq(permission_parse(slice_str(name)) & bit, bit);
        seen |= bit;
    }
    ck_assert_uint_eq(n, 2 * PERMISSION_AREA_COUNT);
    ck_assert_uint_eq(permission_parse(slice_str("all")), seen);
}
END_TEST

Suite *suite_permission(void);

Suite *
suite_permission(void)
{
    Suite *s = suite_create("permission");
    ADD_TESTS(s, "permission", write_includes_read, names_and_sets_are_the_same_thing);
    return s;
}
