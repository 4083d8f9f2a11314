#include "lib/main.h"

Suite *suite_bus(void);
Suite *suite_bus_setup(void);
Suite *suite_call(void);
Suite *suite_conn(void);
Suite *suite_frame(void);
Suite *suite_msg(void);
Suite *suite_rpc(void);
Suite *suite_scan(void);

TEST_MAIN(suite_msg, suite_scan, suite_frame, suite_rpc, suite_conn, suite_bus_setup, suite_bus, suite_call)
