/* Who may call what: the peer for itself, everybody else by the token alone. */
#include <stdio.h>
#include <unistd.h>

#include "core/authz.h"
#include "lib/main.h"
#include "rig.h"

static char secret[128], account_id[64];

#define MAX_META 8
static const char *meta[MAX_META + 1];

static void
carry(const char *const *pairs)
{
    size_t n = 0;
    for (; pairs[n]; n++)
        meta[n] = pairs[n];
    meta[n] = NULL;
    rig_meta = meta;
}
#define CARRY(...) carry((const char *const[]){__VA_ARGS__, NULL})

static const void *
as_root(const char *method, const void *req)
{
    static unsigned keys;
    char key[32];
    (void)snprintf(key, sizeof(key), "root-%u", keys++);
    rig_meta = NULL;
    rig_remote = NULL;
    return rig_invoke(0, key, method, req);
}

static void
create_account(const char *name, char *id_out, size_t size)
{
    Anchord__V1__CreateAccountRequest req = ANCHORD__V1__CREATE_ACCOUNT_REQUEST__INIT;
    req.name = (char *)name;
    const Anchord__V1__Account *a = as_root("AccountService/CreateAccount", &req);
    ck_assert_ptr_nonnull(a);
    (void)snprintf(id_out, size, "%s", a->id);
}

static void
create_zone(const char *account, const char *name, char *id_out, size_t size)
{
    Anchord__V1__CreateZoneRequest req = ANCHORD__V1__CREATE_ZONE_REQUEST__INIT;
    req.account = (char *)account;
    req.name = (char *)name;
    const Anchord__V1__Zone *z = as_root("ZoneService/CreateZone", &req);
    ck_assert_ptr_nonnull(z);
    (void)snprintf(id_out, size, "%s", z->id);
}

/* A token "Bearer ..." in `secret`. */
static void
create_token(Anchord__V1__CreateTokenRequest *req, const char *permission)
{
    char *list[] = {(char *)permission};
    req->account = account_id;
    req->permissions = list;
    req->n_permissions = 1;
    const Anchord__V1__CreateTokenResponse *resp = as_root("TokenService/CreateToken", req);
    ck_assert_msg(resp != NULL, "%s", rig_call.err.text);
    (void)snprintf(secret, sizeof(secret), "Bearer %s", resp->secret);
}

static void
setup(void)
{
    rig_setup();
    rpc_set_authorize(rig_table(), core_authorize, rig_core());
    create_account("acme", account_id, sizeof(account_id));
}

static int
get_zone(uint32_t uid, const char *zone)
{
    Anchord__V1__GetZoneRequest req = ANCHORD__V1__GET_ZONE_REQUEST__INIT;
    req.zone = (char *)zone;
    (void)rig_invoke(uid, "", "ZoneService/GetZone", &req);
    return rig_call.status;
}

START_TEST(peers_go_by_uid)
{
    char zone[64];
    create_zone("acme", "example.com", zone, sizeof(zone));
    ck_assert_int_eq(get_zone(0, zone), 0);
    ck_assert_int_eq(get_zone(geteuid(), zone), 0);
    ck_assert_int_eq(get_zone(geteuid() + 1, zone), ACD_EDENIED);
    rig_remote = "127.0.0.1:4711";
    ck_assert_int_eq(get_zone(0, zone), ACD_EDENIED);
}
END_TEST

/* Root's own connection does not help a call that is made for somebody else. */
START_TEST(delegated_calls_go_by_credentials)
{
    Anchord__V1__CreateTokenRequest req = ANCHORD__V1__CREATE_TOKEN_REQUEST__INIT;
    char zone[64], wrong[140];
    create_zone("acme", "example.com", zone, sizeof(zone));
    create_token(&req, "all");
    (void)snprintf(wrong, sizeof(wrong), "%sx", secret);
    const char *const refused[][MAX_META + 1] = {
        {"delegated", "192.0.2.1"},
        {"delegated", ""},
        {"delegated", "192.0.2.1", "authorization", wrong},
        {"delegated", "192.0.2.1", "authorization", "Basic YTpi"},
        {"delegated", "192.0.2.1", "authorization", "Bearer "},
        {"delegated", "192.0.2.1", "x-auth-email", "a@example.com", "x-auth-key", secret + 7},
        {"authorization", wrong},
        {"authorization", wrong, "x-auth-email", "a@example.com", "x-auth-key", secret + 7},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        carry(refused[i]);
        ck_assert_msg(get_zone(0, zone) == ACD_EUNAUTH, "%zu: %d", i, rig_call.status);
        ck_assert_ptr_null(rig_call.actor);
    }
    CARRY("delegated", "192.0.2.1", "authorization", secret);
    ck_assert_int_eq(get_zone(4711, zone), 0);
    ck_assert_int_eq(strncmp(rig_call.actor, "token:", 6), 0);
    CARRY("authorization", secret);
    rig_remote = "192.0.2.9:1";
    ck_assert_int_eq(get_zone(4711, zone), 0);
}
END_TEST

