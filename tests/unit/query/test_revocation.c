/* What a validator is told, for each policy and state of a CA's list. */
#include "query/revocation.h"

#include <string.h>

#include "base/str.h"
#include "lib/main.h"

enum { FROM = 1000, UNTIL = 2000, REVOKED_AT = 1500 };

static struct snap_writer *w;
static const struct snap_view *view;

static int
keep(void *ctx, uint32_t part, acd_slice bytes)
{
    static char room[4096];
    ck_assert(part == 0 && bytes.len <= sizeof(room));
    memcpy(room, bytes.ptr, bytes.len);
    *(acd_slice *)ctx = slice_of(room, bytes.len);
    return 0;
}

/* CA "a" of one host, with a list that names serial 5; or without one. */
static void
world(uint32_t policy, bool listed)
{
    uint8_t sha[32] = {1};
    const struct snap_ca ca = {
        .id = SLICE_LIT("a"), .sha256 = sha, .subject = SLICE_LIT("CN=a"), .der = SLICE_LIT("der")};
    const struct snap_ca_use use = {.id = SLICE_LIT("a")};
    const struct snap_revoked_entry e = {REVOKED_AT, 1};
    struct snap_revoked_state s = {
        .epoch = 1, .from_s = FROM, .until_s = UNTIL, .policy = policy, .listed = listed};
    struct snap_revoked_set *set;
    struct snap_view *made;
    acd_slice part = {"", 0};
    ck_assert_int_eq(snap_revoked_new(&set, NULL), 0);
    ck_assert_int_eq(snap_revoked_add(set, SLICE_LIT("\5"), &e, false, NULL), 0);
    ck_assert_int_eq(snap_revoked_build(set, &s.shape, &s.shape, keep, &part, NULL), 0);
    snap_revoked_free(set);
    ck_assert_int_eq(snap_writer_open(&(struct snap_writer_opts){0}, &w, NULL), 0);
    ck_assert_int_eq(snap_begin(w, NULL), 0);
    ck_assert_int_eq(snap_put_zone(w, SLICE_LIT("z"), SLICE_LIT("acc"), SLICE_LIT("test"), NULL), 0);
    ck_assert_int_eq(snap_put_ca(w, &ca, NULL), 0);
    ck_assert_int_eq(snap_put_revoked(w, SLICE_LIT("a"), 0, &s, part, NULL), 0);
    ck_assert_int_eq(snap_put_host(w, SLICE_LIT("a.test"), SLICE_LIT("z"), &use, 1, NULL), 0);
    ck_assert_int_eq(snap_commit(w, 1, 0, &made, NULL), 0);
    snap_view_unref(made);
    view = snap_writer_view(w);
}

static acd_revocation
tell(const char *serial, int64_t at_ms, char text[184])
{
    struct snap_hit hit;
    struct snap_trust trust;
    acd_revocation a = {.struct_size = sizeof(a), .from_ms = INT64_MIN, .until_ms = INT64_MAX};
    ck_assert_int_eq(snap_lookup(view, "a.test", 6, &hit), 1);
    ck_assert_int_eq(snap_trust_get(view, hit.trust, &trust), 0);
    ck_assert_uint_ne(trust.epoch, 0);
    static const uint32_t places[] = {0};
    struct revocation_ctx ctx = {.view = view, .trust = &trust, .places = places, .n = 1};
    ck_assert_int_eq(revocation_ask(&ctx, 1, slice_str(serial), at_ms, &a), ACD_EINTERNAL);
    ck_assert_int_eq(revocation_ask(&ctx, 0, slice_str(serial), at_ms, &a), 0);
    (void)snprintf(text, 184, "%s", a.text ? a.text : "");
    return a;
}

