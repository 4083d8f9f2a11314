#include "eval/verdict.h"

#include <stdatomic.h>
#include <string.h>

#include "base/rand.h"
#include "base/thread.h"
#include "lib/main.h"

static struct verdict_key
key_of(uint64_t n)
{
    struct verdict_key key = {.purpose = ACD_PURPOSE_CLIENT};
    struct prng r = {n};
    for (size_t i = 0; i < 4; i++) {
        uint64_t word = prng_next(&r);
        memcpy(key.chain + 8 * i, &word, 8);
        word = prng_next(&r);
        memcpy(key.trust + 8 * i, &word, 8);
    }
    return key;
}

static acd_verdict
verdict_of(uint32_t result, int32_t tag)
{
    acd_verdict v = {
        .struct_size = sizeof(v), .result = result, .anchor = tag, .depth = tag, .valid_until_ms = 1000};
    (void)snprintf(v.text, sizeof(v.text), "verdict %d", tag);
    (void)snprintf(v.error, sizeof(v.error), "E%d", tag);
    return v;
}

START_TEST(every_part_of_the_key_counts)
{
    struct verdict_cache *c;
    acd_verdict v = verdict_of(ACD_VERIFIED, 1), got;
    struct verdict_key key = key_of(1), other;
    ck_assert_int_eq(verdict_cache_new(64, &c, NULL), 0);
    verdict_put(c, &key, &v);
    ck_assert(verdict_find(c, &key, 500, &got));
    ck_assert_int_eq(got.anchor, 1);
    ck_assert_str_eq(got.text, "verdict 1");
    ck_assert_str_eq(got.error, "E1");
    for (size_t i = 0; i < sizeof(key); i++) {
        other = key;
        ((uint8_t *)&other)[i] ^= 1;
        ck_assert_msg(!verdict_find(c, &other, 500, &got), "byte %zu of the key does not count", i);
    }
    verdict_cache_free(c);
}
END_TEST

START_TEST(nothing_outside_its_dates)
{
    struct verdict_cache *c;
    acd_verdict v = verdict_of(ACD_VERIFIED, 1), got;
    struct verdict_key key = key_of(1);
    v.valid_from_ms = 100;
    v.valid_until_ms = 200;
    ck_assert_int_eq(verdict_cache_new(64, &c, NULL), 0);
    verdict_put(c, &key, &v);
    ck_assert(!verdict_find(c, &key, 99, &got));
    ck_assert(verdict_find(c, &key, 100, &got));
    ck_assert(verdict_find(c, &key, 200, &got));
    ck_assert(!verdict_find(c, &key, 201, &got));
    verdict_cache_free(c);
}
END_TEST

START_TEST(a_verdict_at_a_work_limit_is_not_kept)
{
    struct verdict_cache *c;
    acd_verdict v = verdict_of(ACD_NOT_VERIFIED, 1), got;
    struct verdict_key key = key_of(1);
    v.flags = ACD_VERDICT_LIMIT;
    ck_assert_int_eq(verdict_cache_new(64, &c, NULL), 0);
    verdict_put(c, &key, &v);
    ck_assert(!verdict_find(c, &key, 500, &got));
    verdict_cache_free(c);
}
END_TEST

START_TEST(refusals_never_push_out_accepts)
{
    enum { ACCEPTS = 128, REFUSALS = 100000 };
    struct verdict_cache *c;
    struct verdict_counters n;
    acd_verdict good = verdict_of(ACD_VERIFIED, 1), bad = verdict_of(ACD_NOT_VERIFIED, 2), got;
    size_t before = 0, after = 0;
    ck_assert_int_eq(verdict_cache_new(1024, &c, NULL), 0);
    for (uint64_t i = 0; i < ACCEPTS; i++) {
        struct verdict_key key = key_of(i);
        verdict_put(c, &key, &good);
    }
    for (uint64_t i = 0; i < ACCEPTS; i++) {
        struct verdict_key key = key_of(i);
        before += verdict_find(c, &key, 500, &got);
    }
    for (uint64_t i = 0; i < REFUSALS; i++) {
        struct verdict_key key = key_of(1000000 + i);
        verdict_put(c, &key, &bad);
    }
    for (uint64_t i = 0; i < ACCEPTS; i++) {
        struct verdict_key key = key_of(i);
        after += verdict_find(c, &key, 500, &got);
    }
    verdict_cache_counters(c, &n);
    ck_assert_uint_eq(after, before);
    ck_assert_uint_ge(before, ACCEPTS * 9 / 10);
    ck_assert_uint_le(n.entries, 1024 + 1024 / 8);
    ck_assert_uint_ge(n.evictions, REFUSALS / 2);
    verdict_cache_free(c);
}
END_TEST

