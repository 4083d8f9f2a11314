#include "nng_client.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"

struct flight {
    struct nng_client *client;
    nng_ctx ctx;
    nng_aio *aio;
    bool sending;
};

struct nng_client {
    nng_socket sock;
    const acd_slice *asks;
    size_t n;
    unsigned in_flight;
    _Atomic uint64_t at, calls, until_ns;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned running;
    struct flight flights[];
};

static void
ask(struct flight *f)
{
    struct nng_client *c = f->client;
    const acd_slice *ask = &c->asks[atomic_fetch_add_explicit(&c->at, 1, memory_order_relaxed) % c->n];
    nng_msg *msg;
    must(nng_msg_alloc(&msg, ask->len) == 0);
    memcpy(nng_msg_body(msg), ask->ptr, ask->len);
    f->sending = true;
    nng_aio_set_msg(f->aio, msg);
    nng_ctx_send(f->ctx, f->aio);
}

static void
step(void *arg)
{
    struct flight *f = arg;
    struct nng_client *c = f->client;
    must(nng_aio_result(f->aio) == 0);
    if (f->sending) {
        f->sending = false;
        nng_ctx_recv(f->ctx, f->aio);
        return;
    }
    nng_msg_free(nng_aio_get_msg(f->aio));
    (void)atomic_fetch_add_explicit(&c->calls, 1, memory_order_relaxed);
    if (clock_mono_ns(&clock_system) < atomic_load_explicit(&c->until_ns, memory_order_relaxed)) {
        ask(f);
        return;
    }
    (void)pthread_mutex_lock(&c->lock);
    c->running--;
    (void)pthread_cond_signal(&c->cond);
    (void)pthread_mutex_unlock(&c->lock);
}

struct nng_client *
nng_client_open(const char *url, const acd_slice *asks, size_t n, unsigned in_flight)
{
    struct nng_client *c = calloc(1, sizeof(*c) + in_flight * sizeof(c->flights[0]));
    must(c && pthread_mutex_init(&c->lock, NULL) == 0 && pthread_cond_init(&c->cond, NULL) == 0);
    c->asks = asks;
    c->n = n;
    c->in_flight = in_flight;
    must(nng_req0_open(&c->sock) == 0);
    must(nng_socket_set_ms(c->sock, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE) == 0);
    must(nng_dial(c->sock, url, NULL, 0) == 0);
    for (unsigned i = 0; i < in_flight; i++) {
        c->flights[i].client = c;
        must(nng_ctx_open(&c->flights[i].ctx, c->sock) == 0);
        must(nng_aio_alloc(&c->flights[i].aio, step, &c->flights[i]) == 0);
    }
    return c;
}

void
nng_client_close(struct nng_client *c)
{
    for (unsigned i = 0; i < c->in_flight; i++) {
        nng_aio_wait(c->flights[i].aio);
        nng_aio_free(c->flights[i].aio);
        must(nng_ctx_close(c->flights[i].ctx) == 0);
    }
    must(nng_close(c->sock) == 0);
    (void)pthread_cond_destroy(&c->cond);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

double
nng_client_run(void *client, double seconds)
{
    struct nng_client *c = client;
    uint64_t start = clock_mono_ns(&clock_system);
    c->calls = 0;
    c->until_ns = start + (uint64_t)(seconds * 1e9);
    c->running = c->in_flight;
    for (unsigned i = 0; i < c->in_flight; i++)
        ask(&c->flights[i]);
    (void)pthread_mutex_lock(&c->lock);
    while (c->running > 0)
        (void)pthread_cond_wait(&c->cond, &c->lock);
    (void)pthread_mutex_unlock(&c->lock);
    return (double)c->calls / ((double)(clock_mono_ns(&clock_system) - start) / 1e9);
}
