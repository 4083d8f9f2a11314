/* The client's end of the bus: who reads for whom, what goes out when, and servers that are not ours. */
#include <arpa/inet.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "peer.h"
#include "wire/link_part.h"

enum { S = 1000000000, LONG = 20 };

static struct server server;

static uint64_t
later(unsigned seconds)
{
    return clock_mono_ns(&clock_system) + (uint64_t)seconds * S;
}

static struct link *
opened(const char *url)
{
    struct link *l = NULL;
    ck_assert_int_eq(link_open(url, 64, &l, NULL), 0);
    ck_assert_int_eq(link_wait(l, later(LONG), NULL), 0);
    return l;
}

static void
put(const void *arg, uint8_t *out)
{
    const acd_slice *s = arg;
    memcpy(out, s->ptr, s->len);
}

static int
submit(struct link_group *g, acd_slice body, uintptr_t tag)
{
    const struct link_send send = {
        .len = body.len, .write = put, .arg = &body, .deadline_ns = later(LONG), .tag = (void *)tag};
    return link_submit(g, &send, NULL);
}

static void
submit_host(struct link_group *g, const char *host)
{
    ck_assert_int_eq(submit(g, trust_request(host), 0), 0);
}

/* Status of the next reply; its bytes are dropped. */
static int
collect(struct link_group *g)
{
    struct link_reply r;
    ck_assert_int_eq(link_collect(g, later(LONG), &r), 1);
    link_reply_done(&r);
    return r.status;
}

/* ---- callers ---- */

enum { THREADS = 8, CALLS = 200 };

static void *
ask_many(void *arg)
{
    for (int i = 0; i < CALLS; i++) {
        char host[32];
        struct call_result res;
        (void)snprintf(host, sizeof(host), "%p-%d.example", (void *)&res, i);
        ck_assert_int_eq(ask(arg, host, LONG * 1000, &res), 0);
        ck_assert_str_eq(((Anchord__V1__GetTrustResponse *)res.resp)->answers[0]->host, host);
        call_result_done(&res);
    }
    return NULL;
}

/* Threads that share a client take turns at reading for all. */
START_TEST(test_threads)
{
    pthread_t threads[THREADS];
    server_start(&server, NULL, true);
    for (size_t i = 0; i < 2; i++) {
        struct call_client *c = client_open(bus_url(server.bus, i), CALL_NO_RETRIES);
        for (int k = 0; k < THREADS; k++)
            ck_assert_int_eq(pthread_create(&threads[k], NULL, ask_many, c), 0);
        for (int k = 0; k < THREADS; k++)
            ck_assert_int_eq(pthread_join(threads[k], NULL), 0);
        call_close(c);
    }
    ck_assert_uint_eq(server.handled, 2 * THREADS * CALLS);
    server_stop(&server);
}
END_TEST

static void *
ask_once(void *arg)
{
    struct link_group g;
    link_group_init(&g, arg);
    submit_host(&g, "a.example");
    ck_assert_int_eq(collect(&g), 0);
    link_group_done(&g);
    return NULL;
}

/* Until somebody reads and so many others sleep. */
static void
wait_asleep(struct link *l, unsigned want)
{
    for (bool reached = false; !reached;) {
        unsigned n = 0;
        (void)pthread_mutex_lock(&l->lock);
        for (const struct link_group *g = l->asleep; g; g = g->next)
            n++;
        reached = l->leading && n == want;
        (void)pthread_mutex_unlock(&l->lock);
    }
}

/* The reader leaves with its own reply: the one who still waits takes its place. The keeper, who would help
 * later, does not come within the time of the test; one worker answers one after the other. */
START_TEST(test_reading_is_handed_over)
{
    const struct bus_opts opts = {.query_workers = 1};
    pthread_t first, second;
    server_start(&server, &opts, false);
    struct link *l = opened(server.ipc);
    l->keeper_ms = 10 * LONG * 1000;
    for (int round = 0; round < 20; round++) {
        server_gate(&server, true);
        ck_assert_int_eq(pthread_create(&first, NULL, ask_once, l), 0);
        server_wait_waiting(&server, 1);
        wait_asleep(l, 0);
        ck_assert_int_eq(pthread_create(&second, NULL, ask_once, l), 0);
        wait_asleep(l, 1);
        server_pass(&server);
        ck_assert_int_eq(pthread_join(first, NULL), 0);
        server_gate(&server, false);
        ck_assert_int_eq(pthread_join(second, NULL), 0);
    }
    link_close(l);
    server_stop(&server);
}
END_TEST

static void
wait_handled(unsigned n)
{
    for (bool reached = false; !reached;) {
        (void)pthread_mutex_lock(&server.lock);
        reached = server.handled >= n;
        (void)pthread_mutex_unlock(&server.lock);
    }
}

