#include "lib/main.h"

Suite *suite_sdk(void);

TEST_MAIN(suite_sdk)
