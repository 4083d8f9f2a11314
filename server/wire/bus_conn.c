#include "wire/bus_conn.h"

#include <stdlib.h>

void
conn_table_init(struct conn_table *t, uint32_t limit)
{
    *t = (struct conn_table){.limit = limit};
    must(pthread_mutex_init(&t->lock, NULL) == 0);
}

void
conn_table_done(struct conn_table *t)
{
    for (size_t i = 0; i < CONN_BUCKETS; i++)
        while (t->buckets[i]) {
            struct conn *next = t->buckets[i]->next;
            conn_unref(t->buckets[i]);
            t->buckets[i] = next;
        }
    (void)pthread_mutex_destroy(&t->lock);
}

void
conn_unref(struct conn *c)
{
    if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(c);
}

int
conn_add(struct conn_table *t, const struct rpc_peer *peer)
{
    struct conn *c = calloc(1, sizeof(*c));
    if (!c)
        return ACD_ENOMEM;
    c->peer = *peer;
    c->refs = 1;
    (void)pthread_mutex_lock(&t->lock);
    bool ok = t->n < t->limit;
    if (ok) {
        struct conn **bucket = &t->buckets[peer->conn % CONN_BUCKETS];
        c->next = *bucket;
        *bucket = c;
        t->n++;
        t->opened++;
    } else {
        t->refused++;
    }
    (void)pthread_mutex_unlock(&t->lock);
    if (!ok)
        free(c);
    return ok ? 0 : ACD_ELIMIT;
}

void
conn_remove(struct conn_table *t, uint32_t number)
{
    (void)pthread_mutex_lock(&t->lock);
    struct conn **at = &t->buckets[number % CONN_BUCKETS], *c;
    while ((c = *at) && c->peer.conn != number)
        at = &c->next;
    if (c) {
        *at = c->next;
        t->n--;
    }
    (void)pthread_mutex_unlock(&t->lock);
    if (c)
        conn_unref(c);
}

struct conn *
conn_get(struct conn_table *t, uint32_t number)
{
    (void)pthread_mutex_lock(&t->lock);
    struct conn *c = t->buckets[number % CONN_BUCKETS];
    while (c && c->peer.conn != number)
        c = c->next;
    if (c)
        (void)__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
    (void)pthread_mutex_unlock(&t->lock);
    return c;
}

void
conn_sending(struct conn *c)
{
    (void)__atomic_add_fetch(&c->sending, 1, __ATOMIC_RELAXED);
}

void
conn_sent(struct conn *c)
{
    (void)__atomic_add_fetch(&c->sent, 1, __ATOMIC_RELAXED);
    (void)__atomic_sub_fetch(&c->sending, 1, __ATOMIC_RELAXED);
}

static bool
is_stuck(struct conn *c, uint32_t step_ms, uint32_t limit_ms)
{
    uint64_t sent = __atomic_load_n(&c->sent, __ATOMIC_RELAXED);
    bool waits = __atomic_load_n(&c->sending, __ATOMIC_RELAXED) > 0;
    c->stuck_ms = waits && sent == c->seen ? c->stuck_ms + step_ms : 0;
    c->seen = sent;
    return c->stuck_ms > limit_ms;
}

size_t
conn_stuck(struct conn_table *t, uint32_t step_ms, uint32_t limit_ms, struct conn **ret, size_t max)
{
    size_t n = 0;
    (void)pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < CONN_BUCKETS; i++)
        for (struct conn *c = t->buckets[i]; c && n < max; c = c->next)
            if (is_stuck(c, step_ms, limit_ms)) {
                (void)__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
                ret[n++] = c;
            }
    (void)pthread_mutex_unlock(&t->lock);
    return n;
}
