#include "lib/main.h"

Suite *suite_bus(void);
Suite *suite_bus_setup(void);
Suite *suite_bus_hostile(void);
Suite *suite_bus_nng(void);
Suite *suite_call(void);
Suite *suite_codec(void);
Suite *suite_frame(void);
Suite *suite_link(void);
Suite *suite_msg(void);
Suite *suite_rpc(void);
Suite *suite_scan(void);
Suite *suite_sp(void);

TEST_MAIN(suite_msg, suite_scan, suite_codec, suite_frame, suite_rpc, suite_sp, suite_bus_setup, suite_bus,
          suite_bus_hostile, suite_bus_nng, suite_link, suite_call)
