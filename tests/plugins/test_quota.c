/* The laws of quota, and the promise of a storage and a quota plugin together: an object exists if and only
 * if it is counted. Every test runs on every storage. */
#include "rig.h"

#include "base/err.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/thread.h"

static const char *const products[] = {"api_shield", "workers", "gateway", "access"};
enum { PRODUCTS = 4, ACCOUNTS = 3 };
static const char *const accounts[ACCOUNTS] = {"0a", "0b", "0c"};

static int
reserve(struct rig *r, struct plug_session *s, const char *account, const char *product, int64_t n,
        acd_quota_grant *grant, acd_err *err)
{
    return plug_quota_reserve(&r->q, s, slice_str(account), slice_str(product), SLICE_LIT("object"), n, grant,
                              err);
}

static int
release(struct rig *r, struct plug_session *s, const char *account, const char *product, int64_t n,
        acd_err *err)
{
    return plug_quota_release(&r->q, s, slice_str(account), slice_str(product), SLICE_LIT("object"), n, err);
}

struct usage {
    int64_t pool[2], product[PRODUCTS], limit[2];
    int rows;
};

static int
usage_row(void *ctx, const acd_quota_usage *u)
{
    struct usage *all = ctx;
    int pool = strcmp(u->pool, "access") == 0;
    ck_assert(pool || strcmp(u->pool, "mtls_ca") == 0);
    all->rows++;
    if (!u->product) {
        all->pool[pool] = u->used;
        all->limit[pool] = u->limit;
    }
    for (int i = 0; u->product && i < PRODUCTS; i++)
        if (strcmp(u->product, products[i]) == 0)
            all->product[i] = u->used;
    return 0;
}

static struct usage
usage(struct rig *r, struct plug_session *s, const char *account)
{
    struct usage u = {0};
    ck_ok(plug_quota_usage(&r->q, s, slice_str(account), usage_row, &u, NULL));
    ck_assert_int_eq(u.rows, 6);
    return u;
}

START_TEST(three_products_share_five_places)
{
    struct rig r;
    acd_quota_grant g;
    acd_err err = ACD_ERR_INIT;
    rig_open(&r, _i, NULL, true);
    struct plug_session *s = rig_session(&r);
    ck_ok(plug_begin(s, true, 0, NULL));
    for (int i = 0; i < 5; i++) {
        ck_ok(reserve(&r, s, "0a", products[i % 3], 1, &g, &err));
        ck_assert_int_eq(g.used, i + 1);
        ck_assert_int_eq(g.limit, 5);
        ck_assert_str_eq(g.pool, "mtls_ca");
    }
    ck_assert_int_eq(reserve(&r, s, "0a", "gateway", 1, &g, &err), ACD_ELIMIT);
    ck_assert_str_eq(err.text, "Hit maximum CA cert allocation.");
    ck_assert_int_eq(g.used, 5);
    ck_assert_int_eq(g.limit, 5);
    ck_ok(reserve(&r, s, "0a", "access", 50, &g, &err)); /* its own pool */
    ck_assert_str_eq(g.pool, "access");
    ck_assert_int_eq(reserve(&r, s, "0a", "access", 1, &g, &err), ACD_ELIMIT);
    ck_assert_int_eq(g.limit, 50);
    ck_ok(reserve(&r, s, "0b", "workers", 5, &g, &err)); /* another account */
    ck_ok(reserve(&r, s, "0a", "something", 1000, &g, &err));
    ck_assert_int_eq(g.limit, -1); /* a product without a pool is not counted */
    struct usage u = usage(&r, s, "0a");
    ck_assert_int_eq(u.pool[0], 5);
    ck_assert_int_eq(u.pool[1], 50);
    ck_assert_int_eq(u.product[0], 2);
    ck_assert_int_eq(u.product[1], 2);
    ck_assert_int_eq(u.product[2], 1);
    plug_session_close(s);
    rig_close(&r);
}
END_TEST

