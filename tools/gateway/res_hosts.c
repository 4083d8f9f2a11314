/* /zones/{zone}/certificate_authorities/hostname_associations: the hosts of one CA in one zone, as a list. */
#include <string.h>

#include "base/str.h"
#include "json.h"
#include "model/ids.h"
#include "res.h"
#include "v4.h"

enum { HOSTS_MAX = 1000, BAD_FIELD = 1419, BAD_HOST = 1420, TOO_MANY = 1424 };

static const struct resource hosts = {
    .missing_code = 1472,
    .missing = "Certificate not found",
    .invalid_code = BAD_HOST,
    .fields = {{"hosts", "/hostnames"}},
};

static void
reply(struct gw *g, json_t *names)
{
    json_t *v = js_object();
    js_set(v, "hostnames", names);
    v4_ok(g, v);
}

static const Anchord__V1__PageInfo *
take(struct gw *g, struct page *p, const void *resp_, void *ctx)
{
    const Anchord__V1__ListHostsResponse *resp = resp_;
    (void)g;
    (void)ctx;
    for (size_t i = 0; i < resp->n_hosts; i++)
        if (page_wants(p))
            js_add(p->rows, js_text(resp->hosts[i]->host));
    return resp->page;
}

void
hosts_get(struct gw *g)
{
    const char *ca = query_get(&g->query, "mtls_certificate_id");
    struct page all = {.number = 1, .size = UINT64_MAX};
    Anchord__V1__ListHostsRequest *req =
        gw_new(g, Anchord__V1__ListHostsRequest, anchord__v1__list_hosts_request);
    Anchord__V1__PageRequest *cut = gw_new(g, Anchord__V1__PageRequest, anchord__v1__page_request);
    if (!req || !cut)
        return;
    if (ca && !id_is_uuid(slice_str(ca))) {
        gw_fail(g, 400, BAD_FIELD, NULL, "mtls_certificate_id is not a certificate identifier");
        return;
    }
    req->zone = gw_param(g, "zone");
    req->ca_id = WIRE_STR(ca);
    req->page = cut;
    all.rows = js_array();
    const struct page_source from = {
        .what = &hosts, .method = "HostService/ListHosts", .req = req, .page = cut, .take = take};
    if (page_fill(g, &all, &from))
        reply(g, all.rows);
}

static bool
ends_in_dot(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && name[n - 1] == '.';
}

/* A name that is repeated in the same spelling is dropped by the server. */
void
hosts_put(struct gw *g)
{
    struct at at;
    bool there = false;
    const char *ca = NULL;
    Anchord__V1__ChangeHostsRequest *req =
        gw_new(g, Anchord__V1__ChangeHostsRequest, anchord__v1__change_hosts_request);
    if (!req || !body_read(g, REQUIRED, &at) ||
        !get_texts(g, &at, "hostnames", REQUIRED, &req->n_hosts, &req->hosts, &there) ||
        !get_text(g, &at, "mtls_certificate_id", OPTIONAL, &ca))
        return;
    if (ca && !id_is_uuid(slice_str(ca))) {
        gw_fail(g, 400, BAD_FIELD, "/mtls_certificate_id",
                "mtls_certificate_id is not a certificate identifier");
        return;
    }
    if (req->n_hosts > HOSTS_MAX) {
        gw_fail(g, 400, TOO_MANY, "/hostnames", "hostnames has %zu entries, more than %d", req->n_hosts,
                HOSTS_MAX);
        return;
    }
    for (size_t i = 0; i < req->n_hosts; i++)
        if (ends_in_dot(req->hosts[i])) {
            gw_fail(g, 400, BAD_HOST, mem_printf(g->region, "/hostnames/%zu", i),
                    "'%s' ends in a dot: the full name goes without", req->hosts[i]);
            return;
        }
    req->zone = gw_param(g, "zone");
    req->ca_id = WIRE_STR(ca);
    const Anchord__V1__ChangeHostsResponse *resp = gw_ask(g, &hosts, "HostService/SetHosts", req);
    if (!resp)
        return;
    json_t *names = js_array();
    for (size_t i = 0; i < resp->n_hosts; i++)
        js_add(names, js_text(resp->hosts[i]));
    reply(g, names);
}
