#include "base/rcu.h"

#include "base/must.h"

#ifdef BASE_TSAN
char rcu_tsan_token;
#endif

static void
retired(struct rcu_head *head)
{
    struct rcu_retired *r = caa_container_of(head, struct rcu_retired, head);
    RCU_TSAN_ACQUIRE();
    r->free_fn(r);
}

void
rcu_retire(struct rcu_retired *r, void (*free_fn)(struct rcu_retired *))
{
    r->free_fn = free_fn;
    RCU_TSAN_RELEASE();
    urcu_memb_call_rcu(&r->head, retired);
}

void
rcu_drain(void)
{
    urcu_memb_barrier();
    RCU_TSAN_ACQUIRE();
}

static _Thread_local unsigned entered;

void
rcu_thread_enter(void)
{
    if (entered++ == 0)
        urcu_memb_register_thread();
}

void
rcu_thread_leave(void)
{
    must(entered > 0);
    if (--entered == 0)
        urcu_memb_unregister_thread();
}
