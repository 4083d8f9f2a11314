/* /zones/{zone}/client_certificates: what the account's managed CA signs for clients of a zone. */
#include <string.h>

#include "json.h"
#include "model/limits.h"
#include "res.h"
#include "v4.h"

enum { PER_PAGE = 20, PER_PAGE_MAX = 50, BAD_STATUS = 1419, BAD_VALIDITY = 1423 };

static const struct resource client_cert = {
    .missing_code = 1415,
    .missing = "Invalid Certificate ID in request",
    .upload = "/csr",
    .finding_code = 1422,
};

/* Hex as this resource writes it: the server's is upper-case. */
static json_t *
lower_hex(struct gw *g, const char *hex)
{
    char *copy = mem_strdup(g->region, hex);
    if (!copy)
        return NULL; /* js_set ends the process, as for every value of a reply that cannot be made */
    for (char *p = copy; *p; p++)
        if (*p >= 'A' && *p <= 'F')
            *p = (char)(*p - 'A' + 'a');
    return js_text(copy);
}

static json_t *
ca_json(const Anchord__V1__ClientCertificate *c)
{
    json_t *v = js_object();
    js_set(v, "id", js_text(c->certificate_authority_id));
    js_set(v, "name", js_text(c->certificate_authority_name));
    return v;
}

static json_t *
cert_json(struct gw *g, const Anchord__V1__ClientCertificate *c)
{
    bool revoked = c->status != ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_ACTIVE;
    json_t *v = js_object();
    js_set(v, "id", js_text(c->id));
    js_set(v, "certificate", js_text(c->certificate));
    js_set(v, "certificate_authority", ca_json(c));
    js_set(v, "common_name", js_text(c->common_name));
    js_set(v, "country", js_text(c->country));
    js_set(v, "csr", js_text(c->csr));
    js_set(v, "expires_on", js_time(c->not_after_ms));
    js_set(v, "fingerprint_sha256", js_hex(c->sha256));
    js_set(v, "issued_on", js_time(c->issued_ms));
    js_set(v, "location", js_text(c->location));
    js_set(v, "organization", js_text(c->organization));
    js_set(v, "organizational_unit", js_text(c->organizational_unit));
    js_set(v, "serial_number", lower_hex(g, c->serial_hex));
    js_set(v, "signature", js_text(c->signature));
    js_set(v, "ski", lower_hex(g, c->ski));
    js_set(v, "state", js_text(c->state));
    js_set(v, "status", js_text(revoked ? "revoked" : "active"));
    js_set(v, "validity_days", json_integer(c->validity_days));
    return v;
}

static void
answer(struct gw *g, const Anchord__V1__ClientCertificateResponse *resp)
{
    if (resp)
        v4_ok(g, cert_json(g, resp->certificate));
}

/* --- list -------------------------------------------------------------------------------------------------
 */

/* Whose rows are asked for. Nothing is ever pending here: such a list is empty. */
static bool
read_status(struct gw *g, Anchord__V1__ClientCertificateStatus *ret, bool *ret_pending)
{
    static const struct {
        const char *name;
        Anchord__V1__ClientCertificateStatus status;
        bool pending;
    } names[] = {
        {"all", ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_UNSPECIFIED, false},
        {"active", ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_ACTIVE, false},
        {"revoked", ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_REVOKED, false},
        {"pending_revocation", ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_UNSPECIFIED, true},
        {"pending_reactivation", ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_UNSPECIFIED,
         true},
    };
    const char *text = query_get(&g->query, "status");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(text ? text : "all", names[i].name) == 0) {
            *ret = names[i].status;
            *ret_pending = names[i].pending;
            return true;
        }
    gw_fail(g, 400, BAD_STATUS, NULL,
            "status must be one of all, active, pending_reactivation, pending_revocation, revoked");
    return false;
}

