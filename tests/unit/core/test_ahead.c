/* What lies ahead: what ends soon and how its list is paged, the guard of a host's last valid CA, and what a
 * dry run tells. */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "core/db.h"
#include "lib/main.h"
#include "rig.h"

enum { DAY = 86400000, CERTS = 9 };

static char account[64], zone_id[64];
static unsigned keys;

static const void *
invoke(const char *method, const void *req)
{
    char key[32];
    (void)snprintf(key, sizeof(key), "key %u", keys++);
    return rig_invoke(1, key, method, req);
}

static void
setup(void)
{
    rig_setup();
    rig_force = rig_dry = false;
    keys = 0;
    Anchord__V1__CreateAccountRequest acc = ANCHORD__V1__CREATE_ACCOUNT_REQUEST__INIT;
    acc.name = WIRE_STR("acme");
    const Anchord__V1__Account *a = invoke("AccountService/CreateAccount", &acc);
    ck_assert_ptr_nonnull(a);
    (void)snprintf(account, sizeof(account), "%s", a->id);
    Anchord__V1__CreateZoneRequest zone = ANCHORD__V1__CREATE_ZONE_REQUEST__INIT;
    zone.account = WIRE_STR("acme");
    zone.name = WIRE_STR("example.com");
    const Anchord__V1__Zone *z = invoke("ZoneService/CreateZone", &zone);
    ck_assert_ptr_nonnull(z);
    (void)snprintf(zone_id, sizeof(zone_id), "%s", z->id);
}

static char *
cert_id(unsigned n)
{
    static char ids[CERTS][40];
    (void)snprintf(ids[n], sizeof(ids[n]), "00000000-0000-4000-8000-%012u", n);
    return ids[n];
}

/* An object of one certificate that is good until so many days from now. */
static void
put_cert(unsigned n, bool ca, bool helper, int days)
{
    uint8_t digest[32] = {(uint8_t)n};
    acd_value cert[CERT_COLS] = {0}, item[ITEM_COLS] = {0};
    for (size_t i = 0; i < CERT_COLS; i++)
        cert[i] = VAL_TEXT("");
    for (size_t i = 0; i < ITEM_COLS; i++)
        item[i] = VAL_TEXT("");
    cert[CERT_ID] = item[ITEM_CERT] = VAL_TEXT(cert_id(n));
    cert[CERT_ACCOUNT] = VAL_TEXT(account);
    cert[CERT_SPACE] = VAL_TEXT("mtls");
    cert[CERT_DIGEST] = VAL_BLOB(digest, sizeof(digest));
    cert[CERT_CA].num = ca;
    cert[CERT_HELPER].num = helper;
    item[ITEM_NOT_BEFORE].num = rig_wall_ms - DAY;
    item[ITEM_NOT_AFTER].num = rig_wall_ms + (int64_t)days * DAY;
    rig_put(COLL_CERT, cert);
    rig_put(COLL_CERT_ITEM, item);
}

/* --- what ends soon ----------------------------------------------------------------------------------- */

static const Anchord__V1__ListExpiringResponse *
expiring(int days, uint32_t size, const char *after)
{
    Anchord__V1__PageRequest page = ANCHORD__V1__PAGE_REQUEST__INIT;
    Anchord__V1__ListExpiringRequest req = ANCHORD__V1__LIST_EXPIRING_REQUEST__INIT;
    page.size = size;
    page.after = (char *)after;
    req.page = &page;
    req.within_ms = (int64_t)days * DAY;
    return invoke("ExpiryService/ListExpiring", &req);
}

/* The last digits of the ids, page after page. */
static const char *
all_pages(int days, uint32_t size)
{
    static char out[CERTS + 1];
    char after[256] = "";
    size_t n = 0;
    int64_t date = INT64_MIN;
    do {
        const Anchord__V1__ListExpiringResponse *resp = expiring(days, size, after);
        ck_assert_ptr_nonnull(resp);
        ck_assert_uint_le(resp->n_items, size);
        for (size_t i = 0; i < resp->n_items; i++) {
            ck_assert_uint_lt(n, CERTS);
            ck_assert_int_ge(resp->items[i]->not_after_ms, date);
            date = resp->items[i]->not_after_ms;
            ck_assert(resp->items[i]->expired == (date < rig_wall_ms));
            out[n++] = resp->items[i]->id[strlen(resp->items[i]->id) - 1];
        }
        (void)snprintf(after, sizeof(after), "%s", resp->page->next);
    } while (after[0]);
    out[n] = '\0';
    return out;
}

