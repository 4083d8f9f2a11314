/*
 * The seed of a test with random input: ANCHORD_SEED, or a new one, which is printed as a TAP comment so that
 * the run can be repeated. Call it once per test.
 */
#ifndef TESTS_SEED_H
#define TESTS_SEED_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"

static inline uint64_t
test_seed(void)
{
    const char *given = getenv("ANCHORD_SEED");
    uint64_t seed;
    if (given)
        seed = strtoull(given, NULL, 0);
    else
        rand_bytes(&seed, sizeof(seed));
    printf("# ANCHORD_SEED=%" PRIu64 "\n", seed);
    (void)fflush(stdout);
    return seed;
}

#endif
