/* Private to libanchord: the bodies of its handles, and the call that all others go through. */
#ifndef LIBANCHORD_INTERNAL_H
#define LIBANCHORD_INTERNAL_H

#include <anchord/client.h>

#include "wire/call.h"

struct acd_client {
    struct call_client *calls;
    uint32_t timeout_ms;
    char *authorization; /* "" : none */
};

enum { PARTS_MAX = 2 };

/* A verify batch may be answered in two parts: the digests, then the chains that the server did not know. */
struct acd_result {
    struct mem_region region; /* questions, and what joins the parts */
    size_t n_parts;
    struct call_result parts[PARTS_MAX];
    const Anchord__V1__GetTrustResponse *trust;
    size_t n_verify;
    const Anchord__V1__VerifyAnswer **verify;
    uint64_t revision;
};

struct acd_result *result_new(void);

/* Calls and keeps the reply in the result's next part; *ret_resp lives as long as the result. */
int result_call(struct acd_result *res, struct acd_client *client, const char *method, const void *req,
                const void **ret_resp, acd_err *err) ACD_MUSTCHECK;

#endif
