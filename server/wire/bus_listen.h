/*
 * Listening sockets of the bus. Private to wire/; one thread at a time.
 *
 * An ipc socket has mode 0600 from its first moment (the mode is set on the socket before bind makes the
 * file), whatever the umask. When descriptors run out, a spare one is given up for a moment, so that the
 * waiting connection is accepted and hung up on: otherwise it would stay in the backlog and keep epoll awake.
 */
#ifndef WIRE_BUS_LISTEN_H
#define WIRE_BUS_LISTEN_H

#include <sys/types.h>

#include "wire/bus.h"
#include "wire/sp.h"

enum { LISTEN_URL = 256 };

struct listener {
    int fd;
    enum sp_framing framing;
    char url[LISTEN_URL]; /* with the real port */
    dev_t dev;            /* of the socket file, so that only our own is removed */
    ino_t ino;
};

/* Errors are those of bus_start. */
int listener_open(struct listener *l, const char *url, bool insecure, acd_err *err) ACD_MUSTCHECK;
void listener_close(struct listener *l);

/* A descriptor, non-blocking; *peer says who is there, without a number. ACD_ENOENT: nobody waits;
 * ACD_ELIMIT: no descriptors, somebody was hung up on; ACD_EBUSY: no descriptors, not even for that. spare:
 * an open descriptor or -1, taken and given back. */
int listener_accept(struct listener *l, int *spare, struct rpc_peer *peer) ACD_MUSTCHECK;

int spare_open(void);

#endif
