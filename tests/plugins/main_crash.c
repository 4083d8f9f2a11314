#include "lib/main.h"

Suite *suite_crash(void);

TEST_MAIN(suite_crash)
