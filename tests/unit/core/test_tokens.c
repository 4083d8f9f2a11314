/* The life of a token: made, shown once, listed, taken, revoked. */
#include <stdio.h>

#include "core/authz.h"
#include "lib/main.h"
#include "model/limits.h"
#include "rig.h"

static char *permissions[] = {(char *)"Zone WAF Read"};

static void
setup(void)
{
    Anchord__V1__CreateAccountRequest req = ANCHORD__V1__CREATE_ACCOUNT_REQUEST__INIT;
    rig_setup();
    rpc_set_authorize(rig_table(), core_authorize, rig_core());
    req.name = (char *)"acme";
    ck_assert_ptr_nonnull(rig_invoke(0, "account", "AccountService/CreateAccount", &req));
}

static Anchord__V1__CreateTokenRequest
request(void)
{
    Anchord__V1__CreateTokenRequest req = ANCHORD__V1__CREATE_TOKEN_REQUEST__INIT;
    req.account = (char *)"acme";
    req.permissions = permissions;
    req.n_permissions = 1;
    return req;
}

static const Anchord__V1__Token *
verify(const char *secret)
{
    static char bearer[128];
    static const char *meta[] = {"authorization", bearer, NULL};
    Anchord__V1__VerifyTokenRequest req = ANCHORD__V1__VERIFY_TOKEN_REQUEST__INIT;
    (void)snprintf(bearer, sizeof(bearer), "Bearer %s", secret);
    rig_meta = meta;
    const void *resp = rig_invoke(0, "", "TokenService/VerifyToken", &req);
    rig_meta = NULL;
    return resp;
}

static size_t
listed(void)
{
    Anchord__V1__ListTokensRequest req = ANCHORD__V1__LIST_TOKENS_REQUEST__INIT;
    req.account = (char *)"acme";
    const Anchord__V1__ListTokensResponse *resp = rig_invoke(0, "", "TokenService/ListTokens", &req);
    ck_assert_ptr_nonnull(resp);
    return resp->n_tokens;
}

