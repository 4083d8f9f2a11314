/* Sessions and transactions. */
#include "sq.h"

#include <stdlib.h>
#include <string.h>

static const char *const fixed_sql[SQ_FIXED] = {
    [SQ_BEGIN_READ] = "BEGIN",
    [SQ_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQ_COMMIT] = "COMMIT",
    [SQ_ROLLBACK] = "ROLLBACK",
    [SQ_SEQ_NEXT] = "UPDATE anchord_meta SET num=num+1 WHERE name='seq' RETURNING num",
    [SQ_SEQ_NOW] = "SELECT num FROM anchord_meta WHERE name='seq'",
    [SQ_COUNTER_STEP] =
        "UPDATE anchord_counter SET num=num+?2 WHERE key=?1 AND num>=?3 AND num<=?4 RETURNING num",
    [SQ_COUNTER_GET] = "SELECT num FROM anchord_counter WHERE key=?1",
    [SQ_COUNTER_NEW] = "INSERT INTO anchord_counter VALUES(?1,?2)",
};

static int
step_once(sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
sq_session_open(void *inst, void **ret, acd_err *err)
{
    struct sq *sq = inst;
    struct sq_session *s = calloc(1, sizeof(*s));
    if (s)
        s->stmts = calloc(sq->ncolls ? sq->ncolls : 1, sizeof(*s->stmts));
    if (!s || !s->stmts) {
        free(s);
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    }
    s->sq = sq;
    int rc = sq->ncolls ? sq_open(sq, &s->c, err)
                        : sdk_fail(err, ACD_EPRECOND, "a session cannot be opened before the schema is set");
    for (int i = 0; i < SQ_FIXED && rc == 0; i++)
        rc = sq_prepare(&s->c, fixed_sql[i], &s->fixed[i], err);
    if (rc < 0) {
        sq_session_close(s);
        return rc;
    }
    *ret = s;
    return 0;
}

void
sq_session_close(void *session)
{
    struct sq_session *s = session;
    if (s->open)
        sq_rollback(s);
    for (int i = 0; i < SQ_FIXED; i++)
        (void)sqlite3_finalize(s->fixed[i]);
    for (size_t c = 0; c < s->sq->ncolls; c++)
        for (int i = 0; i < SQ_STMTS; i++)
            (void)sqlite3_finalize(s->stmts[c][i]);
    for (size_t i = 0; i < s->nranges; i++)
        (void)sqlite3_finalize(s->ranges[i].stmt);
    sq_close(&s->c);
    free(s->stmts);
    free(s);
}

static void
txn_end(struct sq_session *s)
{
    int was = s->open;
    s->open = 0;
    s->broken = 0;
    s->c.deadline_ns = 0;
    if (was == 2)
        sdk_gate_leave(&s->sq->gate);
}

int
sq_begin(void *session, int write, const acd_call *call, acd_err *err)
{
    struct sq_session *s = session;
    struct sq *sq = s->sq;
    if (s->open)
        return sdk_fail(err, ACD_EPRECOND, "the session is in a transaction");
    int rc = sq->host->fault(sq->host, "storage-sqlite.begin");
    if (rc < 0)
        return sdk_fail(err, rc, "fault point");
    s->c.deadline_ns = sdk_deadline(call);
    s->c.busy_ns = sdk_now_ns() + (uint64_t)sq->busy_ms * 1000000u;
    if (sq_late(s->c.deadline_ns))
        return sdk_fail(err, ACD_ETIMEOUT, "the deadline has passed");
    if (write && (rc = sdk_gate_take(&sq->gate, s->c.deadline_ns, s->c.busy_ns, err)) < 0)
        return rc;
    s->open = write ? 2 : 1;
    int lite = step_once(s->fixed[write ? SQ_BEGIN_WRITE : SQ_BEGIN_READ]);
    /* BEGIN alone takes no view yet; the first read does. */
    if (lite == SQLITE_OK && !write)
        lite = step_once(s->fixed[SQ_SEQ_NOW]);
    if (lite == SQLITE_OK)
        return 0;
    rc = sq_error(&s->c, lite, "begin", err);
    sq_rollback(s);
    return rc;
}

int
sq_commit(void *session, acd_err *err)
{
    struct sq_session *s = session;
    int rc = sq_ready(s, false, err);
    if (rc == 0 && s->open == 2)
        rc = s->sq->host->fault(s->sq->host, "storage-sqlite.commit");
    if (rc == 0) {
        s->c.deadline_ns = 0; /* a commit that has begun is not broken off */
        int lite = step_once(s->fixed[SQ_COMMIT]);
        if (lite != SQLITE_OK)
            rc = sq_error(&s->c, lite, "commit", err);
    }
    if (rc < 0)
        sq_rollback(s);
    else
        txn_end(s);
    return rc;
}

void
sq_rollback(void *session)
{
    struct sq_session *s = session;
    if (!s->open)
        return;
    s->c.deadline_ns = 0;
    if (!sqlite3_get_autocommit(s->c.db))
        (void)step_once(s->fixed[SQ_ROLLBACK]);
    txn_end(s);
}

int
sq_ready(struct sq_session *s, bool write, acd_err *err)
{
    if (!s->open || (write && s->open != 2))
        return sdk_fail(err, ACD_EPRECOND, "the session is in no %stransaction", write ? "write " : "");
    if (s->broken)
        return sdk_fail(err, s->broken, "the transaction was rolled back after an earlier error");
    return 0;
}

int
sq_coll_ready(struct sq_session *s, bool write, uint32_t coll, const acd_collection **ret, acd_err *err)
{
    int rc = sq_ready(s, write, err);
    if (rc < 0)
        return rc;
    if (coll >= s->sq->ncolls)
        return sdk_fail(err, ACD_EINVAL, "there is no collection %u", coll);
    *ret = sdk_coll(s->sq->colls, coll);
    return 0;
}

int
sq_failed(struct sq_session *s, int lite, const char *what, acd_err *err)
{
    int rc = sq_error(&s->c, lite, what, err);
    /* Some errors (no space, no memory, a broken off statement) end the whole transaction inside SQLite. */
    if (sqlite3_get_autocommit(s->c.db))
        s->broken = rc;
    return rc;
}