START_TEST(pages_are_one_list)
{
    static const int days[CERTS] = {5, 1, 5, -3, 5, 40, 1, 29, 5};
    for (unsigned n = 0; n < CERTS; n++)
        put_cert(n, true, false, days[n]);
    for (uint32_t size = 1; size <= CERTS + 1; size++) {
        ck_assert_str_eq(all_pages(30, size), "31602487");
        ck_assert_str_eq(all_pages(0, size), "3");
        ck_assert_str_eq(all_pages(100, size), "316024875");
    }
}
END_TEST

static void
put_origin(unsigned n, int days)
{
    uint8_t sha256[32] = {(uint8_t)n};
    acd_value row[ORIGIN_COLS] = {0};
    for (size_t i = 0; i < ORIGIN_COLS; i++)
        row[i] = VAL_TEXT("");
    row[ORIGIN_ID] = VAL_TEXT(cert_id(n));
    row[ORIGIN_ZONE] = VAL_TEXT(zone_id);
    row[ORIGIN_SHA256] = VAL_BLOB(sha256, sizeof(sha256));
    row[ORIGIN_NOT_AFTER].num = rig_wall_ms + (int64_t)days * DAY;
    rig_put(COLL_ORIGIN, row);
}

/* Of one date, kinds come one after the other, each in order of its keys. */
START_TEST(kinds_are_merged)
{
    put_cert(3, true, false, 5);
    put_cert(6, true, false, 5);
    put_cert(7, true, false, 9);
    put_origin(1, 5);
    put_origin(8, 5);
    put_origin(2, 7);
    put_origin(0, 1);
    for (uint32_t size = 1; size < CERTS; size++)
        ck_assert_str_eq(all_pages(30, size), "0361827");
    ck_assert_str_eq(expiring(2, 1, "")->items[0]->kind, "origin-trust");
    ck_assert_str_eq(expiring(2, 1, "")->items[0]->account_id, account);
}
END_TEST

START_TEST(a_page_goes_on_behind_what_is_gone)
{
    for (unsigned n = 0; n < 5; n++)
        put_cert(n, false, false, 5);
    const Anchord__V1__ListExpiringResponse *resp = expiring(30, 2, "");
    char after[256];
    (void)snprintf(after, sizeof(after), "%s", resp->page->next);
    Anchord__V1__DeleteCertificateRequest del = ANCHORD__V1__DELETE_CERTIFICATE_REQUEST__INIT;
    del.id = cert_id(1);
    ck_assert_ptr_nonnull(invoke("CaService/DeleteCertificate", &del));
    resp = expiring(30, 2, after);
    ck_assert_uint_eq(resp->n_items, 2);
    ck_assert_str_eq(resp->items[0]->id, cert_id(2));
    ck_assert_str_eq(resp->items[0]->kind, "leaf");
}
END_TEST

START_TEST(what_is_no_cursor_is_refused)
{
    static const char *const bad[] = {"x",
                                      "1",
                                      "1/",
                                      "1/nothing/a/0",
                                      "1/certificate",
                                      "1/certificate/a",
                                      "1/certificate/a/b",
                                      "1/certificate/a/0/0",
                                      "1/certificate/a/0/0/0/0/0/0/0/0/0",
                                      "99999999999999999999/certificate/a/0"};
    put_cert(0, true, false, 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(!expiring(30, 1, bad[i]), "%s", bad[i]);
        ck_assert_int_eq(rig_call.status, ACD_EINVAL);
    }
    ck_assert_ptr_null(expiring(-1, 1, ""));
    ck_assert_uint_eq(expiring(30, 1, "9223372036854775807/certificate/a/0")->n_items, 0);
}
END_TEST

/* --- the last valid CA -------------------------------------------------------------------------------- */

static const void *
hosts(const char *verb, unsigned ca, Anchord__V1__HostRole role)
{
    char method[64], *names[] = {WIRE_STR("a.example.com")};
    Anchord__V1__ChangeHostsRequest req = ANCHORD__V1__CHANGE_HOSTS_REQUEST__INIT;
    (void)snprintf(method, sizeof(method), "HostService/%sHosts", verb);
    req.zone = WIRE_STR("example.com");
    req.ca_id = cert_id(ca);
    req.hosts = names;
    req.n_hosts = 1;
    req.role = role;
    return invoke(method, &req);
}

