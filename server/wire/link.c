#include "wire/link.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "wire/link_part.h"

enum { MS = 1000000, RECONNECT_MIN_MS = 10, RECONNECT_MAX_MS = 500, KEEPER_MS = 100 };
enum { FLUSH_BYTES = 65536 };

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

/* ---- the keeper ---- */

static void
keeper_run(void *arg)
{
    struct link *l = arg;
    (void)pthread_mutex_lock(&l->lock);
    while (!l->closing) {
        l->keeper_sleeps = l->in_flight == 0;
        if (l->keeper_sleeps)
            (void)pthread_cond_wait(&l->keeper_wake, &l->lock);
        else
            cond_wait(&l->keeper_wake, &l->lock, link_now_ns() + (uint64_t)l->keeper_ms * MS);
        while (!l->closing && !l->leading && l->in_flight > 0 && link_lead(l, 0))
            ;
        link_hand_over(l);
    }
    (void)pthread_mutex_unlock(&l->lock);
}

/* ---- open, connect, close ---- */

static void
link_free(struct link *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    if (l->kick >= 0)
        (void)close(l->kick);
    (void)pthread_cond_destroy(&l->keeper_wake);
    (void)pthread_cond_destroy(&l->changed);
    (void)pthread_mutex_destroy(&l->lock);
    reader_done(&l->reader);
    chunk_unref(l->chunk);
    free(l->out.data);
    free(l->slots);
    free(l);
}

int
link_open(const char *url, uint32_t max_slots, struct link **ret, acd_err *err)
{
    struct link_address address;
    int rc = link_address_parse(url, &address, err);
    if (rc < 0)
        return rc;
    must(max_slots > 0 && max_slots <= LIMIT_CLIENT_CALLS);
    struct link *l = calloc(1, sizeof(*l));
    if (!l)
        return err_set(err, ACD_ENOMEM, "no memory for a client");
    *l = (struct link){.address = address,
                       .fd = -1,
                       .max_slots = max_slots,
                       .pause_ms = RECONNECT_MIN_MS,
                       .keeper_ms = KEEPER_MS};
    l->reader.framing = address.framing;
    must(pthread_mutex_init(&l->lock, NULL) == 0);
    cond_init(&l->changed);
    cond_init(&l->keeper_wake);
    l->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->slots = calloc(max_slots, sizeof(*l->slots));
    if (l->kick < 0 || !l->slots || thread_start(&l->keeper, "acd-link", keeper_run, l) < 0) {
        link_free(l);
        return err_set(err, ACD_ENOMEM, "no memory, descriptor or thread for a client");
    }
    *ret = l;
    return 0;
}

void
link_close(struct link *l)
{
    if (!l)
        return;
    (void)pthread_mutex_lock(&l->lock);
    l->closing = true;
    (void)pthread_cond_signal(&l->keeper_wake);
    (void)pthread_mutex_unlock(&l->lock);
    thread_join(&l->keeper);
    link_free(l);
}

/* One attempt, which others wait for. */
static void
try_connect(struct link *l, uint64_t until_ns)
{
    l->leading = true;
    (void)pthread_mutex_unlock(&l->lock);
    int fd = link_sock_connect(&l->address, until_ns);
    (void)pthread_mutex_lock(&l->lock);
    l->leading = false;
    l->fd = fd < 0 ? -1 : fd;
    l->retry_ns = fd < 0 ? link_now_ns() + (uint64_t)l->pause_ms * MS : 0;
    l->pause_ms = fd >= 0                              ? RECONNECT_MIN_MS
                  : 2 * l->pause_ms < RECONNECT_MAX_MS ? 2 * l->pause_ms
                                                       : RECONNECT_MAX_MS;
    (void)pthread_cond_broadcast(&l->changed);
}

/* Nobody reads an idle connection: it is looked at before it is used. */
static bool
is_connected(struct link *l)
{
    if (l->fd >= 0 && !l->broken && !l->leading && l->in_flight == 0 && link_sock_ended(l->fd))
        link_down(l);
    return l->fd >= 0 && !l->broken;
}

