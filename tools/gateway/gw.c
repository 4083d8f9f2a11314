#include "gw.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "forwarded.h"
#include "hook.h"
#include "metrics.h"
#include "model/ids.h"

enum { CALL_MS = 20000, MESSAGE_MAX = 1024 };

/* One call's outcome, kept until the request ends: replies borrow from it. */
struct gw_result {
    struct admin_result res;
    struct gw_result *next;
};

/* --- problems ---------------------------------------------------------------------------------------------
 */

/* The API is told by the first words of the path, also where no row of it fits. */
static const struct style *
style_of(const struct gw *g)
{
    static const char v4[] = "/client/v4";
    if (g->match.route)
        return g->match.route->style;
    acd_slice t = g->http->target;
    return t.len >= sizeof(v4) - 1 && memcmp(t.ptr, v4, sizeof(v4) - 1) == 0 ? &v4_style : &plain_style;
}

static void
tell(struct gw *g, const struct problem *list, size_t n)
{
    style_of(g)->problems(g, list, n);
}

void
gw_fail(struct gw *g, unsigned status, unsigned code, const char *pointer, const char *fmt, ...)
{
    char text[MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    tell(g, &(struct problem){.status = status, .code = code, .message = text, .pointer = pointer}, 1);
}

void
gw_fail_memory(struct gw *g)
{
    gw_fail(g, 503, 1500, NULL, "out of memory");
}

void *
gw_need(struct gw *g, void *p)
{
    if (!p)
        gw_fail_memory(g);
    return p;
}

void
gw_fail_route(struct gw *g)
{
    acd_slice t = g->http->target;
    const char *end = memchr(t.ptr, '?', t.len);
    int len = (int)(end ? (size_t)(end - (const char *)t.ptr) : t.len);
    char text[MESSAGE_MAX];
    (void)snprintf(text, sizeof(text), "Could not route to %.*s, perhaps your object identifier is invalid?",
                   len < 512 ? len : 512, (const char *)t.ptr);
    const struct problem list[] = {{.status = 400, .code = 7003, .message = text},
                                   {.status = 400, .code = 7000, .message = "No route for that URI"}};
    tell(g, list, 2);
}

static void
fail_auth(struct gw *g, enum auth_found found)
{
    const struct problem malformed = {.status = 400,
                                      .code = 6003,
                                      .message = "Invalid request headers",
                                      .chain_code = 6111,
                                      .chain_message = "Invalid format for Authorization header"};
    if (found == AUTH_MALFORMED)
        tell(g, &malformed, 1);
    else
        gw_fail(g, 400, 9106, NULL, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
}

/* --- the server -------------------------------------------------------------------------------------------
 */

int
gw_try(struct gw *g, const char *method, const void *req, const void **ret_resp,
       const struct admin_result **ret_res)
{
    static const struct admin_result none = {.status = ACD_ENOMEM, .message = "out of memory"};
    struct gw_result *r = mem_new(g->region, struct gw_result);
    /* The API says what a list or a deletion comes to, and knows no "really?": a change does what it says. */
    const struct admin_opts opts = {.force = true,
                                    .timeout_ms = g->call_ms ? g->call_ms : CALL_MS,
                                    .authorization = g->auth.authorization ? g->auth.authorization : "",
                                    .traceparent = http_header_of(g->http, "traceparent"),
                                    .caller = &g->auth.caller};
    acd_err err = ACD_ERR_INIT;
    *ret_res = &none;
    if (!r)
        return ACD_ENOMEM;
    r->next = g->asked;
    g->asked = r;
    *ret_res = &r->res;
    return anchord_admin_call(g->gateway->client, method, req, ret_resp, &r->res, &opts, &err);
}

const void *
gw_ask(struct gw *g, const struct resource *what, const char *method, const void *req)
{
    const struct admin_result *res;
    const void *resp = NULL;
    if (!req || gw_try(g, method, req, &resp, &res) == 0)
        return resp;
    gw_fail_call(g, what, res);
    return NULL;
}

/* --- the request's life -----------------------------------------------------------------------------------
 */

/* An id of the client's own, if it is fit to be logged, or a new one. */
static void
name_request(struct gw *g)
{
    char fresh[ID_UUID_LEN + 1];
    const char *id = http_header_of(g->http, "X-Request-Id");
    size_t n = id ? strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-") : 0;
    if (n == 0 || n > 64 || id[n]) {
        id_new_uuid(fresh);
        id = mem_strdup(g->region, fresh);
    }
    http_reply_header(g->rep, "X-Request-Id", id);
    http_reply_header(g->rep, "X-Content-Type-Options", "nosniff");
    http_reply_header(g->rep, "Cache-Control", "no-store");
}

/* False: too many requests, which is the reply. */
static bool
within_rate(struct gw *g)
{
    struct rate *rate = g->gateway->rate;
    struct rate_state s;
    if (!rate)
        return true;
    rate_take(rate, auth_subject(&g->auth), &s);
    http_reply_header(g->rep, "Ratelimit", mem_printf(g->region, "\"default\";r=%u;t=%u", s.left, s.reset_s));
    http_reply_header(g->rep, "Ratelimit-Policy",
                      mem_printf(g->region, "\"default\";q=%u;w=%u", rate_limit(rate), rate_window_s(rate)));
    if (!s.over)
        return true;
    http_reply_header(g->rep, "Retry-After", mem_printf(g->region, "%u", s.reset_s < 60 ? s.reset_s : 60));
    gw_fail(g, 429, 971, NULL, "Please wait and consider throttling your request speed");
    return false;
}

/* False: no route fits, or one does not answer to this method; the reply says so. */
static bool
find_route(struct gw *g, acd_slice path)
{
    switch (route_find(g->region, g->http->method, path, &g->match)) {
    case ROUTE_FOUND:
        return true;
    case ROUTE_IDENTIFIER:
        gw_fail_route(g);
        return false;
    case ROUTE_METHOD:
        http_reply_header(g->rep, "Allow", g->match.allow);
        if (strcmp(g->http->method, "OPTIONS") == 0)
            g->rep->status = 204;
        else
            gw_fail(g, 405, 10405, NULL, "Method not allowed for this authentication scheme");
        return false;
    case ROUTE_UNKNOWN:
        break;
    }
    gw_fail(g, 404, 7000, NULL, "No route for that URI");
    return false;
}

static void
serve(struct gw *g)
{
    acd_slice t = g->http->target;
    const char *mark = memchr(t.ptr, '?', t.len);
    size_t path_len = mark ? (size_t)(mark - (const char *)t.ptr) : t.len;
    acd_slice query = mark ? slice_of(mark + 1, t.len - path_len - 1) : SLICE_LIT("");
    if (!find_route(g, slice_of(t.ptr, path_len)))
        return;
    enum auth_found found = auth_read(g->http, g->match.route->auth, &g->auth);
    if (g->match.route->auth != AUTH_NONE && !within_rate(g))
        return;
    if (found != AUTH_GIVEN)
        fail_auth(g, found);
    else if (!query_parse(g->region, query, &g->query))
        gw_fail(g, 400, 1419, NULL, "The query cannot be decoded");
    else
        g->match.route->run(g);
    must(g->rep->status);
}

static void
gw_done(struct gw *g)
{
    json_decref(g->body);
    for (struct gw_result *r = g->asked; r; r = r->next)
        admin_result_done(&r->res);
}

void
gw_serve(void *ctx, struct http_request *req, struct http_reply *rep)
{
    struct gw g = {.gateway = ctx, .http = req, .rep = rep, .region = req->region};
    name_request(&g);
    if (hook_is(req->target))
        hook_serve(&g);
    else
        serve(&g);
    gw_done(&g);
}

void
gw_refuse(void *ctx, struct http_request *req, struct http_reply *rep, enum http_refusal why)
{
    struct gw g = {.gateway = ctx, .http = req, .rep = rep, .region = req->region};
    name_request(&g);
    if (why == HTTP_FRAMING) {
        gw_fail(&g, 400, 6003, NULL, "Invalid request headers");
        return;
    }
    if (why == HTTP_BODY_TOO_LONG) {
        gw_fail(&g, 413, 1424, NULL, "The request body is too large");
        return;
    }
    http_reply_header(rep, "Retry-After", "1");
    gw_fail(&g, 503, 1500, NULL, "The gateway is overloaded");
}

/* The path, and not the query, nor any header: neither may end up in a log. */
void
gw_ended(void *ctx, const struct http_request *req, const struct http_reply *rep, bool sent)
{
    struct gateway *gateway = ctx;
    const char *mark = memchr(req->target.ptr, '?', req->target.len);
    acd_slice path =
        slice_of(req->target.ptr, mark ? (size_t)(mark - (const char *)req->target.ptr) : req->target.len);
    uint64_t us = (clock_mono_ns(&clock_system) - req->began_ns) / 1000;
    metrics_reply(gateway->metrics, rep->status, us, sent);
    LOG(ACD_LOG_INFO, "http.request", LF_STR("method", req->method ? req->method : ""),
        LF_SLICE("path", path), LF_INT("status", rep->status), LF_INT("bytes", rep->body.len),
        LF_INT("us", us), LF_STR("remote", req->remote), LF_STR("sent", sent ? "yes" : "no"),
        LF_STR("id", rep->n_headers ? rep->headers[0].value : ""));
}
