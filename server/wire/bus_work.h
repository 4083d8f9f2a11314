/*
 * Calls in flight and the workers that run them.
 *
 * A lane is a bounded queue and its workers. The I/O thread collects what one read brought and hands it over
 * at once, waking no more workers than there are calls; a worker takes a few calls when many wait, so that
 * their replies leave in one write, and one when few do, so that nobody waits behind it.
 *
 * Private to wire/. Threading: lane_start, lane_stop, lane_put and work_take by the thread that owns the
 * bus's input; the rest by any. Ownership: a work belongs to whoever holds it; it holds a reference to its
 * connection and to the chunk its request lies in.
 */
#ifndef WIRE_BUS_WORK_H
#define WIRE_BUS_WORK_H

#include "base/thread.h"
#include "wire/bus_conn.h"

enum { REGION_BLOCK = 65536, TAKE_MOST = 16, GATHER_MOST = 16 };

struct work {
    struct work *next;
    struct bus_conn *conn;
    struct chunk *chunk;
    bool admitted;
    size_t stack_len;
    uint8_t stack[SP_STACK_MAX];
    struct rpc_call call;
};

/* Works to use again. */
struct work_store {
    struct work *mine;     /* of the thread that takes */
    struct work *returned; /* atomic */
};

struct work *work_take(struct work_store *s); /* NULL: no memory */
void work_store_done(struct work_store *s);

struct work_list {
    struct work *first, *last;
    uint32_t n;
};
void work_append(struct work_list *list, struct work *w);

/* Connections with replies to flush, each once. */
struct gather {
    struct bus_conn *conns[GATHER_MOST];
    size_t n;
};
void gather_flush(struct gather *g);

/* Writes the reply of a call that is over; takes the work. */
void work_reply(struct work_store *s, struct work *w, struct gather *g);

struct lane {
    const struct rpc_table *table;
    struct work_store *store;
    const bool *closing; /* atomic: what still waits is refused */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct work_list waiting;         /* n is atomic, for lane_len */
    uint32_t cap, asleep, n, running; /* n: workers */
    bool started, closed;
    struct thread threads[LIMIT_WORKERS];
};

int lane_start(struct lane *l, const char *name, uint32_t workers, uint32_t cap) ACD_MUSTCHECK;
void lane_stop(struct lane *l); /* the workers finish what waits; one never started is fine */

uint32_t lane_len(const struct lane *l);
/* The caller, who alone puts, has seen that there is room. Empties the list. */
void lane_put(struct lane *l, struct work_list *list);

#endif
