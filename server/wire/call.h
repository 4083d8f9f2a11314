/*
 * Calls from the client's side: envelope, deadline, idempotency key, retries, status.
 *
 * Included by libanchord, feed (edge role) and tests. A call_client may be used by any thread; a call_set by
 * one thread at a time. Results own a region and are freed by call_result_done.
 *
 * Retries: call_sync sends again only after UNAVAILABLE (or a connection that ended) and after
 * RESOURCE_EXHAUSTED with a time to come back, at most `retries` times, within the deadline, after a growing
 * pause, and with the same idempotency key, so that a mutation runs once.
 */
#ifndef WIRE_CALL_H
#define WIRE_CALL_H

#include "wire/frame.h"
#include "wire/link.h"
#include "wire/rpc.h"

struct call_client;

/* 0 in a number: the default. */
struct call_opts {
    uint32_t connect_ms; /* how long a call waits for a server to be there; 1000 */
    uint32_t retries;    /* LIMIT_CLIENT_RETRIES; CALL_NO_RETRIES: none */
    uint32_t in_flight;  /* LIMIT_CLIENT_CALLS */
};
#define CALL_NO_RETRIES UINT32_MAX

/* Whom a call is made for, when that is not the client itself: the server goes by the credentials of the
 * request (authorization, or email and key) and by nothing else. */
struct call_caller {
    const char *address;     /* for the record */
    const char *email, *key; /* NULL: none */
};

struct call_request {
    const struct rpc_method *method;
    const void *body;                 /* the request message */
    uint32_t timeout_ms;              /* 0: LIMIT_TIMEOUT_DEFAULT_MS */
    const char *idem_key;             /* mutations; NULL: a fresh one is made */
    const char *authorization;        /* NULL: none */
    const char *traceparent;          /* NULL: none */
    const struct call_caller *caller; /* NULL: the client */
    bool dry_run, force;              /* mutations */
};

struct call_result {
    struct mem_region region;
    int status;               /* 0 or ACD_E* */
    acd_err err;              /* the sentence */
    struct frame_reply reply; /* details, revision, retry_after_ms, code; in the region */
    void *resp;               /* decoded response, when status is 0 */
    void *tag;
    uint32_t attempts;
    bool lost; /* an attempt went out and no reply came: the server may have carried it out */
};

int call_open(const char *url, const struct call_opts *opts, struct call_client **ret,
              acd_err *err) ACD_MUSTCHECK;
void call_close(struct call_client *c); /* NULL is fine */

/* Returns what the server said (result->status) or why it could not be asked; res is always to be done. */
int call_sync(struct call_client *c, const struct call_request *req, struct call_result *res,
              acd_err *err) ACD_MUSTCHECK;
void call_result_done(struct call_result *res);

/* Many calls of one thread, collected as they come back; nothing is retried. */
struct call_set {
    struct call_client *client;
    struct link_group group;
};
void call_set_init(struct call_set *s, struct call_client *c);
void call_set_done(struct call_set *s);
int call_submit(struct call_set *s, const struct call_request *req, void *tag, acd_err *err) ACD_MUSTCHECK;
/* 1: *res is one finished call (to be done); 0: none within wait_ms; ACD_ENOENT: none in flight. */
int call_collect(struct call_set *s, uint32_t wait_ms, struct call_result *res) ACD_MUSTCHECK;

#endif
