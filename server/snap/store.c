/* The writer's side of the file system. With open.c the only file of snap/ that does I/O. */
#include "snap/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/io.h"
#include "base/rand.h"
#include "base/str.h"

enum { GROW_MIN = 256 << 10, GROW_MAX = 64 << 20 };

int
snap_lock(const char *path, int *ret_fd, acd_err *err)
{
    _cleanup_free_ char *name = NULL;
    if (asprintf(&name, "%s.lock", path) < 0) {
        name = NULL;
        return err_set(err, ACD_ENOMEM, "out of memory");
    }
    _cleanup_close_ int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set(err, ACD_EIO, "%s: %s", name, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, errno == EWOULDBLOCK ? ACD_EBUSY : ACD_EIO, "%s: another writer has it", name);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

void
snap_unlock(int fd)
{
    if (fd < 0)
        return;
    (void)flock(fd, LOCK_UN); /* a forked child may still hold the descriptor */
    (void)close(fd);
}

/* The address space is only reserved; where less is allowed, less has to do. */
static int
map_large(int fd, uint64_t cap, struct snap_map **ret, acd_err *err)
{
    int rc = ACD_ENOMEM;
    for (cap = cap < SNAP_FILE_MAX ? cap : SNAP_FILE_MAX; rc == ACD_ENOMEM && cap >= GROW_MIN; cap /= 2)
        rc = snap_map_new(fd, cap, true, ret, err);
    return rc;
}

static void
boot_id(uint8_t out[16])
{
    struct buf b = BUF_INIT(64);
    char hex[33];
    size_t n = 0;
    memset(out, 0, 16);
    if (io_read_file("/proc/sys/kernel/random/boot_id", &b, NULL) == 0)
        for (size_t i = 0; i < b.len && n < 32; i++)
            if (b.data[i] != '-')
                hex[n++] = b.data[i];
    if (n != 32 || !hex_decode(slice_of(hex, 32), out, 16))
        memset(out, 0xff, 16); /* unknown: not "on stable storage" */
    buf_done(&b);
}

static void
header_init(struct snap_header *h, uint64_t epoch)
{
    *h = (struct snap_header){
        .magic = SNAP_MAGIC, .version = SNAP_VERSION, .order = SNAP_ORDER, .epoch = epoch};
    rand_bytes(&h->file_id, sizeof(h->file_id));
    rand_bytes(h->secret, sizeof(h->secret));
    h->sum = snap_header_sum(h);
}

static int
fd_create(const char *temp, acd_err *err)
{
    int fd;
    if (temp) {
        (void)unlink(temp);
        fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    } else {
        fd = memfd_create("anchord-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd >= 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0) {
            (void)close(fd);
            fd = -1;
        }
    }
    return fd >= 0 ? fd : err_set(err, ACD_EIO, "%s: %s", temp ? temp : "memfd", strerror(errno));
}

int
snap_file_create(const char *path, const char *kind, uint64_t cap, uint64_t epoch, struct snap_file *ret,
                 acd_err *err)
{
    struct snap_file f = {0};
    if (path && (!(f.path = strdup(path)) || asprintf(&f.temp, "%s%s", path, kind) < 0)) {
        free(f.path);
        return err_set(err, ACD_ENOMEM, "out of memory");
    }
    int fd = fd_create(f.temp, err);
    int rc = fd < 0 ? fd : map_large(fd, cap, &f.map, err);
    if (rc < 0 && fd >= 0)
        (void)close(fd);
    if (rc == 0)
        rc = snap_file_reserve(&f, SNAP_FIRST_FREE, err);
    if (rc < 0) {
        snap_file_done(&f);
        return rc;
    }
    header_init((struct snap_header *)f.map->base, epoch);
    boot_id(f.boot);
    *ret = f;
    return 0;
}

/* A root that was written without a sync during an earlier boot may reach pieces that never got to the disk.
 */
static int
slot_trust(struct snap_file *f, const struct snap_slot *slot, acd_err *err)
{
    static const uint8_t synced[16];
    if (memcmp(slot->boot, synced, 16) == 0 || memcmp(slot->boot, f->boot, 16) == 0)
        return 0;
    struct snap_view *v = snap_view_new(f->map, slot);
    if (!v)
        return err_set(err, ACD_ENOMEM, "out of memory");
    int rc = snap_view_check(v, err);
    snap_view_unref(v);
    return rc;
}

static int
slot_choose(struct snap_file *f, struct snap_slot *ret, acd_err *err)
{
    int rc = snap_header_check(f->map, f->size, err);
    if (rc == 0)
        rc = snap_slot_read(f->map, f->size, 0, ret, err);
    if (rc < 0)
        return rc;
    rc = slot_trust(f, ret, err);
    if (rc != ACD_ECORRUPT)
        return rc;
    rc = snap_slot_read(f->map, f->size, ret->seq, ret, err);
    return rc < 0 ? rc : slot_trust(f, ret, err);
}

int
snap_file_open(const char *path, uint64_t cap, struct snap_file *ret, struct snap_slot *ret_slot,
               acd_err *err)
{
    struct stat st;
    struct snap_file f = {0};
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? ACD_ENOENT : ACD_EIO, "%s: %s", path, strerror(errno));
    int rc =
        fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ? err_set(err, ACD_ECORRUPT, "not a regular file") : 0;
    if (rc == 0 && (uint64_t)st.st_size < SNAP_FIRST_FREE)
        rc = err_set(err, ACD_ECORRUPT, "not an image: %llu bytes are too few",
                     (unsigned long long)st.st_size);
    if (rc == 0 && (uint64_t)st.st_size > SNAP_FILE_MAX)
        rc = err_set(err, ACD_ELIMIT, "%llu bytes are too many", (unsigned long long)st.st_size);
    if (rc == 0) {
        f.size = (uint64_t)st.st_size;
        boot_id(f.boot);
        rc = map_large(fd, cap > f.size ? cap : f.size, &f.map, err);
    }
    if (rc < 0)
        (void)close(fd);
    else if (f.map->cap < f.size)
        rc = err_set(err, ACD_ENOMEM, "cannot map %llu bytes", (unsigned long long)f.size);
    else
        rc = slot_choose(&f, ret_slot, err);
    if (rc == 0 && !(f.path = strdup(path)))
        rc = err_set(err, ACD_ENOMEM, "out of memory");
    if (rc < 0) {
        snap_file_done(&f);
        return err_context(err, rc, "%s", path);
    }
    *ret = f;
    return 0;
}

