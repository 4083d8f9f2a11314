#include "fake.h"

#include <signal.h>

#include "base/err.h"
#include "lib/main.h"

START_TEST(a_whole_life)
{
    acd_plugin desc = fake_desc(ACD_FREE_THREADED);
    struct plug *p = fake_plug(&desc, NULL);
    ck_assert_int_eq(plug_state(p), PLUG_DISCOVERED);
    ck_assert_int_eq(plug_open(p, NULL), 0);
    ck_assert_int_eq(plug_state(p), PLUG_LOADED);
    ck_assert_int_eq(plug_configure(p, NULL, 0, NULL), 0);
    ck_assert_int_eq(plug_create(p, NULL), 0);
    ck_assert_int_eq(plug_state(p), PLUG_CREATED);
    ck_assert_int_eq(plug_start(p, NULL), 0);
    ck_assert_int_eq(plug_state(p), PLUG_STARTED);
    fake.health_rc = ACD_EIO;
    ck_assert_int_eq(plug_health(p, NULL), ACD_EIO);
    ck_assert_int_eq(plug_state(p), PLUG_DEGRADED);
    fake.health_rc = 0;
    ck_assert_int_eq(plug_health(p, NULL), 0);
    ck_assert_int_eq(plug_state(p), PLUG_STARTED);
    fake.quiesce_rc = ACD_ETIMEOUT; /* a plugin that does not come to rest is quiesced all the same */
    ck_assert_int_eq(plug_quiesce(p, 1, NULL), ACD_ETIMEOUT);
    ck_assert_int_eq(plug_state(p), PLUG_QUIESCED);
    ck_assert_int_eq(plug_health(p, NULL), ACD_EUNAVAIL);
    plug_free(p);
    ck_assert_str_eq(fake.log, "create start quiesce destroy ");
}
END_TEST

START_TEST(teardown_fits_the_state)
{
    acd_plugin desc = fake_desc(ACD_FREE_THREADED);
    plug_free(fake_plug(&desc, NULL));
    ck_assert_str_eq(fake.log, "");
    plug_free(fake_started(&desc));
    ck_assert_str_eq(fake.log, "create start quiesce destroy ");
    fake.log[0] = '\0';
    fake.create_rc = ACD_ENOMEM;
    struct plug *p = fake_plug(&desc, NULL);
    ck_assert_int_eq(plug_open(p, NULL), 0);
    ck_assert_int_eq(plug_configure(p, NULL, 0, NULL), 0);
    ck_assert_int_eq(plug_create(p, NULL), ACD_ENOMEM);
    plug_free(p);
    ck_assert_str_eq(fake.log, "create "); /* nothing was created: nothing is destroyed */
    plug_free(NULL);
}
END_TEST

START_TEST(no_step_is_skipped)
{
    acd_plugin desc = fake_desc(ACD_FREE_THREADED);
    struct plug *p = fake_plug(&desc, NULL);
    ck_assert_int_eq(plug_start(p, NULL), 0); /* an invariant of ours: stops the program */
}
END_TEST

static int
fault(void *ctx, const char *plugin, const char *point)
{
    ck_assert_str_eq(plugin, "fake");
    ck_assert_str_eq(point, "here");
    return *(int *)ctx;
}

static int64_t
fake_wall(const struct clock *c)
{
    (void)c;
    return 123;
}

static uint64_t
fake_mono(const struct clock *c)
{
    (void)c;
    return 5000000;
}

START_TEST(the_host_is_the_tests)
{
    static const struct clock clock = {fake_wall, fake_mono};
    int code = ACD_EIO;
    struct plug_env env = {.clock = &clock, .fault = fault, .fault_ctx = &code};
    acd_plugin desc = fake_desc(ACD_FREE_THREADED);
    struct plug *p = fake_plug(&desc, &env);
    ck_assert_int_eq(plug_open(p, NULL), 0);
    ck_assert_int_eq(plug_configure(p, NULL, 0, NULL), 0);
    ck_assert_int_eq(plug_create(p, NULL), 0);
    const acd_host *h = fake.host;
    ck_assert_int_eq(h->now_ms(h, 1), 123);
    ck_assert_int_eq(h->now_ms(h, 0), 5);
    ck_assert_int_eq(h->fault(h, "here"), ACD_EIO);
    h->metric_add(h, 3, 5);
    h->metric_add(h, 3, -1);
    h->metric_add(h, PLUG_METRICS, 1); /* beyond the table: dropped */
    ck_assert_int_eq((int)p->host.metrics[3], 4);
    plug_free(p);
}
END_TEST

Suite *suite_life(void);

Suite *
suite_life(void)
{
    Suite *s = suite_create("life");
    ADD_TESTS(s, "life", a_whole_life, teardown_fits_the_state, the_host_is_the_tests);
    TCase *tc = tcase_create("misuse");
    tcase_add_test_raise_signal(tc, no_step_is_skipped, SIGABRT);
    suite_add_tcase(s, tc);
    return s;
}