static const Anchord__V1__PageInfo *
take(struct gw *g, struct page *p, const void *resp_, void *ctx)
{
    const Anchord__V1__ListClientCertificatesResponse *resp = resp_;
    (void)ctx;
    for (size_t i = 0; i < resp->n_certificates; i++)
        if (page_wants(p))
            js_add(p->rows, cert_json(g, resp->certificates[i]));
    return resp->page;
}

void
client_cert_list(struct gw *g)
{
    struct page page;
    bool pending;
    Anchord__V1__ListClientCertificatesRequest *req =
        gw_new(g, Anchord__V1__ListClientCertificatesRequest, anchord__v1__list_client_certificates_request);
    Anchord__V1__PageRequest *cut = gw_new(g, Anchord__V1__PageRequest, anchord__v1__page_request);
    if (!req || !cut || !read_status(g, &req->status, &pending))
        return;
    req->zone = gw_param(g, "zone");
    req->page = cut;
    page_read(&g->query, PER_PAGE, PER_PAGE_MAX, &page);
    if (pending)
        page.start = UINT64_MAX; /* the server is asked all the same: rights are its business */
    const struct page_source from = {.what = &client_cert,
                                     .method = "ClientCertService/ListClientCertificates",
                                     .req = req,
                                     .page = cut,
                                     .take = take};
    if (page_fill(g, &page, &from)) {
        if (pending)
            page.total = 0;
        v4_page(g, &page);
    }
}

/* --- one --------------------------------------------------------------------------------------------------
 */

void
client_cert_get(struct gw *g)
{
    Anchord__V1__GetClientCertificateRequest *req =
        gw_new(g, Anchord__V1__GetClientCertificateRequest, anchord__v1__get_client_certificate_request);
    if (!req)
        return;
    req->zone = gw_param(g, "zone");
    req->id = gw_param(g, "certificate");
    const Anchord__V1__ClientCertificate *c =
        gw_ask(g, &client_cert, "ClientCertService/GetClientCertificate", req);
    if (c)
        v4_ok(g, cert_json(g, c));
}

void
client_cert_create(struct gw *g)
{
    struct at at;
    const char *csr = "";
    int64_t days = 0;
    Anchord__V1__IssueClientCertificateRequest *req =
        gw_new(g, Anchord__V1__IssueClientCertificateRequest, anchord__v1__issue_client_certificate_request);
    if (!req || !body_read(g, REQUIRED, &at) || !get_text(g, &at, "csr", REQUIRED, &csr) ||
        !get_int(g, &at, "validity_days", REQUIRED, &days))
        return;
    if (days < 1 || days > LIMIT_CLIENT_CERT_DAYS) { /* to the server 0 is its default */
        gw_fail(g, 400, BAD_VALIDITY, "/validity_days", "validity_days must be 1 to %d",
                LIMIT_CLIENT_CERT_DAYS);
        return;
    }
    req->zone = gw_param(g, "zone");
    req->csr = WIRE_STR(csr);
    req->validity_days = (uint32_t)days;
    answer(g, gw_ask(g, &client_cert, "ClientCertService/IssueClientCertificate", req));
}

static void
change(struct gw *g, const char *method)
{
    Anchord__V1__ChangeClientCertificateRequest *req = gw_new(g, Anchord__V1__ChangeClientCertificateRequest,
                                                              anchord__v1__change_client_certificate_request);
    if (!req)
        return;
    req->zone = gw_param(g, "zone");
    req->id = gw_param(g, "certificate");
    answer(g, gw_ask(g, &client_cert, method, req));
}

/* A body is optional, and so is its only member: without it the certificate is reactivated. */
void
client_cert_patch(struct gw *g)
{
    struct at at;
    bool reactivate = true;
    if (!body_read(g, OPTIONAL, &at) || !get_bool(g, &at, "reactivate", OPTIONAL, &reactivate))
        return;
    if (reactivate)
        change(g, "ClientCertService/ReactivateClientCertificate");
    else
        client_cert_get(g);
}

/* The certificate stays listed. */
void
client_cert_revoke(struct gw *g)
{
    change(g, "ClientCertService/RevokeClientCertificate");
}
