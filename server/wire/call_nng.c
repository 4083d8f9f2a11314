/*
 * The client's end of the bus on nng 1.5.2: one REQ socket, one context ("slot") per request in flight.
 *
 * A slot has two aios: sending needs no callback of its own, since a reply (or the end of the connection)
 * tells all there is to know; receiving has one, which puts the slot on its group's list and wakes the
 * group's thread. nng's resending is off: a request goes out once, and a connection that ends fails what was
 * in flight on it.
 *
 * What nng 1.5.2 cannot do safely is to cancel a receive. So a slot whose time is over leaves its group
 * ("parked") and comes back to the free list when nng is done with it. Nothing is sent while no server is
 * connected; only a connection that ends in that very moment leaves a request waiting in nng, which the next
 * connection then carries.
 *
 * One lock per link guards slots, lists and groups; nng is called outside of it.
 */
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/must.h"
#include "model/limits.h"
#include "wire/link.h"

enum { RECONNECT_MIN_MS = 10, RECONNECT_MAX_MS = 500 };
enum { CALM_MS = 500, CLOSE_MS = 1000 }; /* link_close: for late replies, for nng */

struct link_slot {
    struct link *link;
    nng_ctx ctx;
    nng_aio *send, *recv;
    struct link_group *group;     /* NULL: free or parked */
    struct link_slot *next, **at; /* in the group's flying list, by `at`; in the done or the free list */
    void *tag;
    const void *kind;
    uint64_t deadline_ns;
    nng_msg *reply;
    int rv;
};

struct link {
    nng_socket sock;
    pthread_mutex_t lock;
    pthread_cond_t connected;
    struct link *next; /* in the list of the abandoned */
    uint32_t pipes, parked;
    bool closing;
    uint32_t n_slots, max_slots;
    struct link_slot **slots, *free;
};

static void
cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(cond, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
}

static void
cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_ns)
{
    struct timespec ts = {.tv_sec = (time_t)(until_ns / 1000000000),
                          .tv_nsec = (long)(until_ns % 1000000000)};
    (void)pthread_cond_timedwait(cond, lock, &ts);
}

static void
pipe_changed(nng_pipe pipe, nng_pipe_ev ev, void *arg)
{
    (void)pipe;
    struct link *l = arg;
    (void)pthread_mutex_lock(&l->lock);
    if (ev == NNG_PIPE_EV_ADD_POST)
        l->pipes++;
    else if (l->pipes > 0)
        l->pipes--;
    (void)pthread_cond_broadcast(&l->connected);
    (void)pthread_mutex_unlock(&l->lock);
}

/* ---- lists; the lock is held ---- */

static void
flying_add(struct link_group *g, struct link_slot *s)
{
    s->group = g;
    s->next = g->flying;
    s->at = &g->flying;
    if (s->next)
        s->next->at = &s->next;
    g->flying = s;
}

static void
flying_remove(struct link_slot *s)
{
    *s->at = s->next;
    if (s->next)
        s->next->at = s->at;
    s->next = NULL;
    s->at = NULL;
}

static void
done_add(struct link_group *g, struct link_slot *s)
{
    if (g->done_last)
        g->done_last->next = s;
    else
        g->done_first = s;
    g->done_last = s;
}

static void
slot_put_free(struct link_slot *s)
{
    s->group = NULL;
    s->reply = NULL;
    s->next = s->link->free;
    s->link->free = s;
}

static void
slot_park(struct link_slot *s)
{
    flying_remove(s);
    s->group = NULL;
    s->link->parked++;
}

/* ---- slots ---- */

static void
slot_received(void *arg)
{
    struct link_slot *s = arg;
    struct link *l = s->link;
    int rv = nng_aio_result(s->recv);
    nng_msg *late = NULL, *msg = rv == 0 ? nng_aio_get_msg(s->recv) : NULL;
    nng_aio_set_msg(s->recv, NULL);
    (void)pthread_mutex_lock(&l->lock);
    if (s->group) {
        s->rv = rv;
        s->reply = msg;
        flying_remove(s);
        done_add(s->group, s);
        if (s->group->sleeping)
            (void)pthread_cond_signal(&s->group->wake);
    } else {
        late = msg;
        l->parked--;
        slot_put_free(s);
        if (l->closing)
            (void)pthread_cond_broadcast(&l->connected);
    }
    (void)pthread_mutex_unlock(&l->lock);
    if (late)
        nng_msg_free(late);
}

