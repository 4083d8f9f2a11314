#include "fix.h"

START_TEST(exact_before_wildcard_and_one_label_only)
{
    char out[64];
    struct snap_hit hit;
    struct snap_writer *w = fix_open(NULL);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    fix_ca(w, "B", 0, "der-b", 0, 0);
    OK(fix_host(w, "*.example.com", "z1", "A"));
    OK(fix_host(w, "api.example.com", "z1", "BA"));
    const struct snap_view *v = fix_commit(w, 1);
    ck_assert_str_eq(fix_ask(v, "api.example.com", out), "BA");
    ck_assert_str_eq(fix_ask(v, "other.example.com", out), "A");
    ck_assert_ptr_null(fix_ask(v, "example.com", out));
    ck_assert_ptr_null(fix_ask(v, "a.b.example.com", out));
    ck_assert_ptr_null(fix_ask(v, "*.example.com", out)); /* a pattern is not a host */
    ck_assert_ptr_null(fix_ask(v, ".example.com", out));
    ck_assert_ptr_null(fix_ask(v, "", out));
    ck_assert_int_eq(snap_lookup(v, "x.example.com", 13, &hit), 1);
    ck_assert_uint_eq(hit.match, SNAP_WILDCARD);
    ck_assert_int_eq(snap_host_find(v, "*.example.com", 13, &hit), 1);
    OK(snap_view_check(v, &fix_err));
    snap_writer_free(w);
}
END_TEST

START_TEST(hosts_with_one_list_share_one_set)
{
    struct snap_info info;
    struct snap_hit a, b, c;
    struct snap_writer *w = fix_open(NULL);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    fix_ca(w, "B", 0, "der-b", 0, 0);
    OK(fix_host(w, "a.x", "z1", "AB"));
    OK(fix_host(w, "b.x", "z1", "AB"));
    OK(fix_host(w, "c.x", "z1", "BA"));
    const struct snap_view *v = fix_commit(w, 1);
    snap_view_info(v, &info);
    ck_assert_uint_eq(info.trusts, 2);
    ck_assert_uint_eq(info.hosts, 3);
    ck_assert_uint_eq(info.epoch, 7);
    snap_lookup(v, "a.x", 3, &a), snap_lookup(v, "b.x", 3, &b), snap_lookup(v, "c.x", 3, &c);
    ck_assert_uint_eq(a.trust, b.trust);
    ck_assert_uint_ne(a.trust, c.trust);
    OK(snap_begin(w, &fix_err));
    OK(fix_host(w, "c.x", "z1", "AB"));
    v = fix_commit(w, 2);
    snap_view_info(v, &info);
    ck_assert_uint_eq(info.trusts, 1); /* the set went with its last host */
    OK(snap_view_check(v, &fix_err));
    snap_writer_free(w);
}
END_TEST

START_TEST(digest_covers_profile_flags_and_order)
{
    uint8_t before[32];
    struct snap_hit hit;
    struct snap_trust t;
    struct snap_writer *w = fix_open(NULL);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", ACD_PROFILE_STRICT, 0);
    OK(fix_host(w, "a.x", "z1", "A"));
    const struct snap_view *v = fix_commit(w, 1);
    snap_lookup(v, "a.x", 3, &hit);
    OK(snap_trust_get(v, hit.trust, &t));
    memcpy(before, t.digest, 32);
    for (unsigned i = 0; i < 2; i++) {
        OK(snap_begin(w, &fix_err));
        fix_ca(w, "A", 0, "der-a", i == 0 ? ACD_PROFILE_COMPAT : ACD_PROFILE_STRICT,
               i == 0 ? 0 : SNAP_CA_HELPER);
        v = fix_commit(w, 2 + i);
        snap_lookup(v, "a.x", 3, &hit);
        OK(snap_trust_get(v, hit.trust, &t));
        ck_assert_int_ne(memcmp(before, t.digest, 32), 0);
        OK(snap_view_check(v, &fix_err));
    }
    OK(snap_begin(w, &fix_err));
    fix_ca(w, "A", 0, "der-a", ACD_PROFILE_STRICT, 0);
    v = fix_commit(w, 4);
    snap_lookup(v, "a.x", 3, &hit);
    OK(snap_trust_get(v, hit.trust, &t));
    ck_assert_int_eq(memcmp(before, t.digest, 32), 0);
    snap_writer_free(w);
}
END_TEST

