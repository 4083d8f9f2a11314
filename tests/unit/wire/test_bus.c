/* The server's end, driven by the library's client and by raw sockets that speak nng's stream protocol badly.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "peer.h"

static struct server server;

/* ---- tests ---- */

static void
check_answer(struct call_client *c, const char *host)
{
    struct call_result res;
    int rc = ask(c, host, 20000, &res);
    ck_assert_msg(rc == 0, "%s", res.err.text);
    const Anchord__V1__GetTrustResponse *resp = res.resp;
    ck_assert_str_eq(resp->answers[0]->host, host);
    ck_assert_uint_eq(res.reply.revision, 7);
    call_result_done(&res);
}

START_TEST(test_ipc_and_tcp)
{
    server_start(&server, NULL, true);
    ck_assert_str_eq(bus_url(server.bus, 0), server.ipc);
    ck_assert_ptr_null(bus_url(server.bus, 2));
    for (size_t i = 0; i < 2; i++) {
        struct call_client *c = client_open(bus_url(server.bus, i), CALL_NO_RETRIES);
        check_answer(c, "a.example");
        ck_assert_int_eq(server.peer.transport, i ? RPC_TCP : RPC_IPC);
        ck_assert_int_eq(server.peer.uid_known, i == 0);
        if (i == 0)
            ck_assert_uint_eq(server.peer.uid, getuid());
        else
            ck_assert_int_eq(strncmp(server.peer.remote, "127.0.0.1:", 10), 0);
        call_close(c);
    }
    server_stop(&server);
}
END_TEST

START_TEST(test_socket_is_private_and_replaced)
{
    struct stat st;
    acd_err err = ACD_ERR_INIT;
    struct bus *second = NULL;
    server_start(&server, NULL, false);
    const char *path = server.ipc + strlen("ipc://"), *urls[] = {server.ipc};
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    struct bus_opts opts = {.table = &server.table, .urls = urls, .n_urls = 1};
    ck_assert_int_eq(bus_start(&opts, &second, &err), ACD_EEXIST);
    ck_assert_int_eq(stat(path, &st), 0);
    server_stop(&server);
}
END_TEST

struct many {
    const char *url;
    unsigned number;
};

static void *
many_run(void *arg)
{
    const struct many *m = arg;
    struct call_client *c = client_open(m->url, 0);
    for (unsigned i = 0; i < 50; i++) {
        char host[64];
        (void)snprintf(host, sizeof(host), "h%u-%u.example", m->number, i);
        check_answer(c, host);
    }
    call_close(c);
    return NULL;
}

START_TEST(test_many_clients)
{
    enum { CLIENTS = 64 };
    pthread_t threads[CLIENTS];
    struct many many[CLIENTS];
    server_start(&server, NULL, true);
    for (unsigned i = 0; i < CLIENTS; i++) {
        many[i] = (struct many){bus_url(server.bus, i % 2), i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, many_run, &many[i]), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_uint_ge(WAIT_COUNTER(server.bus, replies, CLIENTS * 50), CLIENTS * 50);
    server_stop(&server);
}
END_TEST

static void
submit_trust(struct call_set *set, void *tag, uint32_t timeout_ms)
{
    Anchord__V1__GetTrustRequest req = ANCHORD__V1__GET_TRUST_REQUEST__INIT;
    struct call_request call = {.method = rpc_method_find(slice_str("anchord.v1.EdgeService/GetTrust")),
                                .body = &req,
                                .timeout_ms = timeout_ms};
    acd_err err = ACD_ERR_INIT;
    ck_assert_msg(call_submit(set, &call, tag, &err) == 0, "%s", err.text);
}

/* One worker, a queue of two: of four calls one is refused at once, the others are answered. */
START_TEST(test_full_queue)
{
    struct bus_opts opts = {.query_workers = 1, .query_queue = 2};
    struct call_set set;
    struct call_result res;
    server_start(&server, &opts, false);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    call_set_init(&set, c);
    server_gate(&server, true);
    submit_trust(&set, NULL, 0);
    server_wait_waiting(&server, 1);
    for (int i = 0; i < 3; i++)
        submit_trust(&set, NULL, 0);
    ck_assert_int_eq(call_collect(&set, 20000, &res), 1);
    ck_assert_int_eq(res.status, ACD_EBUSY);
    ck_assert_uint_eq(res.reply.code, 8);
    ck_assert_uint_eq(res.reply.retry_after_ms, LIMIT_RETRY_AFTER_MS);
    call_result_done(&res);
    server_gate(&server, false);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(call_collect(&set, 20000, &res), 1);
        ck_assert_int_eq(res.status, 0);
        call_result_done(&res);
    }
    ck_assert_int_eq(call_collect(&set, 0, &res), ACD_ENOENT);
    ck_assert_uint_eq(WAIT_COUNTER(server.bus, refused, 1), 1);
    call_set_done(&set);
    call_close(c);
    server_stop(&server);
}
END_TEST

