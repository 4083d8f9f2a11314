/* Ranges of IP addresses in CIDR notation: RFC 4632 section 3.1 for IPv4, RFC 4291 section 2.3 for IPv6. */
#ifndef MODEL_NET_H
#define MODEL_NET_H

#include <anchord/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* IPv4 stands as an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), with 96 more bits of prefix. */
struct net_addr {
    uint8_t b[16];
};
struct net_range {
    struct net_addr addr;
    uint8_t bits;
};

/* "192.0.2.1", "2001:db8::1"; nothing around it. False: it is none. */
bool net_addr_parse(acd_slice text, struct net_addr *ret);

/* An address alone is a range of one. ACD_EINVAL says what is wrong; bits beyond the prefix must be zero. */
int net_range_parse(acd_slice text, struct net_range *ret, acd_err *err) ACD_MUSTCHECK;

bool net_range_has(const struct net_range *r, const struct net_addr *a);

#endif
