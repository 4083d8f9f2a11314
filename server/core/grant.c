#include "core/grant.h"

#include "base/str.h"

bool
grant_has_zone(const struct rpc_scope *s, acd_slice account_id, acd_slice zone_id)
{
    const struct grant *g = (const void *)s;
    if (!slice_eqs(account_id, s->account))
        return false;
    for (size_t i = 0; i < g->n_zones; i++)
        if (slice_eqs(zone_id, g->zones[i]))
            return true;
    return g->n_zones == 0;
}

bool
grant_has_source(const struct grant *g, acd_slice address)
{
    struct net_addr a;
    if (g->n_sources == 0)
        return true;
    if (!net_addr_parse(address, &a))
        return false;
    for (size_t i = 0; i < g->n_sources; i++)
        if (net_range_has(&g->sources[i], &a))
            return true;
    return false;
}
