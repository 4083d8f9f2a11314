#include "base/rand.h"

#include <errno.h>
#include <sys/random.h>

#include "base/must.h"

void
rand_bytes(void *p, size_t len)
{
    char *at = p;
    while (len) {
        ssize_t n = getrandom(at, len, 0);
        if (n < 0) {
            must(errno == EINTR);
            continue;
        }
        at += n;
        len -= (size_t)n;
    }
}

uint64_t
prng_next(struct prng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t
prng_below(struct prng *r, uint64_t n)
{
    must(n > 0);
    return (uint64_t)(((unsigned __int128)prng_next(r) * n) >> 64);
}