static const struct {
    uint32_t policy;
    bool listed;
    int64_t at_ms;
    uint32_t state;
    const char *error;
    int64_t from_ms, until_ms;
} rows[] = {
    {REVOCATION_DEFAULT, false, 1500000, ACD_REVOCATION_NONE, NULL, INT64_MIN, INT64_MAX},
    {REVOCATION_REQUIRE, false, 1500000, ACD_REVOCATION_UNKNOWN, "X509_V_ERR_UNABLE_TO_GET_CRL", INT64_MIN,
     INT64_MAX},
    {REVOCATION_WARN, false, 1500000, ACD_REVOCATION_NOTED, NULL, INT64_MIN, INT64_MAX},
    {REVOCATION_IGNORE, false, 1500000, ACD_REVOCATION_NONE, NULL, INT64_MIN, INT64_MAX},
    {REVOCATION_DEFAULT, true, 1000000, ACD_REVOCATION_GOOD, NULL, 1000000, 2000999},
    {REVOCATION_REQUIRE, true, 2000999, ACD_REVOCATION_GOOD, NULL, 1000000, 2000999},
    {REVOCATION_WARN, true, 1500000, ACD_REVOCATION_GOOD, NULL, 1000000, 2000999},
    {REVOCATION_IGNORE, true, 1500000, ACD_REVOCATION_NONE, NULL, INT64_MIN, INT64_MAX},
    {REVOCATION_DEFAULT, true, 2001000, ACD_REVOCATION_UNKNOWN, "X509_V_ERR_CRL_HAS_EXPIRED", 2001000,
     INT64_MAX},
    {REVOCATION_REQUIRE, true, 2001000, ACD_REVOCATION_UNKNOWN, "X509_V_ERR_CRL_HAS_EXPIRED", 2001000,
     INT64_MAX},
    {REVOCATION_WARN, true, 2001000, ACD_REVOCATION_NOTED, NULL, 2001000, INT64_MAX},
    {REVOCATION_IGNORE, true, 2001000, ACD_REVOCATION_NONE, NULL, INT64_MIN, INT64_MAX},
    {REVOCATION_DEFAULT, true, 999999, ACD_REVOCATION_UNKNOWN, "X509_V_ERR_CRL_NOT_YET_VALID", INT64_MIN,
     999999},
    {REVOCATION_WARN, true, 999999, ACD_REVOCATION_NOTED, NULL, INT64_MIN, 999999},
};

START_TEST(of_a_certificate_that_is_not_listed)
{
    char text[184];
    world(rows[_i].policy, rows[_i].listed);
    acd_revocation a = tell("\6", rows[_i].at_ms, text);
    ck_assert_uint_eq(a.state, rows[_i].state);
    ck_assert_pstr_eq(a.error, rows[_i].error);
    ck_assert(a.from_ms == rows[_i].from_ms && a.until_ms == rows[_i].until_ms);
    ck_assert_int_eq(text[0] != '\0', a.state != ACD_REVOCATION_NONE);
    snap_writer_free(w);
}
END_TEST

/* In date or not: listed is revoked, unless the owner wants no list to be looked at. */
START_TEST(of_one_that_is)
{
    char text[184];
    world(rows[_i].policy, true);
    acd_revocation a = tell("\5", rows[_i].at_ms, text);
    if (rows[_i].policy == REVOCATION_IGNORE) {
        ck_assert_uint_eq(a.state, ACD_REVOCATION_NONE);
    } else {
        ck_assert_uint_eq(a.state, ACD_REVOCATION_REVOKED);
        ck_assert(a.revoked_ms == REVOKED_AT * 1000 && a.reason == 1);
        ck_assert_str_eq(
            text, "the certificate was revoked by its issuer on 1970-01-01 00:25:00 UTC (keyCompromise)");
    }
    snap_writer_free(w);
}
END_TEST

Suite *suite_revocation(void);

Suite *
suite_revocation(void)
{
    Suite *s = suite_create("revocation");
    TCase *tc = tcase_create("revocation");
    tcase_add_loop_test(tc, of_a_certificate_that_is_not_listed, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_loop_test(tc, of_one_that_is, 0, sizeof(rows) / sizeof(rows[0]));
    suite_add_tcase(s, tc);
    return s;
}
