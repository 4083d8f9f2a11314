#include "rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/rand.h"

enum { SETS = 8192, WAYS = 4 };
#define SECOND 1000000000ull

struct slot {
    uint64_t who; /* hash */
    uint64_t began_ns;
    uint32_t used; /* 0: the slot is free */
};

struct rate {
    const struct clock *clock;
    uint32_t limit, window_s;
    uint64_t seed[2];
    pthread_mutex_t lock;
    struct slot slots[SETS][WAYS];
};

struct rate *
rate_new(uint32_t limit, uint32_t window_s, const struct clock *clock)
{
    struct rate *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->clock = clock;
    r->limit = limit;
    r->window_s = window_s;
    rand_bytes(r->seed, sizeof(r->seed));
    (void)pthread_mutex_init(&r->lock, NULL);
    return r;
}

void
rate_free(struct rate *r)
{
    if (!r)
        return;
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

/* The caller's slot, or the one to give up for it. */
static struct slot *
find_slot(struct rate *r, uint64_t who)
{
    struct slot *set = r->slots[who % SETS], *oldest = set;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].used && set[i].who == who)
            return &set[i];
        if (oldest->used && (!set[i].used || set[i].began_ns < oldest->began_ns))
            oldest = &set[i];
    }
    oldest->used = 0;
    return oldest;
}

void
rate_take(struct rate *r, const char *who, struct rate_state *ret)
{
    uint64_t hash = siphash13(r->seed, who, strlen(who)), now = clock_mono_ns(r->clock);
    uint64_t window = r->window_s * SECOND;
    (void)pthread_mutex_lock(&r->lock);
    struct slot *s = find_slot(r, hash);
    if (!s->used || now - s->began_ns >= window)
        *s = (struct slot){.who = hash, .began_ns = now};
    ret->over = s->used >= r->limit;
    s->used += !ret->over;
    ret->left = r->limit - s->used;
    ret->reset_s = (uint32_t)((s->began_ns + window - now + SECOND - 1) / SECOND);
    (void)pthread_mutex_unlock(&r->lock);
}

uint32_t
rate_limit(const struct rate *r)
{
    return r->limit;
}

uint32_t
rate_window_s(const struct rate *r)
{
    return r->window_s;
}
