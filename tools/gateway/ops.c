/* What machines ask about the gateway itself: is it alive, can it serve, what has it done. */
#include <string.h>

#include "base/str.h"
#include "json.h"
#include "metrics.h"
#include "res.h"

enum { METRICS_MAX = 65536, READY_MS = 1000 };

static void
send_text(struct gw *g, unsigned status, const char *type, acd_slice text)
{
    g->rep->status = status;
    g->rep->type = type;
    g->rep->body = text;
}

static void
problems(struct gw *g, const struct problem *list, size_t n)
{
    json_t *all = js_object();
    (void)n;
    js_set(all, "error", js_text(list[0].message));
    char *text = json_dumps(all, JSON_COMPACT);
    acd_slice copy = text ? mem_slice(g->region, slice_str(text)) : SLICE_LIT("{}");
    free(text);
    json_decref(all);
    send_text(g, list[0].status, "application/json", copy);
}

const struct style plain_style = {problems};

void
ops_live(struct gw *g)
{
    send_text(g, 200, "text/plain", SLICE_LIT("ok\n"));
}

/* Any answer will do, also that nobody asked: there is a server that can be asked. */
void
ops_ready(struct gw *g)
{
    const struct admin_result *res;
    const void *resp;
    const void *req = gw_new(g, Anchord__V1__GetStatusRequest, anchord__v1__get_status_request);
    if (!req)
        return;
    g->call_ms = READY_MS;
    int rc = gw_try(g, "ServerService/GetStatus", req, &resp, &res);
    if (rc == 0 || rc == ACD_EUNAUTH || rc == ACD_EDENIED)
        send_text(g, 200, "text/plain", SLICE_LIT("ok\n"));
    else
        gw_fail(g, 503, 0, NULL, "the server cannot be asked: %s", res->message);
}

void
ops_metrics(struct gw *g)
{
    struct http_counts counts;
    struct buf out = BUF_INIT(METRICS_MAX);
    http_count(g->gateway->http, &counts);
    metrics_text(g->gateway->metrics, &counts, &out);
    acd_slice copy = mem_slice(g->region, slice_of(out.data, out.len));
    buf_done(&out);
    if (copy.ptr)
        send_text(g, 200, "text/plain; version=0.0.4", copy);
    else
        gw_fail_memory(g);
}
