/*
 * Children killed at random moments. The child's transactions follow from a seed, so the parent knows what
 * the file must hold after k of them; the file says k itself (the sequence), and everything that the child
 * had acknowledged before it died must be among them. Objects of the quota pool must be counted exactly.
 *
 * ANCHORD_KILLS: how many children; default 50.
 */
#include "ops.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"

enum { TXNS_MAX = 400, OPS = 10 };

static struct prng
txn_seed(uint64_t seed, uint64_t i)
{
    struct prng r = {.state = seed * 1000003 + i};
    (void)prng_next(&r);
    return r;
}

/* Transaction i, without its number and its object. */
static void
txn_ops(struct prng *r, struct plug_session *s, struct naive *m)
{
    for (int k = 0; k < OPS; k++) {
        struct ops_row row;
        ops_row(r, &row);
        if (m)
            (void)naive_put(m, row.coll, row.v, ACD_REV_ANY);
        int rc = 0;
        if (s)
            rc = plug_put(s, row.coll, row.v, test_colls[row.coll].ncols, ACD_REV_ANY, NULL);
        must(rc == 0 || rc == ACD_EEXIST || rc == ACD_EPRECOND);
    }
}

static int
pair_ops(struct rig *rig, struct plug_session *s, uint64_t i)
{
    acd_quota_grant g;
    acd_value row[3] = {v_text("objects"), v_blob(&i, sizeof(i)), v_blob("", 0)};
    int rc =
        plug_quota_reserve(&rig->q, s, SLICE_LIT("0a"), SLICE_LIT("access"), SLICE_LIT("o"), 1, &g, NULL);
    if (rc == ACD_ELIMIT)
        return 0;
    return rc < 0 ? rc : plug_put(s, C_ROWS, row, 3, ACD_REV_NEW, NULL);
}

static _Noreturn void
child(const char *dir, uint64_t seed, uint64_t from, int ack)
{
    struct rig rig;
    rig_open(&rig, IMPL_SQLITE, dir, true);
    struct plug_session *s = rig_session(&rig);
    for (uint64_t i = from; i < from + TXNS_MAX; i++) {
        struct prng r = txn_seed(seed, i);
        uint64_t seq = 0;
        if (plug_begin(s, true, 0, NULL) < 0)
            _exit(2);
        txn_ops(&r, s, NULL);
        if (pair_ops(&rig, s, i) < 0 || plug_next_seq(s, &seq, NULL) < 0 || seq != i ||
            plug_commit(s, NULL) < 0)
            _exit(3);
        if (write(ack, &seq, sizeof(seq)) != (ssize_t)sizeof(seq))
            _exit(4);
    }
    _exit(0);
}

static int
count_objects(void *ctx, const acd_value *row, size_t ncols)
{
    (void)ncols;
    if (slice_eqs(row[0].bytes, "objects"))
        ++*(int64_t *)ctx;
    return 0;
}

static int
access_used(void *ctx, const acd_quota_usage *u)
{
    if (strcmp(u->pool, "access") == 0 && !u->product)
        *(int64_t *)ctx = u->used;
    return 0;
}

/* Reopens; m is the model after *k transactions and is taken on to what the file holds. */
static void
verify(const char *dir, uint64_t seed, uint64_t acked, struct naive *m)
{
    struct rig rig;
    uint64_t now = 0;
    int64_t objects = 0, used = -1;
    rig_open(&rig, IMPL_SQLITE, dir, true);
    struct plug_session *s = rig_session(&rig);
    ck_ok(plug_begin(s, false, 0, NULL));
    ck_ok(plug_seq_now(s, &now, NULL));
    ck_assert_uint_ge(now, acked);     /* nothing that was acknowledged is lost */
    ck_assert_uint_le(now, acked + 1); /* at most the one that was under way came on top */
    for (; m->seq < now; m->seq++) {
        struct prng r = txn_seed(seed, m->seq + 1);
        txn_ops(&r, NULL, m);
    }
    naive_compare(m, s);
    acd_scan scan = {.coll = C_ROWS};
    ck_ok(plug_scan(s, &scan, count_objects, &objects, NULL));
    ck_ok(plug_quota_usage(&rig.q, s, SLICE_LIT("0a"), access_used, &used, NULL));
    ck_assert_int_eq(used, objects);
    plug_session_close(s);
    rig_close(&rig);
}

/* Runs one child until it has acknowledged `acks` more transactions, then a little longer, then kills it. */
static uint64_t
kill_one(const char *dir, uint64_t seed, uint64_t from, uint64_t acks, long wait_ns)
{
    int fds[2], status;
    uint64_t acked = from, seq;
    ck_assert_int_eq(pipe(fds), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)close(fds[0]);
        child(dir, seed, from + 1, fds[1]);
    }
    (void)close(fds[1]);
    for (uint64_t i = 0; i < acks && read(fds[0], &seq, sizeof(seq)) == (ssize_t)sizeof(seq); i++)
        acked = seq;
    struct timespec moment = {0, wait_ns}; /* the random moment itself, not a wait for something */
    (void)nanosleep(&moment, NULL);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    while (read(fds[0], &seq, sizeof(seq)) == (ssize_t)sizeof(seq))
        acked = seq;
    (void)close(fds[0]);
    return acked;
}

START_TEST(killed_children_lose_nothing)
{
    const char *text = getenv("ANCHORD_KILLS");
    uint64_t kills = 50, seed = 20240607, acked = 0;
    char dir[64];
    struct naive m;
    struct prng r = {.state = seed};
    if (text)
        ck_assert(str_u64(slice_str(text), &kills));
    rig_dir(dir);
    naive_init(&m);
    for (uint64_t k = 0; k < kills; k++) {
        /* every fourth dies before its first commit is known: start and schema are among the moments */
        uint64_t acks = k % 4 ? prng_below(&r, 12) : 0;
        acked = kill_one(dir, seed, m.seq, acks, (long)prng_below(&r, k % 4 ? 1500000 : 8000000));
        verify(dir, seed, acked, &m);
    }
    ck_assert_uint_gt(m.seq, kills); /* the children did get work done */
    naive_done(&m);
    rig_dir_remove(dir);
}
END_TEST

Suite *suite_crash(void);

Suite *
suite_crash(void)
{
    Suite *s = suite_create("crash");
    TCase *tc = tcase_create("kill");
    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, killed_children_lose_nothing);
    suite_add_tcase(s, tc);
    return s;
}
