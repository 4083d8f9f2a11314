#include "v4.h"

#include <string.h>

#include "json.h"

enum { RETRY_SECONDS = 1 };

void
v4_send(struct gw *g, unsigned status, json_t *all)
{
    size_t len = json_dumpb(all, NULL, 0, JSON_COMPACT);
    char *text = mem_alloc(g->region, len + 1);
    g->rep->status = status;
    g->rep->type = "application/json";
    if (text) {
        (void)json_dumpb(all, text, len, JSON_COMPACT);
        text[len] = '\n';
        g->rep->body = slice_of(text, len + 1);
    } else {
        g->rep->status = 503;
        g->rep->body =
            SLICE_LIT("{\"success\":false,\"errors\":[{\"code\":1500,\"message\":\"out of memory\"}],"
                      "\"messages\":[],\"result\":null}\n");
    }
    json_decref(all);
}

static json_t *
envelope(bool success, json_t *errors, json_t *result)
{
    json_t *all = js_object();
    js_set(all, "success", json_boolean(success));
    js_set(all, "errors", errors);
    js_set(all, "messages", js_array());
    js_set(all, "result", result);
    return all;
}

void
v4_status(struct gw *g, unsigned status, json_t *result)
{
    v4_send(g, status, envelope(true, js_array(), result));
}

void
v4_ok(struct gw *g, json_t *result)
{
    v4_status(g, 200, result);
}

static json_t *
coded(unsigned code, const char *message)
{
    json_t *v = js_object();
    js_set(v, "code", json_integer(code));
    js_set(v, "message", js_text(message));
    return v;
}

void
v4_message(struct gw *g, json_t *result, unsigned code, const char *message)
{
    json_t *all = envelope(true, js_array(), result);
    js_add(json_object_get(all, "messages"), coded(code, message));
    v4_send(g, 200, all);
}

void
v4_page(struct gw *g, struct page *p)
{
    json_t *info = js_object();
    uint64_t pages = p->size ? (p->total + p->size - 1) / p->size : 0;
    js_set(info, "page", json_integer((json_int_t)p->number));
    js_set(info, "per_page", json_integer((json_int_t)p->size));
    js_set(info, "count", json_integer((json_int_t)json_array_size(p->rows)));
    js_set(info, "total_count", json_integer((json_int_t)p->total));
    js_set(info, "total_pages", json_integer((json_int_t)pages));
    json_t *all = envelope(true, js_array(), p->rows);
    js_set(all, "result_info", info);
    p->rows = NULL;
    v4_send(g, 200, all);
}

void
v4_nothing(struct gw *g)
{
    g->rep->status = 204;
}

static json_t *
error(const struct problem *p)
{
    json_t *v = coded(p->code, p->message);
    if (p->pointer) {
        json_t *source = js_object();
        js_set(source, "pointer", js_text(p->pointer));
        js_set(v, "source", source);
    }
    if (p->chain_code) {
        json_t *chain = js_array();
        js_add(chain, coded(p->chain_code, p->chain_message));
        js_set(v, "error_chain", chain);
    }
    return v;
}

static void
problems(struct gw *g, const struct problem *list, size_t n)
{
    json_t *errors = js_array();
    for (size_t i = 0; i < n; i++)
        js_add(errors, error(&list[i]));
    v4_send(g, list[0].status, envelope(false, errors, json_null()));
}

const struct style v4_style = {problems};
