#include "fix.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static struct snap_writer *
image_with(const char *path, const char *host)
{
    struct snap_writer *w = fix_open(path);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    fix_ca(w, "B", 0, "der-b", 0, 0);
    OK(fix_host(w, host, "z1", "A"));
    (void)fix_commit(w, 1);
    return w;
}

START_TEST(reader_sees_each_revision_and_keeps_the_old)
{
    char path[64], out[64];
    struct snap_reader *r;
    struct snap_view *v1, *v2, *none;
    fix_temp(path);
    ck_assert_int_eq(snap_reader_open(path, &r, &fix_err), ACD_ENOENT);
    struct snap_writer *w = image_with(path, "a.x");
    OK(snap_reader_open(path, &r, &fix_err));
    OK(snap_reader_refresh(r, &v1, &fix_err));
    ck_assert_str_eq(fix_ask(v1, "a.x", out), "A");
    OK(snap_reader_refresh(r, &none, &fix_err));
    ck_assert_ptr_null(none);
    OK(snap_begin(w, &fix_err));
    OK(fix_host(w, "a.x", "z1", "BA"));
    OK(snap_reader_refresh(r, &none, &fix_err));
    ck_assert_ptr_null(none);
    (void)fix_commit(w, 2);
    OK(snap_reader_refresh(r, &v2, &fix_err));
    ck_assert_uint_eq(snap_view_revision(v2), 2);
    ck_assert_str_eq(fix_ask(v2, "a.x", out), "BA");
    ck_assert_str_eq(fix_ask(v1, "a.x", out), "A");
    snap_reader_free(r);
    OK(snap_view_check(v1, &fix_err));
    OK(snap_view_check(v2, &fix_err));
    snap_view_unref(v1);
    snap_view_unref(v2);
    snap_writer_free(w);
    fix_temp_done(path);
}
END_TEST

START_TEST(reader_follows_a_replaced_file)
{
    char path[64], out[64];
    struct snap_reader *r;
    struct snap_view *v1, *v2;
    fix_temp(path);
    struct snap_writer *w = image_with(path, "a.x");
    OK(snap_reader_open(path, &r, &fix_err));
    OK(snap_reader_refresh(r, &v1, &fix_err));
    OK(snap_begin_rebuild(w, 8, &fix_err));
    fix_zone(w, "z9");
    OK(snap_put_host(w, SLICE_LIT("b.x"), SLICE_LIT("z9"), NULL, 0, &fix_err));
    (void)fix_commit(w, 5);
    OK(snap_reader_refresh(r, &v2, &fix_err));
    struct snap_info info;
    snap_view_info(v2, &info);
    ck_assert(info.revision == 5 && info.epoch == 8 && info.hosts == 1 && info.seq == 1);
    ck_assert_str_eq(fix_ask(v2, "b.x", out), "");
    ck_assert_str_eq(fix_ask(v1, "a.x", out), "A");
    OK(snap_begin(w, &fix_err));
    (void)fix_commit(w, 6);
    snap_view_unref(v2);
    OK(snap_reader_refresh(r, &v2, &fix_err));
    ck_assert_uint_eq(snap_view_revision(v2), 6);
    snap_view_unref(v1);
    snap_view_unref(v2);
    snap_reader_free(r);
    snap_writer_free(w);
    fix_temp_done(path);
}
END_TEST

