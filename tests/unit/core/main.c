#include "lib/main.h"

Suite *suite_idem(void);
Suite *suite_imports(void);

TEST_MAIN(suite_idem, suite_imports)
