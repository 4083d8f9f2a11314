#include "query/flight.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/thread.h"
#include "lib/main.h"

enum { WAITERS = 8 };

/* The one who runs waits until all others have asked; only then does it land. */
struct flight_case {
    struct flights *flights;
    struct verdict_key key;
    atomic_int runs, asking, good, failed, waited;
    int fail;
};

static int
fly(void *arg, acd_verdict *ret, acd_err *err)
{
    struct flight_case *c = arg;
    atomic_fetch_add(&c->runs, 1);
    while (atomic_load(&c->asking) < WAITERS)
        ;
    *ret = (acd_verdict){.struct_size = sizeof(*ret), .result = ACD_VERIFIED, .anchor = 7};
    return c->fail ? err_set(err, ACD_EIO, "the validator fell over") : 0;
}

static void
ask(void *arg)
{
    struct flight_case *c = arg;
    acd_verdict v;
    acd_err err = ACD_ERR_INIT;
    bool waited;
    atomic_fetch_add(&c->asking, 1);
    int rc = flight_run(c->flights, &c->key, 0, fly, c, &v, &waited, &err);
    atomic_fetch_add(&c->good, rc == 0 && v.anchor == 7);
    atomic_fetch_add(&c->failed, rc == ACD_EIO && err.text[0] != '\0');
    atomic_fetch_add(&c->waited, waited);
}

static void
run_case(struct flight_case *c)
{
    struct thread threads[WAITERS];
    ck_assert_int_eq(flights_new(&c->flights, NULL), 0);
    for (int i = 0; i < WAITERS; i++)
        ck_assert_int_eq(thread_start(&threads[i], "asker", ask, c), 0);
    for (int i = 0; i < WAITERS; i++)
        thread_join(&threads[i]);
    flights_free(c->flights);
    ck_assert_int_eq(atomic_load(&c->waited), WAITERS - atomic_load(&c->runs));
}

START_TEST(everyone_gets_the_verdict)
{
    struct flight_case c = {0};
    run_case(&c);
    ck_assert_int_eq(atomic_load(&c.good), WAITERS);
}
END_TEST

START_TEST(everyone_gets_the_failure)
{
    struct flight_case c = {.fail = 1};
    run_case(&c);
    ck_assert_int_eq(atomic_load(&c.failed), WAITERS);
}
END_TEST

/* --- a flight that does not land in time ------------------------------------------------------------------
 */

static atomic_int flying, may_land;

static int
fly_until_told(void *arg, acd_verdict *ret, acd_err *err)
{
    (void)arg;
    (void)err;
    atomic_store(&flying, 1);
    while (!atomic_load(&may_land))
        ;
    *ret = (acd_verdict){.struct_size = sizeof(*ret)};
    return 0;
}

static void
run_slow(void *arg)
{
    struct flight_case *c = arg;
    acd_verdict v;
    bool waited;
    ck_assert_int_eq(flight_run(c->flights, &c->key, 0, fly_until_told, NULL, &v, &waited, NULL), 0);
}

START_TEST(a_waiter_leaves_at_its_deadline)
{
    struct flight_case c = {0};
    struct thread slow;
    acd_verdict v;
    bool waited;
    ck_assert_int_eq(flights_new(&c.flights, NULL), 0);
    ck_assert_int_eq(thread_start(&slow, "slow", run_slow, &c), 0);
    while (!atomic_load(&flying))
        ;
    uint64_t deadline = clock_mono_ns(&clock_system) + 1000000;
    ck_assert_int_eq(flight_run(c.flights, &c.key, deadline, fly, &c, &v, &waited, NULL), ACD_ETIMEOUT);
    ck_assert(clock_mono_ns(&clock_system) >= deadline);
    ck_assert_int_eq(atomic_load(&c.runs), 0);
    atomic_store(&may_land, 1);
    thread_join(&slow);
    flights_free(c.flights);
}
END_TEST

Suite *suite_flight(void);

Suite *
suite_flight(void)
{
    Suite *s = suite_create("flight");
    ADD_TESTS(s, "flight", everyone_gets_the_verdict, everyone_gets_the_failure,
              a_waiter_leaves_at_its_deadline);
    return s;
}
