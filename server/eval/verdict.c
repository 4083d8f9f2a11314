#include "eval/verdict.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <anchord/plugin-validator.h>

#include "base/map.h"
#include "model/digest.h"

/* Refusals that were reached once, by hash; a full table forgets by overwriting. */
enum { REFUSED_ONCE = 1024 };
/* The part of the bound that refusals may use. */
enum { REFUSAL_SHARE = 8 };

struct verdict_flight {
    uint8_t key[32];
    unsigned parties; /* the leader and who waits */
    bool landed;
    int status;
    const struct verdict *verdict;
    pthread_cond_t done;
    struct verdict_flight *next;
};

struct flights {
    struct verdict_flight *first[64];
    uint64_t once[REFUSED_ONCE];
    uint64_t leads, waits, timeouts;
    unsigned open;
};

struct verdict_cache {
    struct lru lru;
    struct verdict_opts opts;
    struct flights flights[LRU_SHARDS]; /* under the lock of the shard with the same number */
};

static int
hash_cmp(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

static void
put_u64(struct digest *d, uint64_t v)
{
    uint8_t b[8];
    for (unsigned i = 0; i < 8; i++)
        b[i] = (uint8_t)(v >> (8 * i));
    digest_update(d, b, sizeof(b));
}

int
verdict_key(const struct verdict_question *q, uint8_t ret[32])
{
    uint8_t sorted[VERDICT_UNTRUSTED_MAX][32];
    size_t n = 0;
    if (q->nuntrusted > VERDICT_UNTRUSTED_MAX)
        return ACD_ELIMIT;
    if (q->nuntrusted) {
        memcpy(sorted, q->untrusted, q->nuntrusted * 32);
        qsort(sorted, q->nuntrusted, 32, hash_cmp);
        n = 1;
    }
    for (size_t i = 1; i < q->nuntrusted; i++)
        if (memcmp(sorted[i], sorted[n - 1], 32) != 0)
            memmove(sorted[n++], sorted[i], 32);
    struct digest d;
    digest_init(&d);
    digest_update(&d, q->leaf, 32);
    digest_update(&d, q->trust, 32);
    put_u64(&d, (uint64_t)q->purpose << 32 | q->policy);
    put_u64(&d, (uint64_t)(int64_t)q->max_depth);
    put_u64(&d, q->revocation);
    put_u64(&d, n);
    digest_update(&d, sorted, n * 32);
    put_u64(&d, q->name.len);
    if (q->name.len)
        digest_update(&d, q->name.ptr, q->name.len);
    digest_final(&d, ret);
    return 0;
}

struct verdict_cache *
verdict_cache_new(const struct verdict_opts *opts)
{
    struct verdict_cache *c = aligned_alloc(64, (sizeof(*c) + 63) / 64 * 64);
    if (!c)
        return NULL;
    memset(c, 0, sizeof(*c));
    c->opts = *opts;
    if (!c->opts.max_bytes)
        c->opts.max_bytes = VERDICT_BYTES;
    if (!c->opts.refusal_ms)
        c->opts.refusal_ms = VERDICT_REFUSAL_MS;
    if (!c->opts.limit_ms)
        c->opts.limit_ms = VERDICT_LIMIT_MS;
    if (!c->opts.max_flights)
        c->opts.max_flights = VERDICT_FLIGHTS;
    if (lru_init(&c->lru, c->opts.max_bytes, c->opts.max_bytes / REFUSAL_SHARE) < 0) {
        free(c);
        return NULL;
    }
    return c;
}

void
verdict_cache_free(struct verdict_cache *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < LRU_SHARDS; i++)
        must(c->flights[i].open == 0);
    lru_done(&c->lru);
    free(c);
}

void
verdict_unref(const struct verdict *v)
{
    lru_unref((struct lru_entry *)v);
}

static const struct verdict *
verdict_ref(const struct verdict *v)
{
    if (v)
        (void)atomic_fetch_add_explicit(&((struct verdict *)v)->entry.refs, 1, memory_order_relaxed);
    return v;
}

static bool
holds_at(const struct verdict *v, int64_t at_ms)
{
    return v->facts.from_ms <= at_ms && at_ms <= v->facts.until_ms;
}

