/* What a commit writes, byte for byte, and what a kill between any two of its stores leaves. */
#include <fcntl.h>
#include <sys/stat.h>

#include "fix.h"
#include "snap/image.h"

enum { HOSTS = 8000, PAGE = SNAP_PAGE };

static char path[64];

static char *
file_read(size_t *ret_len)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    ck_assert(fd >= 0 && fstat(fd, &st) == 0);
    char *p = malloc((size_t)st.st_size);
    ck_assert_int_eq(pread(fd, p, (size_t)st.st_size, 0), st.st_size);
    ck_assert_int_eq(close(fd), 0);
    *ret_len = (size_t)st.st_size;
    return p;
}

static struct snap_writer *
image_large(void)
{
    char name[32];
    fix_temp(path);
    struct snap_writer *w = fix_open(path);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    fix_ca(w, "B", 0, "der-b", 0, 0);
    for (int i = 0; i < HOSTS; i++) {
        snprintf(name, sizeof(name), "h%d.x", i);
        OK(fix_host(w, name, "z1", "A"));
    }
    (void)fix_commit(w, 1);
    return w;
}

/* h7.x changes hands; everybody else keeps what they have. */
static void
small_change(struct snap_writer *w)
{
    OK(snap_begin(w, &fix_err));
    OK(fix_host(w, "h7.x", "z1", "B"));
    (void)fix_commit(w, 2);
}

START_TEST(a_commit_writes_the_pieces_it_touches_and_no_others)
{
    struct snap_info info;
    size_t len, len2, changed = 0;
    struct snap_writer *w = image_large();
    snap_view_info(snap_writer_view(w), &info);
    char *before = file_read(&len);
    small_change(w);
    char *after = file_read(&len2);
    ck_assert_uint_ge(len2, len);
    for (size_t at = 0; at < len; at += PAGE)
        changed += memcmp(before + at, after + at, PAGE) != 0;
    /* A bucket, a set, their nodes, use counts, and one root. */
    ck_assert_uint_ge(changed, 3);
    ck_assert_uint_le(changed, 16);
    ck_assert_uint_gt(info.used / PAGE, 5 * 16); /* of many */
    /* What the old root leads to is as it was: only free bytes have changed before its end, and the other
     * root. */
    ck_assert_mem_eq(before, after, PAGE);
    ck_assert(memcmp(before + PAGE, after + PAGE, PAGE) == 0 ||
              memcmp(before + 2 * PAGE, after + 2 * PAGE, PAGE) == 0);
    for (size_t at = SNAP_FIRST_FREE; at < info.used; at++)
        ck_assert(before[at] == after[at] || before[at] == 0);
    snap_writer_free(w);
    free(before);
    free(after);
    fix_temp_done(path);
}
END_TEST

/* Opens the bytes as a file: the revision that is found whole. */
static uint64_t
revision_of(const char *bytes, size_t len)
{
    char out[64], other[80];
    struct snap_reader *r;
    struct snap_view *v;
    snprintf(other, sizeof(other), "%s.new", path);
    int fd = open(other, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert(fd >= 0 && pwrite(fd, bytes, len, 0) == (ssize_t)len && close(fd) == 0);
    OK(snap_reader_open(other, &r, &fix_err));
    OK(snap_reader_refresh(r, &v, &fix_err));
    OK(snap_view_check(v, &fix_err));
    uint64_t revision = snap_view_revision(v);
    ck_assert_str_eq(fix_ask(v, "h7.x", out), revision == 1 ? "A" : "B");
    snap_view_unref(v);
    snap_reader_free(r);
    return revision;
}

/* Pieces come first, in any order and any part of them; then the root, of which any part may be there. */
START_TEST(a_kill_between_any_two_stores_leaves_a_whole_revision)
{
    size_t len, len2, step = fix_slow() ? 1 : 23;
    struct snap_writer *w = image_large();
    char *before = file_read(&len);
    small_change(w);
    char *after = file_read(&len2), *mixed = calloc(1, len2);
    snap_writer_free(w);
    size_t root = memcmp(before + PAGE, after + PAGE, PAGE) != 0 ? PAGE : 2 * PAGE;
    memcpy(mixed, before, len);
    for (size_t at = SNAP_FIRST_FREE; at < len2; at += PAGE) {
        if (memcmp(mixed + at, after + at, PAGE) == 0)
            continue;
        memcpy(mixed + at, after + at, PAGE / 2);
        ck_assert_uint_eq(revision_of(mixed, len2), 1);
        memcpy(mixed + at, after + at, PAGE);
        ck_assert_uint_eq(revision_of(mixed, len2), 1);
    }
    for (size_t k = 0; k < sizeof(struct snap_slot); k += step) {
        memcpy(mixed + root, after + root, k);
        ck_assert_uint_eq(revision_of(mixed, len2), memcmp(mixed + root, after + root, PAGE) == 0 ? 2 : 1);
    }
    memcpy(mixed + root, after + root, PAGE);
    ck_assert_uint_eq(revision_of(mixed, len2), 2);
    free(before);
    free(after);
    free(mixed);
    fix_temp_done(path);
}
END_TEST

/* The newest root says that it was written in an earlier boot, without a sync. */
static void
power_cut(bool damage)
{
    struct snap_info info;
    struct snap_slot slot;
    struct snap_writer *w = image_large();
    snap_view_info(snap_writer_view(w), &info);
    uint64_t old_end = info.used;
    small_change(w);
    snap_view_info(snap_writer_view(w), &info);
    snap_writer_free(w);
    int fd = open(path, O_RDWR);
    off_t at = (off_t)(PAGE * (1 + info.seq % 2));
    ck_assert_int_eq(pread(fd, &slot, sizeof(slot), at), sizeof(slot));
    memset(slot.boot, 0x5a, sizeof(slot.boot));
    slot.sum = snap_slot_sum(&slot);
    ck_assert_int_eq(pwrite(fd, &slot, sizeof(slot), at), sizeof(slot));
    if (damage) { /* what it alone leads to never got to the disk */
        char *zeros = calloc(1, info.used - old_end);
        ck_assert_int_eq(pwrite(fd, zeros, info.used - old_end, (off_t)old_end),
                         (ssize_t)(info.used - old_end));
        free(zeros);
    }
    ck_assert_int_eq(close(fd), 0);
}

START_TEST(after_a_power_cut_only_what_is_whole_is_taken_up)
{
    char out[64];
    for (int damage = 0; damage < 2; damage++) {
        power_cut(damage);
        struct snap_writer *w;
        int rc = snap_writer_open(&(struct snap_writer_opts){.path = path}, &w, &fix_err);
        if (damage && rc < 0) {
            ck_assert_int_eq(rc, ACD_ECORRUPT); /* the one before was not synced either, and may be refused */
        } else {
            OK(rc);
            uint64_t revision = snap_view_revision(snap_writer_view(w));
            ck_assert_uint_eq(revision, damage ? 1 : 2);
            ck_assert_str_eq(fix_ask(snap_writer_view(w), "h7.x", out), damage ? "A" : "B");
            OK(snap_view_check(snap_writer_view(w), &fix_err));
            snap_writer_free(w);
        }
        fix_temp_done(path);
    }
}
END_TEST

Suite *suite_commit(void);

Suite *
suite_commit(void)
{
    Suite *s = suite_create("commit");
    ADD_TESTS(s, "commit", a_commit_writes_the_pieces_it_touches_and_no_others,
              a_kill_between_any_two_stores_leaves_a_whole_revision,
              after_a_power_cut_only_what_is_whole_is_taken_up);
    return s;
}
