/* Time behind an interface, so that tests own it. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(const struct clock *);  /* Unix time */
    uint64_t (*mono_ns)(const struct clock *); /* since some point in the past */
};

extern const struct clock clock_system;

static inline int64_t
clock_wall_ms(const struct clock *c)
{
    return c->wall_ms(c);
}

static inline uint64_t
clock_mono_ns(const struct clock *c)
{
    return c->mono_ns(c);
}

#endif
