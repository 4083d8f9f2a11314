#include "model/revocation.h"

const char *
revocation_reason(uint32_t reason)
{
    static const char *const names[] = {
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", "unspecified",
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise",
    };
    return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : names[0];
}
