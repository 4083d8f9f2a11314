/*
 * What a token may be allowed to do. A permission is an area and a level; Write of an area includes its Read.
 * The names are those that customers of the documented API know, so that their scripts keep their meaning.
 */
#ifndef MODEL_PERMISSION_H
#define MODEL_PERMISSION_H

#include <anchord/types.h>
#include <stdint.h>

/* X(area, name without the level): append-only, the number of an area is stored. */
#define PERMISSION_AREAS(X)                              \
    X(PERM_ACCOUNT_SSL, "Account: SSL and Certificates") \
    X(PERM_SSL, "SSL and Certificates")                  \
    X(PERM_ACCESS, "Access: Mutual TLS Certificates")    \
    X(PERM_WAF, "Zone WAF")                              \
    X(PERM_ACCOUNT, "Account Settings")                  \
    X(PERM_QUERY, "Trust Query")

enum permission_area {
#define PERMISSION_ENUM(id, name) id,
    PERMISSION_AREAS(PERMISSION_ENUM)
#undef PERMISSION_ENUM
        PERMISSION_AREA_COUNT
};

enum permission_level { PERM_READ, PERM_WRITE };

/* A set of permissions: one bit each. */
typedef uint32_t permission_set;

static inline permission_set
permission(enum permission_area area, enum permission_level level)
{
    return (permission_set)1 << (2 * (unsigned)area + (unsigned)level);
}

/* The set of a name, Read included in Write; "all" is every permission. 0: there is no such name. */
permission_set permission_parse(acd_slice name);

/* The name of the i-th single permission, in the order of the areas; NULL behind the last. */
const char *permission_name(unsigned i, permission_set *ret);

#endif
