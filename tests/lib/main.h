/*
 * Runner glue for libcheck: each test file offers one `Suite *suite_x(void)`, and a program lists its suites.
 * Results go to standard output as TAP, which meson counts case by case.
 */
#ifndef TESTS_MAIN_H
#define TESTS_MAIN_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define TEST_MAIN(...)                                                  \
    int main(void)                                                      \
    {                                                                   \
        Suite *(*suites[])(void) = {__VA_ARGS__};                       \
        SRunner *runner = srunner_create(suites[0]());                  \
        for (size_t i = 1; i < sizeof(suites) / sizeof(suites[0]); i++) \
            srunner_add_suite(runner, suites[i]());                     \
        srunner_set_tap(runner, "-");                                   \
        srunner_run_all(runner, CK_SILENT);                             \
        int failed = srunner_ntests_failed(runner);                     \
        srunner_free(runner);                                           \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                    \
    }

/* One test case (TCase) of a suite from a list of tests. */
#define ADD_TESTS(suite, name, ...)                                        \
    do {                                                                   \
        TCase *tc_ = tcase_create(name);                                   \
        tcase_set_timeout(tc_, 60);                                        \
        const TTest *tests_[] = {__VA_ARGS__};                             \
        for (size_t i_ = 0; i_ < sizeof(tests_) / sizeof(tests_[0]); i_++) \
            tcase_add_test(tc_, tests_[i_]);                               \
        suite_add_tcase((suite), tc_);                                     \
    } while (0)

#endif
