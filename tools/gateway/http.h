/*
 * HTTP: connections, requests and replies as plain values. The only part that knows the HTTP library.
 *
 * Threading: one thread moves bytes for all connections; requests that have arrived in full are handled by
 * workers, so neither a slow client nor a slow handler stops anybody else. A struct http_request belongs to
 * its worker until the handler returns; it and everything in its region live until the reply has been sent.
 *
 * Ownership: a reply borrows its texts from the request's region or from constants.
 *
 * Limits, all of them in struct http_opts: a request that does not arrive in time, or a reply that is not
 * taken in time, costs the connection; a body that is too long and a queue that is full are refused through
 * the `refuse` hook.
 */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct http;
struct http_conn;

struct http_request {
    struct mem_region *region;
    const char *method; /* "GET" */
    acd_slice target;   /* path and query, as sent: not decoded */
    acd_slice body;
    const char *remote; /* address of the client, without port; "unix" on a unix socket */
    uint64_t began_ns;  /* monotonic: when the head of the request was there */
    struct http_conn *conn;
};

/* The value of a header of the request; NULL: there is none. Valid as long as the request. */
const char *http_header_of(const struct http_request *req, const char *name);
/* The same of a header that must not be there twice: false if it is. */
bool http_header_once(const struct http_request *req, const char *name, const char **ret) ACD_MUSTCHECK;

enum { HTTP_HEADERS = 16 };

struct http_reply {
    unsigned status;
    const char *type; /* of the content; NULL: no content */
    acd_slice body;
    struct {
        const char *name, *value;
    } headers[HTTP_HEADERS];
    size_t n_headers;
};

/* Beyond HTTP_HEADERS, and with a NULL value, nothing is added. */
void http_reply_header(struct http_reply *rep, const char *name, const char *value);

enum http_refusal {
    HTTP_FRAMING, /* where the body ends can be read in two ways, or in none (RFC 9112 section 6.3) */
    HTTP_BODY_TOO_LONG,
    HTTP_OVERLOADED,
};

struct http_opts {
    const char *listen; /* "127.0.0.1:8080", "[::1]:8080", "unix:PATH"; port 0: any that is free */
    bool tls;           /* with the certificates of tls.h */
    uint32_t workers, queue;
    uint32_t max_conns, max_conns_address; /* the second: of one client address; 0: no limit */
    size_t max_body;
    uint32_t timeout_ms; /* for a request's head, for its body, and for the reply to be taken */

    /* On a worker. Fills *rep. */
    void (*handle)(void *ctx, struct http_request *req, struct http_reply *rep);
    /* On the thread that moves bytes: must not wait. */
    void (*refuse)(void *ctx, struct http_request *req, struct http_reply *rep, enum http_refusal why);
    /* The request has ended: sent is false when the connection was lost before the reply was out. */
    void (*done)(void *ctx, const struct http_request *req, const struct http_reply *rep, bool sent);
    void *ctx;
};

/* *ret is set before the first call of handle, which may use it (http_count), and NULL after an error. */
int http_start(const struct http_opts *opts, struct http **ret, acd_err *err) ACD_MUSTCHECK;
const char *http_address(const struct http *h); /* "127.0.0.1:8080", with the port that was taken */

/* Accepts no more connections, waits until every request whose head has arrived is answered, at most drain_ms
 * for those that still send or take bytes, and ends. NULL is fine. */
void http_stop(struct http *h, uint32_t drain_ms);

struct http_counts {
    uint32_t conns, active, queued; /* active: requests that have arrived and are not answered yet */
    uint64_t cut;                   /* connections that ran out of time */
};
void http_count(struct http *h, struct http_counts *ret);

#endif