START_TEST(email_and_key)
{
    Anchord__V1__CreateTokenRequest req = ANCHORD__V1__CREATE_TOKEN_REQUEST__INIT;
    char zone[64];
    create_zone("acme", "example.com", zone, sizeof(zone));
    req.email = (char *)"ops@example.com";
    create_token(&req, "all");
    CARRY("delegated", "192.0.2.1", "x-auth-email", "ops@example.com", "x-auth-key", secret + 7);
    ck_assert_int_eq(get_zone(4711, zone), 0);
    CARRY("delegated", "192.0.2.1", "x-auth-email", "other@example.com", "x-auth-key", secret + 7);
    ck_assert_int_eq(get_zone(4711, zone), ACD_EUNAUTH);
    CARRY("delegated", "192.0.2.1", "x-auth-key", secret + 7);
    ck_assert_int_eq(get_zone(4711, zone), ACD_EUNAUTH);
}
END_TEST

START_TEST(expired_tokens_are_unknown)
{
    Anchord__V1__CreateTokenRequest req = ANCHORD__V1__CREATE_TOKEN_REQUEST__INIT;
    char zone[64];
    create_zone("acme", "example.com", zone, sizeof(zone));
    req.expires_ms = rig_wall_ms + 1000;
    create_token(&req, "all");
    CARRY("authorization", secret);
    rig_wall_ms += 999;
    ck_assert_int_eq(get_zone(0, zone), 0);
    rig_wall_ms += 1;
    ck_assert_int_eq(get_zone(0, zone), ACD_EUNAUTH);
}
END_TEST

/* The address is that of the connection, or what an administrator's process (the gateway) says. */
START_TEST(addresses_that_it_is_taken_from)
{
    Anchord__V1__CreateTokenRequest req = ANCHORD__V1__CREATE_TOKEN_REQUEST__INIT;
    char *sources[] = {(char *)"192.0.2.0/24", (char *)"2001:db8::/32"};
    char zone[64];
    create_zone("acme", "example.com", zone, sizeof(zone));
    req.sources = sources;
    req.n_sources = 2;
    create_token(&req, "all");
    CARRY("authorization", secret, "delegated", "192.0.2.77");
    ck_assert_int_eq(get_zone(0, zone), 0);
    ck_assert_int_eq(get_zone(geteuid() + 1, zone), ACD_EDENIED); /* may not speak for others */
    CARRY("authorization", secret, "delegated", "192.0.3.1");
    ck_assert_int_eq(get_zone(0, zone), ACD_EDENIED);
    CARRY("authorization", secret);
    ck_assert_int_eq(get_zone(0, zone), ACD_EDENIED); /* the local socket has no address */
    rig_remote = "[2001:db8::9]:443";
    ck_assert_int_eq(get_zone(0, zone), 0);
    rig_remote = "198.51.100.1:443";
    ck_assert_int_eq(get_zone(0, zone), ACD_EDENIED);
}
END_TEST

/* Every method says what a token needs; permission by permission, exactly the methods that need it go
 * through. */
START_TEST(each_method_has_its_permit)
{
    const struct rpc_method *m;
    permission_set needed;
    for (size_t i = 0; (m = rpc_method_at(i)); i++)
        ck_assert_msg(authz_permit(m, &needed) != PERMIT_UNKNOWN, "%s has no row in permits.def", m->name);
}
END_TEST

