/* Counters and the sequence: single conditional statements inside the transaction that is open. */
#include "sq.h"

/* The number that a statement gives; ACD_ENOENT without a row. */
static int
number(struct sq_session *s, sqlite3_stmt *stmt, int64_t *ret, acd_err *err)
{
    int rc = 0;
    int lite = sqlite3_step(stmt);
    if (lite == SQLITE_ROW) {
        *ret = sqlite3_column_int64(stmt, 0);
        lite = sqlite3_step(stmt); /* RETURNING gives its row before the statement has ended */
        if (lite != SQLITE_DONE)
            rc = sq_failed(s, lite, "counter", err);
    } else {
        rc = lite == SQLITE_DONE ? ACD_ENOENT : sq_failed(s, lite, "counter", err);
    }
    (void)sqlite3_reset(stmt);
    return rc;
}

static void
bind_key(sqlite3_stmt *stmt, acd_slice key)
{
    (void)sqlite3_bind_blob64(stmt, 1, key.ptr, key.len, SQLITE_STATIC);
}

static int
over(int64_t now, int64_t delta, int64_t lo, int64_t hi, int64_t *ret_now, acd_err *err)
{
    *ret_now = now;
    return sdk_fail(err, ACD_ELIMIT, "counter at %lld, step %lld leaves [%lld, %lld]", (long long)now,
                    (long long)delta, (long long)lo, (long long)hi);
}

/* A step that no UPDATE took: there is no row yet, or the window refuses. */
static int
first_step(struct sq_session *s, acd_slice key, int64_t delta, int64_t lo, int64_t hi, int64_t *ret_now,
           acd_err *err)
{
    int64_t now = 0;
    bind_key(s->fixed[SQ_COUNTER_GET], key);
    int rc = number(s, s->fixed[SQ_COUNTER_GET], &now, err);
    if (rc == 0 && (delta != 0 || now < lo || now > hi))
        return over(now, delta, lo, hi, ret_now, err);
    if (rc < 0 && rc != ACD_ENOENT)
        return rc;
    if (rc == ACD_ENOENT && (delta < lo || delta > hi))
        return over(0, delta, lo, hi, ret_now, err);
    if (delta == 0) {
        *ret_now = now;
        return 0;
    }
    bind_key(s->fixed[SQ_COUNTER_NEW], key);
    (void)sqlite3_bind_int64(s->fixed[SQ_COUNTER_NEW], 2, delta);
    int64_t none;
    rc = number(s, s->fixed[SQ_COUNTER_NEW], &none, err);
    if (rc != ACD_ENOENT)
        return rc;
    *ret_now = delta;
    return 0;
}

int
sq_counter_add(void *session, acd_slice key, int64_t delta, int64_t lo, int64_t hi, int64_t *ret_now,
               acd_err *err)
{
    struct sq_session *s = session;
    int64_t min = 0, max = 0;
    int rc = sq_ready(s, delta != 0, err);
    if (rc < 0)
        return rc;
    if (!key.ptr || key.len == 0 || key.len > SDK_COUNTER_KEY_MAX)
        return sdk_fail(err, ACD_EINVAL, "a counter's key has 1 to %u bytes", SDK_COUNTER_KEY_MAX);
    if (delta != 0 && sdk_counter_window(delta, lo, hi, &min, &max)) {
        sqlite3_stmt *step = s->fixed[SQ_COUNTER_STEP];
        bind_key(step, key);
        (void)sqlite3_bind_int64(step, 2, delta);
        (void)sqlite3_bind_int64(step, 3, min);
        (void)sqlite3_bind_int64(step, 4, max);
        rc = number(s, step, ret_now, err);
        if (rc != ACD_ENOENT)
            return rc;
    }
    return first_step(s, key, delta, lo, hi, ret_now, err);
}

int
sq_next_seq(void *session, uint64_t *ret, acd_err *err)
{
    struct sq_session *s = session;
    int64_t n = 0;
    int rc = sq_ready(s, true, err);
    if (rc == 0)
        rc = number(s, s->fixed[SQ_SEQ_NEXT], &n, err);
    if (rc == ACD_ENOENT)
        return sdk_fail(err, ACD_ECORRUPT, "the sequence is missing");
    *ret = (uint64_t)n;
    return rc;
}

int
sq_seq_now(void *session, uint64_t *ret, acd_err *err)
{
    struct sq_session *s = session;
    int64_t n = 0;
    int rc = sq_ready(s, false, err);
    if (rc == 0)
        rc = number(s, s->fixed[SQ_SEQ_NOW], &n, err);
    if (rc == ACD_ENOENT)
        return sdk_fail(err, ACD_ECORRUPT, "the sequence is missing");
    *ret = (uint64_t)n;
    return rc;
}