/* A slow query does not hold up the admin pool. */
START_TEST(test_pools_are_apart)
{
    struct bus_opts opts = {.query_workers = 1};
    struct call_set set;
    struct call_result res;
    server_start(&server, &opts, false);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    call_set_init(&set, c);
    server_gate(&server, true);
    submit_trust(&set, NULL, 0);
    server_wait_waiting(&server, 1);
    Anchord__V1__CreateZoneRequest zone = ANCHORD__V1__CREATE_ZONE_REQUEST__INIT;
    struct call_request call = {.method = rpc_method_find(slice_str("anchord.v1.ZoneService/CreateZone")),
                                .body = &zone};
    ck_assert_int_eq(call_submit(&set, &call, NULL, NULL), 0);
    server_wait_waiting(&server, 2);
    server_gate(&server, false);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(call_collect(&set, 20000, &res), 1);
        ck_assert_int_eq(res.status, 0);
        call_result_done(&res);
    }
    call_set_done(&set);
    call_close(c);
    server_stop(&server);
}
END_TEST

START_TEST(test_connection_has_its_share)
{
    struct bus_opts opts = {.query_workers = 1, .per_conn = 2};
    struct call_set set;
    struct call_result res;
    server_start(&server, &opts, false);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES), *other = client_open(server.ipc, 0);
    call_set_init(&set, c);
    server_gate(&server, true);
    for (int i = 0; i < 3; i++)
        submit_trust(&set, NULL, 0);
    ck_assert_int_eq(call_collect(&set, 20000, &res), 1);
    ck_assert_int_eq(res.status, ACD_EBUSY);
    call_result_done(&res);
    server_gate(&server, false);
    check_answer(other, "a.example");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(call_collect(&set, 20000, &res), 1);
        ck_assert_int_eq(res.status, 0);
        call_result_done(&res);
    }
    call_set_done(&set);
    call_close(c);
    call_close(other);
    server_stop(&server);
}
END_TEST

static void *
stop_run(void *arg)
{
    static int rc;
    rc = bus_stop(arg, 20000);
    return &rc;
}

/* What is in flight is answered, what comes later is refused, and then the bus has stopped. */
START_TEST(test_graceful_stop)
{
    struct call_set set;
    struct call_result res;
    pthread_t thread;
    void *rc;
    server_start(&server, NULL, false);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    call_set_init(&set, c);
    server_gate(&server, true);
    submit_trust(&set, NULL, 0);
    server_wait_waiting(&server, 1);
    ck_assert_int_eq(bus_stop(server.bus, 10), ACD_ETIMEOUT);
    ck_assert_int_eq(pthread_create(&thread, NULL, stop_run, server.bus), 0);
    struct call_result late;
    ck_assert_int_eq(ask(c, "late.example", 20000, &late), ACD_EUNAVAIL);
    ck_assert_uint_eq(late.reply.code, 14);
    ck_assert_str_eq(late.err.text, "the server is stopping");
    call_result_done(&late);
    server_gate(&server, false);
    ck_assert_int_eq(call_collect(&set, 20000, &res), 1);
    ck_assert_int_eq(res.status, 0);
    call_result_done(&res);
    ck_assert_int_eq(pthread_join(thread, &rc), 0);
    ck_assert_int_eq(*(int *)rc, 0);
    call_set_done(&set);
    call_close(c);
    server_stop(&server);
}
END_TEST

