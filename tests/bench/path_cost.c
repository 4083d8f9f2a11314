/*
 * The warm paths of the server alone, from the bytes of a question to the bytes of its answer, with neither
 * network nor threads: for counting instructions, and for profiling.
 *
 *   path_cost PATH TIMES       PATH: trust-1, trust-32, trust-128, verify-32-digest, verify-32-chain,
 *                              evaluate-32, evaluate-32-brief
 *
 * Everything inside path_run is what a call costs; cost.py lets valgrind count it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rand.h"
#include "base/rcu.h"
#include "model/digest.h"
#include "pki.h"
#include "plug/life.h"
#include "query/query.h"
#include "rig.h"
#include "rule/record.h"
#include "snap/writer.h"
#include "wire/rpc.h"

extern const acd_plugin acd_plugin_1_validator_openssl;

enum {
    HOSTS = 10000,
    CHAINS = 64,
    TRUST_BATCH = 128,
    TRUST_SMALL_BATCH = 32,
    VERIFY_BATCH = 32,
    RULE_HOSTS = 100,
    STRIDE = 37,
    NAME = 64,
    BLOCK = 65536,
    OUT = 1 << 20
};
#define ZONE_ID    "0123456789abcdef0123456789abcdef"
#define ACCOUNT_ID "fedcba9876543210fedcba9876543210"
#define CA_ID      "2458ce5a-0c35-4c7f-82c7-8e9487d3ff60"

static acd_err err = ACD_ERR_INIT;
static struct rpc_table table;
static struct snap_pub pub;
static struct pki_chains chains;

static size_t
host_name(uint64_t i, char *out)
{
    return (size_t)snprintf(out, NAME, "host-%07llu.zone%llu.example.com", (unsigned long long)i,
                            (unsigned long long)i / 100);
}

/* The rule as people write it, with a hundred hosts in its set; those of the questions are among them. */
static void
put_rules(struct snap_writer *w)
{
    struct buf text = BUF_INIT(RULE_TEXT_MAX), record = BUF_INIT(BLOCK);
    char name[NAME];
    int64_t updated = 0;
    buf_puts(&text, "(http.host in {");
    for (uint64_t i = 0; i < RULE_HOSTS; i++) {
        (void)host_name(i * STRIDE, name);
        buf_printf(&text, "\"%s\" ", name);
    }
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
    must(!record.failed);
    must(snap_put_blob(w, SNAP_BLOB_RULES, SLICE_LIT(ZONE_ID), slice_of(record.data, record.len), &err) == 0);
    buf_done(&text);
    buf_done(&record);
}

static void
make_image(const struct pki_pair *root)
{
    struct snap_writer *w;
    struct snap_view *view;
    uint32_t set;
    uint8_t sha[DIGEST_LEN];
    acd_slice der = pki_der(root);
    digest_sha256(der.ptr, der.len, sha);
    const struct snap_ca ca = {.id = SLICE_LIT(CA_ID),
                               .sha256 = sha,
                               .subject = SLICE_LIT("CN=Bench Root CA,O=Bench"),
                               .der = der,
                               .not_after_ms = INT64_MAX};
    const struct snap_ca_use use = {SLICE_LIT(CA_ID), 0};
    rig_need(snap_writer_open(&(struct snap_writer_opts){.epoch = 1}, &w, &err), &err, "image");
    must(snap_begin_rebuild(w, 1, &err) == 0 && snap_put_ca(w, &ca, &err) == 0);
    must(snap_put_zone(w, SLICE_LIT(ZONE_ID), SLICE_LIT(ACCOUNT_ID), SLICE_LIT("example.com"), &err) == 0);
    must(snap_intern_trust(w, &use, 1, &set, &err) == 0);
    for (uint64_t i = 0; i < HOSTS; i++) {
        char name[NAME];
        size_t len = host_name(i, name);
        must(snap_put_host_set(w, slice_of(name, len), SLICE_LIT(ZONE_ID), set, &err) == 0);
    }
    put_rules(w);
    must(snap_commit(w, 1, 1, &view, &err) == 0);
    snap_pub_set(&pub, view);
    snap_writer_free(w);
    OPENSSL_free((void *)der.ptr);
}

/* --- questions --- */

