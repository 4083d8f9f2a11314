#include "lib/main.h"

Suite *suite_client(void);

TEST_MAIN(suite_client)
