#include "query/chain.h"

#include "base/err.h"
#include "model/limits.h"

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
chain_take(struct known_store *known, struct mem_region *r, const Anchord__V1__VerifyQuestion *question,
           struct chain *ret, const char **ret_why)
{
    (void)known;
    *ret = (struct chain){0};
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
    return ACD_ENOENT;
}

void
chain_remember(struct known_store *known, const struct chain *chain)
{
    (void)known;
    (void)chain;
}

bool
chain_verdict_find(struct query *q, const uint8_t *trust_digest, const struct chain *chain, int64_t at_ms,
                   acd_verdict *ret)
{
    (void)q;
    (void)trust_digest;
    (void)chain;
    (void)at_ms;
    (void)ret;
    return false;
}

int
chain_verdict_get(struct query *q, const uint8_t *trust_digest, const struct chain *chain, int64_t at_ms,
                  uint64_t deadline_ns, chain_verify_fn fn, void *ctx, acd_verdict *ret, bool *ret_cached, acd_err *err)
{
    (void)q;
    (void)trust_digest;
    (void)chain;
    (void)at_ms;
    (void)deadline_ns;
    *ret_cached = false;
    return fn(ctx, ret, err);
}
