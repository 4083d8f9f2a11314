/* Revocation data of the snapshot in the form in which a validator asks for it. Only query/ includes this. */
#ifndef QUERY_REVOCATION_H
#define QUERY_REVOCATION_H

#include <anchord/plugin-validator.h>

#include "model/revocation.h"
#include "snap/revoked.h"

/* Of one verification, on its caller's stack. */
struct revocation_ctx {
    const struct snap_view *view;
    const struct snap_trust *trust;
    const uint32_t *places; /* in it, of the bundle's CAs in their order */
    size_t n;
    char text[184];
};

/* An acd_revocation_fn. */
int revocation_ask(void *ctx, uint32_t ca, acd_slice serial, int64_t at_ms, acd_revocation *ret);

#endif
