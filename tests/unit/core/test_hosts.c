/* Lists of hosts: what a change replies, what it tells the publisher, which names it takes, and pages. */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "lib/main.h"
#include "rig.h"

enum { MANY = LIMIT_HOSTS_REPLY + 1 };

#define OTHER_CA "11111111-1111-4111-8111-111111111111"
static char zone_id[64], account_id[64], managed[64];
static unsigned keys, known; /* hosts told to the publisher with all that they have */

/* --- the publisher ------------------------------------------------------------------------------------ */

struct rows {
    const struct change_host *host;
    size_t n;
};

static int
compare_row(void *arg, const acd_value *row, size_t ncols)
{
    struct rows *r = arg;
    struct assoc ca;
    (void)ncols;
    ck_assert(slice_eq(row[HOST_ZONE].bytes, r->host->zone_id));
    ck_assert_int_eq(assoc_read(row, &ca), 0);
    size_t i = 0;
    while (i < r->host->n && memcmp(r->host->cas[i].cert, ca.cert, ID_UUID_LEN) != 0)
        i++;
    ck_assert_uint_lt(i, r->host->n);
    ck_assert_int_eq(r->host->cas[i].deployed, ca.deployed);
    ck_assert(r->host->cas[i].priority == ca.priority && r->host->cas[i].observe == ca.observe);
    r->n++;
    return 0;
}

/* What a change says of a host is what storage says of it. */
static void
compare(struct plug_session *s, const struct change_set *set)
{
    ck_assert_int_eq(plug_begin(s, false, 0, NULL), 0);
    for (size_t i = 0; i < set->n; i++) {
        if (!set->items[i].host)
            continue;
        struct rows r = {set->items[i].host, 0};
        const acd_value key = {.bytes = slice_str(set->items[i].key)};
        const acd_scan scan = {
            .struct_size = sizeof(scan), .coll = COLL_HOST, .index = HOST_BY_PATTERN, .eq = &key, .neq = 1};
        ck_assert_int_eq(plug_scan(s, &scan, compare_row, &r, NULL), 0);
        ck_assert_uint_eq(r.n, r.host->n);
        known++;
    }
    plug_rollback(s);
}

/* --- calls -------------------------------------------------------------------------------------------- */

static const void *
invoke(const char *method, const void *req)
{
    char key[32];
    (void)snprintf(key, sizeof(key), "key %u", keys++);
    return rig_invoke(1, key, method, req);
}

static const Anchord__V1__Zone *
add_zone(const char *name)
{
    Anchord__V1__CreateZoneRequest req = ANCHORD__V1__CREATE_ZONE_REQUEST__INIT;
    req.account = WIRE_STR("acme");
    req.name = WIRE_STR(name);
    return invoke("ZoneService/CreateZone", &req);
}

static void
setup(void)
{
    rig_setup();
    rig_on_publish = compare;
    keys = known = 0;
    Anchord__V1__CreateAccountRequest req = ANCHORD__V1__CREATE_ACCOUNT_REQUEST__INIT;
    req.name = WIRE_STR("acme");
    const Anchord__V1__Account *account = invoke("AccountService/CreateAccount", &req);
    ck_assert_ptr_nonnull(account);
    (void)snprintf(account_id, sizeof(account_id), "%s", account->id);
    const Anchord__V1__Zone *zone = add_zone("example.com");
    ck_assert_ptr_nonnull(zone);
    (void)snprintf(zone_id, sizeof(zone_id), "%s", zone->id);
}

static const Anchord__V1__ChangeHostsResponse *
change_of(const char *verb, const char *ca, char **hosts, size_t n)
{
    char method[64];
    Anchord__V1__ChangeHostsRequest req = ANCHORD__V1__CHANGE_HOSTS_REQUEST__INIT;
    (void)snprintf(method, sizeof(method), "HostService/%sHosts", verb);
    req.zone = WIRE_STR("example.com");
    req.ca_id = (char *)ca;
    req.hosts = hosts;
    req.n_hosts = n;
    return invoke(method, &req);
}

#define CHANGE(verb, ...) \
    change_of(verb, "", (char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *))

static const Anchord__V1__ListHostsResponse *
list(const char *after, uint32_t size, bool all)
{
    Anchord__V1__PageRequest page = ANCHORD__V1__PAGE_REQUEST__INIT;
    Anchord__V1__ListHostsRequest req = ANCHORD__V1__LIST_HOSTS_REQUEST__INIT;
    page.after = (char *)after;
    page.size = size;
    req.zone = WIRE_STR("example.com");
    req.all = all;
    req.page = &page;
    return invoke("HostService/ListHosts", &req);
}

static char **
many(size_t n)
{
    char **names = calloc(n, sizeof(*names));
    ck_assert_ptr_nonnull(names);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_gt(asprintf(&names[i], "h%zu.example.com", i), 0);
    return names;
}

static void
free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* --- replies and sizes -------------------------------------------------------------------------------- */

