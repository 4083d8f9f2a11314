/*
 * Reading an image into sealed memory, for readers that trust nobody with the file. Roots are read before
 * pieces: what a root leads to was in place before it and is never changed, so the copy holds at least that.
 * With open.c and store.c the files of snap/ that do I/O.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "snap/image.h"

enum { COPY_STEP = 1 << 20 };

static int
read_at(int fd, void *p, size_t len, uint64_t at, acd_err *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, (char *)p + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ACD_EIO, "read: %s", strerror(errno));
        if (n == 0)
            return err_set(err, ACD_ECORRUPT, "image is truncated");
        done += (size_t)n;
    }
    return 0;
}

static int
write_at(int fd, const void *p, size_t len, uint64_t at, acd_err *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, (const char *)p + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, ACD_EIO, "memfd: %s", strerror(errno));
        done += (size_t)n;
    }
    return 0;
}

/* Header and roots into head, and the root to use. */
static int
head_read(int fd, uint8_t *head, struct snap_slot *ret, acd_err *err)
{
    struct stat st;
    struct snap_map probe = {.base = head};
    if (fstat(fd, &st) < 0)
        return err_set(err, ACD_EIO, "fstat: %s", strerror(errno));
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < SNAP_FIRST_FREE)
        return err_set(err, ACD_ECORRUPT, "not an image");
    int rc = read_at(fd, head, SNAP_FIRST_FREE, 0, err);
    if (rc == 0)
        rc = snap_header_check(&probe, (uint64_t)st.st_size, err);
    return rc < 0 ? rc : snap_slot_read(&probe, (uint64_t)st.st_size, 0, ret, err);
}

static int
pieces_copy(int from, int to, uint64_t end, acd_err *err)
{
    _cleanup_free_ char *step = malloc(COPY_STEP);
    int rc = step ? 0 : err_set(err, ACD_ENOMEM, "out of memory");
    for (uint64_t at = SNAP_FIRST_FREE; rc == 0 && at < end; at += COPY_STEP) {
        size_t n = end - at < COPY_STEP ? (size_t)(end - at) : COPY_STEP;
        rc = read_at(from, step, n, at, err);
        if (rc == 0)
            rc = write_at(to, step, n, at, err);
    }
    return rc;
}

static int
whole_copy(int from, const uint8_t *head, const struct snap_slot *slot, struct snap_map **map, acd_err *err)
{
    struct snap_map *m;
    _cleanup_close_ int to = memfd_create("anchord-copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (to < 0)
        return err_set(err, ACD_EIO, "memfd: %s", strerror(errno));
    int rc = write_at(to, head, SNAP_FIRST_FREE, 0, err);
    if (rc == 0)
        rc = pieces_copy(from, to, slot->used, err);
    if (rc < 0)
        return rc;
    if (fcntl(to, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
        return err_set(err, ACD_EIO, "memfd: %s", strerror(errno));
    rc = snap_map_open(TAKE_FD(to), &m, err);
    if (rc < 0)
        return rc;
    snap_map_unref(*map);
    *map = m;
    return 1;
}

int
snap_copy_take(const char *path, struct snap_map **map, struct snap_slot *slot, acd_err *err)
{
    struct snap_slot now;
    _cleanup_free_ uint8_t *head = malloc(SNAP_FIRST_FREE);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? ACD_ENOENT : ACD_EIO, "%s", strerror(errno));
    int rc = head ? head_read(fd, head, &now, err) : err_set(err, ACD_ENOMEM, "out of memory");
    if (rc < 0)
        return rc;
    bool same_file = *map && ((const struct snap_header *)head)->file_id ==
                                 ((const struct snap_header *)(*map)->base)->file_id;
    /* Lower: the newest root was just being written, and is met whole by the next look. */
    if (same_file && now.seq <= slot->seq)
        return 0;
    /* The same pieces at a later time: the views that are out do not read roots, so only ours changes. */
    rc = same_file && now.revision == slot->revision && now.used == slot->used &&
                 memcmp(&now.roots, &slot->roots, sizeof(now.roots)) == 0
             ? 1
             : whole_copy(fd, head, &now, map, err);
    if (rc == 1)
        *slot = now;
    return rc;
}