#define ADD(ca)    ck_assert_ptr_nonnull(hosts("Add", (ca), 0))
#define REMOVE(ca) hosts("Remove", (ca), 0)

static bool
refused_as_last(void)
{
    return rig_call.status == ACD_EPRECOND && rig_call.reply.n_details == 2 &&
           strcmp(rig_call.reply.details[0]->error_info->reason, "LAST_CA") == 0 &&
           strcmp(rig_call.reply.details[1]->resource_in_use->host, "a.example.com") == 0;
}

START_TEST(only_a_valid_one_counts)
{
    put_cert(0, true, false, 10);
    put_cert(1, true, false, 2);
    put_cert(2, true, true, 10);
    ADD(0);
    ADD(1);
    ADD(2);
    ck_assert_ptr_nonnull(REMOVE(0)); /* there is 1 */
    ADD(0);
    rig_wall_ms += 3 * (int64_t)DAY; /* 1 has expired, 2 is a helper */
    ck_assert_ptr_null(REMOVE(0));
    ck_assert(refused_as_last());
    ck_assert_ptr_null(hosts("Add", 0, ANCHORD__V1__HOST_ROLE__HOST_ROLE_OBSERVED));
    ck_assert(refused_as_last());
    ck_assert_ptr_nonnull(REMOVE(1));
    ck_assert_ptr_nonnull(REMOVE(2));
    rig_force = true;
    ck_assert_ptr_nonnull(REMOVE(0));
}
END_TEST

START_TEST(one_that_is_not_valid_is_let_go)
{
    put_cert(0, true, false, 1);
    ADD(0);
    rig_wall_ms += 2 * (int64_t)DAY;
    ck_assert_ptr_nonnull(REMOVE(0)); /* nobody was verified there */
}
END_TEST

/* --- dry runs ----------------------------------------------------------------------------------------- */

START_TEST(a_dry_run_tells_and_keeps_nothing)
{
    put_cert(0, true, false, 10);
    put_cert(1, true, false, 10);
    ADD(0);
    unsigned published = rig_published;
    rig_dry = true;
    ck_assert_ptr_nonnull(hosts("Add", 1, ANCHORD__V1__HOST_ROLE__HOST_ROLE_OBSERVED));
    const Anchord__V1__ChangeEffect *e = rig_call.reply.effect;
    ck_assert_ptr_nonnull(e);
    ck_assert(e->hosts_total == 1 && e->hosts_losing == 0 && e->hosts_gaining == 0 && e->n_quotas == 0);
    ck_assert(e->hosts[0]->n_gained == 1 && e->hosts[0]->n_lost == 0 && !e->hosts[0]->reordered);
    ck_assert_str_eq(e->hosts[0]->gained[0]->ca_id, cert_id(1));
    ck_assert_int_eq(e->hosts[0]->gained[0]->role, ANCHORD__V1__CA_ROLE__CA_OBSERVED);
    ck_assert(rig_call.revision == 0 && rig_published == published);
    ck_assert_ptr_null(REMOVE(0)); /* as it would be refused */
    ck_assert(refused_as_last() && !rig_call.reply.effect);
    rig_force = true;
    ck_assert_ptr_nonnull(REMOVE(0));
    ck_assert_uint_eq(rig_call.reply.effect->hosts_losing, 1);
    rig_dry = rig_force = false;
    ADD(1);
    ck_assert_ptr_null(rig_call.reply.effect);
    ck_assert_ptr_nonnull(REMOVE(0)); /* it was still there */
}
END_TEST

Suite *suite_ahead(void);

Suite *
suite_ahead(void)
{
    Suite *s = suite_create("core/ahead");
    TCase *c = tcase_create("ahead");
    const TTest *tests[] = {pages_are_one_list,
                            kinds_are_merged,
                            a_page_goes_on_behind_what_is_gone,
                            what_is_no_cursor_is_refused,
                            only_a_valid_one_counts,
                            one_that_is_not_valid_is_let_go,
                            a_dry_run_tells_and_keeps_nothing};
    tcase_add_checked_fixture(c, setup, rig_teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
