#include "base/str.h"
#include "lib/main.h"
#include "model/digest.h"
#include "model/limits.h"

/* FIPS 180-4 examples. */
START_TEST(known_answers)
{
    uint8_t d[DIGEST_LEN];
    char hex[2 * DIGEST_LEN + 1];
    digest_sha256("abc", 3, d);
    hex_encode(d, sizeof(d), hex);
    ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256(NULL, 0, d);
    hex_encode(d, sizeof(d), hex);
    ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(pieces_equal_whole)
{
    uint8_t a[DIGEST_LEN], b[DIGEST_LEN];
    struct digest d;
    digest_sha256("hello world", 11, a);
    digest_init(&d);
    digest_update(&d, "hello ", 6);
    digest_update(&d, "world", 5);
    digest_final(&d, b);
    ck_assert_mem_eq(a, b, DIGEST_LEN);
}
END_TEST

START_TEST(chain_depends_on_order_and_split)
{
    acd_slice ab[] = {SLICE_LIT("a"), SLICE_LIT("b")}, ba[] = {SLICE_LIT("b"), SLICE_LIT("a")};
    acd_slice joined[] = {SLICE_LIT("ab")};
    uint8_t d[3][DIGEST_LEN];
    digest_chain(ab, 2, d[0]);
    digest_chain(ba, 2, d[1]);
    digest_chain(joined, 1, d[2]);
    ck_assert_mem_ne(d[0], d[1], DIGEST_LEN);
    ck_assert_mem_ne(d[0], d[2], DIGEST_LEN);
}
END_TEST

/* Short chains are digested in place, long ones piece by piece: one definition. */
START_TEST(chain_of_any_length_has_one_definition)
{
    acd_slice ders[LIMIT_CHAIN + 2];
    uint8_t each[LIMIT_CHAIN + 2][DIGEST_LEN], want[DIGEST_LEN], got[DIGEST_LEN];
    for (size_t n = 0; n <= LIMIT_CHAIN + 2; n++) {
        if (n > 0) {
            ders[n - 1] = slice_of("abcdefghijklmnopqrstuvwxyz" + n, 5);
            digest_sha256(ders[n - 1].ptr, 5, each[n - 1]);
        }
        digest_sha256(each, n * DIGEST_LEN, want);
        digest_chain(ders, n, got);
        ck_assert_mem_eq(got, want, DIGEST_LEN);
    }
}
END_TEST

Suite *suite_digest(void);

Suite *
suite_digest(void)
{
    Suite *s = suite_create("digest");
    ADD_TESTS(s, "digest", known_answers, pieces_equal_whole, chain_depends_on_order_and_split,
              chain_of_any_length_has_one_definition);
    return s;
}
