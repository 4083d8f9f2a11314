#include "lib/main.h"

Suite *suite_derive(void);
Suite *suite_verdict(void);

TEST_MAIN(suite_derive, suite_verdict)
