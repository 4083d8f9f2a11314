#include "eval/verdict.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <anchord/plugin-validator.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/thread.h"
#include "lib/main.h"
#include "model/digest.h"

static const struct verdict_facts accept = {.result = 1, .from_ms = 100, .until_ms = 200, .anchor = 2};
static const struct verdict_facts refuse = {
    .result = 0, .from_ms = INT64_MIN, .until_ms = INT64_MAX, .anchor = -1, .error = "E"};

static void
key_of(uint64_t n, uint8_t key[32])
{
    digest_sha256(&n, sizeof(n), key);
}

/* Asks as the only one, and lands these facts. */
static void
learn(struct verdict_cache *c, uint64_t n, int64_t at, const struct verdict_facts *facts, const char *fields)
{
    uint8_t key[32];
    const struct verdict *v;
    struct verdict_flight *f;
    key_of(n, key);
    int rc = verdict_ask(c, key, at, &v, &f);
    if (rc == VERDICT_HIT) {
        verdict_unref(v);
        return;
    }
    ck_assert_int_eq(rc, VERDICT_LEAD);
    verdict_land(c, f, at, facts, slice_str(fields), 0, &v);
    ck_assert_ptr_nonnull(v);
    ck_assert_uint_eq(v->facts.result, facts->result);
    verdict_unref(v);
}

static bool
knows(struct verdict_cache *c, uint64_t n, int64_t at)
{
    uint8_t key[32];
    key_of(n, key);
    const struct verdict *v = verdict_find(c, key, at);
    verdict_unref(v);
    return v != NULL;
}

START_TEST(key_holds_everything_and_no_order)
{
    uint8_t leaf[32] = {1}, trust[32] = {2}, hashes[3][32] = {{3}, {4}, {5}}, other[3][32] = {{5}, {3}, {4}};
    uint8_t copies[4][32] = {{4}, {3}, {4}, {5}}, base[32], k[32];
    struct verdict_question q = {leaf, hashes, 3, trust, 1, 8, 1, 7, {"a.x", 3}};
    ck_assert_int_eq(verdict_key(&q, base), 0);
    struct verdict_question same = q;
    same.untrusted = other;
    ck_assert_int_eq(verdict_key(&same, k), 0);
    ck_assert_int_eq(memcmp(k, base, 32), 0);
    same.untrusted = copies;
    same.nuntrusted = 4;
    ck_assert_int_eq(verdict_key(&same, k), 0);
    ck_assert_int_eq(memcmp(k, base, 32), 0);
    struct verdict_question d[9] = {q, q, q, q, q, q, q, q, q};
    d[0].leaf = trust, d[1].trust = leaf, d[2].nuntrusted = 2, d[3].purpose = 2, d[4].max_depth = 7;
    d[5].policy = 2, d[6].revocation = 8, d[7].name.len = 2, d[8].nuntrusted = 0;
    for (int i = 0; i < 9; i++) {
        ck_assert_int_eq(verdict_key(&d[i], k), 0);
        ck_assert_msg(memcmp(k, base, 32) != 0, "part %d is not in the key", i);
    }
    q.nuntrusted = VERDICT_UNTRUSTED_MAX + 1;
    ck_assert_int_eq(verdict_key(&q, k), ACD_ELIMIT);
}
END_TEST

START_TEST(holds_in_its_window_only)
{
    struct verdict_cache *c = verdict_cache_new(&(struct verdict_opts){0});
    learn(c, 1, 150, &accept, "fields");
    ck_assert(knows(c, 1, 100) && knows(c, 1, 200));
    ck_assert(!knows(c, 1, 99) && !knows(c, 1, 201) && !knows(c, 2, 150));
    uint8_t key[32];
    key_of(1, key);
    const struct verdict *v = verdict_find(c, key, 150);
    ck_assert(v->facts.anchor == 2 && v->nfields == 6 && memcmp(v->fields, "fields", 6) == 0);
    struct verdict_stats s;
    verdict_cache_stats(c, &s);
    ck_assert(s.cache.hits == 3 && s.cache.misses == 4 && s.leads == 1 && s.flights == 0 &&
              s.cache.entries == 1);
    verdict_cache_free(c);
    ck_assert_uint_eq(v->facts.result, 1);
    verdict_unref(v);
}
END_TEST

