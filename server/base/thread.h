/* Named threads, registered with RCU. Start and join from any thread; signals stay blocked in all of them. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

#include "base/must.h"

typedef void (*thread_fn)(void *arg);

struct thread {
    pthread_t id;
    thread_fn fn;
    void *arg;
    char name[16];
};

int thread_start(struct thread *t, const char *name, thread_fn fn, void *arg) ACD_MUSTCHECK;
void thread_join(struct thread *t);

#endif
