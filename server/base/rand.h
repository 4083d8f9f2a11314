/* System randomness; any thread. Tests that need repeatable numbers seed struct prng. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *p, size_t len); /* from the kernel; never fails, waits for the pool at boot */

/* splitmix64: small, fast, not for secrets. */
struct prng {
    uint64_t state;
};
uint64_t prng_next(struct prng *r);
uint64_t prng_below(struct prng *r, uint64_t n); /* 0 .. n - 1, n > 0; the bias is below n / 2^64 */

#endif
