/* The edge handle: what it answers, and what it follows, refuses and survives. */
#include <fcntl.h>
#include <sys/stat.h>

#include "libanchord/edge_fix.h"

static struct edge_fix f;

static void
setup(void)
{
    edge_fix_open(&f, (acd_edge_opts){0});
}

static void
teardown(void)
{
    edge_fix_done(&f);
    f = (struct edge_fix){0};
}

static const struct {
    const char *text, *host, *pattern, *cas;
    int status, match;
} names[] = {
    {"api.example.com", "api.example.com", "api.example.com", "BA", 0, ACD_MATCH_EXACT},
    {"API.Example.COM.", "api.example.com", "api.example.com", "BA", 0, ACD_MATCH_EXACT},
    {"www.example.com", "www.example.com", "*.example.com", "A", 0, ACD_MATCH_WILDCARD},
    {"xn--bcher-kva.example.com", "xn--bcher-kva.example.com", "*.example.com", "A", 0, ACD_MATCH_WILDCARD},
    {"a.b.example.com", "a.b.example.com", "", "", 0, ACD_MATCH_NONE},
    {"example.com", "example.com", "", "", 0, ACD_MATCH_NONE},
    {"xn--bcher-kva.example", "xn--bcher-kva.example", "xn--bcher-kva.example", "B", 0, ACD_MATCH_EXACT},
    {"XN--BCHER-KVA.example", "xn--bcher-kva.example", "xn--bcher-kva.example", "B", 0, ACD_MATCH_EXACT},
    {"b\303\274cher.example", "xn--bcher-kva.example", "xn--bcher-kva.example", "B", 0, ACD_MATCH_EXACT},
    {"empty.example", "empty.example", "empty.example", "", 0, ACD_MATCH_EXACT},
    {"*.example.com", "", "", "", ACD_EINVAL, ACD_MATCH_NONE},
    {"", "", "", "", ACD_EINVAL, ACD_MATCH_NONE},
    {".", "", "", "", ACD_EINVAL, ACD_MATCH_NONE},
    {"api.example.com:443", "", "", "", ACD_EINVAL, ACD_MATCH_NONE},
    {"xn--a.example.com", "", "", "", ACD_EINVAL, ACD_MATCH_NONE},
    {"192.0.2.1", "", "", "", ACD_EINVAL, ACD_MATCH_NONE},
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static void
answer_check(const acd_edge_answer *a, size_t i)
{
    acd_edge_ca ca;
    ck_assert_int_eq(a->status, names[i].status);
    ck_assert_str_eq(a->host, names[i].host);
    ck_assert_str_eq(a->pattern, names[i].pattern);
    ck_assert_int_eq(a->match, names[i].match);
    ck_assert_uint_eq(a->cas, strlen(names[i].cas));
    ck_assert_uint_eq(a->revision, a->status < 0 ? 0 : 1);
    ck_assert(slice_eqs(a->zone_id, a->match ? "z1" : ""));
    ck_assert_uint_eq(a->digest.len, a->match ? 32 : 0);
    for (size_t k = 0; k < a->cas; k++) {
        const char id = names[i].cas[k], *der = id == 'A' ? "der-a" : "der-b";
        uint8_t sha[32];
        digest_sha256(der, 5, sha);
        OK(acd_edge_get_ca(f.reader, a, k, &ca));
        ck_assert(slice_eq(ca.id, slice_of(&id, 1)) && slice_eqs(ca.der, der) &&
                  slice_eqs(ca.subject, "CN=test"));
        ck_assert(slice_eq(ca.sha256, slice_of(sha, 32)) && ca.not_before_ms == 1 && ca.not_after_ms == 2);
        ck_assert_int_eq(ca.profile, id == 'A' ? ACD_PROFILE_STRICT : ACD_PROFILE_COMPAT);
        ck_assert(ca.index == 0 && !ca.helper);
    }
    ck_assert_int_eq(acd_edge_get_ca(f.reader, a, a->cas, &ca), ACD_ENOENT);
}

START_TEST(answers_are_complete)
{
    acd_edge_answer a;
    acd_edge_enter(f.reader);
    for (size_t i = 0; i < NAMES; i++) {
        memset(&a, 0xff, sizeof(a));
        ck_assert_int_eq(acd_edge_lookup(f.reader, slice_str(names[i].text), EDGE_NOW, &a), names[i].status);
        answer_check(&a, i);
        ck_assert_int_eq(a.age_ms, a.status < 0 ? 0 : EDGE_NOW - EDGE_CREATED);
    }
    ck_assert_int_eq(acd_edge_lookup(f.reader, (acd_slice){NULL, 0}, EDGE_NOW, &a), ACD_EINVAL);
    acd_edge_leave(f.reader);
}
END_TEST

/* The CAs of a host by product: those of Access are found by their own question only. */
START_TEST(products_are_kept_apart)
{
    static const struct {
        const char *product, *host, *cas;
        int match, status;
    } rows[] = {
        {NULL, "api.example.com", "BA", ACD_MATCH_EXACT, 0},
        {"", "api.example.com", "BA", ACD_MATCH_EXACT, 0},
        {"access", "API.example.com.", "A", ACD_MATCH_EXACT, 0},
        {"access", "www.example.com", "", ACD_MATCH_NONE, 0}, /* *.example.com is a client's */
        {"access", "a.door.example", "B", ACD_MATCH_WILDCARD, 0},
        {NULL, "a.door.example", "", ACD_MATCH_NONE, 0},
        {"access", "no host", "", ACD_MATCH_NONE, ACD_EINVAL},
        {"gateway", "api.example.com", "", ACD_MATCH_NONE, ACD_ENOTSUP},
    };
    const struct snap_ca_use a = {slice_str("A"), 0}, b = {slice_str("B"), 0};
    acd_verify_question q = {.chain_digest = (const uint8_t[32]){1}, .at_ms = EDGE_NOW, .product = "gateway"};
    acd_edge_answer got;
    acd_edge_verdict v;
    OK(snap_begin(f.w, &fix_err));
    OK(snap_put_name(f.w, SNAP_NAMES_ACCESS, slice_str("api.example.com"), slice_str("z1"), &a, 1, &fix_err));
    OK(snap_put_name(f.w, SNAP_NAMES_ACCESS, slice_str("*.door.example"), slice_str("z1"), &b, 1, &fix_err));
    (void)fix_commit(f.w, 2);
    OK(acd_edge_refresh(f.edge, NULL, &fix_err));
    acd_edge_enter(f.reader);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_int_eq(
            acd_edge_lookup_product(f.reader, rows[i].product, slice_str(rows[i].host), EDGE_NOW, &got),
            rows[i].status);
        ck_assert_int_eq(got.match, rows[i].match);
        ck_assert_uint_eq(got.cas, strlen(rows[i].cas));
        for (size_t k = 0; k < got.cas; k++) {
            acd_edge_ca ca;
            OK(acd_edge_get_ca(f.reader, &got, k, &ca));
            ck_assert(slice_eq(ca.id, slice_of(rows[i].cas + k, 1)));
        }
    }
    acd_edge_leave(f.reader);
    q.host = "api.example.com";
    OK(acd_edge_verdict_find(f.reader, &q, &v));
    ck_assert_str_eq(v.error, "ACD_V_ERR_INVALID_PRODUCT");
    q.product = "access";
    q.host = "www.example.com";
    OK(acd_edge_verdict_find(f.reader, &q, &v));
    ck_assert_str_eq(v.error, "ACD_V_ERR_NO_ASSOCIATION");
    q.host = "a.door.example";
    ck_assert_int_eq(acd_edge_verdict_find(f.reader, &q, &v), ACD_ENOENT);
}
END_TEST

