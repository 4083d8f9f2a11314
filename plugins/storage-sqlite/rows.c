/* Single rows: get, put, del. */
#include "sq.h"

int
sq_bind(sqlite3_stmt *stmt, int at, const acd_column *col, const acd_value *v)
{
    if (col->type == ACD_COL_INT)
        return sqlite3_bind_int64(stmt, at, v->num);
    if (!v->bytes.ptr)
        return sqlite3_bind_null(stmt, at);
    if (col->type == ACD_COL_TEXT)
        return sqlite3_bind_text64(stmt, at, v->bytes.ptr, v->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    return sqlite3_bind_blob64(stmt, at, v->bytes.ptr, v->bytes.len, SQLITE_STATIC);
}

void
sq_row(sqlite3_stmt *stmt, const acd_collection *c, acd_value *ret)
{
    for (int i = 0; i < (int)c->ncols; i++) {
        ret[i] = (acd_value){0};
        if (c->cols[i].type == ACD_COL_INT) {
            ret[i].num = sqlite3_column_int64(stmt, i);
        } else if (sqlite3_column_type(stmt, i) != SQLITE_NULL) {
            const void *p =
                c->cols[i].type == ACD_COL_TEXT ? sqlite3_column_text(stmt, i) : sqlite3_column_blob(stmt, i);
            ret[i].bytes = (acd_slice){p ? p : "", (size_t)sqlite3_column_bytes(stmt, i)};
        }
    }
}

int
sq_stmt_get(struct sq_session *s, uint32_t coll, enum sq_stmt which, sqlite3_stmt **ret, acd_err *err)
{
    sqlite3_stmt **slot = &s->stmts[coll][which];
    if (*slot) {
        *ret = *slot;
        return 0;
    }
    const acd_collection *c = sdk_coll(s->sq->colls, coll);
    struct sdk_text t = {0};
    switch (which) {
    case SQ_GET:
        sdk_sql_get(&t, &sq_dialect, c);
        break;
    case SQ_EXISTS:
        sdk_sql_exists(&t, &sq_dialect, c);
        break;
    case SQ_INSERT:
    case SQ_UPSERT:
        sdk_sql_insert(&t, &sq_dialect, c, which == SQ_UPSERT);
        break;
    case SQ_UPDATE_IF:
        sdk_sql_update_if(&t, &sq_dialect, c);
        break;
    case SQ_DELETE:
    case SQ_DELETE_IF:
    case SQ_STMTS:
        sdk_sql_delete(&t, &sq_dialect, c, which == SQ_DELETE_IF);
        break;
    }
    int rc = t.failed ? sdk_fail(err, ACD_ENOMEM, "out of memory") : sq_prepare(&s->c, t.data, slot, err);
    sdk_text_done(&t);
    *ret = *slot;
    return rc;
}

static int
bind_all(sqlite3_stmt *stmt, const acd_collection *c, const acd_value *vals, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int rc = sq_bind(stmt, (int)i + 1, &c->cols[i], &vals[i]);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

/* Runs a statement to its end; SQLITE_ROW: it gave a row. */
static int
run(sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    int end = sqlite3_reset(stmt);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? rc : end;
}

int
sq_get(void *session, uint32_t coll, const acd_value *key, size_t nkey, acd_row_fn fn, void *ctx,
       acd_err *err)
{
    struct sq_session *s = session;
    const acd_collection *c = NULL;
    sqlite3_stmt *stmt = NULL;
    acd_value row[SDK_COLUMNS_MAX];
    int rc = sq_coll_ready(s, false, coll, &c, err);
    if (rc == 0)
        rc = sdk_key_check(c, key, nkey, err);
    if (rc == 0)
        rc = sq_stmt_get(s, coll, SQ_GET, &stmt, err);
    if (rc < 0)
        return rc;
    int lite = bind_all(stmt, c, key, nkey);
    if (lite == SQLITE_OK)
        lite = sqlite3_step(stmt);
    if (lite == SQLITE_ROW) {
        sq_row(stmt, c, row);
        rc = fn(ctx, row, c->ncols);
        rc = rc < 0 ? rc : 0;
    } else if (lite == SQLITE_DONE) {
        rc = sdk_fail(err, ACD_ENOENT, "%s: no such row", c->name);
    } else {
        rc = sq_failed(s, lite, c->name, err);
    }
    (void)sqlite3_reset(stmt);
    return rc;
}

/* A conditional statement touched no row: is it the revision, or is there no row at all? */
static int
why_untouched(struct sq_session *s, uint32_t coll, const acd_collection *c, const acd_value *key,
              acd_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sq_stmt_get(s, coll, SQ_EXISTS, &stmt, err);
    if (rc < 0)
        return rc;
    int lite = bind_all(stmt, c, key, c->npk);
    if (lite == SQLITE_OK)
        lite = run(stmt);
    if (lite == SQLITE_ROW)
        return sdk_fail(err, ACD_ECONFLICT, "%s: the row was changed by someone else", c->name);
    if (lite == SQLITE_DONE)
        return sdk_fail(err, ACD_ENOENT, "%s: no such row", c->name);
    return sq_failed(s, lite, c->name, err);
}

int
sq_put(void *session, uint32_t coll, const acd_value *row, size_t ncols, uint64_t if_rev, acd_err *err)
{
    struct sq_session *s = session;
    const acd_collection *c = NULL;
    sqlite3_stmt *stmt = NULL;
    int rc = sq_coll_ready(s, true, coll, &c, err);
    if (rc == 0)
        rc = sdk_row_check(c, row, ncols, err);
    if (rc == 0)
        rc = sdk_rev_check(c, if_rev, false, err);
    if (rc == 0)
        rc = s->sq->host->fault(s->sq->host, "storage-sqlite.put");
    enum sq_stmt which = if_rev == ACD_REV_NEW ? SQ_INSERT : if_rev == ACD_REV_ANY ? SQ_UPSERT : SQ_UPDATE_IF;
    if (rc == 0)
        rc = sq_stmt_get(s, coll, which, &stmt, err);
    if (rc < 0)
        return rc;
    int lite = bind_all(stmt, c, row, ncols);
    if (lite == SQLITE_OK && which == SQ_UPDATE_IF)
        lite = sqlite3_bind_int64(stmt, (int)ncols + 1, (sqlite3_int64)if_rev);
    if (lite == SQLITE_OK)
        lite = run(stmt);
    if (lite != SQLITE_DONE)
        return sq_failed(s, lite, c->name, err);
    if (which == SQ_UPDATE_IF && sqlite3_changes(s->c.db) == 0)
        return why_untouched(s, coll, c, row, err);
    return 0;
}

int
sq_del(void *session, uint32_t coll, const acd_value *key, size_t nkey, uint64_t if_rev, acd_err *err)
{
    struct sq_session *s = session;
    const acd_collection *c = NULL;
    sqlite3_stmt *stmt = NULL;
    int rc = sq_coll_ready(s, true, coll, &c, err);
    if (rc == 0)
        rc = sdk_key_check(c, key, nkey, err);
    if (rc == 0)
        rc = sdk_rev_check(c, if_rev, true, err);
    if (rc == 0)
        rc = s->sq->host->fault(s->sq->host, "storage-sqlite.del");
    enum sq_stmt which = if_rev == ACD_REV_ANY ? SQ_DELETE : SQ_DELETE_IF;
    if (rc == 0)
        rc = sq_stmt_get(s, coll, which, &stmt, err);
    if (rc < 0)
        return rc;
    int lite = bind_all(stmt, c, key, nkey);
    if (lite == SQLITE_OK && which == SQ_DELETE_IF)
        lite = sqlite3_bind_int64(stmt, (int)nkey + 1, (sqlite3_int64)if_rev);
    if (lite == SQLITE_OK)
        lite = run(stmt);
    if (lite != SQLITE_DONE)
        return sq_failed(s, lite, c->name, err);
    return sqlite3_changes(s->c.db) ? 0 : why_untouched(s, coll, c, key, err);
}
