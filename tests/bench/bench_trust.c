/*
 * GetTrust of a real server with a million hosts: single questions beside a bare nng echo and a gRPC echo of
 * the same sizes; batches beside Redis with as many keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/rand.h"
#include "nng_client.h"
#include "pump.h"
#include "redis.h"
#include "world.h"

enum { HOSTS = 1000000, QUICK_HOSTS = 10000, ASKS = 4096, BATCH = 128, BATCHES = 512, BATCH_FLIGHTS = 4 };
enum { REGION = 65536, DIGEST = 32 };
#define GET_TRUST "anchord.v1.EdgeService/GetTrust"

static uint64_t hosts;

static void
make_asks(struct pump_set *set, size_t n, size_t batch, int detail)
{
    struct prng rng = {batch};
    struct mem_region r;
    mem_init(&r, REGION, 0);
    for (size_t i = 0; i < n; i++) {
        Anchord__V1__GetTrustRequest *req =
            wire_new(&r, Anchord__V1__GetTrustRequest, anchord__v1__get_trust_request);
        req->questions = wire_list(&r, batch, Anchord__V1__TrustQuestion, anchord__v1__trust_question);
        req->n_questions = batch;
        req->detail = (Anchord__V1__TrustDetail)detail;
        for (size_t k = 0; k < batch; k++) {
            char name[WORLD_NAME];
            size_t len = world_host(prng_below(&rng, hosts), name);
            req->questions[k]->host = mem_strndup(&r, name, len);
        }
        pump_add(set, GET_TRUST, req);
        mem_reset(&r);
    }
    mem_done(&r);
}

/* The answers are the right ones: every host is found, with its digest or its set. */
static void
check_answers(struct pump *p, size_t batch)
{
    struct mem_region r;
    void *msg;
    acd_err err = ACD_ERR_INIT;
    mem_init(&r, REGION, 0);
    rig_need(wire_unpack(&r, &anchord__v1__get_trust_response__descriptor, pump_ask_once(p, 0), &msg, &err),
             &err, "answer");
    const Anchord__V1__GetTrustResponse *resp = msg;
    must(resp->n_answers == batch);
    for (size_t i = 0; i < batch; i++)
        must(resp->answers[i]->match == ANCHORD__V1__MATCH_KIND__MATCH_EXACT &&
             resp->answers[i]->digest.len == DIGEST);
    mem_done(&r);
}

/* --- single questions --- */

struct grpc {
    char program[RIG_PATH], url[RIG_PATH];
    char request[32], flights[16];
};

static double
grpc_run(void *ctx, double seconds)
{
    struct grpc *g = ctx;
    char command[3 * RIG_PATH];
    double per_s = 0;
    (void)snprintf(command, sizeof(command), "'%s' ask '%s' %s %s %g", g->program, g->url, g->request,
                   g->flights, seconds);
    FILE *f = popen(command, "re");
    if (!f || fscanf(f, "%lf", &per_s) != 1 || pclose(f) != 0)
        rig_fail("peer_grpc did not answer");
    return per_s;
}

static void
beside_grpc(struct pump *ours, size_t request_bytes, double seconds)
{
    struct grpc g;
    char reply[32];
    rig_built("tests/bench/peer_grpc", g.program);
    if (access(g.program, X_OK) != 0) {
        (void)fputs("gRPC is not there: no comparison with it\n", stderr);
        return;
    }
    (void)snprintf(g.url, sizeof(g.url), "unix:%s/grpc.sock", rig_dir());
    (void)snprintf(g.request, sizeof(g.request), "%zu", request_bytes);
    (void)snprintf(g.flights, sizeof(g.flights), "%d", PUMP_FLIGHTS);
    (void)snprintf(reply, sizeof(reply), "%zu", ours->reply_bytes);
    pid_t pid = rig_spawn(RIG_SERVES, "grpc.log", (const char *[]){g.program, "serve", g.url, reply, NULL});
    const struct rig_pair pair = {.measure = "single GetTrust over ipc, 64 in flight, beside gRPC",
                                  .unit = "calls/s",
                                  .peer = "gRPC C++ unary echo over a unix socket",
                                  .reach = 3,
                                  .ours = pump_run,
                                  .theirs = grpc_run,
                                  .ctx = ours,
                                  .their_ctx = &g};
    (void)rig_compare(&pair, seconds);
    rig_stop(pid);
}

/* Processor time of the server per call, in microseconds: what is left of a comparison on a busy machine. */
struct cost {
    double (*run)(void *ctx, double seconds);
    void *ctx;
    pid_t pid;
};

static double
cost_run(void *ctx, double seconds)
{
    struct cost *c = ctx;
    double before = rig_processor(c->pid);
    uint64_t start = rig_ns();
    double rate = c->run(c->ctx, seconds), took = rig_since(start);
    return (rig_processor(c->pid) - before) / (rate * took) * 1e6;
}

static void
costs_beside_nng(struct pump *ours, pid_t server, struct nng_client *theirs, pid_t echo, const char *measure,
                 double seconds)
{
    char what[128];
    struct cost our_cost = {pump_run, ours, server}, their_cost = {nng_client_run, theirs, echo};
    (void)snprintf(what, sizeof(what), "%s: processor time", measure);
    const struct rig_pair cost = {.measure = what,
                                  .unit = "us",
                                  .peer = "bare nng REQ/REP echo",
                                  .ours = cost_run,
                                  .theirs = cost_run,
                                  .ctx = &our_cost,
                                  .their_ctx = &their_cost};
    (void)rig_compare(&cost, seconds);
}

