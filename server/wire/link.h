/*
 * The client's end of the bus: requests and replies as bytes, many in flight over one nng REQ socket.
 *
 * nng 1.5.2 must not cancel a request in flight. So a request whose time is over is parked: its slot stays
 * taken until the reply comes or the connection ends, and is then reused. Resending by nng is off.
 *
 * Included by call.c and bench. A link may be used by any thread; a link_group by one thread at a time.
 * link_close only when no other thread uses the link and all groups are done.
 */
#ifndef WIRE_LINK_H
#define WIRE_LINK_H

#include <pthread.h>
#include <stdbool.h>

#include "base/err.h"

struct link;
struct link_slot;

/* Requests that are collected together, in the order of their replies. */
struct link_group {
    struct link *link;
    struct link_slot *flying, *done_first, *done_last; /* all guarded by the link's lock */
    bool sleeping;
    pthread_cond_t wake;
};

struct link_reply {
    void *tag;
    const void *kind;
    int status;      /* 0; ACD_ETIMEOUT; ACD_EUNAVAIL: the connection ended first, the outcome is unknown */
    acd_slice bytes; /* of the reply, until link_reply_done */
    void *msg;
};

int link_open(const char *url, uint32_t max_slots, struct link **ret, acd_err *err) ACD_MUSTCHECK;
void link_close(struct link *l); /* NULL is fine */

/* Waits until a server is connected. ACD_EUNAVAIL: none until then. Monotonic time (clock_system). */
int link_wait(struct link *l, uint64_t until_ns, acd_err *err) ACD_MUSTCHECK;

void link_group_init(struct link_group *g, struct link *l);
void link_group_done(struct link_group *g); /* parks what is in flight */

typedef void (*link_write)(const void *arg, uint8_t *out);
struct link_send {
    size_t len;
    link_write write; /* puts down len bytes */
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
