#include "libanchord/internal.h"

#include <stdlib.h>
#include <string.h>

#define PUBLIC __attribute__((visibility("default")))

enum { RESULT_BLOCK = 4096 };

/* Fields that the caller's version of the struct does not have are zero. */
static void
opts_read(acd_client_opts *out, const acd_client_opts *opts)
{
    *out = (acd_client_opts){.struct_size = sizeof(*out)};
    if (opts)
        memcpy(out, opts, opts->struct_size < sizeof(*out) ? opts->struct_size : sizeof(*out));
}

PUBLIC int
acd_client_open(const char *url, const acd_client_opts *opts, acd_client **ret_client, acd_err *err)
{
    acd_client_opts o;
    if (!url || !ret_client)
        return err_set(err, ACD_EINVAL, "no URL to connect to");
    opts_read(&o, opts);
    struct call_opts calls = {.connect_ms = o.connect_ms, .retries = o.retries};
    acd_client *c = calloc(1, sizeof(*c));
    if (c)
        c->authorization = strdup(o.authorization ? o.authorization : "");
    int rc = c && c->authorization ? call_open(url, &calls, &c->calls, err)
                                   : err_set(err, ACD_ENOMEM, "no memory for a client");
    if (rc < 0) {
        acd_client_close(c);
        return rc;
    }
    c->timeout_ms = o.timeout_ms;
    *ret_client = c;
    return 0;
}

PUBLIC void
acd_client_close(acd_client *client)
{
    if (!client)
        return;
    call_close(client->calls);
    if (client->authorization)
        wipe(client->authorization, strlen(client->authorization));
    free(client->authorization);
    free(client);
}

struct acd_result *
result_new(void)
{
    struct acd_result *res = calloc(1, sizeof(*res));
    if (res)
        mem_init(&res->region, RESULT_BLOCK, LIMIT_REGION);
    return res;
}

PUBLIC void
acd_result_free(acd_result *result)
{
    if (!result)
        return;
    for (size_t i = 0; i < result->n_parts; i++)
        call_result_done(&result->parts[i]);
    mem_done(&result->region);
    free(result);
}

int
result_call(struct acd_result *res, struct acd_client *client, const char *method, const void *req,
            const void **ret_resp, acd_err *err)
{
    must(res->n_parts < PARTS_MAX);
    struct call_result *part = &res->parts[res->n_parts++];
    struct call_request call = {.method = rpc_method_find(slice_str(method)),
                                .body = req,
                                .timeout_ms = client->timeout_ms,
                                .authorization = client->authorization};
    must(call.method);
    int rc = call_sync(client->calls, &call, part, err);
    if (rc == 0) {
        *ret_resp = part->resp;
        res->revision = part->reply.revision;
    }
    return rc;
}

PUBLIC uint64_t
acd_result_revision(const acd_result *result)
{
    return result->revision;
}

PUBLIC size_t
acd_result_count(const acd_result *result)
{
    return result->trust ? result->trust->n_answers : result->n_verify;
}