static acd_slice
encode(const char *method, const void *body)
{
    struct frame_call f = {.method = slice_str(method),
                           .request_id = SLICE_LIT("0123456789abcdef"),
                           .timeout_ms = 10000,
                           .body = body};
    size_t len = frame_call_size(&f);
    uint8_t *raw = malloc(len);
    must(raw);
    frame_call_write(&f, raw);
    return slice_of(raw, len);
}

static acd_slice
ask_trust(size_t batch, int detail)
{
    struct mem_region r;
    struct prng rng = {batch};
    mem_init(&r, BLOCK, 0);
    Anchord__V1__GetTrustRequest *req =
        wire_new(&r, Anchord__V1__GetTrustRequest, anchord__v1__get_trust_request);
    req->questions = wire_list(&r, batch, Anchord__V1__TrustQuestion, anchord__v1__trust_question);
    req->n_questions = batch;
    req->detail = (Anchord__V1__TrustDetail)detail;
    for (size_t i = 0; i < batch; i++) {
        char name[NAME];
        size_t len = host_name(prng_below(&rng, HOSTS), name);
        req->questions[i]->host = mem_strndup(&r, name, len);
    }
    acd_slice raw = encode("anchord.v1.EdgeService/GetTrust", req);
    mem_done(&r);
    return raw;
}

/* A chain as the digest that stands for it. */
static acd_slice
chain_digest(struct mem_region *r, const acd_slice chain[2])
{
    uint8_t all[DIGEST_LEN];
    digest_chain(chain, 2, all);
    return mem_slice(r, slice_of(all, DIGEST_LEN));
}

static acd_slice
ask_verify(bool by_digest)
{
    struct mem_region r;
    mem_init(&r, BLOCK, 0);
    Anchord__V1__VerifyClientRequest *req =
        wire_new(&r, Anchord__V1__VerifyClientRequest, anchord__v1__verify_client_request);
    req->questions = wire_list(&r, VERIFY_BATCH, Anchord__V1__VerifyQuestion, anchord__v1__verify_question);
    req->n_questions = VERIFY_BATCH;
    for (size_t i = 0; i < VERIFY_BATCH; i++) {
        char name[NAME];
        size_t len = host_name(i * STRIDE, name);
        const acd_slice chain[2] = {chains.leaf[i % CHAINS], chains.inter};
        Anchord__V1__VerifyQuestion *q = req->questions[i];
        q->host = mem_strndup(&r, name, len);
        if (by_digest) {
            q->chain_digest = wire_bytes(chain_digest(&r, chain));
            continue;
        }
        q->n_chain = 2;
        q->chain = mem_new_n(&r, 2, ProtobufCBinaryData);
        q->chain[0] = wire_bytes(chain[0]);
        q->chain[1] = wire_bytes(chain[1]);
    }
    acd_slice raw = encode("anchord.v1.EdgeService/VerifyClient", req);
    mem_done(&r);
    return raw;
}

/* The certificates of ask_verify by their digests. */
static acd_slice
ask_evaluate(bool brief)
{
    struct mem_region r;
    mem_init(&r, BLOCK, 0);
    Anchord__V1__EvaluateRequest *req =
        wire_new(&r, Anchord__V1__EvaluateRequest, anchord__v1__evaluate_request);
    req->questions =
        wire_list(&r, VERIFY_BATCH, Anchord__V1__EvaluateQuestion, anchord__v1__evaluate_question);
    req->n_questions = VERIFY_BATCH;
    req->no_verification = brief;
    for (size_t i = 0; i < VERIFY_BATCH; i++) {
        char name[NAME];
        size_t len = host_name(i * STRIDE, name);
        const acd_slice chain[2] = {chains.leaf[i % CHAINS], chains.inter};
        req->questions[i]->host = mem_strndup(&r, name, len);
        req->questions[i]->chain_digest = wire_bytes(chain_digest(&r, chain));
    }
    acd_slice raw = encode("anchord.v1.EdgeService/Evaluate", req);
    mem_done(&r);
    return raw;
}

/* --- a call --- */

