#include "query/query.h"

#include <stdlib.h>

#include "base/err.h"
#include "eval/verdict.h"
#include "model/host.h"
#include "model/ids.h"
#include "query/flight.h"
#include "query/known.h"
#include "query/part.h"

/* Room for chains beside each kept verdict: a leaf and an intermediate. */
enum { KNOWN_BYTES_PER_VERDICT = 2048 };

int
query_host(struct mem_region *r, const char *text, struct query_host *ret)
{
    struct host h;
    acd_err err = ACD_ERR_INIT;
    size_t len = strlen(text);
    *ret = (struct query_host){.name = text, .len = len};
    if (host_is_normal(text, len))
        return 0;
    int rc = host_parse(slice_of(text, len), &h, &err);
    if (rc < 0)
        *ret = (struct query_host){.name = "", .error = mem_strdup(r, err_text(&err, rc))};
    else
        *ret = (struct query_host){.name = mem_strndup(r, h.name, h.len), .len = h.len};
    return ret->name && (rc == 0 || ret->error) ? 0 : ACD_ENOMEM;
}

const char query_bad_product[] = "the product is neither empty nor \"access\"";

bool
query_product(const char *product, bool *ret_access)
{
    *ret_access = product[0] && strcmp(product, "access") == 0;
    return *ret_access || !product[0];
}

int
query_pattern(struct mem_region *r, const struct query_host *h, const struct snap_hit *hit, acd_slice *ret)
{
    const char *dot = hit->match == SNAP_EXACT ? NULL : memchr(h->name, '.', h->len);
    *ret = slice_of(h->name, h->len);
    if (!dot)
        return 0;
    size_t rest = (size_t)(h->name + h->len - dot);
    char *text = mem_alloc(r, rest + 2);
    if (!text)
        return ACD_ENOMEM;
    text[0] = '*';
    memcpy(text + 1, dot, rest);
    text[rest + 1] = '\0';
    *ret = slice_of(text, rest + 1);
    return 0;
}

int
query_zone_by_name(const struct snap_view *view, acd_slice name, uint32_t *ret)
{
    acd_slice id;
    int rc = snap_blob_find(view, SNAP_BLOB_ZONE_NAME, name, &id);
    return rc < 0 ? rc : snap_zone_find(view, id, ret);
}

int
query_zone_find(const struct snap_view *view, acd_slice which, uint32_t *ret)
{
    if (id_is_hex(which))
        return snap_zone_find(view, which, ret);
    return which.len && which.len <= SNAP_NAME_MAX ? query_zone_by_name(view, which, ret) : ACD_ENOENT;
}

bool
query_reaches(const struct rpc_call *call, const struct snap_view *view, uint32_t zone)
{
    struct snap_zone z;
    if (!call->scope)
        return true;
    return snap_zone_get(view, zone, &z) == 0 && call->scope->has_zone(call->scope, z.account, z.id);
}

int
query_failed(int rc, acd_err *err)
{
    if (rc == ACD_EUNAVAIL)
        return err_set(err, rc, "no snapshot is loaded yet");
    if (rc == ACD_ECORRUPT)
        return err_set(err, rc, "the snapshot is damaged: what this question needs cannot be read");
    if (rc == ACD_ENOMEM)
        return err_set(err, ACD_ELIMIT,
                       "the answer needs more memory than one request may use: ask less at once");
    return rc;
}

int
query_new(const struct query_deps *deps, struct query **ret, acd_err *err)
{
    struct query *q = calloc(1, sizeof(*q));
    if (!q)
        return err_set(err, ACD_ENOMEM, "out of memory");
    q->deps = *deps;
    must(pthread_mutex_init(&q->spare_lock, NULL) == 0);
    int rc = bundles_new(deps->validator, deps->bundles, &q->bundles, err);
    if (rc == 0)
        rc = verdict_cache_new(deps->verdicts, &q->verdicts, err);
    if (rc == 0)
        rc = known_store_new(deps->verdicts * KNOWN_BYTES_PER_VERDICT, &q->known, err);
    if (rc == 0)
        rc = known_store_new(deps->verdicts * KNOWN_BYTES_PER_VERDICT, &q->facts, err);
    if (rc == 0)
        rc = rule_scheme_new(true, &q->scheme);
    if (rc == 0)
        rc = rulesets_new(q->scheme, deps->rules, &q->rulesets, err);
    if (rc == 0)
        rc = flights_new(&q->flights, err);
    if (rc == 0)
        rc = roots_new(deps->validator, deps->public_roots, &q->roots, err);
    if (rc < 0) {
        query_free(q);
        return rc;
    }
    *ret = q;
    return 0;
}

