#include "libanchord/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libanchord/internal.h"

#define SOCKET_SYSTEM "/run/anchord/anchord.sock"
#define SOCKET_LOCAL  "ipc://./var/anchord.sock"

const char *
anchord_admin_url(const char *given)
{
    const char *env = getenv("ANCHORD_SOCKET");
    if (given)
        return given;
    if (env && env[0])
        return env;
    return access(SOCKET_SYSTEM, F_OK) == 0 ? "ipc://" SOCKET_SYSTEM : SOCKET_LOCAL;
}

static int
refuse(struct admin_result *res, int code, acd_err *err)
{
    res->status = code;
    res->code = status_grpc(code);
    res->message = "there is no such method";
    return err_set(err, code, "%s", res->message);
}

int
anchord_admin_call(struct acd_client *client, const char *method, const void *req, const void **ret_resp,
                   struct admin_result *res, const struct admin_opts *opts, acd_err *err)
{
    static const struct admin_opts none = {0};
    const struct admin_opts *o = opts ? opts : &none;
    char full[LIMIT_METHOD];
    *res = (struct admin_result){.message = ""};
    (void)snprintf(full, sizeof(full), "anchord.v1.%s", method);
    struct call_request call = {.method = rpc_method_find(slice_str(full)),
                                .body = req,
                                .timeout_ms = o->timeout_ms ? o->timeout_ms : client->timeout_ms,
                                .idem_key = o->idem_key,
                                .authorization = o->authorization ? o->authorization : client->authorization,
                                .traceparent = o->traceparent,
                                .caller = o->caller,
                                .dry_run = o->dry_run,
                                .force = o->force};
    if (!call.method)
        return refuse(res, ACD_ENOTSUP, err);
    must(((const ProtobufCMessage *)req)->descriptor == call.method->request);
    res->status = call_sync(client->calls, &call, &res->call, err);
    const struct frame_reply *p = &res->call.reply;
    res->code = (int)p->code;
    res->message = res->status < 0 ? err_text(&res->call.err, res->status) : "";
    res->n_details = p->n_details;
    res->details = p->details;
    res->effect = p->effect;
    res->revision = p->revision;
    res->retry_after_ms = p->retry_after_ms;
    if (res->status == 0)
        *ret_resp = res->call.resp;
    return res->status;
}

void
admin_result_done(struct admin_result *res)
{
    call_result_done(&res->call);
}
