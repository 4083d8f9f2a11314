#include "lib/main.h"

Suite *suite_commit(void);
Suite *suite_damage(void);
Suite *suite_open(void);
Suite *suite_revoked(void);
Suite *suite_threads(void);
Suite *suite_writer(void);

TEST_MAIN(suite_commit, suite_damage, suite_open, suite_revoked, suite_threads, suite_writer)
