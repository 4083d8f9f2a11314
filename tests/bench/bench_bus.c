/*
 * What rpc and bus cost beside bare nng: calls per second of a GetTrust through the bus and of a REQ/REP echo
 * of the same sizes, one after the other in the same process, with 1 and 64 calls in flight on one
 * connection.
 *
 *   bench_bus [seconds per figure]       prints one JSON object per line
 *
 * The bare echo is as lean as nng allows: contexts, and callbacks that answer in nng's own threads; so is its
 * client (nng_client.h). "client":"own" asks the bus with the client that libanchord uses (link.h), "nng"
 * with that of nng; "raw" asks both with a client that costs next to nothing, so that the figure is the
 * server's.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "nng_client.h"
#include "raw_client.h"
#include "wire/bus.h"
#include "wire/call.h"

enum { FLIGHTS = 64, ECHO_CONTEXTS = 128, REPLY_CAS = 2, REPLIES = 5 };

struct sizes {
    uint8_t request[4096], reply[4096];
    size_t request_len, reply_len;
};

/* ---- bare nng ---- */

struct echo {
    nng_ctx ctx;
    nng_aio *aio;
    bool sending;
    const struct sizes *sizes;
};

static void
echo_step(void *arg)
{
    struct echo *e = arg;
    nng_msg *out;
    if (nng_aio_result(e->aio) != 0)
        return;
    if (e->sending) {
        e->sending = false;
        nng_ctx_recv(e->ctx, e->aio);
        return;
    }
    nng_msg_free(nng_aio_get_msg(e->aio));
    must(nng_msg_alloc(&out, e->sizes->reply_len) == 0);
    memcpy(nng_msg_body(out), e->sizes->reply, e->sizes->reply_len);
    e->sending = true;
    nng_aio_set_msg(e->aio, out);
    nng_ctx_send(e->ctx, e->aio);
}

static struct echo *
echo_start(const char *url, const struct sizes *sizes, nng_socket *ret_sock)
{
    struct echo *all = calloc(ECHO_CONTEXTS, sizeof(*all));
    must(all && nng_rep0_open(ret_sock) == 0);
    for (int i = 0; i < ECHO_CONTEXTS; i++) {
        all[i].sizes = sizes;
        must(nng_aio_alloc(&all[i].aio, echo_step, &all[i]) == 0);
        must(nng_ctx_open(&all[i].ctx, *ret_sock) == 0);
        nng_ctx_recv(all[i].ctx, all[i].aio);
    }
    must(nng_listen(*ret_sock, url, NULL, 0) == 0);
    return all;
}

static void
echo_stop(struct echo *all, nng_socket sock)
{
    (void)nng_close(sock);
    for (int i = 0; i < ECHO_CONTEXTS; i++) {
        nng_aio_stop(all[i].aio);
        nng_aio_free(all[i].aio);
    }
    free(all);
}

/* ---- the bus ---- */

static uint8_t digest[32];

static int
get_trust(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    (void)ctx;
    (void)err;
    const Anchord__V1__GetTrustRequest *in = req;
    struct mem_region *r = call->region;
    Anchord__V1__GetTrustResponse *out =
        wire_new(r, Anchord__V1__GetTrustResponse, anchord__v1__get_trust_response);
    if (!out)
        return ACD_ENOMEM;
    out->n_answers = in->n_questions;
    out->answers = wire_list(r, out->n_answers, Anchord__V1__TrustAnswer, anchord__v1__trust_answer);
    out->n_sets = 1;
    out->sets = wire_list(r, 1, Anchord__V1__TrustSet, anchord__v1__trust_set);
    if (!out->answers || !out->sets)
        return ACD_ENOMEM;
    for (size_t i = 0; i < out->n_answers; i++) {
        out->answers[i]->host = in->questions[i]->host;
        out->answers[i]->set = 1;
        out->answers[i]->digest = wire_bytes(slice_of(digest, sizeof(digest)));
    }
    Anchord__V1__TrustSet *set = out->sets[0];
    set->n_cas = REPLY_CAS;
    set->cas = wire_list(r, REPLY_CAS, Anchord__V1__TrustCa, anchord__v1__trust_ca);
    if (!set->cas)
        return ACD_ENOMEM;
    for (size_t i = 0; i < REPLY_CAS; i++) {
        set->cas[i]->ca_id = WIRE_STR("2458ce5a-0c35-4c7f-82c7-8e9487d3ff60");
        set->cas[i]->subject = WIRE_STR("CN=Example Issuing CA,O=Example,C=US");
        set->cas[i]->sha256 = wire_bytes(slice_of(digest, sizeof(digest)));
        set->cas[i]->not_after_ms = 1893456000000;
    }
    call->revision = 42;
    *ret_resp = out;
    return 0;
}

/* ---- the client ---- */

static void
write_bytes(const void *arg, uint8_t *out)
{
    const struct sizes *s = arg;
    memcpy(out, s->request, s->request_len);
}

