/* /zones/{zone}/acm/custom_trust_store: the root CAs that may vouch for a zone's origin servers. */
#include "json.h"
#include "res.h"
#include "v4.h"

enum { PER_PAGE = 20, PER_PAGE_MAX = 50 };

static const struct resource trust = {
    .missing_code = 1472,
    .missing = "Certificate not found",
    .upload = "/certificate",
    .fields = {{"certificate", "/certificate"}},
};

static json_t *
entry_json(const Anchord__V1__OriginTrust *e)
{
    json_t *v = js_object();
    const Anchord__V1__CertificateItem *item = e->item;
    bool expired = e->status == ANCHORD__V1__ORIGIN_TRUST_STATUS__ORIGIN_TRUST_EXPIRED;
    js_set(v, "id", js_text(e->id));
    js_set(v, "certificate", js_text(e->certificate));
    js_set(v, "issuer", js_text(item ? item->issuer : ""));
    js_set(v, "signature", js_text(item ? item->signature : ""));
    js_set(v, "status", js_text(expired ? "expired" : "active"));
    js_set(v, "expires_on", item ? js_time(item->not_after_ms) : json_null());
    js_set(v, "uploaded_on", js_time_short(e->uploaded_ms));
    js_set(v, "updated_at", js_time_short(e->updated_ms));
    return v;
}

static const Anchord__V1__PageInfo *
take(struct gw *g, struct page *p, const void *resp_, void *ctx)
{
    const Anchord__V1__ListOriginTrustResponse *resp = resp_;
    (void)g;
    (void)ctx;
    for (size_t i = 0; i < resp->n_entries; i++)
        if (page_wants(p))
            js_add(p->rows, entry_json(resp->entries[i]));
    return resp->page;
}

void
trust_list(struct gw *g)
{
    struct page page;
    Anchord__V1__ListOriginTrustRequest *req =
        gw_new(g, Anchord__V1__ListOriginTrustRequest, anchord__v1__list_origin_trust_request);
    Anchord__V1__PageRequest *cut = gw_new(g, Anchord__V1__PageRequest, anchord__v1__page_request);
    if (!req || !cut)
        return;
    req->zone = gw_param(g, "zone");
    req->page = cut;
    page_read(&g->query, PER_PAGE, PER_PAGE_MAX, &page);
    const struct page_source from = {.what = &trust,
                                     .method = "OriginTrustService/ListOriginTrust",
                                     .req = req,
                                     .page = cut,
                                     .take = take};
    if (page_fill(g, &page, &from))
        v4_page(g, &page);
}

void
trust_get(struct gw *g)
{
    Anchord__V1__GetOriginTrustRequest *req =
        gw_new(g, Anchord__V1__GetOriginTrustRequest, anchord__v1__get_origin_trust_request);
    if (!req)
        return;
    req->zone = gw_param(g, "zone");
    req->id = gw_param(g, "entry");
    const Anchord__V1__OriginTrust *e = gw_ask(g, &trust, "OriginTrustService/GetOriginTrust", req);
    if (e)
        v4_ok(g, entry_json(e));
}

void
trust_add(struct gw *g)
{
    struct at at;
    const char *certificate = "";
    Anchord__V1__AddOriginTrustRequest *req =
        gw_new(g, Anchord__V1__AddOriginTrustRequest, anchord__v1__add_origin_trust_request);
    if (!req || !body_read(g, REQUIRED, &at) || !get_text(g, &at, "certificate", REQUIRED, &certificate))
        return;
    req->zone = gw_param(g, "zone");
    req->certificate = WIRE_STR(certificate);
    const Anchord__V1__AddOriginTrustResponse *resp =
        gw_ask(g, &trust, "OriginTrustService/AddOriginTrust", req);
    if (resp)
        v4_ok(g, entry_json(resp->entry));
}

void
trust_delete(struct gw *g)
{
    Anchord__V1__DeleteOriginTrustRequest *req =
        gw_new(g, Anchord__V1__DeleteOriginTrustRequest, anchord__v1__delete_origin_trust_request);
    if (!req)
        return;
    req->zone = gw_param(g, "zone");
    req->id = gw_param(g, "entry");
    const Anchord__V1__DeleteOriginTrustResponse *resp =
        gw_ask(g, &trust, "OriginTrustService/DeleteOriginTrust", req);
    if (!resp)
        return;
    json_t *v = js_object();
    js_set(v, "id", js_text(req->id));
    v4_ok(g, v);
}
