/*
 * A round: epoll tells who can be read; each of them is read once, so that nobody is served twice before all
 * are served once. What came is cut into calls; refusals and prompt calls are answered on the spot, the
 * others go to their lane in one go; then the replies leave in one write. Level-triggered: what a round
 * leaves unread comes up again in the next.
 *
 * Prompt calls run here when no others wait in their lane: a wake-up costs more than they do. A round that
 * has lasted prompt_us leaves the rest to the workers.
 *
 * Deadlines need no timers: all connections are looked at every tick, a quarter of the shortest of them.
 */
#include "wire/bus_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

enum { TICK_STEPS = 4, TICK_MAX_MS = 250 };

#define COUNT(c, n) ((void)__atomic_fetch_add(&(c), (n), __ATOMIC_RELAXED))

static void
clock_read(struct loop *l)
{
    l->round_ns = clock_mono_ns(&clock_system);
    l->now_ms = l->round_ns / 1000000;
}

/* ---- lists of connections ---- */

static void
list_add(struct conn_list *list, struct bus_conn *c)
{
    c->next = NULL;
    c->prev = list->last;
    if (list->last)
        list->last->next = c;
    else
        list->first = c;
    list->last = c;
    list->n++;
}

static void
list_remove(struct conn_list *list, struct bus_conn *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        list->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    else
        list->last = c->prev;
    list->n--;
}

/* Its memory stays until the round is over: epoll may have told of it already. */
static void
close_conn(struct loop *l, struct bus_conn *c)
{
    list_remove(c->open ? &l->open : &l->hellos, c);
    if (c->open)
        COUNT(l->count.conns, -1);
    conn_close(c);
    list_add(&l->closed, c);
}

static void
free_closed(struct loop *l)
{
    while (l->closed.first) {
        struct bus_conn *c = l->closed.first;
        list_remove(&l->closed, c);
        conn_unref(c);
    }
}

/* ---- calls ---- */

static void
answer(struct loop *l, struct work *w)
{
    work_reply(l->store, w, &l->gather);
}

static void
refuse(struct loop *l, struct work *w, int code, const char *text)
{
    COUNT(l->count.refused, 1);
    rpc_refuse(&w->call, code, LIMIT_RETRY_AFTER_MS, text);
    answer(l, w);
}

/* What needs no waiting, as long as the round is young. False: a worker's business. */
static bool
answer_here(struct loop *l, struct work *w)
{
    if (!rpc_is_prompt(&w->call) ||
        clock_mono_ns(&clock_system) - l->round_ns > (uint64_t)l->opts->prompt_us * 1000)
        return false;
    w->call.region = &l->region;
    bool done = rpc_try(l->opts->table, &w->call);
    if (done)
        answer(l, w);
    mem_reset(&l->region);
    return done;
}

/* An admitted call. The order of `admitted` and `stopping` is that of bus_stop, turned round. */
static void
dispatch(struct loop *l, struct work *w, uint32_t calls)
{
    bool edge = w->call.method->class == RPC_EDGE;
    struct lane *lane = edge ? l->query : l->admin;
    struct work_list *list = edge ? &l->to_query : &l->to_admin;
    uint32_t waiting = lane_len(lane) + list->n;
    w->admitted = true;
    (void)__atomic_add_fetch(&l->tally->admitted, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(l->stopping, __ATOMIC_SEQ_CST)) {
        refuse(l, w, ACD_EUNAVAIL, "the server is stopping");
    } else if (calls > l->opts->per_conn) {
        refuse(l, w, ACD_EBUSY, "too many calls in flight on this connection");
    } else if (waiting == 0 && answer_here(l, w)) {
        return;
    } else if (waiting >= lane->cap) {
        refuse(l, w, ACD_EBUSY, "too many calls are waiting");
    } else {
        work_append(list, w);
    }
}

