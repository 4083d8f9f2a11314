/*
 * What a change makes of the trust of the hosts that it touched: each host as truth has it without the change
 * and with it, ordered by the function that publishing uses.
 *
 * Inside the transaction of the change, before it is committed or rolled back; `before` is a session in a
 * read transaction of its own, which does not see it.
 */
#ifndef CORE_PREVIEW_H
#define CORE_PREVIEW_H

#include "core/unit.h"
#include "model/assoc.h"
#include "model/limits.h"

struct preview_ca {
    char cert[ID_UUID_LEN + 1];
    Anchord__V1__CaRole role;
    uint32_t priority;
};

struct preview_side {
    struct preview_ca cas[LIMIT_CAS_PER_HOST]; /* in order */
    size_t n;
    bool verifies; /* a CA that decides has a certificate that is in date */
    char zone[ID_HEX_LEN + 1];
};

struct preview_host {
    const char *pattern;
    bool access; /* of Access CAs, which are kept apart */
    struct preview_side before, after;
};

/* Called for each host whose CAs, their roles or their order differ. */
typedef int (*preview_fn)(void *ctx, const struct preview_host *host);
int preview_hosts(struct unit *u, struct plug_session *before, preview_fn fn, void *ctx,
                  acd_err *err) ACD_MUSTCHECK;

#endif