START_TEST(made_taken_and_revoked)
{
    Anchord__V1__CreateTokenRequest req = request();
    Anchord__V1__RevokeTokenRequest revoke = ANCHORD__V1__REVOKE_TOKEN_REQUEST__INIT;
    char secret[64], id[40];
    req.name = (char *)"ci";
    const Anchord__V1__CreateTokenResponse *made = rig_invoke(0, "k", "TokenService/CreateToken", &req);
    ck_assert_ptr_nonnull(made);
    ck_assert_uint_eq(strlen(made->secret), 47);
    ck_assert_uint_eq(
        strspn(made->secret, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"), 47);
    ck_assert_int_eq(strncmp(made->secret, "anc_", 4), 0);
    (void)snprintf(secret, sizeof(secret), "%s", made->secret);
    (void)snprintf(id, sizeof(id), "%s", made->token->id);
    const Anchord__V1__Token *t = verify(secret);
    ck_assert_ptr_nonnull(t);
    ck_assert_str_eq(t->id, id);
    ck_assert_str_eq(t->name, "ci");
    ck_assert_uint_eq(t->n_permissions, 1);
    ck_assert_str_eq(t->permissions[0], "Zone WAF Read");
    ck_assert_uint_eq(listed(), 1);
    revoke.id = id;
    revoke.dry_run = true;
    ck_assert_ptr_nonnull(rig_invoke(0, "r0", "TokenService/RevokeToken", &revoke));
    ck_assert_ptr_nonnull(verify(secret));
    revoke.dry_run = false;
    ck_assert_ptr_nonnull(rig_invoke(0, "r1", "TokenService/RevokeToken", &revoke));
    ck_assert_ptr_null(verify(secret));
    ck_assert_int_eq(rig_call.status, ACD_EUNAUTH);
    ck_assert_uint_eq(listed(), 0);
    ck_assert_ptr_null(rig_invoke(0, "r2", "TokenService/RevokeToken", &revoke));
    ck_assert_int_eq(rig_call.status, ACD_ENOENT);
}
END_TEST

/* What is kept under the idempotency key is kept without the secret. */
START_TEST(a_repeated_call_does_not_show_it_again)
{
    Anchord__V1__CreateTokenRequest req = request();
    char id[40];
    const Anchord__V1__CreateTokenResponse *made = rig_invoke(0, "same", "TokenService/CreateToken", &req);
    ck_assert_ptr_nonnull(made);
    ck_assert_str_ne(made->secret, "");
    (void)snprintf(id, sizeof(id), "%s", made->token->id);
    made = rig_invoke(0, "same", "TokenService/CreateToken", &req);
    ck_assert_ptr_nonnull(made);
    ck_assert_str_eq(made->token->id, id);
    ck_assert_str_eq(made->secret, "");
    ck_assert_uint_eq(listed(), 1);
}
END_TEST

START_TEST(a_dry_run_makes_none)
{
    Anchord__V1__CreateTokenRequest req = request();
    req.dry_run = true;
    const Anchord__V1__CreateTokenResponse *made = rig_invoke(0, "dry", "TokenService/CreateToken", &req);
    ck_assert_ptr_nonnull(made);
    ck_assert_str_eq(made->secret, "");
    ck_assert_uint_eq(listed(), 0);
}
END_TEST

START_TEST(bad_requests_name_what_is_wrong)
{
    char *unknown[] = {(char *)"Zone WAF"}, *far[] = {(char *)"192.0.2.1/24"},
         *none[] = {(char *)"no.example"};
    struct {
        Anchord__V1__CreateTokenRequest req;
        int status;
        const char *says;
    } cases[7];
    for (size_t i = 0; i < 7; i++)
        cases[i].req = request();
    cases[0].req.permissions = unknown, cases[0].status = ACD_EINVAL, cases[0].says = "Trust Query";
    cases[1].req.n_permissions = 0, cases[1].status = ACD_EINVAL, cases[1].says = "at least one";
    cases[2].req.sources = far, cases[2].req.n_sources = 1;
    cases[2].status = ACD_EINVAL, cases[2].says = "beyond its prefix";
    cases[3].req.zones = none, cases[3].req.n_zones = 1, cases[3].status = ACD_ENOENT,
    cases[3].says = "no.example";
    cases[4].req.email = (char *)"me", cases[4].status = ACD_EINVAL, cases[4].says = "e-mail";
    cases[5].req.expires_ms = rig_wall_ms, cases[5].status = ACD_EINVAL, cases[5].says = "past";
    cases[6].req.account = (char *)"nobody", cases[6].status = ACD_ENOENT, cases[6].says = "nobody";
    for (size_t i = 0; i < 7; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "bad-%zu", i);
        ck_assert_ptr_null(rig_invoke(0, key, "TokenService/CreateToken", &cases[i].req));
        ck_assert_int_eq(rig_call.status, cases[i].status);
        ck_assert_msg(strstr(rig_call.err.text, cases[i].says) != NULL, "%s", rig_call.err.text);
    }
    ck_assert_uint_eq(listed(), 0);
}
END_TEST

START_TEST(they_go_with_their_account)
{
    Anchord__V1__CreateTokenRequest req = request();
    Anchord__V1__DeleteAccountRequest gone = ANCHORD__V1__DELETE_ACCOUNT_REQUEST__INIT;
    char secret[64];
    const Anchord__V1__CreateTokenResponse *made = rig_invoke(0, "k", "TokenService/CreateToken", &req);
    ck_assert_ptr_nonnull(made);
    (void)snprintf(secret, sizeof(secret), "%s", made->secret);
    gone.account = (char *)"acme";
    ck_assert_ptr_nonnull(rig_invoke(0, "g", "AccountService/DeleteAccount", &gone));
    ck_assert_ptr_null(verify(secret));
    ck_assert_int_eq(rig_call.status, ACD_EUNAUTH);
}
END_TEST

START_TEST(there_is_a_limit)
{
    Anchord__V1__CreateTokenRequest req = request();
    char key[16];
    for (int i = 0; i < LIMIT_TOKENS; i++) {
        (void)snprintf(key, sizeof(key), "t%d", i);
        ck_assert_ptr_nonnull(rig_invoke(0, key, "TokenService/CreateToken", &req));
    }
    ck_assert_ptr_null(rig_invoke(0, "over", "TokenService/CreateToken", &req));
    ck_assert_int_eq(rig_call.status, ACD_ELIMIT);
    ck_assert(strstr(rig_call.err.text, "1000") != NULL);
}
END_TEST

Suite *suite_tokens(void);

Suite *
suite_tokens(void)
{
    Suite *s = suite_create("core/tokens");
    TCase *c = tcase_create("tokens");
    const TTest *tests[] = {made_taken_and_revoked,     a_repeated_call_does_not_show_it_again,
                            a_dry_run_makes_none,       bad_requests_name_what_is_wrong,
                            they_go_with_their_account, there_is_a_limit};
    tcase_add_checked_fixture(c, setup, rig_teardown);
    tcase_set_timeout(c, 60);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
