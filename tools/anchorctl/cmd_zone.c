#include "cmd.h"
#include "json.h"
#include "out.h"

static const struct out_col cols[] = {
    {"ID", "id", false},   {"NAME", "name", false},          {"ACCOUNT", "account.name", false},
    {"ACM", "acm", false}, {"CREATED", "created_on", false}, {NULL, NULL, false},
};

int
cmd_zone_create(struct ctl *c)
{
    Anchord__V1__CreateZoneRequest *req =
        ctl_new(c, Anchord__V1__CreateZoneRequest, anchord__v1__create_zone_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->name = ctl_text(c, OPT_NAME);
    req->acm = ctl_flag(c, OPT_ACM);
    return ctl_show(c, "ZoneService/CreateZone", req, js_zone, cols);
}

static const Anchord__V1__PageInfo *
take(json_t *rows, const void *resp_)
{
    const Anchord__V1__ListZonesResponse *resp = resp_;
    for (size_t i = 0; i < resp->n_zones; i++)
        js_add(rows, js_zone(resp->zones[i]));
    return resp->page;
}

int
cmd_zone_list(struct ctl *c)
{
    Anchord__V1__ListZonesRequest *req =
        ctl_new(c, Anchord__V1__ListZonesRequest, anchord__v1__list_zones_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->page = ctl_page(c, LIMIT_PAGE);
    return ctl_list(c, "ZoneService/ListZones", req, req->page, take, cols);
}

int
cmd_zone_get(struct ctl *c)
{
    Anchord__V1__GetZoneRequest *req = ctl_new(c, Anchord__V1__GetZoneRequest, anchord__v1__get_zone_request);
    req->zone = WIRE_STR(c->args[0]);
    return ctl_show(c, "ZoneService/GetZone", req, js_zone, cols);
}

int
cmd_zone_delete(struct ctl *c)
{
    Anchord__V1__DeleteZoneRequest *req =
        ctl_new(c, Anchord__V1__DeleteZoneRequest, anchord__v1__delete_zone_request);
    req->zone = WIRE_STR(c->args[0]);
    return ctl_show(c, "ZoneService/DeleteZone", req, js_zone, cols);
}
