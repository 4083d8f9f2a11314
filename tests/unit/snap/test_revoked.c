/* Sets of revoked serial numbers against a plain list of them, alone and in an image. */
#include "snap/revoked.h"

#include "base/rand.h"
#include "fix.h"
#include "lib/seed.h"

/* --- a set in memory ------------------------------------------------------------------------------------ */

struct parts {
    struct snap_revoked_shape shape;
    acd_slice *list;
    size_t n;
};

static int
keep_part(void *ctx, uint32_t part, acd_slice bytes)
{
    struct parts *p = ctx;
    ck_assert_uint_eq(part, p->n);
    p->list = realloc(p->list, (p->n + 1) * sizeof(*p->list));
    char *copy = malloc(bytes.len);
    memcpy(copy, bytes.ptr, bytes.len);
    p->list[p->n++] = slice_of(copy, bytes.len);
    return 0;
}

static void
parts_free(struct parts *p)
{
    for (size_t i = 0; i < p->n; i++)
        free((void *)p->list[i].ptr);
    free(p->list);
    *p = (struct parts){0};
}

static int
find(const struct parts *p, acd_slice serial, struct snap_revoked_entry *ret)
{
    return snap_revoked_part_find(&p->shape, p->list[snap_revoked_part_of(&p->shape, serial)], serial, ret);
}

/* The i-th number of a kind, as a DER INTEGER would have it. */
static acd_slice
serial_of(unsigned kind, uint64_t i, uint8_t room[SNAP_REVOKED_SERIAL])
{
    size_t len = 8;
    for (unsigned k = 0; k < 8; k++)
        room[k] = (uint8_t)(i >> (8 * (7 - k)));
    if (kind == 1) { /* random, of 20 octets */
        struct prng r = {i};
        for (len = 0; len < 20; len++)
            room[len] = (uint8_t)prng_next(&r);
        room[0] = (room[0] & 0x7f) | 0x40;
    }
    size_t skip = 0;
    while (kind == 0 && skip < 7 && room[skip] == 0 && !(room[skip + 1] & 0x80))
        skip++;
    return slice_of(room + skip, len - skip);
}

static void
build(struct snap_revoked_set *set, struct parts *p)
{
    struct snap_revoked_shape old = p->shape;
    parts_free(p);
    OK(snap_revoked_build(set, &old, &p->shape, keep_part, p, &fix_err));
    ck_assert_uint_eq(p->n, (size_t)1 << p->shape.bits);
    snap_revoked_free(set);
}

static void
fill(struct parts *p, unsigned kind, size_t n)
{
    uint8_t room[SNAP_REVOKED_SERIAL];
    struct snap_revoked_set *set;
    OK(snap_revoked_new(&set, &fix_err));
    for (size_t i = 0; i < n; i++) {
        const struct snap_revoked_entry e = {(int64_t)(1000 + i), (uint32_t)(i % 7)};
        OK(snap_revoked_add(set, serial_of(kind, 2 * i, room), &e, false, &fix_err));
    }
    build(set, p);
    ck_assert_uint_eq(p->shape.count, n);
}

static const size_t sizes[] = {0, 1, 2, 255, 1024, 1025, 5000, 70000};

/* Every number that is listed is found with its own date and reason; no number between them is. */
START_TEST(exact_at_every_size)
{
    uint8_t room[SNAP_REVOKED_SERIAL];
    struct snap_revoked_entry e;
    for (unsigned kind = 0; kind < 2; kind++) {
        struct parts p = {0};
        size_t bytes = 0, n = sizes[_i];
        fill(&p, kind, n);
        for (size_t i = 0; i < n; i++) {
            ck_assert_int_eq(find(&p, serial_of(kind, 2 * i, room), &e), 1);
            ck_assert_int_eq(e.at_s, (int64_t)(1000 + i));
            ck_assert_uint_eq(e.reason, i % 7);
            ck_assert_int_eq(find(&p, serial_of(kind, 2 * i + 1, room), &e), 0);
        }
        ck_assert_int_eq(find(&p, serial_of(1 - kind, 7, room), &e), 0);
        for (size_t i = 0; i < p.n; i++)
            bytes += p.list[i].len;
        if (n >= 70000) /* 18 of 20 octets, or 6 of 8, time and reason; and the buckets */
            ck_assert_uint_lt(bytes, n * (kind ? 23 : 11) + 2 * 70000);
        parts_free(&p);
    }
}
END_TEST

