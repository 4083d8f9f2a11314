/* The cipher of what is kept secret: what goes in comes out, and nothing else does. */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "core/seal.h"
#include "lib/main.h"

static const uint8_t key[SEAL_KEY_LEN] = {1, 2, 3};
static const acd_slice aad = {"row", 3};

START_TEST(what_goes_in_comes_out)
{
    static const size_t lengths[] = {0, 1, 15, 16, 17, 4096};
    uint8_t plain[4096], sealed[4096 + SEAL_EXTRA], back[4096];
    memset(plain, 'p', sizeof(plain));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        size_t len = lengths[i];
        ck_assert_int_eq(seal_wrap(key, aad, slice_of(plain, len), sealed, NULL), 0);
        if (len >= 16)
            ck_assert_ptr_null(memmem(sealed, len + SEAL_EXTRA, plain, 16));
        ck_assert_int_eq(seal_open(key, aad, slice_of(sealed, len + SEAL_EXTRA), back, NULL), 0);
        ck_assert_mem_eq(back, plain, len);
    }
}
END_TEST

START_TEST(every_record_has_its_own_nonce)
{
    uint8_t a[4 + SEAL_EXTRA], b[4 + SEAL_EXTRA];
    ck_assert_int_eq(seal_wrap(key, aad, SLICE_LIT("same"), a, NULL), 0);
    ck_assert_int_eq(seal_wrap(key, aad, SLICE_LIT("same"), b, NULL), 0);
    ck_assert_mem_ne(a + 1, b + 1, SEAL_NONCE_LEN);
    ck_assert_mem_ne(a + 1 + SEAL_NONCE_LEN, b + 1 + SEAL_NONCE_LEN, 4);
}
END_TEST

/* Every bit counts, and so does every octet that is missing or too many. */
START_TEST(a_changed_record_does_not_open)
{
    uint8_t sealed[6 + SEAL_EXTRA + 1], back[7];
    ck_assert_int_eq(seal_wrap(key, aad, SLICE_LIT("secret"), sealed, NULL), 0);
    sealed[6 + SEAL_EXTRA] = 0;
    for (size_t bit = 0; bit < 8 * (6 + SEAL_EXTRA); bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        memset(back, 0xaa, sizeof(back));
        ck_assert_int_eq(seal_open(key, aad, slice_of(sealed, 6 + SEAL_EXTRA), back, NULL), ACD_ECORRUPT);
        ck_assert_ptr_null(memmem(back, sizeof(back), "cre", 3));
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len <= 6 + SEAL_EXTRA + 1; len++)
        ck_assert_int_eq(seal_open(key, aad, slice_of(sealed, len), back, NULL),
                         len == 6 + SEAL_EXTRA ? 0 : ACD_ECORRUPT);
}
END_TEST

START_TEST(another_key_or_another_row_does_not_open)
{
    const uint8_t other[SEAL_KEY_LEN] = {1, 2, 4};
    uint8_t sealed[6 + SEAL_EXTRA], back[6];
    const acd_slice in = slice_of(sealed, sizeof(sealed));
    acd_err err = ACD_ERR_INIT;
    ck_assert_int_eq(seal_wrap(key, aad, SLICE_LIT("secret"), sealed, NULL), 0);
    ck_assert_int_eq(seal_open(other, aad, in, back, &err), ACD_ECORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "another key"));
    ck_assert_int_eq(seal_open(key, SLICE_LIT("roW"), in, back, NULL), ACD_ECORRUPT);
    ck_assert_int_eq(seal_open(key, slice_of(NULL, 0), in, back, NULL), ACD_ECORRUPT);
}
END_TEST

Suite *suite_seal(void);

Suite *
suite_seal(void)
{
    Suite *s = suite_create("core/seal");
    TCase *c = tcase_create("seal");
    const TTest *tests[] = {what_goes_in_comes_out, every_record_has_its_own_nonce,
                            a_changed_record_does_not_open, another_key_or_another_row_does_not_open};
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