START_TEST(permissions_open_their_methods_and_no_others)
{
    permission_set bit, needed;
    const char *name;
    for (unsigned p = 0; (name = permission_name(p, &bit)); p++) {
        Anchord__V1__CreateTokenRequest req = ANCHORD__V1__CREATE_TOKEN_REQUEST__INIT;
        struct rpc_peer peer = {.transport = RPC_IPC};
        struct mem_region region;
        const struct rpc_method *m;
        create_token(&req, name);
        mem_init(&region, 4096, 0);
        for (size_t i = 0; (m = rpc_method_at(i)); i++) {
            acd_err err = ACD_ERR_INIT;
            struct rpc_call call = {.region = &region, .peer = &peer, .method = m};
            call.frame.meta[call.frame.n_meta++] =
                (struct frame_meta){slice_str("authorization"), slice_str(secret)};
            enum permit_kind kind = authz_permit(m, &needed);
            bool open =
                kind == PERMIT_ANY || (kind == PERMIT_NEEDS && (permission_parse(slice_str(name)) & needed));
            ck_assert_msg(core_authorize(rig_core(), &call, &err) == (open ? 0 : ACD_EDENIED), "%s: %s", name,
                          m->name);
        }
        mem_done(&region);
    }
}
END_TEST

/* What a token does not reach is answered as what does not exist. */
START_TEST(out_of_scope_is_not_found)
{
    Anchord__V1__CreateTokenRequest req = ANCHORD__V1__CREATE_TOKEN_REQUEST__INIT;
    Anchord__V1__ListZonesRequest zones = ANCHORD__V1__LIST_ZONES_REQUEST__INIT;
    Anchord__V1__ListAccountsRequest accounts = ANCHORD__V1__LIST_ACCOUNTS_REQUEST__INIT;
    char other[64], mine[64], second[64], theirs[64], text[256];
    create_account("other", other, sizeof(other));
    create_zone("acme", "a.example", mine, sizeof(mine));
    create_zone("acme", "b.example", second, sizeof(second));
    create_zone("other", "c.example", theirs, sizeof(theirs));
    char *only[] = {mine};
    req.zones = only;
    req.n_zones = 1;
    create_token(&req, "all");
    CARRY("authorization", secret);
    ck_assert_int_eq(get_zone(0, mine), 0);
    ck_assert_int_eq(get_zone(0, second), ACD_ENOENT);
    ck_assert_int_eq(get_zone(0, "b.example"), ACD_ENOENT);
    ck_assert_int_eq(get_zone(0, "nowhere.example"), ACD_ENOENT);
    (void)snprintf(text, sizeof(text), "%s", rig_call.err.text);
    ck_assert_int_eq(get_zone(0, "c.example"), ACD_ENOENT);
    ck_assert_str_eq(text, "no zone 'nowhere.example'");
    ck_assert_str_eq(rig_call.err.text, "no zone 'c.example'");
    const Anchord__V1__ListZonesResponse *z = rig_invoke(0, "", "ZoneService/ListZones", &zones);
    ck_assert_ptr_nonnull(z);
    ck_assert_uint_eq(z->n_zones, 1);
    ck_assert_str_eq(z->zones[0]->id, mine);
    ck_assert_uint_eq(z->page->total, 1);
    const Anchord__V1__ListAccountsResponse *a = rig_invoke(0, "", "AccountService/ListAccounts", &accounts);
    ck_assert_ptr_nonnull(a);
    ck_assert_uint_eq(a->n_accounts, 1);
    ck_assert_str_eq(a->accounts[0]->id, account_id);
    ck_assert_uint_eq(a->page->total, 1);
}
END_TEST

Suite *suite_authz(void);

Suite *
suite_authz(void)
{
    Suite *s = suite_create("core/authz");
    TCase *c = tcase_create("authz");
    const TTest *tests[] = {peers_go_by_uid,
                            delegated_calls_go_by_credentials,
                            email_and_key,
                            expired_tokens_are_unknown,
                            addresses_that_it_is_taken_from,
                            each_method_has_its_permit,
                            permissions_open_their_methods_and_no_others,
                            out_of_scope_is_not_found};
    tcase_add_checked_fixture(c, setup, rig_teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