/* Numbers are compared by value, not by how they are written. */
START_TEST(numbers_of_all_forms)
{
    static const struct {
        const char *hex;
        const char *same, *other;
    } rows[] = {
        {"00", "0000", "01"},
        {"80", "ff80", "0080"}, /* -128 is not 128 */
        {"ff", "ffffff", "00ff"},
        {"0080", "000080", "80"},
        {"00ffffffffffffffffffffffffffffffffffffffff", "00ffffffffffffffffffffffffffffffffffffffff",
         "7fffffffffffffffffffffffffffffffffffffff"},
        {"0100", "000100", "01"},
    };
    struct snap_revoked_set *set;
    struct parts p = {0};
    struct snap_revoked_entry e = {.at_s = 1};
    uint8_t room[64];
    OK(snap_revoked_new(&set, &fix_err));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert(hex_decode(slice_str(rows[i].hex), room, strlen(rows[i].hex) / 2));
        e.reason = (uint32_t)i;
        OK(snap_revoked_add(set, slice_of(room, strlen(rows[i].hex) / 2), &e, false, &fix_err));
    }
    build(set, &p);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert(hex_decode(slice_str(rows[i].same), room, strlen(rows[i].same) / 2));
        ck_assert_int_eq(find(&p, slice_of(room, strlen(rows[i].same) / 2), &e), 1);
        ck_assert_uint_eq(e.reason, i);
        ck_assert(hex_decode(slice_str(rows[i].other), room, strlen(rows[i].other) / 2));
        int rc = find(&p, slice_of(room, strlen(rows[i].other) / 2), &e);
        ck_assert(rc == 0 || e.reason != i);
    }
    memset(room, 0x7f, sizeof(room));
    ck_assert_int_eq(find(&p, slice_of(room, 40), &e), 0); /* longer than any */
    ck_assert_int_eq(find(&p, slice_of(room, 0), &e), 0);
    parts_free(&p);
}
END_TEST

START_TEST(what_no_set_can_hold)
{
    struct snap_revoked_set *set;
    uint8_t room[32];
    memset(room, 0x11, sizeof(room));
    OK(snap_revoked_new(&set, &fix_err));
    struct snap_revoked_entry e = {.at_s = 5};
    ck_assert_int_eq(snap_revoked_add(set, slice_of(room, 22), &e, false, &fix_err), ACD_EINVAL);
    ck_assert_int_eq(snap_revoked_add(set, slice_of(room, 0), &e, false, &fix_err), ACD_EINVAL);
    e.at_s = -1;
    ck_assert_int_eq(snap_revoked_add(set, slice_of(room, 5), &e, false, &fix_err), ACD_EINVAL);
    e.at_s = (int64_t)UINT32_MAX + 1;
    ck_assert_int_eq(snap_revoked_add(set, slice_of(room, 5), &e, false, &fix_err), ACD_EINVAL);
    e = (struct snap_revoked_entry){.at_s = UINT32_MAX, .reason = 16};
    ck_assert_int_eq(snap_revoked_add(set, slice_of(room, 5), &e, false, &fix_err), ACD_EINVAL);
    ck_assert_uint_eq(snap_revoked_count(set), 0);
    snap_revoked_free(set);
}
END_TEST

static void
load_all(struct snap_revoked_set *set, const struct parts *p)
{
    for (size_t i = 0; i < p->n; i++)
        OK(snap_revoked_load(set, &p->shape, (uint32_t)i, p->list[i], &fix_err));
    ck_assert_uint_eq(snap_revoked_count(set), p->shape.count);
}