/* A request; takes the reference to the chunk it lies in. Negative: the connection is to be closed. */
static int
on_message(struct loop *l, struct bus_conn *c, acd_slice msg, struct chunk *chunk)
{
    size_t stack;
    int rc = sp_stack_parse(msg, &stack);
    struct work *w = rc == 0 ? work_take(l->store) : NULL;
    if (!w) {
        /* Too many hops, or no memory: the caller's deadline tells it. */
        chunk_unref(chunk);
        return rc == ACD_ELIMIT ? 0 : rc;
    }
    const uint8_t *p = msg.ptr;
    memcpy(w->stack, p, stack);
    w->stack_len = stack;
    w->chunk = chunk;
    w->conn = c;
    w->admitted = false;
    conn_ref(c);
    COUNT(l->count.calls, 1);
    COUNT(l->count.bytes_in, msg.len);
    COUNT(l->tally->in_flight, 1);
    uint32_t calls = __atomic_add_fetch(&c->calls, 1, __ATOMIC_RELAXED);
    if (rpc_admit(l->opts->table, slice_of(p + stack, msg.len - stack), &c->peer, &w->call) == 0) {
        dispatch(l, w, calls);
        return 0;
    }
    if (!w->call.frame.method.len || w->call.status == ACD_ELIMIT)
        COUNT(l->count.malformed, 1);
    answer(l, w);
    return 0;
}

/* ---- reading ---- */

/* 1: the hello is done; 0: its rest has not come yet. It waits where an unfinished head would. */
static int
on_hello(struct loop *l, struct bus_conn *c)
{
    struct chunk *s = l->shared;
    if (s->len < SP_HELLO) {
        memcpy(c->in.head, s->data, s->len);
        c->in.n_head = (uint8_t)s->len;
        return 0;
    }
    int rc = sp_hello_check(s->data, SP_REQ);
    if (rc < 0)
        return rc;
    s->at = SP_HELLO;
    if (l->open.n >= l->opts->conns) {
        COUNT(l->count.conns_refused, 1);
        return ACD_ELIMIT;
    }
    list_remove(&l->hellos, c);
    list_add(&l->open, c);
    c->open = true;
    COUNT(l->count.conns_opened, 1);
    COUNT(l->count.conns, 1);
    return 1;
}

/* A connection with twice its share in flight whose peer takes nothing is not worth a refusal any more. */
static bool
is_flooding(struct loop *l, struct bus_conn *c)
{
    if (__atomic_load_n(&c->calls, __ATOMIC_RELAXED) <= 2 * l->opts->per_conn)
        return false;
    conn_flush(c);
    return conn_is_blocked(c);
}

/* What was read, cut into calls; fresh: no message was begun before. Negative: the connection is to be
 * closed. */
static int
on_bytes(struct loop *l, struct bus_conn *c, bool fresh)
{
    acd_slice msg;
    struct chunk *chunk;
    int rc = c->open ? 1 : on_hello(l, c);
    if (rc == 0)
        return 0;
    if (rc < 0) {
        COUNT(l->count.malformed, rc == ACD_EINVAL);
        return rc;
    }
    while ((rc = reader_next(&c->in, l->shared, &msg, &chunk)) == 1) {
        fresh = true;
        rc = on_message(l, c, msg, chunk);
        if (rc < 0)
            break;
        if (is_flooding(l, c)) {
            COUNT(l->count.conns_dropped, 1);
            return ACD_EBUSY;
        }
    }
    if (fresh)
        c->since_ms = l->now_ms;
    COUNT(l->count.malformed, rc == ACD_EINVAL || rc == ACD_ELIMIT);
    return rc;
}

/* The chunk that connections share; messages that are still in work keep the old one. */
static bool
shared_ready(struct loop *l)
{
    if (l->shared && __atomic_load_n(&l->shared->refs, __ATOMIC_ACQUIRE) > 1) {
        chunk_unref(l->shared);
        l->shared = NULL;
    }
    if (!l->shared)
        l->shared = chunk_new(READ_CHUNK);
    return l->shared != NULL;
}

