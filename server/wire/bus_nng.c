/*
 * The server's end of the bus on nng 1.5.2.
 *
 * Why contexts and not raw mode (xrep): raw mode answers from a queue of 64 messages per pipe and silently
 * drops what does not fit, so one client with more than 64 calls in flight would lose replies; it also passes
 * every message through two more queues. A context carries one request: its reply is never dropped while the
 * peer is there, and nng runs our callback in the very task that read the message. The price is that the
 * number of contexts bounds the calls in flight. So there are more contexts ("slots") than the queues and
 * workers can hold, and the rest is there to refuse with.
 *
 * The life of a slot: RECV (nng fills it) -> admitted (rpc_admit, in nng's thread: no decoding but the
 * envelope)
 * -> queue -> worker (rpc_run) -> SEND (reply packed straight into its nng_msg) -> RECV. One aio per slot;
 * whoever starts an operation on it does not touch the slot afterwards.
 *
 * A peer that does not read its replies keeps slots in SEND: nng queues them behind the pipe. Two bounds: a
 * connection with more than per_conn calls in flight is refused, with twice as many it is closed; and the
 * keeper, a timer, closes a connection none of whose waiting replies moved for send_ms.
 *
 * A fault of nng 1.5.2 that we cannot mend from here: when a peer dies with requests of its own still unread,
 * a reply that fails closes the pipe in the middle of a receive, and now and then that receive is never
 * finished. nng's one reaper thread then waits for it for ever, and connections that end later are no longer
 * released: each costs a descriptor and a row of the table of connections until the process ends. Calls are
 * not affected, and clients that leave in order (call_close) do not cause it. conns in bus_counters shows it,
 * against conns_opened.
 *
 * Locks: bus.lock guards only the wake-up of bus_stop, the table of connections has its own, the queues
 * theirs; everything else is atomic or owned by the slot's phase.
 */
#include "wire/bus.h"

#include <arpa/inet.h>
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/queue.h"
#include "base/thread.h"
#include "wire/bus_conn.h"
#include "wire/bus_setup.h"
#include "wire/link.h"

enum { REGION_BLOCK = 65536, STUCK_AT_ONCE = 16, SPARE_SLOTS = 2 * LIMIT_CONN_CALLS + 64 };
enum { KEEPER_STEPS = 4, SOCKET_MODE = 0600 };

#define COUNT(c, n) ((void)__atomic_fetch_add(&(c), (n), __ATOMIC_RELAXED))

enum phase { PHASE_RECV, PHASE_WORK, PHASE_SEND };

struct slot {
    struct bus *bus;
    nng_ctx ctx;
    nng_aio *aio;
    enum phase phase;
    bool admitted;
    struct conn *conn;
    nng_msg *msg; /* the request, alive until the reply is encoded */
    struct rpc_call call;
};

struct pool {
    struct bus *bus;
    struct queue queue;
    uint32_t n;
    struct thread threads[LIMIT_WORKERS];
};

struct bus {
    struct bus_opts opts;
    nng_socket sock;
    bool open;
    bool stopping, closing; /* atomic */
    struct slot *slots;
    size_t n_slots;
    struct pool query, admin;
    nng_aio *keeper;
    uint32_t keeper_ms;
    uint64_t admitted;    /* atomic: calls to be answered before the bus may stop */
    pthread_mutex_t lock; /* with idle: bus_stop sleeps here */
    pthread_cond_t idle;
    struct conn_table conns;
    size_t n_urls;
    char urls[LIMIT_LISTENERS][256];
    struct bus_counters count; /* atomic */
};

static int
nng_error(acd_err *err, int code, int rv, const char *what)
{
    if (err)
        err->native = rv;
    return err_set(err, code, "%s: %s", what, nng_strerror(rv));
}

/* ---- connections ---- */