START_TEST(a_batch_answers_as_single_questions_do)
{
    acd_slice hosts[3 * NAMES];
    acd_edge_answer answers[3 * NAMES];
    for (size_t i = 0; i < 3 * NAMES; i++)
        hosts[i] = slice_str(names[i % NAMES].text);
    memset(answers, 0xff, sizeof(answers));
    acd_edge_enter(f.reader);
    OK(acd_edge_lookup_batch(f.reader, hosts, 3 * NAMES, EDGE_NOW, answers));
    for (size_t i = 0; i < 3 * NAMES; i++)
        answer_check(&answers[i], i % NAMES);
    acd_edge_leave(f.reader);
}
END_TEST

START_TEST(questions_need_a_section)
{
    acd_edge_answer a, other;
    acd_edge_info info;
    acd_edge_ca ca;
    acd_slice host = SLICE_LIT("api.example.com");
    ck_assert_int_eq(acd_edge_lookup(f.reader, host, EDGE_NOW, &a), ACD_EPRECOND);
    ck_assert_int_eq(a.match, ACD_MATCH_NONE);
    ck_assert_int_eq(acd_edge_lookup_batch(f.reader, &host, 1, EDGE_NOW, &a), ACD_EPRECOND);
    ck_assert_int_eq(a.status, ACD_EPRECOND);
    ck_assert_int_eq(acd_edge_get_info(f.reader, EDGE_NOW, &info), ACD_EPRECOND);
    acd_edge_enter(f.reader);
    OK(acd_edge_lookup(f.reader, host, EDGE_NOW, &a));
    acd_edge_enter(f.reader);
    acd_edge_leave(f.reader);
    OK(acd_edge_lookup(f.reader, host, EDGE_NOW, &other));
    acd_edge_leave(f.reader);
    ck_assert_int_eq(acd_edge_get_ca(f.reader, &a, 0, &ca), ACD_EPRECOND);
    edge_fix_change(&f, 2, "A");
    OK(acd_edge_refresh(f.edge, NULL, &fix_err));
    acd_edge_enter(f.reader);
    ck_assert_int_eq(acd_edge_get_ca(f.reader, &a, 0, &ca), ACD_EPRECOND); /* of an earlier section */
    acd_edge_leave(f.reader);
}
END_TEST