/* What a client of plain nng gets from our server. */
static void
nng_beside_nng(const struct pump *ours, const char *url, struct nng_client *theirs, const char *measure,
               double seconds)
{
    char what[128];
    struct nng_client *c = nng_client_open(url, ours->set->asks, ours->set->n, ours->in_flight);
    (void)snprintf(what, sizeof(what), "%s: an nng client", measure);
    const struct rig_pair pair = {.measure = what,
                                  .unit = "calls/s",
                                  .peer = "bare nng REQ/REP echo",
                                  .ours = nng_client_run,
                                  .theirs = nng_client_run,
                                  .ctx = c,
                                  .their_ctx = theirs};
    (void)rig_compare(&pair, seconds);
    nng_client_close(c);
}

/* Our server asked by our client, beside nng's echo asked by nng's. */
static void
beside_nng(struct pump *ours, const struct world *w, const char *server_url, const char *url,
           const char *measure, double seconds)
{
    char program[RIG_PATH], reply[32];
    rig_built("tests/bench/peer_nng", program);
    (void)snprintf(reply, sizeof(reply), "%zu", ours->reply_bytes);
    pid_t pid = rig_spawn(RIG_SERVES, "nng.log", (const char *[]){program, url, reply, NULL});
    struct pump ready;
    pump_open(&ready, url, ours->set, 1); /* waits until the echo listens */
    pump_close(&ready);
    struct nng_client *theirs = nng_client_open(url, ours->set->asks, ours->set->n, ours->in_flight);
    const struct rig_pair pair = {.measure = measure,
                                  .unit = "calls/s",
                                  .peer = "bare nng REQ/REP echo",
                                  .reach = ours->in_flight > 1 ? 0.9 : 0,
                                  .ours = pump_run,
                                  .theirs = nng_client_run,
                                  .ctx = ours,
                                  .their_ctx = theirs};
    (void)rig_compare(&pair, seconds);
    if (ours->in_flight > 1) {
        costs_beside_nng(ours, w->pid, theirs, pid, measure, seconds);
        nng_beside_nng(ours, server_url, theirs, measure, seconds);
    }
    nng_client_close(theirs);
    rig_stop(pid);
}

static void
singles(struct world *w, double seconds)
{
    struct pump_set set = {0};
    struct pump p;
    char url[RIG_PATH];
    make_asks(&set, ASKS, 1, ANCHORD__V1__TRUST_DETAIL__TRUST_CAS);
    pump_open(&p, w->ipc, &set, PUMP_FLIGHTS);
    check_answers(&p, 1);
    (void)snprintf(url, sizeof(url), "ipc://%s/nng.sock", rig_dir());
    beside_nng(&p, w, w->ipc, url, "single GetTrust over ipc, 64 in flight", seconds);
    beside_grpc(&p, set.asks[0].len, seconds);
    p.in_flight = 1;
    beside_nng(&p, w, w->ipc, url, "single GetTrust over ipc, one after the other", seconds);
    pump_close(&p);
    pump_open(&p, w->tcp, &set, PUMP_FLIGHTS);
    check_answers(&p, 1);
    (void)snprintf(url, sizeof(url), "tcp://127.0.0.1:%d", rig_free_port());
    beside_nng(&p, w, w->tcp, url, "single GetTrust over tcp, 64 in flight", seconds);
    pump_close(&p);
    pump_done(&set);
}

/* --- batches --- */

static double
batch_run(void *ctx, double seconds)
{
    return BATCH * pump_run(ctx, seconds);
}

static void
batches(struct world *w, double seconds)
{
    struct pump_set set = {0};
    struct pump p;
    struct redis redis;
    make_asks(&set, BATCHES, BATCH, ANCHORD__V1__TRUST_DETAIL__TRUST_DIGESTS);
    pump_open(&p, w->ipc, &set, BATCH_FLIGHTS);
    check_answers(&p, BATCH);
    if (redis_there()) {
        redis_start(&redis, hosts, world_host, DIGEST);
        redis_prepare(&redis, (size_t)BATCHES * BATCH, hosts, world_host, BATCH, BATCH_FLIGHTS);
        const struct rig_pair pair = {.measure = "lookups over ipc, 128 a batch, digests",
                                      .unit = "lookups/s",
                                      .peer = "Redis GET pipelined by 128, unix socket",
                                      .reach = 4,
                                      .ours = batch_run,
                                      .theirs = redis_run,
                                      .ctx = &p,
                                      .their_ctx = &redis};
        (void)rig_compare(&pair, seconds);
        redis_stop(&redis);
    } else {
        rig_figure("lookups over ipc, 128 a batch, digests", batch_run(&p, seconds), "lookups/s");
    }
    pump_close(&p);
    pump_done(&set);
}

int
main(int argc, char **argv)
{
    double seconds = rig_begin(argc, argv);
    char data[RIG_PATH];
    struct world w;
    hosts = seconds < 0.5 ? QUICK_HOSTS : HOSTS;
    world_kept(hosts, data);
    world_start(&w, data, RIG_SERVES);
    singles(&w, seconds);
    batches(&w, seconds);
    world_stop(&w);
    return EXIT_SUCCESS;
}
