/*
 * A client of plain nng, as lean as nng allows: one REQ socket, a context for each question in flight, and
 * callbacks that ask again in nng's own threads. It asks a bare nng echo, which is what the bus is compared
 * with, and our server, to see what such a client gets.
 */
#ifndef BENCH_NNG_CLIENT_H
#define BENCH_NNG_CLIENT_H

#include <stddef.h>

#include <anchord/types.h>

struct nng_client;

/* asks: whole messages, taken in turn; they stay the caller's. Failures end the program. */
struct nng_client *nng_client_open(const char *url, const acd_slice *asks, size_t n, unsigned in_flight);
void nng_client_close(struct nng_client *c);
/* Calls per second over that time. As rig_pair wants it: ctx is a struct nng_client. */
double nng_client_run(void *client, double seconds);

#endif