/* One name may stand for a host, for a host of Access and for a zone's store: each finds its own only. */
START_TEST(names_of_different_kinds_never_meet)
{
    static const char host[] = "a.x", wild[] = "*.x";
    char longest[SNAP_NAME_MAX + 2];
    struct snap_hit hit, access;
    struct snap_info info;
    const struct snap_ca_use one = {slice_str("A"), 0};
    struct snap_writer *w = fix_open(NULL);
    memset(longest, 'l', sizeof(longest));
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    fix_ca(w, "B", 0, "der-b", 0, 0);
    OK(fix_host(w, wild, "z1", "B"));
    OK(snap_put_name(w, SNAP_NAMES_ACCESS, slice_str(host), slice_str("z1"), &one, 1, &fix_err));
    OK(snap_put_name(w, SNAP_NAMES_ACCESS, slice_str("*.y"), slice_str("z1"), &one, 1, &fix_err));
    OK(snap_put_name(w, SNAP_NAMES_ACCESS, slice_of(longest, SNAP_NAME_MAX), slice_str("z1"), &one, 1,
                     &fix_err));
    ck_assert_int_eq(snap_put_name(w, SNAP_NAMES_ACCESS, slice_of(longest, SNAP_NAME_MAX + 1),
                                   slice_str("z1"), &one, 1, &fix_err),
                     ACD_EINVAL);
    OK(snap_put_name(w, SNAP_NAMES_ORIGIN, slice_str("z1"), slice_str("z1"), &one, 1, &fix_err));
    const struct snap_view *v = fix_commit(w, 1);
    OK(snap_view_check(v, &fix_err));
    snap_view_info(v, &info);
    ck_assert_uint_eq(info.hosts, 5);
    ck_assert_int_eq(snap_lookup(v, host, 3, &hit), 1);
    ck_assert_uint_eq(hit.match, SNAP_WILDCARD);
    ck_assert_int_eq(snap_names_lookup(v, SNAP_NAMES_ACCESS, host, 3, &access), 1);
    ck_assert_uint_eq(access.match, SNAP_EXACT);
    ck_assert_uint_ne(hit.trust, access.trust);
    ck_assert_int_eq(snap_names_lookup(v, SNAP_NAMES_ACCESS, "b.y", 3, &access), 1);
    ck_assert_uint_eq(access.match, SNAP_WILDCARD);
    ck_assert_int_eq(snap_names_lookup(v, SNAP_NAMES_ACCESS, "b.x", 3, &access), 0); /* *.x is a client's */
    ck_assert_int_eq(snap_lookup(v, "b.y", 3, &hit), 0);                             /* *.y is of Access */
    ck_assert_int_eq(snap_names_lookup(v, SNAP_NAMES_ACCESS, "c.b.y", 5, &access), 0);
    ck_assert_int_eq(snap_names_lookup(v, SNAP_NAMES_ACCESS, longest, SNAP_NAME_MAX, &access), 1);
    ck_assert_int_eq(snap_names_find(v, SNAP_NAMES_ORIGIN, "z1", 2, &hit), 1);
    ck_assert_int_eq(snap_names_find(v, SNAP_NAMES_ACCESS, "z1", 2, &hit), 0);
    ck_assert_int_eq(snap_lookup(v, "z1", 2, &hit), 0);
    OK(snap_begin(w, &fix_err));
    OK(snap_del_name(w, SNAP_NAMES_ACCESS, slice_str(host), &fix_err));
    ck_assert_int_eq(snap_del_name(w, SNAP_NAMES_ORIGIN, slice_str(host), &fix_err), ACD_ENOENT);
    v = fix_commit(w, 2);
    ck_assert_int_eq(snap_names_lookup(v, SNAP_NAMES_ACCESS, host, 3, &access), 0);
    ck_assert_int_eq(snap_lookup(v, host, 3, &hit), 1);
    OK(snap_view_check(v, &fix_err));
    snap_writer_free(w);
}
END_TEST

