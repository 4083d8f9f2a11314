#include "base/thread.h"

#include <signal.h>
#include <stdio.h>

#include "base/err.h"
#include "base/rcu.h"

static void *
run(void *arg)
{
    struct thread *t = arg;
    (void)pthread_setname_np(pthread_self(), t->name);
    rcu_thread_enter();
    t->fn(t->arg);
    rcu_thread_leave();
    return NULL;
}

int
thread_start(struct thread *t, const char *name, thread_fn fn, void *arg)
{
    sigset_t all, old;
    t->fn = fn;
    t->arg = arg;
    (void)snprintf(t->name, sizeof(t->name), "%s", name);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = pthread_create(&t->id, NULL, run, t);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc == 0 ? 0 : ACD_EBUSY;
}

void
thread_join(struct thread *t)
{
    must(pthread_join(t->id, NULL) == 0);
}
