#include "fixture.h"

#include <poll.h>
#include <unistd.h>

static void
gate_pass(struct server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->waiting++;
    (void)pthread_cond_broadcast(&s->cond);
    while (s->shut && s->passes == 0)
        (void)pthread_cond_wait(&s->cond, &s->lock);
    s->passes -= s->shut;
    s->waiting--;
    s->handled++;
    (void)pthread_mutex_unlock(&s->lock);
}

static int
get_trust(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    struct server *s = ctx;
    const Anchord__V1__GetTrustRequest *in = req;
    if (call->prompt && s->later)
        return RPC_LATER;
    gate_pass(s);
    Anchord__V1__GetTrustResponse *out =
        wire_new(call->region, Anchord__V1__GetTrustResponse, anchord__v1__get_trust_response);
    out->n_answers = in->n_questions;
    out->answers =
        wire_list(call->region, in->n_questions, Anchord__V1__TrustAnswer, anchord__v1__trust_answer);
    for (size_t i = 0; i < in->n_questions; i++)
        out->answers[i]->host = in->questions[i]->host;
    if (s->reply_bytes && out->n_answers) {
        void *filler = mem_zalloc(call->region, s->reply_bytes);
        out->answers[0]->digest = wire_bytes(slice_of(filler, s->reply_bytes));
    }
    (void)pthread_mutex_lock(&s->lock);
    s->peer = *call->peer;
    (void)pthread_getname_np(pthread_self(), s->thread, sizeof(s->thread));
    bool fail = s->fail_first > 0;
    s->fail_first -= fail;
    (void)pthread_mutex_unlock(&s->lock);
    if (fail)
        return err_set(err, ACD_EUNAVAIL, "not yet");
    call->revision = 7;
    *ret_resp = out;
    return 0;
}

static int
create_zone(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    struct server *s = ctx;
    const Anchord__V1__CreateZoneRequest *in = req;
    gate_pass(s);
    (void)pthread_mutex_lock(&s->lock);
    bool again = strlen(s->idem_key) && !slice_eqs(call->frame.idem_key, s->idem_key);
    (void)snprintf(s->idem_key, sizeof(s->idem_key), "%.*s", (int)call->frame.idem_key.len,
                   (const char *)call->frame.idem_key.ptr);
    bool fail = s->fail_first > 0;
    s->fail_first -= fail;
    (void)pthread_mutex_unlock(&s->lock);
    if (fail)
        return err_set(err, ACD_EUNAVAIL, "not yet");
    Anchord__V1__Zone *out = wire_new(call->region, Anchord__V1__Zone, anchord__v1__zone);
    out->name = in->name;
    out->acm = again; /* another key came than the time before */
    call->revision = 8;
    *ret_resp = out;
    return 0;
}

void
server_start(struct server *s, const struct bus_opts *opts, bool tcp)
{
    struct bus_opts o = opts ? *opts : (struct bus_opts){0};
    acd_err err = ACD_ERR_INIT;
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/anchord_wire.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(s->dir));
    (void)snprintf(s->ipc, sizeof(s->ipc), "ipc://%s/sock", s->dir);
    ck_assert_int_eq(pthread_mutex_init(&s->lock, NULL), 0);
    ck_assert_int_eq(pthread_cond_init(&s->cond, NULL), 0);
    ck_assert_int_eq(rpc_table_init(&s->table, &clock_system), 0);
    ck_assert_int_eq(
        (s->prompt ? rpc_bind_prompt : rpc_bind)(&s->table, "EdgeService/GetTrust", get_trust, s), 0);
    ck_assert_int_eq(rpc_bind(&s->table, "ZoneService/CreateZone", create_zone, s), 0);
    const char *urls[] = {s->ipc, "tcp://127.0.0.1:0"};
    o.table = &s->table;
    o.urls = urls;
    o.n_urls = tcp ? 2 : 1;
    ck_assert_msg(bus_start(&o, &s->bus, &err) == 0, "%s", err.text);
}

void
server_stop(struct server *s)
{
    server_gate(s, false);
    bus_free(s->bus);
    rpc_table_done(&s->table);
    (void)unlink(s->ipc + strlen("ipc://"));
    (void)rmdir(s->dir);
    (void)pthread_cond_destroy(&s->cond);
    (void)pthread_mutex_destroy(&s->lock);
}

void
server_gate(struct server *s, bool shut)
{
    (void)pthread_mutex_lock(&s->lock);
    s->shut = shut;
    (void)pthread_cond_broadcast(&s->cond);
    (void)pthread_mutex_unlock(&s->lock);
}

void
server_pass(struct server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->passes++;
    (void)pthread_cond_broadcast(&s->cond);
    (void)pthread_mutex_unlock(&s->lock);
}

void
server_wait_waiting(struct server *s, unsigned n)
{
    (void)pthread_mutex_lock(&s->lock);
    while (s->waiting < n)
        (void)pthread_cond_wait(&s->cond, &s->lock);
    (void)pthread_mutex_unlock(&s->lock);
}

struct call_client *
client_open(const char *url, uint32_t retries)
{
    struct call_client *c = NULL;
    struct call_opts opts = {.retries = retries, .connect_ms = 5000};
    ck_assert_int_eq(call_open(url, &opts, &c, NULL), 0);
    return c;
}

int
ask(struct call_client *c, const char *host, uint32_t timeout_ms, struct call_result *res)
{
    Anchord__V1__TrustQuestion question = ANCHORD__V1__TRUST_QUESTION__INIT, *questions[] = {&question};
    Anchord__V1__GetTrustRequest req = ANCHORD__V1__GET_TRUST_REQUEST__INIT;
    question.host = WIRE_STR(host);
    req.questions = questions;
    req.n_questions = 1;
    struct call_request call = {.method = rpc_method_find(slice_str("anchord.v1.EdgeService/GetTrust")),
                                .body = &req,
                                .timeout_ms = timeout_ms};
    return call_sync(c, &call, res, NULL);
}

/* The test's own time limit ends a wait that lasts for ever. */
uint64_t
wait_counter(struct bus *b, size_t offset, uint64_t n)
{
    struct bus_counters now;
    for (;;) {
        bus_counters(b, &now);
        uint64_t v = *(const uint64_t *)(const void *)((const char *)&now + offset);
        if (v >= n)
            return v;
        (void)poll(NULL, 0, 2);
    }
}
