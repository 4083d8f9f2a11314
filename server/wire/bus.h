/*
 * The server's end of the bus: an SP REP server, so that any nng (or nanomsg) REQ client can call. nng itself
 * is not used here: one I/O thread reads all connections with epoll, workers run the calls and write the
 * replies.
 *
 * Included by daemon. bus_start, bus_stop and bus_free are called by one thread; bus_counters by any. Workers
 * are threads of base/thread.h, registered with RCU; each owns the region its calls run in. So is the I/O
 * thread, which answers prompt calls (rpc_bind_prompt) itself when no others wait.
 *
 * Overload: every queue is bounded. What does not fit is answered RESOURCE_EXHAUSTED with retry_after_ms at
 * once; a connection that does not read its replies is closed after send_ms, or when it holds more than its
 * share. A connection that does not say what it is, or does not finish a message it began, is closed after
 * hello_ms and recv_ms; one that is idle may stay.
 */
#ifndef WIRE_BUS_H
#define WIRE_BUS_H

#include <stdbool.h>

#include "wire/rpc.h"

struct bus;

/* 0 in a number: the default from model/limits.h. */
struct bus_opts {
    const struct rpc_table *table;
    const char *const
        *urls; /* "ipc:///run/anchord/anchord.sock", "tcp://127.0.0.1:7000" (port 0: any free) */
    size_t n_urls;
    bool insecure; /* plain tcp beyond loopback */
    uint32_t query_workers, admin_workers;
    uint32_t query_queue, admin_queue; /* calls that wait, per pool */
    uint32_t per_conn;                 /* calls in flight per connection */
    uint32_t conns;                    /* connections at once */
    uint32_t send_ms;                  /* a reply that is not taken for so long costs the connection */
    uint32_t hello_ms, recv_ms; /* for the hello of a connection, and for a message from its first byte on */
    uint32_t prompt_us; /* a round of the I/O thread that has lasted so long leaves prompt calls to workers */
};

struct bus_counters {
    uint64_t calls;     /* received, refused ones included */
    uint64_t replies;   /* handed to the system, or their connection was gone */
    uint64_t refused;   /* queue full, connection's share used up, stopping */
    uint64_t malformed; /* hello, framing or envelope not understood */
    uint64_t bytes_in, bytes_out;
    /* refused: too many, no descriptors, no hello in time; dropped: by us, for not reading, or not finishing
     * a message */
    uint64_t conns_opened, conns_refused, conns_dropped;
    uint64_t conns, in_flight; /* now */
};

/* May this URL be listened on? ACD_EINVAL: not a URL of ours; ACD_EDENIED: plain tcp beyond loopback, and not
 * insecure; ACD_ENOTSUP: a transport this build lacks. */
int bus_check_url(const char *url, bool insecure, acd_err *err) ACD_MUSTCHECK;

/* ipc: the socket file has mode 0600; the file of a dead server is replaced, that of a living one is
 * ACD_EEXIST. */
int bus_start(const struct bus_opts *opts, struct bus **ret, acd_err *err) ACD_MUSTCHECK;

/* New calls are answered UNAVAILABLE; waits until all calls in flight are answered and the system has taken
 * the replies. ACD_ETIMEOUT: some were not within timeout_ms. May be called again. */
int bus_stop(struct bus *b, uint32_t timeout_ms) ACD_MUSTCHECK;

/* Stops at once what is still there: waits for handlers that run, not for replies. NULL is fine. */
void bus_free(struct bus *b);

void bus_counters(struct bus *b, struct bus_counters *ret);

/* The URL that listener i really has (port filled in). */
const char *bus_url(const struct bus *b, size_t i);

#endif