START_TEST(reader_maps_more_when_the_file_grows)
{
    char name[64];
    struct snap_reader *r;
    struct snap_view *v1, *v2;
    struct snap_hit hit;
    struct snap_writer *w = image_with(NULL, "a.x");
    OK(snap_reader_open_fd(snap_writer_fd(w), &r, &fix_err));
    OK(snap_reader_refresh(r, &v1, &fix_err));
    OK(snap_begin(w, &fix_err));
    char *big = calloc(1, 40 << 20);
    OK(snap_put_blob(w, 1, SLICE_LIT("k"), slice_of(big, 40 << 20), &fix_err));
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "h%d.x", i);
        OK(fix_host(w, name, "z1", "B"));
    }
    (void)fix_commit(w, 2);
    OK(snap_reader_refresh(r, &v2, &fix_err));
    ck_assert_int_eq(snap_lookup(v2, "h999.x", 6, &hit), 1);
    ck_assert_int_eq(snap_lookup(v1, "h999.x", 6, &hit), 0);
    OK(snap_view_check(v2, &fix_err));
    OK(snap_begin_rebuild(w, 1, &fix_err));
    struct snap_view *none;
    OK(snap_reader_refresh(r, &none, &fix_err));
    (void)fix_commit(w, 3);
    ck_assert_int_eq(snap_reader_refresh(r, &none, &fix_err), ACD_EUNAVAIL);
    snap_view_unref(v1);
    snap_view_unref(v2);
    snap_reader_free(r);
    snap_writer_free(w);
    free(big);
}
END_TEST

START_TEST(writer_goes_on_where_it_stopped)
{
    char path[64], out[64];
    struct snap_writer *second;
    fix_temp(path);
    struct snap_writer *w = image_with(path, "a.x");
    struct snap_writer_opts o = {.path = path};
    ck_assert_int_eq(snap_writer_open(&o, &second, &fix_err), ACD_EBUSY);
    snap_writer_free(w);
    w = fix_open(path);
    ck_assert_uint_eq(snap_view_revision(snap_writer_view(w)), 1);
    OK(snap_begin(w, &fix_err));
    OK(fix_host(w, "b.x", "z1", "A"));
    OK(snap_del_host(w, SLICE_LIT("a.x"), &fix_err));
    const struct snap_view *v = fix_commit(w, 2);
    ck_assert_str_eq(fix_ask(v, "b.x", out), "A");
    ck_assert_ptr_null(fix_ask(v, "a.x", out));
    OK(snap_view_check(v, &fix_err));
    snap_writer_free(w);
    o.fresh = true;
    OK(snap_writer_open(&o, &w, &fix_err));
    OK(snap_begin(w, &fix_err));
    v = fix_commit(w, 3);
    ck_assert_ptr_null(fix_ask(v, "b.x", out));
    snap_writer_free(w);
    fix_temp_done(path);
}
END_TEST

/* Copies path with the byte at `at` xored, cut to `size` (0: whole). */
static void
copy_changed(const char *path, const char *to, long at, uint8_t mask, long size)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    FILE *in = fopen(path, "r"), *out = fopen(to, "w");
    long n = size ? size : (long)st.st_size;
    for (long i = 0; i < n; i++) {
        int c = fgetc(in);
        fputc(i == at ? c ^ mask : c, out);
    }
    fclose(in);
    ck_assert_int_eq(fclose(out), 0);
}

static int
open_refused(const char *path)
{
    struct snap_reader *r;
    struct snap_view *v = NULL;
    int rc = snap_reader_open(path, &r, &fix_err);
    if (rc == 0) {
        rc = snap_reader_refresh(r, &v, &fix_err);
        snap_view_unref(v);
        snap_reader_free(r);
    }
    return rc;
}

