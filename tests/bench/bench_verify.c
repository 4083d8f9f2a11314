/*
 * VerifyClient of a real server: verdicts that are known, asked for by the chain's digest and with the whole
 * chain, in batches of 32, beside Redis GET pipelined by 32.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "model/digest.h"
#include "pump.h"
#include "redis.h"
#include "world.h"

enum { HOSTS = 1000000, QUICK_HOSTS = 10000, CHAINS = 1024, BATCH = 32, BATCHES = 512, FLIGHTS = 16 };
enum { REGION = 65536, VALUE = 32 };
#define VERIFY "anchord.v1.EdgeService/VerifyClient"

static uint64_t hosts;

/* Hosts of zones whose CA is the first: the one that the chains lead to. */
static uint64_t
host_of_first_ca(struct prng *rng)
{
    uint64_t zones = (world_zones(hosts) + WORLD_CAS - 1) / WORLD_CAS;
    return prng_below(rng, zones) * WORLD_CAS * WORLD_ZONE_HOSTS + prng_below(rng, WORLD_ZONE_HOSTS);
}

static size_t
key_of(uint64_t i, char *out)
{
    return world_host(i, out);
}

static void
fill_question(Anchord__V1__VerifyQuestion *q, struct mem_region *r, struct prng *rng,
              const struct pki_chains *c, bool by_digest)
{
    char name[WORLD_NAME];
    acd_slice chain[2] = {c->leaf[prng_below(rng, c->n)], c->inter};
    size_t len = world_host(host_of_first_ca(rng), name);
    q->host = mem_strndup(r, name, len);
    if (by_digest) {
        uint8_t each[2][DIGEST_LEN], all[DIGEST_LEN];
        for (int i = 0; i < 2; i++)
            digest_sha256(chain[i].ptr, chain[i].len, each[i]);
        digest_sha256(each, sizeof(each), all);
        q->chain_digest = wire_bytes(mem_slice(r, slice_of(all, DIGEST_LEN)));
        return;
    }
    q->chain = mem_new_n(r, 2, ProtobufCBinaryData);
    q->n_chain = 2;
    for (int i = 0; i < 2; i++)
        q->chain[i] = wire_bytes(chain[i]);
}

static void
make_asks(struct pump_set *set, const struct pki_chains *chains, size_t n, size_t batch, bool by_digest)
{
    struct prng rng = {23};
    struct mem_region r;
    mem_init(&r, REGION, 0);
    for (size_t i = 0; i < n; i++) {
        Anchord__V1__VerifyClientRequest *req =
            wire_new(&r, Anchord__V1__VerifyClientRequest, anchord__v1__verify_client_request);
        req->questions = wire_list(&r, batch, Anchord__V1__VerifyQuestion, anchord__v1__verify_question);
        req->n_questions = batch;
        for (size_t k = 0; k < batch; k++)
            fill_question(req->questions[k], &r, &rng, chains, by_digest);
        pump_add(set, VERIFY, req);
        mem_reset(&r);
    }
    mem_done(&r);
}

static void
check_answers(struct pump *p, size_t batch, bool cached)
{
    struct mem_region r;
    void *msg;
    acd_err err = ACD_ERR_INIT;
    mem_init(&r, REGION, 0);
    rig_need(
        wire_unpack(&r, &anchord__v1__verify_client_response__descriptor, pump_ask_once(p, 0), &msg, &err),
        &err, "answer");
    const Anchord__V1__VerifyClientResponse *resp = msg;
    must(resp->n_answers == batch);
    for (size_t i = 0; i < batch; i++) {
        const Anchord__V1__VerifyAnswer *a = resp->answers[i];
        if (a->verdict != ANCHORD__V1__VERDICT__VERIFIED || (cached && !a->cached))
            rig_fail("answer %zu: verdict %d, cached %d, %s %s", i, a->verdict, a->cached, a->error,
                     a->reason);
    }
    mem_done(&r);
}

static double
batch_run(void *ctx, double seconds)
{
    return BATCH * pump_run(ctx, seconds);
}

static void
compare(struct pump *p, struct redis *redis, const char *measure, double reach, double seconds)
{
    const struct rig_pair pair = {.measure = measure,
                                  .unit = "verifications/s",
                                  .peer = "Redis GET pipelined by 32, unix socket",
                                  .reach = reach,
                                  .ours = batch_run,
                                  .theirs = redis_run,
                                  .ctx = p,
                                  .their_ctx = redis};
    if (redis->pid)
        (void)rig_compare(&pair, seconds);
    else
        rig_figure(measure, batch_run(p, seconds), "verifications/s");
}

int
main(int argc, char **argv)
{
    double seconds = rig_begin(argc, argv);
    char data[RIG_PATH];
    struct world w;
    struct pump_set digests = {0}, chains = {0};
    struct pump p;
    struct redis redis = {0};
    struct pki_chains made;
    hosts = seconds < 0.5 ? QUICK_HOSTS : HOSTS;
    world_kept(hosts, data);
    world_start(&w, data, RIG_SERVES);
    struct pki_pair root = pki_load(w.pki, "ca-0");
    pki_chains_make(&root, CHAINS, &made);
    make_asks(&digests, &made, BATCHES, BATCH, true);
    make_asks(&chains, &made, BATCHES, BATCH, false);
    if (redis_there()) {
        redis_start(&redis, hosts, key_of, VALUE);
        redis_prepare(&redis, (size_t)BATCHES * BATCH, hosts, key_of, BATCH, FLIGHTS);
    }
    pump_open(&p, w.ipc, &chains, FLIGHTS);
    for (size_t i = 0; i < chains.n; i++)
        (void)pump_ask_once(&p, i); /* from here on every verdict is known */
    check_answers(&p, BATCH, true);
    compare(&p, &redis, "VerifyClient, known verdicts, whole chains, 32 a batch", 0.35, seconds);
    p.set = &digests;
    check_answers(&p, BATCH, true);
    compare(&p, &redis, "VerifyClient, known verdicts, by digest, 32 a batch", 1, seconds);
    pump_close(&p);
    redis_stop(&redis);
    world_stop(&w);
    pump_done(&digests);
    pump_done(&chains);
    pki_chains_free(&made);
    pki_free(&root);
    return EXIT_SUCCESS;
}
