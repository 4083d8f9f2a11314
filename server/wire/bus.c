/*
 * The bus as a whole: its parts, and the order in which they start and stop.
 *
 *   client -> bus_loop (I/O thread: bus_listen, bus_read, sp) -> lane -> worker (bus_work) -> bus_conn ->
 * client
 *                 \_ prompt calls and refusals _____________________________________________/
 *
 * The end: the I/O thread first, so that nothing new comes; then the workers, which answer what still waits
 * with a refusal and write it themselves; then the connections.
 *
 * Locks: a lane has one, a connection has one, bus.lock guards the wake-up of bus_stop. A connection's may be
 * held when bus.lock is taken; no others nest.
 */
#include "wire/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "wire/bus_loop.h"
#include "wire/bus_setup.h"

struct bus {
    struct bus_opts opts;
    bool stopping, closing; /* atomic */
    struct work_store store;
    struct lane query, admin;
    struct conn_tally tally;
    struct loop loop;
    size_t n_listeners;
    struct listener listeners[LIMIT_LISTENERS];
    pthread_mutex_t lock; /* with idle: bus_stop sleeps here */
    pthread_cond_t idle;
};

static void
on_idle(void *arg)
{
    struct bus *b = arg;
    if (!__atomic_load_n(&b->stopping, __ATOMIC_SEQ_CST))
        return;
    (void)pthread_mutex_lock(&b->lock);
    (void)pthread_cond_broadcast(&b->idle);
    (void)pthread_mutex_unlock(&b->lock);
}

static struct bus *
bus_new(const struct bus_opts *opts)
{
    struct bus *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->opts = bus_opts_full(opts);
    b->tally =
        (struct conn_tally){.share = LIMIT_CONN_UNSENT, .share_all = LIMIT_UNSENT, .idle = on_idle, .arg = b};
    b->query.table = b->admin.table = opts->table;
    b->query.store = b->admin.store = &b->store;
    b->query.closing = b->admin.closing = &b->closing;
    b->loop.opts = &b->opts;
    b->loop.query = &b->query;
    b->loop.admin = &b->admin;
    b->loop.store = &b->store;
    b->loop.tally = &b->tally;
    b->loop.listeners = b->listeners;
    b->loop.stopping = &b->stopping;
    b->loop.closing = &b->closing;
    pthread_condattr_t attr;
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_mutex_init(&b->lock, NULL) == 0 && pthread_cond_init(&b->idle, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    return b;
}

static int
bus_open(struct bus *b, const struct bus_opts *opts, acd_err *err)
{
    for (; b->n_listeners < opts->n_urls; b->n_listeners++) {
        int rc =
            listener_open(&b->listeners[b->n_listeners], opts->urls[b->n_listeners], opts->insecure, err);
        if (rc < 0)
            return rc;
    }
    b->loop.n_listeners = b->n_listeners;
    int rc = lane_start(&b->query, "query", b->opts.query_workers, b->opts.query_queue);
    if (rc == 0)
        rc = lane_start(&b->admin, "admin", b->opts.admin_workers, b->opts.admin_queue);
    if (rc < 0)
        return err_set(err, rc, "cannot start the workers of the bus");
    return loop_start(&b->loop, err);
}

int
bus_start(const struct bus_opts *opts, struct bus **ret, acd_err *err)
{
    if (opts->n_urls == 0 || opts->n_urls > LIMIT_LISTENERS)
        return err_set(err, ACD_EINVAL, "1 to %d URLs to listen on, not %zu", LIMIT_LISTENERS, opts->n_urls);
    struct bus *b = bus_new(opts);
    if (!b)
        return err_set(err, ACD_ENOMEM, "no memory for the bus");
    int rc = bus_open(b, opts, err);
    if (rc < 0) {
        bus_free(b);
        return rc;
    }
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
    while (__atomic_load_n(&b->tally.admitted, __ATOMIC_SEQ_CST) > 0 && rc == 0)
        rc = pthread_cond_timedwait(&b->idle, &b->lock, &until);
    (void)pthread_mutex_unlock(&b->lock);
    return rc == ETIMEDOUT ? ACD_ETIMEOUT : 0;
}

void
bus_free(struct bus *b)
{
    if (!b)
        return;
    __atomic_store_n(&b->stopping, true, __ATOMIC_SEQ_CST);
    __atomic_store_n(&b->closing, true, __ATOMIC_SEQ_CST);
    loop_stop(&b->loop);
    lane_stop(&b->query);
    lane_stop(&b->admin);
    loop_done(&b->loop);
    for (size_t i = 0; i < b->n_listeners; i++)
        listener_close(&b->listeners[i]);
    work_store_done(&b->store);
    (void)pthread_cond_destroy(&b->idle);
    (void)pthread_mutex_destroy(&b->lock);
    free(b);
}

#define READ(v) __atomic_load_n(&(v), __ATOMIC_ACQUIRE)

void
bus_counters(struct bus *b, struct bus_counters *ret)
{
    const struct bus_counters *c = &b->loop.count;
    const struct conn_tally *t = &b->tally;
    *ret = (struct bus_counters){
        .in_flight = READ(t->in_flight),
        .calls = READ(c->calls),
        .replies = READ(t->replies),
        .refused = READ(c->refused),
        .malformed = READ(c->malformed),
        .bytes_in = READ(c->bytes_in),
        .bytes_out = READ(t->bytes_out),
        .conns_opened = READ(c->conns_opened),
        .conns_refused = READ(c->conns_refused),
        .conns_dropped = READ(c->conns_dropped) + READ(t->dropped),
        .conns = READ(c->conns),
    };
}

const char *
bus_url(const struct bus *b, size_t i)
{
    return i < b->n_listeners ? b->listeners[i].url : NULL;
}
