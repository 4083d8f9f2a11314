/*
 * The writer's place of a storage: one holder at a time, the others wait on a condition until their deadline.
 * Any thread; taken and left by the same transaction, not necessarily by the same thread.
 */
#ifndef PLUGINS_SDK_GATE_H
#define PLUGINS_SDK_GATE_H

#include <pthread.h>
#include <stdbool.h>

#include <anchord/plugin.h>

#define SDK_RETRY_MS 50u /* advice that goes with ACD_EBUSY */

struct sdk_gate {
    pthread_mutex_t lock;
    pthread_cond_t free; /* on CLOCK_MONOTONIC */
    bool taken;
};

int sdk_gate_init(struct sdk_gate *g); /* 0 or ACD_ENOMEM */
void sdk_gate_done(struct sdk_gate *g);
/* Waits until deadline_ns (0: none; then ACD_ETIMEOUT) or busy_ns (then ACD_EBUSY), whichever is first. */
int sdk_gate_take(struct sdk_gate *g, uint64_t deadline_ns, uint64_t busy_ns, acd_err *err);
void sdk_gate_leave(struct sdk_gate *g);

#endif
