/* Mapping files and choosing a root. With store.c the only file of snap/ that does I/O. */
#include "snap/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "snap/hash.h"
#include "snap/image.h"

struct snap_reader {
    uint32_t magic;
    char *path; /* NULL: anonymous */
    struct snap_map *map;
    uint64_t seq;             /* of the view given last; 0: none */
    uint64_t used, file_id;   /* that this view needs; of its file */
    struct snap_slot *copied; /* not NULL: the map is a copy, at this root */
};
#define READER_MAGIC 0x5a9d0be2u

/* A reader maps ahead, so that most commits need no new mapping. */
#define MAP_AHEAD(size) ((size)*2 + (16ull << 20))

static void *
bits_new(uint64_t n)
{
    void *p = mmap(NULL, (n + 63) / 64 * 8, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void
bits_free(void *p, uint64_t n)
{
    if (p)
        (void)munmap(p, (n + 63) / 64 * 8);
}

int
snap_map_new(int fd, uint64_t cap, bool writable, struct snap_map **ret, acd_err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set(err, ACD_EIO, "fstat: %s", strerror(errno));
    struct snap_map *m = calloc(1, sizeof(*m));
    if (!m)
        return err_set(err, ACD_ENOMEM, "out of memory");
    cap = (cap + SNAP_PAGE - 1) & ~(uint64_t)(SNAP_PAGE - 1);
    *m = (struct snap_map){.magic = SNAP_MAP_MAGIC,
                           .fd = -1,
                           .writable = writable,
                           .cap = cap,
                           .dev = st.st_dev,
                           .ino = st.st_ino};
    atomic_init(&m->refs, 1);
    void *p =
        mmap(NULL, cap, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
    m->base = p == MAP_FAILED ? NULL : p;
    m->page_ok = bits_new(cap / SNAP_PAGE);
    m->piece_ok = bits_new(cap / SNAP_GRANULE);
    if (!m->base || !m->page_ok || !m->piece_ok) {
        snap_map_unref(m);
        return err_set(err, ACD_ENOMEM, "cannot map %llu bytes", (unsigned long long)cap);
    }
    m->fd = fd;
    *ret = m;
    return 0;
}

struct snap_map *
snap_map_ref(struct snap_map *m)
{
    CHECK_MAGIC(m, SNAP_MAP_MAGIC);
    (void)atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void
snap_map_unref(struct snap_map *m)
{
    if (!m)
        return;
    CHECK_MAGIC(m, SNAP_MAP_MAGIC);
    if (atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (m->base)
        (void)munmap(m->base, m->cap);
    bits_free((void *)m->page_ok, m->cap / SNAP_PAGE);
    bits_free((void *)m->piece_ok, m->cap / SNAP_GRANULE);
    if (m->fd >= 0)
        (void)close(m->fd);
    m->magic = 0;
    free(m);
}

uint64_t
snap_header_sum(const struct snap_header *h)
{
    struct snap_header copy;
    memcpy(&copy, h, sizeof(copy));
    copy.sum = 0;
    return XXH3_64bits(&copy, offsetof(struct snap_header, moved));
}

uint64_t
snap_slot_sum(const struct snap_slot *s)
{
    return XXH3_64bits((const char *)s + sizeof(s->sum), sizeof(*s) - sizeof(s->sum));
}

int
snap_header_check(const struct snap_map *m, uint64_t file_size, acd_err *err)
{
    if (file_size < SNAP_FIRST_FREE)
        return err_set(err, ACD_ECORRUPT, "not an image: %llu bytes are too few",
                       (unsigned long long)file_size);
    const struct snap_header *h = (const struct snap_header *)m->base;
    if (h->magic != SNAP_MAGIC)
        return err_set(err, ACD_ECORRUPT, "not an image");
    if (h->order != SNAP_ORDER)
        return err_set(err, ACD_ENOTSUP, "image of another byte order");
    if (h->version != SNAP_VERSION)
        return err_set(err, ACD_ENOTSUP, "image format %u, this program reads %u", h->version, SNAP_VERSION);
    if (h->sum != snap_header_sum(h))
        return err_set(err, ACD_ECORRUPT, "image header is damaged");
    return 0;
}

static bool
slot_fits(const struct snap_slot *s, unsigned number, uint64_t file_size)
{
    return s->seq != 0 && s->seq % 2 == number && s->sum == snap_slot_sum(s) && s->used >= SNAP_FIRST_FREE &&
           s->used <= file_size && s->used <= SNAP_FILE_MAX;
}

int
snap_slot_read(const struct snap_map *m, uint64_t file_size, uint64_t skip, struct snap_slot *ret,
               acd_err *err)
{
    struct snap_slot best = {.seq = 0};
    for (unsigned i = 0; i < 2; i++) {
        struct snap_slot s;
        /* The writer may be writing it: what was copied counts only when its sum fits. */
        memcpy(&s, m->base + SNAP_PAGE * (1 + i), sizeof(s));
        if (slot_fits(&s, i, file_size) && s.seq > best.seq && (skip == 0 || s.seq != skip))
            best = s;
    }
    atomic_thread_fence(memory_order_acquire);
    if (best.seq == 0)
        return err_set(err, ACD_ECORRUPT, "image is truncated or damaged: no revision can be read");
    *ret = best;
    return 0;
}

static int
file_size(int fd, uint64_t *ret, acd_err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set(err, ACD_EIO, "fstat: %s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, ACD_ECORRUPT, "not a regular file");
    *ret = (uint64_t)st.st_size;
    return 0;
}

int
snap_map_open(int fd, struct snap_map **ret, acd_err *err)
{
    _cleanup_close_ int own = fd;
    uint64_t size;
    int rc = file_size(own, &size, err);
    if (rc < 0)
        return rc;
    if (size < SNAP_FIRST_FREE)
        return err_set(err, ACD_ECORRUPT, "not an image: %llu bytes are too few", (unsigned long long)size);
    struct snap_map *m;
    rc = snap_map_new(own, MAP_AHEAD(size), false, &m, err);
    if (rc < 0)
        return rc;
    (void)TAKE_FD(own);
    rc = snap_header_check(m, size, err);
    if (rc < 0)
        snap_map_unref(m);
    else
        *ret = m;
    return rc;
}

static int
path_open(const char *path, int *ret_fd, acd_err *err)
{
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*ret_fd < 0)
        return err_set(err, errno == ENOENT ? ACD_ENOENT : ACD_EIO, "%s: %s", path, strerror(errno));
    return 0;
}

static int
reader_new(const char *path, int fd, struct snap_reader **ret, acd_err *err)
{
    struct snap_map *m;
    int rc = snap_map_open(fd, &m, err);
    if (rc < 0)
        return path ? err_context(err, rc, "%s", path) : rc;
    struct snap_reader *r = calloc(1, sizeof(*r));
    char *copy = path ? strdup(path) : NULL;
    if (!r || (path && !copy)) {
        free(r);
        free(copy);
        snap_map_unref(m);
        return err_set(err, ACD_ENOMEM, "out of memory");
    }
    *r = (struct snap_reader){READER_MAGIC, .path = copy, .map = m};
    *ret = r;
    return 0;
}

int
snap_reader_open(const char *path, struct snap_reader **ret, acd_err *err)
{
    int fd, rc = path_open(path, &fd, err);
    return rc < 0 ? rc : reader_new(path, fd, ret, err);
}

int
snap_reader_open_copy(const char *path, struct snap_reader **ret, acd_err *err)
{
    struct snap_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return err_set(err, ACD_ENOMEM, "out of memory");
    r->magic = READER_MAGIC;
    r->path = strdup(path);
    r->copied = calloc(1, sizeof(*r->copied));
    int rc = r->path && r->copied ? snap_copy_take(path, &r->map, r->copied, err)
                                  : err_set(err, ACD_ENOMEM, "out of memory");
    if (rc < 0) {
        snap_reader_free(r);
        return err_context(err, rc, "%s", path);
    }
    *ret = r;
    return 0;
}

int
snap_reader_open_fd(int fd, struct snap_reader **ret, acd_err *err)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return err_set(err, ACD_EIO, "dup: %s", strerror(errno));
    return reader_new(NULL, own, ret, err);
}

void
snap_reader_free(struct snap_reader *r)
{
    if (!r)
        return;
    CHECK_MAGIC(r, READER_MAGIC);
    snap_map_unref(r->map);
    free(r->path);
    free(r->copied);
    free(r);
}

/* The file may have been replaced: follow the path when it leads to another one now. */
static int
reader_follow(struct snap_reader *r, acd_err *err)
{
    struct stat st;
    if (!r->path)
        return err_set(err, ACD_EUNAVAIL, "the image was replaced by its writer");
    if (stat(r->path, &st) < 0)
        return err_set(err, errno == ENOENT ? ACD_ENOENT : ACD_EIO, "%s: %s", r->path, strerror(errno));
    if (st.st_dev == r->map->dev && st.st_ino == r->map->ino)
        return 0; /* the writer did not get that far */
    struct snap_map *m;
    int fd, rc = path_open(r->path, &fd, err);
    if (rc == 0)
        rc = snap_map_open(fd, &m, err);
    if (rc < 0)
        return rc;
    snap_map_unref(r->map);
    r->map = m;
    r->seq = 0;
    return 0;
}

static uint64_t
seq_now(const struct snap_map *m)
{
    uint64_t seq = 0;
    for (unsigned i = 0; i < 2; i++) {
        const struct snap_slot *s = (const struct snap_slot *)(m->base + SNAP_PAGE * (1 + i));
        uint64_t n = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);
        seq = n > seq ? n : seq;
    }
    return seq;
}

int
snap_reader_look(struct snap_reader *r, bool *ret_lost, acd_err *err)
{
    uint64_t size;
    CHECK_MAGIC(r, READER_MAGIC);
    *ret_lost = false;
    if (r->copied)
        return 0;
    int rc = file_size(r->map->fd, &size, err);
    if (rc < 0)
        return rc;
    *ret_lost = size < SNAP_FIRST_FREE || size < r->used;
    if (*ret_lost)
        return err_set(err, ACD_ECORRUPT, "the image was truncated to %llu bytes while it was in use",
                       (unsigned long long)size);
    const struct snap_header *h = (const struct snap_header *)r->map->base;
    *ret_lost = r->seq != 0 && (h->file_id != r->file_id || seq_now(r->map) < r->seq);
    if (*ret_lost)
        return err_set(err, ACD_ECORRUPT, "the image was overwritten in place while it was in use");
    return r->path ? reader_follow(r, err) : 0;
}

/* A view of a root of this reader's map, given once. */
static int
view_give(struct snap_reader *r, const struct snap_slot *slot, struct snap_view **ret, acd_err *err)
{
    struct snap_view *v = snap_view_new(r->map, slot);
    if (!v)
        return err_set(err, ACD_ENOMEM, "out of memory");
    r->seq = slot->seq;
    r->used = slot->used;
    r->file_id = ((const struct snap_header *)r->map->base)->file_id;
    *ret = v;
    return 0;
}

static int
copy_refresh(struct snap_reader *r, struct snap_view **ret, acd_err *err)
{
    int rc = snap_copy_take(r->path, &r->map, r->copied, err);
    if (rc < 0)
        return err_context(err, rc, "%s", r->path);
    return rc == 1 || r->seq == 0 ? view_give(r, r->copied, ret, err) : 0;
}

int
snap_reader_refresh(struct snap_reader *r, struct snap_view **ret, acd_err *err)
{
    struct snap_slot slot;
    uint64_t size = 0;
    CHECK_MAGIC(r, READER_MAGIC);
    *ret = NULL;
    if (r->copied)
        return copy_refresh(r, ret, err);
    int rc = 0;
    if (__atomic_load_n(&((const struct snap_header *)r->map->base)->moved, __ATOMIC_ACQUIRE) != 0)
        rc = reader_follow(r, err);
    if (rc < 0 || (r->seq != 0 && seq_now(r->map) == r->seq))
        return rc;
    rc = file_size(r->map->fd, &size, err);
    if (rc == 0)
        rc = snap_slot_read(r->map, size, 0, &slot, err);
    if (rc < 0 || slot.seq == r->seq)
        return rc;
    if (slot.used > r->map->cap) {
        struct snap_map *m;
        int fd = fcntl(r->map->fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return err_set(err, ACD_EIO, "dup: %s", strerror(errno));
        rc = snap_map_open(fd, &m, err);
        if (rc < 0)
            return rc;
        snap_map_unref(r->map);
        r->map = m;
    }
    return view_give(r, &slot, ret, err);
}
