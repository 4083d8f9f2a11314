/* What credentials allow: the scope of a call that does not go by its peer. */
#ifndef CORE_GRANT_H
#define CORE_GRANT_H

#include "model/digest.h"
#include "model/ids.h"
#include "model/net.h"
#include "model/permission.h"
#include "wire/rpc.h"

struct grant {
    struct rpc_scope scope;     /* first */
    char id[ID_HEX_LEN + 1];    /* of the token */
    char actor[ID_HEX_LEN + 8]; /* as the change record names it: "token:<id>" */
    permission_set permissions;
    int64_t expires_ms; /* 0: never */
    const char *email;  /* "": not to be used as X-Auth-Key */
    const char (*zones)[ID_HEX_LEN + 1];
    size_t n_zones; /* 0: every zone of the account */
    const struct net_range *sources;
    size_t n_sources; /* 0: from everywhere */
};

/* Is this zone of this account within it? A rpc_scope's has_zone. */
bool grant_has_zone(const struct rpc_scope *s, acd_slice account_id, acd_slice zone_id);
/* A source that is not known lies in no range. */
bool grant_has_source(const struct grant *g, acd_slice address);

#endif
