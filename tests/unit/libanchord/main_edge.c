#include "lib/main.h"

Suite *suite_edge(void);
Suite *suite_edge_verdict(void);
Suite *suite_edge_quiet(void);

TEST_MAIN(suite_edge, suite_edge_verdict, suite_edge_quiet)