/* A kept verdict that holds then, with a reference. Counts. */
static const struct verdict *
find_locked(struct verdict_cache *c, struct lru_shard *s, uint64_t hash, const uint8_t *key, int64_t at_ms)
{
    const struct verdict *v = (const struct verdict *)lru_find_locked(&c->lru, s, hash, key);
    if (v && !holds_at(v, at_ms))
        v = NULL;
    s->stats.hits += v != NULL;
    s->stats.misses += v == NULL;
    return verdict_ref(v);
}

const struct verdict *
verdict_find(struct verdict_cache *c, const uint8_t key[32], int64_t at_ms)
{
    uint64_t hash;
    struct lru_shard *s = lru_shard(&c->lru, key, &hash);
    (void)pthread_mutex_lock(&s->lock);
    const struct verdict *v = find_locked(c, s, hash, key, at_ms);
    (void)pthread_mutex_unlock(&s->lock);
    return v;
}

static struct flights *
flights_of(struct verdict_cache *c, const struct lru_shard *s)
{
    return &c->flights[s - c->lru.shards];
}

static struct verdict_flight **
flight_at(struct flights *f, uint64_t hash, const uint8_t *key)
{
    struct verdict_flight **at = &f->first[hash & 63];
    while (*at && memcmp((*at)->key, key, 32) != 0)
        at = &(*at)->next;
    return at;
}

