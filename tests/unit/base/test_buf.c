#include "base/buf.h"
#include "lib/main.h"

START_TEST(grows_and_terminates)
{
    struct buf b = BUF_INIT(100000);
    for (int i = 0; i < 10000; i++)
        buf_putc(&b, 'x');
    buf_printf(&b, "%d", 42);
    ck_assert_int_eq(b.failed, 0);
    ck_assert_uint_eq(b.len, 10002);
    ck_assert_str_eq(b.data + 10000, "42");
    buf_done(&b);
}
END_TEST

START_TEST(limit_is_sticky)
{
    struct buf b = BUF_INIT(4);
    buf_puts(&b, "abcd");
    ck_assert_int_eq(b.failed, 0);
    buf_putc(&b, 'e');
    ck_assert_int_eq(b.failed, ACD_ELIMIT);
    buf_puts(&b, "");
    ck_assert_uint_eq(b.len, 4);
    buf_clear(&b);
    buf_puts(&b, "xyz");
    ck_assert_int_eq(b.failed, 0);
    ck_assert_str_eq(b.data, "xyz");
    buf_done(&b);
}
END_TEST

Suite *suite_buf(void);

Suite *
suite_buf(void)
{
    Suite *s = suite_create("buf");
    ADD_TESTS(s, "buf", grows_and_terminates, limit_is_sticky);
    return s;
}
