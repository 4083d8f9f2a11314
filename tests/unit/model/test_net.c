#include "base/str.h"
#include "lib/main.h"
#include "model/net.h"

START_TEST(ranges_hold_addresses)
{
    static const struct {
        const char *range, *addr;
        bool in;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::/0", "192.0.2.1", true},
        {"::1", "::1", true},
        {"::ffff:192.0.2.0/120", "192.0.2.9", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_range r;
        struct net_addr a;
        ck_assert_int_eq(net_range_parse(slice_str(cases[i].range), &r, NULL), 0);
        ck_assert(net_addr_parse(slice_str(cases[i].addr), &a));
        ck_assert_msg(net_range_has(&r, &a) == cases[i].in, "%s in %s", cases[i].addr, cases[i].range);
    }
}
END_TEST

START_TEST(what_is_no_range_is_refused)
{
    static const char *const bad[] = {
        "",
        "/8",
        "192.0.2.0/",
        "192.0.2.0/33",
        "192.0.2.0/-1",
        "192.0.2.0/024x",
        "192.0.2.1/24",
        "2001:db8::1/64",
        "::/129",
        "192.0.2",
        "example.com",
        "192.0.2.0/24/8",
        " 192.0.2.1",
        "192.0.2.1 ",
        "[::1]",
        "::/0001",
    };
    struct net_range r;
    acd_err err = ACD_ERR_INIT;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(net_range_parse(slice_str(bad[i]), &r, &err) == ACD_EINVAL, "%s", bad[i]);
        ck_assert_msg(strstr(err.text, bad[i]) != NULL, "%s", err.text);
    }
    ck_assert_int_eq(net_range_parse(slice_of("::1\0", 4), &r, NULL), ACD_EINVAL);
}
END_TEST

Suite *suite_net(void);

Suite *
suite_net(void)
{
    Suite *s = suite_create("net");
    ADD_TESTS(s, "net", ranges_hold_addresses, what_is_no_range_is_refused);
    return s;
}
