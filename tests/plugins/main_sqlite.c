#include "lib/main.h"

Suite *suite_sqlite(void);

TEST_MAIN(suite_sqlite)