START_TEST(a_new_verdict_replaces_the_old)
{
    struct verdict_cache *c;
    struct verdict_counters n;
    acd_verdict first = verdict_of(ACD_VERIFIED, 1), second = verdict_of(ACD_VERIFIED, 2), got;
    struct verdict_key key = key_of(1);
    ck_assert_int_eq(verdict_cache_new(64, &c, NULL), 0);
    verdict_put(c, &key, &first);
    verdict_put(c, &key, &second);
    ck_assert(verdict_find(c, &key, 500, &got));
    ck_assert_int_eq(got.anchor, 2);
    verdict_cache_counters(c, &n);
    ck_assert_uint_eq(n.entries, 1);
    verdict_cache_free(c);
}
END_TEST

START_TEST(without_room_nothing_is_kept)
{
    struct verdict_cache *c;
    acd_verdict v = verdict_of(ACD_VERIFIED, 1), got;
    struct verdict_key key = key_of(1);
    ck_assert_int_eq(verdict_cache_new(0, &c, NULL), 0);
    verdict_put(c, &key, &v);
    ck_assert(!verdict_find(c, &key, 500, &got));
    verdict_cache_free(c);
}
END_TEST

/* --- threads ----------------------------------------------------------------------------------------------
 */

enum { KEYS = 64, ROUNDS = 20000 };

struct hammer {
    struct verdict_cache *cache;
    uint64_t seed;
    size_t hits, wrong;
};

/* Every writer writes, for a key, a verdict whose parts all follow from one number: a torn one would not. */
static void
hammer(void *arg)
{
    struct hammer *h = arg;
    struct prng r = {h->seed};
    for (size_t i = 0; i < ROUNDS; i++) {
        uint64_t k = prng_below(&r, KEYS);
        struct verdict_key key = key_of(k);
        acd_verdict v, want;
        if (prng_below(&r, 2)) {
            v = verdict_of(ACD_VERIFIED, (int32_t)(prng_below(&r, 1000) * KEYS + k));
            verdict_put(h->cache, &key, &v);
        } else if (verdict_find(h->cache, &key, 500, &v)) {
            want = verdict_of(ACD_VERIFIED, v.anchor);
            h->hits++;
            h->wrong += (uint64_t)v.anchor % KEYS != k || v.depth != v.anchor ||
                        strcmp(v.text, want.text) != 0 || strcmp(v.error, want.error) != 0;
        }
    }
}

START_TEST(threads_never_see_a_torn_verdict)
{
    enum { THREADS = 4 };
    struct verdict_cache *c;
    struct thread threads[THREADS];
    struct hammer jobs[THREADS];
    size_t hits = 0;
    ck_assert_int_eq(verdict_cache_new(32, &c, NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        jobs[i] = (struct hammer){.cache = c, .seed = i + 1};
        ck_assert_int_eq(thread_start(&threads[i], "hammer", hammer, &jobs[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        thread_join(&threads[i]);
        ck_assert_uint_eq(jobs[i].wrong, 0);
        hits += jobs[i].hits;
    }
    ck_assert_uint_gt(hits, ROUNDS / 10);
    verdict_cache_free(c);
}
END_TEST

Suite *suite_verdict(void);

Suite *
suite_verdict(void)
{
    Suite *s = suite_create("verdict");
    ADD_TESTS(s, "verdict", every_part_of_the_key_counts, nothing_outside_its_dates,
              a_verdict_at_a_work_limit_is_not_kept, refusals_never_push_out_accepts,
              a_new_verdict_replaces_the_old, without_room_nothing_is_kept, threads_never_see_a_torn_verdict);
    return s;
}
