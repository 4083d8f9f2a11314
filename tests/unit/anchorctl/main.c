#include "lib/main.h"

Suite *suite_account(void);
Suite *suite_ca(void);
Suite *suite_complete(void);
Suite *suite_fail(void);
Suite *suite_host(void);
Suite *suite_import(void);
Suite *suite_list(void);
Suite *suite_offline(void);
Suite *suite_out(void);
Suite *suite_parse(void);
Suite *suite_pem(void);
Suite *suite_query(void);
Suite *suite_quota(void);
Suite *suite_server(void);
Suite *suite_table(void);

TEST_MAIN(suite_table, suite_parse, suite_pem, suite_out, suite_complete, suite_account, suite_list, suite_ca,
          suite_import, suite_host, suite_quota, suite_query, suite_server, suite_fail, suite_offline)
