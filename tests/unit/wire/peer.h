/* A raw peer of the bus: the SP protocol by hand, to speak it badly where a test wants that. */
#ifndef TESTS_WIRE_PEER_H
#define TESTS_WIRE_PEER_H

#include "fixture.h"

int raw_open(const char *path);            /* connected, nothing said; -1 on failure; safe after fork */
int raw_connect(const struct server *s);   /* the hello is done */
acd_slice trust_request(const char *host); /* the envelope of a GetTrust; static */

/* One message; 0 when it was written whole, else -errno. */
int raw_send_stack(int fd, acd_slice stack, acd_slice body, int flags);
/* One request with a stack of one id. MSG_DONTWAIT: a server that stopped reading is noticed. */
int raw_send(int fd, uint32_t id, acd_slice body, int flags);

/* A whole message, the stack included; false: the server hung up. */
bool raw_recv_all(int fd, uint8_t *out, size_t size, size_t *ret_len);
/* The same without the request's number. */
bool raw_recv(int fd, uint8_t *out, size_t size, size_t *ret_len);
/* Until the server hangs up; whatever else comes is skipped. */
void raw_wait_closed(int fd);

size_t open_descriptors(void);
/* Lets the process have so many descriptors, or as many as it may. */
void descriptors_allow(size_t n);

#endif
