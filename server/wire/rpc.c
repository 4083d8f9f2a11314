#include "wire/rpc.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/scan.h"

struct rpc_bound {
    const struct rpc_method *method;
    rpc_handler fn;
    void *ctx;
    bool prompt;
};

static const struct rpc_method methods[] = {
#define METHOD(srv, name_, req, resp, class_, batch_) \
    {.name = "anchord.v1." #srv "/" #name_,           \
     .service = #srv,                                 \
     .request = &anchord__v1__##req##__descriptor,    \
     .response = &anchord__v1__##resp##__descriptor,  \
     .class = RPC_##class_,                           \
     .batch = (batch_)},
#include "wire/methods.def"
#undef METHOD
};
enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

#define PACKAGE "anchord.v1."

const struct rpc_method *
rpc_method_at(size_t i)
{
    return i < METHODS ? &methods[i] : NULL;
}

const struct rpc_method *
rpc_method_find(acd_slice full_name)
{
    for (size_t i = 0; i < METHODS; i++)
        if (slice_eqs(full_name, methods[i].name))
            return &methods[i];
    return NULL;
}

/* Every method has its entry from the start; one without a handler is unimplemented. */
int
rpc_table_init(struct rpc_table *t, const struct clock *clock)
{
    *t = (struct rpc_table){.clock = clock};
    for (size_t i = 0; i < METHODS; i++) {
        struct rpc_bound *b = calloc(1, sizeof(*b));
        int rc = b ? map_put(&t->methods, slice_str(methods[i].name), b, NULL) : ACD_ENOMEM;
        if (rc < 0) {
            free(b);
            rpc_table_done(t);
            return rc;
        }
        b->method = &methods[i];
    }
    return 0;
}

void
rpc_table_done(struct rpc_table *t)
{
    size_t at = 0;
    acd_slice key;
    void *bound;
    while (map_next(&t->methods, &at, &key, &bound))
        free(bound);
    map_done(&t->methods);
    *t = (struct rpc_table){.clock = NULL};
}

static int
bind_handler(struct rpc_table *t, const char *method, rpc_handler fn, void *ctx, bool prompt)
{
    char full[LIMIT_METHOD];
    (void)snprintf(full, sizeof(full), "%s%s", str_starts(method, PACKAGE) ? "" : PACKAGE, method);
    struct rpc_bound *b = map_find(&t->methods, slice_str(full));
    if (!b)
        return ACD_ENOENT;
    if (b->fn)
        return ACD_EEXIST;
    b->fn = fn;
    b->ctx = ctx;
    b->prompt = prompt;
    return 0;
}

int
rpc_bind(struct rpc_table *t, const char *method, rpc_handler fn, void *ctx)
{
    return bind_handler(t, method, fn, ctx, false);
}

int
rpc_bind_prompt(struct rpc_table *t, const char *method, rpc_handler fn, void *ctx)
{
    return bind_handler(t, method, fn, ctx, true);
}

void
rpc_set_authorize(struct rpc_table *t, rpc_authorize fn, void *ctx)
{
    t->authorize = fn;
    t->authorize_ctx = ctx;
}

acd_slice
rpc_metadata(const struct rpc_call *call, const char *key)
{
    for (uint32_t i = 0; i < call->frame.n_meta; i++)
        if (slice_eqs(call->frame.meta[i].key, key))
            return call->frame.meta[i].value;
    return (acd_slice){NULL, 0};
}

uint64_t
rpc_now_ns(const struct rpc_table *t)
{
    return clock_mono_ns(t->clock);
}

int
rpc_status_of(uint32_t grpc, uint32_t retry_after_ms)
{
    switch (grpc) {
    case 8: /* RESOURCE_EXHAUSTED */
        return retry_after_ms ? ACD_EBUSY : ACD_ELIMIT;
    case 9: /* FAILED_PRECONDITION */
        return ACD_EPRECOND;
    case 13: /* INTERNAL */
        return ACD_EINTERNAL;
    default:
        return grpc > INT32_MAX ? ACD_EINTERNAL : status_from_grpc((int)grpc);
    }
}

/* The reply says what call->status and call->err say. */
static void
reply_error(struct rpc_call *call)
{
    struct frame_reply *p = &call->reply;
    int code = call->status;
    char *text = call->err.text;
    if (!text[0])
        (void)snprintf(text, sizeof(call->err.text), "%s", status_text(code));
    wire_clean(text, strnlen(text, sizeof(call->err.text)));
    p->code = (uint32_t)status_grpc(code);
    p->message = (acd_slice){text, strnlen(text, sizeof(call->err.text))};
    p->body = NULL;
    p->payload = (acd_slice){NULL, 0};
    p->revision = 0;
    p->effect = NULL;
    p->retry_after_ms = call->err.retry_after_ms;
    if (!p->retry_after_ms && status_retryable(code) && code != ACD_ETIMEOUT)
        p->retry_after_ms = LIMIT_RETRY_AFTER_MS;
}

void
rpc_refuse(struct rpc_call *call, int code, uint32_t retry_after_ms, const char *text)
{
    call->status = err_set(&call->err, code, "%s", text);
    call->err.retry_after_ms = retry_after_ms;
    reply_error(call);
}