static void
read_conn(struct loop *l, struct bus_conn *c)
{
    struct iovec iov[2];
    bool fresh = !reader_unfinished(&c->in);
    int n = shared_ready(l) ? reader_room(&c->in, l->shared, iov) : ACD_ENOMEM;
    if (n < 0) {
        close_conn(l, c);
        return;
    }
    ssize_t got = readv(c->fd, iov, n);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close_conn(l, c);
        return;
    }
    reader_got(&c->in, l->shared, got > 0 ? (size_t)got : 0);
    int rc = on_bytes(l, c, fresh);
    lane_put(l->query, &l->to_query);
    lane_put(l->admin, &l->to_admin);
    gather_flush(&l->gather);
    if (rc < 0)
        close_conn(l, c);
}

/* ---- accepting ---- */

static int
watch(struct loop *l, int op, int fd, uint32_t events, void *ptr)
{
    struct epoll_event ev = {.events = events, .data.ptr = ptr};
    return epoll_ctl(l->poll, op, fd, &ev) < 0 ? ACD_EIO : 0;
}

static void
mute(struct loop *l, bool on)
{
    l->muted = on;
    for (size_t i = 0; i < l->n_listeners; i++)
        must(watch(l, EPOLL_CTL_MOD, l->listeners[i].fd, on ? 0 : EPOLLIN, &l->listeners[i]) == 0);
}

