#include "lib/main.h"

Suite *suite_bundles(void);
Suite *suite_evaluate(void);
Suite *suite_flight(void);
Suite *suite_known(void);
Suite *suite_origin(void);
Suite *suite_revocation(void);
Suite *suite_trust(void);

TEST_MAIN(suite_bundles, suite_evaluate, suite_flight, suite_known, suite_origin, suite_revocation,
          suite_trust)
