/* What an idempotency key stands for: one request of one actor, for 24 hours. */
#include <stdio.h>

#include "lib/main.h"
#include "rig.h"

enum { HOUR_MS = 3600 * 1000 };

/* Creates an account. Its id, or NULL when the call is refused. */
static const char *
create(uint32_t uid, const char *key, const char *name)
{
    Anchord__V1__CreateAccountRequest req = ANCHORD__V1__CREATE_ACCOUNT_REQUEST__INIT;
    req.name = WIRE_STR(name);
    const Anchord__V1__Account *made = rig_invoke(uid, key, "AccountService/CreateAccount", &req);
    return made ? made->id : NULL;
}

START_TEST(runs_once)
{
    char first[64];
    (void)snprintf(first, sizeof(first), "%s", create(1, "key", "acme"));
    uint64_t revision = rig_call.revision;
    ck_assert_str_eq(create(1, "key", "acme"), first);
    ck_assert_uint_eq(rig_call.revision, revision);
    ck_assert_uint_eq(rig_published, 1);
    ck_assert_ptr_null(create(1, "other key", "acme")); /* the name is taken */
    ck_assert_int_eq(rig_call.status, ACD_EEXIST);
}
END_TEST

START_TEST(stands_for_one_request)
{
    ck_assert_ptr_nonnull(create(1, "key", "acme"));
    ck_assert_ptr_null(create(1, "key", "another"));
    ck_assert_int_eq(rig_call.status, ACD_EINVAL);
    ck_assert_uint_eq(rig_published, 1);
}
END_TEST

START_TEST(belongs_to_its_actor)
{
    ck_assert_ptr_nonnull(create(1, "key", "acme"));
    ck_assert_ptr_nonnull(create(2, "key", "another"));
    ck_assert_ptr_null(create(2, "key", "acme"));
    ck_assert_int_eq(rig_call.status, ACD_EINVAL);
    ck_assert_uint_eq(rig_published, 2);
}
END_TEST

START_TEST(a_refusal_is_not_remembered)
{
    ck_assert_ptr_null(create(1, "key", ""));
    ck_assert_ptr_nonnull(create(1, "key", "acme"));
    ck_assert_uint_eq(rig_published, 1);
}
END_TEST

START_TEST(holds_for_a_day)
{
    ck_assert_ptr_nonnull(create(1, "key", "acme"));
    rig_wall_ms += 24 * HOUR_MS;
    ck_assert_ptr_nonnull(create(1, "key", "acme"));
    ck_assert_uint_eq(rig_published, 1);
    rig_wall_ms += 1;
    ck_assert_ptr_null(create(1, "key", "acme")); /* run again: the name is taken */
    ck_assert_int_eq(rig_call.status, ACD_EEXIST);
    ck_assert_ptr_nonnull(create(1, "key", "another")); /* and free for another request */
    ck_assert_uint_eq(rig_published, 2);
    ck_assert_ptr_nonnull(create(1, "key", "another"));
    ck_assert_uint_eq(rig_published, 2);
}
END_TEST

Suite *suite_idem(void);

Suite *
suite_idem(void)
{
    Suite *s = suite_create("core/idem");
    TCase *c = tcase_create("idem");
    const TTest *tests[] = {runs_once, stands_for_one_request, belongs_to_its_actor,
                            a_refusal_is_not_remembered, holds_for_a_day};
    tcase_add_checked_fixture(c, rig_setup, rig_teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