static int
admit(const struct rpc_table *t, acd_slice raw, struct rpc_call *call)
{
    struct frame_call *f = &call->frame;
    int rc = frame_call_decode(raw, f, &call->err);
    if (rc < 0)
        return rc;
    if (f->method.len == 0)
        return err_set(&call->err, ACD_EINVAL, "method: missing");
    const struct rpc_bound *b = map_find(&t->methods, f->method);
    if (!b || !b->fn)
        return err_set(&call->err, ACD_ENOTSUP, "there is no method \"%.*s\"", (int)f->method.len,
                       (const char *)f->method.ptr);
    if (b->method->class == RPC_MUTATION && f->idem_key.len == 0)
        return err_set(&call->err, ACD_EINVAL, "idempotency_key: missing, a change must carry one");
    uint32_t ms = f->timeout_ms ? f->timeout_ms : LIMIT_TIMEOUT_DEFAULT_MS;
    call->deadline_ns =
        call->arrival_ns + (uint64_t)(ms < LIMIT_TIMEOUT_MS ? ms : LIMIT_TIMEOUT_MS) * 1000000;
    call->method = b->method;
    call->bound = b;
    return 0;
}

int
rpc_admit(const struct rpc_table *t, acd_slice raw, const struct rpc_peer *peer, struct rpc_call *call)
{
    call->method = NULL;
    call->bound = NULL;
    call->peer = peer;
    call->actor = NULL;
    call->revision = 0;
    call->prompt = call->packed = false;
    call->err.struct_size = sizeof(call->err);
    call->err.native = 0;
    call->err.retry_after_ms = 0;
    call->err.text[0] = '\0';
    call->reply = (struct frame_reply){.code = 0};
    call->arrival_ns = clock_mono_ns(t->clock);
    call->status = admit(t, raw, call);
    call->reply.request_id = call->frame.request_id;
    if (call->status < 0)
        reply_error(call);
    return call->status;
}

/* 0: the reply has its body; negative: the reply is an error; RPC_LATER: it needs a worker. */
static int
run(const struct rpc_table *t, struct rpc_call *call)
{
    acd_err *err = &call->err;
    void *req = NULL, *resp = NULL;
    if (clock_mono_ns(t->clock) >= call->deadline_ns)
        return err_set(err, ACD_ETIMEOUT, "the deadline passed before the call was started");
    int rc = t->authorize ? t->authorize(t->authorize_ctx, call, err) : 0;
    if (rc == 0)
        rc = wire_unpack_batch(call->region, call->method->request, call->frame.payload, call->method->batch,
                               &req, err);
    if (rc == 0)
        rc = call->bound->fn(call->bound->ctx, call, req, &resp, err);
    /* Memory that is short passes; a call that is too large is too large next time as well. */
    if (rc == ACD_ENOMEM && call->region->full)
        return err_set(err, ACD_ELIMIT, "the call needs more than %zu bytes of memory: ask for less at once",
                       call->region->limit);
    if (rc < 0)
        return rc;
    if (rc == RPC_LATER && call->prompt)
        return rc;
    must(rc == 0);
    if (call->packed)
        return 0;
    must(resp && ((const ProtobufCMessage *)resp)->descriptor == call->method->response);
    if (!wire_pack_fast(call->region, resp, &call->reply.payload))
        call->reply.body = resp;
    return 0;
}

/* The call was run: what came of it is the reply. */
static void
reply_ready(struct rpc_call *call)
{
    if (call->status < 0) {
        reply_error(call);
        return;
    }
    /* A handler that succeeds has nothing to complain about. */
    call->reply.n_details = 0;
    call->reply.revision = call->revision;
}

void
rpc_reply_packed(struct rpc_call *call, acd_slice response)
{
    call->reply.payload = response;
    call->packed = true;
}

bool
rpc_is_prompt(const struct rpc_call *call)
{
    return call->bound->prompt && call->frame.payload.len <= LIMIT_PROMPT;
}

bool
rpc_try(const struct rpc_table *t, struct rpc_call *call)
{
    call->prompt = true;
    call->status = run(t, call);
    call->prompt = false;
    if (call->status != RPC_LATER) {
        reply_ready(call);
        return true;
    }
    rpc_details_clear(call);
    call->err.text[0] = '\0';
    call->err.retry_after_ms = 0;
    call->revision = 0;
    call->status = 0;
    return false;
}

void
rpc_run(const struct rpc_table *t, struct rpc_call *call)
{
    call->status = run(t, call);
    reply_ready(call);
}

size_t
rpc_reply_size(struct rpc_call *call)
{
    size_t n = frame_reply_size(&call->reply);
    if (n <= LIMIT_MESSAGE)
        return n;
    call->reply.n_details = 0;
    if (call->status == 0)
        rpc_refuse(call, ACD_ELIMIT, 0, "the answer is too large for one message: ask for less at once");
    return frame_reply_size(&call->reply);
}

void
rpc_reply_write(const struct rpc_call *call, uint8_t *out)
{
    frame_reply_write(&call->reply, out);
}