START_TEST(what_cannot_be_read_is_refused)
{
    char path[64], copy[80];
    fix_temp(path);
    snprintf(copy, sizeof(copy), "%s.new", path);
    snap_writer_free(image_with(path, "a.x"));
    copy_changed(path, copy, -1, 0, 0);
    ck_assert_int_eq(open_refused(copy), 0);
    copy_changed(path, copy, 0, 1, 0);
    ck_assert_int_eq(open_refused(copy), ACD_ECORRUPT);
    copy_changed(path, copy, 8, 2, 0); /* version */
    ck_assert_int_eq(open_refused(copy), ACD_ENOTSUP);
    ck_assert_ptr_nonnull(strstr(fix_err.text, "format 3"));
    copy_changed(path, copy, 12, 5, 0); /* byte order */
    ck_assert_int_eq(open_refused(copy), ACD_ENOTSUP);
    copy_changed(path, copy, 60, 5, 0); /* hash secret */
    ck_assert_int_eq(open_refused(copy), ACD_ECORRUPT);
    copy_changed(path, copy, 8192 + 200, 5, 0); /* the only root */
    ck_assert_int_eq(open_refused(copy), ACD_ECORRUPT);
    static const long cuts[] = {1, 4096, 12287, 12288, 16384};
    for (size_t i = 0; i < 5; i++) {
        copy_changed(path, copy, -1, 0, cuts[i]);
        ck_assert_int_eq(open_refused(copy), ACD_ECORRUPT);
        struct snap_writer *w;
        ck_assert_int_eq(snap_writer_open(&(struct snap_writer_opts){.path = copy}, &w, &fix_err),
                         ACD_ECORRUPT);
        strcat(copy, ".lock");
        (void)unlink(copy);
        copy[strlen(copy) - 5] = '\0';
    }
    ck_assert_int_eq(open_refused("/tmp"), ACD_ECORRUPT);
    fix_temp_done(path);
}
END_TEST

START_TEST(compaction_keeps_answers_and_drops_garbage)
{
    char path[64], name[32], out[64];
    struct snap_info info;
    struct snap_reader *r;
    struct snap_view *first, *last = NULL;
    uint64_t files = 0, file_id = 0;
    fix_temp(path);
    struct snap_writer *w = image_with(path, "a.x");
    OK(snap_reader_open(path, &r, &fix_err));
    OK(snap_reader_refresh(r, &first, &fix_err));
    for (int i = 0; i < 300; i++) {
        OK(snap_begin(w, &fix_err));
        snprintf(name, sizeof(name), "h%d.x", i % 40);
        OK(fix_host(w, name, "z1", i % 3 ? "AB" : "B"));
        const struct snap_view *v = fix_commit(w, 2 + (uint64_t)i);
        if (snap_compact_due(w)) {
            struct snap_view *compact;
            OK(snap_compact(w, &compact, &fix_err));
            v = snap_writer_view(w);
            ck_assert(!snap_compact_due(w));
            ck_assert_ptr_eq(compact, v);
            snap_view_unref(compact);
        }
        snap_view_info(v, &info);
        ck_assert_uint_le(info.used, 2 * info.live + (1 << 16) + 8192);
        files += file_id != info.file_id;
        file_id = info.file_id;
        struct snap_view *now;
        OK(snap_reader_refresh(r, &now, &fix_err));
        ck_assert_ptr_nonnull(now);
        ck_assert_uint_eq(snap_view_revision(now), 2 + (uint64_t)i);
        snap_view_unref(last);
        last = now;
    }
    ck_assert_uint_gt(files, 3);
    ck_assert_str_eq(fix_ask(first, "a.x", out), "A");
    ck_assert_ptr_null(fix_ask(first, "h1.x", out));
    ck_assert_str_eq(fix_ask(last, "h39.x", out), "B"); /* set last at 279 */
    ck_assert_str_eq(fix_ask(last, "h18.x", out), "AB");
    OK(snap_view_check(last, &fix_err));
    snap_view_unref(first);
    snap_view_unref(last);
    snap_reader_free(r);
    snap_writer_free(w);
    fix_temp_done(path);
}
END_TEST

static void *
copy_thread(void *arg)
{
    acd_err err = ACD_ERR_INIT;
    return (void *)(intptr_t)snap_compact_copy(arg, &err);
}

