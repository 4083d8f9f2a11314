#include "lib/main.h"

Suite *suite_check(void);
Suite *suite_dump(void);
Suite *suite_parse(void);
Suite *suite_set(void);
Suite *suite_url(void);

TEST_MAIN(suite_check, suite_dump, suite_parse, suite_set, suite_url)
