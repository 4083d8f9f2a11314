/* Redis beside us: a server of our own start, and GETs pipelined over its unix socket. */
#ifndef BENCH_REDIS_H
#define BENCH_REDIS_H

#include "rig.h"

struct redis {
    pid_t pid;
    int fd;
    char *asks; /* GET commands, one behind the other */
    size_t *ends;
    size_t n, at, batch; /* batch: commands that go out together */
    unsigned flights;    /* batches in flight */
    size_t value_len;
};

bool redis_there(void); /* the package is installed */
/* Starts a server and fills it with n keys; key(i, out) names them (RIG_PATH bytes). */
void redis_start(struct redis *r, size_t n, size_t (*key)(uint64_t i, char *out), size_t value_len);
/* What redis_run asks: `asks` GETs of keys i = pick(k). */
void redis_prepare(struct redis *r, size_t asks, uint64_t keys, size_t (*key)(uint64_t i, char *out),
                   size_t batch, unsigned flights);
double redis_run(void *redis, double seconds); /* GETs per second */
void redis_stop(struct redis *r);

#endif
