#include "lib/main.h"

Suite *suite_known(void);
Suite *suite_verdict(void);

TEST_MAIN(suite_known, suite_verdict)
