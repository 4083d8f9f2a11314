#include "fix.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Every byte of a small image is changed in turn (in the fast form every 17th, and all of the header). A
 * reader then refuses the file, or answers as the revision that it reports did, or says that a piece is
 * damaged; it never answers anything else. */

enum { HOSTS = 30, REVISIONS = 2 };

static const char *
expected(uint64_t revision, int host)
{
    if (host >= HOSTS)
        return NULL;
    return revision == 2 && host % 7 == 0 ? "BA" : host % 2 ? "A" : "B";
}

static void
small_image(const char *path)
{
    char name[32];
    struct snap_writer *w = fix_open(path);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    fix_ca(w, "B", 0, "der-b", 0, 0);
    OK(snap_put_blob(w, 1, SLICE_LIT("key"), SLICE_LIT("value"), &fix_err));
    for (uint64_t r = 1; r <= REVISIONS; r++) {
        for (int i = 0; i < HOSTS; i++) {
            snprintf(name, sizeof(name), "h%d.example.com", i);
            OK(fix_host(w, name, "z1", expected(r, i)));
        }
        (void)fix_commit(w, r);
        if (r < REVISIONS)
            OK(snap_begin(w, &fix_err));
    }
    snap_writer_free(w);
}

static void
trust_sweep(const struct snap_view *v, const struct snap_hit *hit, const char *want)
{
    struct snap_trust t;
    struct snap_ca ca;
    uint32_t flags;
    if (snap_trust_get(v, hit->trust, &t) < 0)
        return;
    ck_assert_uint_eq(t.n, strlen(want));
    for (uint32_t k = 0; k < t.n; k++)
        if (snap_trust_ca(v, &t, k, &ca, &flags) == 0) {
            ck_assert_int_eq(*(const char *)ca.id.ptr, want[k]);
            ck_assert(slice_eqs(ca.der, want[k] == 'A' ? "der-a" : "der-b"));
        }
}

static void
view_sweep(const struct snap_view *v)
{
    char name[HOSTS + 1][32];
    acd_slice hosts[HOSTS + 1];
    struct snap_hit hits[HOSTS + 1];
    int rc[HOSTS + 1];
    acd_slice value;
    uint64_t revision = snap_view_revision(v);
    ck_assert(revision == 1 || revision == 2);
    for (int i = 0; i <= HOSTS; i++) {
        snprintf(name[i], sizeof(name[i]), "h%d.example.com", i);
        hosts[i] = slice_str(name[i]);
    }
    (void)snap_lookup_batch(v, hosts, HOSTS + 1, hits, rc);
    for (int i = 0; i <= HOSTS; i++) {
        struct snap_hit one;
        const char *want = expected(revision, i);
        ck_assert_int_eq(snap_lookup(v, hosts[i].ptr, hosts[i].len, &one), rc[i]);
        ck_assert(rc[i] == ACD_ECORRUPT || rc[i] == (want != NULL));
        if (rc[i] == 1)
            trust_sweep(v, &hits[i], want);
    }
    int got = snap_blob_find(v, 1, SLICE_LIT("key"), &value);
    ck_assert(got == ACD_ECORRUPT || (got == 0 && slice_eqs(value, "value")));
    (void)!snap_view_check(v, NULL);
}

START_TEST(any_byte_changed_is_detected_or_harmless)
{
    char path[64], copy[80];
    struct stat st;
    unsigned refused = 0, opened = 0;
    struct snap_info info;
    fix_temp(path);
    snprintf(copy, sizeof(copy), "%s.new", path);
    small_image(path);
    int fd = open(path, O_RDWR);
    ck_assert(fd >= 0 && fstat(fd, &st) == 0);
    uint8_t *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct snap_writer *w = fix_open(path);
    snap_view_info(snap_writer_view(w), &info);
    snap_writer_free(w);
    for (uint64_t at = 0; at < info.used; at += fix_slow() || at < 512 ? 1 : 17) {
        struct snap_reader *r;
        struct snap_view *v = NULL;
        uint8_t was = bytes[at];
        bytes[at] = (uint8_t)(was ^ (at % 2 ? 0xff : 1u << (at / 2 % 8)));
        if (snap_reader_open(path, &r, &fix_err) == 0) {
            if (snap_reader_refresh(r, &v, &fix_err) == 0) {
                view_sweep(v);
                opened++;
            } else {
                refused++;
            }
            snap_view_unref(v);
            snap_reader_free(r);
        } else {
            refused++;
        }
        bytes[at] = was;
    }
    ck_assert_uint_gt(refused, 200);
    ck_assert_uint_gt(opened, 1000);
    (void)munmap(bytes, (size_t)st.st_size);
    (void)close(fd);
    fix_temp_done(path);
}
END_TEST

START_TEST(check_finds_a_changed_piece)
{
    char path[64];
    struct stat st;
    struct snap_reader *r;
    struct snap_view *v;
    unsigned found = 0;
    fix_temp(path);
    small_image(path);
    int fd = open(path, O_RDWR);
    ck_assert(fd >= 0 && fstat(fd, &st) == 0);
    for (off_t at = 3 * 4096; at < st.st_size; at += 61) {
        uint8_t was, now;
        ck_assert_int_eq(pread(fd, &was, 1, at), 1);
        now = was ^ 0x40;
        ck_assert_int_eq(pwrite(fd, &now, 1, at), 1);
        OK(snap_reader_open(path, &r, &fix_err));
        OK(snap_reader_refresh(r, &v, &fix_err));
        found += snap_view_check(v, NULL) == ACD_ECORRUPT;
        snap_view_unref(v);
        snap_reader_free(r);
        ck_assert_int_eq(pwrite(fd, &was, 1, at), 1);
    }
    ck_assert_uint_gt(found, 200);
    (void)close(fd);
    fix_temp_done(path);
}
END_TEST

Suite *suite_damage(void);

Suite *
suite_damage(void)
{
    Suite *s = suite_create("damage");
    ADD_TESTS(s, "damage", any_byte_changed_is_detected_or_harmless, check_finds_a_changed_piece);
    return s;
}
