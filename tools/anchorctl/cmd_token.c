#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "json.h"
#include "out.h"

static const struct out_col list_cols[] = {
    {"ID", "id", false},
    {"NAME", "name", false},
    {"STATUS", "status", false},
    {"ISSUED", "issued_on", false},
    {"EXPIRES", "expires_on", false},
    {NULL, NULL, false},
};

static const struct out_col token_cols[] = {
    {"ID", "id", false},
    {"NAME", "name", false},
    {"ACCOUNT", "account_id", false},
    {"STATUS", "status", false},
    {"PERMISSIONS", "permissions", false},
    {"ZONES", "zones", false},
    {"SOURCES", "sources", false},
    {"EMAIL", "email", false},
    {"ISSUED", "issued_on", false},
    {"EXPIRES", "expires_on", false},
    {"DRY RUN", "dry_run", false},
    {"TOKEN", "value", false},
    {NULL, NULL, false},
};

/* "a,b,c" as a list of words in the region. */
static void
split(struct ctl *c, const char *text, size_t *ret_n, char ***ret)
{
    size_t n = 1;
    for (const char *p = text; *p; p++)
        n += *p == ',';
    *ret = ctl_need(mem_new_n(&c->region, n, char *));
    for (*ret_n = 0; *ret_n < n; ++*ret_n) {
        size_t len = strcspn(text, ",");
        (*ret)[*ret_n] = ctl_need(mem_strndup(&c->region, text, len));
        text += len + (text[len] == ',');
    }
}

static int
show_created(struct ctl *c, const Anchord__V1__CreateTokenResponse *resp)
{
    json_t *v = js_token(resp->token);
    bool dry = ctl_flag(c, OPT_DRY_RUN);
    js_set(v, "value", js_text_or_null(resp->secret));
    if (dry)
        js_set(v, "dry_run", json_true());
    out_object(c, v, token_cols);
    if (!c->json && resp->secret[0])
        out_line(c, "%s", "\nThe token is shown this once; the server keeps only its digest.");
    if (!c->json && !resp->secret[0] && !dry)
        out_line(c, "%s",
                 "\nAn earlier call with this idempotency key made the token; it is not shown again.");
    return EXIT_DONE;
}

int
cmd_token_create(struct ctl *c)
{
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__CreateTokenRequest *req =
        ctl_new(c, Anchord__V1__CreateTokenRequest, anchord__v1__create_token_request);
    char *zone = ctl_text(c, OPT_ZONE);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->permissions = (char **)c->list;
    req->n_permissions = c->n_list;
    req->name = ctl_text(c, OPT_NAME);
    req->email = ctl_text(c, OPT_EMAIL);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    if (zone[0])
        split(c, zone, &req->n_zones, &req->zones);
    if (ctl_flag(c, OPT_SOURCES))
        split(c, ctl_text(c, OPT_SOURCES), &req->n_sources, &req->sources);
    if (ctl_flag(c, OPT_EXPIRES))
        must(time_parse(slice_str(ctl_text(c, OPT_EXPIRES)),
                        &req->expires_ms)); /* the parser refused what is none */
    int rc = ctl_call(c, "TokenService/CreateToken", req, &resp, &res);
    if (rc == EXIT_DONE)
        rc = show_created(c, resp);
    admin_result_done(&res);
    return rc;
}

static const Anchord__V1__PageInfo *
take(json_t *rows, const void *resp_)
{
    const Anchord__V1__ListTokensResponse *resp = resp_;
    for (size_t i = 0; i < resp->n_tokens; i++)
        js_add(rows, js_token(resp->tokens[i]));
    return resp->page;
}

int
cmd_token_list(struct ctl *c)
{
    Anchord__V1__ListTokensRequest *req =
        ctl_new(c, Anchord__V1__ListTokensRequest, anchord__v1__list_tokens_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->page = ctl_page(c, LIMIT_PAGE);
    return ctl_list(c, "TokenService/ListTokens", req, req->page, take, list_cols);
}

int
cmd_token_revoke(struct ctl *c)
{
    Anchord__V1__RevokeTokenRequest *req =
        ctl_new(c, Anchord__V1__RevokeTokenRequest, anchord__v1__revoke_token_request);
    req->id = WIRE_STR(c->args[0]);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    return ctl_show(c, "TokenService/RevokeToken", req, js_token, token_cols);
}