int
link_wait(struct link *l, uint64_t until_ns, acd_err *err)
{
    bool ok;
    (void)pthread_mutex_lock(&l->lock);
    while (!(ok = is_connected(l))) {
        uint64_t now = link_now_ns();
        if (now >= until_ns)
            break;
        if (l->leading)
            cond_wait(&l->changed, &l->lock, until_ns);
        else if (now < l->retry_ns)
            cond_wait(&l->changed, &l->lock, l->retry_ns < until_ns ? l->retry_ns : until_ns);
        else
            try_connect(l, until_ns);
    }
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
        link_slot_park(l, g->flying);
    while (g->done_first) {
        struct link_slot *s = g->done_first;
        g->done_first = s->next;
        chunk_unref(s->reply.chunk);
        link_slot_free(l, s);
    }
    (void)pthread_mutex_unlock(&l->lock);
    (void)pthread_cond_destroy(&g->wake);
}

int
link_submit(struct link_group *g, const struct link_send *send, acd_err *err)
{
    struct link *l = g->link;
    struct link_slot *s = NULL;
    (void)pthread_mutex_lock(&l->lock);
    int rc = link_slot_take(l, &s, err);
    if (rc == 0) {
        s->send = *send;
        if ((rc = link_put(l, s)) == 0) {
            link_slot_fly(g, s);
            if (!g->done_first || l->out.len - l->out.at >= FLUSH_BYTES)
                link_post(l);
            if (l->keeper_sleeps)
                (void)pthread_cond_signal(&l->keeper_wake);
        } else {
            link_slot_free(l, s);
            (void)err_set(err, rc, "no memory for the request");
        }
    }
    (void)pthread_mutex_unlock(&l->lock);
    return rc;
}

/* The first of the group's requests to run out of time. */
static struct link_slot *
flying_next(const struct link_group *g)
{
    struct link_slot *first = g->flying;
    for (struct link_slot *s = first; s; s = s->next)
        if (s->send.deadline_ns < first->send.deadline_ns)
            first = s;
    return first;
}

static void
sleep_until(struct link *l, struct link_group *g, uint64_t until_ns)
{
    g->next = l->asleep;
    g->at = &l->asleep;
    if (g->next)
        g->next->at = &g->next;
    l->asleep = g;
    cond_wait(&g->wake, &l->lock, until_ns);
    *g->at = g->next;
    if (g->next)
        g->next->at = g->at;
    g->at = NULL;
}

/* Reads or sleeps until the group has a reply: 1; a request of it is out of time, *ret_late: 1; nothing came
 * in time: 0; nothing is in flight: ACD_ENOENT. */
static int
await(struct link *l, struct link_group *g, uint64_t until_ns, struct link_slot **ret_late)
{
    *ret_late = NULL;
    while (!g->done_first) {
        struct link_slot *next = flying_next(g);
        if (!next)
            return ACD_ENOENT;
        uint64_t now = link_now_ns(), deadline = next->send.deadline_ns;
        if (deadline <= now) {
            *ret_late = next;
            return 1;
        }
        if (until_ns <= now)
            return 0;
        if (l->leading) {
            link_post(l);
            sleep_until(l, g, deadline < until_ns ? deadline : until_ns);
        } else {
            (void)link_lead(l, deadline < until_ns ? deadline : until_ns);
        }
    }
    return 1;
}

int
link_collect(struct link_group *g, uint64_t until_ns, struct link_reply *ret)
{
    struct link *l = g->link;
    struct link_slot *late;
    (void)pthread_mutex_lock(&l->lock);
    int rc = await(l, g, until_ns, &late);
    if (late) {
        *ret = (struct link_reply){.tag = late->send.tag, .kind = late->send.kind, .status = ACD_ETIMEOUT};
        link_slot_park(l, late);
    } else if (rc == 1) {
        struct link_slot *s = g->done_first;
        g->done_first = s->next;
        *ret = s->reply;
        link_slot_free(l, s);
    }
    link_hand_over(l);
    (void)pthread_mutex_unlock(&l->lock);
    return rc;
}

void
link_reply_done(struct link_reply *r)
{
    chunk_unref(r->chunk);
    r->chunk = NULL;
}
