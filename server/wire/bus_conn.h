/*
 * The connections of a bus, by number, without nng: who is there, how many calls each has in flight, which
 * one does not take its replies. Private to wire/.
 *
 * Threading: any thread; one lock, held for a few instructions. A conn is held by the table while the
 * connection lasts, and by each call on it (conn_get, conn_unref).
 */
#ifndef WIRE_BUS_CONN_H
#define WIRE_BUS_CONN_H

#include <pthread.h>

#include "wire/rpc.h"

enum { CONN_BUCKETS = 1024 };

struct conn {
    struct conn *next;
    struct rpc_peer peer;
    uint32_t refs;           /* atomic */
    uint32_t calls;          /* atomic: in flight */
    uint32_t sending;        /* atomic: replies that wait to be taken */
    uint64_t sent;           /* atomic: replies taken, ever */
    uint64_t seen, stuck_ms; /* of conn_stuck */
};

struct conn_table {
    pthread_mutex_t lock;
    struct conn *buckets[CONN_BUCKETS];
    uint32_t n, limit;
    uint64_t opened, refused;
};

void conn_table_init(struct conn_table *t, uint32_t limit);
void conn_table_done(struct conn_table *t); /* forgets all connections; no call may hold one */

/* peer->conn is the number. ACD_ELIMIT: too many connections. */
int conn_add(struct conn_table *t, const struct rpc_peer *peer) ACD_MUSTCHECK;
void conn_remove(struct conn_table *t, uint32_t number);
struct conn *conn_get(struct conn_table *t, uint32_t number); /* NULL: not there */
void conn_unref(struct conn *c);

/* A reply was handed over; it was taken (or its connection ended). */
void conn_sending(struct conn *c);
void conn_sent(struct conn *c);

/* To be called every step_ms: references to connections that hold replies and took none for limit_ms. */
size_t conn_stuck(struct conn_table *t, uint32_t step_ms, uint32_t limit_ms, struct conn **ret, size_t max);

#endif
