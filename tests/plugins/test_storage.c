/* The storage conformance suite: every test runs against every implementation (the loop's number). */
#include "ops.h"

#include <time.h>

#include "base/err.h"
#include "base/str.h"
#include "base/thread.h"

static void
random_run(int impl, uint64_t seed)
{
    enum { TXNS = 120, OPS = 24 };
    struct rig rig;
    struct naive now, next, seen;
    struct prng r = {.state = seed};
    rig_open(&rig, impl, NULL, false);
    struct plug_session *w = rig_session(&rig), *reader = rig_session(&rig);
    naive_init(&now);
    naive_init(&next);
    naive_init(&seen);
    for (int t = 0; t < TXNS; t++) {
        if (t % 5 == 0) { /* a view that outlives the next commits */
            plug_rollback(reader);
            ck_ok(plug_begin(reader, false, 0, NULL));
            naive_copy(&seen, &now);
        }
        ck_ok(plug_begin(w, true, 0, NULL));
        naive_copy(&next, &now);
        for (int i = 0; i < OPS; i++) {
            ops_change(&r, w, &next);
            ops_read(&r, w, &next);
        }
        ops_read(&r, reader, &seen);
        if (prng_below(&r, 4)) {
            ck_ok(plug_commit(w, NULL));
            naive_copy(&now, &next);
        } else {
            plug_rollback(w);
        }
        naive_compare(&seen, reader);
    }
    plug_rollback(reader);
    ck_ok(plug_begin(reader, false, 0, NULL));
    naive_compare(&now, reader);
    plug_session_close(reader);
    plug_session_close(w);
    naive_done(&now);
    naive_done(&next);
    naive_done(&seen);
    rig_close(&rig);
}

/* ANCHORD_SEEDS: how many runs; default 2. */
START_TEST(random_operations_agree_with_the_model)
{
    const char *text = getenv("ANCHORD_SEEDS");
    uint64_t seeds = 2;
    if (text)
        ck_assert(str_u64(slice_str(text), &seeds));
    for (uint64_t i = 0; i < seeds; i++)
        random_run(_i, 0x5eed0000 + i);
}
END_TEST

static int
put_parent(struct plug_session *s, const char *id, uint64_t if_rev, acd_err *err)
{
    acd_value row[P_COLS] = {v_text(id), v_text(id), v_text(NULL), v_int(1)};
    return plug_put(s, C_PARENT, row, P_COLS, if_rev, err);
}

