#include "lib/main.h"

Suite *suite_digest(void);
Suite *suite_host(void);
Suite *suite_ids(void);
Suite *suite_net(void);
Suite *suite_permission(void);

TEST_MAIN(suite_digest, suite_host, suite_ids, suite_net, suite_permission)
