/*
 * Collections to tables, and the way from any older version to the present one. Everything happens in one
 * transaction, the file's identity included: a crash leaves an empty file or a whole schema.
 *
 * Own tables: anchord_meta (numbers by name: "schema", "seq"), anchord_counter, anchord_history (one row per
 * schema version that this file has gone through).
 */
#include "sq.h"

#include <stdio.h>
#include <string.h>

const struct sdk_dialect sq_dialect = {
    .mark = '?',
    .type = {"", "INTEGER", "TEXT", "BLOB"},
    .zero = {"", "0", "''", "x''"},
    .table_end = " STRICT, WITHOUT ROWID",
    .table_end_int = " STRICT",
    .say_nulls_first = false,
    .indexed_by = true,
};

static const char own_tables[] =
    "CREATE TABLE anchord_meta(name TEXT NOT NULL PRIMARY KEY, num INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE anchord_counter(key BLOB NOT NULL PRIMARY KEY, num INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE anchord_history(version INTEGER NOT NULL PRIMARY KEY, at TEXT NOT NULL) STRICT;"
    "INSERT INTO anchord_meta VALUES('schema',0),('seq',0);";

static int
identity(struct sq *sq, int64_t *ret_app, int64_t *ret_layout, int64_t *ret_tables, acd_err *err)
{
    int rc = sq_number(&sq->owner, "PRAGMA application_id", ret_app, err);
    if (rc == 0)
        rc = sq_number(&sq->owner, "PRAGMA user_version", ret_layout, err);
    if (rc == 0)
        rc = sq_number(&sq->owner, "SELECT count(*) FROM sqlite_schema", ret_tables, err);
    return rc;
}

int
sq_file_check(struct sq *sq, acd_err *err)
{
    int64_t app, layout, tables;
    int rc = identity(sq, &app, &layout, &tables, err);
    if (rc < 0)
        return rc;
    bool fresh = app == 0 && layout == 0 && tables == 0;
    if (!fresh && app != SQ_APPLICATION_ID)
        return sdk_fail(err, ACD_EABI, "%s is a database of another program (application_id %lld, not %d)",
                        sq->path, (long long)app, SQ_APPLICATION_ID);
    if (layout > SQ_LAYOUT)
        return sdk_fail(err, ACD_EABI,
                        "%s was written by a newer storage-sqlite (layout %lld, this knows %d)", sq->path,
                        (long long)layout, SQ_LAYOUT);
    /* Only now is it certain that the file may be changed at all. */
    rc = sq_exec(&sq->owner, "PRAGMA journal_mode=WAL", err);
    if (rc < 0)
        return rc;
    sqlite3_stmt *stmt = NULL;
    rc = sq_prepare(&sq->owner, "PRAGMA journal_mode", &stmt, err);
    if (rc < 0)
        return rc;
    const char *mode = sqlite3_step(stmt) == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    if (!mode || strcmp(mode, "wal") != 0)
        rc = sdk_fail(err, ACD_EIO, "%s: this file system does not bear a write-ahead log", sq->path);
    (void)sqlite3_finalize(stmt);
    return rc;
}

static int
run_text(struct sq *sq, struct sdk_text *t, acd_err *err)
{
    int rc = t->failed ? sdk_fail(err, ACD_ENOMEM, "out of memory") : sq_exec(&sq->owner, t->data, err);
    sdk_text_clear(t);
    return rc;
}

