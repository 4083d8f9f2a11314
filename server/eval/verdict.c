/*
 * Two tables of sets of WAYS slots, one for accepts and a smaller one for refusals. A key belongs to one set;
 * a new verdict takes the slot of the same key, else a free one, else the first that was not used since the
 * hand last passed (the clock algorithm within the set).
 *
 * A slot is a sequence number and words. A writer makes the number odd, writes the words, makes it even
 * again; a reader copies the words between two looks at the number. All accesses are atomic, so that a torn
 * copy is possible and detected, and never undefined.
 */
#include "eval/verdict.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rand.h"

enum { WAYS = 8, REFUSAL_SHARE = 8, COUNTER_STRIPES = 16 };

/* What a slot holds, as a whole number of words. */
struct record {
    struct verdict_key key;
    int64_t from_ms, until_ms;
    uint32_t result, flags;
    int32_t depth, anchor;
    char error[sizeof(((acd_verdict *)0)->error)];
    char text[sizeof(((acd_verdict *)0)->text)];
    int64_t revoked_ms;
    uint64_t revoked_reason;
};
enum { WORDS = sizeof(struct record) / sizeof(uint64_t) };
_Static_assert(sizeof(struct record) % sizeof(uint64_t) == 0, "a record is whole words");
_Static_assert(sizeof(struct verdict_key) == 80, "a key has no padding");

struct slot {
    _Atomic uint32_t seq;  /* odd: being written; 0: never written */
    _Atomic uint32_t used; /* since the hand last passed */
    _Atomic uint64_t words[WORDS];
};

struct table {
    struct slot *slots;
    uint64_t mask; /* sets - 1 */
};

/* Counted by the thread that happens to hash there, so that cores do not fight over one line. */
struct stripe {
    _Alignas(64) _Atomic uint64_t evictions, entries;
};

struct verdict_cache {
    struct table accepts, refusals;
    uint64_t seed;
    struct stripe stripes[COUNTER_STRIPES];
};

/* --- creation ---------------------------------------------------------------------------------------------
 */

static int
table_init(struct table *t, size_t entries)
{
    uint64_t sets = 1;
    while (sets * WAYS < entries)
        sets *= 2;
    t->mask = sets - 1;
    t->slots = calloc(sets * WAYS, sizeof(struct slot));
    return t->slots ? 0 : ACD_ENOMEM;
}

int
verdict_cache_new(size_t max, struct verdict_cache **ret, acd_err *err)
{
    struct verdict_cache *c = aligned_alloc(64, sizeof(*c));
    if (!c)
        return err_set(err, ACD_ENOMEM, "out of memory");
    memset(c, 0, sizeof(*c));
    rand_bytes(&c->seed, sizeof(c->seed));
    if (max > 0 && (table_init(&c->accepts, max) < 0 || table_init(&c->refusals, max / REFUSAL_SHARE) < 0)) {
        verdict_cache_free(c);
        return err_set(err, ACD_ENOMEM, "no memory for a cache of %zu verdicts", max);
    }
    *ret = c;
    return 0;
}

void
verdict_cache_free(struct verdict_cache *c)
{
    if (!c)
        return;
    free(c->accepts.slots);
    free(c->refusals.slots);
    free(c);
}

/* --- slots ------------------------------------------------------------------------------------------------
 */

/* Both digests are SHA-256, so any bits of them are as good as any others; the seed keeps the set a secret.
 */
static uint64_t
hash_of(const struct verdict_cache *c, const struct verdict_key *key)
{
    uint64_t a, b;
    memcpy(&a, key->chain, sizeof(a));
    memcpy(&b, key->trust, sizeof(b));
    uint64_t h = (a ^ c->seed) * 0x9e3779b97f4a7c15u;
    h ^= (b + key->purpose + ((uint64_t)key->observed << 32) + key->epoch) * 0xbf58476d1ce4e5b9u;
    return h ^ h >> 32;
}

static struct slot *
set_of(const struct table *t, uint64_t hash)
{
    return &t->slots[(hash & t->mask) * WAYS];
}

/* A consistent copy, or false. */
static bool
slot_read(const struct slot *s, struct record *ret)
{
    uint64_t words[WORDS];
    uint32_t seq = atomic_load_explicit(&s->seq, memory_order_acquire);
    if (seq == 0 || seq & 1)
        return false;
    for (size_t i = 0; i < WORDS; i++)
        words[i] = atomic_load_explicit(&s->words[i], memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&s->seq, memory_order_relaxed) != seq)
        return false;
    memcpy(ret, words, sizeof(*ret));
    return true;
}

/* False: somebody else is writing it. */
static bool
slot_write(struct slot *s, const struct record *r)
{
    uint64_t words[WORDS];
    uint32_t seq = atomic_load_explicit(&s->seq, memory_order_relaxed);
    if (seq & 1 || !atomic_compare_exchange_strong_explicit(&s->seq, &seq, seq + 1, memory_order_acquire,
                                                            memory_order_relaxed))
        return false;
    atomic_thread_fence(memory_order_release);
    memcpy(words, r, sizeof(*r));
    for (size_t i = 0; i < WORDS; i++)
        atomic_store_explicit(&s->words[i], words[i], memory_order_relaxed);
    uint32_t next = seq + 2 ? seq + 2 : 2; /* 0 stays "never written" */
    atomic_store_explicit(&s->seq, next, memory_order_release);
    return true;
}