START_TEST(object_with_several_certificates)
{
    char out[64];
    struct snap_ca ca;
    uint32_t n;
    struct snap_writer *w = fix_open(NULL);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a0", 0, 0);
    fix_ca(w, "A", 1, "der-a1", 0, 0);
    fix_ca(w, "B", 0, "der-a0", 0, 0); /* the same certificate, uploaded twice */
    OK(fix_host(w, "a.x", "z1", "A"));
    OK(fix_host(w, "b.x", "z1", "BA"));
    const struct snap_view *v = fix_commit(w, 1);
    ck_assert_str_eq(fix_ask(v, "b.x", out), "BAA");
    OK(snap_ca_find(v, slice_str("A"), 1, &n));
    OK(snap_ca_get(v, n, &ca));
    ck_assert(slice_eqs(ca.der, "der-a1") && slice_eqs(ca.id, "A") && slice_eqs(ca.subject, "CN=test"));
    ck_assert(ca.index == 1 && ca.not_before_ms == 1 && ca.not_after_ms == 2);
    ck_assert_int_eq(snap_ca_find(v, slice_str("A"), 2, &n), ACD_ENOENT);
    OK(snap_begin(w, &fix_err));
    ck_assert_int_eq(snap_del_ca(w, slice_str("B"), 0, &fix_err), ACD_EPRECOND);
    OK(snap_del_host(w, slice_str("b.x"), &fix_err));
    OK(snap_del_ca(w, slice_str("B"), 0, &fix_err));
    ck_assert_int_eq(snap_del_ca(w, slice_str("B"), 0, &fix_err), ACD_ENOENT);
    v = fix_commit(w, 2);
    ck_assert_str_eq(fix_ask(v, "a.x", out), "AA");
    OK(snap_view_check(v, &fix_err));
    snap_writer_free(w);
}
END_TEST

START_TEST(refusals_change_nothing)
{
    char long_name[300], out[64];
    struct snap_info info;
    memset(long_name, 'a', sizeof(long_name));
    struct snap_writer *w = fix_open(NULL);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    OK(fix_host(w, "a.x", "z1", "A"));
    ck_assert_int_eq(fix_host(w, "b.x", "z2", "A"), ACD_ENOENT);
    ck_assert_int_eq(fix_host(w, "b.x", "z1", "AX"), ACD_ENOENT);
    ck_assert_int_eq(fix_host(w, "", "z1", "A"), ACD_EINVAL);
    ck_assert_int_eq(fix_host(w, "*x", "z1", "A"), ACD_EINVAL);
    ck_assert_int_eq(snap_put_host(w, slice_of(long_name, 254), slice_str("z1"), NULL, 0, &fix_err),
                     ACD_EINVAL);
    OK(snap_put_host(w, slice_of(long_name, 253), slice_str("z1"), NULL, 0, &fix_err));
    ck_assert_int_eq(snap_del_zone(w, slice_str("z1"), &fix_err), ACD_EPRECOND);
    ck_assert_int_eq(snap_del_host(w, slice_str("b.x"), &fix_err), ACD_ENOENT);
    ck_assert_int_eq(snap_put_blob(w, 1, slice_of(long_name, SNAP_KEY_MAX + 1), SLICE_LIT(""), &fix_err),
                     ACD_ELIMIT);
    const struct snap_view *v = fix_commit(w, 1);
    ck_assert_str_eq(fix_ask(v, "a.x", out), "A");
    snap_view_info(v, &info);
    ck_assert_uint_eq(info.hosts, 2);
    OK(snap_view_check(v, &fix_err));
    snap_writer_free(w);
}
END_TEST

