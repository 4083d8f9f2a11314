/* Places for open imports: a forgotten one is dropped when it is idle or committed, not before. */
#include <stdio.h>

#include "lib/main.h"
#include "rig.h"

/* Starts an import. 0, or why it was refused. */
static int
start(char id[64])
{
    Anchord__V1__StartImportRequest req = ANCHORD__V1__START_IMPORT_REQUEST__INIT;
    req.account = WIRE_STR("acme");
    const Anchord__V1__StartImportResponse *resp = rig_invoke(1, "start", "CaService/StartImport", &req);
    if (resp && id)
        (void)snprintf(id, 64, "%s", resp->import_id);
    return rig_call.status;
}

static void
setup(void)
{
    rig_setup();
    Anchord__V1__CreateAccountRequest req = ANCHORD__V1__CREATE_ACCOUNT_REQUEST__INIT;
    req.name = WIRE_STR("acme");
    ck_assert_ptr_nonnull(rig_invoke(1, "account", "AccountService/CreateAccount", &req));
}

START_TEST(open_ones_keep_their_places)
{
    for (int i = 0; i < LIMIT_IMPORTS; i++)
        ck_assert_int_eq(start(NULL), 0);
    ck_assert_int_eq(start(NULL), ACD_ELIMIT);
    rig_wall_ms += LIMIT_IMPORT_IDLE_MS;
    ck_assert_int_eq(start(NULL), 0);
}
END_TEST

START_TEST(committed_ones_make_room)
{
    for (int i = 0; i < 2 * LIMIT_IMPORTS; i++) {
        char id[64], key[16];
        Anchord__V1__CommitImportRequest req = ANCHORD__V1__COMMIT_IMPORT_REQUEST__INIT;
        ck_assert_int_eq(start(id), 0);
        (void)snprintf(key, sizeof(key), "commit %d", i);
        req.import_id = id;
        ck_assert_ptr_nonnull(rig_invoke(1, key, "CaService/CommitImport", &req));
    }
}
END_TEST

START_TEST(unknown_profile_is_refused)
{
    Anchord__V1__StartImportRequest req = ANCHORD__V1__START_IMPORT_REQUEST__INIT;
    req.account = WIRE_STR("acme");
    req.profile = (Anchord__V1__Profile)7;
    ck_assert_ptr_null(rig_invoke(1, "start", "CaService/StartImport", &req));
    ck_assert_int_eq(rig_call.status, ACD_EINVAL);
}
END_TEST

Suite *suite_imports(void);

Suite *
suite_imports(void)
{
    Suite *s = suite_create("core/imports");
    TCase *c = tcase_create("imports");
    const TTest *tests[] = {open_ones_keep_their_places, committed_ones_make_room,
                            unknown_profile_is_refused};
    tcase_add_checked_fixture(c, setup, rig_teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
