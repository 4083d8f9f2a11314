#include "wire/bus_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

struct out_block {
    struct out_block *next;
    uint32_t calls, admitted;
    uint32_t away; /* of the calls: those the connection has room for again */
    size_t cap, len, off;
    uint8_t data[];
};

#define COUNT(c, n) ((void)__atomic_fetch_add(&(c), (n), __ATOMIC_RELAXED))

static uint64_t
now_ms(void)
{
    return clock_mono_ns(&clock_system) / 1000000;
}

struct bus_conn *
conn_new(int fd, int poll, enum sp_framing framing, struct conn_tally *tally)
{
    struct bus_conn *c = calloc(1, sizeof(*c));
    if (!c) {
        (void)close(fd);
        return NULL;
    }
    c->fd = fd;
    c->poll = poll;
    c->refs = 1;
    c->tally = tally;
    c->in.framing = framing;
    c->since_ms = now_ms();
    must(pthread_mutex_init(&c->lock, NULL) == 0);
    return c;
}

void
conn_unref(struct bus_conn *c)
{
    if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    must(c->fd < 0 && !c->first);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- accounts ---- */

static void
calls_over(struct conn_tally *t, uint32_t calls, uint32_t admitted, size_t bytes)
{
    COUNT(t->replies, calls);
    COUNT(t->bytes_out, bytes);
    (void)__atomic_sub_fetch(&t->in_flight, calls, __ATOMIC_RELEASE);
    if (admitted && __atomic_sub_fetch(&t->admitted, admitted, __ATOMIC_SEQ_CST) == 0)
        t->idle(t->arg);
}

/* With the lock held. The block leaves the list; its calls are over. */
static void
block_drop_first(struct bus_conn *c)
{
    struct out_block *b = c->first;
    c->first = b->next;
    if (!c->first)
        c->last = NULL;
    c->unsent -= b->len;
    (void)__atomic_sub_fetch(&c->tally->unsent, b->len, __ATOMIC_RELAXED);
    (void)__atomic_sub_fetch(&c->calls, b->calls - b->away, __ATOMIC_RELAXED);
    calls_over(c->tally, b->calls, b->admitted, b->len);
    free(b);
}

/* With the lock held, and nobody in sendmsg. */
static void
finish(struct bus_conn *c)
{
    while (c->first)
        block_drop_first(c);
    if (c->closed && c->fd >= 0) {
        (void)close(c->fd);
        c->fd = -1;
    }
}

/* With the lock held: nothing more goes out. shutdown wakes the I/O thread, which closes. */
static void
cut(struct bus_conn *c)
{
    if (c->dead)
        return;
    __atomic_store_n(&c->dead, true, __ATOMIC_RELAXED);
    (void)shutdown(c->fd, SHUT_RDWR);
}

/* ---- adding replies ---- */

static struct out_block *
block_new(size_t cap)
{
    struct out_block *b = malloc(sizeof(*b) + cap);
    if (b)
        *b = (struct out_block){.cap = cap};
    return b;
}

static void
block_write(struct out_block *b, enum sp_framing f, const struct conn_reply *r, size_t body)
{
    uint8_t *p = b->data + b->len;
    size_t head = sp_head_size(f);
    sp_head_write(f, r->stack_len + body, p);
    memcpy(p + head, r->stack, r->stack_len);
    rpc_reply_write(r->call, p + head + r->stack_len);
    b->len += head + r->stack_len + body;
    b->calls++;
    b->admitted += r->admitted;
}

/* With the lock held. */
static void
block_add(struct bus_conn *c, struct out_block *b)
{
    if (c->last)
        c->last->next = b;
    else
        c->first = b;
    c->last = b;
}

/* With the lock held: a connection whose peer leaves too much waiting is cut off. */
static void
charge(struct bus_conn *c, size_t bytes)
{
    struct conn_tally *t = c->tally;
    if (c->unsent == 0)
        c->moved_ms = now_ms();
    c->unsent += bytes;
    uint64_t all = __atomic_add_fetch(&t->unsent, bytes, __ATOMIC_RELAXED);
    if (!c->dead && (c->unsent > t->share || all > t->share_all)) {
        COUNT(t->dropped, 1);
        cut(c);
    }
}

/* A large reply is written down before the lock is taken, a small one behind the others. */
void
conn_reply(struct bus_conn *c, const struct conn_reply *r)
{
    size_t body = rpc_reply_size(r->call);
    size_t need = sp_head_size(c->in.framing) + r->stack_len + body;
    struct out_block *b = NULL;
    if (need > OUT_BLOCK && (b = block_new(need)) != NULL)
        block_write(b, c->in.framing, r, body);
    (void)pthread_mutex_lock(&c->lock);
    if (need <= OUT_BLOCK && !c->dead) {
        b = c->last;
        if (!b || b->cap - b->len < need) {
            b = block_new(OUT_BLOCK);
            if (b)
                block_add(c, b);
        }
        if (b) {
            block_write(b, c->in.framing, r, body);
            charge(c, need);
        }
    } else if (b && !c->dead) {
        block_add(c, b);
        charge(c, need);
    } else {
        free(b);
        b = NULL;
    }
    /* The connection is gone, or there is no memory for an answer: the caller's deadline tells it. */
    if (!b) {
        (void)__atomic_sub_fetch(&c->calls, 1, __ATOMIC_RELAXED);
        calls_over(c->tally, 1, r->admitted, 0);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

/* ---- sending ---- */

/* With the lock held. */
static void
listen_for_room(struct bus_conn *c, bool on)
{
    if (c->blocked == on || c->closed)
        return;
    struct epoll_event ev = {.events = on ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};
    c->blocked = on;
    must(epoll_ctl(c->poll, EPOLL_CTL_MOD, c->fd, &ev) == 0);
}

/* With the lock held. */
static void
advance(struct bus_conn *c, size_t n)
{
    while (n > 0) {
        struct out_block *b = c->first;
        size_t rest = b->len - b->off;
        if (n < rest) {
            b->off += n;
            break;
        }
        n -= rest;
        block_drop_first(c);
    }
    c->moved_ms = now_ms();
}

/* With the lock held. A peer that has an answer may ask again at once, before its sender is back from the
 * system call: so the connection has room for it beforehand, and what was not sent takes its place again. Of
 * a block that was begun all counts as sent. */
static uint32_t
make_room(struct bus_conn *c, const struct out_block *b)
{
    (void)__atomic_sub_fetch(&c->calls, b->calls - b->away, __ATOMIC_RELAXED);
    return b->calls;
}

/* With the lock held, n blocks were offered with so many calls each, and so many bytes went out. */
static void
settle_room(struct bus_conn *c, const uint32_t *calls, size_t n, size_t sent)
{
    struct out_block *b = c->first;
    for (size_t i = 0; i < n; b = b->next, i++) {
        size_t rest = b->len - b->off;
        if (sent > 0)
            b->away = calls[i];
        else
            (void)__atomic_add_fetch(&c->calls, calls[i] - b->away, __ATOMIC_RELAXED);
        sent -= sent < rest ? sent : rest;
    }
}

/* The flusher, with the lock held except during the call. The blocks being sent stay in the list: others only
 * write behind what is sent. False: no more for now. */
static bool
send_some(struct bus_conn *c)
{
    struct iovec iov[OUT_AT_ONCE];
    uint32_t calls[OUT_AT_ONCE];
    size_t n = 0;
    for (struct out_block *b = c->first; b && n < OUT_AT_ONCE; b = b->next, n++) {
        iov[n] = (struct iovec){b->data + b->off, b->len - b->off};
        calls[n] = make_room(c, b);
    }
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = n};
    (void)pthread_mutex_unlock(&c->lock);
    ssize_t sent = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    int error = errno;
    (void)pthread_mutex_lock(&c->lock);
    settle_room(c, calls, n, sent > 0 ? (size_t)sent : 0);
    if (sent >= 0) {
        advance(c, (size_t)sent);
        return true;
    }
    if (error == EINTR)
        return true;
    if (error == EAGAIN || error == ENOBUFS)
        listen_for_room(c, true);
    else
        cut(c);
    return false;
}

void
conn_flush(struct bus_conn *c)
{
    (void)pthread_mutex_lock(&c->lock);
    if (!c->flushing) {
        c->flushing = true;
        bool more = true;
        while (more && c->first && !c->dead)
            more = send_some(c);
        c->flushing = false;
        if (!c->first && !c->dead)
            listen_for_room(c, false);
        if (c->dead)
            finish(c);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

void
conn_close(struct bus_conn *c)
{
    (void)pthread_mutex_lock(&c->lock);
    if (!c->closed) {
        c->closed = true;
        (void)epoll_ctl(c->poll, EPOLL_CTL_DEL, c->fd, NULL); /* it may never have got in */
        cut(c);
        if (!c->flushing)
            finish(c);
    }
    (void)pthread_mutex_unlock(&c->lock);
    reader_done(&c->in);
}

bool
conn_is_stuck(struct bus_conn *c, uint64_t now, uint64_t limit_ms)
{
    (void)pthread_mutex_lock(&c->lock);
    bool stuck = c->first && !c->dead && now > c->moved_ms + limit_ms;
    (void)pthread_mutex_unlock(&c->lock);
    return stuck;
}

bool
conn_is_blocked(struct bus_conn *c)
{
    (void)pthread_mutex_lock(&c->lock);
    bool blocked = c->blocked;
    (void)pthread_mutex_unlock(&c->lock);
    return blocked;
}
