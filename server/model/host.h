/*
 * Host names: one normal form, and what may be an association. Pure functions, any thread.
 *
 * Normal form: A-labels (RFC 5890, IDNA2008 with UTS #46 mapping), lower case, no trailing dot, no port, at
 * most 253 bytes, labels of 1 to 63 bytes of letters, digits, '-' and '_'. A pattern may begin with "*.",
 * which stands for exactly one more label.
 */
#ifndef MODEL_HOST_H
#define MODEL_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include <anchord/types.h>

#include "base/must.h"
#include "model/limits.h"

struct host {
    char name[LIMIT_HOST + 1];
    size_t len;
};

/* A host that was asked for: a wildcard is refused, so are addresses. err says what is wrong with the name.
 */
int host_parse(acd_slice text, struct host *ret, acd_err *err) ACD_MUSTCHECK;

/* A host or wildcard pattern of an association. Refuses public suffixes ("com", "*.co.uk"). */
int host_parse_pattern(acd_slice text, struct host *ret, acd_err *err) ACD_MUSTCHECK;

/* A zone's domain: like host_parse, and not a public suffix. */
int host_parse_zone(acd_slice text, struct host *ret, acd_err *err) ACD_MUSTCHECK;

bool host_is_wildcard(const struct host *h);

/* Is the pattern the zone's apex or below it? "*.example.com" lies in "example.com". */
bool host_in_zone(const struct host *pattern, const struct host *zone);

/* The fast path of host_parse: a name that already is in normal form, without IDNA and without copying. */
bool host_is_normal(const char *name, size_t len);

/* The fast path for ASCII text: lower case, one trailing dot taken off, without IDNA and without allocating.
 * True: *ret is what host_parse says. False with *ret filled: only host_parse can tell, and if some
 * association has exactly this name then it is in normal form. False with ret->len 0: host_parse has to be
 * asked. */
bool host_fold(acd_slice text, struct host *ret);

#endif
