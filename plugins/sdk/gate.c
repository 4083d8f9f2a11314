#include "gate.h"

#include <errno.h>
#include <time.h>

#include "sdk.h"

int
sdk_gate_init(struct sdk_gate *g)
{
    pthread_condattr_t attr;
    *g = (struct sdk_gate){0};
    if (pthread_mutex_init(&g->lock, NULL) != 0)
        return ACD_ENOMEM;
    if (pthread_condattr_init(&attr) == 0) {
        (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        int rc = pthread_cond_init(&g->free, &attr);
        (void)pthread_condattr_destroy(&attr);
        if (rc == 0)
            return 0;
    }
    (void)pthread_mutex_destroy(&g->lock);
    return ACD_ENOMEM;
}

void
sdk_gate_done(struct sdk_gate *g)
{
    (void)pthread_cond_destroy(&g->free);
    (void)pthread_mutex_destroy(&g->lock);
}

int
sdk_gate_take(struct sdk_gate *g, uint64_t deadline_ns, uint64_t busy_ns, acd_err *err)
{
    bool by_deadline = deadline_ns && deadline_ns < busy_ns;
    uint64_t end = by_deadline ? deadline_ns : busy_ns;
    struct timespec until = {(time_t)(end / 1000000000u), (long)(end % 1000000000u)};
    int rc = 0;
    (void)pthread_mutex_lock(&g->lock);
    while (g->taken && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&g->free, &g->lock, &until);
    bool got = !g->taken;
    if (got)
        g->taken = true;
    (void)pthread_mutex_unlock(&g->lock);
    if (got)
        return 0;
    if (by_deadline)
        return sdk_fail(err, ACD_ETIMEOUT, "the deadline passed while another writer was at work");
    if (err)
        err->retry_after_ms = SDK_RETRY_MS;
    return sdk_fail(err, ACD_EBUSY, "another writer is at work");
}

void
sdk_gate_leave(struct sdk_gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->taken = false;
    (void)pthread_cond_signal(&g->free);
    (void)pthread_mutex_unlock(&g->lock);
}
