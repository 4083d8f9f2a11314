#include "wire/call.h"

#include <stdlib.h>
#include <time.h>

#include "base/rand.h"

enum { REGION_BLOCK = 8192, KEY_BYTES = 16, PAUSE_MS = 10, MS = 1000000 };

struct call_client {
    struct link *link;
    uint32_t connect_ms, retries;
    uint64_t id_base; /* request ids: base and number */
    uint64_t id_next; /* atomic */
    uint64_t jitter;  /* atomic */
};

/* One attempt's envelope, with the texts that it borrows. */
struct envelope {
    struct frame_call frame;
    uint8_t id[16];
    char key[2 * KEY_BYTES + 1];
};

static uint64_t
now_ns(void)
{
    return clock_mono_ns(&clock_system);
}

int
call_open(const char *url, const struct call_opts *opts, struct call_client **ret, acd_err *err)
{
    static const struct call_opts defaults = {0};
    const struct call_opts *o = opts ? opts : &defaults;
    struct call_client *c = calloc(1, sizeof(*c));
    if (!c)
        return err_set(err, ACD_ENOMEM, "no memory for a client");
    rand_bytes(&c->id_base, sizeof(c->id_base));
    c->connect_ms = o->connect_ms ? o->connect_ms : LIMIT_CLIENT_CONNECT_MS;
    c->retries = o->retries == 0 || o->retries > LIMIT_CLIENT_RETRIES ? LIMIT_CLIENT_RETRIES : o->retries;
    if (o->retries == CALL_NO_RETRIES)
        c->retries = 0;
    uint32_t slots = o->in_flight && o->in_flight < LIMIT_CLIENT_CALLS ? o->in_flight : LIMIT_CLIENT_CALLS;
    int rc = link_open(url, slots, &c->link, err);
    if (rc < 0) {
        free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

void
call_close(struct call_client *c)
{
    if (!c)
        return;
    link_close(c->link);
    free(c);
}

static void
meta_add(struct frame_call *f, const char *key, const char *value)
{
    if (value && value[0])
        f->meta[f->n_meta++] = (struct frame_meta){slice_str(key), slice_str(value)};
}

static void
envelope_fill(struct envelope *e, struct call_client *c, const struct call_request *req)
{
    struct frame_call *f = &e->frame;
    uint8_t key[KEY_BYTES];
    uint64_t n = __atomic_fetch_add(&c->id_next, 1, __ATOMIC_RELAXED);
    memcpy(e->id, &c->id_base, 8);
    memcpy(e->id + 8, &n, 8);
    f->method = slice_str(req->method->name);
    f->request_id = slice_of(e->id, sizeof(e->id));
    f->idem_key = f->payload = (acd_slice){NULL, 0};
    f->n_meta = 0;
    f->dry_run = f->force = false;
    f->body = req->body;
    meta_add(f, "authorization", req->authorization);
    meta_add(f, "traceparent", req->traceparent);
    if (req->caller) {
        /* Also without an address: the key is what makes the server look at nothing but credentials. */
        f->meta[f->n_meta++] =
            (struct frame_meta){SLICE_LIT("delegated"), slice_str(WIRE_STR(req->caller->address))};
        meta_add(f, "x-auth-email", req->caller->email);
        meta_add(f, "x-auth-key", req->caller->key);
    }
    if (req->method->class != RPC_MUTATION)
        return;
    if (!req->idem_key) {
        rand_bytes(key, sizeof(key));
        hex_encode(key, sizeof(key), e->key);
    }
    f->idem_key = slice_str(req->idem_key ? req->idem_key : e->key);
    f->dry_run = req->dry_run;
    f->force = req->force;
}

static void
envelope_write(const void *arg, uint8_t *out)
{
    frame_call_write(arg, out);
}

static int
envelope_submit(struct link_group *g, struct envelope *e, const struct rpc_method *method,
                uint64_t deadline_ns, void *tag, acd_err *err)
{
    uint64_t now = now_ns();
    if (now >= deadline_ns)
        return err_set(err, ACD_ETIMEOUT, "no answer in time");
    e->frame.timeout_ms = (uint32_t)((deadline_ns - now + MS - 1) / MS);
    struct link_send send = {.len = frame_call_size(&e->frame),
                             .write = envelope_write,
                             .arg = &e->frame,
                             .deadline_ns = deadline_ns,
                             .tag = tag,
                             .kind = method};
    if (send.len > LIMIT_MESSAGE)
        return err_set(err, ACD_ELIMIT, "request of %zu bytes is over the limit of %d", send.len,
                       LIMIT_MESSAGE);
    return link_submit(g, &send, err);
}

/* The sentence is in res->err already. */
static int
result_failed(struct call_result *res, int code)
{
    res->status = code;
    res->reply.code = (uint32_t)status_grpc(code);
    res->reply.message = slice_str(res->err.text);
    return code;
}

static int
result_fail(struct call_result *res, int code, const char *text)
{
    return result_failed(res, err_set(&res->err, code, "%s", text));
}

/* What the server said; its texts move into the result, since the message goes. */
static int
result_decode(struct call_result *res, const struct rpc_method *method, acd_slice raw)
{
    struct frame_reply *p = &res->reply;
    acd_err err = ACD_ERR_INIT;
    int rc = frame_reply_decode(&res->region, raw, p, &err);
    if (rc < 0)
        return result_fail(res, ACD_EIO, "the server's reply cannot be understood");
    p->message = mem_slice(&res->region, p->message);
    if (!p->message.ptr)
        return result_fail(res, ACD_ENOMEM, "no memory for the reply");
    res->status = rpc_status_of(p->code, p->retry_after_ms);
    res->err.retry_after_ms = p->retry_after_ms;
    if (res->status < 0)
        (void)err_set(&res->err, res->status, "%.*s", (int)p->message.len, (const char *)p->message.ptr);
    else if ((rc = wire_unpack(&res->region, method->response, p->payload, &res->resp, &err)) < 0)
        return result_fail(res, rc, err_text(&err, rc));
    p->payload = p->request_id = (acd_slice){NULL, 0};
    return res->status;
}

static void
result_init(struct call_result *res)
{
    *res = (struct call_result){.err = ACD_ERR_INIT};
    mem_init(&res->region, REGION_BLOCK, LIMIT_REGION);
}

/* The outcome of one attempt; the link's reply is done with. */
static int
result_take(struct call_result *res, struct link_reply *r)
{
    const struct rpc_method *method = r->kind;
    res->tag = r->tag;
    res->lost = r->status < 0;
    if (r->status == 0)
        (void)result_decode(res, method, r->bytes);
    else if (r->status == ACD_ETIMEOUT)
        (void)result_fail(res, r->status, "no answer in time");
    else if (r->status == ACD_EUNAVAIL)
        (void)result_fail(res, r->status, "the connection to the server ended");
    else
        (void)result_fail(res, r->status, status_text(r->status));
    link_reply_done(r);
    return res->status;
}

void
call_result_done(struct call_result *res)
{
    mem_done(&res->region);
}

/* One attempt. Nothing is sent while no server is there. */
static int
attempt(struct call_client *c, struct link_group *g, struct envelope *e, const struct rpc_method *method,
        uint64_t deadline_ns, struct call_result *res)
{
    struct link_reply reply;
    uint64_t until = now_ns() + (uint64_t)c->connect_ms * MS;
    int rc = link_wait(c->link, until < deadline_ns ? until : deadline_ns, &res->err);
    if (rc == 0)
        rc = envelope_submit(g, e, method, deadline_ns, NULL, &res->err);
    if (rc < 0)
        return result_failed(res, rc);
    rc = link_collect(g, UINT64_MAX, &reply);
    must(rc == 1);
    return result_take(res, &reply);
}

/* Before attempt n + 1: what the server asked for, or 10 ms, 20 ms, 40 ms ... and up to half of it more, so
 * that clients refused together do not come back together. False: no time left for that. */
static bool
pause_before(struct call_client *c, uint32_t n, uint32_t retry_after_ms, uint64_t deadline_ns)
{
    uint64_t ms = (uint64_t)PAUSE_MS << n;
    if (retry_after_ms > ms)
        ms = retry_after_ms;
    struct prng r = {__atomic_add_fetch(&c->jitter, 1, __ATOMIC_RELAXED) ^ c->id_base};
    uint64_t until = now_ns() + ms * MS + prng_below(&r, ms * MS / 2 + 1);
    if (until >= deadline_ns)
        return false;
    struct timespec ts = {.tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
        ;
    return true;
}

static bool
may_retry(const struct call_result *res)
{
    return res->status == ACD_EUNAVAIL || (res->status == ACD_EBUSY && res->reply.retry_after_ms);
}

int
call_sync(struct call_client *c, const struct call_request *req, struct call_result *res, acd_err *err)
{
    struct envelope e;
    struct link_group g;
    uint32_t ms = req->timeout_ms ? req->timeout_ms : LIMIT_TIMEOUT_DEFAULT_MS;
    uint64_t deadline_ns = now_ns() + (uint64_t)ms * MS;
    bool lost = false;
    envelope_fill(&e, c, req);
    link_group_init(&g, c->link);
    for (uint32_t n = 0;; n++) {
        result_init(res);
        int rc = attempt(c, &g, &e, req->method, deadline_ns, res);
        res->attempts = n + 1;
        res->lost = lost |= res->lost;
        if (rc == 0 || n == c->retries || !may_retry(res) ||
            !pause_before(c, n, res->reply.retry_after_ms, deadline_ns))
            break;
        call_result_done(res);
    }
    link_group_done(&g);
    if (res->status < 0 && err) {
        err->retry_after_ms = res->err.retry_after_ms;
        (void)err_set(err, res->status, "%s", err_text(&res->err, res->status));
    }
    return res->status;
}

void
call_set_init(struct call_set *s, struct call_client *c)
{
    s->client = c;
    link_group_init(&s->group, c->link);
}

void
call_set_done(struct call_set *s)
{
    link_group_done(&s->group);
}

int
call_submit(struct call_set *s, const struct call_request *req, void *tag, acd_err *err)
{
    struct envelope e;
    struct call_client *c = s->client;
    uint64_t now = now_ns();
    uint64_t deadline_ns =
        now + (uint64_t)(req->timeout_ms ? req->timeout_ms : LIMIT_TIMEOUT_DEFAULT_MS) * MS;
    uint64_t until = now + (uint64_t)c->connect_ms * MS;
    int rc = link_wait(c->link, until < deadline_ns ? until : deadline_ns, err);
    if (rc < 0)
        return rc;
    envelope_fill(&e, c, req);
    return envelope_submit(&s->group, &e, req->method, deadline_ns, tag, err);
}

int
call_collect(struct call_set *s, uint32_t wait_ms, struct call_result *res)
{
    struct link_reply reply;
    int rc = link_collect(&s->group, now_ns() + (uint64_t)wait_ms * MS, &reply);
    if (rc != 1)
        return rc;
    result_init(res);
    res->attempts = 1;
    (void)result_take(res, &reply);
    return 1;
}