/* A few changes of a large set leave nearly all parts as they were, byte by byte. */
START_TEST(change_rewrites_what_it_touches)
{
    enum { N = 70000, CHANGES = 10 };
    uint8_t room[SNAP_REVOKED_SERIAL];
    struct snap_revoked_set *set;
    struct snap_revoked_entry e = {.at_s = 9, .reason = 1};
    struct parts before = {0}, after = {0};
    fill(&before, 1, N);
    OK(snap_revoked_new(&set, &fix_err));
    load_all(set, &before);
    for (uint64_t i = 0; i < CHANGES; i++) {
        e.reason = 1;
        OK(snap_revoked_add(set, serial_of(1, 2 * i + 1, room), &e, true, &fix_err));   /* new */
        OK(snap_revoked_add(set, serial_of(1, 4 * i + 100, room), &e, true, &fix_err)); /* another reason */
        e.reason = SNAP_REVOKED_REMOVED;
        OK(snap_revoked_add(set, serial_of(1, 2 * i + 2000, room), &e, true, &fix_err));
        OK(snap_revoked_add(set, serial_of(1, 2 * i + 2001, room), &e, true, &fix_err)); /* was not there */
    }
    after.shape = before.shape;
    build(set, &after);
    ck_assert_uint_eq(after.shape.count, N);
    ck_assert_uint_eq(after.n, before.n);
    size_t changed = 0;
    for (size_t i = 0; i < after.n; i++)
        changed += !slice_eq(before.list[i], after.list[i]);
    ck_assert_uint_gt(changed, 0);
    ck_assert_uint_le(changed, 3 * CHANGES);
    for (uint64_t i = 0; i < CHANGES; i++) {
        ck_assert_int_eq(find(&after, serial_of(1, 2 * i + 1, room), &e), 1);
        ck_assert_int_eq(find(&after, serial_of(1, 4 * i + 100, room), &e), 1);
        ck_assert_int_eq(e.at_s, 9);
        ck_assert_int_eq(find(&after, serial_of(1, 2 * i + 2000, room), &e), 0);
        ck_assert_int_eq(find(&after, serial_of(1, 2 * i + 2001, room), &e), 0);
    }
    parts_free(&before);
    parts_free(&after);
}
END_TEST

/* Sets grow and shrink through all cuts, and say the same. */
START_TEST(every_cut_is_the_same_set)
{
    uint8_t room[SNAP_REVOKED_SERIAL];
    struct snap_revoked_entry e = {.at_s = 1};
    struct parts p = {0};
    fill(&p, 0, 100);
    static const size_t steps[] = {3000, 90000, 4000, 600, 3};
    size_t n = 100;
    for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
        struct snap_revoked_set *set;
        OK(snap_revoked_new(&set, &fix_err));
        load_all(set, &p);
        for (size_t i = n; i < steps[s]; i++)
            OK(snap_revoked_add(set, serial_of(0, 2 * i, room), &e, false, &fix_err));
        e.reason = SNAP_REVOKED_REMOVED;
        for (size_t i = steps[s]; i < n; i++)
            OK(snap_revoked_add(set, serial_of(0, 2 * i, room), &e, true, &fix_err));
        e.reason = 0;
        n = steps[s];
        build(set, &p);
        ck_assert_uint_eq(p.shape.count, n);
        for (size_t i = 0; i < n + 10; i++)
            ck_assert_int_eq(find(&p, serial_of(0, 2 * i, room), &e), i < n);
    }
    parts_free(&p);
}
END_TEST

/* A copy grows on its own, from any size, and leaves the first as it is. */
START_TEST(a_copy_is_its_own)
{
    uint8_t room[SNAP_REVOKED_SERIAL];
    const struct snap_revoked_entry e = {.at_s = 1};
    for (uint64_t n = 0; n < 3; n++) {
        struct snap_revoked_set *set, *copy;
        struct parts p = {0};
        OK(snap_revoked_new(&set, &fix_err));
        for (uint64_t i = 0; i < n; i++)
            OK(snap_revoked_add(set, serial_of(0, i, room), &e, false, &fix_err));
        OK(snap_revoked_copy(set, &copy, &fix_err));
        for (uint64_t i = n; i < 500; i++)
            OK(snap_revoked_add(copy, serial_of(0, i, room), &e, false, &fix_err));
        build(copy, &p);
        ck_assert_uint_eq(p.shape.count, 500);
        ck_assert_uint_eq(snap_revoked_count(set), n);
        snap_revoked_free(set);
        parts_free(&p);
    }
}
END_TEST

START_TEST(twice_is_refused)
{
    uint8_t room[SNAP_REVOKED_SERIAL];
    const struct snap_revoked_entry e = {.at_s = 1};
    struct snap_revoked_shape shape = {0};
    struct parts p = {0};
    struct snap_revoked_set *set;
    OK(snap_revoked_new(&set, &fix_err));
    for (uint64_t i = 0; i < 50; i++)
        OK(snap_revoked_add(set, serial_of(1, i % 49, room), &e, false, &fix_err));
    ck_assert_int_eq(snap_revoked_build(set, &shape, &p.shape, keep_part, &p, &fix_err), ACD_EEXIST);
    snap_revoked_free(set);
    parts_free(&p);
}
END_TEST

