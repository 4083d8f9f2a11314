/* A client as lean as the wire allows, so that the server is what is measured: one blocking socket, requests
 * in flight as bytes, one write for as many requests as replies came with one read. */
#ifndef TESTS_BENCH_RAW_CLIENT_H
#define TESTS_BENCH_RAW_CLIENT_H

#include <stddef.h>
#include <stdint.h>

/* Replies per second; url: ipc:// or tcp:// with a numeric IPv4 host. Failures end the program. */
double raw_measure(const char *url, const uint8_t *request, size_t len, unsigned in_flight, double seconds);

#endif
