#include "peers.h"

#include <string.h>

#include "base/str.h"

int
peers_add(struct peers *p, const char *text, acd_err *err)
{
    if (strcmp(text, "unix") == 0) {
        p->unix_socket = true;
        return 0;
    }
    if (p->n == PEERS_MAX)
        return err_set(err, ACD_ELIMIT, "more than %d ranges", PEERS_MAX);
    int rc = net_range_parse(slice_str(text), &p->ranges[p->n], err);
    p->n += rc == 0;
    return rc;
}

bool
peers_have(const struct peers *p, const char *remote)
{
    struct net_addr addr;
    if (strcmp(remote, "unix") == 0)
        return p->unix_socket;
    if (!net_addr_parse(slice_str(remote), &addr))
        return false;
    for (size_t i = 0; i < p->n; i++)
        if (net_range_has(&p->ranges[i], &addr))
            return true;
    return false;
}
