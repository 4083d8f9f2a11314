/* .../access/certificates: the Access CAs of an account, which a zone of it may be named for as well. */
#include <string.h>

#include "json.h"
#include "model/limits.h"
#include "res.h"
#include "v4.h"

enum { PER_PAGE = 50, PER_PAGE_MAX = 1000, TOO_MANY = 1424 };

static const struct resource access_ca = {
    .missing_code = 12135,
    .missing = "access.api.error.not_found",
    .upload = "/certificate",
    .fields = {{"name", "/name"},
               {"certificate", "/certificate"},
               {"hosts", "/associated_hostnames"},
               {"associated_hostnames", "/associated_hostnames"},
               {"settings", "/settings"}},
};

/* The account of the path, or of the path's zone. NULL: the reply says why not. */
static char *
account_of(struct gw *g)
{
    if (gw_param(g, "account")[0])
        return gw_param(g, "account");
    Anchord__V1__GetZoneRequest *req = gw_new(g, Anchord__V1__GetZoneRequest, anchord__v1__get_zone_request);
    if (!req)
        return NULL;
    req->zone = gw_param(g, "zone");
    const Anchord__V1__Zone *zone = gw_ask(g, &access_ca, "ZoneService/GetZone", req);
    return zone ? zone->account_id : NULL;
}

/* --- certificates -----------------------------------------------------------------------------------------
 */

/* The certificate itself is never returned. */
static json_t *
access_json(const Anchord__V1__AccessCertificate *c)
{
    json_t *v = js_object(), *hosts = js_array();
    for (size_t i = 0; i < c->n_associated_hostnames; i++)
        js_add(hosts, js_text(c->associated_hostnames[i]));
    js_set(v, "id", js_text(c->id));
    js_set(v, "name", js_text(c->name));
    js_set(v, "fingerprint", js_text(c->fingerprint));
    js_set(v, "associated_hostnames", hosts);
    js_set(v, "created_at", js_time(c->created_ms));
    js_set(v, "updated_at", js_time(c->updated_ms));
    js_set(v, "expires_on", c->n_items ? js_time(c->items[0]->not_after_ms) : json_null());
    return v;
}

static const Anchord__V1__PageInfo *
take(struct gw *g, struct page *p, const void *resp_, void *ctx)
{
    const Anchord__V1__ListAccessCertificatesResponse *resp = resp_;
    (void)g;
    (void)ctx;
    for (size_t i = 0; i < resp->n_certificates; i++)
        if (page_wants(p))
            js_add(p->rows, access_json(resp->certificates[i]));
    return resp->page;
}

void
access_list(struct gw *g)
{
    struct page page;
    char *account = account_of(g);
    Anchord__V1__ListAccessCertificatesRequest *req =
        account ? gw_new(g, Anchord__V1__ListAccessCertificatesRequest,
                         anchord__v1__list_access_certificates_request)
                : NULL;
    Anchord__V1__PageRequest *cut =
        req ? gw_new(g, Anchord__V1__PageRequest, anchord__v1__page_request) : NULL;
    if (!cut)
        return;
    req->account = account;
    req->page = cut;
    page_read(&g->query, PER_PAGE, PER_PAGE_MAX, &page);
    const struct page_source from = {.what = &access_ca,
                                     .method = "AccessService/ListAccessCertificates",
                                     .req = req,
                                     .page = cut,
                                     .take = take};
    if (page_fill(g, &page, &from))
        v4_page(g, &page);
}

void
access_create(struct gw *g)
{
    struct at at;
    bool there;
    const char *name = "", *certificate = "";
    Anchord__V1__CreateAccessCertificateRequest *req = gw_new(g, Anchord__V1__CreateAccessCertificateRequest,
                                                              anchord__v1__create_access_certificate_request);
    if (!req || !body_read(g, REQUIRED, &at) || !get_text(g, &at, "name", REQUIRED, &name) ||
        !get_text(g, &at, "certificate", REQUIRED, &certificate) ||
        !get_texts(g, &at, "associated_hostnames", OPTIONAL, &req->n_associated_hostnames,
                   &req->associated_hostnames, &there) ||
        !(req->account = account_of(g)))
        return;
    req->name = WIRE_STR(name);
    req->certificate = WIRE_STR(certificate);
    const Anchord__V1__AccessCertificateResponse *resp =
        gw_ask(g, &access_ca, "AccessService/CreateAccessCertificate", req);
    if (resp)
        v4_status(g, 201, access_json(resp->certificate));
}

void
access_get(struct gw *g)
{
    Anchord__V1__GetAccessCertificateRequest *req =
        gw_new(g, Anchord__V1__GetAccessCertificateRequest, anchord__v1__get_access_certificate_request);
    if (!req || !(req->account = account_of(g)))
        return;
    req->id = gw_param(g, "certificate");
    const Anchord__V1__AccessCertificate *c =
        gw_ask(g, &access_ca, "AccessService/GetAccessCertificate", req);
    if (c)
        v4_ok(g, access_json(c));
}

