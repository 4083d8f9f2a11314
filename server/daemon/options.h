/* The command line of anchord. Main thread, before anything else. */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/must.h"

enum { OPTIONS_LISTEN_MAX = 16 };

struct options {
    const char *config, *data, *role, *primary;
    const char *listen[OPTIONS_LISTEN_MAX];
    size_t nlisten;
    bool check_config, dump_config, help, version;
};

/* False: a message is on standard error, exit status 2. Strings point into argv. */
bool options_parse(int argc, char **argv, struct options *ret);
void options_help(void);

#endif
