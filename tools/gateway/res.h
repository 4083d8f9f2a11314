/* The handlers behind the rows of route.def: one res_*.c per resource. Each ends its request. */
#ifndef GATEWAY_RES_H
#define GATEWAY_RES_H

#include "gw.h"

#define ROUTE(method, pattern, handler, auth, style) void handler(struct gw *g);
#include "route.def"
#undef ROUTE

#endif
