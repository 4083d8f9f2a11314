#include "query/known.h"

#include <string.h>

#include "lib/main.h"
#include "model/digest.h"

static void
make(uint64_t n, size_t len, char *der, uint8_t digest[32])
{
    memset(der, (int)n, len);
    memcpy(der, &n, sizeof(n));
    digest_sha256(der, len, digest);
}

START_TEST(gives_back_what_was_put)
{
    struct known_store *k;
    struct mem_region r;
    uint8_t digest[32], other[32] = {0};
    const acd_slice chain[] = {{"leaf bytes", 10}, {"intermediate", 12}};
    acd_slice *got;
    size_t n;
    mem_init(&r, 4096, 0);
    digest_chain(chain, 2, digest);
    ck_assert_int_eq(known_store_new(1 << 20, &k, NULL), 0);
    ck_assert_int_eq(known_get(k, digest, &r, &got, &n), ACD_ENOENT);
    known_put(k, digest, chain, 2);
    ck_assert_int_eq(known_get(k, digest, &r, &got, &n), 0);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(got[1].len, 12);
    ck_assert_mem_eq(got[0].ptr, "leaf bytes", 10);
    ck_assert_mem_eq(got[1].ptr, "intermediate", 12);
    ck_assert_int_eq(known_get(k, other, &r, &got, &n), ACD_ENOENT);
    known_store_free(k);
    mem_done(&r);
}
END_TEST

START_TEST(bounded_and_keeps_what_is_used)
{
    enum { CHAINS = 4000, LEN = 1000, MAX = 16 * 64 * 1024 };
    struct known_store *k;
    struct mem_region r;
    char der[LEN];
    uint8_t hot[32], digest[32];
    acd_slice *got;
    size_t n, kept = 0;
    ck_assert_int_eq(known_store_new(MAX, &k, NULL), 0);
    mem_init(&r, 65536, 0);
    make(1000000, LEN, der, hot);
    known_put(k, hot, &(acd_slice){der, LEN}, 1);
    for (uint64_t i = 0; i < CHAINS; i++) {
        make(i, LEN, der, digest);
        known_put(k, digest, &(acd_slice){der, LEN}, 1);
        mem_reset(&r);
        ck_assert_int_eq(known_get(k, hot, &r, &got, &n), 0);
    }
    for (uint64_t i = 0; i < CHAINS; i++) {
        mem_reset(&r);
        make(i, LEN, der, digest);
        kept += known_get(k, digest, &r, &got, &n) == 0;
    }
    ck_assert_uint_le(kept * LEN, MAX);
    ck_assert_uint_ge(kept * LEN, MAX / 2);
    make(1, LEN, der, digest);
    mem_reset(&r);
    ck_assert_int_eq(known_get(k, digest, &r, &got, &n), ACD_ENOENT); /* the oldest went first */
    known_store_free(k);
    mem_done(&r);
}
END_TEST

Suite *suite_known(void);

Suite *
suite_known(void)
{
    Suite *s = suite_create("known");
    ADD_TESTS(s, "known", gives_back_what_was_put, bounded_and_keeps_what_is_used);
    return s;
}