/* A reply counts as given when the system has taken it, not when it was made. */
START_TEST(test_stop_waits_for_the_socket)
{
    static uint8_t out[LIMIT_MESSAGE];
    size_t len;
    server_start(&server, NULL, false);
    server.reply_bytes = 1500000;
    int fd = raw_connect(&server);
    ck_assert_int_eq(raw_send(fd, 1, trust_request("large.example"), 0), 0);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    ck_assert_int_eq(poll(&readable, 1, -1), 1);
    ck_assert_int_eq(bus_stop(server.bus, 50), ACD_ETIMEOUT);
    ck_assert(raw_recv(fd, out, sizeof(out), &len));
    ck_assert_int_eq(bus_stop(server.bus, 20000), 0);
    (void)close(fd);
    server_stop(&server);
}
END_TEST

/* A prompt handler runs where the call was read, unless it says that it wants a worker. */
START_TEST(test_prompt)
{
    const struct bus_opts opts = {.prompt_us = 60000000}; /* however slow the machine is */
    server.prompt = true;
    server_start(&server, &opts, false);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    check_answer(c, "here.example");
    ck_assert_str_eq(server.thread, "bus");
    server.later = true;
    check_answer(c, "there.example");
    ck_assert_int_eq(strncmp(server.thread, "query-", 6), 0);
    struct bus_counters now;
    bus_counters(server.bus, &now);
    ck_assert_uint_eq(now.calls, 2);
    call_close(c);
    server_stop(&server);
}
END_TEST

START_TEST(test_garbage)
{
    static const char *const junk[] = {"", "x", "\x0a\xff\xff\xff\xff", "GET / HTTP/1.1\r\n\r\n"};
    uint8_t out[512];
    size_t len;
    struct frame_reply p;
    struct mem_region r;
    mem_init(&r, 4096, 0);
    server_start(&server, NULL, false);
    int fd = raw_connect(&server);
    for (uint32_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        ck_assert_int_eq(raw_send(fd, i, slice_str(junk[i]), 0), 0);
        ck_assert(raw_recv(fd, out, sizeof(out), &len));
        ck_assert_int_eq(frame_reply_decode(&r, slice_of(out, len), &p, NULL), 0);
        ck_assert_uint_eq(p.code, 3);
    }
    (void)close(fd);
    /* truncated: the peer dies in the middle of a message */
    fd = raw_connect(&server);
    ck_assert_int_eq(write(fd, "\x01\0\0\0\0\0\0\1\0abc", 12), 12);
    (void)close(fd);
    /* a message that claims to be too large ends the connection */
    fd = raw_connect(&server);
    ck_assert_int_eq(write(fd, "\x01\0\0\0\0\x7f\0\0\0", 9), 9);
    ck_assert(!raw_recv(fd, out, sizeof(out), &len));
    (void)close(fd);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    check_answer(c, "still.here");
    call_close(c);
    mem_done(&r);
    server_stop(&server);
}
END_TEST

/* A peer that writes and never reads is cut off; the others do not notice. */
START_TEST(test_slow_reader)
{
    struct bus_opts opts = {.send_ms = 200, .per_conn = 8};
    server_start(&server, &opts, false);
    server.reply_bytes = 100000;
    struct call_client *c = client_open(server.ipc, 0);
    int fd = raw_connect(&server);
    for (uint32_t i = 0; raw_send(fd, i, trust_request("slow.example"), 0) == 0; i++)
        if (i % 8 == 7)
            check_answer(c, "quick.example");
    ck_assert_uint_ge(WAIT_COUNTER(server.bus, conns_dropped, 1), 1);
    check_answer(c, "quick.example");
    (void)close(fd);
    call_close(c);
    server_stop(&server);
}
END_TEST

