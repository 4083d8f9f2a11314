/*
 * Freshness of revocation lists: what a CA's owner wants when the list of a CA is missing, not yet valid or
 * out of date. Stored as numbers, in rows and in images: append only.
 */
#ifndef MODEL_REVOCATION_H
#define MODEL_REVOCATION_H

enum revocation_policy {
    /* Nothing was asked for: a CA without a list is not checked; one that has a list is held to it as with
     * `require`, because a list is loaded to be obeyed. */
    REVOCATION_DEFAULT = 0,
    REVOCATION_REQUIRE = 1, /* without a list in date nothing is verified */
    REVOCATION_WARN = 2,    /* verified all the same; an explanation says so. What is listed stays revoked */
    REVOCATION_IGNORE = 3,  /* lists are kept and not looked at */
    REVOCATION_POLICIES
};

#endif
