/*
 * Changes: from the call to the reply, which is durable and visible to queries, at a million hosts and at ten
 * thousand; and what queries feel of 500 changes a second.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/rand.h"
#include "pump.h"
#include "world.h"

enum { HOSTS = 1000000, QUICK_HOSTS = 100000, FEW = 10000, CHANGES_PER_S = 500, FLIGHTS = 4, ASKS = 4096 };
enum { TIMES = 4000000, REGION = 4096, OTHER = 1 };
#define GET_TRUST "anchord.v1.EdgeService/GetTrust"

/* A server on a copy of the kept data set. */
static void
start_copy(struct world *w, uint64_t hosts)
{
    char kept[RIG_PATH], copy[RIG_PATH];
    world_kept(hosts, kept);
    (void)snprintf(copy, sizeof(copy), "%s/data-%llu", rig_dir(), (unsigned long long)hosts);
    rig_copy(kept, copy);
    world_start(w, copy, RIG_SERVES);
    world_cas(w);
}

/* The CA that the zone of this host does not have: its list is short, so that the change is all there is. */
static uint32_t
other_ca(uint64_t host)
{
    return (uint32_t)((host / WORLD_ZONE_HOSTS + OTHER) % WORLD_CAS);
}

struct one {
    struct world *w;
    uint64_t hosts;
    struct prng rng;
};

/* Milliseconds of one change, the middle of those made in that time. */
static double
change_run(void *ctx, double seconds)
{
    struct one *o = ctx;
    enum { MAX = 4096 };
    static double took[MAX];
    size_t n = 0;
    uint64_t start = rig_ns();
    while (n + 2 <= MAX && (n == 0 || rig_since(start) < seconds)) {
        uint64_t host = prng_below(&o->rng, o->hosts);
        for (int remove = 0; remove < 2; remove++) {
            uint64_t at = rig_ns();
            world_change(o->w, remove ? "HostService/RemoveHosts" : "HostService/AddHosts", host,
                         other_ca(host));
            took[n++] = rig_since(at) * 1e3;
        }
    }
    return rig_middle(took, n);
}

static void
make_asks(struct pump_set *set, uint64_t hosts)
{
    struct prng rng = {5};
    for (size_t i = 0; i < ASKS; i++) {
        char name[WORLD_NAME];
        Anchord__V1__TrustQuestion q = ANCHORD__V1__TRUST_QUESTION__INIT, *list[1] = {&q};
        Anchord__V1__GetTrustRequest req = ANCHORD__V1__GET_TRUST_REQUEST__INIT;
        (void)world_host(prng_below(&rng, hosts), name);
        q.host = name;
        req.questions = list;
        req.n_questions = 1;
        pump_add(set, GET_TRUST, &req);
    }
}

/* --- changes at a steady rate, on a thread and a connection of their own --- */

struct changer {
    struct world w; /* only its client and CAs are used */
    uint64_t hosts;
    atomic_bool stop;
    uint64_t done;
};

static void *
changer_run(void *arg)
{
    struct changer *c = arg;
    struct prng rng = {99};
    uint64_t next = rig_ns();
    while (!atomic_load(&c->stop)) {
        uint64_t host = prng_below(&rng, c->hosts);
        for (int remove = 0; remove < 2; remove++) {
            next += 1000000000 / CHANGES_PER_S;
            const struct timespec until = {.tv_sec = (time_t)(next / 1000000000),
                                           .tv_nsec = (long)(next % 1000000000)};
            (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
            world_change(&c->w, remove ? "HostService/RemoveHosts" : "HostService/AddHosts", host,
                         other_ca(host));
            c->done++;
        }
    }
    return NULL;
}

struct quiet {
    struct pump *pump;
    struct changer *changer;
    double changes_per_s;
};

/* 99 of 100 answers were there within so many microseconds. */
static double
quiet_run(void *ctx, double seconds)
{
    struct quiet *q = ctx;
    q->pump->took_n = 0;
    (void)pump_run(q->pump, seconds);
    return pump_quantile(q->pump, 0.99);
}

static double
busy_run(void *ctx, double seconds)
{
    struct quiet *q = ctx;
    pthread_t id;
    atomic_store(&q->changer->stop, false);
    q->changer->done = 0;
    uint64_t start = rig_ns();
    must(pthread_create(&id, NULL, changer_run, q->changer) == 0);
    double p99 = quiet_run(ctx, seconds);
    atomic_store(&q->changer->stop, true);
    must(pthread_join(id, NULL) == 0);
    q->changes_per_s = (double)q->changer->done / rig_since(start);
    return p99;
}

static void
queries_during_changes(struct world *w, uint64_t hosts, double seconds)
{
    struct pump_set set = {0};
    struct pump p;
    struct changer changer = {.w = *w, .hosts = hosts};
    acd_err err = ACD_ERR_INIT;
    make_asks(&set, hosts);
    pump_open(&p, w->ipc, &set, FLIGHTS);
    p.took_us = calloc(TIMES, sizeof(*p.took_us));
    p.took_max = TIMES;
    must(p.took_us);
    rig_need(call_open(w->ipc, NULL, &changer.w.client, &err), &err, w->ipc);
    struct quiet q = {&p, &changer, 0};
    (void)quiet_run(&q, seconds);
    const struct rig_pair pair = {.measure = "99 % of queries during 500 changes/s",
                                  .unit = "us",
                                  .peer = "without changes",
                                  .reach = 1.5,
                                  .ours = busy_run,
                                  .theirs = quiet_run,
                                  .ctx = &q,
                                  .their_ctx = &q};
    (void)rig_compare(&pair, 2 * seconds);
    rig_figure("changes made while they were asked", q.changes_per_s, "changes/s");
    call_close(changer.w.client);
    pump_close(&p);
    pump_done(&set);
}

int
main(int argc, char **argv)
{
    double seconds = rig_begin(argc, argv);
    struct world many, few;
    uint64_t hosts = seconds < 0.5 ? QUICK_HOSTS : HOSTS;
    start_copy(&few, FEW);
    struct one at_few = {&few, FEW, {1}};
    start_copy(&many, hosts);
    struct one at_many = {&many, hosts, {2}};
    const struct rig_pair pair = {.measure = "one host more or less, commit to visible, most hosts",
                                  .unit = "ms",
                                  .peer = "the same at 10 k hosts",
                                  .reach = 2,
                                  .ours = change_run,
                                  .theirs = change_run,
                                  .ctx = &at_many,
                                  .their_ctx = &at_few};
    (void)rig_compare(&pair, seconds);
    world_stop(&few);
    queries_during_changes(&many, hosts, seconds);
    world_stop(&many);
    return EXIT_SUCCESS;
}
