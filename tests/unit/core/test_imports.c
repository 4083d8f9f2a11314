/* Places for open imports: a forgotten one is dropped when it is idle or committed, not before. */
#include <stdio.h>

#include "lib/main.h"
#include "rig.h"

/* Starts an import under a key. 0, or why it was refused. */
static int
start_with(const char *key, const char *product, char id[64])
{
    Anchord__V1__StartImportRequest req = ANCHORD__V1__START_IMPORT_REQUEST__INIT;
    req.account = WIRE_STR("acme");
    req.product = (char *)product;
    const Anchord__V1__StartImportResponse *resp = rig_invoke(1, key, "CaService/StartImport", &req);
    if (resp && id)
        (void)snprintf(id, 64, "%s", resp->import_id);
    return rig_call.status;
}

static int
start(char id[64])
{
    static unsigned keys;
    char key[32];
    (void)snprintf(key, sizeof(key), "start %u", keys++);
    return start_with(key, "", id);
}

static const Anchord__V1__AddToImportResponse *
add(const char *key, char *id, const char *text)
{
    Anchord__V1__AddToImportRequest req = ANCHORD__V1__ADD_TO_IMPORT_REQUEST__INIT;
    req.import_id = id;
    req.certificates = (char *)text;
    return rig_invoke(1, key, "CaService/AddToImport", &req);
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

START_TEST(a_key_starts_one_import)
{
    char first[64], again[64];
    ck_assert_int_eq(start_with("key", "", first), 0);
    ck_assert_int_eq(start_with("key", "", again), 0);
    ck_assert_str_eq(first, again);
    ck_assert_int_eq(start_with("key", "workers", NULL), ACD_EINVAL);
    ck_assert_int_eq(start_with("another", "", again), 0);
    ck_assert_str_ne(first, again);
}
END_TEST

START_TEST(a_key_adds_one_object)
{
    char id[64];
    Anchord__V1__CommitImportRequest req = ANCHORD__V1__COMMIT_IMPORT_REQUEST__INIT;
    ck_assert_int_eq(start(id), 0);
    for (int i = 0; i < 2; i++) {
        const Anchord__V1__AddToImportResponse *r = add("one", id, "nothing");
        ck_assert_ptr_nonnull(r);
        ck_assert(!r->acceptable && r->n_findings > 0);
    }
    ck_assert_ptr_null(add("one", id, "something else"));
    ck_assert_int_eq(rig_call.status, ACD_EINVAL);
    ck_assert_ptr_nonnull(add("two", id, "something else"));
    req.import_id = id;
    req.skip_refused = true;
    const Anchord__V1__CommitImportResponse *done = rig_invoke(1, "commit", "CaService/CommitImport", &req);
    ck_assert_ptr_nonnull(done);
    ck_assert_uint_eq(done->refused, 2);
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
    const TTest *tests[] = {open_ones_keep_their_places, committed_ones_make_room, a_key_starts_one_import,
                            a_key_adds_one_object, unknown_profile_is_refused};
    tcase_add_checked_fixture(c, setup, rig_teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