static void
peer_fill(struct rpc_peer *p, nng_pipe pipe)
{
    nng_sockaddr sa;
    char text[48] = "";
    uint64_t uid;
    p->transport = RPC_TCP;
    if (nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &sa) != 0)
        return;
    if (sa.s_family == NNG_AF_INET) {
        (void)inet_ntop(AF_INET, &sa.s_in.sa_addr, text, sizeof(text));
        (void)snprintf(p->remote, sizeof(p->remote), "%s:%u", text, ntohs(sa.s_in.sa_port));
    } else if (sa.s_family == NNG_AF_INET6) {
        (void)inet_ntop(AF_INET6, sa.s_in6.sa_addr, text, sizeof(text));
        (void)snprintf(p->remote, sizeof(p->remote), "[%s]:%u", text, ntohs(sa.s_in6.sa_port));
    } else if (sa.s_family == NNG_AF_IPC) {
        p->transport = RPC_IPC;
        (void)snprintf(p->remote, sizeof(p->remote), "%.*s", (int)sizeof(p->remote) - 1, sa.s_ipc.sa_path);
        p->uid_known = nng_pipe_get_uint64(pipe, NNG_OPT_IPC_PEER_UID, &uid) == 0 && uid <= UINT32_MAX;
        p->uid = p->uid_known ? (uint32_t)uid : 0;
    }
}

/* Before the first message of a connection can be read. Closing it here refuses it. */
static void
conn_added(nng_pipe pipe, nng_pipe_ev ev, void *arg)
{
    (void)ev;
    struct bus *b = arg;
    struct rpc_peer peer = {.conn = (uint32_t)nng_pipe_id(pipe)};
    peer_fill(&peer, pipe);
    if (conn_add(&b->conns, &peer) < 0)
        nng_pipe_close(pipe);
}

static void
conn_removed(nng_pipe pipe, nng_pipe_ev ev, void *arg)
{
    (void)ev;
    struct bus *b = arg;
    conn_remove(&b->conns, (uint32_t)nng_pipe_id(pipe));
}

static void
conn_drop(struct bus *b, const struct conn *c)
{
    COUNT(b->count.conns_dropped, 1);
    nng_pipe_close((nng_pipe){c->peer.conn});
}

static void
keeper_run(void *arg)
{
    struct bus *b = arg;
    struct conn *stuck[STUCK_AT_ONCE];
    if (nng_aio_result(b->keeper) != 0 || __atomic_load_n(&b->closing, __ATOMIC_ACQUIRE))
        return;
    size_t n = conn_stuck(&b->conns, b->keeper_ms, b->opts.send_ms, stuck, STUCK_AT_ONCE);
    for (size_t i = 0; i < n; i++) {
        conn_drop(b, stuck[i]);
        conn_unref(stuck[i]);
    }
    nng_sleep_aio((nng_duration)b->keeper_ms, b->keeper);
}

/* ---- the life of a slot ---- */

static void
slot_recv(struct slot *s)
{
    s->phase = PHASE_RECV;
    nng_ctx_recv(s->ctx, s->aio);
}

/* The call is over, answered or not: the slot holds nothing any more. */
static void
slot_release(struct slot *s)
{
    struct bus *b = s->bus;
    (void)__atomic_sub_fetch(&s->conn->calls, 1, __ATOMIC_RELAXED);
    conn_unref(s->conn);
    s->conn = NULL;
    COUNT(b->count.in_flight, -1);
    if (!s->admitted)
        return;
    s->admitted = false;
    if (__atomic_sub_fetch(&b->admitted, 1, __ATOMIC_SEQ_CST) == 0 &&
        __atomic_load_n(&b->stopping, __ATOMIC_SEQ_CST)) {
        (void)pthread_mutex_lock(&b->lock);
        (void)pthread_cond_broadcast(&b->idle);
        (void)pthread_mutex_unlock(&b->lock);
    }
}

