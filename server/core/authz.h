/*
 * Who may call what.
 *
 * The processes of root and of the user the server runs as are administrators, when they come over the local
 * socket (whose peer the kernel names). Everyone who can connect may ask the edge's questions.
 */
#ifndef CORE_AUTHZ_H
#define CORE_AUTHZ_H

#include "wire/rpc.h"

/* An rpc_authorize hook; ctx is not used. */
int core_authorize(void *ctx, struct rpc_call *call, acd_err *err);

#endif
