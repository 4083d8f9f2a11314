#include "wire/bus_lane.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/rcu.h"
#include "model/limits.h"

static pthread_key_t key; /* frees the lane of a thread that ends */
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void
lane_free(void *arg)
{
    struct lane *l = arg;
    rcu_thread_leave();
    mem_done(&l->region);
    free(l);
}

static void
key_make(void)
{
    must(pthread_key_create(&key, lane_free) == 0);
}

static struct lane *
lane_new(void)
{
    struct lane *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    if (pthread_setspecific(key, l) != 0) {
        free(l);
        return NULL;
    }
    mem_init(&l->region, LANE_BLOCK, LIMIT_REGION);
    rcu_thread_enter();
    return l;
}

struct lane *
lane_take(void)
{
    (void)pthread_once(&key_once, key_make);
    struct lane *l = pthread_getspecific(key);
    if (!l)
        l = lane_new();
    if (!l || l->taken)
        return NULL;
    l->taken = true;
    return l;
}

void
lane_give(struct lane *l)
{
    must(l->taken);
    mem_reset(&l->region);
    l->taken = false;
}