/* The aios may be in the last steps of a callback still: wait for them; and a request that was never sent is
 * ours again. */
static void
slot_settle(struct link_slot *s)
{
    nng_aio_wait(s->recv);
    nng_aio_wait(s->send);
    nng_msg *unsent = nng_aio_result(s->send) != 0 ? nng_aio_get_msg(s->send) : NULL;
    nng_aio_set_msg(s->send, NULL);
    if (unsent)
        nng_msg_free(unsent);
}

static void
slot_free(struct link_slot *s)
{
    if (s->recv)
        nng_aio_stop(s->recv);
    if (s->send)
        nng_aio_stop(s->send);
    if (s->recv && s->send)
        slot_settle(s);
    nng_aio_free(s->recv);
    nng_aio_free(s->send);
    if (s->reply)
        nng_msg_free(s->reply);
    free(s);
}

static struct link_slot *
slot_new(struct link *l)
{
    struct link_slot *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->link = l;
    if (nng_aio_alloc(&s->send, NULL, NULL) == 0 && nng_aio_alloc(&s->recv, slot_received, s) == 0 &&
        nng_ctx_open(&s->ctx, l->sock) == 0)
        return s;
    slot_free(s);
    return NULL;
}

/* A free slot, or a new one while the bound allows. */
static int
slot_take(struct link *l, struct link_slot **ret, acd_err *err)
{
    int rc = 0;
    bool fresh = false;
    (void)pthread_mutex_lock(&l->lock);
    struct link_slot *s = l->free;
    if (l->pipes == 0) {
        rc = err_set(err, ACD_EUNAVAIL, "not connected to a server");
    } else if (s) {
        l->free = s->next;
    } else if (l->n_slots < l->max_slots) {
        fresh = true;
        l->n_slots++;
    } else {
        rc =
            err_set(err, ACD_EBUSY, "%u calls are in flight already, %u of them late", l->n_slots, l->parked);
    }
    (void)pthread_mutex_unlock(&l->lock);
    if (rc < 0)
        return rc;
    if (fresh) {
        s = slot_new(l);
        (void)pthread_mutex_lock(&l->lock);
        if (s)
            for (uint32_t i = 0; i < l->max_slots; i++)
                if (!l->slots[i]) {
                    l->slots[i] = s;
                    break;
                }
        l->n_slots -= !s;
        (void)pthread_mutex_unlock(&l->lock);
    }
    *ret = s;
    return s ? 0 : err_set(err, ACD_ENOMEM, "no memory for another call");
}

/* ---- link ---- */

/* nng starts its threads with the first socket: they must not take the process's signals. Whether it has done
 * so it asks itself without a lock, so two first sockets are not opened at once. */
static int
req_open(nng_socket *ret)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    (void)pthread_mutex_lock(&one_at_a_time);
    int rv = nng_req0_open(ret);
    (void)pthread_mutex_unlock(&one_at_a_time);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rv;
}

static int
socket_open(struct link *l, const char *url, acd_err *err)
{
    nng_dialer d = NNG_DIALER_INITIALIZER;
    int rv = req_open(&l->sock);
    if (rv != 0)
        return err_set(err, ACD_ENOMEM, "cannot open a socket: %s", nng_strerror(rv));
    if ((rv = nng_socket_set_ms(l->sock, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE)) == 0 &&
        (rv = nng_socket_set_size(l->sock, NNG_OPT_RECVMAXSZ, LIMIT_MESSAGE_HARD)) == 0 &&
        (rv = nng_socket_set_ms(l->sock, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS)) == 0 &&
        (rv = nng_socket_set_ms(l->sock, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS)) == 0 &&
        (rv = nng_pipe_notify(l->sock, NNG_PIPE_EV_ADD_POST, pipe_changed, l)) == 0 &&
        (rv = nng_pipe_notify(l->sock, NNG_PIPE_EV_REM_POST, pipe_changed, l)) == 0 &&
        (rv = nng_dialer_create(&d, l->sock, url)) == 0)
        rv = nng_dialer_start(d, NNG_FLAG_NONBLOCK);
    if (rv == 0)
        return 0;
    (void)nng_close(l->sock);
    return err_set(err, ACD_EINVAL, "cannot use %s: %s", url, nng_strerror(rv));
}

