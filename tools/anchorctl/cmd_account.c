#include "cmd.h"
#include "json.h"
#include "out.h"

static const struct out_col cols[] = {
    {"ID", "id", false},
    {"NAME", "name", false},
    {"PLAN", "plan", false},
    {"CREATED", "created_on", false},
    {"MANAGED CA", "managed_ca_id", false},
    {NULL, NULL, false},
};

int
cmd_account_create(struct ctl *c)
{
    Anchord__V1__CreateAccountRequest *req =
        ctl_new(c, Anchord__V1__CreateAccountRequest, anchord__v1__create_account_request);
    req->name = ctl_text(c, OPT_NAME);
    if (ctl_flag(c, OPT_PLAN))
        req->plan = strcmp(ctl_text(c, OPT_PLAN), "free") == 0 ? ANCHORD__V1__PLAN__PLAN_FREE
                                                               : ANCHORD__V1__PLAN__PLAN_ENTERPRISE;
    return ctl_show(c, "AccountService/CreateAccount", req, js_account, cols);
}

static const Anchord__V1__PageInfo *
take(json_t *rows, const void *resp_)
{
    const Anchord__V1__ListAccountsResponse *resp = resp_;
    for (size_t i = 0; i < resp->n_accounts; i++)
        js_add(rows, js_account(resp->accounts[i]));
    return resp->page;
}

int
cmd_account_list(struct ctl *c)
{
    Anchord__V1__ListAccountsRequest *req =
        ctl_new(c, Anchord__V1__ListAccountsRequest, anchord__v1__list_accounts_request);
    req->page = ctl_page(c, LIMIT_PAGE);
    return ctl_list(c, "AccountService/ListAccounts", req, req->page, take, cols);
}

int
cmd_account_get(struct ctl *c)
{
    Anchord__V1__GetAccountRequest *req =
        ctl_new(c, Anchord__V1__GetAccountRequest, anchord__v1__get_account_request);
    req->account = WIRE_STR(c->args[0]);
    return ctl_show(c, "AccountService/GetAccount", req, js_account, cols);
}

int
cmd_account_delete(struct ctl *c)
{
    Anchord__V1__DeleteAccountRequest *req =
        ctl_new(c, Anchord__V1__DeleteAccountRequest, anchord__v1__delete_account_request);
    req->account = WIRE_STR(c->args[0]);
    return ctl_show(c, "AccountService/DeleteAccount", req, js_account, cols);
}
