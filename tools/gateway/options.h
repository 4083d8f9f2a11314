/* The command line of anchord-gateway. Main thread, before anything else. */
#ifndef GATEWAY_OPTIONS_H
#define GATEWAY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "peers.h"

struct options {
    const char *listen, *socket, *tls_cert, *tls_key;
    uint32_t workers, max_conns, max_conns_address;
    uint32_t rate;   /* requests of one caller in RATE_WINDOW_S; 0: no limit */
    bool rate_given; /* otherwise there is none on loopback */
    uint32_t timeout_s, drain_s;
    int log_format, log_level;
    struct peers auth_peers; /* of /auth */
    bool help, version;
};

enum { RATE_WINDOW_S = 300 };

/* False: a message is on standard error, exit status 2. Strings point into argv. */
bool options_parse(int argc, char **argv, struct options *ret);
void options_help(void);

#endif
