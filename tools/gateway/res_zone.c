/* /zones: what a token can see of them. */
#include <string.h>

#include "filter.h"
#include "json.h"
#include "res.h"
#include "v4.h"

enum { PER_PAGE = 20, PER_PAGE_MAX = 50 };

static const struct resource zone = {
    .missing_code = 9109, .missing = "Unauthorized to access requested resource", .scope_is_it = true};

static json_t *
named(const char *id, const char *name)
{
    json_t *v = js_object();
    js_set(v, "id", js_text(id));
    js_set(v, "name", js_text(name));
    return v;
}

/* What an edge of one's own has no use for is there all the same, with the value that says so: clients read
 * it without looking whether it is there. */
static json_t *
zone_json(const Anchord__V1__Zone *z)
{
    json_t *v = named(z->id, z->name), *owner = named(z->account_id, z->account_name), *plan = js_object();
    js_set(owner, "type", js_text("organization"));
    js_set(plan, "id", js_text("94f3b7b768b0458b56d2cac4fe5ec0f9"));
    js_set(plan, "name", js_text("Enterprise Website"));
    js_set(plan, "legacy_id", js_text("enterprise"));
    js_set(plan, "is_subscribed", json_true());
    js_set(v, "status", js_text("active"));
    js_set(v, "paused", json_false());
    js_set(v, "type", js_text("full"));
    js_set(v, "development_mode", json_integer(0));
    js_set(v, "name_servers", js_array());
    js_set(v, "original_name_servers", json_null());
    js_set(v, "original_registrar", json_null());
    js_set(v, "original_dnshost", json_null());
    js_set(v, "created_on", js_time(z->created_ms));
    js_set(v, "modified_on", js_time(z->created_ms));
    js_set(v, "activated_on", js_time(z->created_ms));
    js_set(v, "meta", js_object());
    js_set(v, "owner", owner);
    js_set(v, "account", named(z->account_id, z->account_name));
    js_set(v, "permissions", js_array());
    js_set(v, "plan", plan);
    return v;
}

/* "match=any": one filter that fits is enough. */
static bool
is_listed(const struct query *q, const Anchord__V1__Zone *z)
{
    const struct {
        const char *filter, *text;
    } all[] = {
        {query_get(q, "name"), z->name},
        {query_get(q, "account.id"), z->account_id},
        {query_get(q, "account.name"), z->account_name},
        {query_get(q, "status"), "active"},
    };
    const char *match = query_get(q, "match");
    bool any = match && strcmp(match, "any") == 0;
    size_t given = 0, fit = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        given += all[i].filter != NULL;
        fit += all[i].filter && filter_fits(all[i].filter, all[i].text);
    }
    return query_has(q, "type", "full") && (given == 0 || (any ? fit > 0 : fit == given));
}

static const Anchord__V1__PageInfo *
take(struct gw *g, struct page *p, const void *resp_, void *ctx)
{
    const Anchord__V1__ListZonesResponse *resp = resp_;
    (void)ctx;
    for (size_t i = 0; i < resp->n_zones; i++)
        if (is_listed(&g->query, resp->zones[i]) && page_wants(p))
            js_add(p->rows, zone_json(resp->zones[i]));
    return resp->page;
}

void
zone_list(struct gw *g)
{
    struct page page;
    Anchord__V1__ListZonesRequest *req =
        gw_new(g, Anchord__V1__ListZonesRequest, anchord__v1__list_zones_request);
    Anchord__V1__PageRequest *cut = gw_new(g, Anchord__V1__PageRequest, anchord__v1__page_request);
    if (!req || !cut)
        return;
    req->page = cut;
    page_read(&g->query, PER_PAGE, PER_PAGE_MAX, &page);
    const struct page_source from = {.what = &zone,
                                     .method = "ZoneService/ListZones",
                                     .req = req,
                                     .page = cut,
                                     .take = take,
                                     .filtered = true};
    if (page_fill(g, &page, &from))
        v4_page(g, &page);
}

void
zone_get(struct gw *g)
{
    Anchord__V1__GetZoneRequest *req = gw_new(g, Anchord__V1__GetZoneRequest, anchord__v1__get_zone_request);
    if (!req)
        return;
    req->zone = gw_param(g, "zone");
    const Anchord__V1__Zone *z = gw_ask(g, &zone, "ZoneService/GetZone", req);
    if (z)
        v4_ok(g, zone_json(z));
}