static void
slot_reply(struct slot *s)
{
    nng_msg *out;
    struct bus *b = s->bus;
    size_t len = rpc_reply_size(&s->call);
    if (nng_msg_alloc(&out, len) != 0) {
        /* No memory for an answer: the caller's deadline tells it. */
        nng_msg_free(s->msg);
        slot_release(s);
        slot_recv(s);
        return;
    }
    rpc_reply_write(&s->call, nng_msg_body(out));
    nng_msg_free(s->msg);
    s->msg = NULL;
    COUNT(b->count.replies, 1);
    COUNT(b->count.bytes_out, len);
    conn_sending(s->conn);
    s->phase = PHASE_SEND;
    nng_aio_set_msg(s->aio, out);
    nng_ctx_send(s->ctx, s->aio);
}

static void
slot_refuse(struct slot *s, int code, const char *text)
{
    COUNT(s->bus->count.refused, 1);
    rpc_refuse(&s->call, code, LIMIT_RETRY_AFTER_MS, text);
    slot_reply(s);
}

/* An admitted call: to a worker, or back at once. */
static void
slot_dispatch(struct slot *s, uint32_t calls)
{
    struct bus *b = s->bus;
    struct pool *pool = s->call.method->class == RPC_EDGE ? &b->query : &b->admin;
    s->admitted = true;
    s->phase = PHASE_WORK;
    (void)__atomic_add_fetch(&b->admitted, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&b->stopping, __ATOMIC_SEQ_CST))
        slot_refuse(s, ACD_EUNAVAIL, "the server is stopping");
    else if (calls > b->opts.per_conn)
        slot_refuse(s, ACD_EBUSY, "too many calls in flight on this connection");
    else if (!queue_put(&pool->queue, s))
        slot_refuse(s, ACD_EBUSY, "too many calls are waiting");
}

static void
slot_received(struct slot *s)
{
    struct bus *b = s->bus;
    nng_msg *msg = nng_aio_get_msg(s->aio);
    nng_aio_set_msg(s->aio, NULL);
    s->conn = conn_get(&b->conns, (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg)));
    if (!s->conn) {
        nng_msg_free(msg);
        slot_recv(s);
        return;
    }
    s->msg = msg;
    COUNT(b->count.calls, 1);
    COUNT(b->count.in_flight, 1);
    COUNT(b->count.bytes_in, nng_msg_len(msg));
    uint32_t calls = __atomic_add_fetch(&s->conn->calls, 1, __ATOMIC_RELAXED);
    if (calls > 2 * b->opts.per_conn) {
        conn_drop(b, s->conn);
        nng_msg_free(msg);
        slot_release(s);
        slot_recv(s);
        return;
    }
    acd_slice raw = {nng_msg_body(msg), nng_msg_len(msg)};
    if (rpc_admit(b->opts.table, raw, &s->conn->peer, &s->call) == 0) {
        slot_dispatch(s, calls);
        return;
    }
    if (!s->call.frame.method.len || s->call.status == ACD_ELIMIT)
        COUNT(b->count.malformed, 1);
    slot_reply(s);
}

static void
slot_sent(struct slot *s, int rv)
{
    if (rv != 0) {
        nng_msg_free(nng_aio_get_msg(s->aio));
        nng_aio_set_msg(s->aio, NULL);
    }
    conn_sent(s->conn);
    slot_release(s);
    slot_recv(s);
}

static void
slot_done(void *arg)
{
    struct slot *s = arg;
    int rv = nng_aio_result(s->aio);
    if (s->phase == PHASE_SEND)
        slot_sent(s, rv);
    else if (rv == 0)
        slot_received(s);
    else if (rv != NNG_ECLOSED && rv != NNG_ECANCELED)
        slot_recv(s);
}

static void
worker_run(void *arg)
{
    struct pool *pool = arg;
    struct bus *b = pool->bus;
    struct mem_region region;
    struct slot *s;
    mem_init(&region, REGION_BLOCK, LIMIT_REGION);
    while ((s = queue_take(&pool->queue)) != NULL) {
        if (__atomic_load_n(&b->closing, __ATOMIC_ACQUIRE)) {
            slot_refuse(s, ACD_EUNAVAIL, "the server is stopping");
            continue;
        }
        s->call.region = &region;
        rpc_run(b->opts.table, &s->call);
        slot_reply(s);
        mem_reset(&region);
    }
    mem_done(&region);
}

