#include "wire/bus_work.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- works ---- */

struct work *
work_take(struct work_store *s)
{
    if (!s->mine)
        s->mine = __atomic_exchange_n(&s->returned, NULL, __ATOMIC_ACQUIRE);
    struct work *w = s->mine;
    if (!w)
        return calloc(1, sizeof(*w));
    s->mine = w->next;
    return w;
}

/* Only the whole list is ever taken, so the push needs no protection against reuse. */
static void
work_return(struct work_store *s, struct work *w)
{
    w->next = __atomic_load_n(&s->returned, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&s->returned, &w->next, w, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

void
work_store_done(struct work_store *s)
{
    struct work *w;
    while (s->mine || s->returned) {
        w = work_take(s);
        free(w);
    }
}

void
work_append(struct work_list *list, struct work *w)
{
    w->next = NULL;
    if (list->last)
        list->last->next = w;
    else
        list->first = w;
    list->last = w;
    list->n++;
}

/* ---- replies ---- */

void
gather_flush(struct gather *g)
{
    while (g->n > 0) {
        struct bus_conn *c = g->conns[--g->n];
        conn_flush(c);
        conn_unref(c);
    }
}

/* Takes the reference. */
static void
gather_add(struct gather *g, struct bus_conn *c)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->conns[i] == c) {
            conn_unref(c);
            return;
        }
    if (g->n == GATHER_MOST)
        gather_flush(g);
    g->conns[g->n++] = c;
}

void
work_reply(struct work_store *s, struct work *w, struct gather *g)
{
    struct conn_reply r = {
        .call = &w->call, .stack = w->stack, .stack_len = w->stack_len, .admitted = w->admitted};
    conn_reply(w->conn, &r);
    chunk_unref(w->chunk);
    gather_add(g, w->conn);
    w->chunk = NULL;
    w->conn = NULL;
    work_return(s, w);
}

/* ---- lanes ---- */

uint32_t
lane_len(const struct lane *l)
{
    return __atomic_load_n(&l->waiting.n, __ATOMIC_RELAXED);
}

void
lane_put(struct lane *l, struct work_list *list)
{
    if (!list->n)
        return;
    (void)pthread_mutex_lock(&l->lock);
    must(!l->closed);
    if (l->waiting.last)
        l->waiting.last->next = list->first;
    else
        l->waiting.first = list->first;
    l->waiting.last = list->last;
    __atomic_store_n(&l->waiting.n, l->waiting.n + list->n, __ATOMIC_RELAXED);
    uint32_t wakes = l->asleep < list->n ? l->asleep : list->n;
    (void)pthread_mutex_unlock(&l->lock);
    *list = (struct work_list){0};
    while (wakes-- > 0)
        (void)pthread_cond_signal(&l->wake);
}

/* With the lock held. */
static uint32_t
share_of(const struct lane *l)
{
    uint32_t share = l->waiting.n / (2 * l->n);
    return share < 1 ? 1 : share < TAKE_MOST ? share : TAKE_MOST;
}

/* Waits for calls. NULL: closed, and none is left. */
static struct work *
lane_take(struct lane *l)
{
    (void)pthread_mutex_lock(&l->lock);
    while (!l->waiting.first && !l->closed) {
        l->asleep++;
        (void)pthread_cond_wait(&l->wake, &l->lock);
        l->asleep--;
    }
    struct work *first = l->waiting.first, *last = first;
    if (first) {
        uint32_t share = share_of(l);
        for (uint32_t i = 1; i < share; i++)
            last = last->next;
        l->waiting.first = last->next;
        if (!last->next)
            l->waiting.last = NULL;
        last->next = NULL;
        __atomic_store_n(&l->waiting.n, l->waiting.n - share, __ATOMIC_RELAXED);
    }
    (void)pthread_mutex_unlock(&l->lock);
    return first;
}

/* Replies of prompt calls leave together; no reply waits for a call that may be slow. */
static void
run_all(struct lane *l, struct work *w, struct mem_region *region, struct gather *g)
{
    for (struct work *next; w; w = next) {
        next = w->next;
        if (!rpc_is_prompt(&w->call))
            gather_flush(g);
        if (__atomic_load_n(l->closing, __ATOMIC_ACQUIRE)) {
            rpc_refuse(&w->call, ACD_EUNAVAIL, LIMIT_RETRY_AFTER_MS, "the server is stopping");
        } else {
            w->call.region = region;
            rpc_run(l->table, &w->call);
        }
        work_reply(l->store, w, g);
        mem_reset(region);
    }
    gather_flush(g);
}

static void
worker_run(void *arg)
{
    struct lane *l = arg;
    struct mem_region region;
    struct gather g = {.n = 0};
    struct work *w;
    mem_init(&region, REGION_BLOCK, LIMIT_REGION);
    while ((w = lane_take(l)) != NULL)
        run_all(l, w, &region, &g);
    mem_done(&region);
}

int
lane_start(struct lane *l, const char *name, uint32_t workers, uint32_t cap)
{
    int rc = 0;
    l->cap = cap;
    must(pthread_mutex_init(&l->lock, NULL) == 0 && pthread_cond_init(&l->wake, NULL) == 0);
    l->started = true;
    /* Workers read it: it is set before the first of them runs. */
    l->n = workers;
    for (uint32_t i = 0; rc == 0 && i < workers; i++) {
        char label[16];
        (void)snprintf(label, sizeof(label), "%s-%u", name, i);
        rc = thread_start(&l->threads[i], label, worker_run, l);
        l->running += rc == 0;
    }
    return rc;
}

void
lane_stop(struct lane *l)
{
    if (!l->started)
        return;
    (void)pthread_mutex_lock(&l->lock);
    l->closed = true;
    (void)pthread_cond_broadcast(&l->wake);
    (void)pthread_mutex_unlock(&l->lock);
    while (l->running > 0)
        thread_join(&l->threads[--l->running]);
    must(!l->waiting.first);
    (void)pthread_cond_destroy(&l->wake);
    (void)pthread_mutex_destroy(&l->lock);
    l->started = false;
}
