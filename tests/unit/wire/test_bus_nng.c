/* Any plain nng REQ client can call: nng itself, without the library's client. */
#include <nng/nng.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/util/platform.h>
#include <stddef.h>

#include "fixture.h"
#include "peer.h"

enum { CONTEXTS = 64, TURNS = 30 };

static struct server server;

/* The host of a reply is that of its request: no reply went to another's context. */
static void
check_reply(nng_msg *msg, const char *host)
{
    struct mem_region r;
    struct frame_reply reply;
    void *resp = NULL;
    mem_init(&r, 4096, 0);
    ck_assert_int_eq(frame_reply_decode(&r, slice_of(nng_msg_body(msg), nng_msg_len(msg)), &reply, NULL), 0);
    ck_assert_uint_eq(reply.code, 0);
    ck_assert_int_eq(
        wire_unpack(&r, &anchord__v1__get_trust_response__descriptor, reply.payload, &resp, NULL), 0);
    const Anchord__V1__GetTrustResponse *got = resp;
    ck_assert_uint_eq(got->n_answers, 1);
    ck_assert_str_eq(got->answers[0]->host, host);
    mem_done(&r);
}

static nng_msg *
request_of(const char *host)
{
    nng_msg *msg;
    acd_slice raw = trust_request(host);
    ck_assert_int_eq(nng_msg_alloc(&msg, 0), 0);
    ck_assert_int_eq(nng_msg_append(msg, raw.ptr, raw.len), 0);
    return msg;
}

/* The simplest client there is. */
START_TEST(test_socket)
{
    server_start(&server, NULL, true);
    for (size_t i = 0; i < 2; i++) {
        nng_socket sock;
        nng_msg *msg;
        ck_assert_int_eq(nng_req0_open(&sock), 0);
        ck_assert_int_eq(nng_dial(sock, bus_url(server.bus, i), NULL, 0), 0);
        for (int turn = 0; turn < TURNS; turn++) {
            char host[64];
            (void)snprintf(host, sizeof(host), "h%zu-%d.example", i, turn);
            ck_assert_int_eq(nng_sendmsg(sock, request_of(host), 0), 0);
            ck_assert_int_eq(nng_recvmsg(sock, &msg, 0), 0);
            check_reply(msg, host);
            nng_msg_free(msg);
        }
        ck_assert_int_eq(nng_close(sock), 0);
    }
    server_stop(&server);
}
END_TEST

/* Many requests at once on one connection, by two clients on two transports. */
START_TEST(test_contexts)
{
    struct bus_opts opts = {.query_workers = 3};
    static nng_ctx ctx[2 * CONTEXTS];
    static nng_aio *aio[2 * CONTEXTS];
    nng_socket sock[2];
    char host[64];
    server_start(&server, &opts, true);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(nng_req0_open(&sock[i]), 0);
        ck_assert_int_eq(nng_dial(sock[i], bus_url(server.bus, i), NULL, 0), 0);
    }
    for (size_t i = 0; i < 2 * CONTEXTS; i++) {
        ck_assert_int_eq(nng_ctx_open(&ctx[i], sock[i % 2]), 0);
        ck_assert_int_eq(nng_aio_alloc(&aio[i], NULL, NULL), 0);
    }
    for (int turn = 0; turn < TURNS; turn++) {
        for (size_t i = 0; i < 2 * CONTEXTS; i++) {
            (void)snprintf(host, sizeof(host), "c%zu-%d.example", i, turn);
            nng_aio_set_msg(aio[i], request_of(host));
            nng_ctx_send(ctx[i], aio[i]);
        }
        for (size_t i = 0; i < 2 * CONTEXTS; i++) {
            nng_aio_wait(aio[i]);
            ck_assert_int_eq(nng_aio_result(aio[i]), 0);
            nng_ctx_recv(ctx[i], aio[i]);
        }
        for (size_t i = 0; i < 2 * CONTEXTS; i++) {
            nng_aio_wait(aio[i]);
            ck_assert_int_eq(nng_aio_result(aio[i]), 0);
            (void)snprintf(host, sizeof(host), "c%zu-%d.example", i, turn);
            check_reply(nng_aio_get_msg(aio[i]), host);
            nng_msg_free(nng_aio_get_msg(aio[i]));
        }
    }
    for (size_t i = 0; i < 2 * CONTEXTS; i++) {
        nng_aio_free(aio[i]);
        ck_assert_int_eq(nng_ctx_close(ctx[i]), 0);
    }
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(nng_close(sock[i]), 0);
    ck_assert_uint_eq(WAIT_COUNTER(server.bus, replies, 2 * CONTEXTS * TURNS), 2 * CONTEXTS * TURNS);
    server_stop(&server);
}
END_TEST

/* Through an nng device, whose connection id comes before the client's own on the stack. */
static void
device_run(void *arg)
{
    nng_socket *ends = arg;
    (void)nng_device(ends[0], ends[1]);
}

START_TEST(test_device)
{
    nng_socket ends[2], sock;
    nng_thread *thread;
    nng_msg *msg;
    server_start(&server, NULL, false);
    ck_assert_int_eq(nng_rep0_open_raw(&ends[0]), 0);
    ck_assert_int_eq(nng_req0_open_raw(&ends[1]), 0);
    ck_assert_int_eq(nng_listen(ends[0], "inproc://device", NULL, 0), 0);
    ck_assert_int_eq(nng_dial(ends[1], server.ipc, NULL, 0), 0);
    ck_assert_int_eq(nng_thread_create(&thread, device_run, ends), 0);
    ck_assert_int_eq(nng_req0_open(&sock), 0);
    ck_assert_int_eq(nng_dial(sock, "inproc://device", NULL, 0), 0);
    ck_assert_int_eq(nng_sendmsg(sock, request_of("far.example"), 0), 0);
    ck_assert_int_eq(nng_recvmsg(sock, &msg, 0), 0);
    check_reply(msg, "far.example");
    nng_msg_free(msg);
    ck_assert_int_eq(nng_close(sock), 0);
    ck_assert_int_eq(nng_close(ends[0]), 0);
    ck_assert_int_eq(nng_close(ends[1]), 0);
    nng_thread_destroy(thread);
    server_stop(&server);
}
END_TEST

/* Another protocol of nng is not let in. */
START_TEST(test_other_protocol)
{
    nng_socket sock;
    server_start(&server, NULL, false);
    ck_assert_int_eq(nng_sub0_open(&sock), 0);
    ck_assert_int_eq(nng_dial(sock, server.ipc, NULL, NNG_FLAG_NONBLOCK), 0);
    ck_assert_uint_ge(WAIT_COUNTER(server.bus, malformed, 1), 1);
    struct bus_counters now;
    bus_counters(server.bus, &now);
    ck_assert_uint_eq(now.conns_opened, 0);
    ck_assert_int_eq(nng_close(sock), 0);
    server_stop(&server);
}
END_TEST

Suite *suite_bus_nng(void);
Suite *
suite_bus_nng(void)
{
    Suite *s = suite_create("bus_nng");
    ADD_TESTS(s, "bus_nng", test_socket, test_contexts, test_device, test_other_protocol);
    return s;
}
