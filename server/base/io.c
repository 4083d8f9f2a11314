#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

int
io_read_file(const char *path, struct buf *b, acd_err *err)
{
    _cleanup_close_ int fd = -1;
    int in = STDIN_FILENO;
    if (strcmp(path, "-") != 0) {
        in = fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return err_set(err, errno == ENOENT ? ACD_ENOENT : ACD_EIO, "%s: %s", path, strerror(errno));
    }
    for (;;) {
        char chunk[16384];
        ssize_t n = read(in, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ACD_EIO, "%s: %s", path, strerror(errno));
        if (n == 0)
            return 0;
        buf_put(b, chunk, (size_t)n);
        if (b->failed == ACD_ELIMIT)
            return err_set(err, ACD_ELIMIT, "%s is larger than %zu bytes", path, b->limit);
        if (b->failed)
            return err_set(err, b->failed, "%s: out of memory", path);
    }
}

int
io_write_all(int fd, const void *p, size_t len)
{
    const char *at = p;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ACD_EIO;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

int
io_sync_dir(const char *path_in_dir, acd_err *err)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path_in_dir, '/');
    size_t len = slash ? (size_t)(slash - path_in_dir) : 0;
    if (len >= sizeof(dir))
        return err_set(err, ACD_EINVAL, "path is too long");
    memcpy(dir, path_in_dir, len);
    dir[len] = '\0';
    _cleanup_close_ int fd = open(slash ? (len ? dir : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_set(err, ACD_EIO, "%s: %s", slash ? dir : ".", strerror(errno));
    return 0;
}

int
io_write_durable(const char *path, const void *p, size_t len, unsigned mode, acd_err *err)
{
    char temp[PATH_MAX];
    if (snprintf(temp, sizeof(temp), "%s.tmp.%d", path, (int)getpid()) >= (int)sizeof(temp))
        return err_set(err, ACD_EINVAL, "path is too long");
    _cleanup_close_ int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    if (fd < 0)
        return err_set(err, ACD_EIO, "%s: %s", temp, strerror(errno));
    if (io_write_all(fd, p, len) < 0 || fsync(fd) < 0 || rename(temp, path) < 0) {
        int rc = err_set(err, ACD_EIO, "%s: %s", path, strerror(errno));
        (void)unlink(temp);
        return rc;
    }
    return io_sync_dir(path, err);
}
