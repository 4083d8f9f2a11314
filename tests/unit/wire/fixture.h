/* A server and clients in one process: a table of handlers that tests steer, a bus in a fresh folder. */
#ifndef TESTS_WIRE_FIXTURE_H
#define TESTS_WIRE_FIXTURE_H

#include <pthread.h>

#include "lib/main.h"
#include "wire/bus.h"
#include "wire/call.h"

struct server {
    struct rpc_table table;
    struct bus *bus;
    char dir[64], ipc[96];
    /* handlers wait while the gate is shut */
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool shut;
    unsigned waiting, handled, passes; /* passes: so many go through the shut gate */
    /* what the last handler saw */
    struct rpc_peer peer;
    char idem_key[LIMIT_IDEM_KEY + 1];
    unsigned fail_first; /* so many calls fail with ACD_EUNAVAIL first */
    size_t reply_bytes;  /* of padding */
    bool prompt, later;  /* GetTrust is bound as prompt; it wants a worker all the same */
    char thread[16];     /* the last GetTrust ran on */
};

/* opts may be NULL; table and urls are filled in: ipc, and tcp on a free port when tcp is set. */
void server_start(struct server *s, const struct bus_opts *opts, bool tcp);
void server_stop(struct server *s);
void server_gate(struct server *s, bool shut);
void server_pass(struct server *s);                     /* one of those at the gate */
void server_wait_waiting(struct server *s, unsigned n); /* until n handlers stand at the gate */

/* GetTrust with one question; the reply's host is the question's. */
int ask(struct call_client *c, const char *host, uint32_t timeout_ms, struct call_result *res);
struct call_client *client_open(const char *url, uint32_t retries);

/* Waits until the counter is at least n. */
uint64_t wait_counter(struct bus *b, size_t offset, uint64_t n);
#define WAIT_COUNTER(bus, name, n) wait_counter((bus), offsetof(struct bus_counters, name), (n))

#endif