/* Mappings of this process of files that were deleted or replaced. */
static int
mapped_gone(void)
{
    char line[4096];
    int n = 0;
    FILE *in = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof(line), in))
        n += strstr(line, f.path) && strstr(line, "(deleted)");
    fclose(in);
    return n;
}

START_TEST(a_section_keeps_its_revision)
{
    char out[64];
    int changed;
    acd_edge_reader *second;
    acd_edge_answer a;
    OK(acd_edge_reader_new(f.edge, &second, &fix_err));
    OK(acd_edge_refresh(f.edge, &changed, &fix_err));
    ck_assert_int_eq(changed, 0);
    acd_edge_enter(f.reader);
    for (uint64_t i = 2; i < 10; i++) {
        OK(snap_begin_rebuild(f.w, i, &fix_err)); /* a new file each time */
        fix_zone(f.w, "z1");
        fix_ca(f.w, "C", 0, "der-c", 0, 0);
        OK(fix_host(f.w, "api.example.com", "z1", "C"));
        (void)fix_commit(f.w, i);
        OK(acd_edge_refresh(f.edge, &changed, &fix_err));
        ck_assert_int_eq(changed, 1);
        ck_assert_str_eq(edge_fix_ask(f.reader, "api.example.com", out), "BA");
        ck_assert_str_eq(edge_fix_ask(second, "api.example.com", out), "C");
        OK(acd_edge_lookup(f.reader, SLICE_LIT("api.example.com"), EDGE_NOW, &a));
        ck_assert_uint_eq(a.revision, 1);
        ck_assert_int_eq(mapped_gone(), 1); /* the one that is held, whatever came between */
    }
    acd_edge_leave(f.reader);
    OK(acd_edge_refresh(f.edge, &changed, &fix_err));
    ck_assert_int_eq(mapped_gone(), 0);
    ck_assert_str_eq(edge_fix_ask(f.reader, "api.example.com", out), "C");
    acd_edge_reader_free(second);
}
END_TEST

