/*
 * The only words for RCU in the code: a thread that reads is registered (thread_start does it), reads between
 * rcu_enter and rcu_leave, and never blocks there. The writer publishes a new value and retires the old one;
 * the retired value is freed after every reader that could see it has left.
 *
 * ThreadSanitizer does not understand the membarrier system call liburcu relies on; under it the same
 * happens-before edges are stated with its annotations.
 */
#ifndef BASE_RCU_H
#define BASE_RCU_H

#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE
#endif
#ifndef RCU_MEMBARRIER
#define RCU_MEMBARRIER
#endif
#include <urcu/urcu-memb.h>

#if defined(__SANITIZE_THREAD__)
#define BASE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BASE_TSAN 1
#endif
#endif

#ifdef BASE_TSAN
extern char rcu_tsan_token;
void __tsan_acquire(void *);
void __tsan_release(void *);
#define RCU_TSAN_RELEASE() __tsan_release(&rcu_tsan_token)
#define RCU_TSAN_ACQUIRE() __tsan_acquire(&rcu_tsan_token)
#else
#define RCU_TSAN_RELEASE() ((void)0)
#define RCU_TSAN_ACQUIRE() ((void)0)
#endif

/* Embedded first or anywhere in what is retired. */
struct rcu_retired {
    struct rcu_head head;
    void (*free_fn)(struct rcu_retired *);
};

static inline void
rcu_enter(void)
{
    urcu_memb_read_lock();
}

static inline void
rcu_leave(void)
{
    RCU_TSAN_RELEASE();
    urcu_memb_read_unlock();
}

/* Inside a read section: the current value of a published pointer. */
#define rcu_get(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)

/* The writer: makes v visible, returns what was there. */
#define rcu_swap(p, v) __atomic_exchange_n(&(p), (v), __ATOMIC_ACQ_REL)

/* Calls r->free_fn(r) on the RCU thread after a grace period. Never blocks. */
void rcu_retire(struct rcu_retired *r, void (*free_fn)(struct rcu_retired *));

/* Waits until everything retired before the call has been freed. Not inside a read section. */
void rcu_drain(void);

/* For threads that thread_start did not make. May be nested. */
void rcu_thread_enter(void);
void rcu_thread_leave(void);

#endif
