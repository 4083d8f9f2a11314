#include "fake.h"

#include <sched.h>
#include <string.h>

#include "base/err.h"
#include "base/thread.h"
#include "lib/main.h"

static int
call(struct plug *p, uint64_t deadline_ns, acd_err *err)
{
    const acd_quota_ops *ops = p->desc->ops;
    struct plug_step step;
    int rc = plug_enter(&step, p, "release", deadline_ns, err);
    return rc < 0 ? rc : plug_leave(&step, ops->release(p->inst, NULL, NULL, err), err);
}

static void
look_around(void)
{
    (void)plug_breadcrumb(&fake.crumb_plugin, &fake.crumb_func);
}

START_TEST(a_breadcrumb_lies_while_inside)
{
    const char *a, *b;
    acd_plugin desc = fake_desc(ACD_FREE_THREADED);
    struct plug *p = fake_started(&desc);
    struct plug_step outer;
    fake.in_call = look_around;
    ck_assert(!plug_breadcrumb(&a, &b));
    plug_enter_always(&outer, p, "outer");
    ck_assert_int_eq(call(p, 0, NULL), 0);
    ck_assert_str_eq(fake.crumb_plugin, "fake");
    ck_assert_str_eq(fake.crumb_func, "release");
    ck_assert(plug_breadcrumb(&a, &b));
    ck_assert_str_eq(b, "outer");
    ck_assert_int_eq(plug_leave(&outer, 0, NULL), 0);
    ck_assert(!plug_breadcrumb(&a, &b));
    plug_free(p);
}
END_TEST

START_TEST(strange_results_become_internal_errors)
{
    static const int strange[] = {1, 42, -19, -1000, INT32_MIN};
    acd_err err = ACD_ERR_INIT;
    acd_plugin desc = fake_desc(ACD_FREE_THREADED);
    struct plug *p = fake_started(&desc);
    for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
        fake.call_rc = strange[i];
        ck_assert_int_eq(call(p, 0, &err), ACD_EINTERNAL);
    }
    fake.call_rc = 42;
    ck_assert_int_eq(call(p, 0, &err), ACD_EINTERNAL);
    ck_assert_str_eq(err.text, "release of plugin fake returned 42, which is no status");
    for (int code = 0; code >= ACD_EINTERNAL; code--) {
        fake.call_rc = code;
        ck_assert_int_eq(call(p, 0, &err), code);
    }
    ck_assert_uint_eq(p->guard.strange, 6);
    ck_assert_uint_eq(p->guard.failures, 6 + 18);
    plug_free(p);
}
END_TEST

static uint64_t test_now;

static uint64_t
mono(const struct clock *c)
{
    (void)c;
    return test_now;
}

static int64_t
wall(const struct clock *c)
{
    (void)c;
    return 0;
}

static void
take_long(void)
{
    test_now += 100;
}

START_TEST(deadlines_are_watched)
{
    static const struct clock clock = {wall, mono};
    acd_err err = ACD_ERR_INIT;
    acd_plugin desc = fake_desc(ACD_FREE_THREADED);
    struct plug *p = fake_started(&desc);
    p->host.env.clock = &clock;
    test_now = 1000;
    ck_assert_int_eq(call(p, 1000, &err), ACD_ETIMEOUT); /* not even begun */
    ck_assert_str_eq(err.text, "the deadline passed before release of plugin fake");
    ck_assert_uint_eq(p->guard.late, 0);
    fake.in_call = take_long;
    ck_assert_int_eq(call(p, 1101, NULL), 0);
    ck_assert_uint_eq(p->guard.late, 0);
    ck_assert_int_eq(call(p, 1150, NULL), 0); /* the result counts, and so does the lateness */
    ck_assert_uint_eq(p->guard.late, 1);
    p->host.env.clock = &clock_system;
    plug_free(p);
}
END_TEST

START_TEST(only_running_plugins_are_called)
{
    acd_err err = ACD_ERR_INIT;
    acd_plugin desc = fake_desc(ACD_FREE_THREADED);
    struct plug *p = fake_plug(&desc, NULL);
    ck_assert_int_eq(call(p, 0, &err), ACD_EUNAVAIL);
    ck_assert_str_eq(err.text, "plugin fake is discovered");
    plug_free(p);
    p = fake_started(&desc);
    fake.health_rc = ACD_EIO;
    (void)plug_health(p, NULL);
    ck_assert_int_eq(call(p, 0, &err), 0); /* degraded still works */
    (void)plug_quiesce(p, 1, NULL);
    ck_assert_int_eq(call(p, 0, &err), ACD_EUNAVAIL);
    plug_free(p);
}
END_TEST

static void
many_calls(void *arg)
{
    for (int i = 0; i < 2000; i++)
        if (call(arg, 0, NULL) < 0)
            return;
}

/* Gives another thread the chance to come in as well. */
static void
yield(void)
{
    (void)sched_yield();
}

static int
most_together(uint32_t thread)
{
    enum { THREADS = 4 };
    struct thread threads[THREADS];
    acd_plugin desc = fake_desc(thread);
    struct plug *p = fake_started(&desc);
    atomic_store(&fake.together, 0);
    fake.in_call = yield;
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(thread_start(&threads[i], "call", many_calls, p), 0);
    for (int i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    ck_assert_uint_ge(p->guard.calls, THREADS * 2000);
    plug_free(p);
    return atomic_load(&fake.together);
}

static pthread_barrier_t both;

/* Returns only once a second call is inside as well. */
static void
meet(void)
{
    (void)pthread_barrier_wait(&both);
}

static void
one_call(void *arg)
{
    if (call(arg, 0, NULL) < 0)
        return;
}

START_TEST(serial_means_one_at_a_time)
{
    ck_assert_int_eq(most_together(ACD_SERIAL), 1);
}
END_TEST

START_TEST(free_threaded_is_not_locked)
{
    struct thread threads[2];
    acd_plugin desc = fake_desc(ACD_FREE_THREADED);
    struct plug *p = fake_started(&desc);
    ck_assert_int_eq(pthread_barrier_init(&both, NULL, 2), 0);
    fake.in_call = meet;
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(thread_start(&threads[i], "call", one_call, p), 0);
    for (int i = 0; i < 2; i++)
        thread_join(&threads[i]);
    ck_assert_int_eq(atomic_load(&fake.together), 2);
    plug_free(p);
}
END_TEST

Suite *suite_guard(void);

Suite *
suite_guard(void)
{
    Suite *s = suite_create("guard");
    ADD_TESTS(s, "guard", a_breadcrumb_lies_while_inside, strange_results_become_internal_errors,
              deadlines_are_watched, only_running_plugins_are_called, serial_means_one_at_a_time,
              free_threaded_is_not_locked);
    return s;
}