/* The new file holds what was there and what came meanwhile, and nothing else. */
START_TEST(commits_go_on_beside_a_compaction)
{
    char path[64], name[32], out[64];
    struct snap_compaction *c;
    struct snap_info before, after;
    struct snap_view *v;
    pthread_t thread;
    void *rc;
    fix_temp(path);
    struct snap_writer *w = image_with(path, "a.x");
    OK(snap_begin(w, &fix_err));
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "h%d.x", i);
        OK(fix_host(w, name, "z1", "A"));
    }
    (void)fix_commit(w, 2);
    OK(snap_compact_begin(w, &c, &fix_err));
    ck_assert_int_eq(pthread_create(&thread, NULL, copy_thread, c), 0);
    for (uint64_t i = 0; i < 50; i++) {
        OK(snap_begin(w, &fix_err));
        snprintf(name, sizeof(name), "h%d.x", (int)i);
        OK(i % 2 ? snap_del_host(w, slice_str(name), &fix_err) : fix_host(w, name, "z1", "B"));
        (void)fix_commit(w, 3 + i);
    }
    ck_assert_int_eq(pthread_join(thread, &rc), 0);
    ck_assert_int_eq((int)(intptr_t)rc, 0);
    snap_view_info(snap_writer_view(w), &before);
    OK(snap_compact_end(w, c, &v, &fix_err));
    OK(snap_view_check(v, &fix_err));
    snap_view_info(v, &after);
    ck_assert_uint_eq(after.live, before.live);
    ck_assert_uint_eq(after.hosts, before.hosts);
    ck_assert_uint_eq(snap_view_revision(v), 52);
    ck_assert_uint_ne(after.file_id, before.file_id);
    ck_assert_str_eq(fix_ask(v, "h48.x", out), "B");
    ck_assert_ptr_null(fix_ask(v, "h49.x", out));
    ck_assert_str_eq(fix_ask(v, "h50.x", out), "A");
    snap_view_unref(v);
    snap_writer_free(w);
    fix_temp_done(path);
}
END_TEST

START_TEST(a_copy_of_what_is_gone_is_dropped)
{
    char path[64];
    struct snap_compaction *c;
    struct snap_view *v;
    fix_temp(path);
    struct snap_writer *w = image_with(path, "a.x");
    OK(snap_compact_begin(w, &c, &fix_err));
    OK(snap_compact_copy(c, &fix_err));
    OK(snap_begin_rebuild(w, 9, &fix_err));
    (void)fix_commit(w, 2);
    ck_assert_int_eq(snap_compact_end(w, c, &v, &fix_err), ACD_ECONFLICT);
    ck_assert_uint_eq(snap_view_revision(snap_writer_view(w)), 2);
    OK(snap_compact(w, &v, &fix_err));
    snap_view_unref(v);
    snap_writer_free(w);
    fix_temp_done(path);
}
END_TEST

START_TEST(a_truncated_file_is_noticed_and_replaced)
{
    char path[64], out[64];
    struct snap_reader *r;
    struct snap_view *v;
    fix_temp(path);
    struct snap_writer *w = image_with(path, "a.x");
    ck_assert_int_eq(truncate(path, 4096), 0);
    ck_assert_int_eq(snap_begin(w, &fix_err), ACD_EIO);
    ck_assert_int_eq(truncate(path, 0), 0);
    OK(snap_begin_rebuild(w, 9, &fix_err)); /* and the header of the old file is not touched */
    (void)fix_commit(w, 2);
    OK(snap_begin(w, &fix_err));
    (void)fix_commit(w, 3);
    OK(snap_reader_open(path, &r, &fix_err));
    OK(snap_reader_refresh(r, &v, &fix_err));
    ck_assert_uint_eq(snap_view_revision(v), 3);
    ck_assert_ptr_null(fix_ask(v, "a.x", out));
    snap_view_unref(v);
    snap_reader_free(r);
    snap_writer_free(w);
    fix_temp_done(path);
}
END_TEST

Suite *suite_open(void);

Suite *
suite_open(void)
{
    Suite *s = suite_create("open");
    ADD_TESTS(s, "open", reader_sees_each_revision_and_keeps_the_old, reader_follows_a_replaced_file,
              reader_maps_more_when_the_file_grows, writer_goes_on_where_it_stopped,
              what_cannot_be_read_is_refused, compaction_keeps_answers_and_drops_garbage,
              commits_go_on_beside_a_compaction, a_copy_of_what_is_gone_is_dropped,
              a_truncated_file_is_noticed_and_replaced);
    return s;
}
