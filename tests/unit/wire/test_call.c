/* The client's end: deadlines, parked requests, retries, keys, a server that goes away. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static struct server server;

static int
create_zone(struct call_client *c, const char *key, struct call_result *res)
{
    Anchord__V1__CreateZoneRequest req = ANCHORD__V1__CREATE_ZONE_REQUEST__INIT;
    struct call_request call = {.method = rpc_method_find(slice_str("anchord.v1.ZoneService/CreateZone")),
                                .body = &req,
                                .idem_key = key,
                                .timeout_ms = 20000};
    req.name = WIRE_STR("example.com");
    return call_sync(c, &call, res, NULL);
}

START_TEST(test_nobody_listens)
{
    static const char *const urls[] = {"ipc:///tmp/anchord-nobody-listens-here", "tcp://127.0.0.1:1"};
    for (size_t i = 0; i < 2; i++) {
        struct call_client *c = NULL;
        struct call_result res;
        struct call_opts opts = {.connect_ms = 200, .retries = CALL_NO_RETRIES};
        ck_assert_int_eq(call_open(urls[i], &opts, &c, NULL), 0);
        uint64_t start = clock_mono_ns(&clock_system);
        ck_assert_int_eq(ask(c, "a.example", 5000, &res), ACD_EUNAVAIL);
        ck_assert_uint_ge(clock_mono_ns(&clock_system) - start, 190000000);
        ck_assert_str_eq(res.err.text, "no server answers there");
        ck_assert_uint_eq(res.reply.code, 14);
        call_result_done(&res);
        call_close(c);
    }
}
END_TEST

START_TEST(test_bad_urls)
{
    struct call_client *c = NULL;
    acd_err err = ACD_ERR_INIT;
    ck_assert_int_eq(call_open("nonsense", NULL, &c, &err), ACD_EINVAL);
    ck_assert(strstr(err.text, "nonsense") != NULL);
}
END_TEST

/* A request whose time is over is given up; its late reply reaches nobody, and the client goes on. */
START_TEST(test_timeout)
{
    struct bus_opts opts = {.query_workers = 1};
    struct call_result res;
    server_start(&server, &opts, false);
    server_gate(&server, true);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    ck_assert_int_eq(ask(c, "late.example", 50, &res), ACD_ETIMEOUT);
    ck_assert_uint_eq(res.reply.code, 4);
    call_result_done(&res);
    server_gate(&server, false);
    ck_assert_int_eq(ask(c, "next.example", 20000, &res), 0);
    ck_assert_str_eq(((Anchord__V1__GetTrustResponse *)res.resp)->answers[0]->host, "next.example");
    call_result_done(&res);
    call_close(c);
    server_stop(&server);
}
END_TEST

static void
write_request(const void *arg, uint8_t *out)
{
    frame_call_write(arg, out);
}

/* With one slot, a parked request leaves none, until its reply has come. */
START_TEST(test_parked_slot_comes_back)
{
    struct link *link = NULL;
    struct link_group group;
    struct link_reply reply;
    Anchord__V1__GetTrustRequest req = ANCHORD__V1__GET_TRUST_REQUEST__INIT;
    struct frame_call f = {.method = SLICE_LIT("anchord.v1.EdgeService/GetTrust"), .body = &req};
    server_start(&server, NULL, false);
    server_gate(&server, true);
    ck_assert_int_eq(link_open(server.ipc, 1, &link, NULL), 0);
    ck_assert_int_eq(link_wait(link, clock_mono_ns(&clock_system) + 20000000000, NULL), 0);
    link_group_init(&group, link);
    struct link_send send = {.len = frame_call_size(&f), .write = write_request, .arg = &f, .tag = &group};
    send.deadline_ns = clock_mono_ns(&clock_system) + 20000000;
    ck_assert_int_eq(link_submit(&group, &send, NULL), 0);
    ck_assert_int_eq(link_collect(&group, UINT64_MAX, &reply), 1);
    ck_assert_int_eq(reply.status, ACD_ETIMEOUT);
    ck_assert_ptr_eq(reply.tag, &group);
    ck_assert_uint_eq(link_parked(link), 1);
    send.deadline_ns = clock_mono_ns(&clock_system) + 20000000000;
    ck_assert_int_eq(link_submit(&group, &send, NULL), ACD_EBUSY);
    server_gate(&server, false);
    while (link_parked(link) > 0)
        ;
    ck_assert_int_eq(link_collect(&group, UINT64_MAX, &reply), ACD_ENOENT);
    ck_assert_int_eq(link_submit(&group, &send, NULL), 0);
    ck_assert_int_eq(link_collect(&group, UINT64_MAX, &reply), 1);
    ck_assert_int_eq(reply.status, 0);
    link_reply_done(&reply);
    link_group_done(&group);
    link_close(link);
    server_stop(&server);
}
END_TEST