/* A request that waits behind replies goes out although nobody collects them. */
START_TEST(test_nothing_stays_behind)
{
    struct link_group g;
    server_start(&server, NULL, false);
    struct link *l = opened(server.ipc);
    link_group_init(&g, l);
    for (int i = 0; i < 8; i++)
        submit_host(&g, "a.example");
    wait_handled(8);
    ck_assert_uint_eq(WAIT_COUNTER(server.bus, replies, 8), 8);
    ck_assert_int_eq(collect(&g), 0);
    submit_host(&g, "b.example");
    wait_handled(9);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(collect(&g), 0);
    link_group_done(&g);
    link_close(l);
    server_stop(&server);
}
END_TEST

/* More than sockets hold, both ways, and in both orders: nobody waits for the other for ever. */
START_TEST(test_full_sockets)
{
    enum { BIG = 1 << 20, N = 24 };
    struct link_group g;
    Anchord__V1__TrustQuestion question = ANCHORD__V1__TRUST_QUESTION__INIT, *questions[] = {&question};
    Anchord__V1__GetTrustRequest req = ANCHORD__V1__GET_TRUST_REQUEST__INIT;
    struct frame_call f = {.method = SLICE_LIT("anchord.v1.EdgeService/GetTrust"), .body = &req};
    uint8_t *filler = calloc(1, BIG);
    question.unless_digest = wire_bytes(slice_of(filler, BIG));
    req.questions = questions;
    req.n_questions = 1;
    size_t len = frame_call_size(&f);
    uint8_t *raw = malloc(len);
    frame_call_write(&f, raw);
    server.reply_bytes = BIG;
    server_start(&server, NULL, true);
    for (size_t i = 0; i < 2; i++) {
        struct link *l = opened(bus_url(server.bus, i));
        link_group_init(&g, l);
        for (int k = 0; k < N; k++)
            ck_assert_int_eq(submit(&g, slice_of(raw, len), 0), 0);
        for (int k = 0; k < N; k++)
            ck_assert_int_eq(collect(&g), 0);
        link_group_done(&g);
        link_close(l);
    }
    server_stop(&server);
    server.reply_bytes = 0;
    free(raw);
    free(filler);
}
END_TEST

/* ---- connections ---- */

/* The server went away and came back while nobody asked: the next call does not notice. */
START_TEST(test_idle_connection_is_looked_at)
{
    struct call_result res;
    server_start(&server, NULL, false);
    struct call_client *c = client_open(server.ipc, CALL_NO_RETRIES);
    const char *urls[] = {server.ipc};
    struct bus_opts opts = {.table = &server.table, .urls = urls, .n_urls = 1};
    for (int round = 0; round < 5; round++) {
        ck_assert_int_eq(ask(c, "a.example", LONG * 1000, &res), 0);
        ck_assert_uint_eq(res.attempts, 1);
        call_result_done(&res);
        bus_free(server.bus);
        ck_assert_int_eq(bus_start(&opts, &server.bus, NULL), 0);
    }
    call_close(c);
    server_stop(&server);
}
END_TEST

START_TEST(test_urls)
{
    static const char *const bad[] = {"nonsense", "ws://127.0.0.1:80/", "tls+tcp://a:1",
                                      "ipc://",   "tcp://*:7000",       "tcp://::1:80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct link *l = NULL;
        acd_err err = ACD_ERR_INIT;
        ck_assert_msg(link_open(bad[i], 1, &l, &err) < 0, "%s", bad[i]);
        ck_assert_str_ne(err.text, "");
    }
}
END_TEST

/* ---- other servers ---- */

/* Any nng REP socket will do: an echo in a process of its own, which says where it listens and ends by
 * signal, since nng_close of 1.5.2 may wait for ever. */
static pid_t
echo_start(const char *wanted, char url[96])
{
    int said[2];
    ck_assert_int_eq(pipe(said), 0);
    pid_t pid = fork();
    if (pid == 0) {
        nng_socket sock;
        nng_listener listener;
        nng_sockaddr sa;
        nng_msg *msg;
        char text[96] = "";
        bool fine = nng_rep0_open(&sock) == 0 && nng_listen(sock, wanted, &listener, 0) == 0 &&
                    nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &sa) == 0;
        if (fine && sa.s_family == NNG_AF_INET)
            (void)snprintf(text, sizeof(text), "tcp://127.0.0.1:%u", ntohs(sa.s_in.sa_port));
        else if (fine)
            (void)snprintf(text, sizeof(text), "%s", wanted);
        if (write(said[1], text, sizeof(text)) != (ssize_t)sizeof(text))
            _exit(1);
        while (fine && nng_recvmsg(sock, &msg, 0) == 0 && nng_sendmsg(sock, msg, 0) == 0)
            ;
        _exit(1);
    }
    ck_assert_int_eq(read(said[0], url, 96), 96);
    ck_assert_str_ne(url, "");
    (void)close(said[0]);
    (void)close(said[1]);
    return pid;
}

