#include "core/authz.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "core/unit.h"

/* --- methods ----------------------------------------------------------------------------------------------
 */

struct permit {
    const char *method;
    enum permit_kind kind;
    enum permission_area area;
    enum permission_level level;
};

static const struct permit permits[] = {
#define PERMIT(service, name, kind, area, level)                                    \
    {"anchord.v1." #service "/" #name, PERMIT_##kind, (enum permission_area)(area), \
     (enum permission_level)(level)},
#include "core/permits.def"
#undef PERMIT
};

enum permit_kind
authz_permit(const struct rpc_method *m, permission_set *ret_needed)
{
    if (m->class == RPC_EDGE) {
        *ret_needed = permission(PERM_QUERY, PERM_READ);
        return PERMIT_NEEDS;
    }
    for (size_t i = 0; i < sizeof(permits) / sizeof(permits[0]); i++)
        if (strcmp(permits[i].method, m->name) == 0) {
            *ret_needed = permission(permits[i].area, permits[i].level);
            return permits[i].kind;
        }
    return PERMIT_UNKNOWN;
}

static int
check_permit(struct rpc_call *call, const struct grant *g, acd_err *err)
{
    permission_set needed = 0;
    enum permit_kind kind = authz_permit(call->method, &needed);
    if (kind == PERMIT_ANY || (kind == PERMIT_NEEDS && (g->permissions & needed)))
        return 0;
    rpc_detail_error_info(call, "PERMISSION_MISSING", 0, call->method->name);
    return err_set(err, ACD_EDENIED,
                   kind == PERMIT_NEEDS ? "the token does not permit this"
                                        : "this needs the local socket, as root or as the server's own user");
}

/* --- callers ----------------------------------------------------------------------------------------------
 */

static bool
is_administrator(const struct rpc_peer *peer)
{
    return peer->transport == RPC_IPC && peer->uid_known && (peer->uid == 0 || peer->uid == geteuid());
}

/* The key alone says it, whatever the value. */
static bool
has_metadata(const struct rpc_call *call, const char *key)
{
    for (uint32_t i = 0; i < call->frame.n_meta; i++)
        if (slice_eqs(call->frame.meta[i].key, key))
            return true;
    return false;
}

/* Where the caller is: what a peer that may speak for others says, or the peer's own address without its
 * port. */
static acd_slice
source_of(const struct rpc_call *call)
{
    const struct rpc_peer *peer = call->peer;
    if (has_metadata(call, "delegated"))
        return is_administrator(peer) ? rpc_metadata(call, "delegated") : slice_of(NULL, 0);
    if (peer->transport != RPC_TCP)
        return slice_of(NULL, 0);
    const char *end = strrchr(peer->remote, ':'), *begin = peer->remote;
    if (!end)
        return slice_of(NULL, 0);
    if (*begin == '[' && end[-1] == ']')
        begin++, end--;
    return slice_of(begin, (size_t)(end - begin));
}

/* --- credentials ------------------------------------------------------------------------------------------
 */

static int
refuse(struct rpc_call *call, acd_err *err)
{
    rpc_detail_error_info(call, "CREDENTIALS_UNKNOWN", 0, "");
    return err_set(err, ACD_EUNAUTH, "no credentials that are known here came with the call");
}

/* Bearer wins over email and key. Empty: there is no secret. */
static acd_slice
secret_of(const struct rpc_call *call, bool *ret_is_key)
{
    static const char scheme[] = "Bearer ";
    acd_slice auth = rpc_metadata(call, "authorization");
    *ret_is_key = !has_metadata(call, "authorization");
    if (*ret_is_key)
        return rpc_metadata(call, "x-auth-key");
    if (auth.len < sizeof(scheme) - 1 || memcmp(auth.ptr, scheme, sizeof(scheme) - 1) != 0)
        return slice_of(NULL, 0);
    return slice_of((const char *)auth.ptr + sizeof(scheme) - 1, auth.len - (sizeof(scheme) - 1));
}

static bool
is_valid(const struct core *core, const struct rpc_call *call, const struct grant *g, bool is_key)
{
    if (g->expires_ms && core_now(core) >= g->expires_ms)
        return false;
    return !is_key || (g->email[0] && slice_eqs(rpc_metadata(call, "x-auth-email"), g->email));
}

static int
by_credentials(struct core *core, struct rpc_call *call, acd_err *err)
{
    struct grant *g;
    bool is_key;
    acd_slice secret = secret_of(call, &is_key);
    int rc = tokens_find(core_tokens(core), secret, call->region, &g);
    if (rc == ACD_EUNAVAIL)
        return err_set(err, rc,
                       "the tokens cannot be read from storage; nobody is let in by one until they can");
    if (rc == ACD_ENOENT || (rc == 0 && !is_valid(core, call, g, is_key)))
        return refuse(call, err);
    if (rc < 0)
        return rc;
    acd_slice source = source_of(call);
    if (!grant_has_source(g, source)) {
        rpc_detail_error_info(call, "SOURCE_NOT_ALLOWED", 0, "");
        return err_set(err, ACD_EDENIED, "the token is not to be used from '%.*s'", (int)source.len,
                       source.len ? (const char *)source.ptr : "");
    }
    call->actor = g->actor;
    call->scope = &g->scope;
    return check_permit(call, g, err);
}

int
core_authorize(void *ctx, struct rpc_call *call, acd_err *err)
{
    call->actor = NULL;
    call->scope = NULL;
    if (has_metadata(call, "authorization") || has_metadata(call, "x-auth-key") ||
        has_metadata(call, "delegated"))
        return by_credentials(ctx, call, err);
    if (call->method->class == RPC_EDGE || is_administrator(call->peer))
        return 0;
    rpc_detail_error_info(call, "NOT_ADMINISTRATOR", 0, call->method->name);
    return err_set(err, ACD_EDENIED,
                   "administration needs the local socket, as root or as the server's own user");
}
