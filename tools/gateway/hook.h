/*
 * /auth: a proxy asks whether a request that it holds may go on. Not a row of route.def, because what follows
 * in the path may be somebody else's.
 *
 *   request of a proxy -> peer? -> form of the question -> headers -> Evaluate, VerifyClient -> status,
 * headers
 *
 * 200: it may. 403: it may not, or a rule's own status. 503: the server could not be asked. Whoever reads
 * nothing but the status is right. Neither JSON nor the table of routes is involved, and a chain goes to the
 * server as its digest until that is not known there.
 */
#ifndef GATEWAY_HOOK_H
#define GATEWAY_HOOK_H

#include "gw.h"

void hook_serve(struct gw *g);

#endif