void
query_free(struct query *q)
{
    if (!q)
        return;
    roots_free(q->roots);
    flights_free(q->flights);
    for (size_t i = 0; i < q->nspare; i++)
        rule_ctx_free(q->spare[i]);
    (void)pthread_mutex_destroy(&q->spare_lock);
    rulesets_free(q->rulesets);
    rule_scheme_free(q->scheme);
    known_store_free(q->facts);
    known_store_free(q->known);
    verdict_cache_free(q->verdicts);
    bundles_free(q->bundles);
    free(q);
}

struct rule_ctx *
query_ctx_take(struct query *q)
{
    struct rule_ctx *c = NULL;
    (void)pthread_mutex_lock(&q->spare_lock);
    if (q->nspare)
        c = q->spare[--q->nspare];
    (void)pthread_mutex_unlock(&q->spare_lock);
    if (!c && rule_ctx_new(q->scheme, 0, &c) < 0)
        return NULL;
    return c;
}

void
query_ctx_give(struct query *q, struct rule_ctx *c)
{
    if (!c)
        return;
    rule_ctx_reset(c);
    (void)pthread_mutex_lock(&q->spare_lock);
    if (q->nspare < QUERY_SPARE_MAX) {
        q->spare[q->nspare++] = c;
        c = NULL;
    }
    (void)pthread_mutex_unlock(&q->spare_lock);
    rule_ctx_free(c);
}

int
query_bind(struct query *q, struct rpc_table *table, acd_err *err)
{
    int rc = rpc_bind_prompt(table, "EdgeService/GetTrust", query_get_trust, q);
    if (rc == 0)
        rc = rpc_bind_prompt(table, "EdgeService/VerifyClient", query_verify_client, q);
    if (rc == 0)
        rc = rpc_bind_prompt(table, "EdgeService/Evaluate", query_evaluate, q);
    if (rc == 0)
        rc = rpc_bind_prompt(table, "EdgeService/VerifyOrigin", query_verify_origin, q);
    return rc < 0 ? err_set(err, rc, "EdgeService: %s", status_text(rc)) : 0;
}

void
query_refresh(struct query *q)
{
    roots_refresh(q->roots);
}

static uint64_t
count_of(struct query *q, enum query_counter c)
{
    return atomic_load_explicit(&q->counts[c], memory_order_relaxed);
}

void
query_counters(struct query *q, struct query_counters *ret)
{
    *ret = (struct query_counters){
        .trust_questions = count_of(q, QUERY_TRUST_QUESTIONS),
        .verify_questions = count_of(q, QUERY_VERIFY_QUESTIONS),
        .evaluate_questions = count_of(q, QUERY_EVALUATE_QUESTIONS),
        .origin_questions = count_of(q, QUERY_ORIGIN_QUESTIONS),
        .verifications = count_of(q, QUERY_VERIFICATIONS),
        .verdict_hits = count_of(q, QUERY_VERDICT_HITS),
        .verdict_misses = count_of(q, QUERY_VERDICT_MISSES),
    };
    struct verdict_counters v;
    verdict_cache_counters(q->verdicts, &v);
    ret->verdict_evictions = v.evictions;
    ret->verdict_entries = v.entries;
    bundles_count(q->bundles, &ret->bundle_builds, &ret->bundles);
    rulesets_count(q->rulesets, &ret->ruleset_builds, &ret->rulesets);
}