/* Whatever the bytes are, an answer or ACD_ECORRUPT, within bounds (the sanitizers look). */
START_TEST(damaged_parts)
{
    uint8_t room[SNAP_REVOKED_SERIAL];
    struct prng r = {test_seed()};
    struct snap_revoked_entry e;
    struct parts p = {0};
    fill(&p, 1, 300);
    char *bytes = malloc(p.list[0].len);
    for (int k = 0; k < 2000; k++) {
        size_t len = k % 2 ? p.list[0].len : prng_below(&r, p.list[0].len);
        memcpy(bytes, p.list[0].ptr, len);
        for (int i = 0; i < 3 && len; i++)
            bytes[prng_below(&r, k % 3 ? len : len < 520 ? len : 520)] ^= (char)(1u << prng_below(&r, 8));
        struct snap_revoked_set *set;
        OK(snap_revoked_new(&set, &fix_err));
        int rc = snap_revoked_load(set, &p.shape, 0, slice_of(bytes, len), &fix_err);
        ck_assert(rc == 0 || rc == ACD_ECORRUPT || rc == ACD_EINVAL);
        snap_revoked_free(set);
        rc = snap_revoked_part_find(&p.shape, slice_of(bytes, len), serial_of(1, (uint64_t)k, room), &e);
        ck_assert(rc == 0 || rc == 1 || rc == ACD_ECORRUPT);
    }
    free(bytes);
    parts_free(&p);
}
END_TEST

/* --- in an image ---------------------------------------------------------------------------------------- */

static void
put(struct snap_writer *w, const char *id, const struct parts *p, uint64_t epoch)
{
    const struct snap_revoked_state s = {.epoch = epoch,
                                         .from_s = 10,
                                         .until_s = 20,
                                         .policy = 2,
                                         .listed = p != NULL,
                                         .shape = p ? p->shape : (struct snap_revoked_shape){0}};
    for (size_t i = 0; p && p->n > 1 && i < p->n; i++)
        OK(snap_put_revoked_part(w, slice_str(id), 0, (uint32_t)i, p->list[i], &fix_err));
    OK(snap_put_revoked(w, slice_str(id), 0, &s, p ? p->list[0] : SLICE_LIT(""), &fix_err));
}

static uint64_t
epoch_of(const struct snap_view *v, const char *host, uint8_t digest[32])
{
    struct snap_hit hit;
    struct snap_trust t;
    ck_assert_int_eq(snap_lookup(v, host, strlen(host), &hit), 1);
    ck_assert_int_eq(snap_trust_get(v, hit.trust, &t), 0);
    memcpy(digest, t.digest, 32);
    return t.epoch;
}

static int
listed(const struct snap_view *v, const char *id, uint64_t i)
{
    uint8_t room[SNAP_REVOKED_SERIAL];
    struct snap_revoked_entry e;
    return snap_revoked_find(v, slice_str(id), 0, serial_of(1, i, room), &e);
}

static struct snap_writer *
world(void)
{
    struct snap_writer *w = fix_open(NULL);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z");
    fix_ca(w, "A", 0, "a", 0, 0);
    fix_ca(w, "B", 0, "b", 0, 0);
    OK(fix_host(w, "a.test", "z", "A"));
    OK(fix_host(w, "b.test", "z", "B"));
    OK(fix_host(w, "ab.test", "z", "AB"));
    (void)fix_commit(w, 1);
    return w;
}

/* One CA's set says nothing about another, and changes the epoch of those trust sets only that hold the CA;
 * what is trusted stays the same. */
