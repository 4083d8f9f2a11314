/*
 * How many requests a caller may make in a window of time. Any thread.
 *
 * The table has a fixed size: when more callers come in one window than it holds, the one that began longest
 * ago is forgotten, and may begin anew.
 */
#ifndef GATEWAY_RATE_H
#define GATEWAY_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/must.h"

struct rate;

struct rate_state {
    uint32_t left;    /* requests in this window after this one */
    uint32_t reset_s; /* until the next window, rounded up: 1 or more */
    bool over;        /* this one is too many */
};

struct rate *rate_new(uint32_t limit, uint32_t window_s, const struct clock *clock) ACD_MUSTCHECK;
void rate_free(struct rate *r); /* NULL is fine */
void rate_take(struct rate *r, const char *who, struct rate_state *ret);
uint32_t rate_limit(const struct rate *r);
uint32_t rate_window_s(const struct rate *r);

#endif
