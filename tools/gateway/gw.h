/*
 * One request on its way through the gateway: what was asked, what the server said, the reply to be.
 *
 * Threading: a struct gw belongs to the worker that runs its handler. struct gateway is shared by all of
 * them. Ownership: everything that is made for a request lives in its region, or is freed by gw_serve at its
 * end.
 *
 * A handler asks the server (gw_ask), and ends with a result (v4_ok, ...) or with a problem (gw_fail). The
 * gateway decides nothing about rights: it passes on the caller's credentials, and the server judges them.
 */
#ifndef GATEWAY_GW_H
#define GATEWAY_GW_H

#include <jansson.h>

#include "auth.h"
#include "http.h"
#include "libanchord/admin.h"
#include "rate.h"
#include "route.h"
#include "style.h"

struct metrics;
struct peers;

struct gateway {
    acd_client *client;
    struct http *http; /* for its counts */
    struct metrics *metrics;
    struct rate *rate;         /* NULL: no limit */
    const struct peers *peers; /* who may ask at /auth */
};

struct gw_result;

struct gw {
    struct gateway *gateway;
    struct http_request *http;
    struct http_reply *rep;
    struct mem_region *region;
    struct route_match match;
    struct query query;
    struct auth auth;
    uint32_t call_ms;        /* how long a call to the server may take; 0: as usual */
    json_t *body;            /* NULL until body_read */
    struct gw_result *asked; /* what the server said, newest first */
};

/* --- the request's life --- */

/* The hooks of http.h; ctx is a struct gateway. */
void gw_serve(void *ctx, struct http_request *req, struct http_reply *rep);
void gw_refuse(void *ctx, struct http_request *req, struct http_reply *rep, enum http_refusal why);

void gw_ended(void *ctx, const struct http_request *req, const struct http_reply *rep, bool sent);

static inline char *
gw_param(const struct gw *g, const char *name)
{
    return (char *)route_value(&g->match, name);
}

/* --- problems --- */

/* One problem, in the style of the route. pointer: NULL, or into the body. */
void gw_fail(struct gw *g, unsigned status, unsigned code, const char *pointer, const char *fmt, ...)
    ACD_PRINTF(5, 6);
void gw_fail_memory(struct gw *g);
/* The id in the path leads nowhere. */
void gw_fail_route(struct gw *g);

/* --- the server --- */

enum { RESOURCE_FIELDS = 8 };

/* How a resource speaks of what the server refuses. */
struct resource {
    unsigned missing_code; /* 404 of the thing itself */
    const char *missing;
    unsigned invalid_code; /* of what nothing more exact is known */
    const char *upload;    /* pointer to the text that findings are about; NULL: none */
    unsigned finding_code; /* of every finding; 0: as the table in fault.c says */
    struct {
        const char *theirs, *ours; /* field of the message, pointer; a number behind it stays */
    } fields[RESOURCE_FIELDS];
    bool scope_is_it; /* the account or zone of the path is the thing itself */
};

/* Asks, with the caller's credentials. The response, which lives as long as the request; NULL: the problem is
 * the reply already. */
const void *gw_ask(struct gw *g, const struct resource *what, const char *method, const void *req);

/* The same without a reply: a status, and what the server said in *ret_res (which lives as long as g). */
int gw_try(struct gw *g, const char *method, const void *req, const void **ret_resp,
           const struct admin_result **ret_res) ACD_MUSTCHECK;
/* The problem that a call ended with becomes the reply. */
void gw_fail_call(struct gw *g, const struct resource *what, const struct admin_result *res);

/* A message in the region; NULL: out of memory, and that is the reply. */
#define gw_new(g, Type, lower) ((Type *)gw_need((g), wire_new((g)->region, Type, lower)))
void *gw_need(struct gw *g, void *p);

#endif
