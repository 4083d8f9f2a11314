#include "lib/main.h"

Suite *suite_storage(void);

TEST_MAIN(suite_storage)
