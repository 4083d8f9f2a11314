/*
 * What rules cost beside a look-up: Evaluate with a warm certificate and the usual mTLS rule, and GetTrust,
 * both in batches of 32 over ipc, from the same snapshot in the same process, in turn.
 *
 *   bench_evaluate [seconds per figure]       prints one JSON object per line
 *
 * The validator answers at once: a warm verdict does not ask it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rcu.h"
#include "lib/stand_in.h"
#include "model/digest.h"
#include "query/query.h"
#include "rule/record.h"
#include "snap/writer.h"
#include "wire/bus.h"
#include "wire/call.h"

enum { BATCH = 32, HOSTS = 10000, FLIGHTS = 16, ROUNDS = 5, FRAME_MAX = 16384 };

static const char zone_id[] = "0123456789abcdef0123456789abcdef";
static const char ca_id[] = "00000000-0000-4000-8000-000000000001";

/* ---- the snapshot ---- */

static void
host_name(size_t i, char out[64])
{
    (void)snprintf(out, 64, "host-%zu.example.com", i * 7919 % HOSTS);
}

/* The rule as people write it, with a hundred hosts in its set. */
static void
put_rules(struct snap_writer *w)
{
    struct buf text = BUF_INIT(RULE_TEXT_MAX), record = BUF_INIT(1 << 16);
    int64_t updated = 0;
    buf_puts(&text, "(http.host in {");
    for (int i = 0; i < 100; i++)
        buf_printf(&text, "\"host-%d.example.com\" ", i);
    buf_puts(&text, "} and not cf.tls_client_auth.cert_verified)");
    must(!text.failed);
    struct rule_in rule = {.id = SLICE_LIT("1"),
                           .ref = SLICE_LIT("1"),
                           .description = SLICE_LIT("mTLS"),
                           .expression = slice_of(text.data, text.len),
                           .action = SLICE_LIT("block"),
                           .version = 1};
    const struct rule_record rec = {SLICE_LIT("set"), 1, &rule, &updated, 1};
    rule_record_encode(&record, &rec);
    must(snap_put_blob(w, SNAP_BLOB_RULES, slice_str(zone_id), slice_of(record.data, record.len), NULL) == 0);
    buf_done(&text);
    buf_done(&record);
}

static struct snap_writer *
world(struct snap_pub *pub)
{
    struct snap_writer *w;
    struct snap_view *view;
    uint8_t sha[32] = {1};
    const struct snap_ca ca = {.id = slice_str(ca_id),
                               .sha256 = sha,
                               .subject = SLICE_LIT("CN=Example CA"),
                               .der = SLICE_LIT("der")};
    const struct snap_ca_use use = {.id = slice_str(ca_id)};
    must(snap_writer_open(&(struct snap_writer_opts){0}, &w, NULL) == 0 && snap_begin(w, NULL) == 0);
    must(snap_put_zone(w, slice_str(zone_id), slice_str(zone_id), SLICE_LIT("example.com"), NULL) == 0);
    must(snap_put_ca(w, &ca, NULL) == 0);
    for (size_t i = 0; i < HOSTS; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "host-%zu.example.com", i);
        must(snap_put_host(w, slice_str(name), slice_str(zone_id), &use, 1, NULL) == 0);
    }
    put_rules(w);
    must(snap_commit(w, 1, 0, &view, NULL) == 0);
    snap_pub_set(pub, view);
    return w;
}

/* ---- requests ---- */

struct request {
    uint8_t bytes[FRAME_MAX];
    size_t len;
};

static void
fill(struct request *out, const char *method, const void *body)
{
    struct frame_call f = {.method = slice_str(method),
                           .request_id = SLICE_LIT("0123456789abcdef"),
                           .timeout_ms = 10000,
                           .body = body};
    out->len = frame_call_size(&f);
    must(out->len <= sizeof(out->bytes));
    frame_call_write(&f, out->bytes);
}

/* chain: the first time, the certificate itself; afterwards its digest. Every host is one of the rule's. */
static void
evaluate_request(struct request *out, bool chain, bool brief)
{
    static const acd_slice leaf = SLICE_LIT("the client's certificate");
    uint8_t digest[DIGEST_LEN];
    ProtobufCBinaryData der = wire_bytes(leaf);
    struct mem_region r;
    mem_init(&r, 65536, 0);
    digest_chain(&leaf, 1, digest);
    Anchord__V1__EvaluateRequest *req =
        wire_new(&r, Anchord__V1__EvaluateRequest, anchord__v1__evaluate_request);
    req->questions = wire_list(&r, BATCH, Anchord__V1__EvaluateQuestion, anchord__v1__evaluate_question);
    req->n_questions = BATCH;
    req->no_verification = brief;
    for (size_t i = 0; i < BATCH; i++) {
        Anchord__V1__EvaluateQuestion *q = req->questions[i];
        q->host = mem_printf(&r, "host-%zu.example.com", i * 3);
        q->chain = chain ? &der : NULL;
        q->n_chain = chain;
        if (!chain)
            q->chain_digest = wire_bytes(slice_of(digest, sizeof(digest)));
    }
    fill(out, "anchord.v1.EdgeService/Evaluate", req);
    mem_done(&r);
}