static size_t
answer(struct rpc_call *call, acd_slice raw, uint8_t *out)
{
    static const struct rpc_peer peer = {.transport = RPC_IPC};
    if (rpc_admit(&table, raw, &peer, call) == 0 && !rpc_try(&table, call))
        rpc_run(&table, call);
    size_t len = rpc_reply_size(call);
    must(len <= OUT);
    rpc_reply_write(call, out);
    mem_reset(call->region);
    return len;
}

__attribute__((noinline)) void path_run(struct rpc_call *call, acd_slice raw, uint8_t *out,
                                        unsigned long times);

void
path_run(struct rpc_call *call, acd_slice raw, uint8_t *out, unsigned long times)
{
    for (unsigned long i = 0; i < times; i++)
        (void)answer(call, raw, out);
}

static void
run(acd_slice raw, acd_slice warm_up, unsigned long times, const char *what)
{
    static uint8_t out[OUT];
    static struct rpc_call call;
    struct mem_region region;
    mem_init(&region, BLOCK, 0);
    call.region = &region;
    (void)answer(&call, warm_up, out);
    if (call.status < 0)
        rig_fail("%s: %s", what, call.err.text);
    size_t len = answer(&call, raw, out);
    if (call.status < 0)
        rig_fail("%s: %s", what, call.err.text);
    uint64_t start = rig_ns();
    path_run(&call, raw, out, times);
    (void)printf("{\"path\": \"%s\", \"request_bytes\": %zu, \"reply_bytes\": %zu, \"us\": %.3f}\n", what,
                 raw.len, len, rig_since(start) / (double)times * 1e6);
    mem_done(&region);
}

static acd_slice
question(const char *path)
{
    if (strcmp(path, "trust-1") == 0)
        return ask_trust(1, ANCHORD__V1__TRUST_DETAIL__TRUST_CAS);
    if (strcmp(path, "trust-32") == 0)
        return ask_trust(TRUST_SMALL_BATCH, ANCHORD__V1__TRUST_DETAIL__TRUST_CAS);
    if (strcmp(path, "trust-128") == 0)
        return ask_trust(TRUST_BATCH, ANCHORD__V1__TRUST_DETAIL__TRUST_DIGESTS);
    if (strcmp(path, "verify-32-digest") == 0)
        return ask_verify(true);
    if (strcmp(path, "verify-32-chain") == 0)
        return ask_verify(false);
    if (strcmp(path, "evaluate-32") == 0)
        return ask_evaluate(false);
    if (strcmp(path, "evaluate-32-brief") == 0)
        return ask_evaluate(true);
    rig_fail("there is no path %s", path);
}

int
main(int argc, char **argv)
{
    struct plug_env env = {.clock = &clock_system};
    struct plug *plug;
    struct plug_validator validator;
    struct query *query;
    if (argc != 3)
        rig_fail("usage: path_cost PATH TIMES");
    rcu_thread_enter();
    struct pki_pair root = pki_make("Bench Root CA", PKI_CA, NULL);
    pki_chains_make(&root, CHAINS, &chains);
    make_image(&root);
    rig_need(plug_new(ACD_VALIDATOR, "linked in", &acd_plugin_1_validator_openssl, &env, &plug, &err), &err,
             "plugin");
    must(plug_open(plug, &err) == 0 && plug_configure(plug, NULL, 0, &err) == 0 &&
         plug_create(plug, &err) == 0 && plug_start(plug, &err) == 0);
    plug_validator_init(&validator, plug);
    const struct query_deps deps = {.pub = &pub,
                                    .validator = &validator,
                                    .clock = &clock_system,
                                    .verdicts = 4096,
                                    .bundles = 16,
                                    .rules = 16};
    must(rpc_table_init(&table, &clock_system) == 0 && query_new(&deps, &query, &err) == 0 &&
         query_bind(query, &table, &err) == 0);
    acd_slice raw = question(argv[1]), warm_up = ask_verify(false);
    run(raw, warm_up, strtoul(argv[2], NULL, 10), argv[1]);
    free((void *)raw.ptr);
    free((void *)warm_up.ptr);
    rpc_table_done(&table);
    query_free(query);
    plug_free(plug);
    snap_pub_set(&pub, NULL);
    rcu_drain();
    rcu_thread_leave();
    pki_chains_free(&chains);
    pki_free(&root);
    return EXIT_SUCCESS;
}