START_TEST(what_is_stale_says_so_or_is_refused)
{
    static const struct {
        int64_t at;
        int stale;
    } rows[] = {{1000, 0}, {1100, 0}, {1101, 1}, {900, 0}, {899, 1}, {INT64_MIN, 1}, {INT64_MAX, 1}};
    for (unsigned refuse = 0; refuse < 2; refuse++) {
        acd_edge *edge;
        acd_edge_reader *r;
        acd_edge_answer a;
        acd_edge_info info;
        acd_edge_opts o = {sizeof(o), refuse ? ACD_EDGE_REFUSE_STALE : 0, 100, 0};
        OK(acd_edge_open(f.path, &o, &edge, &fix_err));
        OK(acd_edge_reader_new(edge, &r, &fix_err));
        acd_edge_enter(r);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            acd_slice host = SLICE_LIT("api.example.com");
            int want = rows[i].stale && refuse ? ACD_EUNAVAIL : 0;
            ck_assert_int_eq(acd_edge_lookup(r, host, rows[i].at, &a), want);
            ck_assert_int_eq(a.stale, want ? 0 : rows[i].stale);
            ck_assert_uint_eq(a.cas, want ? 0 : 2);
            ck_assert_int_eq(acd_edge_lookup_batch(r, &host, 1, rows[i].at, &a), want);
            ck_assert_int_eq(a.status, want);
            OK(acd_edge_get_info(r, rows[i].at, &info));
            ck_assert_int_eq(info.stale, rows[i].stale);
            ck_assert(info.revision == 1 && info.hosts == 4 && info.created_ms == EDGE_CREATED &&
                      info.epoch == 7);
        }
        acd_edge_leave(r);
        acd_edge_close(edge); /* with its reader */
    }
}
END_TEST

/* --- files ------------------------------------------------------------------------------------------------
 */

static void
file_write(const char *path, const void *p, size_t len)
{
    FILE *out = fopen(path, "w");
    ck_assert(out && fwrite(p, 1, len, out) == len && fclose(out) == 0);
}

static char *
file_read(const char *path, size_t *ret_len)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    char *p = malloc((size_t)st.st_size);
    FILE *in = fopen(path, "r");
    ck_assert_uint_eq(fread(p, 1, (size_t)st.st_size, in), (size_t)st.st_size);
    fclose(in);
    *ret_len = (size_t)st.st_size;
    return p;
}

START_TEST(files_that_are_no_images_are_refused)
{
    static const unsigned flags[] = {0, ACD_EDGE_COPY};
    char copy[96];
    size_t len;
    char *image = file_read(f.path, &len);
    acd_edge *edge = NULL;
    snprintf(copy, sizeof(copy), "%s.new", f.path);
    for (size_t k = 0; k < 2; k++) {
        acd_edge_opts o = {sizeof(o), flags[k], 0, 0};
        ck_assert_int_eq(acd_edge_open("/nonexistent/image", &o, &edge, &fix_err), ACD_ENOENT);
        ck_assert_int_eq(acd_edge_open("/tmp", &o, &edge, &fix_err), ACD_ECORRUPT);
        ck_assert_int_eq(acd_edge_open("/dev/null", &o, &edge, &fix_err), ACD_ECORRUPT);
        static const size_t cuts[] = {0, 1, 4096, 12287, 12288, 20480};
        for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
            file_write(copy, image, cuts[i]);
            ck_assert_int_eq(acd_edge_open(copy, &o, &edge, &fix_err), ACD_ECORRUPT);
        }
        char *other = calloc(1, len);
        file_write(copy, other, len);
        ck_assert_int_eq(acd_edge_open(copy, &o, &edge, &fix_err), ACD_ECORRUPT);
        memcpy(other, image, len);
        other[8]++; /* format version */
        file_write(copy, other, len);
        ck_assert_int_eq(acd_edge_open(copy, &o, &edge, &fix_err), ACD_ENOTSUP);
        free(other);
    }
    ck_assert_ptr_null(edge);
    ck_assert_int_eq(acd_edge_open(NULL, NULL, &edge, &fix_err), ACD_EINVAL);
    free(image);
}
END_TEST