/* ---- start and stop ---- */

static int
pool_start(struct pool *p, struct bus *b, const char *name, uint32_t workers, uint32_t queue)
{
    p->bus = b;
    int rc = queue_init(&p->queue, queue);
    for (; rc == 0 && p->n < workers; p->n += rc == 0) {
        char label[16];
        (void)snprintf(label, sizeof(label), "%s-%u", name, p->n);
        rc = thread_start(&p->threads[p->n], label, worker_run, p);
    }
    return rc;
}

static void
pool_stop(struct pool *p)
{
    if (!p->queue.slots)
        return;
    queue_close(&p->queue);
    while (p->n > 0)
        thread_join(&p->threads[--p->n]);
}

static int
listen_on(struct bus *b, const char *url, acd_err *err)
{
    nng_listener l;
    const char *path = bus_url_path(url);
    int port, rv, rc = bus_check_url(url, b->opts.insecure, err);
    if (rc == 0 && path)
        rc = bus_clear_socket(path, err);
    if (rc < 0)
        return rc;
    if ((rv = nng_listener_create(&l, b->sock, url)) != 0)
        return nng_error(err, ACD_EINVAL, rv, url);
    if (path && (rv = nng_listener_set_int(l, NNG_OPT_IPC_PERMISSIONS, SOCKET_MODE)) != 0)
        return nng_error(err, ACD_EIO, rv, url);
    if ((rv = nng_listener_start(l, 0)) != 0)
        return nng_error(err, rv == NNG_EADDRINUSE ? ACD_EEXIST : ACD_EIO, rv, url);
    char *out = b->urls[b->n_urls++];
    const char *colon = strrchr(url, ':');
    if (!path && nng_listener_get_int(l, NNG_OPT_TCP_BOUND_PORT, &port) == 0)
        (void)snprintf(out, sizeof(b->urls[0]), "%.*s:%d", (int)(colon - url), url, port);
    else
        (void)snprintf(out, sizeof(b->urls[0]), "%s", url);
    return 0;
}

/* nng starts its threads with the first socket: they must not take the process's signals. */
static int
socket_open(struct bus *b)
{
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int rv = nng_rep0_open(&b->sock);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    b->open = rv == 0;
    if (rv == 0)
        rv = nng_socket_set_size(b->sock, NNG_OPT_RECVMAXSZ, LIMIT_MESSAGE_HARD);
    if (rv == 0)
        rv = nng_pipe_notify(b->sock, NNG_PIPE_EV_ADD_PRE, conn_added, b);
    if (rv == 0)
        rv = nng_pipe_notify(b->sock, NNG_PIPE_EV_REM_POST, conn_removed, b);
    return rv;
}

static int
slots_start(struct bus *b)
{
    int rv = 0;
    for (size_t i = 0; rv == 0 && i < b->n_slots; i++) {
        struct slot *s = &b->slots[i];
        s->bus = b;
        rv = nng_aio_alloc(&s->aio, slot_done, s);
        if (rv == 0)
            rv = nng_ctx_open(&s->ctx, b->sock);
        if (rv == 0)
            slot_recv(s);
    }
    return rv;
}