/* The same by time alone: a few replies wait, and nobody takes them. */
START_TEST(test_slow_reader_within_its_share)
{
    struct bus_opts opts = {.send_ms = 100, .per_conn = 100};
    uint8_t drain[4096];
    server_start(&server, &opts, false);
    server.reply_bytes = 1000000;
    int fd = raw_connect(&server);
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_int_eq(raw_send(fd, i, trust_request("slow.example"), 0), 0);
    ck_assert_uint_ge(WAIT_COUNTER(server.bus, conns_dropped, 1), 1);
    while (read(fd, drain, sizeof(drain)) > 0) /* ends, because the server hung up */
        ;
    (void)close(fd);
    server_stop(&server);
}
END_TEST

/* Clients go with calls in flight and requests unread: every call comes to its end, every connection is
 * released, and others are served. */
START_TEST(test_dying_clients)
{
    server_start(&server, NULL, false);
    for (int round = 0; round < 20; round++) {
        int fds[4];
        for (int k = 0; k < 4; k++) {
            fds[k] = raw_connect(&server);
            for (uint32_t i = 0; i < 32; i++)
                ck_assert_int_eq(raw_send(fds[k], i, trust_request("dying.example"), 0), 0);
        }
        for (int k = 0; k < 4; k++)
            (void)close(fds[k]);
    }
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    check_answer(c, "a.example");
    struct bus_counters now;
    do {
        (void)poll(NULL, 0, 2);
        bus_counters(server.bus, &now);
    } while (now.in_flight > 0);
    ck_assert_uint_eq(now.conns_opened, 81);
    ck_assert_uint_eq(now.calls, now.replies);
    call_close(c);
    do {
        (void)poll(NULL, 0, 2);
        bus_counters(server.bus, &now);
    } while (now.conns > 0);
    server_stop(&server);
}
END_TEST

/* Clients that leave in order are forgotten. */
START_TEST(test_leaving_clients)
{
    server_start(&server, NULL, true);
    for (unsigned i = 0; i < 20; i++) {
        struct call_client *c = client_open(bus_url(server.bus, i % 2), CALL_NO_RETRIES);
        check_answer(c, "a.example");
        call_close(c);
    }
    struct bus_counters now;
    do {
        (void)poll(NULL, 0, 2);
        bus_counters(server.bus, &now);
    } while (now.conns > 0);
    ck_assert_uint_eq(now.conns_opened, 20);
    server_stop(&server);
}
END_TEST

START_TEST(test_too_many_connections)
{
    struct bus_opts opts = {.conns = 2};
    uint8_t out[64];
    size_t len;
    server_start(&server, &opts, false);
    int one = raw_connect(&server), two = raw_connect(&server), three = raw_connect(&server);
    (void)WAIT_COUNTER(server.bus, conns_refused, 1);
    ck_assert(!raw_recv(three, out, sizeof(out), &len));
    (void)close(one);
    (void)close(two);
    (void)close(three);
    server_stop(&server);
}
END_TEST

Suite *suite_bus(void);
Suite *
suite_bus(void)
{
    Suite *s = suite_create("bus");
    ADD_TESTS(s, "bus", test_ipc_and_tcp, test_socket_is_private_and_replaced, test_many_clients,
              test_full_queue, test_pools_are_apart, test_connection_has_its_share, test_graceful_stop,
              test_stop_waits_for_the_socket, test_prompt, test_garbage, test_slow_reader,
              test_slow_reader_within_its_share, test_dying_clients, test_leaving_clients,
              test_too_many_connections);
    return s;
}