static double
measure(const char *url, const struct sizes *s, unsigned in_flight, double seconds, struct sizes *ret_seen)
{
    struct link *l;
    struct link_group g;
    struct link_reply r;
    must(link_open(url, FLIGHTS, &l, NULL) == 0);
    uint64_t start = clock_mono_ns(&clock_system), limit = (uint64_t)(seconds * 1e9), calls = 0, now;
    must(link_wait(l, start + 2000000000, NULL) == 0);
    link_group_init(&g, l);
    struct link_send send = {
        .len = s->request_len, .write = write_bytes, .arg = s, .deadline_ns = start + limit + 10000000000};
    for (unsigned i = 0; i < in_flight; i++)
        must(link_submit(&g, &send, NULL) == 0);
    start = clock_mono_ns(&clock_system);
    do {
        must(link_collect(&g, UINT64_MAX, &r) == 1 && r.status == 0);
        if (ret_seen) {
            memcpy(ret_seen->reply, r.bytes.ptr, r.bytes.len);
            ret_seen->reply_len = r.bytes.len;
        }
        link_reply_done(&r);
        calls++;
        now = clock_mono_ns(&clock_system);
        must(link_submit(&g, &send, NULL) == 0);
    } while (now - start < limit);
    link_group_done(&g);
    link_close(l);
    return (double)calls / ((double)(now - start) / 1e9);
}

static void
request_fill(struct sizes *s)
{
    char storage[512];
    struct mem_region r;
    mem_init(&r, sizeof(storage), 0);
    Anchord__V1__GetTrustRequest *req =
        wire_new(&r, Anchord__V1__GetTrustRequest, anchord__v1__get_trust_request);
    req->questions = wire_list(&r, 1, Anchord__V1__TrustQuestion, anchord__v1__trust_question);
    req->n_questions = 1;
    req->questions[0]->host = WIRE_STR("api.customer-0042.example.com");
    struct frame_call f = {.method = SLICE_LIT("anchord.v1.EdgeService/GetTrust"),
                           .request_id = SLICE_LIT("0123456789abcdef"),
                           .timeout_ms = 10000,
                           .body = req};
    s->request_len = frame_call_size(&f);
    frame_call_write(&f, s->request);
    mem_done(&r);
}

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

enum client { OWN, NNG, RAW, CLIENTS };
static const char *const client_names[CLIENTS] = {"own", "nng", "raw"};

static double
measure_nng(const char *url, const struct sizes *s, unsigned in_flight, double seconds)
{
    const acd_slice ask = slice_of(s->request, s->request_len);
    struct nng_client *c = nng_client_open(url, &ask, 1, in_flight);
    double rate = nng_client_run(c, seconds);
    nng_client_close(c);
    return rate;
}

static double
measure_as(enum client client, const char *url, const struct sizes *s, unsigned in_flight, double seconds)
{
    if (client == RAW)
        return raw_measure(url, s->request, s->request_len, in_flight, seconds);
    return client == NNG ? measure_nng(url, s, in_flight, seconds)
                         : measure(url, s, in_flight, seconds, NULL);
}

/* Pairs of runs, taken in turn: the machine is not ours alone. The middle one of each counts. */
static void
compare(enum client client, const char *bus_url, const char *echo_url, const struct sizes *s,
        unsigned in_flight, double seconds)
{
    double bus[REPLIES], echo[REPLIES];
    for (int i = 0; i < REPLIES; i++) {
        bus[i] = measure_as(client, bus_url, s, in_flight, seconds);
        echo[i] = measure_as(client == RAW ? RAW : NNG, echo_url, s, in_flight, seconds);
    }
    qsort(bus, REPLIES, sizeof(bus[0]), by_size);
    qsort(echo, REPLIES, sizeof(echo[0]), by_size);
    printf("{\"transport\":\"%.3s\",\"client\":\"%s\",\"in_flight\":%u,\"bus_per_s\":%.0f,\"echo_per_s\":%."
           "0f,\"ratio\":%.3f}\n",
           bus_url, client_names[client], in_flight, bus[REPLIES / 2], echo[REPLIES / 2],
           bus[REPLIES / 2] / echo[REPLIES / 2]);
    fflush(stdout);
}

static void
run(const char *listen, const char *echo_url, double seconds)
{
    struct rpc_table table;
    struct bus *bus;
    static struct sizes sizes;
    acd_err err = ACD_ERR_INIT;
    must(rpc_table_init(&table, &clock_system) == 0);
    must(rpc_bind_prompt(&table, "EdgeService/GetTrust", get_trust, NULL) == 0);
    struct bus_opts opts = {.table = &table, .urls = &listen, .n_urls = 1};
    must(bus_start(&opts, &bus, &err) == 0);
    request_fill(&sizes);
    (void)measure(bus_url(bus, 0), &sizes, 1, 0.01, &sizes);
    nng_socket sock;
    struct echo *echo = echo_start(echo_url, &sizes, &sock);
    printf("{\"transport\":\"%.3s\",\"request_bytes\":%zu,\"reply_bytes\":%zu}\n", listen, sizes.request_len,
           sizes.reply_len);
    for (int client = 0; client < CLIENTS; client++) {
        compare((enum client)client, bus_url(bus, 0), echo_url, &sizes, 1, seconds);
        compare((enum client)client, bus_url(bus, 0), echo_url, &sizes, FLIGHTS, seconds);
    }
    echo_stop(echo, sock);
    must(bus_stop(bus, 1000) == 0);
    bus_free(bus);
    rpc_table_done(&table);
}

int
main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5;
    char dir[] = "/tmp/bench_bus.XXXXXX", bus[64], echo[64];
    if (seconds <= 0 || !mkdtemp(dir))
        return EXIT_FAILURE;
    (void)snprintf(bus, sizeof(bus), "ipc://%s/bus", dir);
    (void)snprintf(echo, sizeof(echo), "ipc://%s/echo", dir);
    run(bus, echo, seconds);
    run("tcp://127.0.0.1:0", "tcp://127.0.0.1:17342", seconds);
    (void)rmdir(dir);
    return EXIT_SUCCESS;
}