START_TEST(refusals_are_kept_late_and_shortly)
{
    struct verdict_cache *c = verdict_cache_new(&(struct verdict_opts){.refusal_ms = 50, .limit_ms = 5});
    learn(c, 1, 1000, &refuse, "");
    ck_assert(!knows(c, 1, 1000));
    learn(c, 1, 1000, &refuse, "");
    ck_assert(knows(c, 1, 1000) && knows(c, 1, 1050) && !knows(c, 1, 1051) && !knows(c, 1, 949));
    struct verdict_facts limit = refuse;
    limit.flags = ACD_VERDICT_LIMIT;
    learn(c, 2, 1000, &limit, "");
    learn(c, 2, 1000, &limit, "");
    ck_assert(knows(c, 2, 1005) && !knows(c, 2, 1006));
    struct verdict_facts revoked = accept;
    revoked.flags = ACD_VERDICT_REVOKED;
    learn(c, 3, 150, &revoked, "");
    ck_assert(!knows(c, 3, 150)); /* refused for the first time */
    verdict_cache_free(c);
}
END_TEST

START_TEST(refusals_never_push_out_accepts)
{
    enum { ACCEPTS = 400 };
    struct verdict_cache *c = verdict_cache_new(&(struct verdict_opts){.max_bytes = 1 << 20});
    struct verdict_stats s;
    for (uint64_t i = 0; i < ACCEPTS; i++)
        learn(c, i, 150, &accept, "");
    for (uint64_t i = 0; i < 20000; i++) {
        learn(c, 1000000 + i, 150, &refuse, "");
        learn(c, 1000000 + i, 150, &refuse, "");
    }
    learn(c, 0, 5000, &refuse, ""); /* the same question at another time */
    learn(c, 0, 5000, &refuse, "");
    for (uint64_t i = 0; i < ACCEPTS; i++)
        ck_assert(knows(c, i, 150));
    verdict_cache_stats(c, &s);
    ck_assert_uint_le(s.cache.bytes, 1 << 20);
    ck_assert_uint_gt(s.cache.evictions, 1000);
    for (uint64_t i = 0; i < 5000; i++)
        learn(c, 10000 + i, 150, &accept, "");
    verdict_cache_stats(c, &s);
    ck_assert_uint_le(s.cache.bytes, 1 << 20);
    ck_assert(knows(c, 14999, 150));
    verdict_cache_free(c);
}
END_TEST

/* --- flights --- */

enum { ASKERS = 4, ROUNDS = 200 };

struct shared {
    struct verdict_cache *c;
    atomic_int computed[ROUNDS], answered;
};

static uint64_t
deadline(uint64_t ms)
{
    return clock_mono_ns(&clock_system) + ms * 1000000u;
}

static void
asker(void *arg)
{
    struct shared *sh = arg;
    for (uint64_t n = 0; n < ROUNDS; n++) {
        uint8_t key[32];
        const struct verdict *v = NULL;
        struct verdict_flight *f;
        key_of(n, key);
        int rc = verdict_ask(sh->c, key, 150, &v, &f);
        if (rc == VERDICT_LEAD) {
            atomic_fetch_add(&sh->computed[n], 1);
            verdict_land(sh->c, f, 150, &accept, (acd_slice){0}, 0, &v);
        } else if (rc == VERDICT_WAIT && verdict_wait(sh->c, f, 150, deadline(30000), &v) < 0) {
            abort();
        }
        if (v && v->facts.result == 1)
            atomic_fetch_add(&sh->answered, 1);
        verdict_unref(v);
    }
}

