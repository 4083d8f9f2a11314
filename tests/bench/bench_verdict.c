/* Figures of the verdict cache: one lookup that hits, over ENTRIES verdicts. JSON on standard output; not a
 * test. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rand.h"
#include "eval/verdict.h"
#include "model/digest.h"

enum { ENTRIES = 100000, LOOKUPS = 3000000 };

int
main(void)
{
    static uint8_t keys[ENTRIES][32];
    struct verdict_cache *c = verdict_cache_new(&(struct verdict_opts){.max_bytes = 256 << 20});
    struct verdict_facts facts = {.result = 1, .until_ms = 1000};
    struct prng r = {1};
    uint64_t found = 0;
    for (uint64_t i = 0; c && i < ENTRIES; i++) {
        const struct verdict *v;
        struct verdict_flight *f;
        digest_sha256(&i, sizeof(i), keys[i]);
        if (verdict_ask(c, keys[i], 1, &v, &f) == VERDICT_LEAD)
            verdict_land(c, f, 1, &facts, (acd_slice){0}, 0, NULL);
    }
    uint64_t start = clock_mono_ns(&clock_system);
    for (int i = 0; c && i < LOOKUPS; i++) {
        const struct verdict *v = verdict_find(c, keys[prng_below(&r, ENTRIES)], 1);
        found += v != NULL;
        verdict_unref(v);
    }
    uint64_t ns = clock_mono_ns(&clock_system) - start;
    start = clock_mono_ns(&clock_system);
    for (int i = 0; c && i < LOOKUPS; i++) {
        const struct verdict *v = verdict_find(c, keys[i % 1000], 1);
        found += v != NULL;
        verdict_unref(v);
    }
    uint64_t hot = clock_mono_ns(&clock_system) - start;
    printf("{\"entries\":%d,\"hit_ns\":%.1f,\"hot_hit_ns\":%.1f,\"found\":%llu}\n", ENTRIES,
           (double)ns / LOOKUPS, (double)hot / LOOKUPS, (unsigned long long)found);
    verdict_cache_free(c);
    return found == 2ull * LOOKUPS ? 0 : 1;
}
