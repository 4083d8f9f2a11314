#include "base/err.h"
#include "lib/main.h"

#include <string.h>

START_TEST(table_is_complete)
{
    ck_assert_str_eq(status_name(ACD_OK), "ACD_OK");
    ck_assert_str_eq(status_name(ACD_ECANCELED), "ACD_ECANCELED");
    ck_assert_int_eq(status_grpc(ACD_EBUSY), 8);
    ck_assert_int_eq(status_from_grpc(5), ACD_ENOENT);
    ck_assert_int_eq(status_from_grpc(99), ACD_EINTERNAL);
    ck_assert_str_eq(status_name(12345), "ACD_EINTERNAL");
    ck_assert_str_eq(status_name(-12345), "ACD_EINTERNAL");
    ck_assert_str_eq(status_name(INT32_MIN), "ACD_EINTERNAL");
}
END_TEST

START_TEST(text_and_context)
{
    acd_err err = ACD_ERR_INIT;
    ck_assert_str_eq(err_text(&err, ACD_ENOENT), "not found");
    ck_assert_int_eq(err_set(&err, ACD_EINVAL, "bad %s", "name"), ACD_EINVAL);
    ck_assert_int_eq(err_context(&err, ACD_EINVAL, "file %d", 7), ACD_EINVAL);
    ck_assert_str_eq(err.text, "file 7: bad name");
    ck_assert_int_eq(err_set(NULL, ACD_EIO, "x"), ACD_EIO);
}
END_TEST

START_TEST(context_never_overflows)
{
    acd_err err = ACD_ERR_INIT;
    char long_text[600];
    memset(long_text, 'a', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    (void)err_set(&err, ACD_EINVAL, "%s", long_text);
    for (int i = 0; i < 3; i++)
        (void)err_context(&err, ACD_EINVAL, "%s", long_text);
    ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
}
END_TEST

Suite *suite_err(void);

Suite *
suite_err(void)
{
    Suite *s = suite_create("err");
    ADD_TESTS(s, "err", table_is_complete, text_and_context, context_never_overflows);
    return s;
}
