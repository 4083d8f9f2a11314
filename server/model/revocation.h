/*
 * Revocation: what a CA's owner wants when its list is missing, not yet valid or out of date, and the names
 * of the reasons. Numbers are stored in rows and images: append only. Any thread.
 */
#ifndef MODEL_REVOCATION_H
#define MODEL_REVOCATION_H

#include <stdint.h>

enum revocation_policy {
    /* Nothing was asked for: a CA without a list is not checked; one that has a list is held to it as with
     * `require`, because a list is loaded to be obeyed. */
    REVOCATION_DEFAULT = 0,
    REVOCATION_REQUIRE = 1, /* without a list in date nothing is verified */
    REVOCATION_WARN = 2,    /* verified all the same; an explanation says so. What is listed stays revoked */
    REVOCATION_IGNORE = 3,  /* lists are kept and not looked at */
    REVOCATION_POLICIES
};

/* "keyCompromise", as RFC 5280 section 5.3.1 names its reasons; "unspecified" for 0 and what is unknown. */
const char *revocation_reason(uint32_t reason);

#endif
