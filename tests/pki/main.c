#include "lib/main.h"

Suite *suite_inspect(void);
Suite *suite_names(void);
Suite *suite_sign(void);
Suite *suite_told(void);
Suite *suite_verify(void);

TEST_MAIN(suite_inspect, suite_names, suite_sign, suite_told, suite_verify)
