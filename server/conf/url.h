/* URLs of the bus as far as the configuration must understand them. Pure, any thread. Inside conf/ only. */
#ifndef CONF_URL_H
#define CONF_URL_H

#include <stdbool.h>

#include <anchord/types.h>

#include "base/must.h"

enum conf_url_scheme { CONF_URL_IPC, CONF_URL_TCP };

struct conf_url {
    enum conf_url_scheme scheme;
    bool is_loopback; /* TCP: "localhost", 127.0.0.0/8 or [::1] */
};

/* ipc://PATH (at most what a socket address holds), tcp://HOST:PORT. */
int conf_url_parse(const char *text, struct conf_url *ret, acd_err *err) ACD_MUSTCHECK;

#endif
