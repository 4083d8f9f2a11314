/* Addresses and options of the bus. Private to wire/; any thread. */
#ifndef WIRE_BUS_SETUP_H
#define WIRE_BUS_SETUP_H

#include "base/err.h"
#include "wire/bus.h"

/* Defaults in place of zeroes, and nothing beyond the bounds of model/limits.h. */
struct bus_opts bus_opts_full(const struct bus_opts *opts);

/* The path of an ipc URL, NULL for others. Points into url. */
const char *bus_url_path(const char *url);

/* Of a tcp URL that bus_check_url let pass; host is empty for "*", and has no brackets. */
struct bus_address {
    char host[256], port[6];
};
int bus_url_address(const char *url, struct bus_address *ret, acd_err *err) ACD_MUSTCHECK;

/* Makes room for the socket file of an ipc URL: the file of a dead server is removed. ACD_EEXIST: a living
 * server listens there, or the file is no socket. */
int bus_clear_socket(const char *path, acd_err *err) ACD_MUSTCHECK;

#endif
