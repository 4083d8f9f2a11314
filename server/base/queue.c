#include "base/queue.h"

#include <stdlib.h>

#include "base/err.h"

int
queue_init(struct queue *q, size_t cap)
{
    *q = (struct queue){.cap = cap, .slots = calloc(cap, sizeof(void *))};
    if (!q->slots)
        return ACD_ENOMEM;
    must(pthread_mutex_init(&q->lock, NULL) == 0);
    must(pthread_cond_init(&q->nonempty, NULL) == 0);
    return 0;
}

void
queue_done(struct queue *q)
{
    if (!q->slots)
        return;
    must(q->len == 0);
    (void)pthread_cond_destroy(&q->nonempty);
    (void)pthread_mutex_destroy(&q->lock);
    free(q->slots);
    q->slots = NULL;
}

bool
queue_put(struct queue *q, void *item)
{
    (void)pthread_mutex_lock(&q->lock);
    bool ok = !q->closed && q->len < q->cap;
    if (ok) {
        q->slots[(q->head + q->len) % q->cap] = item;
        q->len++;
        if (q->waiting)
            (void)pthread_cond_signal(&q->nonempty);
    }
    (void)pthread_mutex_unlock(&q->lock);
    return ok;
}

size_t
queue_take_many(struct queue *q, void **items, size_t max)
{
    size_t n = 0;
    (void)pthread_mutex_lock(&q->lock);
    while (q->len == 0 && !q->closed) {
        q->waiting++;
        (void)pthread_cond_wait(&q->nonempty, &q->lock);
        q->waiting--;
    }
    for (; n < max && q->len > 0; n++) {
        items[n] = q->slots[q->head];
        q->head = (q->head + 1) % q->cap;
        q->len--;
    }
    (void)pthread_mutex_unlock(&q->lock);
    return n;
}

void *
queue_take(struct queue *q)
{
    void *item = NULL;
    return queue_take_many(q, &item, 1) ? item : NULL;
}

void
queue_close(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    q->closed = true;
    (void)pthread_cond_broadcast(&q->nonempty);
    (void)pthread_mutex_unlock(&q->lock);
}

size_t
queue_len(struct queue *q)
{
    (void)pthread_mutex_lock(&q->lock);
    size_t n = q->len;
    (void)pthread_mutex_unlock(&q->lock);
    return n;
}