START_TEST(release_frees_at_once_and_no_more_than_was_taken)
{
    struct rig r;
    acd_quota_grant g;
    acd_err err = ACD_ERR_INIT;
    rig_open(&r, _i, NULL, true);
    struct plug_session *s = rig_session(&r);
    ck_ok(plug_begin(s, true, 0, NULL));
    ck_ok(reserve(&r, s, "0a", "workers", 5, &g, &err));
    ck_ok(release(&r, s, "0a", "workers", 2, &err));
    ck_ok(reserve(&r, s, "0a", "gateway", 2, &g, &err));
    ck_assert_int_eq(release(&r, s, "0a", "gateway", 3, &err), ACD_EPRECOND);
    ck_assert_str_eq(err.text, "more is released than was reserved");
    ck_assert_int_eq(release(&r, s, "0a", "api_shield", 1, &err), ACD_EPRECOND);
    struct usage u = usage(&r, s, "0a");
    ck_assert_int_eq(u.pool[0], 5);
    ck_assert_int_eq(reserve(&r, s, "0a", "gateway", 0, &g, &err), ACD_EINVAL);
    ck_assert_int_eq(reserve(&r, s, "0a/mtls_ca", "gateway", 1, &g, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "an account's id is text without a slash");
    ck_assert_int_eq(reserve(&r, s, "", "gateway", 1, &g, &err), ACD_EINVAL);
    plug_session_close(s);
    rig_close(&r);
}
END_TEST

START_TEST(limits_are_set_per_account)
{
    struct rig r;
    acd_quota_grant g;
    acd_err err = ACD_ERR_INIT;
    acd_slice a = SLICE_LIT("0a"), pool = SLICE_LIT("mtls_ca");
    rig_open(&r, _i, NULL, true);
    struct plug_session *s = rig_session(&r);
    ck_ok(plug_begin(s, true, 0, NULL));
    ck_ok(plug_quota_set_limit(&r.q, s, a, pool, 50, &err));
    ck_ok(reserve(&r, s, "0a", "workers", 50, &g, &err));
    ck_assert_int_eq(reserve(&r, s, "0b", "workers", 6, &g, &err), ACD_ELIMIT);
    ck_ok(plug_quota_set_limit(&r.q, s, a, pool, 10, &err)); /* below usage: only growth is blocked */
    ck_assert_int_eq(reserve(&r, s, "0a", "workers", 1, &g, &err), ACD_ELIMIT);
    ck_assert_int_eq(g.used, 50);
    ck_assert_int_eq(g.limit, 10);
    ck_ok(release(&r, s, "0a", "workers", 45, &err));
    ck_ok(reserve(&r, s, "0a", "workers", 5, &g, &err));
    ck_ok(plug_quota_set_limit(&r.q, s, a, pool, -1, &err));
    ck_assert_int_eq(usage(&r, s, "0a").limit[0], 5);
    ck_ok(plug_quota_set_limit(&r.q, s, a, pool, 0, &err));
    ck_assert_int_eq(usage(&r, s, "0a").limit[0], 0);
    ck_assert_int_eq(plug_quota_set_limit(&r.q, s, a, SLICE_LIT("nothing"), 5, &err), ACD_ENOENT);
    ck_assert_int_eq(plug_quota_set_limit(&r.q, s, a, pool, 1000000001, &err), ACD_EINVAL);
    ck_ok(plug_commit(s, NULL));
    plug_session_close(s);
    rig_close(&r);
}
END_TEST

START_TEST(random_steps_obey_the_laws)
{
    struct rig r;
    struct prng rnd = {.state = 77};
    int64_t used[ACCOUNTS][PRODUCTS] = {{0}}, before[ACCOUNTS][PRODUCTS];
    rig_open(&r, _i, NULL, true);
    struct plug_session *s = rig_session(&r);
    for (int t = 0; t < 300; t++) {
        memcpy(before, used, sizeof(before));
        ck_ok(plug_begin(s, true, 0, NULL));
        for (int i = 0; i < 4; i++) {
            uint64_t a = prng_below(&rnd, ACCOUNTS), p = prng_below(&rnd, PRODUCTS);
            int64_t n = 1 + (int64_t)prng_below(&rnd, 3), limit = p == 3 ? 50 : 5;
            int64_t total = p == 3 ? used[a][3] : used[a][0] + used[a][1] + used[a][2];
            acd_quota_grant g;
            if (prng_below(&rnd, 2)) {
                int rc = reserve(&r, s, accounts[a], products[p], n, &g, NULL);
                ck_assert_int_eq(rc, total + n <= limit ? 0 : ACD_ELIMIT);
                used[a][p] += rc == 0 ? n : 0;
                ck_assert_int_eq(g.used, total + (rc == 0 ? n : 0));
            } else {
                int rc = release(&r, s, accounts[a], products[p], n, NULL);
                ck_assert_int_eq(rc, used[a][p] >= n ? 0 : ACD_EPRECOND);
                used[a][p] -= rc == 0 ? n : 0;
            }
        }
        if (prng_below(&rnd, 3)) {
            ck_ok(plug_commit(s, NULL));
        } else {
            plug_rollback(s);
            memcpy(used, before, sizeof(used));
        }
        ck_ok(plug_begin(s, false, 0, NULL));
        for (int a = 0; a < ACCOUNTS; a++) {
            struct usage u = usage(&r, s, accounts[a]);
            for (int p = 0; p < PRODUCTS; p++)
                ck_assert_int_eq(u.product[p], used[a][p]);
            ck_assert_int_eq(u.pool[0], used[a][0] + used[a][1] + used[a][2]);
            ck_assert_int_le(u.pool[0], u.limit[0]);
        }
        plug_rollback(s);
    }
    plug_session_close(s);
    rig_close(&r);
}
END_TEST

/* --- the pair ------------------------------------------------------------------------------------------ */

static int
count_row(void *ctx, const acd_value *row, size_t ncols)
{
    (void)row;
    (void)ncols;
    ++*(int64_t *)ctx;
    return 0;
}

struct uploader {
    struct thread thread;
    struct rig *rig;
    int number, odd;
};

/* Uploads and deletes like the daemon does: reserve, write the object, take a number, commit; some give up
 * midway. */
static void
upload(void *arg)
{
    struct uploader *me = arg;
    struct prng rnd = {.state = (unsigned)me->number};
    struct plug_session *s;
    if (plug_session_open(&me->rig->st, &s, NULL) < 0) {
        me->odd = 1;
        return;
    }
    for (int i = 0; i < 40; i++) {
        acd_quota_grant g;
        uint64_t seq;
        acd_value row[N_COLS] = {v_int((int64_t)prng_below(&rnd, 12)), v_blob("ca", 2)};
        if (plug_begin(s, true, clock_mono_ns(&clock_system) + 50000000000, NULL) < 0) {
            me->odd++;
            break;
        }
        int rc;
        if (prng_below(&rnd, 3)) {
            rc = reserve(me->rig, s, "0a", products[prng_below(&rnd, 3)], 1, &g, NULL);
            if (rc == 0)
                rc = plug_put(s, C_NUMBER, row, N_COLS, ACD_REV_NEW, NULL);
        } else {
            rc = plug_del(s, C_NUMBER, row, 1, ACD_REV_ANY, NULL);
            for (int p = 0; rc == 0 && p < 3; p++) /* of whichever product has one */
                if ((rc = release(me->rig, s, "0a", products[p], 1, NULL)) != ACD_EPRECOND)
                    break;
                else if (p < 2)
                    rc = 0;
        }
        if (rc == 0)
            rc = plug_next_seq(s, &seq, NULL);
        if (rc == 0 && prng_below(&rnd, 4))
            rc = plug_commit(s, NULL);
        else
            plug_rollback(s);
        if (rc < 0 && rc != ACD_ELIMIT && rc != ACD_EEXIST && rc != ACD_ENOENT)
            me->odd++;
    }
    plug_session_close(s);
}

START_TEST(an_object_exists_if_and_only_if_it_is_counted)
{
    enum { THREADS = 8 };
    struct rig r;
    static struct uploader up[THREADS];
    int64_t objects = 0;
    rig_open(&r, _i, NULL, true);
    for (int i = 0; i < THREADS; i++) {
        up[i] = (struct uploader){.rig = &r, .number = i};
        ck_ok(thread_start(&up[i].thread, "upload", upload, &up[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        thread_join(&up[i].thread);
        ck_assert_int_eq(up[i].odd, 0);
    }
    struct plug_session *s = rig_session(&r);
    acd_scan scan = {.coll = C_NUMBER};
    ck_ok(plug_begin(s, false, 0, NULL));
    ck_ok(plug_scan(s, &scan, count_row, &objects, NULL));
    struct usage u = usage(&r, s, "0a");
    ck_assert_int_eq(u.pool[0], objects);
    ck_assert_int_eq(u.product[0] + u.product[1] + u.product[2], objects);
    ck_assert_int_le(objects, 5);
    ck_assert_int_gt(objects, 0);
    plug_session_close(s);
    rig_close(&r);
}
END_TEST

Suite *suite_quota(void);

Suite *
suite_quota(void)
{
    Suite *s = suite_create("quota");
    const TTest *tests[] = {three_products_share_five_places,
                            release_frees_at_once_and_no_more_than_was_taken, limits_are_set_per_account,
                            random_steps_obey_the_laws, an_object_exists_if_and_only_if_it_is_counted};
    TCase *tc = tcase_create("quota");
    tcase_set_timeout(tc, 120);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_loop_test(tc, tests[i], 0, IMPLS);
    suite_add_tcase(s, tc);
    return s;
}
