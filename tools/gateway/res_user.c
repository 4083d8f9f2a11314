/* Who am I? What the server makes of the token that came. */
#include <string.h>

#include "json.h"
#include "res.h"
#include "v4.h"

enum { INVALID_TOKEN = 1000, ACTIVE = 10000, NOT_ALLOWED = 10000 };

static const struct resource token = {.missing_code = INVALID_TOKEN, .missing = "Invalid API Token"};

void
token_verify(struct gw *g)
{
    const struct admin_result *res;
    const void *resp;
    const void *req = gw_new(g, Anchord__V1__VerifyTokenRequest, anchord__v1__verify_token_request);
    if (!req)
        return;
    int rc = gw_try(g, "TokenService/VerifyToken", req, &resp, &res);
    if (rc == ACD_EUNAUTH) {
        gw_fail(g, 401, INVALID_TOKEN, NULL, "Invalid API Token");
        return;
    }
    if (rc < 0) {
        gw_fail_call(g, &token, res);
        return;
    }
    const Anchord__V1__Token *t = resp;
    const char *account = gw_param(g, "account");
    if (account[0] && strcmp(account, t->account_id) != 0) {
        gw_fail(g, 403, NOT_ALLOWED, NULL, "Authentication error");
        return;
    }
    json_t *v = js_object();
    js_set(v, "id", js_text(t->id));
    js_set(v, "status", js_text("active")); /* another one is refused */
    if (t->expires_ms)
        js_set(v, "expires_on", js_time(t->expires_ms));
    v4_message(g, v, ACTIVE, "This API Token is valid and active");
}
