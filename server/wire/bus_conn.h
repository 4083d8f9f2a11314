/*
 * One connection of the bus: who is there, what it holds, and the replies on their way out.
 *
 * Replies are written one behind the other into blocks; whoever adds the last of a batch flushes them with
 * one system call for all, mostly the worker itself, so that no other thread needs to wake up for a reply.
 * What the socket does not take waits for EPOLLOUT.
 *
 * Private to wire/. Threading: the bus's I/O thread makes and closes connections and owns `in` and the list;
 * replies may be added and flushed by any thread. The lock is never held during a system call that moves
 * bytes: one thread at a time is the flusher, the others leave their bytes to it. The descriptor is closed by
 * the I/O thread, or by the flusher when it comes back to a connection that was closed meanwhile.
 *
 * Ownership: the list holds a connection while it lasts, each call and each flush to come holds a reference.
 */
#ifndef WIRE_BUS_CONN_H
#define WIRE_BUS_CONN_H

#include <pthread.h>

#include "wire/bus_read.h"
#include "wire/rpc.h"

/* Blocks of replies; a reply that is larger has a block of its own. */
enum { OUT_BLOCK = 8192, OUT_AT_ONCE = 16 };

struct out_block;

/* What connections report to; one for all of a bus. */
struct conn_tally {
    uint64_t in_flight, admitted; /* atomic: calls that came and whose replies are not written yet */
    uint64_t replies, bytes_out;  /* atomic: written, or their connection was gone */
    uint64_t unsent;              /* atomic: bytes of replies that wait */
    uint64_t dropped;             /* atomic */
    uint64_t share, share_all;    /* bytes of replies that may wait: on one connection, on all */
    void (*idle)(void *arg);      /* the last admitted call was answered; any thread */
    void *arg;
};

struct bus_conn {
    struct bus_conn *next, *prev; /* the I/O thread's */
    struct rpc_peer peer;
    uint64_t since_ms; /* the I/O thread's: accepted; later: the unfinished message began */
    bool open;         /* the I/O thread's: the hello is done */
    bool closed;       /* the I/O thread's */
    struct reader in;  /* the I/O thread's; before the hello is done its head holds the hello */

    struct conn_tally *tally;
    uint32_t refs;  /* atomic */
    uint32_t calls; /* atomic: in flight, replies that wait included, those that may be sent already not */
    int poll;       /* the epoll descriptor fd is in */

    pthread_mutex_t lock; /* of all that follows */
    int fd;
    bool dead;         /* nothing is sent any more; atomic, for conn_is_dead */
    bool flushing;     /* somebody is in sendmsg */
    bool blocked;      /* the socket was full: EPOLLOUT is on */
    uint64_t moved_ms; /* replies wait and nothing has moved since then */
    size_t unsent;
    struct out_block *first, *last;
};

/* A call's reply, as it goes out. */
struct conn_reply {
    struct rpc_call *call;
    const uint8_t *stack;
    size_t stack_len;
    bool admitted;
};

/* fd is conn's from here on, also on failure. */
struct bus_conn *conn_new(int fd, int poll, enum sp_framing framing, struct conn_tally *tally);
void conn_unref(struct bus_conn *c);

static inline void
conn_ref(struct bus_conn *c)
{
    (void)__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
}

/* Any thread. The call counts as answered when its reply is written, or cannot be any more. */
void conn_reply(struct bus_conn *c, const struct conn_reply *r);
void conn_flush(struct bus_conn *c);

/* The I/O thread: leaves epoll, drops what waits. */
void conn_close(struct bus_conn *c);

/* Replies have waited without progress for longer than limit_ms. */
bool conn_is_stuck(struct bus_conn *c, uint64_t now_ms, uint64_t limit_ms);
/* Somebody gave it up; conn_close is due. */
static inline bool
conn_is_dead(const struct bus_conn *c)
{
    return __atomic_load_n(&c->dead, __ATOMIC_RELAXED);
}
/* The socket takes no more at the moment. */
bool conn_is_blocked(struct bus_conn *c);

#endif