int
link_open(const char *url, uint32_t max_slots, struct link **ret, acd_err *err)
{
    struct link *l = calloc(1, sizeof(*l));
    struct link_slot **slots = calloc(max_slots, sizeof(struct link_slot *));
    int rc = l && slots ? 0 : err_set(err, ACD_ENOMEM, "no memory for a client");
    if (rc == 0) {
        *l = (struct link){.slots = slots, .max_slots = max_slots};
        must(pthread_mutex_init(&l->lock, NULL) == 0);
        cond_init(&l->connected);
        rc = socket_open(l, url, err);
    }
    if (rc < 0) {
        free(slots);
        free(l);
        return rc;
    }
    *ret = l;
    return 0;
}

/* ---- closing ----
 *
 * In nng 1.5.2 nng_close can wait for ever when a pipe ends in the middle of traffic: an operation that was
 * begun and not yet scheduled is never finished (mended in later versions). So we close in calm whenever we
 * can, and on a thread of its own, which is left alone with its socket if it does not come back. */

struct closing {
    nng_socket sock;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
    uint32_t refs; /* the thread and the one who waits */
};

static void
closing_unref(struct closing *c)
{
    (void)pthread_mutex_lock(&c->lock);
    bool last = --c->refs == 0;
    (void)pthread_mutex_unlock(&c->lock);
    if (!last)
        return;
    (void)pthread_cond_destroy(&c->cond);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

static void *
closing_run(void *arg)
{
    struct closing *c = arg;
    (void)nng_close(c->sock);
    (void)pthread_mutex_lock(&c->lock);
    c->done = true;
    (void)pthread_cond_signal(&c->cond);
    (void)pthread_mutex_unlock(&c->lock);
    closing_unref(c);
    return NULL;
}

static bool
closing_wait(struct closing *c)
{
    uint64_t until = clock_mono_ns(&clock_system) + (uint64_t)CLOSE_MS * 1000000;
    (void)pthread_mutex_lock(&c->lock);
    while (!c->done && clock_mono_ns(&clock_system) < until)
        cond_wait(&c->cond, &c->lock, until);
    bool done = c->done;
    (void)pthread_mutex_unlock(&c->lock);
    return done;
}

/* False: nng did not come back within a second, and keeps the socket. */
static bool
close_socket(uint32_t id)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, old;
    struct closing *c = calloc(1, sizeof(*c));
    if (!c)
        return false;
    *c = (struct closing){.sock = {id}, .refs = 2};
    must(pthread_mutex_init(&c->lock, NULL) == 0);
    cond_init(&c->cond);
    must(pthread_attr_init(&attr) == 0);
    must(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int rv = pthread_create(&thread, &attr, closing_run, c);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attr);
    if (rv != 0)
        c->refs--;
    bool done = rv == 0 && closing_wait(c);
    closing_unref(c);
    return done;
}

/* Late replies are waited for, within the bound. */
static void
wait_calm(struct link *l)
{
    uint64_t until = clock_mono_ns(&clock_system) + (uint64_t)CALM_MS * 1000000;
    (void)pthread_mutex_lock(&l->lock);
    l->closing = true;
    while (l->parked > 0 && l->pipes > 0 && clock_mono_ns(&clock_system) < until)
        cond_wait(&l->connected, &l->lock, until);
    (void)pthread_mutex_unlock(&l->lock);
}

/* What nng still holds on to is left to it and never freed: nothing hangs, and nothing goes from under its
 * feet. */
static void
abandon(struct link *l)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct link *abandoned;
    (void)pthread_mutex_lock(&lock);
    l->next = abandoned;
    __atomic_store_n(&abandoned, l, __ATOMIC_RELAXED);
    (void)pthread_mutex_unlock(&lock);
}

void
link_close(struct link *l)
{
    if (!l)
        return;
    wait_calm(l);
    (void)nng_pipe_notify(l->sock, NNG_PIPE_EV_ADD_POST, NULL, NULL);
    (void)nng_pipe_notify(l->sock, NNG_PIPE_EV_REM_POST, NULL, NULL);
    if (!close_socket(l->sock.id)) {
        abandon(l);
        return;
    }
    for (uint32_t i = 0; i < l->max_slots; i++)
        if (l->slots[i])
            slot_free(l->slots[i]);
    (void)pthread_cond_destroy(&l->connected);
    (void)pthread_mutex_destroy(&l->lock);
    free(l->slots);
    free(l);
}

