#include "sq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool
sq_late(uint64_t deadline_ns)
{
    return deadline_ns && sdk_now_ns() >= deadline_ns;
}

/* Another process holds the lock. SQLite has nothing to wait on, so ask again until the time is over. */
static int
on_busy(void *arg, int tries)
{
    struct sq_conn *c = arg;
    (void)tries;
    if (sq_late(c->busy_ns) || sq_late(c->deadline_ns))
        return 0;
    struct timespec pause = {0, SQ_BUSY_STEP_NS};
    (void)nanosleep(&pause, NULL);
    return 1;
}

static int
on_progress(void *arg)
{
    return sq_late(((struct sq_conn *)arg)->deadline_ns);
}

static bool
disk_full(sqlite3 *db, int rc, int saved)
{
    /* SQLite keeps the number of the failing call, but not of one that failed inside COMMIT. */
    int e = sqlite3_system_errno(db) ? sqlite3_system_errno(db) : saved;
    return (rc & 0xff) == SQLITE_FULL ||
           ((rc & 0xff) == SQLITE_IOERR && (e == ENOSPC || e == EDQUOT || e == EFBIG));
}

static int
status_of(struct sq_conn *c, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return sq_late(c->deadline_ns) ? ACD_ETIMEOUT : ACD_EBUSY;
    case SQLITE_INTERRUPT:
        return ACD_ETIMEOUT;
    case SQLITE_NOMEM:
        return ACD_ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ACD_ECORRUPT;
    case SQLITE_TOOBIG:
        return ACD_ELIMIT;
    case SQLITE_CONSTRAINT:
        return rc == SQLITE_CONSTRAINT_FOREIGNKEY ? ACD_EPRECOND
               : rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_UNIQUE ||
                       rc == SQLITE_CONSTRAINT_ROWID
                   ? ACD_EEXIST
                   : ACD_EINVAL;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ACD_EIO;
    default:
        return ACD_EINTERNAL;
    }
}

int
sq_error(struct sq_conn *c, int rc, const char *what, acd_err *err)
{
    int saved = errno;
    int status = status_of(c, rc);
    if (err) {
        err->native = rc;
        err->retry_after_ms = status == ACD_EBUSY ? SDK_RETRY_MS : 0;
    }
    if (status == ACD_EPRECOND)
        return sdk_fail(err, status, "%s: a row refers to one that is not there, or is referred to", what);
    if (status == ACD_EEXIST)
        return sdk_fail(err, status, "%s: a row with that key exists", what);
    if (c->db && disk_full(c->db, rc, saved))
        return sdk_fail(err, status, "%s: no space left for the database", what);
    return sdk_fail(err, status, "%s: %s", what, c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc));
}

int
sq_exec(struct sq_conn *c, const char *sql, acd_err *err)
{
    int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : sq_error(c, rc, "SQLite", err);
}

int
sq_prepare(struct sq_conn *c, const char *sql, sqlite3_stmt **ret, acd_err *err)
{
    int rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
    return rc == SQLITE_OK ? 0 : sq_error(c, rc, "SQLite", err);
}

int
sq_number(struct sq_conn *c, const char *sql, int64_t *ret, acd_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int64(stmt, 0);
    int status = rc == SQLITE_ROW    ? 0
                 : rc == SQLITE_DONE ? sdk_fail(err, ACD_ENOENT, "SQLite: no such row")
                                     : sq_error(c, rc, "SQLite", err);
    (void)sqlite3_finalize(stmt);
    return status;
}

/* The file is created with its final mode before SQLite sees it; SQLite gives its side files the same. */
static int
file_prepare(const struct sq *sq, acd_err *err)
{
    struct stat st;
    int rc = 0;
    int fd = open(sq->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return sdk_fail(err, ACD_EIO, "%s: %s", sq->path, strerror(errno));
    if (fstat(fd, &st) < 0)
        rc = sdk_fail(err, ACD_EIO, "%s: %s", sq->path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        rc = sdk_fail(err, ACD_EINVAL, "%s is not a regular file", sq->path);
    else if ((st.st_mode & 077) && fchmod(fd, 0600) < 0)
        rc = sdk_fail(err, ACD_EIO, "%s is open to others and its mode cannot be changed: %s", sq->path,
                      strerror(errno));
    (void)close(fd);
    return rc;
}

/* Pages of the log at which a commit copies them into the database: a quarter of what the log is cut back to.
 * The fewer copies, the more changes of one page go into each. */
static int
set_checkpoint(const struct sq *sq, struct sq_conn *c, acd_err *err)
{
    int64_t page;
    int rc = sq_number(c, "PRAGMA page_size", &page, err);
    if (rc < 0)
        return rc;
    int lite = sqlite3_wal_autocheckpoint(c->db, (int)((sq->wal_mib << 20) / 4 / page));
    return lite == SQLITE_OK ? 0 : sq_error(c, lite, sq->path, err);
}

static int
pragmas(const struct sq *sq, struct sq_conn *c, acd_err *err)
{
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
                   "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-%lld;"
                   "PRAGMA mmap_size=%lld; PRAGMA journal_size_limit=%lld;",
                   (long long)sq->cache_kib, (long long)sq->mmap_mib << 20, (long long)sq->wal_mib << 20);
    int rc = sq_exec(c, sql, err);
    if (rc == 0)
        rc = set_checkpoint(sq, c, err);
    if (rc == 0 && sq->max_mib) {
        int64_t page, pages;
        rc = sq_number(c, "PRAGMA page_size", &page, err);
        (void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%lld",
                       rc == 0 ? ((long long)sq->max_mib << 20) / (long long)page : 0LL);
        if (rc == 0)
            rc = sq_number(c, sql, &pages, err);
    }
    return rc;
}

int
sq_open(struct sq *sq, struct sq_conn *c, acd_err *err)
{
    *c = (struct sq_conn){.busy_ns = sdk_now_ns() + (uint64_t)sq->busy_ms * 1000000u};
    int rc = file_prepare(sq, err);
    if (rc < 0)
        return rc;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    int lite = sqlite3_open_v2(sq->path, &c->db, flags, NULL);
    if (lite != SQLITE_OK) {
        rc = sq_error(c, lite, sq->path, err);
        sq_close(c);
        return rc;
    }
    (void)sqlite3_busy_handler(c->db, on_busy, c);
    sqlite3_progress_handler(c->db, SQ_PROGRESS_STEPS, on_progress, c);
    (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    rc = pragmas(sq, c, err);
    if (rc < 0)
        sq_close(c);
    return rc;
}

void
sq_close(struct sq_conn *c)
{
    if (c->db)
        (void)sqlite3_close(c->db);
    c->db = NULL;
}
