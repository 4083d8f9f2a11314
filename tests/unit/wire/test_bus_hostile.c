/* Peers that are slow, die, flood or lie: they lose their connection, and nobody else notices. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "peer.h"
#include "wire/bus_listen.h"

static struct server server;
static const uint8_t hello[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

static int
open_silent(void)
{
    int fd = raw_open(server.ipc + strlen("ipc://"));
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void
check_served(struct call_client *c)
{
    struct call_result res;
    int rc = ask(c, "quick.example", 20000, &res);
    ck_assert_msg(rc == 0, "%s", res.err.text);
    call_result_done(&res);
}

/* Until nothing is left of all connections but `n`, and no call is in flight. */
static void
wait_conns(uint64_t n)
{
    struct bus_counters now;
    do {
        (void)poll(NULL, 0, 2);
        bus_counters(server.bus, &now);
    } while (now.conns > n || now.in_flight > 0);
}

/* Descriptors are closed a moment after their connection has left the counters. */
static void
wait_descriptors(size_t n)
{
    while (open_descriptors() > n)
        (void)poll(NULL, 0, 2);
}

START_TEST(test_hello_garbage)
{
    static const char *const junk[] = {"GET / HTTP/1.1\r\n\r\n", "\0SP\0\0\x31\0\0", "\0SP\1\0\x30\0\0"};
    server_start(&server, NULL, false);
    for (size_t i = 0; i < 3; i++) {
        int fd = open_silent();
        ck_assert_int_eq(send(fd, junk[i], 8, MSG_NOSIGNAL), 8);
        raw_wait_closed(fd);
        (void)close(fd);
    }
    ck_assert_uint_eq(WAIT_COUNTER(server.bus, malformed, 3), 3);
    server_stop(&server);
}
END_TEST

START_TEST(test_hello_in_pieces)
{
    uint8_t out[512];
    size_t len;
    server_start(&server, NULL, false);
    int fd = open_silent();
    ck_assert_int_eq(recv(fd, out, 8, MSG_WAITALL), 8);
    for (size_t i = 0; i < sizeof(hello); i++) {
        ck_assert_int_eq(write(fd, hello + i, 1), 1);
        (void)poll(NULL, 0, 1);
    }
    ck_assert_int_eq(raw_send(fd, 5, trust_request("a.example"), 0), 0);
    ck_assert(raw_recv_all(fd, out, sizeof(out), &len));
    ck_assert_mem_eq(out, "\x80\0\0\5", 4);
    (void)close(fd);
    server_stop(&server);
}
END_TEST

START_TEST(test_no_hello_no_stay)
{
    struct bus_opts opts = {.hello_ms = 50, .recv_ms = 50};
    server_start(&server, &opts, false);
    int idle = raw_connect(&server), mute = open_silent(), half = open_silent();
    ck_assert_int_eq(write(half, hello, 5), 5);
    raw_wait_closed(mute);
    raw_wait_closed(half);
    ck_assert_uint_eq(WAIT_COUNTER(server.bus, conns_refused, 2), 2);
    /* a connection that has said its hello may be idle for longer than that */
    struct bus_counters now;
    bus_counters(server.bus, &now);
    ck_assert_uint_eq(now.conns, 1);
    ck_assert_uint_eq(now.conns_dropped, 0);
    (void)close(idle);
    (void)close(mute);
    (void)close(half);
    server_stop(&server);
}
END_TEST

START_TEST(test_begun_message_comes_to_its_end)
{
    struct bus_opts opts = {.recv_ms = 50};
    static const char head[] = "\1\0\0\0\0\0\0\1\0";
    server_start(&server, &opts, false);
    int in_head = raw_connect(&server), in_body = raw_connect(&server);
    ck_assert_int_eq(write(in_head, head, 3), 3);
    ck_assert_int_eq(write(in_body, head, 9), 9);
    /* byte after byte does not prolong it */
    while (send(in_body, "x", 1, MSG_NOSIGNAL) == 1)
        (void)poll(NULL, 0, 5);
    raw_wait_closed(in_head);
    ck_assert_uint_eq(WAIT_COUNTER(server.bus, conns_dropped, 2), 2);
    (void)close(in_head);
    (void)close(in_body);
    server_stop(&server);
}
END_TEST

/* A thousand connections that say nothing, or only half: a client is served all the same, also when it comes
 * last. */
