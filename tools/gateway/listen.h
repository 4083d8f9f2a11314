/* The socket that connections come in at. */
#ifndef GATEWAY_LISTEN_H
#define GATEWAY_LISTEN_H

#include <anchord/types.h>

#include "base/must.h"

enum { LISTEN_TEXT_MAX = 128 };

/* "127.0.0.1:8080", "[::1]:8080", "localhost:0", or "unix:PATH", where a socket that nobody listens on any
 * more is replaced. The socket and the address that it has got, with the port that was taken; the caller
 * closes it. */
int listen_on(const char *text, int *ret_fd, char ret_address[LISTEN_TEXT_MAX], acd_err *err) ACD_MUSTCHECK;

#endif