/* Column `name` of table c on disk. ret_pk: its place in the primary key, from 1, or 0. */
static int
column_on_disk(struct sq *sq, const acd_collection *c, const char *name, char ret_type[16], int *ret_null,
               int *ret_pk, acd_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sq_prepare(&sq->owner, "SELECT type,\"notnull\",pk FROM pragma_table_info(?1) WHERE name=?2",
                        &stmt, err);
    if (rc < 0)
        return rc;
    (void)sqlite3_bind_text(stmt, 1, c->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
    int lite = sqlite3_step(stmt);
    if (lite == SQLITE_ROW) {
        (void)snprintf(ret_type, 16, "%s", (const char *)sqlite3_column_text(stmt, 0));
        *ret_null = !sqlite3_column_int(stmt, 1);
        *ret_pk = sqlite3_column_int(stmt, 2);
    }
    rc = lite == SQLITE_ROW    ? 0
         : lite == SQLITE_DONE ? ACD_ENOENT
                               : sq_error(&sq->owner, lite, sq->path, err);
    (void)sqlite3_finalize(stmt);
    return rc;
}

static int
column_apply(struct sq *sq, const acd_collection *colls, const acd_collection *c, size_t i, bool upgrade,
             acd_err *err)
{
    const acd_column *col = &c->cols[i];
    char type[16] = "";
    int null = 0, pk = 0;
    int rc = column_on_disk(sq, c, col->name, type, &null, &pk, err);
    if (rc == ACD_ENOENT) {
        if (!upgrade || i < c->npk)
            return sdk_fail(err, ACD_EABI, "%s: table %s has no column %s", sq->path, c->name, col->name);
        if (col->ref && !(col->flags & ACD_COL_NULL))
            return sdk_fail(err, ACD_EINVAL,
                            "column %s.%s refers to a collection and came later: it must allow NULL", c->name,
                            col->name);
        struct sdk_text t = {0};
        sdk_sql_add_column(&t, &sq_dialect, colls, c, col);
        rc = run_text(sq, &t, err);
        sdk_text_done(&t);
        return rc;
    }
    if (rc < 0)
        return rc;
    int want_pk = i < c->npk ? (int)i + 1 : 0;
    if (strcmp(type, sq_dialect.type[col->type]) != 0 || pk != want_pk ||
        null != ((col->flags & ACD_COL_NULL) != 0))
        return sdk_fail(err, ACD_EABI, "%s: column %s.%s on disk is %s%s%s, expected %s%s%s", sq->path,
                        c->name, col->name, type, null ? "" : " NOT NULL", pk ? " PRIMARY KEY" : "",
                        sq_dialect.type[col->type], col->flags & ACD_COL_NULL ? "" : " NOT NULL",
                        want_pk ? " PRIMARY KEY" : "");
    return 0;
}

static int
table_apply(struct sq *sq, const acd_collection *colls, const acd_collection *c, bool upgrade, acd_err *err)
{
    char sql[256];
    int64_t on_disk;
    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM pragma_table_info('%s')", c->name);
    int rc = sq_number(&sq->owner, sql, &on_disk, err);
    if (rc < 0)
        return rc;
    if (on_disk == 0) {
        if (!upgrade)
            return sdk_fail(err, ACD_EABI, "%s has no table %s", sq->path, c->name);
        struct sdk_text t = {0};
        sdk_sql_table(&t, &sq_dialect, colls, c);
        rc = run_text(sq, &t, err);
        sdk_text_done(&t);
        return rc;
    }
    for (size_t i = 0; i < c->ncols && rc == 0; i++)
        rc = column_apply(sq, colls, c, i, upgrade, err);
    if (rc == 0)
        rc = sq_number(&sq->owner, sql, &on_disk, err);
    if (rc == 0 && on_disk != (int64_t)c->ncols)
        rc = sdk_fail(err, ACD_EABI, "%s: table %s has %lld columns, expected %zu", sq->path, c->name,
                      (long long)on_disk, c->ncols);
    return rc;
}

/* Makes index `name` what `sql` says: creates it, or replaces one that says something else. */
static int
index_apply(struct sq *sq, const char *name, const char *sql, bool upgrade, acd_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc =
        sq_prepare(&sq->owner, "SELECT sql FROM sqlite_schema WHERE type='index' AND name=?1", &stmt, err);
    if (rc < 0)
        return rc;
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    int lite = sqlite3_step(stmt);
    const char *have = lite == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    bool same = have && strcmp(have, sql) == 0, drop = have && !same;
    (void)sqlite3_finalize(stmt);
    if (lite != SQLITE_ROW && lite != SQLITE_DONE)
        return sq_error(&sq->owner, lite, sq->path, err);
    if (same)
        return 0;
    if (!upgrade)
        return sdk_fail(err, ACD_EABI, "%s: index %s is not as expected", sq->path, name);
    if (drop) {
        char text[128];
        (void)snprintf(text, sizeof(text), "DROP INDEX \"%s\"", name);
        rc = sq_exec(&sq->owner, text, err);
    }
    return rc == 0 ? sq_exec(&sq->owner, sql, err) : rc;
}

static int
indexes_apply(struct sq *sq, const acd_collection *c, bool upgrade, acd_err *err)
{
    struct sdk_text name = {0}, sql = {0};
    int rc = 0;
    for (size_t i = 0; i < c->nindexes + c->ncols && rc == 0; i++) {
        sdk_text_clear(&name);
        sdk_text_clear(&sql);
        if (i < c->nindexes) {
            sdk_sql_index_name(&name, c, &c->indexes[i]);
            sdk_sql_index(&sql, &sq_dialect, c, &c->indexes[i]);
        } else if (sdk_sql_ref_index_name(&name, c, i - c->nindexes)) {
            sdk_sql_ref_index(&sql, c, i - c->nindexes);
        } else {
            continue;
        }
        rc = name.failed || sql.failed ? sdk_fail(err, ACD_ENOMEM, "out of memory")
                                       : index_apply(sq, name.data, sql.data, upgrade, err);
    }
    sdk_text_done(&name);
    sdk_text_done(&sql);
    return rc;
}

static int
create_own(struct sq *sq, acd_err *err)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%d", SQ_APPLICATION_ID,
                   SQ_LAYOUT);
    int rc = sq_exec(&sq->owner, own_tables, err);
    return rc == 0 ? sq_exec(&sq->owner, sql, err) : rc;
}

