#include "lib/main.h"

Suite *suite_ahead(void);
Suite *suite_authz(void);
Suite *suite_tokens(void);
Suite *suite_hosts(void);
Suite *suite_idem(void);
Suite *suite_imports(void);
Suite *suite_keyring(void);
Suite *suite_keys(void);
Suite *suite_managed(void);
Suite *suite_rules(void);
Suite *suite_seal(void);

TEST_MAIN(suite_ahead, suite_authz, suite_hosts, suite_idem, suite_imports, suite_keyring, suite_keys,
          suite_managed, suite_rules, suite_seal, suite_tokens)