static int
flight_new(const uint8_t key[32], struct verdict_flight **ret)
{
    struct verdict_flight *f = calloc(1, sizeof(*f));
    pthread_condattr_t attr;
    if (!f || pthread_condattr_init(&attr) != 0) {
        free(f);
        return ACD_ENOMEM;
    }
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int rc = pthread_cond_init(&f->done, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (rc != 0) {
        free(f);
        return ACD_ENOMEM;
    }
    memcpy(f->key, key, 32);
    f->parties = 1;
    *ret = f;
    return 0;
}

static int
join_locked(struct verdict_cache *c, struct lru_shard *s, uint64_t hash, const uint8_t *key,
            struct verdict_flight **ret)
{
    struct flights *all = flights_of(c, s);
    struct verdict_flight **at = flight_at(all, hash, key);
    if (*at) {
        (*at)->parties++;
        all->waits++;
        *ret = *at;
        return VERDICT_WAIT;
    }
    if (all->open >= (c->opts.max_flights + LRU_SHARDS - 1) / LRU_SHARDS)
        return ACD_EBUSY;
    int rc = flight_new(key, at);
    if (rc < 0)
        return rc;
    all->open++;
    all->leads++;
    *ret = *at;
    return VERDICT_LEAD;
}

int
verdict_ask(struct verdict_cache *c, const uint8_t key[32], int64_t at_ms, const struct verdict **ret_verdict,
            struct verdict_flight **ret_flight)
{
    uint64_t hash;
    struct lru_shard *s = lru_shard(&c->lru, key, &hash);
    (void)pthread_mutex_lock(&s->lock);
    const struct verdict *v = find_locked(c, s, hash, key, at_ms);
    int rc = v ? VERDICT_HIT : join_locked(c, s, hash, key, ret_flight);
    (void)pthread_mutex_unlock(&s->lock);
    if (v)
        *ret_verdict = v;
    return rc;
}

static struct verdict *
verdict_new(struct verdict_cache *c, const uint8_t key[32], int64_t at_ms, const struct verdict_facts *facts,
            acd_slice fields)
{
    struct verdict *v = calloc(1, sizeof(*v) + fields.len);
    if (!v)
        return NULL;
    atomic_init(&v->entry.refs, 1);
    v->entry.bytes = (uint32_t)(sizeof(*v) + fields.len);
    memcpy(v->entry.key, key, 32);
    v->facts = *facts;
    v->nfields = fields.len;
    if (fields.len)
        memcpy(v->fields, fields.ptr, fields.len);
    /* ACD_VERDICT_LIMIT and ACD_VERDICT_REVOKED refuse as well, whatever result says. */
    if (facts->result == 1 && facts->flags == 0)
        return v;
    v->entry.class = 1;
    int64_t ttl = facts->flags & ACD_VERDICT_LIMIT ? c->opts.limit_ms : c->opts.refusal_ms;
    if (v->facts.until_ms - ttl > at_ms)
        v->facts.until_ms = at_ms + ttl;
    if (v->facts.from_ms + ttl < at_ms)
        v->facts.from_ms = at_ms - ttl;
    return v;
}

/* Accepts always; refusals from the second time on. */
static bool
admit_locked(struct flights *f, const struct verdict *v, uint64_t hash)
{
    if (v->entry.class == 0)
        return true;
    uint64_t *slot = &f->once[hash & (REFUSED_ONCE - 1)];
    bool again = *slot == hash;
    *slot = hash;
    return again;
}

/* One party leaves a flight that is off the table; the last one frees it. */
static void
party_leave_locked(struct flights *all, struct verdict_flight *f, const struct verdict **ret_drop)
{
    *ret_drop = NULL;
    if (--f->parties > 0)
        return;
    must(f->landed);
    *ret_drop = f->verdict;
    (void)pthread_cond_destroy(&f->done);
    free(f);
    all->open--;
}

void
verdict_land(struct verdict_cache *c, struct verdict_flight *f, int64_t at_ms,
             const struct verdict_facts *facts, acd_slice fields, int status, const struct verdict **ret)
{
    uint64_t hash;
    const struct verdict *drop;
    struct lru_shard *s = lru_shard(&c->lru, f->key, &hash);
    struct verdict *v =
        facts && fields.len <= UINT32_MAX / 2 ? verdict_new(c, f->key, at_ms, facts, fields) : NULL;
    if (ret)
        *ret = verdict_ref(v);
    (void)pthread_mutex_lock(&s->lock);
    struct flights *all = flights_of(c, s);
    struct verdict_flight **at = flight_at(all, hash, f->key);
    must(*at == f && !f->landed);
    *at = f->next;
    f->landed = true;
    f->verdict = v;
    f->status = facts ? ACD_ENOMEM : status; /* counts only without a verdict */
    if (v) {
        v->entry.hash = hash;
        if (admit_locked(all, v, hash))
            lru_put_locked(&c->lru, s, &((struct verdict *)verdict_ref(v))->entry);
        else
            s->stats.refused++;
    }
    (void)pthread_cond_broadcast(&f->done);
    party_leave_locked(all, f, &drop);
    (void)pthread_mutex_unlock(&s->lock);
    verdict_unref(drop);
}

int
verdict_wait(struct verdict_cache *c, struct verdict_flight *f, int64_t at_ms, uint64_t deadline_ns,
             const struct verdict **ret)
{
    uint64_t hash;
    const struct verdict *drop;
    struct lru_shard *s = lru_shard(&c->lru, f->key, &hash);
    struct timespec until = {(time_t)(deadline_ns / 1000000000u), (long)(deadline_ns % 1000000000u)};
    int waited = 0, rc;
    (void)pthread_mutex_lock(&s->lock);
    struct flights *all = flights_of(c, s);
    while (!f->landed && waited == 0)
        waited = pthread_cond_timedwait(&f->done, &s->lock, &until);
    if (!f->landed) {
        rc = ACD_ETIMEOUT;
        all->timeouts++;
    } else if (!f->verdict) {
        rc = f->status;
    } else {
        rc = holds_at(f->verdict, at_ms) ? 0 : ACD_ENOENT;
        if (rc == 0)
            *ret = verdict_ref(f->verdict);
    }
    party_leave_locked(all, f, &drop);
    (void)pthread_mutex_unlock(&s->lock);
    verdict_unref(drop);
    return rc;
}

void
verdict_cache_stats(struct verdict_cache *c, struct verdict_stats *ret)
{
    *ret = (struct verdict_stats){0};
    lru_stats(&c->lru, &ret->cache);
    for (unsigned i = 0; i < LRU_SHARDS; i++) {
        (void)pthread_mutex_lock(&c->lru.shards[i].lock);
        ret->leads += c->flights[i].leads;
        ret->waits += c->flights[i].waits;
        ret->timeouts += c->flights[i].timeouts;
        ret->flights += c->flights[i].open;
        (void)pthread_mutex_unlock(&c->lru.shards[i].lock);
    }
}
