/*
 * Who may call what.
 *
 * The processes of root and of the user the server runs as are administrators, when they come over the local
 * socket (whose peer the kernel names). Everyone who can connect may ask the edge's questions.
 *
 * A call with the metadata key "delegated" is made for somebody else (proto/anchord/v1/envelope.proto): the
 * peer counts for nothing, the call goes by its credentials. The bearer of the administrator's token, which
 * stands in the file admin.token of the data directory, is an administrator; nobody else is let in.
 */
#ifndef CORE_AUTHZ_H
#define CORE_AUTHZ_H

#include "model/digest.h"
#include "wire/rpc.h"

/* Read before calls arrive, constant afterwards. A zeroed one knows no token. */
struct authz {
    bool has_token;
    uint8_t token[DIGEST_LEN]; /* SHA-256 of the administrator's token, which itself is not kept */
};

/* Reads DIR/admin.token, if there is one: one token of 40 to 80 characters [0-9A-Za-z_-]. ACD_EINVAL: it is
 * none, or others than its owner may read it. */
int authz_load(struct authz *a, const char *dir, acd_err *err) ACD_MUSTCHECK;

/* An rpc_authorize hook; ctx is a struct authz. Leaves call->actor: a constant name for the change record, or
 * NULL when the peer itself is the caller. */
int core_authorize(void *ctx, struct rpc_call *call, acd_err *err);

#endif
