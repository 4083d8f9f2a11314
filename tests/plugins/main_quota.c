#include "lib/main.h"

Suite *suite_quota(void);

TEST_MAIN(suite_quota)