static void
add_conn(struct loop *l, const struct listener *from, int fd, const struct rpc_peer *peer)
{
    uint8_t hello[SP_HELLO];
    struct bus_conn *c = conn_new(fd, l->poll, from->framing, l->tally);
    if (!c) {
        COUNT(l->count.conns_refused, 1);
        return;
    }
    c->peer = *peer;
    c->peer.conn = ++l->last_number;
    list_add(&l->hellos, c);
    sp_hello_write(SP_REP, hello);
    if (watch(l, EPOLL_CTL_ADD, fd, EPOLLIN, c) < 0 ||
        send(fd, hello, sizeof(hello), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(hello))
        close_conn(l, c);
}

/* Those that have said nothing yet make room for new ones, the oldest first. */
static void
make_room(struct loop *l)
{
    if (l->hellos.n + l->open.n < l->opts->conns + LIMIT_HELLOS)
        return;
    COUNT(l->count.conns_refused, 1);
    close_conn(l, l->hellos.first);
}

static void
accept_some(struct loop *l, struct listener *from)
{
    struct rpc_peer peer;
    for (int i = 0; i < ACCEPT_MOST; i++) {
        int fd = listener_accept(from, &l->spare, &peer);
        if (fd == ACD_ENOENT)
            return;
        if (fd == ACD_EBUSY) {
            mute(l, true);
            return;
        }
        if (fd == ACD_ELIMIT) {
            COUNT(l->count.conns_refused, 1);
            continue;
        }
        make_room(l);
        add_conn(l, from, fd, &peer);
    }
}

/* ---- deadlines ---- */

static void
sweep_open(struct loop *l)
{
    for (struct bus_conn *c = l->open.first, *next; c; c = next) {
        next = c->next;
        bool slow = reader_unfinished(&c->in) && l->now_ms > c->since_ms + l->opts->recv_ms;
        if (!slow && !conn_is_stuck(c, l->now_ms, l->opts->send_ms))
            continue;
        COUNT(l->count.conns_dropped, 1);
        close_conn(l, c);
    }
}

static void
sweep(struct loop *l)
{
    if (l->now_ms < l->swept_ms + l->tick_ms)
        return;
    l->swept_ms = l->now_ms;
    if (l->muted)
        mute(l, false);
    /* In the order in which they came. */
    while (l->hellos.first && l->now_ms > l->hellos.first->since_ms + l->opts->hello_ms) {
        COUNT(l->count.conns_refused, 1);
        close_conn(l, l->hellos.first);
    }
    sweep_open(l);
}

/* ---- the thread ---- */

static bool
is_listener(const struct loop *l, const void *ptr)
{
    return (uintptr_t)ptr >= (uintptr_t)l->listeners &&
           (uintptr_t)ptr < (uintptr_t)(l->listeners + l->n_listeners);
}

static void
on_conn(struct loop *l, struct bus_conn *c, uint32_t events)
{
    if (c->closed)
        return;
    if (events & EPOLLOUT)
        conn_flush(c);
    if (conn_is_dead(c))
        close_conn(l, c);
    else if (events & ~(uint32_t)EPOLLOUT)
        read_conn(l, c);
}

static void
round_of(struct loop *l, struct epoll_event *events, int n)
{
    clock_read(l);
    for (int i = 0; i < n; i++) {
        void *ptr = events[i].data.ptr;
        if (ptr == &l->wake)
            continue; /* loop_stop wants `closing` to be seen */
        if (is_listener(l, ptr))
            accept_some(l, ptr);
        else
            on_conn(l, ptr, events[i].events);
    }
    sweep(l);
    free_closed(l);
}

static void
loop_run(void *arg)
{
    struct loop *l = arg;
    struct epoll_event events[EVENTS];
    while (!__atomic_load_n(l->closing, __ATOMIC_ACQUIRE)) {
        bool timed = l->hellos.n + l->open.n > 0 || l->muted;
        int n = epoll_wait(l->poll, events, EVENTS, timed ? (int)l->tick_ms : -1);
        must(n >= 0 || errno == EINTR);
        round_of(l, events, n);
    }
}

static uint64_t
tick_of(const struct bus_opts *o)
{
    uint32_t ms = o->send_ms < o->hello_ms ? o->send_ms : o->hello_ms;
    ms = (ms < o->recv_ms ? ms : o->recv_ms) / TICK_STEPS + 1;
    return ms < TICK_MAX_MS ? ms : TICK_MAX_MS;
}

static int
open_all(struct loop *l)
{
    l->spare = spare_open();
    l->poll = epoll_create1(EPOLL_CLOEXEC);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->opened = true;
    if (l->spare < 0 || l->poll < 0 || l->wake < 0 || watch(l, EPOLL_CTL_ADD, l->wake, EPOLLIN, &l->wake) < 0)
        return ACD_EIO;
    for (size_t i = 0; i < l->n_listeners; i++)
        if (watch(l, EPOLL_CTL_ADD, l->listeners[i].fd, EPOLLIN, &l->listeners[i]) < 0)
            return ACD_EIO;
    return 0;
}

int
loop_start(struct loop *l, acd_err *err)
{
    l->tick_ms = tick_of(l->opts);
    clock_read(l);
    l->swept_ms = l->now_ms;
    mem_init(&l->region, REGION_BLOCK, LIMIT_REGION);
    int rc = open_all(l);
    if (rc == 0)
        rc = thread_start(&l->thread, "bus", loop_run, l);
    if (rc < 0)
        return err_set(err, rc, "cannot start the bus: %s", strerror(errno));
    l->running = true;
    return 0;
}

void
loop_stop(struct loop *l)
{
    const uint64_t one = 1;
    if (!l->running)
        return;
    must(write(l->wake, &one, sizeof(one)) == sizeof(one));
    thread_join(&l->thread);
    l->running = false;
}

static void
close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void
loop_done(struct loop *l)
{
    if (!l->opened)
        return;
    while (l->open.first)
        close_conn(l, l->open.first);
    while (l->hellos.first)
        close_conn(l, l->hellos.first);
    free_closed(l);
    chunk_unref(l->shared);
    mem_done(&l->region);
    close_fd(l->spare);
    close_fd(l->poll);
    close_fd(l->wake);
    l->opened = false;
}
