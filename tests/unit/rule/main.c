#include "lib/main.h"

Suite *suite_explain(void);
Suite *suite_find(void);
Suite *suite_parse(void);
Suite *suite_print(void);
Suite *suite_record(void);
Suite *suite_regex(void);
Suite *suite_ruleset(void);
Suite *suite_scheme(void);
Suite *suite_set(void);
Suite *suite_value(void);
Suite *suite_vm(void);

TEST_MAIN(suite_explain, suite_find, suite_parse, suite_print, suite_record, suite_regex, suite_ruleset,
          suite_scheme, suite_set, suite_value, suite_vm)