START_TEST(zones_and_blobs)
{
    struct snap_zone z;
    uint32_t n;
    acd_slice value;
    char *big = malloc(1 << 20);
    memset(big, 'x', 1 << 20);
    struct snap_writer *w = fix_open(NULL);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    OK(snap_put_blob(w, SNAP_BLOB_RULES, SLICE_LIT("z1"), slice_of(big, 1 << 20), &fix_err));
    OK(snap_put_blob(w, SNAP_BLOB_REVOKED, SLICE_LIT("z1"), SLICE_LIT("r"), &fix_err));
    OK(snap_put_blob(w, SNAP_BLOB_META, SLICE_LIT(""), SLICE_LIT(""), &fix_err));
    const struct snap_view *v = fix_commit(w, 1);
    OK(snap_blob_find(v, SNAP_BLOB_RULES, SLICE_LIT("z1"), &value));
    ck_assert(slice_eq(value, slice_of(big, 1 << 20)));
    OK(snap_blob_find(v, SNAP_BLOB_META, SLICE_LIT(""), &value));
    ck_assert_uint_eq(value.len, 0);
    ck_assert_int_eq(snap_blob_find(v, SNAP_BLOB_ORIGIN, SLICE_LIT("z1"), &value), ACD_ENOENT);
    OK(snap_begin(w, &fix_err));
    OK(snap_put_blob(w, SNAP_BLOB_REVOKED, SLICE_LIT("z1"), SLICE_LIT("new"), &fix_err));
    OK(snap_del_blob(w, SNAP_BLOB_RULES, SLICE_LIT("z1"), &fix_err));
    OK(snap_put_zone(w, SLICE_LIT("z1"), SLICE_LIT("acc2"), SLICE_LIT("other.test"), &fix_err));
    fix_zone(w, "z2");
    OK(snap_del_zone(w, SLICE_LIT("z2"), &fix_err));
    v = fix_commit(w, 2);
    OK(snap_blob_find(v, SNAP_BLOB_REVOKED, SLICE_LIT("z1"), &value));
    ck_assert(slice_eqs(value, "new"));
    ck_assert_int_eq(snap_blob_find(v, SNAP_BLOB_RULES, SLICE_LIT("z1"), &value), ACD_ENOENT);
    OK(snap_zone_find(v, SLICE_LIT("z1"), &n));
    OK(snap_zone_get(v, n, &z));
    ck_assert(slice_eqs(z.id, "z1") && slice_eqs(z.account, "acc2") && slice_eqs(z.name, "other.test"));
    ck_assert_int_eq(snap_zone_find(v, SLICE_LIT("z2"), &n), ACD_ENOENT);
    OK(snap_view_check(v, &fix_err));
    snap_writer_free(w);
    free(big);
}
END_TEST

START_TEST(abort_leaves_nothing)
{
    char path[64], out[64];
    fix_temp(path);
    struct snap_writer *w = fix_open(path);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    snap_abort(w);
    ck_assert_ptr_null(snap_writer_view(w));
    ck_assert_int_ne(access(path, F_OK), 0);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    OK(fix_host(w, "a.x", "z1", "A"));
    uint64_t used[2];
    struct snap_info info;
    snap_view_info(fix_commit(w, 1), &info);
    used[0] = info.live;
    OK(snap_begin(w, &fix_err));
    OK(fix_host(w, "b.x", "z1", "A"));
    ck_assert_str_eq(fix_ask(snap_pending(w), "b.x", out), "A");
    ck_assert_ptr_null(fix_ask(snap_writer_view(w), "b.x", out));
    snap_abort(w);
    ck_assert_ptr_null(fix_ask(snap_writer_view(w), "b.x", out));
    OK(snap_begin(w, &fix_err));
    snap_view_info(fix_commit(w, 2), &info);
    used[1] = info.live;
    ck_assert_uint_eq(used[0], used[1]);
    OK(snap_view_check(snap_writer_view(w), &fix_err));
    snap_writer_free(w);
    fix_temp_done(path);
}
END_TEST

