#include "lib/main.h"

Suite *suite_load(void);

TEST_MAIN(suite_load)
