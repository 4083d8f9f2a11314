#include "lib/main.h"

Suite *suite_verdict(void);

TEST_MAIN(suite_verdict)