void
snap_file_done(struct snap_file *f)
{
    if (f->temp)
        (void)unlink(f->temp);
    snap_map_unref(f->map);
    free(f->path);
    free(f->temp);
    *f = (struct snap_file){0};
}

int
snap_file_check(const struct snap_file *f, acd_err *err)
{
    struct stat st;
    if (fstat(f->map->fd, &st) < 0)
        return err_set(err, ACD_EIO, "%s: %s", f->path ? f->path : "memfd", strerror(errno));
    if ((uint64_t)st.st_size >= f->size)
        return 0;
    return err_set(err, ACD_EIO, "%s: somebody truncated the image to %lld bytes",
                   f->path ? f->path : "memfd", (long long)st.st_size);
}

int
snap_file_reserve(struct snap_file *f, uint64_t upto, acd_err *err)
{
    if (upto <= f->size)
        return 0;
    if (upto > f->map->cap)
        return err_set(err, ACD_ELIMIT, "image would be larger than %llu bytes",
                       (unsigned long long)f->map->cap);
    uint64_t step = f->size / 8;
    step = step < GROW_MIN ? GROW_MIN : step > GROW_MAX ? GROW_MAX : step;
    uint64_t size = f->size + step > upto ? f->size + step : upto;
    size = size < f->map->cap ? size : f->map->cap;
    /* Storage is taken now, so that a full disk is an error here and not a signal at the first store. */
    int rc = posix_fallocate(f->map->fd, (off_t)f->size, (off_t)(size - f->size));
    if (rc != 0)
        return err_set(err, ACD_EIO, "%s: %s", f->path ? f->path : "memfd", strerror(rc));
    f->size = size;
    return 0;
}

int
snap_file_sync(struct snap_file *f, acd_err *err)
{
    if (f->path && fdatasync(f->map->fd) < 0)
        return err_set(err, ACD_EIO, "%s: %s", f->path, strerror(errno));
    return 0;
}

static int
rename_over(struct snap_file *f, bool sync, struct snap_file *old, acd_err *err)
{
    /* Before the rename: a reader that sees the mark looks at the path, and looks again until it changed. */
    static const uint32_t one = 1;
    if (old && old->map) /* not through the mapping: somebody may have truncated the file */
        (void)!pwrite(old->map->fd, &one, sizeof(one), offsetof(struct snap_header, moved));
    if (!f->temp)
        return 0;
    if (rename(f->temp, f->path) < 0)
        return err_set(err, ACD_EIO, "%s: %s", f->path, strerror(errno));
    free(f->temp);
    f->temp = NULL;
    /* Until the directory is durable, a power cut gives the file before; that is no reason to fail now. */
    if (sync)
        (void)!io_sync_dir(f->path, NULL);
    return 0;
}

int
snap_file_commit(struct snap_file *f, struct snap_slot *slot, bool sync, struct snap_file *old, acd_err *err)
{
    int rc = sync ? snap_file_sync(f, err) : 0;
    if (rc < 0)
        return rc;
    memset(slot->boot, 0, sizeof(slot->boot));
    if (!sync)
        memcpy(slot->boot, f->boot, sizeof(slot->boot));
    slot->sum = snap_slot_sum(slot);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(f->map->base + SNAP_PAGE * (1 + slot->seq % 2), slot, sizeof(*slot));
    __atomic_thread_fence(__ATOMIC_RELEASE);
    /* The pieces are safe; should the root itself not reach the disk, a power cut costs this one revision. */
    if (sync)
        (void)!snap_file_sync(f, NULL);
    return f->temp || old ? rename_over(f, sync, old, err) : 0;
}
