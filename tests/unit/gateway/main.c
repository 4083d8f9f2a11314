#include "lib/main.h"

Suite *suite_forwarded(void);
Suite *suite_page(void);
Suite *suite_peers(void);
Suite *suite_route(void);
Suite *suite_text(void);

TEST_MAIN(suite_forwarded, suite_page, suite_peers, suite_route, suite_text)
