/* What is particular to storage-sqlite: the file, its identity, upgrades, damage, full disks, backups. */
#include "ops.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "model/collections.h"
#include "sdk/sql.h"

static void
path_of(const struct rig *r, const char *name, char out[128])
{
    (void)snprintf(out, 128, "%s/%s", r->dir, name);
}

static void
sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static int64_t
sql_number(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    ck_assert_int_eq(sqlite3_finalize(stmt), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    return n;
}

/* Tries to start on a file that is there; returns the code. */
static int
try_start(const char *dir, acd_err *err)
{
    char so[512], path[128];
    struct plug_env env = {.flags = PLUG_BUILD_TREE};
    struct plug_pair pairs[] = {{"path", path}, {"check", "true"}};
    struct plug *p = NULL;
    (void)snprintf(so, sizeof(so), "%s/storage-sqlite.so", rig_plugins());
    (void)snprintf(path, sizeof(path), "%s/t.db", dir);
    ck_ok(plug_new(ACD_STORAGE, so, NULL, &env, &p, err));
    ck_ok(plug_open(p, err));
    ck_ok(plug_configure(p, pairs, 2, err));
    ck_ok(plug_create(p, err));
    int rc = plug_start(p, err);
    plug_free(p);
    return rc;
}

START_TEST(the_file_is_ours_alone)
{
    struct rig rig;
    struct stat st;
    char path[128], wal[128];
    (void)umask(0);
    rig_open(&rig, IMPL_SQLITE, NULL, false);
    struct plug_session *s = rig_session(&rig);
    ck_ok(plug_begin(s, true, 0, NULL));
    ck_ok(plug_commit(s, NULL));
    path_of(&rig, "t.db", path);
    path_of(&rig, "t.db-wal", wal);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(stat(wal, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    plug_session_close(s);
    ck_assert_int_eq(sql_number(path, "PRAGMA application_id"), 0x61636864);
    ck_assert_int_eq(sql_number(path, "PRAGMA user_version"), 1);
    ck_assert_int_eq(
        sql_number(path, "SELECT count(*) FROM pragma_table_list WHERE name='order' AND strict AND wr"), 1);
    ck_assert_int_eq(sql_number(path, "SELECT count(*) FROM pragma_foreign_key_list('order')"), 2);
    rig_close(&rig);
}
END_TEST

START_TEST(an_open_mode_is_closed)
{
    struct rig rig;
    struct stat st;
    char path[128];
    rig_open(&rig, IMPL_SQLITE, NULL, false);
    rig.keep = true;
    path_of(&rig, "t.db", path);
    rig_close(&rig);
    ck_assert_int_eq(chmod(path, 0644), 0);
    rig_open(&rig, IMPL_SQLITE, rig.dir, false);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    rig.keep = false;
    rig_close(&rig);
}
END_TEST

START_TEST(foreign_files_are_refused_untouched)
{
    char dir[64], path[128], want[300];
    acd_err err = ACD_ERR_INIT;
    rig_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/t.db", dir);
    sql(path, "CREATE TABLE x(y); INSERT INTO x VALUES(1)");
    ck_assert_int_eq(try_start(dir, &err), ACD_EABI);
    (void)snprintf(want, sizeof(want),
                   "plugin storage-sqlite: start: %s is a database of another program (application_id 0, not "
                   "1633904740)",
                   path);
    ck_assert_str_eq(err.text, want);
    ck_assert_int_eq(sql_number(path, "SELECT y FROM x"), 1);
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    sql(path, "PRAGMA application_id=1633904740; PRAGMA user_version=2");
    ck_assert_int_eq(try_start(dir, &err), ACD_EABI);
    ck_assert_ptr_nonnull(strstr(err.text, "newer storage-sqlite (layout 2, this knows 1)"));
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    ck_assert_int_eq(
        write(fd, "this is no database at all, but a text that is long enough to be looked at", 74), 74);
    (void)close(fd);
    ck_assert_int_eq(try_start(dir, &err), ACD_ECORRUPT);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(try_start(dir, &err), ACD_EIO);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    ck_assert_int_eq(try_start(dir, &err), ACD_EIO);
    rig_dir_remove(dir);
}
END_TEST

static void
fill(struct rig *rig, int n)
{
    static char bulk[2000];
    struct plug_session *s = rig_session(rig);
    ck_ok(plug_begin(s, true, 0, NULL));
    for (int i = 0; i < n; i++) {
        acd_value row[N_COLS] = {v_int(i), v_blob(bulk, sizeof(bulk))};
        ck_ok(plug_put(s, C_NUMBER, row, N_COLS, ACD_REV_NEW, NULL));
    }
    ck_ok(plug_commit(s, NULL));
    plug_session_close(s);
}

static int
ignore_row(void *ctx, const acd_value *row, size_t ncols)
{
    (void)row;
    (void)ncols;
    if (ctx)
        ++*(size_t *)ctx;
    return 0;
}

START_TEST(damage_is_said)
{
    struct rig rig;
    char path[128], junk[4096];
    acd_err err = ACD_ERR_INIT;
    rig_open(&rig, IMPL_SQLITE, NULL, false);
    rig.keep = true;
    fill(&rig, 500);
    path_of(&rig, "t.db", path);
    rig_close(&rig);
    memset(junk, 0xa5, sizeof(junk));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    off_t pages = lseek(fd, 0, SEEK_END) / 4096;
    for (off_t p = 40; p < pages; p++) /* behind the schema */
        ck_assert_int_eq(pwrite(fd, junk, sizeof(junk), p * 4096), (ssize_t)sizeof(junk));
    (void)close(fd);
    ck_assert_int_eq(try_start(rig.dir, &err), ACD_ECORRUPT); /* asked to look at start */
    rig_open(&rig, IMPL_SQLITE, rig.dir, false);              /* not asked */
    struct plug_session *s = rig_session(&rig);
    ck_ok(plug_begin(s, false, 0, NULL));
    acd_scan scan = {.coll = C_NUMBER};
    ck_assert_int_eq(plug_scan(s, &scan, ignore_row, NULL, &err), ACD_ECORRUPT);
    plug_session_close(s);
    rig.keep = false;
    rig_close(&rig);
}
END_TEST

/* Puts rows until one fails; then everything must be as before. */
static void
run_full(struct rig *rig)
{
    static char bulk[3000];
    acd_err err = ACD_ERR_INIT;
    size_t rows = 0;
    int rc = 0;
    struct plug_session *s = rig_session(rig);
    ck_ok(plug_begin(s, true, 0, NULL));
    for (int i = 0; i < 4000 && rc == 0; i++) {
        acd_value row[N_COLS] = {v_int(1000 + i), v_blob(bulk, sizeof(bulk))};
        rc = plug_put(s, C_NUMBER, row, N_COLS, ACD_REV_NEW, &err);
    }
    if (rc == 0)
        rc = plug_commit(s, &err);
    ck_assert_int_eq(rc, ACD_EIO);
    ck_assert_msg(strstr(err.text, "no space left for the database") != NULL, "%s", err.text);
    if (plug_writing(s)) { /* later calls do not pretend that the transaction lives on */
        acd_value row[N_COLS] = {v_int(1), v_blob("x", 1)};
        rc = plug_put(s, C_NUMBER, row, N_COLS, ACD_REV_ANY, &err);
        ck_assert_int_eq(rc < 0 ? rc : plug_commit(s, &err), ACD_EIO);
        plug_rollback(s);
    }
    ck_ok(plug_begin(s, false, 0, NULL));
    acd_scan scan = {.coll = C_NUMBER};
    ck_ok(plug_scan(s, &scan, ignore_row, &rows, &err));
    ck_assert_uint_eq(rows, 20);
    plug_rollback(s);
    plug_session_close(s);
}

START_TEST(a_full_disk_is_said_and_rolled_back)
{
    struct rig rig;
    rig_open(&rig, IMPL_SQLITE, NULL, false);
    fill(&rig, 20);
    /* A write beyond the limit fails with EFBIG once the signal is ignored. */
    struct rlimit old, tight;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = old;
    tight.rlim_cur = 3 << 20;
    ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
    struct plug_session *w = rig_session(&rig);
    plug_session_close(w);
    run_full(&rig);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    struct plug_session *s = rig_session(&rig); /* with room again, work goes on */
    ck_ok(plug_begin(s, true, 0, NULL));
    acd_value row[N_COLS] = {v_int(777), v_blob("x", 1)};
    ck_ok(plug_put(s, C_NUMBER, row, N_COLS, ACD_REV_NEW, NULL));
    ck_ok(plug_commit(s, NULL));
    plug_session_close(s);
    rig_close(&rig);
}
END_TEST

START_TEST(the_configured_bound_is_said_and_rolled_back)
{
    struct rig rig;
    struct plug_pair max = {"max_mib", "2"};
    rig_start(&rig, IMPL_SQLITE, NULL, NULL, &max, 1);
    ck_ok(plug_storage_schema(&rig.st, test_colls, TEST_COLLS, 1, C_ROWS, NULL));
    fill(&rig, 20);
    run_full(&rig);
    rig_close(&rig);
}
END_TEST

/* Version 1 of a schema, and version 2: a column and a collection more, another index, one index less. */
static const acd_column rows_cols[] = {{.name = "plugin", .type = ACD_COL_TEXT},
                                       {.name = "key", .type = ACD_COL_BLOB},
                                       {.name = "value", .type = ACD_COL_BLOB}};
static const acd_column old_cols[] = {{.name = "id", .type = ACD_COL_TEXT},
                                      {.name = "a", .type = ACD_COL_INT}};
static const acd_column new_cols[] = {
    {.name = "id", .type = ACD_COL_TEXT},
    {.name = "text", .type = ACD_COL_TEXT},
    {.name = "a", .type = ACD_COL_INT},
    {.name = "more", .type = ACD_COL_INT},
    {.name = "bytes", .type = ACD_COL_BLOB},
    {.name = "up", .type = ACD_COL_TEXT, .flags = ACD_COL_NULL, .ref = 1 + 1},
};
static const acd_column third_cols[] = {{.name = "id", .type = ACD_COL_TEXT, .ref = 1 + 1}};
static const acd_index old_index[] = {{.name = "by_a", .cols = {1}, .ncols = 1}};
static const acd_index new_index[] = {{.name = "by_a", .cols = {2, 3}, .ncols = 2}};
#define COLL(n, c, pk, ...)                                              \
    {                                                                    \
        .struct_size = sizeof(acd_collection), .name = (n), .cols = (c), \
        .ncols = sizeof(c) / sizeof((c)[0]), .npk = (pk), __VA_ARGS__    \
    }
static const acd_collection old_colls[] = {
    COLL("plugin_row", rows_cols, 2, .since = 1),
    COLL("thing", old_cols, 1, .since = 1, .indexes = old_index, .nindexes = 1)};
static const acd_collection new_colls[] = {
    COLL("plugin_row", rows_cols, 2, .since = 1),
    COLL("thing", new_cols, 1, .since = 1, .indexes = new_index, .nindexes = 1),
    COLL("third", third_cols, 1, .since = 2)};

static int
check_upgraded(void *ctx, const acd_value *row, size_t ncols)
{
    ck_assert_uint_eq(ncols, 6);
    ck_assert_int_eq(row[0].bytes.len, 1);
    ck_assert_ptr_nonnull(row[1].bytes.ptr); /* empty, not NULL */
    ck_assert_uint_eq(row[1].bytes.len, 0);
    ck_assert_int_eq(row[2].num, 41);
    ck_assert_int_eq(row[3].num, 0);
    ck_assert_ptr_nonnull(row[4].bytes.ptr);
    ck_assert_uint_eq(row[4].bytes.len, 0);
    ck_assert_ptr_null(row[5].bytes.ptr);
    ++*(size_t *)ctx;
    return 0;
}

static int
fail_schema(void *ctx, const char *plugin, const char *point)
{
    (void)plugin;
    return *(int *)ctx && strcmp(point, "storage-sqlite.schema") == 0 ? ACD_EIO : 0;
}

static void
make_old(struct rig *rig)
{
    rig_start(rig, IMPL_SQLITE, NULL, NULL, NULL, 0);
    rig->keep = true;
    ck_ok(plug_storage_schema(&rig->st, old_colls, 2, 1, 0, NULL));
    struct plug_session *s = rig_session(rig);
    acd_value row[] = {v_text("x"), v_int(41)};
    ck_ok(plug_begin(s, true, 0, NULL));
    ck_ok(plug_put(s, 1, row, 2, ACD_REV_NEW, NULL));
    ck_ok(plug_commit(s, NULL));
    plug_session_close(s);
    rig_close(rig);
}

START_TEST(an_older_schema_is_upgraded)
{
    struct rig rig;
    int on = 1;
    size_t rows = 0;
    char path[128];
    acd_err err = ACD_ERR_INIT;
    struct plug_env env = {.fault = fail_schema, .fault_ctx = &on};
    make_old(&rig);
    path_of(&rig, "t.db", path);
    rig_start(&rig, IMPL_SQLITE, rig.dir, &env, NULL, 0);
    ck_assert_int_eq(plug_storage_schema(&rig.st, new_colls, 3, 2, 0, NULL),
                     ACD_EIO); /* broken off at the end */
    ck_assert_int_eq(sql_number(path, "SELECT num FROM anchord_meta WHERE name='schema'"), 1);
    ck_assert_int_eq(sql_number(path, "SELECT count(*) FROM pragma_table_info('thing')"), 2);
    on = 0;
    int rc = plug_storage_schema(&rig.st, new_colls, 3, 2, 0, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    struct plug_session *s = rig_session(&rig);
    ck_ok(plug_begin(s, true, 0, NULL));
    acd_value a = v_int(41);
    acd_scan scan = {.coll = 1, .index = 1, .eq = &a, .neq = 1};
    ck_ok(plug_scan(s, &scan, check_upgraded, &rows, NULL));
    ck_assert_uint_eq(rows, 1);
    acd_value third = v_text("nobody");
    ck_assert_int_eq(plug_put(s, 2, &third, 1, ACD_REV_NEW, NULL), ACD_EPRECOND);
    plug_session_close(s);
    ck_assert_int_eq(sql_number(path, "SELECT count(*) FROM anchord_history"), 2);
    rig_close(&rig);
    rig_start(&rig, IMPL_SQLITE, rig.dir, NULL, NULL, 0); /* the same again is no change */
    ck_ok(plug_storage_schema(&rig.st, new_colls, 3, 2, 0, NULL));
    ck_assert_int_eq(plug_storage_schema(&rig.st, old_colls, 2, 1, 0, &err), ACD_EABI); /* back is refused */
    ck_assert_ptr_nonnull(strstr(err.text, "has schema version 2, this program knows 1"));
    rig.keep = false;
    rig_close(&rig);
}
END_TEST

START_TEST(a_changed_schema_without_a_version_is_refused)
{
    struct rig rig;
    acd_err err = ACD_ERR_INIT;
    make_old(&rig);
    rig_start(&rig, IMPL_SQLITE, rig.dir, NULL, NULL, 0);
    ck_assert_int_eq(plug_storage_schema(&rig.st, new_colls, 2, 1, 0, &err), ACD_EABI);
    ck_assert_ptr_nonnull(strstr(err.text, "table thing has no column text"));
    rig.keep = false;
    rig_close(&rig);
}
END_TEST

START_TEST(a_backup_is_one_consistent_view)
{
    struct rig rig, copy;
    char from[128], to[128], dir[64];
    size_t rows = 0;
    acd_err err = ACD_ERR_INIT;
    rig_open(&rig, IMPL_SQLITE, NULL, false);
    fill(&rig, 300);
    struct plug_session *s = rig_session(&rig);
    ck_ok(plug_begin(s, true, 0, NULL)); /* a writer at work is not in the way, and not in the copy */
    acd_value row[N_COLS] = {v_int(9999), v_blob("x", 1)};
    ck_ok(plug_put(s, C_NUMBER, row, N_COLS, ACD_REV_NEW, NULL));
    path_of(&rig, "copy", from);
    int fd = open(from, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = plug_backup(&rig.st, fd, &err);
    ck_assert_msg(rc == 0, "%s", err.text);
    (void)close(fd);
    ck_ok(plug_commit(s, NULL));
    plug_session_close(s);
    rig_dir(dir);
    (void)snprintf(to, sizeof(to), "%s/t.db", dir);
    ck_assert_int_eq(rename(from, to), 0);
    rig_close(&rig); /* no side file was left: the directory is removed file by file and then itself */
    rig_open(&copy, IMPL_SQLITE, dir, false);
    s = rig_session(&copy);
    ck_ok(plug_begin(s, false, 0, NULL));
    acd_scan scan = {.coll = C_NUMBER};
    ck_ok(plug_scan(s, &scan, ignore_row, &rows, NULL));
    ck_assert_uint_eq(rows, 300);
    plug_session_close(s);
    copy.keep = false;
    rig_close(&copy);
}
END_TEST

START_TEST(another_process_lock_is_waited_for)
{
    struct rig rig;
    char path[128];
    acd_err err = ACD_ERR_INIT;
    sqlite3 *db;
    rig_open(&rig, IMPL_SQLITE, NULL, false);
    path_of(&rig, "t.db", path);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct plug_session *s = rig_session(&rig);
    uint64_t deadline = clock_mono_ns(&clock_system) + 50000000;
    ck_assert_int_eq(plug_begin(s, true, deadline, &err), ACD_ETIMEOUT);
    ck_assert_uint_ge(clock_mono_ns(&clock_system), deadline);
    ck_assert_int_eq(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    ck_ok(plug_begin(s, true, deadline + 10000000000, NULL));
    plug_session_close(s);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    rig_close(&rig);
}
END_TEST

static int
slow_row(void *ctx, const acd_value *row, size_t ncols)
{
    (void)row;
    (void)ncols;
    while (clock_mono_ns(&clock_system) < *(uint64_t *)ctx)
        ;
    return 0;
}

START_TEST(a_long_scan_stops_at_the_deadline)
{
    struct rig rig;
    rig_open(&rig, IMPL_SQLITE, NULL, false);
    fill(&rig, 4000);
    struct plug_session *s = rig_session(&rig);
    uint64_t deadline = clock_mono_ns(&clock_system) + 200000000;
    ck_ok(plug_begin(s, false, deadline, NULL));
    acd_scan scan = {.coll = C_NUMBER};
    ck_assert_int_eq(plug_scan(s, &scan, slow_row, &deadline, NULL), ACD_ETIMEOUT);
    plug_session_close(s);
    rig_close(&rig);
}
END_TEST

START_TEST(paths_are_checked)
{
    const char *bad[] = {":memory:", "file.db", "/tmp/"};
    struct plug_env env = {.flags = PLUG_BUILD_TREE};
    acd_err err = ACD_ERR_INIT;
    char so[512];
    (void)snprintf(so, sizeof(so), "%s/storage-sqlite.so", rig_plugins());
    for (size_t i = 0; i < 3; i++) {
        struct plug *p = NULL;
        struct plug_pair path = {"path", bad[i]};
        ck_ok(plug_new(ACD_STORAGE, so, NULL, &env, &p, &err));
        ck_ok(plug_open(p, &err));
        ck_assert_int_eq(plug_configure(p, &path, 1, &err), ACD_EINVAL);
        ck_assert_int_eq(strncmp(err.text, "plugin storage-sqlite: path: must name", 38), 0);
        plug_free(p);
    }
}
END_TEST

/* The plan of a range: no sorting, and an index wherever a column is fixed or bounded. */
static void
check_plan(sqlite3 *db, const acd_collection *c, const struct sdk_range *r)
{
    static const struct sdk_dialect d = {.mark = '?', .indexed_by = true};
    struct sdk_text t = {0};
    sqlite3_stmt *stmt = NULL;
    sdk_text_put(&t, "EXPLAIN QUERY PLAN ");
    sdk_sql_range(&t, &d, c, r);
    ck_assert_int_eq(sqlite3_prepare_v2(db, t.data, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *plan = (const char *)sqlite3_column_text(stmt, 3);
        ck_assert_msg(!strstr(plan, "TEMP B-TREE"), "%s: %s", t.data, plan);
        if (r->neq || r->bound == SDK_BOUND_MORE || r->bound == SDK_BOUND_LESS)
            ck_assert_msg(strncmp(plan, "SEARCH", 6) == 0, "%s: %s", t.data, plan);
    }
    ck_assert_int_eq(sqlite3_finalize(stmt), SQLITE_OK);
    sdk_text_done(&t);
}

/* Every range that a walk of the daemon's own collections can lead to is served by an index, in its order. */
START_TEST(walks_never_sort)
{
    struct rig rig;
    char path[128];
    uint16_t order[SDK_ORDER_MAX];
    sqlite3 *db;
    size_t plans = 0;
    rig_start(&rig, IMPL_SQLITE, NULL, NULL, NULL, 0);
    ck_ok(plug_storage_schema(&rig.st, collections, COLLECTIONS, COLLECTIONS_VERSION, COLL_PLUGIN, NULL));
    path_of(&rig, "t.db", path);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < COLLECTIONS; i++)
        for (size_t x = 0; x <= collections[i].nindexes; x++) {
            size_t n = sdk_order(&collections[i], (uint32_t)x, order);
            for (unsigned k = 0; k < 2 * 4 * n; k++) {
                struct sdk_range r = {.index = (uint8_t)x, .reverse = k % 2, .bound = k / 2 % 4};
                r.neq = (uint8_t)(k / 8);
                bool null = collections[i].cols[order[r.neq]].flags & ACD_COL_NULL;
                if (r.bound == SDK_BOUND_NOT_NULL && !null)
                    continue;
                check_plan(db, &collections[i], &r);
                plans++;
            }
        }
    ck_assert_uint_gt(plans, 100);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    rig_close(&rig);
}
END_TEST

Suite *suite_sqlite(void);

Suite *
suite_sqlite(void)
{
    Suite *s = suite_create("sqlite");
    ADD_TESTS(s, "file", the_file_is_ours_alone, an_open_mode_is_closed, foreign_files_are_refused_untouched,
              damage_is_said, paths_are_checked);
    ADD_TESTS(s, "space", a_full_disk_is_said_and_rolled_back, the_configured_bound_is_said_and_rolled_back);
    ADD_TESTS(s, "schema", an_older_schema_is_upgraded, a_changed_schema_without_a_version_is_refused);
    ADD_TESTS(s, "work", a_backup_is_one_consistent_view, another_process_lock_is_waited_for,
              a_long_scan_stops_at_the_deadline, walks_never_sort);
    return s;
}