/* A cheap look at the first word of the key, before the whole record is copied. */
static bool
may_be(const struct slot *s, const struct verdict_key *key)
{
    uint64_t first;
    memcpy(&first, key->chain, sizeof(first));
    return atomic_load_explicit(&s->words[0], memory_order_relaxed) == first;
}

static struct slot *
set_find(struct slot *set, const struct verdict_key *key, struct record *ret)
{
    for (size_t i = 0; i < WAYS; i++)
        if (may_be(&set[i], key) && slot_read(&set[i], ret) && memcmp(&ret->key, key, sizeof(*key)) == 0)
            return &set[i];
    return NULL;
}

static struct slot *
set_victim(struct slot *set, uint64_t hash)
{
    for (size_t i = 0; i < WAYS; i++)
        if (atomic_load_explicit(&set[i].seq, memory_order_relaxed) == 0)
            return &set[i];
    size_t hand = (hash >> 56) % WAYS;
    for (size_t i = 0; i < WAYS; i++) {
        struct slot *s = &set[(hand + i) % WAYS];
        if (!atomic_exchange_explicit(&s->used, 0, memory_order_relaxed))
            return s;
    }
    return &set[hand];
}

/* --- the cache --------------------------------------------------------------------------------------------
 */

static void
count(_Atomic uint64_t *n)
{
    (void)atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

static void
to_verdict(const struct record *r, acd_verdict *ret)
{
    *ret = (acd_verdict){
        .struct_size = sizeof(*ret),
        .result = r->result,
        .depth = r->depth,
        .anchor = r->anchor,
        .flags = r->flags,
        .valid_from_ms = r->from_ms,
        .valid_until_ms = r->until_ms,
        .revoked_ms = r->revoked_ms,
        .revoked_reason = (uint32_t)r->revoked_reason,
    };
    memcpy(ret->error, r->error, sizeof(ret->error));
    memcpy(ret->text, r->text, sizeof(ret->text));
}

static bool
table_find(struct table *t, uint64_t hash, const struct verdict_key *key, int64_t at_ms, acd_verdict *ret)
{
    struct record r;
    struct slot *s = set_find(set_of(t, hash), key, &r);
    if (!s || at_ms < r.from_ms || at_ms > r.until_ms)
        return false;
    if (!atomic_load_explicit(&s->used, memory_order_relaxed))
        atomic_store_explicit(&s->used, 1, memory_order_relaxed);
    to_verdict(&r, ret);
    return true;
}

bool
verdict_find(struct verdict_cache *c, const struct verdict_key *key, int64_t at_ms, acd_verdict *ret)
{
    if (!c->accepts.slots)
        return false;
    uint64_t hash = hash_of(c, key);
    return table_find(&c->accepts, hash, key, at_ms, ret) || table_find(&c->refusals, hash, key, at_ms, ret);
}

void
verdict_put(struct verdict_cache *c, const struct verdict_key *key, const acd_verdict *v)
{
    if (!c->accepts.slots || v->flags & ACD_VERDICT_LIMIT || v->valid_from_ms > v->valid_until_ms)
        return;
    struct record there, r = {
                             .key = *key,
                             .from_ms = v->valid_from_ms,
                             .until_ms = v->valid_until_ms,
                             .result = v->result,
                             .flags = v->flags,
                             .depth = v->depth,
                             .anchor = v->anchor,
                             .revoked_ms = v->revoked_ms,
                             .revoked_reason = v->revoked_reason,
                         };
    memcpy(r.error, v->error, sizeof(r.error));
    memcpy(r.text, v->text, sizeof(r.text));
    uint64_t hash = hash_of(c, key);
    struct stripe *stripe = &c->stripes[hash >> 32 & (COUNTER_STRIPES - 1)];
    struct slot *set = set_of(v->result == ACD_VERIFIED ? &c->accepts : &c->refusals, hash);
    struct slot *s = set_find(set, key, &there);
    bool same = s != NULL;
    if (!s)
        s = set_victim(set, hash);
    bool fresh = atomic_load_explicit(&s->seq, memory_order_relaxed) == 0;
    if (!slot_write(s, &r) || same)
        return;
    count(fresh ? &stripe->entries : &stripe->evictions);
}

void
verdict_cache_counters(struct verdict_cache *c, struct verdict_counters *ret)
{
    *ret = (struct verdict_counters){0};
    for (size_t i = 0; i < COUNTER_STRIPES; i++) {
        ret->evictions += atomic_load_explicit(&c->stripes[i].evictions, memory_order_relaxed);
        ret->entries += atomic_load_explicit(&c->stripes[i].entries, memory_order_relaxed);
    }
}
