#include "lib/main.h"

Suite *suite_digest(void);
Suite *suite_host(void);
Suite *suite_ids(void);

TEST_MAIN(suite_digest, suite_host, suite_ids)
