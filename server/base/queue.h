/*
 * A bounded queue of pointers, any number of threads on both ends. A full queue refuses at once; nobody ever
 * waits to put. After queue_close puts are refused and takers drain what is left.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/must.h"

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t nonempty;
    void **slots;
    size_t cap, head, len;
    unsigned waiting; /* takers asleep; a put wakes one only when there is one */
    bool closed;
};

int queue_init(struct queue *q, size_t cap) ACD_MUSTCHECK;
void queue_done(struct queue *q);                          /* must be empty */
bool queue_put(struct queue *q, void *item) ACD_MUSTCHECK; /* false: full or closed */
void *queue_take(struct queue *q);                         /* waits; NULL: closed and empty */
size_t queue_take_many(struct queue *q, void **items,
                       size_t max); /* waits for one, takes what is there; 0: closed */
void queue_close(struct queue *q);
size_t queue_len(struct queue *q);

#endif