START_TEST(one_computes_and_all_get_it)
{
    struct thread t[ASKERS];
    static struct shared sh;
    sh.c = verdict_cache_new(&(struct verdict_opts){0});
    for (int i = 0; i < ASKERS; i++)
        ck_assert_int_eq(thread_start(&t[i], "asker", asker, &sh), 0);
    for (int i = 0; i < ASKERS; i++)
        thread_join(&t[i]);
    ck_assert_int_eq(atomic_load(&sh.answered), ASKERS * ROUNDS);
    for (int n = 0; n < ROUNDS; n++)
        ck_assert_int_eq(atomic_load(&sh.computed[n]), 1);
    verdict_cache_free(sh.c);
}
END_TEST

START_TEST(waiting_ends_at_the_deadline_or_with_the_leader)
{
    uint8_t key[32];
    const struct verdict *v;
    struct verdict_flight *lead, *wait[3];
    struct verdict_stats s;
    struct verdict_cache *c = verdict_cache_new(&(struct verdict_opts){0});
    key_of(1, key);
    ck_assert_int_eq(verdict_ask(c, key, 150, &v, &lead), VERDICT_LEAD);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(verdict_ask(c, key, 150, &v, &wait[i]), VERDICT_WAIT);
    ck_assert_int_eq(verdict_wait(c, wait[0], 150, deadline(2), &v), ACD_ETIMEOUT);
    verdict_land(c, lead, 150, &accept, (acd_slice){0}, 0, NULL);
    ck_assert_int_eq(verdict_wait(c, wait[1], 250, deadline(30000), &v), ACD_ENOENT); /* another time */
    ck_assert_int_eq(verdict_wait(c, wait[2], 150, deadline(30000), &v), 0);
    verdict_unref(v);
    key_of(2, key);
    ck_assert_int_eq(verdict_ask(c, key, 150, &v, &lead), VERDICT_LEAD);
    ck_assert_int_eq(verdict_ask(c, key, 150, &v, &wait[0]), VERDICT_WAIT);
    verdict_land(c, lead, 150, NULL, (acd_slice){0}, ACD_EUNAVAIL, &v);
    ck_assert_ptr_null(v);
    ck_assert_int_eq(verdict_wait(c, wait[0], 150, deadline(30000), &v), ACD_EUNAVAIL);
    verdict_cache_stats(c, &s);
    ck_assert(s.timeouts == 1 && s.waits == 4 && s.leads == 2 && s.flights == 0);
    verdict_cache_free(c);
}
END_TEST

START_TEST(flights_are_bounded)
{
    struct verdict_cache *c = verdict_cache_new(&(struct verdict_opts){.max_flights = 16});
    struct verdict_flight *open[64];
    const struct verdict *v;
    uint8_t key[32];
    int n = 0, busy = 0;
    for (uint64_t i = 0; i < 64; i++) {
        key_of(i, key);
        int rc = verdict_ask(c, key, 1, &v, &open[n]);
        ck_assert(rc == VERDICT_LEAD || rc == ACD_EBUSY);
        n += rc == VERDICT_LEAD;
        busy += rc == ACD_EBUSY;
    }
    ck_assert(n > 0 && n <= 16 && busy == 64 - n);
    for (int i = 0; i < n; i++)
        verdict_land(c, open[i], 1, NULL, (acd_slice){0}, ACD_ECANCELED, NULL);
    verdict_cache_free(c);
}
END_TEST

Suite *suite_verdict(void);

Suite *
suite_verdict(void)
{
    Suite *s = suite_create("verdict");
    ADD_TESTS(s, "verdict", key_holds_everything_and_no_order, holds_in_its_window_only,
              refusals_are_kept_late_and_shortly, refusals_never_push_out_accepts,
              one_computes_and_all_get_it, waiting_ends_at_the_deadline_or_with_the_leader,
              flights_are_bounded);
    return s;
}
