/* The chain of a question: its bytes or the digest that stands for them, and the verdict that is kept for it.
 * Only query/ includes this. */
#ifndef QUERY_CHAIN_H
#define QUERY_CHAIN_H

#include "base/mem.h"
#include "model/digest.h"
#include "query/flight.h"
#include "query/part.h"

struct chain {
    acd_slice *certs; /* leaf first */
    size_t n;
    uint8_t (*sha256)[DIGEST_LEN]; /* of each */
    uint8_t digest[DIGEST_LEN];    /* over all of them: SHA-256 of the SHA-256s */
    enum acd_purpose purpose;      /* what it is presented as; chain_take: a client's */
};

/* n is 0 when the question names the chain by its digest alone. ACD_EINVAL: *ret_why says what is wrong. */
int chain_take(struct mem_region *r, const Anchord__V1__VerifyQuestion *question, struct chain *ret,
               const char **ret_why) ACD_MUSTCHECK;

/* Certificates of a chain that is named by its digest. ACD_ENOENT: it is not known here. */
int chain_load(struct query *q, struct mem_region *r, struct chain *chain) ACD_MUSTCHECK;

/* What a verdict is about, but for its time. Its anchor is a place in the trust set. */
struct verdict_of {
    const uint8_t *trust_digest;
    uint64_t epoch; /* of the trust set's revocation data; 0: there is none */
    const struct chain *chain;
    enum bundle_kind kind;
};

/* A verdict that is kept and holds at that time. Inside a read section too. */
bool chain_verdict_find(struct query *q, const struct verdict_of *of, int64_t at_ms, acd_verdict *ret);

/* The verdict of fn, which one caller runs while others with the same question wait; kept afterwards. The
 * chain is loaded. */
int chain_verdict_get(struct query *q, const struct verdict_of *of, int64_t at_ms, uint64_t deadline_ns,
                      flight_fn fn, void *ctx, acd_verdict *ret, bool *ret_cached,
                      acd_err *err) ACD_MUSTCHECK;

#endif
