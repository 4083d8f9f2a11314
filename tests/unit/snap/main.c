#include "lib/main.h"

Suite *suite_writer(void);

TEST_MAIN(suite_writer)
