/* /accounts/{account}/mtls_certificates: the CAs that an account brings, and leaves for Workers. */
#include <string.h>

#include "base/str.h"
#include "json.h"
#include "res.h"
#include "v4.h"

enum { PER_PAGE = 50, ROWS_MAX = 1000 };

static const struct resource mtls = {
    .missing_code = 1472,
    .missing = "Certificate not found",
    .upload = "/certificates",
    .fields = {{"name", "/name"}, {"private_key", "/private_key"}, {"certificates", "/certificates"}},
};

static json_t *
cert_json(const Anchord__V1__Certificate *c)
{
    json_t *v = js_object();
    const Anchord__V1__CertificateItem *first = c->n_items ? c->items[0] : NULL;
    js_set(v, "id", js_text(c->id));
    js_set(v, "name", js_text(c->name));
    js_set(v, "issuer", js_text(first ? first->issuer : ""));
    js_set(v, "signature", js_text(first ? first->signature : ""));
    js_set(v, "serial_number", js_text(c->serial_number));
    js_set(v, "certificates", js_text(c->certificates));
    js_set(v, "ca", json_boolean(c->ca));
    js_set(v, "uploaded_on", js_time_short(c->uploaded_ms));
    js_set(v, "updated_at", js_time_short(c->updated_ms));
    js_set(v, "expires_on", first ? js_time(first->not_after_ms) : json_null());
    js_set(v, "type", js_text("custom"));
    return v;
}

/* --- list -------------------------------------------------------------------------------------------------
 */

struct filter {
    bool by_ca, ca;
};

static const Anchord__V1__PageInfo *
take(struct gw *g, struct page *p, const void *resp_, void *ctx)
{
    const Anchord__V1__ListCertificatesResponse *resp = resp_;
    const struct filter *f = ctx;
    (void)g;
    for (size_t i = 0; i < resp->n_certificates; i++) {
        const Anchord__V1__Certificate *c = resp->certificates[i];
        if ((!f->by_ca || c->ca == f->ca) && page_wants(p))
            js_add(p->rows, cert_json(c));
    }
    return resp->page;
}

void
mtls_list(struct gw *g)
{
    struct page page;
    struct filter filter = {.by_ca = query_get(&g->query, "ca") != NULL, .ca = query_flag(&g->query, "ca")};
    Anchord__V1__ListCertificatesRequest *req =
        gw_new(g, Anchord__V1__ListCertificatesRequest, anchord__v1__list_certificates_request);
    Anchord__V1__PageRequest *cut = gw_new(g, Anchord__V1__PageRequest, anchord__v1__page_request);
    if (!req || !cut)
        return;
    req->account = gw_param(g, "account");
    req->name = WIRE_STR(query_get(&g->query, "name"));
    req->page = cut;
    page_read_all(&g->query, PER_PAGE, ROWS_MAX, &page);
    if (!query_has(&g->query, "type", "custom"))
        page.start = UINT64_MAX; /* the server is asked all the same: rights are its business */
    const struct page_source from = {.what = &mtls,
                                     .method = "CaService/ListCertificates",
                                     .req = req,
                                     .page = cut,
                                     .take = take,
                                     .ctx = &filter,
                                     .filtered = filter.by_ca};
    if (page_fill(g, &page, &from)) {
        if (page.start == UINT64_MAX)
            page.total = 0;
        v4_page(g, &page);
    }
}

/* --- one --------------------------------------------------------------------------------------------------
 */

void
mtls_get(struct gw *g)
{
    Anchord__V1__GetCertificateRequest *req =
        gw_new(g, Anchord__V1__GetCertificateRequest, anchord__v1__get_certificate_request);
    if (!req)
        return;
    req->id = gw_param(g, "certificate");
    req->account = gw_param(g, "account");
    const Anchord__V1__Certificate *c = gw_ask(g, &mtls, "CaService/GetCertificate", req);
    if (c)
        v4_ok(g, cert_json(c));
}

void
mtls_delete(struct gw *g)
{
    Anchord__V1__DeleteCertificateRequest *req =
        gw_new(g, Anchord__V1__DeleteCertificateRequest, anchord__v1__delete_certificate_request);
    if (!req)
        return;
    req->id = gw_param(g, "certificate");
    req->account = gw_param(g, "account");
    const Anchord__V1__DeleteCertificateResponse *resp = gw_ask(g, &mtls, "CaService/DeleteCertificate", req);
    if (resp)
        v4_ok(g, cert_json(resp->certificate));
}

void
mtls_upload(struct gw *g)
{
    struct at at;
    bool ca = false;
    const char *certificates = "", *name = "", *key = "";
    Anchord__V1__UploadCertificateRequest *req =
        gw_new(g, Anchord__V1__UploadCertificateRequest, anchord__v1__upload_certificate_request);
    if (!req || !body_read(g, REQUIRED, &at) || !get_bool(g, &at, "ca", REQUIRED, &ca) ||
        !get_text(g, &at, "certificates", REQUIRED, &certificates) ||
        !get_text(g, &at, "name", OPTIONAL, &name) || !get_text(g, &at, "private_key", OPTIONAL, &key))
        return;
    req->account = gw_param(g, "account");
    req->leaf = !ca;
    req->certificates = WIRE_STR(certificates);
    req->name = WIRE_STR(name);
    req->private_key = wire_bytes(slice_str(key));
    const Anchord__V1__UploadCertificateResponse *resp = gw_ask(g, &mtls, "CaService/UploadCertificate", req);
    if (resp)
        v4_ok(g, cert_json(resp->certificate));
}

/* The services that use a certificate, not the hosts: one entry when there is any. */
void
mtls_associations(struct gw *g)
{
    Anchord__V1__ListCertificateAssociationsRequest *req =
        gw_new(g, Anchord__V1__ListCertificateAssociationsRequest,
               anchord__v1__list_certificate_associations_request);
    if (!req)
        return;
    req->id = gw_param(g, "certificate");
    req->account = gw_param(g, "account");
    const Anchord__V1__ListCertificateAssociationsResponse *resp =
        gw_ask(g, &mtls, "CaService/ListCertificateAssociations", req);
    if (!resp)
        return;
    struct page page;
    page_read(&g->query, PER_PAGE, ROWS_MAX, &page);
    page.total = resp->n_associations > 0;
    if (page.total && page_wants(&page)) {
        json_t *v = js_object();
        js_set(v, "service", js_text(resp->associations[0]->service));
        js_set(v, "status", js_text(resp->associations[0]->status));
        js_add(page.rows, v);
    }
    v4_page(g, &page);
}