static int
bus_prepare(struct bus *b, const struct bus_opts *opts)
{
    b->opts = bus_opts_full(opts);
    const struct bus_opts *o = &b->opts;
    b->keeper_ms = o->send_ms / KEEPER_STEPS + 1;
    b->n_slots = o->query_workers + o->admin_workers + o->query_queue + o->admin_queue + SPARE_SLOTS;
    conn_table_init(&b->conns, o->conns);
    b->slots = calloc(b->n_slots, sizeof(*b->slots));
    pthread_condattr_t attr;
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_mutex_init(&b->lock, NULL) == 0 && pthread_cond_init(&b->idle, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    return b->slots ? 0 : ACD_ENOMEM;
}

int
bus_start(const struct bus_opts *opts, struct bus **ret, acd_err *err)
{
    if (opts->n_urls == 0 || opts->n_urls > LIMIT_LISTENERS)
        return err_set(err, ACD_EINVAL, "1 to %d URLs to listen on, not %zu", LIMIT_LISTENERS, opts->n_urls);
    struct bus *b = calloc(1, sizeof(*b));
    if (!b)
        return err_set(err, ACD_ENOMEM, "no memory for the bus");
    int rv = 0, rc = bus_prepare(b, opts);
    if (rc == 0)
        rc = pool_start(&b->query, b, "query", b->opts.query_workers, b->opts.query_queue);
    if (rc == 0)
        rc = pool_start(&b->admin, b, "admin", b->opts.admin_workers, b->opts.admin_queue);
    if (rc < 0)
        rc = err_set(err, rc, "cannot start the workers of the bus");
    else if ((rv = socket_open(b)) != 0 || (rv = nng_aio_alloc(&b->keeper, keeper_run, b)) != 0 ||
             (rv = slots_start(b)) != 0)
        rc = nng_error(err, ACD_ENOMEM, rv, "cannot open the bus");
    for (size_t i = 0; rc == 0 && i < opts->n_urls; i++)
        rc = listen_on(b, opts->urls[i], err);
    if (rc < 0) {
        bus_free(b);
        return rc;
    }
    nng_sleep_aio((nng_duration)b->keeper_ms, b->keeper);
    *ret = b;
    return 0;
}

int
bus_stop(struct bus *b, uint32_t timeout_ms)
{
    struct timespec until;
    must(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int rc = 0;
    (void)pthread_mutex_lock(&b->lock);
    __atomic_store_n(&b->stopping, true, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&b->admitted, __ATOMIC_SEQ_CST) > 0 && rc == 0)
        rc = pthread_cond_timedwait(&b->idle, &b->lock, &until);
    (void)pthread_mutex_unlock(&b->lock);
    return rc == ETIMEDOUT ? ACD_ETIMEOUT : 0;
}

/* Waits for a callback that runs. */
static void
aio_end(nng_aio *aio)
{
    if (!aio)
        return;
    nng_aio_stop(aio);
    nng_aio_free(aio);
}

/* Workers first, so that nobody starts a send any more; then the aios, whose end waits for callbacks that
 * run; then nothing of ours is known to nng, and the socket may take its time to close. */
void
bus_free(struct bus *b)
{
    if (!b)
        return;
    __atomic_store_n(&b->stopping, true, __ATOMIC_SEQ_CST);
    __atomic_store_n(&b->closing, true, __ATOMIC_SEQ_CST);
    pool_stop(&b->query);
    pool_stop(&b->admin);
    aio_end(b->keeper);
    for (size_t i = 0; b->slots && i < b->n_slots; i++)
        aio_end(b->slots[i].aio);
    if (b->open) {
        (void)nng_pipe_notify(b->sock, NNG_PIPE_EV_ADD_PRE, NULL, NULL);
        (void)nng_pipe_notify(b->sock, NNG_PIPE_EV_REM_POST, NULL, NULL);
        (void)link_close_socket(b->sock.id);
    }
    queue_done(&b->query.queue);
    queue_done(&b->admin.queue);
    conn_table_done(&b->conns);
    (void)pthread_cond_destroy(&b->idle);
    (void)pthread_mutex_destroy(&b->lock);
    free(b->slots);
    free(b);
}

void
bus_counters(struct bus *b, struct bus_counters *ret)
{
    const uint64_t *from = (const uint64_t *)&b->count;
    uint64_t *to = (uint64_t *)ret;
    for (size_t i = 0; i < sizeof(*ret) / sizeof(*to); i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    (void)pthread_mutex_lock(&b->conns.lock);
    ret->conns = b->conns.n;
    ret->conns_opened = b->conns.opened;
    ret->conns_refused = b->conns.refused;
    (void)pthread_mutex_unlock(&b->conns.lock);
}

const char *
bus_url(const struct bus *b, size_t i)
{
    return i < b->n_urls ? b->urls[i] : NULL;
}
