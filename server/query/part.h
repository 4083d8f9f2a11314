/* What the handlers of query/ share. Only query/ includes this. */
#ifndef QUERY_PART_H
#define QUERY_PART_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/str.h"
#include "query/bundles.h"
#include "query/query.h"
#include "query/roots.h"
#include "query/rulesets.h"
#include "rule/vm.h"
#include "wire/msg.h"

enum query_counter {
    QUERY_TRUST_QUESTIONS,
    QUERY_VERIFY_QUESTIONS,
    QUERY_VERDICT_HITS,
    QUERY_VERDICT_MISSES,
    QUERY_VERIFICATIONS,
    QUERY_EVALUATE_QUESTIONS,
    QUERY_ORIGIN_QUESTIONS,
    QUERY_COUNTERS
};

enum { QUERY_SPARE_MAX = 64 };

struct query {
    struct query_deps deps;
    struct bundles *bundles;
    struct verdict_cache *verdicts;
    struct known_store *known; /* chains by their digest */
    struct known_store *facts; /* what the validator says about them, by the same digest */
    struct rule_scheme *scheme;
    struct rulesets *rulesets;
    pthread_mutex_t spare_lock;
    struct rule_ctx *spare[QUERY_SPARE_MAX]; /* contexts that nobody uses */
    size_t nspare;
    struct flights *flights;
    struct roots *roots;
    _Atomic uint64_t counts[QUERY_COUNTERS];
};

static inline void
query_count(struct query *q, enum query_counter c, uint64_t n)
{
    (void)atomic_fetch_add_explicit(&q->counts[c], n, memory_order_relaxed);
}

/* A host name of a question in normal form, or why it has none. Borrowed from the question when it is in
 * normal form already. */
struct query_host {
    const char *name;
    size_t len;
    const char *error; /* NULL: fine */
};
int query_host(struct mem_region *r, const char *text, struct query_host *ret) ACD_MUSTCHECK;

/* Whose CAs a question is about: "" the shared pool, "access". false: no such product. */
bool query_product(const char *product, bool *ret_access);
extern const char query_bad_product[]; /* the sentence for it */

/* What a question about Access finds in place of what the batch did, which asked for clients' hosts only. */
static inline int
query_access_lookup(const struct snap_view *view, const struct query_host *h, struct snap_hit *hit)
{
    return snap_names_lookup(view, SNAP_NAMES_ACCESS, h->name, h->len, hit);
}

/* The association that matched; NUL-terminated, for messages that want it so. */
int query_pattern(struct mem_region *r, const struct query_host *h, const struct snap_hit *hit,
                  acd_slice *ret) ACD_MUSTCHECK;

/* Does the caller's token reach the zone? What it does not reach is answered as what is not there. */
bool query_reaches(const struct rpc_call *call, const struct snap_view *view, uint32_t zone);
static inline void
query_reach_hit(const struct rpc_call *call, const struct snap_view *view, struct snap_hit *hit, int *found)
{
    if (call->scope && *found == 1 && !query_reaches(call, view, hit->zone)) {
        *hit = (struct snap_hit){0};
        *found = 0;
    }
}

/* The number of the zone with that id or name. 0, ACD_ENOENT, ACD_ECORRUPT. */
int query_zone_find(const struct snap_view *view, acd_slice which, uint32_t *ret);
int query_zone_by_name(const struct snap_view *view, acd_slice name, uint32_t *ret);

/* The sentence for a batch that could not be answered. */
int query_failed(int rc, acd_err *err);

int query_get_trust(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err);
int query_verify_client(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err);
int query_verify_origin(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err);
int query_evaluate(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err);

/* A context for the rules, empty; given back when the batch is done. */
struct rule_ctx *query_ctx_take(struct query *q) ACD_MUSTCHECK;
void query_ctx_give(struct query *q, struct rule_ctx *c);

#endif
