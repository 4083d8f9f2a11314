#include "core/authz.h"

#include <unistd.h>

#include "base/err.h"

int
core_authorize(void *ctx, struct rpc_call *call, acd_err *err)
{
    const struct rpc_peer *peer = call->peer;
    (void)ctx;
    if (call->method->class == RPC_EDGE)
        return 0;
    if (peer->transport == RPC_IPC && peer->uid_known && (peer->uid == 0 || peer->uid == geteuid()))
        return 0;
    rpc_detail_error_info(call, "NOT_ADMINISTRATOR", 0, call->method->name);
    return err_set(err, ACD_EDENIED,
                   "administration needs the local socket, as root or as the server's own user");
}