/* Inside the transaction. */
static int
schema_apply(struct sq *sq, const acd_collection *colls, size_t n, uint32_t version, acd_err *err)
{
    int64_t app, layout, tables, have = 0;
    char sql[256];
    int rc = identity(sq, &app, &layout, &tables, err);
    if (rc == 0 && app == 0)
        rc = create_own(sq, err);
    if (rc == 0)
        rc = sq_number(&sq->owner, "SELECT num FROM anchord_meta WHERE name='schema'", &have, err);
    if (rc < 0)
        return rc;
    if (have > version)
        return sdk_fail(err, ACD_EABI, "%s has schema version %lld, this program knows %u", sq->path,
                        (long long)have, version);
    bool upgrade = have < version;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = table_apply(sq, colls, sdk_coll(colls, i), upgrade, err);
        if (rc == 0)
            rc = indexes_apply(sq, sdk_coll(colls, i), upgrade, err);
    }
    if (rc < 0 || !upgrade)
        return rc;
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE anchord_meta SET num=%u WHERE name='schema';"
                   "INSERT INTO anchord_history VALUES(%u,strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ','now'));",
                   version, version);
    return sq_exec(&sq->owner, sql, err);
}

int
sq_schema(void *inst, const acd_collection *colls, size_t n, uint32_t version, acd_err *err)
{
    struct sq *sq = inst;
    int rc = sdk_colls_check(colls, n, version, err);
    sq->owner.busy_ns = sdk_now_ns() + (uint64_t)sq->busy_ms * 1000000u;
    if (rc == 0)
        rc = sq_exec(&sq->owner, "BEGIN IMMEDIATE", err);
    if (rc < 0)
        return rc;
    rc = schema_apply(sq, colls, n, version, err);
    if (rc == 0)
        rc = sq->host->fault(sq->host, "storage-sqlite.schema");
    if (rc == 0)
        rc = sq_exec(&sq->owner, "COMMIT", err);
    if (rc < 0) {
        if (!sqlite3_get_autocommit(sq->owner.db))
            (void)sqlite3_exec(sq->owner.db, "ROLLBACK", NULL, NULL, NULL);
        return rc;
    }
    sq->colls = colls;
    sq->ncolls = n;
    return 0;
}