START_TEST(set_of_one_ca_in_an_image)
{
    struct parts small = {0}, large = {0};
    uint8_t d0[3][32], d[32];
    static const char *const hosts[] = {"a.test", "b.test", "ab.test"};
    struct snap_revoked_state s;
    fill(&small, 1, 3);
    fill(&large, 1, 5000);
    struct snap_writer *w = world();
    const struct snap_view *v = snap_writer_view(w);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(epoch_of(v, hosts[i], d0[i]), 0);
    ck_assert_int_eq(listed(v, "A", 2), ACD_ENOENT);
    uint64_t blobs = 0, seen[4];
    for (int round = 0; round < 4; round++) { /* small, large, small again, gone */
        OK(snap_begin(w, &fix_err));
        if (round < 3)
            put(w, "A", round == 1 ? &large : &small, (uint64_t)round + 1);
        else
            OK(snap_del_revoked(w, SLICE_LIT("A"), 0, &fix_err));
        v = fix_commit(w, 2 + (uint64_t)round);
        OK(snap_view_check(v, &fix_err));
        ck_assert_int_eq(listed(v, "A", 4), round < 3 ? 1 : ACD_ENOENT);
        ck_assert_int_eq(listed(v, "A", 400), round == 1 ? 1 : round < 3 ? 0 : ACD_ENOENT);
        ck_assert_int_eq(listed(v, "B", 4), ACD_ENOENT);
        for (int i = 0; i < 3; i++) {
            uint64_t epoch = epoch_of(v, hosts[i], d);
            ck_assert_mem_eq(d, d0[i], 32);
            ck_assert_int_eq(epoch != 0, i != 1 && round < 3);
            if (i == 0)
                seen[round] = epoch;
        }
        struct snap_info info;
        snap_view_info(v, &info);
        if (round == 0)
            blobs = info.blobs;
        ck_assert_uint_eq(info.blobs, round == 1 ? blobs + large.n : round < 3 ? blobs : blobs - 1);
    }
    ck_assert(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2]);
    ck_assert_int_eq(snap_revoked_state(v, SLICE_LIT("A"), 0, &s), ACD_ENOENT);
    snap_writer_free(w);
    parts_free(&small);
    parts_free(&large);
}
END_TEST

/* A head without a list: the epoch tells that a policy is there. */
START_TEST(policy_without_a_list)
{
    struct snap_revoked_state s;
    uint8_t d[32];
    struct snap_writer *w = world();
    OK(snap_begin(w, &fix_err));
    put(w, "A", NULL, 5);
    const struct snap_view *v = fix_commit(w, 2);
    OK(snap_revoked_state(v, SLICE_LIT("A"), 0, &s));
    ck_assert(!s.listed && s.policy == 2 && s.epoch == 5 && s.from_s == 10 && s.until_s == 20);
    ck_assert_int_eq(listed(v, "A", 1), 0);
    ck_assert_uint_ne(epoch_of(v, "a.test", d), 0);
    snap_writer_free(w);
}
END_TEST

/* A build from empty gives hosts the epochs that changes one by one gave them. */
START_TEST(build_and_change_agree)
{
    struct parts p = {0};
    uint8_t d[32];
    fill(&p, 1, 5000);
    struct snap_writer *w = world();
    OK(snap_begin(w, &fix_err));
    put(w, "A", &p, 3);
    put(w, "B", NULL, 4);
    uint64_t changed = epoch_of(fix_commit(w, 2), "ab.test", d);
    OK(snap_begin_rebuild(w, 7, &fix_err));
    fix_zone(w, "z");
    fix_ca(w, "A", 0, "a", 0, 0);
    fix_ca(w, "B", 0, "b", 0, 0);
    put(w, "A", &p, 3);
    put(w, "B", NULL, 4);
    OK(fix_host(w, "ab.test", "z", "AB"));
    ck_assert_uint_eq(epoch_of(fix_commit(w, 2), "ab.test", d), changed);
    snap_writer_free(w);
    parts_free(&p);
}
END_TEST

/* A change of a large set writes few pieces. */
START_TEST(unchanged_parts_are_not_written)
{
    struct parts p = {0};
    struct snap_info before, after;
    fill(&p, 1, 70000);
    struct snap_writer *w = world();
    OK(snap_begin(w, &fix_err));
    put(w, "A", &p, 3);
    snap_view_info(fix_commit(w, 2), &before);
    OK(snap_begin(w, &fix_err));
    put(w, "A", &p, 4);
    snap_view_info(fix_commit(w, 3), &after);
    ck_assert_uint_lt(after.used - before.used, 65536);
    snap_writer_free(w);
    parts_free(&p);
}
END_TEST

Suite *suite_revoked(void);

Suite *
suite_revoked(void)
{
    Suite *s = suite_create("revoked");
    TCase *sizes_case = tcase_create("sizes");
    tcase_set_timeout(sizes_case, 60);
    tcase_add_loop_test(sizes_case, exact_at_every_size, 0, sizeof(sizes) / sizeof(sizes[0]));
    suite_add_tcase(s, sizes_case);
    ADD_TESTS(s, "sets", numbers_of_all_forms, what_no_set_can_hold, change_rewrites_what_it_touches,
              every_cut_is_the_same_set, a_copy_is_its_own, twice_is_refused, damaged_parts);
    ADD_TESTS(s, "image", set_of_one_ca_in_an_image, policy_without_a_list, build_and_change_agree,
              unchanged_parts_are_not_written);
    return s;
}
