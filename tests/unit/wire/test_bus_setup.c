#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/main.h"
#include "wire/bus_setup.h"

START_TEST(test_urls)
{
    static const struct {
        const char *url;
        int secure, insecure;
    } cases[] = {
        {"ipc:///run/anchord.sock", 0, 0},
        {"ipc://", ACD_EINVAL, ACD_EINVAL},
        {"tcp://127.0.0.1:7000", 0, 0},
        {"tcp://127.9.9.9:0", 0, 0},
        {"tcp://[::1]:7000", 0, 0},
        {"tcp://localhost:7000", 0, 0},
        {"tcp://0.0.0.0:7000", ACD_EDENIED, 0},
        {"tcp://*:7000", ACD_EDENIED, 0},
        {"tcp://[::]:7000", ACD_EDENIED, 0},
        {"tcp://192.0.2.1:7000", ACD_EDENIED, 0},
        {"tcp://127.0.0.1.example:7000", ACD_EDENIED, 0},
        {"tcp://[::ffff:192.0.2.1]:7000", ACD_EDENIED, 0},
        {"tcp://::1:7000", ACD_EINVAL, ACD_EINVAL},
        {"tcp://127.0.0.1", ACD_EINVAL, ACD_EINVAL},
        {"tcp://127.0.0.1:65536", ACD_EINVAL, ACD_EINVAL},
        {"tcp://127.0.0.1:http", ACD_EINVAL, ACD_EINVAL},
        {"tcp://:7000", ACD_EINVAL, ACD_EINVAL},
        {"tcp://[]:7000", ACD_EINVAL, ACD_EINVAL},
        {"tls+tcp://127.0.0.1:7000", ACD_ENOTSUP, ACD_ENOTSUP},
        {"ws://127.0.0.1:7000", ACD_EINVAL, ACD_EINVAL},
        {"", ACD_EINVAL, ACD_EINVAL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        acd_err err = ACD_ERR_INIT;
        ck_assert_msg(bus_check_url(cases[i].url, false, &err) == cases[i].secure, "%s", cases[i].url);
        ck_assert_msg(bus_check_url(cases[i].url, true, &err) == cases[i].insecure, "%s", cases[i].url);
    }
}
END_TEST

START_TEST(test_path_at_below_above)
{
    struct sockaddr_un sa;
    char url[256];
    for (size_t len = sizeof(sa.sun_path) - 2; len <= sizeof(sa.sun_path); len++) {
        (void)snprintf(url, sizeof(url), "ipc:///%0*d", (int)len - 1, 0);
        ck_assert_int_eq(bus_check_url(url, false, NULL), len < sizeof(sa.sun_path) ? 0 : ACD_EINVAL);
    }
}
END_TEST

START_TEST(test_socket_files)
{
    char dir[] = "/tmp/anchord_sock.XXXXXX", path[64];
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/s", dir);
    (void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    ck_assert_int_eq(bus_clear_socket(path, NULL), 0); /* nothing there */

    FILE *f = fopen(path, "w");
    (void)fclose(f);
    ck_assert_int_eq(bus_clear_socket(path, NULL), ACD_EEXIST);
    ck_assert_int_eq(access(path, F_OK), 0); /* a file of someone else stays */
    (void)unlink(path);

    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(bus_clear_socket(path, NULL), ACD_EEXIST); /* somebody lives there */
    ck_assert_int_eq(access(path, F_OK), 0);
    (void)close(fd);
    ck_assert_int_eq(bus_clear_socket(path, NULL), 0); /* nobody any more */
    ck_assert_int_ne(access(path, F_OK), 0);
    (void)rmdir(dir);
}
END_TEST

START_TEST(test_defaults_and_bounds)
{
    struct bus_opts none = {0}, much = {.query_workers = 1000, .query_queue = 1 << 30, .conns = 1 << 30};
    struct bus_opts o = bus_opts_full(&none);
    ck_assert_uint_gt(o.query_workers, 0);
    ck_assert_uint_eq(o.query_queue, LIMIT_QUERY_QUEUE);
    ck_assert_uint_eq(o.per_conn, LIMIT_CONN_CALLS);
    ck_assert_uint_eq(o.send_ms, LIMIT_SEND_MS);
    o = bus_opts_full(&much);
    ck_assert_uint_eq(o.query_workers, LIMIT_WORKERS);
    ck_assert_uint_eq(o.query_queue, LIMIT_QUERY_QUEUE);
    ck_assert_uint_eq(o.conns, LIMIT_CONNS);
}
END_TEST

Suite *suite_bus_setup(void);
Suite *
suite_bus_setup(void)
{
    Suite *s = suite_create("bus_setup");
    ADD_TESTS(s, "bus_setup", test_urls, test_path_at_below_above, test_socket_files,
              test_defaults_and_bounds);
    return s;
}
