/* Who am I? What the server makes of the token that came. */
#include "base/str.h"
#include "json.h"
#include "model/digest.h"
#include "res.h"
#include "v4.h"

enum { INVALID_TOKEN = 1000, ACTIVE = 10000, ID_BYTES = 16 };

static const struct resource token = {.missing_code = INVALID_TOKEN, .missing = "Invalid API Token"};

/* The id of a token is the beginning of its digest: it names the token and gives nothing of it away. */
void
token_verify(struct gw *g)
{
    const struct admin_result *res;
    const void *resp;
    uint8_t digest[DIGEST_LEN];
    const void *req = gw_new(g, Anchord__V1__GetStatusRequest, anchord__v1__get_status_request);
    if (!req)
        return;
    int rc = gw_try(g, "ServerService/GetStatus", req, &resp, &res);
    if (rc == ACD_EUNAUTH) {
        gw_fail(g, 401, INVALID_TOKEN, NULL, "Invalid API Token");
        return;
    }
    if (rc < 0) {
        gw_fail_call(g, &token, res);
        return;
    }
    digest_sha256(g->auth.authorization, strlen(g->auth.authorization), digest);
    json_t *v = js_object();
    js_set(v, "id", js_hex((ProtobufCBinaryData){ID_BYTES, digest}));
    js_set(v, "status", js_text("active"));
    v4_message(g, v, ACTIVE, "This API Token is valid and active");
}
