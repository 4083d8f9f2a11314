/*
 * From method and target to a row of route.def. Pure functions; everything lives in the region or the target.
 *
 * A path is split at '/' first and its parts are decoded afterwards (RFC 3986 section 2.4), so an encoded
 * slash never makes a new part. A part that holds '/', NUL or control bytes after decoding, that is not
 * UTF-8, that is empty, "." or "..", or whose escapes are broken, belongs to no route.
 */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include <stdbool.h>

#include "base/mem.h"

struct gw;

enum route_auth {
    AUTH_NONE,  /* answered to everybody */
    AUTH_TOKEN, /* a bearer token */
    AUTH_ANY,   /* a bearer token, or email and key */
};

enum { ROUTE_PARAMS = 4 };

typedef void (*route_handler)(struct gw *g);

struct style;

struct route {
    const char *method;
    const char *pattern; /* "/client/v4/zones/{zone}/rulesets" */
    route_handler run;
    enum route_auth auth;
    const struct style *style; /* how its problems are written down */
};

enum route_found {
    ROUTE_FOUND,
    ROUTE_UNKNOWN,    /* no such path */
    ROUTE_METHOD,     /* the path is known, not with this method */
    ROUTE_IDENTIFIER, /* the path is known, an id in it is none */
};

/* What stands for {account}, {zone}, {cert}, ... in the path; each name says which form it must have. */
struct route_match {
    const struct route *route; /* with ROUTE_UNKNOWN: NULL */
    const char *name[ROUTE_PARAMS], *value[ROUTE_PARAMS];
    size_t n;
    const char *allow; /* with ROUTE_METHOD: "GET, POST", in the region */
};

/* HEAD finds what GET has. */
enum route_found route_find(struct mem_region *r, const char *method, acd_slice path,
                            struct route_match *ret);
const char *route_value(const struct route_match *m, const char *name); /* "" when the path has none */

/* All rows, for documentation and tests; NULL behind the last. */
const struct route *route_at(size_t i);

/* --- the query --- */

enum { QUERY_MAX = 64 };

struct query {
    struct {
        const char *name, *value;
    } pairs[QUERY_MAX];
    size_t n;
};

/* "a=1&b=2", decoded (application/x-www-form-urlencoded). False: a broken escape, NUL, bytes that are not
 * UTF-8, or more than QUERY_MAX pairs. */
bool query_parse(struct mem_region *r, acd_slice text, struct query *ret) ACD_MUSTCHECK;
const char *query_get(const struct query *q, const char *name); /* the first; NULL: not there */
/* Is the value among those given, repeated or with commas? Also true when the name is not given at all. */
bool query_has(const struct query *q, const char *name, const char *value);
bool query_flag(const struct query *q, const char *name); /* is it "true" or "1"? */

#endif
