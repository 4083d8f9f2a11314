#include "lib/main.h"

Suite *suite_idem(void);

TEST_MAIN(suite_idem)