START_TEST(a_short_list_is_repeated)
{
    const Anchord__V1__ChangeHostsResponse *r =
        CHANGE("Add", "z.example.com", "A.example.com", "a.example.com", "m.example.com");
    ck_assert_uint_eq(r->added, 3);
    ck_assert_uint_eq(r->total, 3);
    ck_assert_uint_eq(r->n_hosts, 3);
    ck_assert_str_eq(r->hosts[0], "z.example.com");
    ck_assert_str_eq(r->hosts[1], "A.example.com");
    ck_assert_str_eq(r->hosts[2], "m.example.com");
    r = CHANGE("Add", "b.example.com", "m.example.com");
    ck_assert_uint_eq(r->added, 1);
    ck_assert_str_eq(r->hosts[3], "b.example.com");
}
END_TEST

START_TEST(a_long_list_is_not)
{
    char **names = many(MANY);
    const Anchord__V1__ChangeHostsResponse *r = change_of("Add", "", names, MANY - 1);
    ck_assert_uint_eq(r->n_hosts, MANY - 1);
    r = change_of("Add", "", names + MANY - 1, 1);
    ck_assert_uint_eq(r->n_hosts, 0);
    ck_assert_uint_eq(r->total, MANY);
    r = change_of("Remove", "", names, 1);
    ck_assert_uint_eq(r->total, MANY - 1);
    ck_assert_uint_eq(r->n_hosts, MANY - 1);
    ck_assert_str_eq(r->hosts[0], names[1]);
    free_names(names, MANY);
}
END_TEST

START_TEST(set_keeps_moves_drops_and_adds)
{
    ck_assert_ptr_nonnull(CHANGE("Set", "a.example.com", "b.example.com", "c.example.com", "e.example.com"));
    const Anchord__V1__ChangeHostsResponse *r =
        CHANGE("Set", "f.example.com", "c.example.com", "B.example.com", "d.example.com");
    ck_assert_uint_eq(r->added, 2);
    ck_assert_uint_eq(r->removed, 2);
    ck_assert_uint_eq(r->total, 4);
    static const char *const order[] = {"f.example.com", "c.example.com", "B.example.com", "d.example.com"};
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(r->hosts[i], order[i]);
    uint64_t revision = r->list_revision;
    r = CHANGE("Set", "f.example.com", "c.example.com", "B.example.com", "d.example.com");
    ck_assert_uint_eq(r->list_revision, revision); /* nothing to do */
    r = change_of("Set", "", NULL, 0);
    ck_assert_uint_eq(r->removed, 4);
    ck_assert_uint_eq(r->total, 0);
}
END_TEST

static void
managed_ca(void)
{
    const Anchord__V1__ListHostsResponse *r = list("", 1, false);
    ck_assert_uint_eq(r->n_hosts, 1);
    (void)snprintf(managed, sizeof(managed), "%s", r->hosts[0]->ca_id);
}

/* The row as a release left it that knew no size. */
static void
forget_size(void)
{
    const acd_value row[HOST_LIST_COLS] = {
        [HOST_LIST_ZONE] = {.bytes = slice_str(zone_id)},
        [HOST_LIST_CERT] = {.bytes = slice_str(managed)},
        [HOST_LIST_REV] = {.num = 1},
    };
    rig_put(COLL_HOST_LIST, row);
}

START_TEST(a_list_of_an_older_release_is_counted)
{
    ck_assert_ptr_nonnull(CHANGE("Add", "a.example.com", "b.example.com", "c.example.com"));
    managed_ca();
    forget_size();
    ck_assert_uint_eq(list("", 1, false)->page->total, 3);
    ck_assert_uint_eq(list("", 1, true)->page->total, 3);
    ck_assert_uint_eq(CHANGE("Remove", "b.example.com")->total, 2);
    ck_assert_uint_eq(list("", 1, true)->page->total, 2);
}
END_TEST

/* --- several CAs on a host ---------------------------------------------------------------------------- */

static void
other_ca(void)
{
    const acd_value row[CERT_COLS] = {
        [CERT_ID] = {.bytes = slice_str(OTHER_CA)},
        [CERT_ACCOUNT] = {.bytes = slice_str(account_id)},
        [CERT_SPACE] = {.bytes = slice_str("mtls")},
        [CERT_NAME] = {.bytes = slice_str("other")},
        [CERT_CA] = {.num = 1},
        [CERT_PRODUCT] = {.bytes = slice_str("workers")},
        [CERT_TEXT] = {.bytes = slice_str("")},
    };
    rig_put(COLL_CERT, row);
}

START_TEST(the_publisher_is_told_all_that_a_host_has)
{
    other_ca();
    ck_assert_ptr_nonnull(CHANGE("Add", "a.example.com", "b.example.com"));
    ck_assert_uint_eq(known, 2);
    const Anchord__V1__ChangeHostsResponse *r =
        change_of("Add", OTHER_CA, (char *[]){"b.example.com", "c.example.com", "b.example.com"}, 3);
    ck_assert_uint_eq(r->added, 2);
    ck_assert_uint_eq(known, 4);
    r = change_of("Set", OTHER_CA, (char *[]){"a.example.com", "b.example.com"}, 2);
    ck_assert_uint_eq(r->added, 1);
    ck_assert_uint_eq(r->removed, 1);
    ck_assert_uint_eq(known, 5);
    ck_assert_uint_eq(list("", 10, true)->page->total, 4);
}
END_TEST

