/*
 * The client's end of the bus: requests and replies as bytes, many in flight over one REQ connection.
 *
 * Threads: the link has no thread that stands between a caller and its reply. A thread that waits for a reply
 * reads the connection itself, for everybody; while it does, others sleep, and when it has what it wanted one
 * of them takes its place. Only what no caller waits for (late replies, requests behind a full socket) is
 * left to a keeper, which looks from time to time while something is in flight.
 *
 * A request is on its way when link_submit returns; only while its group has replies to collect it may wait
 * for those behind it, so that one write carries them all. It goes out once and is never sent again: a
 * connection that ends fails what was in flight on it. A request whose time is over is parked: its slot stays
 * taken until the reply comes or the connection ends, so that the bound of requests in flight holds for the
 * server too.
 *
 * Included by call.c and bench. A link may be used by any thread; a link_group by one thread at a time.
 * link_close only when no other thread uses the link and all groups are done. After fork a child opens a link
 * of its own.
 */
#ifndef WIRE_LINK_H
#define WIRE_LINK_H

#include <pthread.h>
#include <stdbool.h>

#include "base/err.h"

struct chunk;
struct link;
struct link_slot;

/* Requests that are collected together, in the order of their replies. */
struct link_group {
    struct link *link;
    struct link_slot *flying, *done_first, *done_last; /* these and the rest are guarded by the link's lock */
    struct link_group *next, **at;                     /* among those that sleep; at NULL: awake */
    pthread_cond_t wake;
};

struct link_reply {
    void *tag;
    const void *kind;
    int status;      /* 0; ACD_ETIMEOUT; ACD_EUNAVAIL: the connection ended first, the outcome is unknown */
    acd_slice bytes; /* of the reply, until link_reply_done */
    struct chunk *chunk;
};

/* ipc:// and tcp:// URLs; connects to nobody yet. */
int link_open(const char *url, uint32_t max_slots, struct link **ret, acd_err *err) ACD_MUSTCHECK;
void link_close(struct link *l); /* NULL is fine */

/* Connects, or waits until somebody who tries has. ACD_EUNAVAIL: no server until then. Monotonic time
 * (clock_system). */
int link_wait(struct link *l, uint64_t until_ns, acd_err *err) ACD_MUSTCHECK;

void link_group_init(struct link_group *g, struct link *l);
void link_group_done(struct link_group *g); /* parks what is in flight */

typedef void (*link_write)(const void *arg, uint8_t *out);
struct link_send {
    size_t len;
    link_write write; /* puts down len bytes; must not call the link */
    const void *arg;
    uint64_t deadline_ns; /* monotonic time (clock_system) */
    void *tag;            /* both are given back with the reply */
    const void *kind;
};
/* ACD_EBUSY: no slot is free; ACD_EUNAVAIL: not connected. */
int link_submit(struct link_group *g, const struct link_send *send, acd_err *err) ACD_MUSTCHECK;

/* The next reply, or the next request whose time is over; waits until `until_ns` at most. 1: *ret is set; 0:
 * nothing until then; ACD_ENOENT: nothing is in flight. */
int link_collect(struct link_group *g, uint64_t until_ns, struct link_reply *ret) ACD_MUSTCHECK;
void link_reply_done(struct link_reply *r);

uint32_t link_parked(struct link *l); /* slots that wait for a late reply */

#endif
