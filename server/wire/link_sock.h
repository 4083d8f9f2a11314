/*
 * The client's socket: connecting to a URL with the SP hello, and waiting for bytes. Private to wire/; any
 * thread, no state.
 */
#ifndef WIRE_LINK_SOCK_H
#define WIRE_LINK_SOCK_H

#include <sys/uio.h>
#include <sys/un.h>

#include "base/err.h"
#include "wire/bus_setup.h"
#include "wire/sp.h"

/* Where a server is; a host name is resolved each time that one connects. */
struct link_address {
    enum sp_framing framing;
    struct sockaddr_un ipc;
    struct bus_address tcp;
};

int link_address_parse(const char *url, struct link_address *ret, acd_err *err) ACD_MUSTCHECK;

/* A connection on which both ends have said hello; a descriptor that does not block. ACD_EUNAVAIL: there is
 * nobody, or somebody else than a REP socket, or the time was over. Monotonic time (clock_system). */
int link_sock_connect(const struct link_address *a, uint64_t until_ns) ACD_MUSTCHECK;

/* An idle connection: has the peer ended it? */
bool link_sock_ended(int fd);

/* Bytes sent, as many as go at once; ACD_EUNAVAIL: the connection ended. */
ssize_t link_sock_send(int fd, const uint8_t *p, size_t len) ACD_MUSTCHECK;

/* Bytes read; 0: none until then, or `kick` (an eventfd) was rung, or there is room to send, when that was
 * asked for; ACD_EUNAVAIL: the connection ended. eager: there may well be bytes already. */
struct link_sock_wait {
    int fd, kick;
    bool room, eager;
    uint64_t until_ns;
};
ssize_t link_sock_read(const struct link_sock_wait *w, const struct iovec *iov, int n) ACD_MUSTCHECK;

#endif