/* --- more specific zones ------------------------------------------------------------------------------ */

static void
refused(const char *name)
{
    ck_assert_ptr_null(CHANGE("Add", (char *)name));
    ck_assert_int_eq(rig_call.status, ACD_EINVAL);
}

START_TEST(a_more_specific_zone_owns_its_names)
{
    ck_assert_ptr_nonnull(add_zone("in.example.com"));
    ck_assert_ptr_nonnull(add_zone("x.deep.example.com"));
    refused("in.example.com");
    refused("a.in.example.com");
    refused("b.a.in.example.com");
    refused("*.in.example.com");
    refused("*.example.com");
    refused("*.deep.example.com");
    refused("x.deep.example.com");
    refused("a.x.deep.example.com");
    ck_assert_ptr_nonnull(CHANGE("Add", "example.com", "inn.example.com", "deep.example.com",
                                 "y.deep.example.com", "*.y.deep.example.com", "a.b.example.com"));
}
END_TEST

/* --- pages -------------------------------------------------------------------------------------------- */

START_TEST(a_page_goes_on_though_its_last_row_is_gone)
{
    for (int all = 0; all < 2; all++) {
        char after[512];
        ck_assert_ptr_nonnull(CHANGE("Set", "c.example.com", "b.example.com", "a.example.com"));
        const Anchord__V1__ListHostsResponse *r = list("", 1, all);
        ck_assert_uint_eq(r->n_hosts, 1);
        ck_assert_uint_eq(r->page->total, 3);
        (void)snprintf(after, sizeof(after), "%s", r->page->next);
        ck_assert_ptr_nonnull(CHANGE("Remove", r->hosts[0]->host));
        r = list(after, 1, all);
        ck_assert_ptr_nonnull(r);
        ck_assert_uint_eq(r->n_hosts, 1);
        ck_assert_str_eq(r->hosts[0]->host, "b.example.com");
        r = list(r->page->next, 1, all);
        ck_assert_str_eq(r->hosts[0]->host, all ? "c.example.com" : "a.example.com");
        ck_assert_str_eq(r->page->next, "");
    }
}
END_TEST

START_TEST(associations_of_a_certificate_come_in_pages)
{
    char **names = many(MANY), after[512] = "";
    size_t seen = 0;
    other_ca();
    ck_assert_ptr_nonnull(change_of("Add", OTHER_CA, names, MANY));
    Anchord__V1__PageRequest page = ANCHORD__V1__PAGE_REQUEST__INIT;
    Anchord__V1__ListCertificateAssociationsRequest req =
        ANCHORD__V1__LIST_CERTIFICATE_ASSOCIATIONS_REQUEST__INIT;
    page.after = after;
    page.size = 400;
    req.id = WIRE_STR(OTHER_CA);
    req.page = &page;
    do {
        const Anchord__V1__ListCertificateAssociationsResponse *r =
            invoke("CaService/ListCertificateAssociations", &req);
        ck_assert_ptr_nonnull(r);
        ck_assert_uint_eq(r->page->total, MANY);
        seen += r->n_associations;
        ck_assert_str_eq(r->associations[0]->zone_name, "example.com");
        (void)snprintf(after, sizeof(after), "%s", r->page->next);
    } while (after[0]);
    ck_assert_uint_eq(seen, MANY);
    (void)snprintf(after, sizeof(after), "nonsense");
    ck_assert_ptr_null(invoke("CaService/ListCertificateAssociations", &req));
    ck_assert_int_eq(rig_call.status, ACD_EINVAL);
    free_names(names, MANY);
}
END_TEST

START_TEST(a_foreign_cursor_is_refused)
{
    static const char *const bad[] = {"a.example.com", "x/a.example.com", "x/a.example.com/1", "//1", "/a/"};
    ck_assert_ptr_nonnull(CHANGE("Add", "a.example.com"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_ptr_null(list(bad[i], 1, false));
        ck_assert_int_eq(rig_call.status, ACD_EINVAL);
    }
}
END_TEST

Suite *suite_hosts(void);

Suite *
suite_hosts(void)
{
    Suite *s = suite_create("core/hosts");
    TCase *c = tcase_create("hosts");
    const TTest *tests[] = {a_short_list_is_repeated,
                            a_long_list_is_not,
                            set_keeps_moves_drops_and_adds,
                            a_list_of_an_older_release_is_counted,
                            the_publisher_is_told_all_that_a_host_has,
                            a_more_specific_zone_owns_its_names,
                            a_page_goes_on_though_its_last_row_is_gone,
                            a_foreign_cursor_is_refused,
                            associations_of_a_certificate_come_in_pages};
    tcase_add_checked_fixture(c, setup, rig_teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
