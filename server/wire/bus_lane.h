/*
 * What a thread of nng's needs to answer a call by itself: a region, and registration with RCU. Made when the
 * thread first asks, kept for it, taken down when it ends. Private to wire/. Any thread; a lane belongs to
 * the thread that took it.
 */
#ifndef WIRE_BUS_LANE_H
#define WIRE_BUS_LANE_H

#include <stdbool.h>

#include "base/mem.h"

enum { LANE_BLOCK = 65536 }; /* what a region starts with */

struct lane {
    struct mem_region region;
    bool taken;
};

/* NULL: no memory, or the thread is answering a call already. */
struct lane *lane_take(void);
void lane_give(struct lane *l); /* empties the region */

#endif
