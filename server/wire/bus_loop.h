/*
 * The I/O thread of the bus: accepts, reads, cuts into calls, hands them to the lanes or answers them
 * itself when they are prompt, and closes what has to go. Private to wire/.
 *
 * Threading: loop_start and loop_stop by the thread that owns the bus; everything else in struct loop is the
 * I/O thread's while it runs. Counters are atomic.
 */
#ifndef WIRE_BUS_LOOP_H
#define WIRE_BUS_LOOP_H

#include "wire/bus_listen.h"
#include "wire/bus_work.h"

enum { READ_CHUNK = 32768, EVENTS = 64, ACCEPT_MOST = 64 };

struct conn_list {
    struct bus_conn *first, *last;
    uint32_t n;
};

struct loop {
    /* set by the owner before loop_start */
    const struct bus_opts *opts;
    struct lane *query, *admin;
    struct work_store *store;
    struct conn_tally *tally;
    struct listener *listeners;
    size_t n_listeners;
    const bool *stopping, *closing; /* atomic */
    struct bus_counters count;      /* atomic; what the tally does not have */

    struct thread thread;
    bool opened, running;
    int poll, wake, spare;
    uint64_t round_ns; /* when this round began */
    uint64_t now_ms, swept_ms, tick_ms;
    uint32_t last_number;
    bool muted; /* no descriptors: listeners are off until the next tick */
    struct chunk *shared;
    struct mem_region region;
    struct gather gather;
    struct work_list to_query, to_admin;
    struct conn_list hellos, open, closed; /* closed: freed at the end of the round */
};

int loop_start(struct loop *l, acd_err *err) ACD_MUSTCHECK;
/* Ends the thread and closes all connections but for those a worker still writes to. One that never started
 * is fine. */
void loop_stop(struct loop *l);
void loop_done(struct loop *l);

#endif