START_TEST(damage_gives_errors_and_no_answers)
{
    char copy[96], out[64];
    size_t len, errors = 0;
    char *image = file_read(f.path, &len);
    snprintf(copy, sizeof(copy), "%s.new", f.path);
    for (size_t at = 12288; at < 40960 && at < len; at += 97) {
        acd_edge *edge;
        acd_edge_reader *r;
        image[at] ^= 0x20;
        file_write(copy, image, len);
        image[at] ^= 0x20;
        OK(acd_edge_open(copy, NULL, &edge, &fix_err));
        OK(acd_edge_reader_new(edge, &r, &fix_err));
        const char *got = edge_fix_ask(r, "api.example.com", out);
        ck_assert(!strcmp(got, "BA") || !strcmp(got, "-10"));
        errors += !strcmp(got, "-10");
        acd_edge_close(edge);
    }
    ck_assert_uint_gt(errors, 5);
    free(image);
}
END_TEST

/* Somebody else's rename, or a server that lost its file: nobody marks the old one. */
START_TEST(a_file_that_replaces_this_one_is_followed)
{
    char other[96], out[64];
    int changed;
    snprintf(other, sizeof(other), "%s.new", f.path);
    struct snap_writer *w = fix_open(other);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z2");
    fix_ca(w, "D", 0, "der-d", 0, 0);
    OK(fix_host(w, "api.example.com", "z2", "D"));
    (void)fix_commit(w, 1);
    snap_writer_free(w);
    ck_assert_int_eq(rename(other, f.path), 0);
    strcat(other, ".lock");
    ck_assert_int_eq(unlink(other), 0);
    OK(acd_edge_refresh(f.edge, &changed, &fix_err));
    ck_assert_int_eq(changed, 1);
    ck_assert_str_eq(edge_fix_ask(f.reader, "api.example.com", out), "D");
    ck_assert_int_eq(unlink(f.path), 0);
    ck_assert_int_eq(acd_edge_refresh(f.edge, &changed, &fix_err), ACD_ENOENT);
    ck_assert_str_eq(edge_fix_ask(f.reader, "api.example.com", out), "D");
    file_write(f.path, "not an image", 12);
    ck_assert_int_eq(acd_edge_refresh(f.edge, &changed, &fix_err), ACD_ECORRUPT);
    ck_assert_int_eq(changed, 0);
    ck_assert_str_eq(edge_fix_ask(f.reader, "api.example.com", out), "D");
}
END_TEST

/* The pages that are gone must not be touched, so the handle forgets all of it. */
START_TEST(a_file_truncated_under_the_mapping_is_given_up)
{
    char out[64];
    size_t len;
    int changed;
    char *image = file_read(f.path, &len);
    static const off_t cuts[] = {0, 4096, 16384};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(edge_fix_ask(f.reader, "api.example.com", out), "BA");
        ck_assert_int_eq(truncate(f.path, cuts[i]), 0);
        ck_assert_int_eq(acd_edge_refresh(f.edge, &changed, &fix_err), ACD_ECORRUPT);
        ck_assert_int_eq(changed, 1);
        ck_assert_ptr_nonnull(strstr(fix_err.text, "truncated"));
        ck_assert_str_eq(edge_fix_ask(f.reader, "api.example.com", out), "-14");
        ck_assert_int_eq(acd_edge_refresh(f.edge, &changed, &fix_err), ACD_ECORRUPT);
        file_write(f.path, image, len);
        OK(acd_edge_refresh(f.edge, &changed, &fix_err));
        ck_assert_int_eq(changed, 1);
    }
    ck_assert_str_eq(edge_fix_ask(f.reader, "api.example.com", out), "BA");
    free(image);
}
END_TEST

