/*
 * Arbitrary bytes as an image. The first byte says how much is mended before it is opened, so that the fuzzer
 * gets behind the checksums: bit 0 the header, bit 1 the roots, bit 2 every page that looks like a piece.
 * What opens is read in every way, and then written to.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/str.h"
#include "snap/diff.h"
#include "snap/image.h"
#include "snap/open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 18, HOSTS_MAX = 2000 };

static void
pieces_mend(uint8_t *file, size_t size)
{
    for (size_t at = SNAP_FIRST_FREE; at + sizeof(struct snap_piece) <= size; at += SNAP_GRANULE) {
        struct snap_piece *p = (struct snap_piece *)(file + at);
        if (p->kind >= SNAP_K_NODE && p->kind <= SNAP_K_BLOB && p->len <= size - at - sizeof(*p))
            p->sum = snap_piece_sum(p, (uint32_t)(at / SNAP_GRANULE));
    }
}

static void
mend(uint8_t *file, size_t size, unsigned what)
{
    if (size < SNAP_FIRST_FREE)
        return;
    struct snap_header *h = (struct snap_header *)file;
    if (what & 1) {
        h->magic = SNAP_MAGIC;
        h->version = SNAP_VERSION;
        h->order = SNAP_ORDER;
        h->sum = snap_header_sum(h);
    }
    if (what & 4)
        pieces_mend(file, size);
    for (unsigned i = 0; (what & 2) && i < 2; i++) {
        struct snap_slot *s = (struct snap_slot *)(file + SNAP_PAGE * (1 + i));
        s->sum = snap_slot_sum(s);
    }
}

static int
count(void *ctx, const struct snap_change *c)
{
    (void)c;
    return --*(int *)ctx == 0;
}

static void
view_read(const struct snap_view *v)
{
    struct snap_cursor at = {0};
    struct snap_host h;
    struct snap_hit hit;
    struct snap_trust t;
    struct snap_zone z;
    struct snap_ca ca;
    acd_slice value;
    uint32_t flags;
    int left = HOSTS_MAX;
    (void)snap_lookup(v, "h1.example.com", 14, &hit);
    for (int n = 0; n < HOSTS_MAX && snap_host_next(v, &at, &h) == 1; n++) {
        (void)snap_lookup(v, h.name.ptr, h.name.len, &hit);
        (void)snap_zone_get(v, h.zone, &z);
        if (snap_trust_get(v, h.trust, &t) == 0)
            for (uint32_t i = 0; i < t.n && i < 64; i++)
                (void)snap_trust_ca(v, &t, i, &ca, &flags);
    }
    (void)snap_blob_find(v, 1, SLICE_LIT("key"), &value);
    (void)snap_diff(v, v, count, &left);
}

/* The same bytes by way of a copy, which must open to the same revision or not at all. */
static void
copy_read(int fd)
{
    char path[32];
    struct snap_reader *direct, *copy;
    struct snap_view *v = NULL, *same = NULL;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (snap_reader_open_copy(path, &copy, NULL) < 0)
        return;
    must(snap_reader_refresh(copy, &v, NULL) == 0 && v);
    must(snap_reader_open_fd(fd, &direct, NULL) == 0 && snap_reader_refresh(direct, &same, NULL) == 0 &&
         same);
    must(snap_view_revision(v) == snap_view_revision(same));
    view_read(v);
    snap_view_unref(v);
    snap_view_unref(same);
    snap_reader_free(copy);
    snap_reader_free(direct);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX)
        return 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    uint8_t *file = fd >= 0 && ftruncate(fd, (off_t)(size - 1)) == 0
                        ? mmap(NULL, size - 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                        : MAP_FAILED;
    if (file == MAP_FAILED)
        abort();
    memcpy(file, data + 1, size - 1);
    mend(file, size - 1, data[0]);
    (void)munmap(file, size - 1);
    struct snap_reader *r;
    struct snap_view *v = NULL;
    if (snap_reader_open_fd(fd, &r, NULL) == 0) {
        if (snap_reader_refresh(r, &v, NULL) == 0 && v) {
            view_read(v);
            (void)!snap_view_check(v, NULL);
        }
        snap_view_unref(v);
        snap_reader_free(r);
    }
    copy_read(fd);
    (void)close(fd);
    return 0;
}
