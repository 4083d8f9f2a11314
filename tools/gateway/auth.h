/* Who the caller says to be: credentials as they stand in the headers. Nothing is judged here. */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

#include <stdbool.h>

#include "http.h"
#include "route.h"
#include "wire/call.h"

enum auth_found {
    AUTH_GIVEN,
    AUTH_MISSING,
    AUTH_MALFORMED, /* not "Bearer TOKEN", or too long */
};

struct auth {
    const char *authorization; /* "Bearer ..." in its one spelling; NULL: by key, or nobody */
    struct call_caller caller; /* address; email and key */
};

/* Fills *ret as far as it comes; with AUTH_NONE as kind only the address. A bearer token goes before a key.
 */
enum auth_found auth_read(const struct http_request *req, enum route_auth kind, struct auth *ret);

/* What to count a caller by: the secret that came, or else the address. Never to be shown. */
const char *auth_subject(const struct auth *a);

#endif