START_TEST(test_nng_server)
{
    enum { N = 64, ROUNDS = 10 };
    char dir[] = "/tmp/anchord_link.XXXXXX", path[64], url[96];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "ipc://%s/nng", dir);
    const char *const wanted[] = {path, "tcp://127.0.0.1:0"};
    for (size_t i = 0; i < 2; i++) {
        struct link_group g;
        pid_t pid = echo_start(wanted[i], url);
        struct link *l = opened(url);
        link_group_init(&g, l);
        for (uintptr_t k = 0; k < N * ROUNDS; k++) {
            struct link_reply r;
            char text[16];
            (void)snprintf(text, sizeof(text), "%u", (unsigned)k);
            ck_assert_int_eq(submit(&g, slice_str(text), k), 0);
            if (k < N - 1)
                continue;
            ck_assert_int_eq(link_collect(&g, later(LONG), &r), 1);
            ck_assert_int_eq(r.status, 0);
            (void)snprintf(text, sizeof(text), "%u", (unsigned)(uintptr_t)r.tag);
            ck_assert(slice_eqs(r.bytes, text));
            link_reply_done(&r);
        }
        link_group_done(&g);
        link_close(l);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    }
    (void)unlink(path + strlen("ipc://"));
    (void)rmdir(dir);
}
END_TEST

/* A server by hand: a listening socket in a fresh folder. */
struct fake {
    char dir[64], url[96];
    int listener;
};

static void
fake_start(struct fake *f)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/anchord_link.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(f->dir));
    (void)snprintf(f->url, sizeof(f->url), "ipc://%s/s", f->dir);
    (void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", f->url + strlen("ipc://"));
    f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(f->listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(f->listener, 8), 0);
}

static void
fake_stop(struct fake *f)
{
    (void)close(f->listener);
    (void)unlink(f->url + strlen("ipc://"));
    (void)rmdir(f->dir);
}

struct script {
    struct fake *fake;
    const char *say; /* after the hello of a REP socket, or in place of it */
    size_t len;
    bool hello, echo; /* echo: then answer one request with its own body */
};

/* Answers one client as the script says. */
static void *
fake_serve(void *arg)
{
    static const uint8_t rep[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};
    const struct script *s = arg;
    uint8_t msg[64];
    size_t len;
    int fd = accept(s->fake->listener, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(recv(fd, msg, 8, MSG_WAITALL), 8);
    if (s->hello)
        ck_assert_int_eq(send(fd, rep, 8, MSG_NOSIGNAL), 8);
    ck_assert_int_eq(send(fd, s->say, s->len, MSG_NOSIGNAL), (ssize_t)s->len);
    if (s->hello && raw_recv_all(fd, msg, sizeof(msg), &len) && s->echo) {
        ck_assert_int_eq(raw_send_stack(fd, slice_of(msg, 4), slice_of(msg + 4, len - 4), 0), 0);
        raw_wait_closed(fd);
    }
    (void)close(fd);
    return NULL;
}

/* One request to such a server: the reply's status, or that of connecting. */
static int
ask_fake(struct script *s)
{
    struct fake fake;
    struct link *l = NULL;
    struct link_group g;
    pthread_t thread;
    fake_start(&fake);
    s->fake = &fake;
    ck_assert_int_eq(pthread_create(&thread, NULL, fake_serve, s), 0);
    ck_assert_int_eq(link_open(fake.url, 1, &l, NULL), 0);
    /* Who says no proper hello gets no second visit here: the time for connecting is short. */
    int rc = link_wait(l, s->hello ? later(LONG) : clock_mono_ns(&clock_system) + S / 5, NULL);
    if (rc == 0) {
        link_group_init(&g, l);
        rc = submit(&g, SLICE_LIT("body"), 0);
        if (rc == 0)
            rc = collect(&g);
        link_group_done(&g);
    }
    link_close(l);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    fake_stop(&fake);
    return rc;
}

START_TEST(test_hostile_servers)
{
    static struct script cases[] = {
        {.say = "\1\0\0\0\0\0\0\0\4\x80\0\0\7", .len = 13, .hello = true, .echo = true}, /* nobody's reply */
        {.say = "\1\0\0\0\0\0\0\0\4\x7f\0\0\0", .len = 13, .hello = true, .echo = true}, /* a device's id */
        {.say = "\1\0\0\0\0\0\0\0\2\x80\0", .len = 11, .hello = true, .echo = true}, /* too short for an id */
        {.say = "\1\0\0\0\0\0\0\0\0", .len = 9, .hello = true, .echo = true},
        {.say = "\2\0\0\0\0\0\0\0\0", .len = 9, .hello = true},        /* no message of ipc */
        {.say = "\1\0\0\0\1\0\0\0\0", .len = 9, .hello = true},        /* too long by far */
        {.say = "\1\0\0\0\0\0\0\0\x09\x80", .len = 10, .hello = true}, /* cut off */
        {.say = "\0SP\0\0\x30\0\0", .len = 8},                         /* another REQ */
        {.say = "HTTP/1.1 400", .len = 12},
        {.say = "\0SP", .len = 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(ask_fake(&cases[i]) == (cases[i].echo ? 0 : ACD_EUNAVAIL), "case %zu", i);
}
END_TEST

Suite *suite_link(void);
Suite *
suite_link(void)
{
    Suite *s = suite_create("link");
    ADD_TESTS(s, "link", test_threads, test_reading_is_handed_over, test_nothing_stays_behind,
              test_full_sockets, test_idle_connection_is_looked_at, test_urls, test_nng_server,
              test_hostile_servers);
    return s;
}
