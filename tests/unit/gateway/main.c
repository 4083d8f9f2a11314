#include "lib/main.h"

Suite *suite_page(void);
Suite *suite_route(void);
Suite *suite_text(void);

TEST_MAIN(suite_page, suite_route, suite_text)
