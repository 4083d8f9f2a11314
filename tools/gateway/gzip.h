/* Compression of replies (RFC 1952). Pure functions, any thread. */
#ifndef GATEWAY_GZIP_H
#define GATEWAY_GZIP_H

#include <stdbool.h>

#include "base/mem.h"

/* Does the value of an Accept-Encoding header (RFC 9110 section 12.5.3) take gzip? NULL: no header, no. */
bool gzip_accepted(const char *accept_encoding);

/* The compressed form, in the region; {NULL, 0}: it is not smaller, or there is no memory. */
acd_slice gzip_pack(struct mem_region *r, acd_slice in) ACD_MUSTCHECK;

#endif
