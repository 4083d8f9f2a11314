#include "base/clock.h"

#include <time.h>

static int64_t
system_wall_ms(const struct clock *c)
{
    struct timespec ts;
    (void)c;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t
system_mono_ns(const struct clock *c)
{
    struct timespec ts;
    (void)c;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

const struct clock clock_system = {.wall_ms = system_wall_ms, .mono_ns = system_mono_ns};