START_TEST(test_slow_thousand)
{
    enum { SLOW = 1000 };
    static int fds[SLOW];
    descriptors_allow(4 * SLOW);
    server_start(&server, NULL, false);
    struct call_client *first = client_open(server.ipc, CALL_NO_RETRIES);
    check_served(first);
    for (size_t i = 0; i < SLOW; i++) {
        fds[i] = i % 2 ? raw_connect(&server) : open_silent();
        if (i % 4 == 1)
            ck_assert_int_eq(write(fds[i], "\1\0\0\0\0\0\0\1\0abc", 12), 12);
    }
    check_served(first);
    struct call_client *last = client_open(server.ipc, CALL_NO_RETRIES);
    check_served(last);
    call_close(first);
    call_close(last);
    for (size_t i = 0; i < SLOW; i++)
        (void)close(fds[i]);
    wait_conns(0);
    server_stop(&server);
}
END_TEST

/* More silent connections than there is room for: the oldest of them make room, those that spoke stay. */
START_TEST(test_silent_ones_make_room)
{
    enum { SILENT = LIMIT_HELLOS + 20 };
    struct bus_opts opts = {.conns = 2};
    static int fds[SILENT];
    descriptors_allow(4 * SILENT);
    server_start(&server, &opts, false);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    check_served(c);
    for (size_t i = 0; i < SILENT; i++)
        fds[i] = open_silent();
    raw_wait_closed(fds[0]);
    int fd = raw_connect(&server);
    check_served(c);
    call_close(c);
    (void)close(fd);
    for (size_t i = 0; i < SILENT; i++)
        (void)close(fds[i]);
    server_stop(&server);
}
END_TEST

/* In the child, which must not touch anything another thread of the parent may have locked. */
static void
die_in_the_middle(const char *path, acd_slice request, unsigned n)
{
    uint8_t head[13] = {1, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(4 + request.len), 0x80, 0, 0, 1};
    uint8_t theirs[sizeof(hello)];
    int fd = raw_open(path);
    (void)!recv(fd, theirs, sizeof(theirs), MSG_WAITALL);
    (void)!write(fd, hello, sizeof(hello));
    for (unsigned i = 0; i < n % 5; i++) {
        (void)!write(fd, head, sizeof(head));
        (void)!write(fd, request.ptr, request.len);
    }
    (void)!write(fd, head, n % sizeof(head));
    if (n % 3 == 0)
        (void)!write(fd, "\1\0\0\0\0\0\x20\0\0 a large message's beginning", 37);
    (void)kill(getpid(), SIGKILL);
}

START_TEST(test_killed_clients)
{
    enum { ROUNDS = 50, AT_ONCE = 10 };
    server_start(&server, NULL, false);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    check_served(c);
    size_t before = open_descriptors();
    acd_slice request = trust_request("dying.example");
    ck_assert_uint_lt(request.len, 250);
    for (unsigned i = 0; i < ROUNDS; i++) {
        pid_t pids[AT_ONCE];
        for (unsigned k = 0; k < AT_ONCE; k++) {
            pids[k] = fork();
            if (pids[k] == 0)
                die_in_the_middle(server.ipc + strlen("ipc://"), request, i * AT_ONCE + k);
            ck_assert_int_gt(pids[k], 0);
        }
        for (unsigned k = 0; k < AT_ONCE; k++) {
            int status;
            ck_assert_int_eq(waitpid(pids[k], &status, 0), pids[k]);
            ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        }
    }
    check_served(c);
    (void)WAIT_COUNTER(server.bus, conns_opened, 1 + ROUNDS * AT_ONCE);
    wait_conns(1);
    wait_descriptors(before);
    struct bus_counters now;
    bus_counters(server.bus, &now);
    ck_assert_uint_eq(now.calls, now.replies);
    call_close(c);
    server_stop(&server);
}
END_TEST

static double
cpu_seconds(void)
{
    struct timespec t;
    ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* With no descriptor left, newcomers are hung up on and the server does not spin; with some left, it serves.
 */
START_TEST(test_descriptors_run_out)
{
    enum { NEWCOMERS = 20, WINDOW_MS = 300 };
    int fds[NEWCOMERS];
    server_start(&server, NULL, false);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    check_served(c);
    for (size_t i = 0; i < NEWCOMERS; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        ck_assert_int_ge(fds[i], 0);
    }
    descriptors_allow((size_t)fds[NEWCOMERS - 1] + 1);
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    (void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/sock", server.dir);
    for (size_t i = 0; i < NEWCOMERS; i++)
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&sa, sizeof(sa)), 0);
    (void)WAIT_COUNTER(server.bus, conns_refused, NEWCOMERS);
    double cpu = cpu_seconds();
    (void)poll(NULL, 0, WINDOW_MS);
    ck_assert(cpu_seconds() - cpu < WINDOW_MS / 1000.0 / 2);
    check_served(c);
    descriptors_allow(1024);
    for (size_t i = 0; i < NEWCOMERS; i++)
        (void)close(fds[i]);
    int fd = raw_connect(&server);
    (void)close(fd);
    call_close(c);
    server_stop(&server);
}
END_TEST

