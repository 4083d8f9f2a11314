/* /accounts: what a token can see of them. */
#include <string.h>

#include "filter.h"
#include "json.h"
#include "res.h"
#include "v4.h"

enum { PER_PAGE = 20, PER_PAGE_MAX = 50 };

static const struct resource account = {
    .missing_code = 9109, .missing = "Unauthorized to access requested resource", .scope_is_it = true};

static json_t *
account_json(const Anchord__V1__Account *a)
{
    json_t *v = js_object(), *settings = js_object();
    js_set(settings, "enforce_twofactor", json_false());
    js_set(v, "id", js_text(a->id));
    js_set(v, "name", js_text(a->name));
    js_set(v, "type", js_text(a->plan == ANCHORD__V1__PLAN__PLAN_ENTERPRISE ? "enterprise" : "standard"));
    js_set(v, "settings", settings);
    js_set(v, "created_on", js_time(a->created_ms));
    return v;
}

static const Anchord__V1__PageInfo *
take(struct gw *g, struct page *p, const void *resp_, void *ctx)
{
    const Anchord__V1__ListAccountsResponse *resp = resp_;
    const char *name = query_get(&g->query, "name");
    (void)ctx;
    for (size_t i = 0; i < resp->n_accounts; i++)
        if (filter_fits(name, resp->accounts[i]->name) && page_wants(p))
            js_add(p->rows, account_json(resp->accounts[i]));
    return resp->page;
}

void
account_list(struct gw *g)
{
    struct page page;
    Anchord__V1__ListAccountsRequest *req =
        gw_new(g, Anchord__V1__ListAccountsRequest, anchord__v1__list_accounts_request);
    Anchord__V1__PageRequest *cut = gw_new(g, Anchord__V1__PageRequest, anchord__v1__page_request);
    if (!req || !cut)
        return;
    req->page = cut;
    page_read(&g->query, PER_PAGE, PER_PAGE_MAX, &page);
    const struct page_source from = {.what = &account,
                                     .method = "AccountService/ListAccounts",
                                     .req = req,
                                     .page = cut,
                                     .take = take,
                                     .filtered = query_get(&g->query, "name") != NULL};
    if (page_fill(g, &page, &from))
        v4_page(g, &page);
}

void
account_get(struct gw *g)
{
    Anchord__V1__GetAccountRequest *req =
        gw_new(g, Anchord__V1__GetAccountRequest, anchord__v1__get_account_request);
    if (!req)
        return;
    req->account = gw_param(g, "account");
    const Anchord__V1__Account *a = gw_ask(g, &account, "AccountService/GetAccount", req);
    if (a)
        v4_ok(g, account_json(a));
}