static void
trust_request(struct request *out)
{
    struct mem_region r;
    mem_init(&r, 65536, 0);
    Anchord__V1__GetTrustRequest *req =
        wire_new(&r, Anchord__V1__GetTrustRequest, anchord__v1__get_trust_request);
    req->questions = wire_list(&r, BATCH, Anchord__V1__TrustQuestion, anchord__v1__trust_question);
    req->n_questions = BATCH;
    for (size_t i = 0; i < BATCH; i++) {
        char name[64];
        host_name(i, name);
        req->questions[i]->host = mem_strdup(&r, name);
    }
    fill(out, "anchord.v1.EdgeService/GetTrust", req);
    mem_done(&r);
}

/* ---- measuring ---- */

static void
write_bytes(const void *arg, uint8_t *out)
{
    const struct request *req = arg;
    memcpy(out, req->bytes, req->len);
}

/* Every answer of an Evaluate must be the good one: a figure of errors would be none. */
static void
check_allowed(acd_slice reply)
{
    struct mem_region r;
    struct frame_reply f;
    void *m = NULL;
    mem_init(&r, 65536, 0);
    must(frame_reply_decode(&r, reply, &f, NULL) == 0 && f.code == 0);
    must(wire_unpack(&r, &anchord__v1__evaluate_response__descriptor, f.payload, &m, NULL) == 0);
    const Anchord__V1__EvaluateResponse *resp = m;
    must(resp->n_answers == BATCH);
    for (size_t i = 0; i < BATCH; i++)
        if (!resp->answers[i]->allowed || resp->answers[i]->steps < 3) {
            (void)fprintf(stderr, "answer %zu: %s %s\n", i, resp->answers[i]->action,
                          resp->answers[i]->reason);
            exit(EXIT_FAILURE);
        }
    mem_done(&r);
}

static double
measure(const char *url, const struct request *req, double seconds, bool check)
{
    struct link *l;
    struct link_group g;
    struct link_reply r;
    must(link_open(url, FLIGHTS, &l, NULL) == 0);
    uint64_t began = clock_mono_ns(&clock_system), limit = (uint64_t)(seconds * 1e9), calls = 0, now;
    must(link_wait(l, began + 2000000000, NULL) == 0);
    link_group_init(&g, l);
    const struct link_send send = {
        .len = req->len, .write = write_bytes, .arg = req, .deadline_ns = began + limit + 10000000000};
    for (unsigned i = 0; i < FLIGHTS; i++)
        must(link_submit(&g, &send, NULL) == 0);
    began = clock_mono_ns(&clock_system);
    do {
        must(link_collect(&g, UINT64_MAX, &r) == 1 && r.status == 0);
        if (check && calls == 0)
            check_allowed(r.bytes);
        link_reply_done(&r);
        calls++;
        now = clock_mono_ns(&clock_system);
        must(link_submit(&g, &send, NULL) == 0);
    } while (now - began < limit);
    link_group_done(&g);
    link_close(l);
    return (double)calls * BATCH / ((double)(now - began) / 1e9);
}

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double
median(double figures[ROUNDS])
{
    qsort(figures, ROUNDS, sizeof(*figures), by_size);
    return figures[ROUNDS / 2];
}

static void
report(const char *what, double evaluate, double get)
{
    printf(
        "{\"measure\":\"Evaluate over ipc, batches of %d, warm certificate%s\",\"value\":%.0f,"
        "\"unit\":\"questions/s\",\"peer\":\"GetTrust, batches of %d\",\"peer_value\":%.0f,\"reach\":0.7}\n",
        BATCH, what, evaluate, BATCH, get);
}

static void
compare(const char *url, double seconds)
{
    static struct request warm, ask, brief, trust;
    double full[ROUNDS], bare[ROUNDS], get[ROUNDS];
    evaluate_request(&warm, true, false);
    evaluate_request(&ask, false, false);
    evaluate_request(&brief, false, true);
    trust_request(&trust);
    (void)measure(url, &warm, 0.01, true);
    for (int i = 0; i < ROUNDS; i++) {
        full[i] = measure(url, &ask, seconds, true);
        get[i] = measure(url, &trust, seconds, false);
        bare[i] = measure(url, &brief, seconds, true);
    }
    double trusts = median(get);
    report("", median(full), trusts);
    report(", without the verification", median(bare), trusts);
}

int
main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5;
    char dir[] = "/tmp/bench_evaluate.XXXXXX", url[64];
    const char *listen = url;
    static struct snap_pub pub;
    static const acd_validator_ops acts;
    struct stand_in validator;
    struct rpc_table table;
    struct query *query;
    struct bus *bus;
    if (seconds <= 0 || !mkdtemp(dir))
        return EXIT_FAILURE;
    (void)snprintf(url, sizeof(url), "ipc://%s/bus", dir);
    stand_in_open(&validator, &acts);
    struct snap_writer *w = world(&pub);
    const struct query_deps deps = {.pub = &pub,
                                    .validator = &validator.validator,
                                    .clock = &clock_system,
                                    .verdicts = 65536,
                                    .bundles = 16,
                                    .rules = 16};
    must(query_new(&deps, &query, NULL) == 0 && rpc_table_init(&table, &clock_system) == 0);
    must(query_bind(query, &table, NULL) == 0);
    const struct bus_opts opts = {.table = &table, .urls = &listen, .n_urls = 1};
    must(bus_start(&opts, &bus, NULL) == 0);
    compare(bus_url(bus, 0), seconds);
    must(bus_stop(bus, 1000) == 0);
    bus_free(bus);
    rpc_table_done(&table);
    query_free(query);
    snap_pub_set(&pub, NULL);
    rcu_drain();
    snap_writer_free(w);
    stand_in_close(&validator);
    (void)rmdir(dir);
    return EXIT_SUCCESS;
}