START_TEST(full_image_is_refused_and_the_old_one_stays)
{
    char name[32], out[64];
    struct snap_writer *w;
    struct snap_writer_opts o = {.max_bytes = 1 << 20};
    OK(snap_writer_open(&o, &w, &fix_err));
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    OK(fix_host(w, "a.x", "z1", "A"));
    (void)fix_commit(w, 1);
    OK(snap_begin(w, &fix_err));
    int rc = 0;
    for (int i = 0; rc == 0 && i < 100000; i++) {
        snprintf(name, sizeof(name), "h%d.example.com", i);
        rc = fix_host(w, name, "z1", "A");
    }
    ck_assert_int_eq(rc, ACD_ELIMIT);
    ck_assert_int_eq(fix_host(w, "b.x", "z1", "A"), ACD_ELIMIT);
    struct snap_view *v;
    ck_assert_int_eq(snap_commit(w, 2, 0, &v, &fix_err), ACD_ELIMIT);
    ck_assert_str_eq(fix_ask(snap_writer_view(w), "a.x", out), "A");
    OK(snap_begin(w, &fix_err));
    OK(fix_host(w, "b.x", "z1", "A"));
    ck_assert_str_eq(fix_ask(fix_commit(w, 2), "b.x", out), "A");
    snap_writer_free(w);
}
END_TEST

/* A set of one CA with these flags at its place. */
static struct snap_trust
placed(struct snap_writer *w, const char *host, uint32_t flags, uint32_t *ret_flags)
{
    const struct snap_ca_use use = {.id = slice_str("A"), .flags = flags};
    struct snap_hit hit;
    struct snap_trust t;
    struct snap_ca ca;
    OK(snap_begin(w, &fix_err));
    OK(snap_put_host(w, slice_str(host), slice_str("z1"), &use, 1, &fix_err));
    const struct snap_view *v = fix_commit(w, 2);
    ck_assert_int_eq(snap_lookup(v, host, strlen(host), &hit), 1);
    OK(snap_trust_get(v, hit.trust, &t));
    OK(snap_trust_ca(v, &t, 0, &ca, ret_flags));
    OK(snap_view_check(v, &fix_err));
    return t;
}

/* The role at a place is the stricter of the place's and the CA's; priority is carried, and leaves the digest
 * as it is. */
START_TEST(roles_and_priorities)
{
    uint8_t digest[32];
    uint32_t flags;
    struct snap_writer *w = fix_open(NULL);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", ACD_PROFILE_STRICT, 0);
    fix_commit(w, 1);
    struct snap_trust t = placed(w, "a.x", 0, &flags);
    ck_assert(snap_role(flags) == SNAP_DECIDES && !t.observes);
    memcpy(digest, t.digest, 32);
    t = placed(w, "b.x", 7u << SNAP_PRIORITY_SHIFT, &flags);
    ck_assert(snap_role(flags) == SNAP_DECIDES && flags >> SNAP_PRIORITY_SHIFT == 7);
    ck_assert_mem_eq(t.digest, digest, 32);
    t = placed(w, "c.x", SNAP_CA_OBSERVED | 9u << SNAP_PRIORITY_SHIFT, &flags);
    ck_assert(snap_role(flags) == SNAP_OBSERVED && flags >> SNAP_PRIORITY_SHIFT == 9 && t.observes);
    ck_assert_mem_ne(t.digest, digest, 32);
    OK(snap_begin(w, &fix_err));
    fix_ca(w, "A", 0, "der-a", ACD_PROFILE_STRICT, SNAP_CA_HELPER);
    fix_commit(w, 3);
    t = placed(w, "a.x", 0, &flags);
    ck_assert(snap_role(flags) == SNAP_HELPS && !t.observes);
    ck_assert_mem_ne(t.digest, digest, 32);
    ck_assert_int_eq(snap_role(2), SNAP_HELPS); /* what nobody writes grants nothing */
    snap_writer_free(w);
}
END_TEST

Suite *suite_writer(void);

Suite *
suite_writer(void)
{
    Suite *s = suite_create("writer");
    ADD_TESTS(s, "writer", exact_before_wildcard_and_one_label_only, hosts_with_one_list_share_one_set,
              names_of_different_kinds_never_meet, digest_covers_profile_flags_and_order,
              roles_and_priorities, object_with_several_certificates, refusals_change_nothing,
              zones_and_blobs, abort_leaves_nothing, full_image_is_refused_and_the_old_one_stays);
    return s;
}