/* Hosts that are not given are cleared, a name that is not given stays: so clients take a CA out of use. */
void
access_put(struct gw *g)
{
    struct at at;
    bool there;
    const char *name = "";
    Anchord__V1__UpdateAccessCertificateRequest *req = gw_new(g, Anchord__V1__UpdateAccessCertificateRequest,
                                                              anchord__v1__update_access_certificate_request);
    if (!req || !body_read(g, REQUIRED, &at) || !get_text(g, &at, "name", OPTIONAL, &name) ||
        !get_texts(g, &at, "associated_hostnames", OPTIONAL, &req->n_associated_hostnames,
                   &req->associated_hostnames, &there) ||
        !(req->account = account_of(g)))
        return;
    req->id = gw_param(g, "certificate");
    req->name = WIRE_STR(name);
    const Anchord__V1__AccessCertificateResponse *resp =
        gw_ask(g, &access_ca, "AccessService/UpdateAccessCertificate", req);
    if (resp)
        v4_ok(g, access_json(resp->certificate));
}

void
access_delete(struct gw *g)
{
    Anchord__V1__DeleteAccessCertificateRequest *req = gw_new(g, Anchord__V1__DeleteAccessCertificateRequest,
                                                              anchord__v1__delete_access_certificate_request);
    if (!req || !(req->account = account_of(g)))
        return;
    req->id = gw_param(g, "certificate");
    if (!gw_ask(g, &access_ca, "AccessService/DeleteAccessCertificate", req))
        return;
    json_t *v = js_object();
    js_set(v, "id", js_text(req->id));
    v4_ok(g, v);
}

/* --- settings ---------------------------------------------------------------------------------------------
 */

static json_t *
settings_json(const Anchord__V1__AccessSettings *s)
{
    json_t *list = js_array();
    for (size_t i = 0; i < s->n_settings; i++) {
        json_t *v = js_object();
        js_set(v, "hostname", js_text(s->settings[i]->hostname));
        js_set(v, "china_network", json_boolean(s->settings[i]->china_network));
        js_set(v, "client_certificate_forwarding",
               json_boolean(s->settings[i]->client_certificate_forwarding));
        js_add(list, v);
    }
    return list;
}

void
access_settings_get(struct gw *g)
{
    Anchord__V1__GetAccessSettingsRequest *req =
        gw_new(g, Anchord__V1__GetAccessSettingsRequest, anchord__v1__get_access_settings_request);
    if (!req || !(req->account = account_of(g)))
        return;
    const Anchord__V1__AccessSettings *s = gw_ask(g, &access_ca, "AccessService/GetAccessSettings", req);
    if (s)
        v4_ok(g, settings_json(s));
}

static bool
read_setting(struct gw *g, const struct at *at, Anchord__V1__AccessSetting *s)
{
    const char *host = "";
    bool china = false, forwarding = false;
    if (!get_text(g, at, "hostname", REQUIRED, &host) ||
        !get_bool(g, at, "china_network", REQUIRED, &china) ||
        !get_bool(g, at, "client_certificate_forwarding", REQUIRED, &forwarding))
        return false;
    s->hostname = WIRE_STR(host);
    s->china_network = china;
    s->client_certificate_forwarding = forwarding;
    return true;
}

static bool
read_settings(struct gw *g, const struct at *at, Anchord__V1__PutAccessSettingsRequest *req)
{
    const json_t *list;
    struct at in;
    if (!get_list(g, at, "settings", REQUIRED, &list))
        return false;
    size_t n = json_array_size(list);
    if (n > LIMIT_REPEATED) {
        gw_fail(g, 400, TOO_MANY, "/settings", "settings has %zu entries, more than %d", n, LIMIT_REPEATED);
        return false;
    }
    req->settings =
        gw_need(g, wire_list(g->region, n, Anchord__V1__AccessSetting, anchord__v1__access_setting));
    for (; req->settings && req->n_settings < n; req->n_settings++)
        if (!get_item(g, at, "settings", list, req->n_settings, &in) ||
            !read_setting(g, &in, req->settings[req->n_settings]))
            return false;
    return req->settings != NULL;
}

void
access_settings_put(struct gw *g)
{
    struct at at;
    Anchord__V1__PutAccessSettingsRequest *req =
        gw_new(g, Anchord__V1__PutAccessSettingsRequest, anchord__v1__put_access_settings_request);
    if (!req || !body_read(g, REQUIRED, &at) || !read_settings(g, &at, req) ||
        !(req->account = account_of(g)))
        return;
    const Anchord__V1__AccessSettings *s = gw_ask(g, &access_ca, "AccessService/PutAccessSettings", req);
    if (s)
        v4_status(g, 202, settings_json(s));
}
