#include "query/flight.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

struct flight {
    unsigned refs; /* the one who runs, and who waits */
    bool landed;
    int rc;
    acd_verdict verdict;
    acd_err err;
};

struct flights {
    pthread_mutex_t lock;
    pthread_cond_t landed;
    struct map by_key;
};

int
flights_new(struct flights **ret, acd_err *err)
{
    struct flights *f = calloc(1, sizeof(*f));
    if (!f)
        return err_set(err, ACD_ENOMEM, "out of memory");
    must(pthread_mutex_init(&f->lock, NULL) == 0);
    must(pthread_cond_init(&f->landed, NULL) == 0);
    *ret = f;
    return 0;
}

void
flights_free(struct flights *f)
{
    if (!f)
        return;
    must(f->by_key.len == 0);
    map_done(&f->by_key);
    (void)pthread_cond_destroy(&f->landed);
    (void)pthread_mutex_destroy(&f->lock);
    free(f);
}

static acd_slice
key_slice(const struct verdict_key *key)
{
    return slice_of(key, sizeof(*key));
}

static void
flight_put(struct flight *fl)
{
    if (--fl->refs == 0)
        free(fl);
}

/* Under the lock, which is given up while waiting. */
static int
wait_for(struct flights *f, struct flight *fl, uint64_t deadline_ns, acd_verdict *ret, acd_err *err)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                                   .tv_nsec = (long)(deadline_ns % 1000000000u)};
    int rc = 0;
    fl->refs++;
    while (!fl->landed && rc == 0)
        rc = deadline_ns ? pthread_cond_clockwait(&f->landed, &f->lock, CLOCK_MONOTONIC, &until)
                         : pthread_cond_wait(&f->landed, &f->lock);
    if (!fl->landed)
        rc = err_set(err, ACD_ETIMEOUT, "deadline passed while the certificate was being verified");
    else if ((rc = fl->rc) == 0)
        *ret = fl->verdict;
    else
        (void)err_set(err, rc, "%s", err_text(&fl->err, rc));
    flight_put(fl);
    return rc;
}

static int
run(struct flights *f, struct flight *fl, const struct verdict_key *key, flight_fn fn, void *ctx,
    acd_verdict *ret, acd_err *err)
{
    (void)pthread_mutex_unlock(&f->lock);
    int rc = fn(ctx, ret, err);
    (void)pthread_mutex_lock(&f->lock);
    fl->rc = rc;
    if (rc == 0)
        fl->verdict = *ret;
    else if (err)
        fl->err = *err;
    fl->landed = true;
    must(map_take(&f->by_key, key_slice(key)) == fl);
    (void)pthread_cond_broadcast(&f->landed);
    flight_put(fl);
    return rc;
}

int
flight_run(struct flights *f, const struct verdict_key *key, uint64_t deadline_ns, flight_fn fn, void *ctx,
           acd_verdict *ret, bool *ret_waited, acd_err *err)
{
    int rc;
    (void)pthread_mutex_lock(&f->lock);
    struct flight *fl = map_find(&f->by_key, key_slice(key));
    *ret_waited = fl != NULL;
    if (fl) {
        rc = wait_for(f, fl, deadline_ns, ret, err);
    } else if (!(fl = calloc(1, sizeof(*fl))) || map_put(&f->by_key, key_slice(key), fl, NULL) < 0) {
        free(fl);
        rc = err_set(err, ACD_ENOMEM, "out of memory");
    } else {
        fl->refs = 1;
        rc = run(f, fl, key, fn, ctx, ret, err);
    }
    (void)pthread_mutex_unlock(&f->lock);
    return rc;
}
