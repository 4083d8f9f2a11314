/*
 * The envelope of /client/v4: {"success", "errors", "messages", "result"[, "result_info"]}.
 *
 * Each function ends the request; values are taken.
 */
#ifndef GATEWAY_V4_H
#define GATEWAY_V4_H

#include "gw.h"
#include "page.h"

void v4_ok(struct gw *g, json_t *result);
void v4_status(struct gw *g, unsigned status, json_t *result); /* 201, 202 */
void v4_message(struct gw *g, json_t *result, unsigned code, const char *message);
void v4_page(struct gw *g, struct page *p); /* its rows, with result_info */
void v4_nothing(struct gw *g);              /* 204 */

/* The reply is this JSON; takes it. */
void v4_send(struct gw *g, unsigned status, json_t *all);

#endif
