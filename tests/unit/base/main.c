#include "lib/main.h"

Suite *suite_buf(void);
Suite *suite_err(void);
Suite *suite_map(void);
Suite *suite_mem(void);
Suite *suite_queue(void);
Suite *suite_rcu(void);
Suite *suite_str(void);

TEST_MAIN(suite_buf, suite_err, suite_map, suite_mem, suite_queue, suite_rcu, suite_str)