/* Refused for the moment: the same key comes again until it is taken. */
START_TEST(test_retries_keep_the_key)
{
    struct call_result res;
    server_start(&server, NULL, false);
    struct call_client *c = client_open(server.ipc, 0);
    server.fail_first = LIMIT_CLIENT_RETRIES;
    ck_assert_int_eq(create_zone(c, NULL, &res), 0);
    ck_assert_uint_eq(res.attempts, LIMIT_CLIENT_RETRIES + 1);
    ck_assert(!((Anchord__V1__Zone *)res.resp)->acm);
    ck_assert_uint_eq(strlen(server.idem_key), 32);
    ck_assert_uint_eq(res.reply.revision, 8);
    call_result_done(&res);
    /* another call has another key */
    ck_assert_int_eq(create_zone(c, NULL, &res), 0);
    ck_assert(((Anchord__V1__Zone *)res.resp)->acm);
    call_result_done(&res);
    ck_assert_int_eq(create_zone(c, "mine", &res), 0);
    ck_assert_str_eq(server.idem_key, "mine");
    call_result_done(&res);
    call_close(c);
    server_stop(&server);
}
END_TEST

START_TEST(test_retries_are_bounded)
{
    struct call_result res;
    server_start(&server, NULL, false);
    struct call_client *c = client_open(server.ipc, 2), *once = client_open(server.ipc, CALL_NO_RETRIES);
    server.fail_first = 100;
    ck_assert_int_eq(ask(c, "a.example", 20000, &res), ACD_EUNAVAIL);
    ck_assert_uint_eq(res.attempts, 3);
    ck_assert_str_eq(res.err.text, "not yet");
    call_result_done(&res);
    ck_assert_int_eq(ask(once, "a.example", 20000, &res), ACD_EUNAVAIL);
    ck_assert_uint_eq(res.attempts, 1);
    call_result_done(&res);
    call_close(c);
    call_close(once);
    server_stop(&server);
}
END_TEST

/* What is wrong stays wrong: no second attempt. */
START_TEST(test_refusals_are_not_retried)
{
    struct call_result res;
    Anchord__V1__GetZoneRequest req = ANCHORD__V1__GET_ZONE_REQUEST__INIT;
    struct call_request call = {.method = rpc_method_find(slice_str("anchord.v1.ZoneService/GetZone")),
                                .body = &req};
    server_start(&server, NULL, false);
    struct call_client *c = client_open(server.ipc, 0);
    ck_assert_int_eq(call_sync(c, &call, &res, NULL), ACD_ENOTSUP);
    ck_assert_uint_eq(res.attempts, 1);
    call_result_done(&res);
    call_close(c);
    server_stop(&server);
}
END_TEST

static void
submit_numbered(struct call_set *set, unsigned n)
{
    char host[32];
    Anchord__V1__TrustQuestion question = ANCHORD__V1__TRUST_QUESTION__INIT, *questions[] = {&question};
    Anchord__V1__GetTrustRequest req = ANCHORD__V1__GET_TRUST_REQUEST__INIT;
    (void)snprintf(host, sizeof(host), "%u", n);
    question.host = host;
    req.questions = questions;
    req.n_questions = 1;
    struct call_request call = {.method = rpc_method_find(slice_str("anchord.v1.EdgeService/GetTrust")),
                                .body = &req};
    ck_assert_int_eq(call_submit(set, &call, (void *)(uintptr_t)n, NULL), 0);
}

