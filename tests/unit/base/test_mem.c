#include "base/mem.h"
#include "lib/main.h"

#include <stdint.h>
#include <string.h>

START_TEST(aligned_and_separate)
{
    struct mem_region r;
    mem_init(&r, 512, 0);
    char *last = NULL;
    for (size_t i = 0; i < 200; i++) {
        char *p = mem_alloc(&r, i);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % 16, 0);
        ck_assert_ptr_ne(p, last);
        memset(p, (int)i, i);
        last = p;
    }
    mem_done(&r);
}
END_TEST

START_TEST(limit_holds)
{
    struct mem_region r;
    mem_init(&r, 256, 1000);
    ck_assert_ptr_nonnull(mem_alloc(&r, 600));
    ck_assert(!r.full);
    ck_assert_ptr_null(mem_alloc(&r, 500));
    ck_assert(r.full);
    ck_assert_ptr_nonnull(mem_alloc(&r, 200));
    ck_assert_ptr_null(mem_alloc(&r, SIZE_MAX));
    ck_assert_ptr_null(mem_array(&r, SIZE_MAX / 2, 4));
    mem_reset(&r);
    ck_assert(!r.full);
    ck_assert_ptr_nonnull(mem_alloc(&r, 600));
    mem_done(&r);
}
END_TEST

START_TEST(copies)
{
    struct mem_region r;
    mem_init(&r, 256, 0);
    ck_assert_str_eq(mem_strndup(&r, "hello", 4), "hell");
    ck_assert_str_eq(mem_printf(&r, "%s-%d", "a", 5), "a-5");
    acd_slice s = mem_slice(&r, (acd_slice){"xyz", 3});
    ck_assert(memcmp(s.ptr, "xyz", 3) == 0);
    mem_done(&r);
}
END_TEST

Suite *suite_mem(void);

Suite *
suite_mem(void)
{
    Suite *s = suite_create("mem");
    ADD_TESTS(s, "mem", aligned_and_separate, limit_holds, copies);
    return s;
}
