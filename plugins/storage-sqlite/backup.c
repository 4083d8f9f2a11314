/*
 * A consistent copy while work goes on: SQLite copies the pages of one read view into a nameless-to-be file
 * beside the database, and that file's bytes go to the caller's descriptor. The view is held for the whole
 * copy, so writers neither wait nor make it start again.
 */
#include "sq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_TEXT = 1100, CHUNK = 65536 };

static int
copy_pages(struct sq_conn *from, struct sq_conn *to, acd_err *err)
{
    int64_t n;
    int rc = sq_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", err);
    if (rc == 0)
        rc = sq_exec(from, "BEGIN", err);
    if (rc == 0)
        rc = sq_number(from, "SELECT num FROM anchord_meta WHERE name='seq'", &n, err);
    if (rc < 0)
        return rc;
    sqlite3_backup *b = sqlite3_backup_init(to->db, "main", from->db, "main");
    if (!b)
        return sq_error(to, sqlite3_extended_errcode(to->db), "backup", err);
    int lite = SQLITE_OK;
    while (lite == SQLITE_OK)
        lite = sqlite3_backup_step(b, SQ_BACKUP_PAGES);
    (void)sqlite3_backup_finish(b);
    return lite == SQLITE_DONE ? 0 : sq_error(to, lite, "backup", err);
}

static int
write_all(int fd, const char *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ACD_EIO;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int
copy_bytes(const char *from, int fd, acd_err *err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *chunk = malloc(CHUNK);
    int rc = in < 0   ? sdk_fail(err, ACD_EIO, "%s: %s", from, strerror(errno))
             : !chunk ? sdk_fail(err, ACD_ENOMEM, "out of memory")
                      : 0;
    while (rc == 0) {
        ssize_t n = read(in, chunk, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            break;
        if (n < 0)
            rc = sdk_fail(err, ACD_EIO, "%s: %s", from, strerror(errno));
        else if (write_all(fd, chunk, (size_t)n) < 0)
            rc = sdk_fail(err, ACD_EIO, "backup: %s", strerror(errno));
    }
    /* A pipe or a socket cannot be synced and need not be. */
    if (rc == 0 && fsync(fd) < 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
        rc = sdk_fail(err, ACD_EIO, "backup: %s", strerror(errno));
    free(chunk);
    if (in >= 0)
        (void)close(in);
    return rc;
}

int
sq_backup(void *inst, int fd, acd_err *err)
{
    struct sq *sq = inst;
    struct sq_conn from, to = {0};
    char temp[PATH_TEXT];
    (void)snprintf(temp, sizeof(temp), "%s.backup.XXXXXX", sq->path);
    int made = mkstemp(temp); /* mode 0600 */
    if (made < 0)
        return sdk_fail(err, ACD_EIO, "%s: %s", temp, strerror(errno));
    (void)close(made);
    int rc = sq_open(sq, &from, err);
    if (rc == 0) {
        int lite = sqlite3_open_v2(temp, &to.db,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
        rc = lite == SQLITE_OK ? copy_pages(&from, &to, err) : sq_error(&to, lite, "backup", err);
        sq_close(&to);
        sq_close(&from);
    }
    if (rc == 0)
        rc = copy_bytes(temp, fd, err);
    (void)unlink(temp);
    return rc;
}
