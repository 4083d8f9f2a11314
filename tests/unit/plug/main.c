#include "lib/main.h"

Suite *suite_conf(void);
Suite *suite_guard(void);
Suite *suite_life(void);
Suite *suite_meta(void);

TEST_MAIN(suite_conf, suite_guard, suite_life, suite_meta)
