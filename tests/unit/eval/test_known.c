#include "eval/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "lib/main.h"
#include "model/digest.h"
#include "model/limits.h"

START_TEST(found_by_the_hashes_of_its_bytes)
{
    struct known k;
    uint8_t leaf[32], chain[32];
    acd_slice ders[3] = {SLICE_LIT("leaf"), SLICE_LIT("one"), SLICE_LIT("two")};
    ck_assert_int_eq(known_init(&k, 1 << 20), 0);
    ck_assert_int_eq(known_put(&k, ders, 3), 0);
    digest_sha256("leaf", 4, leaf);
    digest_chain(ders + 1, 2, chain);
    const struct known_chain *c = known_find(&k, leaf, chain);
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_eq(c->n, 3);
    for (int i = 0; i < 3; i++)
        ck_assert(slice_eq(c->certs[i], ders[i]));
    digest_chain(ders + 1, 1, chain);
    ck_assert_ptr_null(known_find(&k, leaf, chain));
    known_done(&k);
    ck_assert(slice_eqs(c->certs[2], "two")); /* a reference outlives the store */
    known_unref(c);
}
END_TEST

START_TEST(bounded_in_bytes_oldest_first)
{
    struct known k;
    struct lru_stats s;
    char der[1000] = {0};
    ck_assert_int_eq(known_init(&k, 16 * 20000), 0);
    for (int i = 0; i < 5000; i++) {
        memcpy(der, &i, sizeof(i));
        acd_slice d = {der, sizeof(der)};
        ck_assert_int_eq(known_put(&k, &d, 1), 0);
        known_stats(&k, &s);
        ck_assert_uint_le(s.bytes, 16 * 20000);
    }
    ck_assert_uint_gt(s.evictions, 4000);
    uint8_t leaf[32], chain[32];
    digest_chain(NULL, 0, chain);
    digest_sha256(der, sizeof(der), leaf); /* the newest is there */
    const struct known_chain *c = known_find(&k, leaf, chain);
    ck_assert_ptr_nonnull(c);
    known_unref(c);
    memset(der, 0, 4);
    digest_sha256(der, sizeof(der), leaf); /* the oldest is not */
    ck_assert_ptr_null(known_find(&k, leaf, chain));
    known_done(&k);
}
END_TEST

START_TEST(over_the_limits)
{
    struct known k;
    acd_slice many[LIMIT_CHAIN + 1];
    char *big = calloc(1, LIMIT_CHAIN_BYTES + 1);
    ck_assert_int_eq(known_init(&k, 1 << 24), 0);
    for (int i = 0; i <= LIMIT_CHAIN; i++)
        many[i] = (acd_slice)SLICE_LIT("x");
    ck_assert_int_eq(known_put(&k, many, LIMIT_CHAIN + 1), ACD_ELIMIT);
    ck_assert_int_eq(known_put(&k, many, LIMIT_CHAIN), 0);
    ck_assert_int_eq(known_put(&k, many, 0), ACD_EINVAL);
    acd_slice one = {big, LIMIT_CHAIN_BYTES};
    ck_assert_int_eq(known_put(&k, &one, 1), 0);
    one.len++;
    ck_assert_int_eq(known_put(&k, &one, 1), ACD_ELIMIT);
    known_done(&k);
    free(big);
}
END_TEST

Suite *suite_known(void);

Suite *
suite_known(void)
{
    Suite *s = suite_create("known");
    ADD_TESTS(s, "known", found_by_the_hashes_of_its_bytes, bounded_in_bytes_oldest_first, over_the_limits);
    return s;
}
