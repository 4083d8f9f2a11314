#include "query/chain.h"

#include "model/limits.h"
#include "query/known.h"

static const char *
check_size(const Anchord__V1__VerifyQuestion *question)
{
    size_t total = 0;
    if (question->n_chain > LIMIT_CHAIN)
        return "the chain has more than 17 certificates";
    for (size_t i = 0; i < question->n_chain; i++) {
        total += question->chain[i].len;
        if (question->chain[i].len == 0)
            return "the chain holds an empty certificate";
        if (question->chain[i].len > LIMIT_CERT_DER)
            return "a certificate of the chain is larger than 16384 bytes";
    }
    return total > LIMIT_CHAIN_BYTES ? "the chain is larger than 65536 bytes" : NULL;
}

static int
from_bytes(struct mem_region *r, const Anchord__V1__VerifyQuestion *question, struct chain *ret)
{
    ret->n = question->n_chain;
    ret->certs = mem_new_n(r, ret->n, acd_slice);
    ret->sha256 = mem_array(r, ret->n, DIGEST_LEN);
    if (!ret->certs || !ret->sha256)
        return ACD_ENOMEM;
    for (size_t i = 0; i < ret->n; i++) {
        ret->certs[i] = wire_slice(question->chain[i]);
        digest_sha256(ret->certs[i].ptr, ret->certs[i].len, ret->sha256[i]);
    }
    digest_sha256(ret->sha256, ret->n * DIGEST_LEN, ret->digest);
    return 0;
}

int
chain_take(struct mem_region *r, const Anchord__V1__VerifyQuestion *question, struct chain *ret,
           const char **ret_why)
{
    *ret = (struct chain){.purpose = ACD_PURPOSE_CLIENT};
    if (question->n_chain > 0) {
        *ret_why = check_size(question);
        return *ret_why ? ACD_EINVAL : from_bytes(r, question, ret);
    }
    if (question->chain_digest.len == 0) {
        *ret_why = "no certificate was presented";
        return ACD_EINVAL;
    }
    if (question->chain_digest.len != DIGEST_LEN) {
        *ret_why = "chain_digest is not 32 bytes long";
        return ACD_EINVAL;
    }
    memcpy(ret->digest, question->chain_digest.data, DIGEST_LEN);
    return 0;
}

int
chain_load(struct query *q, struct mem_region *r, struct chain *chain)
{
    return chain->n ? 0 : known_get(q->known, chain->digest, r, &chain->certs, &chain->n);
}

static struct verdict_key
key_of(const struct verdict_of *of)
{
    struct verdict_key key = {
        .purpose = of->chain->purpose, .observed = of->kind == BUNDLE_OBSERVES, .epoch = of->epoch};
    memcpy(key.chain, of->chain->digest, sizeof(key.chain));
    memcpy(key.trust, of->trust_digest, sizeof(key.trust));
    return key;
}

bool
chain_verdict_find(struct query *q, const struct verdict_of *of, int64_t at_ms, acd_verdict *ret)
{
    struct verdict_key key = key_of(of);
    return verdict_find(q->verdicts, &key, at_ms, ret);
}

int
chain_verdict_get(struct query *q, const struct verdict_of *of, int64_t at_ms, uint64_t deadline_ns,
                  flight_fn fn, void *ctx, acd_verdict *ret, bool *ret_cached, acd_err *err)
{
    struct verdict_key key = key_of(of);
    bool waited;
    *ret_cached = false;
    int rc = flight_run(q->flights, &key, deadline_ns, fn, ctx, ret, &waited, err);
    /* Whoever ran the flight may have asked about another time. */
    if (rc == 0 && waited && (at_ms < ret->valid_from_ms || at_ms > ret->valid_until_ms)) {
        waited = false;
        rc = fn(ctx, ret, err);
    }
    if (rc < 0)
        return rc;
    *ret_cached = waited;
    if (!waited)
        verdict_put(q->verdicts, &key, ret);
    if (ret->result == ACD_VERIFIED)
        known_put(q->known, of->chain->digest, of->chain->certs, of->chain->n);
    return 0;
}
