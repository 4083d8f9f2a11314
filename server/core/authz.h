/*
 * Who may call what.
 *
 * A call without credentials goes by its peer: the processes of root and of the user the server runs as are
 * administrators, when they come over the local socket (whose peer the kernel names); everyone who can
 * connect may ask the edge's questions.
 *
 * A call with credentials, or one that says it is made for somebody else ("delegated",
 * proto/anchord/v1/envelope.proto), goes by its token alone, whoever the peer is. What the token does not
 * reach is answered as what does not exist.
 */
#ifndef CORE_AUTHZ_H
#define CORE_AUTHZ_H

#include "core/core.h"
#include "model/permission.h"

/*
 * An rpc_authorize hook; ctx is the struct core. Leaves call->actor (the name for the change record; NULL:
 * the peer itself) and call->scope (NULL: everything). ACD_EUNAUTH: credentials that are none, unknown, or
 * expired, which are not told apart; ACD_EDENIED: they are good and do not allow this; ACD_EUNAVAIL.
 */
int core_authorize(void *ctx, struct rpc_call *call, acd_err *err);

enum permit_kind { PERMIT_UNKNOWN, PERMIT_NEEDS, PERMIT_ANY, PERMIT_SERVER };

/* What a token needs for a method of the contract ("anchord.v1.ZoneService/GetZone"), see permits.def. */
enum permit_kind authz_permit(const struct rpc_method *m, permission_set *ret_needed);

#endif
