/*
 * Any method of the contract through a client: for anchorctl and the gateway, which link the static library.
 * Not installed: messages are protobuf-c structs (wire/msg.h), and their layout is not an interface.
 *
 *   Anchord__V1__GetZoneRequest *req = wire_new(&region, Anchord__V1__GetZoneRequest,
 * anchord__v1__get_zone_request); struct admin_result res; const void *resp; int rc =
 * anchord_admin_call(client, "ZoneService/GetZone", req, &resp, &res, NULL, &err);
 *   ... (const Anchord__V1__Zone *)resp ...
 *   admin_result_done(&res);
 *
 * Threading: any thread. The response and everything in the result live until admin_result_done, which is due
 * whatever the call returned.
 */
#ifndef LIBANCHORD_ADMIN_H
#define LIBANCHORD_ADMIN_H

#include <anchord/client.h>

#include "wire/call.h"
#include "wire/msg.h"

/* Where the server listens: what was given, $ANCHORD_SOCKET, the socket of the installation if it is there,
 * or that of the working directory. */
const char *anchord_admin_url(const char *given);

struct admin_opts {
    uint32_t timeout_ms;       /* 0: the client's */
    const char *idem_key;      /* mutations; NULL: a fresh one */
    const char *authorization; /* NULL: the client's; "" : none */
    const char *traceparent;
    const struct call_caller
        *caller;  /* whom the call is made for; its credentials: authorization, or these */
    bool dry_run; /* mutations: keep nothing, say what it would come to */
    bool force;   /* mutations: even if hosts are left without a valid CA */
};

struct admin_result {
    int code;            /* gRPC status code of the reply; 14 when the server could not be asked */
    int status;          /* the same as ACD_E* */
    const char *message; /* the sentence, never NULL */
    size_t n_details;
    Anchord__V1__ErrorDetail **details;
    const Anchord__V1__ChangeEffect *effect; /* of a dry run; NULL: none */
    uint64_t revision;
    uint32_t retry_after_ms;
    struct call_result call; /* owns all of it */
};

/* method: "ZoneService/GetZone". Returns result->status; *ret_resp is set on success only. ACD_ENOTSUP with
 * no message sent: there is no such method in the contract. */
int anchord_admin_call(struct acd_client *client, const char *method, const void *req, const void **ret_resp,
                       struct admin_result *res, const struct admin_opts *opts, acd_err *err) ACD_MUSTCHECK;
void admin_result_done(struct admin_result *res);

#endif