START_TEST(a_file_overwritten_in_place_is_given_up)
{
    char other[96], out[64];
    size_t len, old_len;
    int changed;
    snprintf(other, sizeof(other), "%s.new", f.path);
    free(file_read(f.path, &old_len));
    struct snap_writer *w = fix_open(other);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z2");
    OK(fix_host(w, "api.example.com", "z2", ""));
    (void)fix_commit(w, 1);
    snap_writer_free(w);
    char *image = file_read(other, &len);
    int fd = open(f.path, O_WRONLY);
    ck_assert(len >= old_len && pwrite(fd, image, len, 0) == (ssize_t)len && close(fd) == 0);
    free(image);
    strcat(other, ".lock");
    ck_assert_int_eq(unlink(other), 0);
    ck_assert_int_eq(acd_edge_refresh(f.edge, &changed, &fix_err), ACD_ECORRUPT);
    ck_assert_ptr_nonnull(strstr(fix_err.text, "overwritten"));
    ck_assert_str_eq(edge_fix_ask(f.reader, "api.example.com", out), "-14");
    OK(acd_edge_refresh(f.edge, &changed, &fix_err));
    ck_assert_str_eq(edge_fix_ask(f.reader, "api.example.com", out), "");
}
END_TEST

START_TEST(a_copy_outlives_whatever_happens_to_the_file)
{
    char out[64];
    int changed;
    acd_edge *edge;
    acd_edge_reader *r;
    acd_edge_info info;
    acd_edge_opts o = {sizeof(o), ACD_EDGE_COPY, 0, 0};
    OK(acd_edge_open(f.path, &o, &edge, &fix_err));
    OK(acd_edge_reader_new(edge, &r, &fix_err));
    OK(acd_edge_refresh(edge, &changed, &fix_err));
    ck_assert_int_eq(changed, 0);
    edge_fix_change(&f, 2, "A");
    OK(acd_edge_refresh(edge, &changed, &fix_err));
    ck_assert_int_eq(changed, 1);
    ck_assert_str_eq(edge_fix_ask(r, "api.example.com", out), "A");
    struct snap_view *v;
    OK(snap_begin(f.w, &fix_err)); /* the same pieces, confirmed later */
    OK(snap_commit(f.w, 2, 5000, &v, &fix_err));
    snap_view_unref(v);
    OK(acd_edge_refresh(edge, &changed, &fix_err));
    acd_edge_enter(r);
    OK(acd_edge_get_info(r, 5001, &info));
    acd_edge_leave(r);
    ck_assert(changed == 1 && info.revision == 2 && info.created_ms == 5000 && info.age_ms == 1);
    ck_assert_int_eq(truncate(f.path, 0), 0);
    ck_assert_int_eq(acd_edge_refresh(edge, &changed, &fix_err), ACD_ECORRUPT);
    ck_assert_str_eq(edge_fix_ask(r, "api.example.com", out), "A");
    ck_assert_str_eq(edge_fix_ask(r, "www.example.com", out), "A");
    acd_edge_close(edge);
}
END_TEST

Suite *suite_edge(void);

Suite *
suite_edge(void)
{
    Suite *s = suite_create("edge");
    TCase *tc = tcase_create("edge");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, answers_are_complete);
    tcase_add_test(tc, products_are_kept_apart);
    tcase_add_test(tc, a_batch_answers_as_single_questions_do);
    tcase_add_test(tc, questions_need_a_section);
    tcase_add_test(tc, a_section_keeps_its_revision);
    tcase_add_test(tc, what_is_stale_says_so_or_is_refused);
    tcase_add_test(tc, files_that_are_no_images_are_refused);
    tcase_add_test(tc, damage_gives_errors_and_no_answers);
    tcase_add_test(tc, a_file_that_replaces_this_one_is_followed);
    tcase_add_test(tc, a_file_truncated_under_the_mapping_is_given_up);
    tcase_add_test(tc, a_file_overwritten_in_place_is_given_up);
    tcase_add_test(tc, a_copy_outlives_whatever_happens_to_the_file);
    suite_add_tcase(s, tc);
    return s;
}