START_TEST(wrong_input_is_refused_by_name)
{
    struct rig rig;
    acd_err err = ACD_ERR_INIT;
    rig_open(&rig, _i, NULL, false);
    struct plug_session *s = rig_session(&rig);
    ck_ok(plug_begin(s, true, 0, NULL));
    acd_value row[P_COLS] = {v_text("a"), v_text(NULL), v_text(NULL), v_int(1)};
    ck_assert_int_eq(plug_put(s, C_PARENT, row, P_COLS, ACD_REV_ANY, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "column parent.name cannot be NULL");
    row[P_NAME] = v_blob("\xff", 1);
    ck_assert_int_eq(plug_put(s, C_PARENT, row, P_COLS, ACD_REV_ANY, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "column parent.name takes UTF-8 text without NUL");
    row[P_NAME] = v_blob("a\0b", 3);
    ck_assert_int_eq(plug_put(s, C_PARENT, row, P_COLS, ACD_REV_ANY, &err), ACD_EINVAL);
    ck_assert_int_eq(plug_put(s, C_PARENT, row, P_COLS - 1, ACD_REV_ANY, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "a row of parent has 4 values, not 3");
    ck_assert_int_eq(plug_put(s, 99, row, P_COLS, ACD_REV_ANY, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "there is no collection 99");
    acd_value number[N_COLS] = {v_int(1), v_blob("", 0)};
    ck_assert_int_eq(plug_put(s, C_NUMBER, number, N_COLS, 7, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "number cannot be asked for revision 7");
    int64_t now;
    ck_assert_int_eq(plug_counter_add(s, (acd_slice){NULL, 0}, 1, 0, 1, &now, &err), ACD_EINVAL);
    acd_scan scan = {.coll = C_PARENT, .index = 4};
    ck_assert_int_eq(plug_scan(s, &scan, NULL, NULL, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "parent has no index 4");
    ck_ok(put_parent(s, "a", ACD_REV_NEW, NULL)); /* the transaction is still good */
    ck_ok(plug_commit(s, NULL));
    plug_session_close(s);
    rig_close(&rig);
}
END_TEST

START_TEST(a_reader_writes_nothing)
{
    struct rig rig;
    acd_err err = ACD_ERR_INIT;
    int64_t now;
    uint64_t seq;
    rig_open(&rig, _i, NULL, false);
    struct plug_session *s = rig_session(&rig);
    ck_ok(plug_begin(s, false, 0, NULL));
    ck_assert_int_eq(put_parent(s, "a", ACD_REV_ANY, &err), ACD_EPRECOND);
    ck_assert_str_eq(err.text, "the session is in no write transaction");
    ck_assert_int_eq(plug_next_seq(s, &seq, NULL), ACD_EPRECOND);
    ck_assert_int_eq(plug_counter_add(s, (acd_slice){"k", 1}, 1, 0, 9, &now, NULL), ACD_EPRECOND);
    ck_ok(plug_counter_get(s, (acd_slice){"k", 1}, &now, NULL));
    ck_assert_int_eq(now, 0);
    ck_ok(plug_commit(s, NULL));
    plug_session_close(s);
    rig_close(&rig);
}
END_TEST

static int
stop_with(void *ctx, const acd_value *row, size_t ncols)
{
    (void)row;
    (void)ncols;
    return *(int *)ctx;
}

START_TEST(a_callbacks_error_is_returned)
{
    struct rig rig;
    int code = ACD_ECANCELED;
    rig_open(&rig, _i, NULL, false);
    struct plug_session *s = rig_session(&rig);
    ck_ok(plug_begin(s, true, 0, NULL));
    ck_ok(put_parent(s, "a", ACD_REV_NEW, NULL));
    acd_scan scan = {.coll = C_PARENT};
    acd_value key = v_text("a");
    ck_assert_int_eq(plug_scan(s, &scan, stop_with, &code, NULL), ACD_ECANCELED);
    ck_assert_int_eq(plug_get(s, C_PARENT, &key, 1, stop_with, &code, NULL), ACD_ECANCELED);
    code = 1;
    ck_ok(plug_get(s, C_PARENT, &key, 1, stop_with, &code, NULL));
    plug_session_close(s);
    rig_close(&rig);
}
END_TEST

START_TEST(a_second_writer_waits_until_its_deadline)
{
    struct rig rig;
    acd_err err = ACD_ERR_INIT;
    rig_open(&rig, _i, NULL, false);
    struct plug_session *a = rig_session(&rig), *b = rig_session(&rig);
    ck_ok(plug_begin(a, true, 0, NULL));
    uint64_t before = clock_mono_ns(&clock_system), deadline = before + 60000000;
    ck_assert_int_eq(plug_begin(b, true, deadline, &err), ACD_ETIMEOUT);
    ck_assert_uint_ge(clock_mono_ns(&clock_system), deadline);
    ck_assert_int_eq(plug_begin(b, true, before, &err), ACD_ETIMEOUT); /* passed already */
    ck_ok(plug_begin(b, false, 0, NULL));                              /* a reader does not wait */
    plug_rollback(b);
    ck_ok(plug_commit(a, NULL));
    ck_ok(plug_begin(b, true, clock_mono_ns(&clock_system) + 60000000000, NULL));
    plug_session_close(b);
    plug_session_close(a);
    rig_close(&rig);
}
END_TEST

START_TEST(without_a_deadline_busy_is_said)
{
    struct rig rig;
    acd_err err = ACD_ERR_INIT;
    struct plug_pair busy = {"busy_ms", "20"};
    rig_start(&rig, _i, NULL, NULL, &busy, 1);
    ck_ok(plug_storage_schema(&rig.st, test_colls, TEST_COLLS, 1, C_ROWS, NULL));
    struct plug_session *a = rig_session(&rig), *b = rig_session(&rig);
    ck_ok(plug_begin(a, true, 0, NULL));
    ck_assert_int_eq(plug_begin(b, true, 0, &err), ACD_EBUSY);
    ck_assert_str_eq(err.text, "another writer is at work");
    ck_assert_uint_gt(err.retry_after_ms, 0);
    plug_session_close(a); /* rolls back, which frees the place */
    ck_ok(plug_begin(b, true, 0, NULL));
    plug_session_close(b);
    rig_close(&rig);
}
END_TEST

START_TEST(a_late_transaction_is_rolled_back)
{
    struct rig rig;
    acd_err err = ACD_ERR_INIT;
    rig_open(&rig, _i, NULL, false);
    struct plug_session *s = rig_session(&rig);
    uint64_t deadline = clock_mono_ns(&clock_system) + 20000000;
    ck_ok(plug_begin(s, true, deadline, NULL));
    ck_ok(put_parent(s, "late", ACD_REV_NEW, NULL));
    while (clock_mono_ns(&clock_system) < deadline)
        ;
    ck_assert_int_eq(put_parent(s, "later", ACD_REV_NEW, &err), ACD_ETIMEOUT);
    ck_assert_int_eq(plug_commit(s, &err), ACD_ETIMEOUT);
    ck_ok(plug_begin(s, true, 0, NULL));
    acd_value key = v_text("late");
    ck_assert_int_eq(plug_get(s, C_PARENT, &key, 1, stop_with, NULL, NULL), ACD_ENOENT);
    plug_session_close(s);
    rig_close(&rig);
}
END_TEST

static int
fail_commit(void *ctx, const char *plugin, const char *point)
{
    (void)plugin;
    const char *dot = strrchr(point, '.');
    return *(int *)ctx && dot && strcmp(dot, ".commit") == 0 ? ACD_EIO : 0;
}

START_TEST(a_failed_commit_leaves_nothing)
{
    struct rig rig;
    int on = 1;
    struct plug_env env = {.fault = fail_commit, .fault_ctx = &on};
    uint64_t seq;
    rig_start(&rig, _i, NULL, &env, NULL, 0);
    ck_ok(plug_storage_schema(&rig.st, test_colls, TEST_COLLS, 1, C_ROWS, NULL));
    struct plug_session *s = rig_session(&rig);
    ck_ok(plug_begin(s, true, 0, NULL));
    ck_ok(put_parent(s, "a", ACD_REV_NEW, NULL));
    ck_ok(plug_next_seq(s, &seq, NULL));
    ck_assert_int_eq(plug_commit(s, NULL), ACD_EIO);
    on = 0;
    ck_ok(plug_begin(s, true, 0, NULL));
    ck_ok(put_parent(s, "a", ACD_REV_NEW, NULL));
    ck_ok(plug_next_seq(s, &seq, NULL));
    ck_assert_uint_eq(seq, 1); /* a number that was rolled back is given again */
    ck_ok(plug_commit(s, NULL));
    plug_session_close(s);
    rig_close(&rig);
}
END_TEST

enum { RACERS = 64, RACE_LIMIT = 200 };

struct racer {
    struct thread thread;
    struct rig *rig;
    int won, odd; /* odd: anything but 0 and ACD_ELIMIT */
};

static void
race(void *arg)
{
    struct racer *me = arg;
    struct plug_session *s;
    if (plug_session_open(&me->rig->st, &s, NULL) < 0) {
        me->odd = 1;
        return;
    }
    for (int rc = 0; rc == 0;) {
        int64_t now = 0;
        uint64_t seq;
        if (plug_begin(s, true, clock_mono_ns(&clock_system) + 50000000000, NULL) < 0) {
            me->odd++;
            break;
        }
        rc = plug_counter_add(s, (acd_slice){"pool", 4}, 1, 0, RACE_LIMIT, &now, NULL);
        if (rc == 0 && (plug_next_seq(s, &seq, NULL) < 0 || (int64_t)seq != now))
            me->odd++;
        if (rc == 0 && plug_commit(s, NULL) == 0)
            me->won++;
        else
            plug_rollback(s);
        if ((rc < 0 && rc != ACD_ELIMIT) || now > RACE_LIMIT)
            me->odd++;
    }
    plug_session_close(s);
}

START_TEST(many_threads_never_pass_a_limit)
{
    struct rig rig;
    static struct racer racers[RACERS];
    int won = 0, odd = 0;
    int64_t now = 0;
    rig_open(&rig, _i, NULL, false);
    for (int i = 0; i < RACERS; i++) {
        racers[i].rig = &rig;
        ck_ok(thread_start(&racers[i].thread, "racer", race, &racers[i]));
    }
    for (int i = 0; i < RACERS; i++) {
        thread_join(&racers[i].thread);
        won += racers[i].won;
        odd += racers[i].odd;
    }
    ck_assert_int_eq(odd, 0);
    ck_assert_int_eq(won, RACE_LIMIT);
    struct plug_session *s = rig_session(&rig);
    ck_ok(plug_begin(s, false, 0, NULL));
    ck_ok(plug_counter_get(s, (acd_slice){"pool", 4}, &now, NULL));
    ck_assert_int_eq(now, RACE_LIMIT);
    plug_session_close(s);
    rig_close(&rig);
}
END_TEST

START_TEST(a_bad_schema_is_refused)
{
    static const acd_column cols[] = {{.name = "id", .type = ACD_COL_TEXT},
                                      {.name = "Bad", .type = ACD_COL_INT}};
    static const acd_column dup[] = {{.name = "id", .type = ACD_COL_TEXT},
                                     {.name = "id", .type = ACD_COL_INT}};
    acd_collection colls[2] = {test_colls[C_ROWS],
                               {.struct_size = sizeof(acd_collection), .name = "x", .npk = 1}};
    acd_err err = ACD_ERR_INIT;
    struct rig rig;
    rig_start(&rig, _i, NULL, NULL, NULL, 0);
    colls[1].cols = cols;
    colls[1].ncols = 2;
    ck_assert_int_eq(plug_storage_schema(&rig.st, colls, 2, 1, 0, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "column 1 of collection x has no valid name");
    colls[1].cols = dup;
    ck_assert_int_eq(plug_storage_schema(&rig.st, colls, 2, 1, 0, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "column x.id is named twice");
    colls[1].ncols = 1;
    colls[1].npk = 2;
    ck_assert_int_eq(plug_storage_schema(&rig.st, colls, 2, 1, 0, &err), ACD_EINVAL);
    struct plug_session *s;
    ck_assert_int_eq(plug_session_open(&rig.st, &s, &err), ACD_EPRECOND);
    rig_close(&rig);
}
END_TEST

Suite *suite_storage(void);

Suite *
suite_storage(void)
{
    Suite *s = suite_create("storage");
    const TTest *tests[] = {random_operations_agree_with_the_model,
                            wrong_input_is_refused_by_name,
                            a_reader_writes_nothing,
                            a_callbacks_error_is_returned,
                            a_second_writer_waits_until_its_deadline,
                            without_a_deadline_busy_is_said,
                            a_late_transaction_is_rolled_back,
                            a_failed_commit_leaves_nothing,
                            many_threads_never_pass_a_limit,
                            a_bad_schema_is_refused};
    TCase *tc = tcase_create("storage");
    tcase_set_timeout(tc, 300);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_loop_test(tc, tests[i], 0, IMPLS);
    suite_add_tcase(s, tc);
    return s;
}