int
link_wait(struct link *l, uint64_t until_ns, acd_err *err)
{
    (void)pthread_mutex_lock(&l->lock);
    while (l->pipes == 0 && clock_mono_ns(&clock_system) < until_ns)
        cond_wait(&l->connected, &l->lock, until_ns);
    bool ok = l->pipes > 0;
    (void)pthread_mutex_unlock(&l->lock);
    return ok ? 0 : err_set(err, ACD_EUNAVAIL, "no server answers there");
}

uint32_t
link_parked(struct link *l)
{
    (void)pthread_mutex_lock(&l->lock);
    uint32_t n = l->parked;
    (void)pthread_mutex_unlock(&l->lock);
    return n;
}

/* ---- groups ---- */

void
link_group_init(struct link_group *g, struct link *l)
{
    *g = (struct link_group){.link = l};
    cond_init(&g->wake);
}

void
link_group_done(struct link_group *g)
{
    struct link *l = g->link;
    (void)pthread_mutex_lock(&l->lock);
    while (g->flying)
        slot_park(g->flying);
    while (g->done_first) {
        struct link_slot *s = g->done_first;
        g->done_first = s->next;
        if (s->reply)
            nng_msg_free(s->reply);
        slot_put_free(s);
    }
    (void)pthread_mutex_unlock(&l->lock);
    (void)pthread_cond_destroy(&g->wake);
}

int
link_submit(struct link_group *g, const struct link_send *send, acd_err *err)
{
    struct link *l = g->link;
    struct link_slot *s = NULL;
    nng_msg *msg;
    int rc = slot_take(l, &s, err);
    if (rc < 0)
        return rc;
    slot_settle(s);
    if (nng_msg_alloc(&msg, send->len) != 0) {
        (void)pthread_mutex_lock(&l->lock);
        slot_put_free(s);
        (void)pthread_mutex_unlock(&l->lock);
        return err_set(err, ACD_ENOMEM, "no memory for the request");
    }
    send->write(send->arg, nng_msg_body(msg));
    s->tag = send->tag;
    s->kind = send->kind;
    s->deadline_ns = send->deadline_ns;
    (void)pthread_mutex_lock(&l->lock);
    flying_add(g, s);
    (void)pthread_mutex_unlock(&l->lock);
    nng_aio_set_msg(s->send, msg);
    nng_ctx_send(s->ctx, s->send);
    nng_ctx_recv(s->ctx, s->recv);
    return 0;
}

/* The first of the group's requests to run out of time. */
static struct link_slot *
flying_next(const struct link_group *g)
{
    struct link_slot *first = g->flying;
    for (struct link_slot *s = first; s; s = s->next)
        if (s->deadline_ns < first->deadline_ns)
            first = s;
    return first;
}

static void
reply_take(struct link_group *g, struct link_reply *ret)
{
    struct link_slot *s = g->done_first;
    g->done_first = s->next;
    if (!g->done_first)
        g->done_last = NULL;
    *ret = (struct link_reply){.tag = s->tag, .kind = s->kind, .msg = s->reply};
    if (s->rv == 0)
        ret->bytes = (acd_slice){nng_msg_body(s->reply), nng_msg_len(s->reply)};
    else
        ret->status = s->rv == NNG_ENOMEM ? ACD_ENOMEM : ACD_EUNAVAIL;
    slot_put_free(s);
}

int
link_collect(struct link_group *g, uint64_t until_ns, struct link_reply *ret)
{
    struct link *l = g->link;
    int rc = ACD_ENOENT;
    (void)pthread_mutex_lock(&l->lock);
    while (!g->done_first && g->flying) {
        struct link_slot *next = flying_next(g);
        uint64_t now = clock_mono_ns(&clock_system);
        if (next->deadline_ns <= now) {
            *ret = (struct link_reply){.tag = next->tag, .kind = next->kind, .status = ACD_ETIMEOUT};
            slot_park(next);
            rc = 1;
            break;
        }
        if (until_ns <= now) {
            rc = 0;
            break;
        }
        g->sleeping = true;
        cond_wait(&g->wake, &l->lock, next->deadline_ns < until_ns ? next->deadline_ns : until_ns);
        g->sleeping = false;
    }
    if (rc == ACD_ENOENT && g->done_first) {
        reply_take(g, ret);
        rc = 1;
    }
    (void)pthread_mutex_unlock(&l->lock);
    return rc;
}

void
link_reply_done(struct link_reply *r)
{
    if (r->msg)
        nng_msg_free(r->msg);
    r->msg = NULL;
}