/* The same for a listener by itself, when not even the spare descriptor can be had. */
START_TEST(test_accept_without_descriptors)
{
    struct listener l;
    struct rpc_peer peer;
    char dir[] = "/tmp/anchord_accept.XXXXXX", url[64];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(url, sizeof(url), "ipc://%s/s", dir);
    ck_assert_int_eq(listener_open(&l, url, false, NULL), 0);
    int spare = -1, one = raw_open(url + 6), two = raw_open(url + 6);
    ck_assert(one >= 0 && two >= 0);
    descriptors_allow((size_t)two + 1);
    ck_assert_int_eq(listener_accept(&l, &spare, &peer), ACD_EBUSY);
    ck_assert_int_eq(spare, -1);
    descriptors_allow((size_t)two + 2);
    spare = spare_open();
    ck_assert_int_ge(spare, 0);
    ck_assert_int_eq(listener_accept(&l, &spare, &peer), ACD_ELIMIT);
    ck_assert_int_ge(spare, 0);
    raw_wait_closed(one);
    descriptors_allow(1024);
    int fd = listener_accept(&l, &spare, &peer);
    ck_assert_int_ge(fd, 0);
    ck_assert(peer.uid_known && peer.uid == getuid());
    ck_assert_int_eq(listener_accept(&l, &spare, &peer), ACD_ENOENT);
    (void)close(fd);
    (void)close(spare);
    listener_close(&l);
    (void)close(one);
    (void)close(two);
    ck_assert_int_eq(rmdir(dir), 0); /* the socket file is gone */
}
END_TEST

/* The reply carries the whole stack of ids back; too many hops cost the message, nonsense the connection. */
START_TEST(test_hops)
{
    static const char three[] = "\0\0\0\1\0\0\0\2\x80\0\0\3";
    uint8_t nine[36] = {0}, out[512];
    size_t len;
    server_start(&server, NULL, false);
    int fd = raw_connect(&server);
    nine[32] = 0x80;
    ck_assert_int_eq(raw_send_stack(fd, slice_of(nine, 36), trust_request("far.example"), 0), 0);
    ck_assert_int_eq(raw_send_stack(fd, slice_of(three, 12), trust_request("near.example"), 0), 0);
    ck_assert(raw_recv_all(fd, out, sizeof(out), &len));
    ck_assert_mem_eq(out, three, 12);
    ck_assert_int_eq(raw_send_stack(fd, slice_of(three, 8), slice_of(NULL, 0), 0), 0);
    ck_assert(!raw_recv_all(fd, out, sizeof(out), &len));
    ck_assert_uint_eq(WAIT_COUNTER(server.bus, malformed, 1), 1);
    (void)close(fd);
    server_stop(&server);
}
END_TEST

/* One write with many requests beyond the share: all are answered, since the peer takes its answers. */
START_TEST(test_burst_beyond_the_share)
{
    enum { BURST = 600 };
    struct bus_opts opts = {.per_conn = 8};
    static uint8_t raw[BURST * 128], out[512];
    struct bus_counters now;
    size_t len = 0, got;
    server_start(&server, &opts, false);
    acd_slice request = trust_request("burst.example");
    for (uint32_t i = 0; i < BURST; i++) {
        const uint8_t head[13] = {
            1, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(4 + request.len), 0x80, 0, (uint8_t)(i >> 8), (uint8_t)i};
        memcpy(raw + len, head, 13);
        memcpy(raw + len + 13, request.ptr, request.len);
        len += 13 + request.len;
        ck_assert_uint_lt(len, sizeof(raw) - 128);
    }
    int fd = raw_connect(&server);
    ck_assert_int_eq(write(fd, raw, len), (ssize_t)len);
    for (size_t i = 0; i < BURST; i++)
        ck_assert(raw_recv_all(fd, out, sizeof(out), &got));
    bus_counters(server.bus, &now);
    ck_assert_uint_eq(now.calls, BURST);
    ck_assert_uint_eq(now.conns_dropped, 0);
    (void)close(fd);
    server_stop(&server);
}
END_TEST

Suite *suite_bus_hostile(void);
Suite *
suite_bus_hostile(void)
{
    Suite *s = suite_create("bus_hostile");
    ADD_TESTS(s, "bus_hostile", test_hello_garbage, test_hello_in_pieces, test_no_hello_no_stay,
              test_begun_message_comes_to_its_end, test_slow_thousand, test_silent_ones_make_room,
              test_killed_clients, test_descriptors_run_out, test_accept_without_descriptors, test_hops,
              test_burst_beyond_the_share);
    return s;
}
