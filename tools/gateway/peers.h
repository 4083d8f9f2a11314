/* Who may put questions to /auth: ranges of addresses, and the peers of a unix socket. */
#ifndef GATEWAY_PEERS_H
#define GATEWAY_PEERS_H

#include "base/must.h"
#include "model/net.h"

enum { PEERS_MAX = 64 };

struct peers {
    struct net_range ranges[PEERS_MAX];
    size_t n;
    bool unix_socket;
};

/* One more: "10.0.0.0/8", "::1" or "unix". ACD_EINVAL says what it is not, ACD_ELIMIT: there are PEERS_MAX.
 */
int peers_add(struct peers *p, const char *text, acd_err *err) ACD_MUSTCHECK;

/* Is the remote of a request (http.h) one of them? Nobody is, where there are none. Any thread. */
bool peers_have(const struct peers *p, const char *remote);

#endif
