/* What /auth answers: from the server's verdicts to a status and headers. Private to the hook. */
#ifndef GATEWAY_HOOK_ANSWER_H
#define GATEWAY_HOOK_ANSWER_H

#include "forwarded.h"
#include "gw.h"

struct hook {
    struct gw *g;
    struct hook_form form;
    struct forwarded chain;
    uint8_t *digest; /* of the chain; NULL: no certificate */
    bool presented;
    acd_slice method, uri, sni;
    uint8_t address[16]; /* of the client: 4 or 16 bytes */
    size_t address_len;
    char *host;
    struct admin_result evaluated, verification;
    const Anchord__V1__EvaluateAnswer *rules;
    const Anchord__V1__VerifyAnswer *verified; /* NULL: no certificate */
};

/* From both answers. */
void hook_answer(struct hook *h);

/* Without them. reason: NULL says that there is no memory. */
void hook_refuse(struct hook *h, unsigned status, const char *verdict, const char *reason);

#endif