/* One thread, so many calls in flight; each answer finds its question. */
static void
many_in_flight(const char *url, unsigned flights, unsigned calls)
{
    struct call_set set;
    unsigned sent = 0;
    bool *seen = calloc(calls, sizeof(*seen));
    struct call_client *c = client_open(url, CALL_NO_RETRIES);
    call_set_init(&set, c);
    for (unsigned got = 0; got < calls; got++) {
        for (; sent < calls && sent - got < flights; sent++)
            submit_numbered(&set, sent);
        struct call_result res;
        ck_assert_int_eq(call_collect(&set, 20000, &res), 1);
        ck_assert_msg(res.status == 0, "%s", res.err.text);
        unsigned n = (unsigned)(uintptr_t)res.tag;
        ck_assert_int_eq(atoi(((Anchord__V1__GetTrustResponse *)res.resp)->answers[0]->host), (int)n);
        ck_assert(!seen[n]);
        seen[n] = true;
        call_result_done(&res);
    }
    call_set_done(&set);
    call_close(c);
    free(seen);
}

START_TEST(test_many_in_flight)
{
    server_start(&server, NULL, false);
    many_in_flight(server.ipc, 64, 2000);
    server_stop(&server);
}
END_TEST

/* Whoever has an answer may ask again: a client that keeps to its share is never refused. */
START_TEST(test_share_is_exact)
{
    enum { SHARE = 16 };
    struct bus_opts opts = {.per_conn = SHARE, .query_workers = 2};
    server_start(&server, &opts, true);
    for (size_t i = 0; i < 2; i++)
        many_in_flight(bus_url(server.bus, i), SHARE, 5000);
    server_stop(&server);
}
END_TEST

/* A server in a process of its own, whose handlers never return; killed in the middle of a call. */
START_TEST(test_server_dies)
{
    struct call_result res;
    int ready[2];
    char url[96];
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        server_start(&server, NULL, false);
        server_gate(&server, true);
        if (write(ready[1], server.ipc, sizeof(server.ipc)) != (ssize_t)sizeof(server.ipc))
            _exit(1);
        server_wait_waiting(&server, 1);
        _exit(0);
    }
    ck_assert_int_eq(read(ready[0], url, sizeof(url)), (int)sizeof(url));
    struct call_client *c = client_open(url, CALL_NO_RETRIES);
    ck_assert_int_eq(ask(c, "a.example", 20000, &res), ACD_EUNAVAIL);
    ck_assert_str_eq(res.err.text, "the connection to the server ended");
    call_result_done(&res);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    call_close(c);
    (void)unlink(url + strlen("ipc://"));
    *strrchr(url, '/') = '\0';
    (void)rmdir(url + strlen("ipc://"));
}
END_TEST

/* A client waits for a server that starts later. */
START_TEST(test_server_comes_later)
{
    struct call_result res;
    server_start(&server, NULL, false);
    bus_free(server.bus);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    const char *urls[] = {server.ipc};
    struct bus_opts opts = {.table = &server.table, .urls = urls, .n_urls = 1};
    ck_assert_int_eq(bus_start(&opts, &server.bus, NULL), 0);
    ck_assert_int_eq(ask(c, "a.example", 20000, &res), 0);
    call_result_done(&res);
    call_close(c);
    server_stop(&server);
}
END_TEST

START_TEST(test_large_request)
{
    struct call_result res;
    Anchord__V1__TrustQuestion question = ANCHORD__V1__TRUST_QUESTION__INIT, *questions[] = {&question};
    Anchord__V1__GetTrustRequest req = ANCHORD__V1__GET_TRUST_REQUEST__INIT;
    struct call_request call = {.method = rpc_method_find(slice_str("anchord.v1.EdgeService/GetTrust")),
                                .body = &req};
    char *big = calloc(1, LIMIT_MESSAGE);
    server_start(&server, NULL, false);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    req.questions = questions;
    req.n_questions = 1;
    question.unless_digest = wire_bytes(slice_of(big, LIMIT_MESSAGE - 100));
    ck_assert_int_eq(call_sync(c, &call, &res, NULL), 0);
    call_result_done(&res);
    question.unless_digest.len = LIMIT_MESSAGE;
    ck_assert_int_eq(call_sync(c, &call, &res, NULL), ACD_ELIMIT);
    call_result_done(&res);
    call_close(c);
    free(big);
    server_stop(&server);
}
END_TEST

Suite *suite_call(void);
Suite *
suite_call(void)
{
    Suite *s = suite_create("call");
    ADD_TESTS(s, "call", test_nobody_listens, test_bad_urls, test_timeout, test_parked_slot_comes_back,
              test_retries_keep_the_key, test_retries_are_bounded, test_refusals_are_not_retried,
              test_many_in_flight, test_share_is_exact, test_server_dies, test_server_comes_later,
              test_large_request);
    return s;
}
