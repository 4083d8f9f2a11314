#include "conf/url.h"
#include "lib/main.h"

#include <string.h>

static void
good(const char *text, enum conf_url_scheme scheme, bool is_loopback)
{
    acd_err err = ACD_ERR_INIT;
    struct conf_url url;
    ck_assert_msg(conf_url_parse(text, &url, &err) == 0, "%s %s", text, err.text);
    ck_assert_int_eq(url.scheme, scheme);
    ck_assert_int_eq(url.is_loopback, is_loopback);
}

static void
bad(const char *text, const char *why)
{
    acd_err err = ACD_ERR_INIT;
    struct conf_url url;
    ck_assert_msg(conf_url_parse(text, &url, &err) == ACD_EINVAL, "%s", text);
    ck_assert_str_eq(err.text, why);
}

START_TEST(urls)
{
    good("ipc:///run/a.sock", CONF_URL_IPC, false);
    good("ipc://a.sock", CONF_URL_IPC, false);
    good("tcp://127.255.0.1:65535", CONF_URL_TCP, true);
    good("tcp://localhost:1", CONF_URL_TCP, true);
    good("tcp://[::1]:1", CONF_URL_TCP, true);
    good("tcp://[2001:db8::1]:1", CONF_URL_TCP, false);
    good("tcp://128.0.0.1:1", CONF_URL_TCP, false);
    good("tcp://localhost.example:1", CONF_URL_TCP, false);
}
END_TEST

START_TEST(not_urls)
{
    char path[256];
    bad("", "does not begin with ipc:// or tcp://");
    bad("tls+tcp://a:1", "does not begin with ipc:// or tcp://");
    bad("IPC:///a", "does not begin with ipc:// or tcp://");
    bad("ipc://", "has no path, or one that is too long for a socket");
    snprintf(path, sizeof(path), "ipc://%0107d", 0);
    good(path, CONF_URL_IPC, false);
    snprintf(path, sizeof(path), "ipc://%0108d", 0);
    bad(path, "has no path, or one that is too long for a socket");
    bad("tcp://a", "has no port");
    bad("tcp://a:", "has no port between 1 and 65535");
    bad("tcp://a:0", "has no port between 1 and 65535");
    bad("tcp://a:65536", "has no port between 1 and 65535");
    bad("tcp://:1", "has no host or one that is too long");
    bad("tcp://::1:1", "has an IPv6 address without brackets");
    bad("tcp://[::1:1", "has an address without its closing bracket");
    bad("tcp://[:1", "has an address without its closing bracket");
    bad("tcp://[]:1", "has no host or one that is too long");
    bad("tcp://a/b:1", "has a host that is none");
    bad("tcp://[a]:1", "has a host that is none");
}
END_TEST

Suite *suite_url(void);

Suite *
suite_url(void)
{
    Suite *s = suite_create("url");
    ADD_TESTS(s, "url", urls, not_urls);
    return s;
}
