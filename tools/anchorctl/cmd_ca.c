#include <stdlib.h>

#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "input.h"
#include "json.h"
#include "out.h"

/* Certificates come with their text: this many fit into a message unless they are large. */
enum { CA_PAGE = 250 };

static const struct out_col list_cols[] = {
    {"ID", "id", false},
    {"NAME", "name", false},
    {"TYPE", "type", false},
    {"CA", "ca", false},
    {"PRODUCT", "product", false},
    {"PROFILE", "profile", false},
    {"EXPIRES", "expires_on", false},
    {"ISSUER", "issuer", false},
    {NULL, NULL, false},
};

static const struct out_col cert_cols[] = {
    {"ID", "id", false},
    {"NAME", "name", false},
    {"ACCOUNT", "account.id", false},
    {"TYPE", "type", false},
    {"CA", "ca", false},
    {"PRODUCT", "product", false},
    {"PROFILE", "profile", false},
    {"HELPER", "helper", false},
    {"ISSUER", "issuer", false},
    {"SERIAL NUMBER", "serial_number", false},
    {"SIGNATURE", "signature", false},
    {"EXPIRES", "expires_on", false},
    {"UPLOADED", "uploaded_on", false},
    {"UPDATED", "updated_at", false},
    {"PRIVATE KEY", "has_private_key", false},
    {"REVISION", "revision", false},
    {"QUOTA POOL", "quota.pool", false},
    {"QUOTA USED", "quota.used", false},
    {"QUOTA LIMIT", "quota.limit", false},
    {"HOSTS REMOVED", "detached", false},
    {"DRY RUN", "dry_run", false},
    {NULL, NULL, false},
};

static const struct out_col item_cols[] = {
    {"CERTIFICATE", "index", true},
    {"SUBJECT", "subject", false},
    {"EXPIRES", "expires_on", false},
    {"KEY", "key_type", false},
    {"BITS", "key_bits", true},
    {"SHA-256", "fingerprint_sha256", false},
    {NULL, NULL, false},
};

static const struct out_col finding_cols[] = {
    {"SEVERITY", "severity", false},
    {"CERTIFICATE", "index", true},
    {"CODE", "code", false},
    {"FINDING", "message", false},
    {NULL, NULL, false},
};

/* The object, then in human form what there is of certificates and findings in it. Takes `cert`. */
static void
show_cert(struct ctl *c, json_t *cert)
{
    json_t *items = json_incref(json_object_get(cert, "items"));
    json_t *findings = json_incref(json_object_get(cert, "findings"));
    out_object(c, cert, cert_cols);
    if (!c->json && json_array_size(items) > 0) {
        out_line(c, "%s", "");
        out_table(c, items, item_cols);
    }
    if (!c->json && json_array_size(findings) > 0) {
        out_line(c, "%s", "");
        out_table(c, findings, finding_cols);
    }
    json_decref(items);
    json_decref(findings);
}

/* --- upload -------------------------------------------------------------------------------------------- */

static json_t *
js_uploaded(const Anchord__V1__UploadCertificateResponse *resp)
{
    json_t *v = resp->certificate ? js_cert(resp->certificate) : js_object(), *findings = js_array();
    for (size_t i = 0; i < resp->n_findings; i++)
        js_add(findings, js_finding(resp->findings[i]));
    js_set(v, "findings", findings);
    js_set(v, "quota", resp->quota ? js_pool(resp->quota) : json_null());
    js_set(v, "dry_run", json_boolean(resp->dry_run));
    return v;
}

static int
upload(struct ctl *c, const char *text, acd_slice key)
{
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__UploadCertificateRequest *req =
        ctl_new(c, Anchord__V1__UploadCertificateRequest, anchord__v1__upload_certificate_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->name = ctl_text(c, OPT_NAME);
    req->leaf = ctl_flag(c, OPT_LEAF);
    req->helper = ctl_flag(c, OPT_HELPER);
    req->product = ctl_text(c, OPT_PRODUCT);
    req->profile = ctl_profile(c);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    req->certificates = WIRE_STR(text);
    req->private_key = wire_bytes(key);
    int rc = ctl_call(c, "CaService/UploadCertificate", req, &resp, &res);
    if (rc == 0)
        show_cert(c, js_uploaded(resp));
    admin_result_done(&res);
    return rc;
}

int
cmd_ca_upload(struct ctl *c)
{
    struct buf text = BUF_INIT(INPUT_PEM_MAX);
    char *key = ctl_need(calloc(1, LIMIT_KEY_PEM + 1));
    size_t key_len = 0;
    int rc = input_text(c, c->args[0], &text);
    if (rc == 0 && ctl_flag(c, OPT_KEY))
        rc = input_secret(c, ctl_text(c, OPT_KEY), key, &key_len);
    if (rc == 0)
        rc = upload(c, text.data, slice_of(key, key_len));
    wipe(key, LIMIT_KEY_PEM + 1);
    free(key);
    input_wipe(&text);
    return rc;
}

/* --- list, get ----------------------------------------------------------------------------------------- */

static const Anchord__V1__PageInfo *
take_cert(json_t *rows, const void *resp_)
{
    const Anchord__V1__ListCertificatesResponse *resp = resp_;
    for (size_t i = 0; i < resp->n_certificates; i++)
        js_add(rows, js_cert(resp->certificates[i]));
    return resp->page;
}

int
cmd_ca_list(struct ctl *c)
{
    Anchord__V1__ListCertificatesRequest *req =
        ctl_new(c, Anchord__V1__ListCertificatesRequest, anchord__v1__list_certificates_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->name = ctl_text(c, OPT_NAME);
    req->page = ctl_page(c, CA_PAGE);
    return ctl_list(c, "CaService/ListCertificates", req, req->page, take_cert, list_cols);
}

int
cmd_ca_get(struct ctl *c)
{
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__GetCertificateRequest *req =
        ctl_new(c, Anchord__V1__GetCertificateRequest, anchord__v1__get_certificate_request);
    req->id = WIRE_STR(c->args[0]);
    int rc = ctl_call(c, "CaService/GetCertificate", req, &resp, &res);
    if (rc == 0)
        show_cert(c, js_cert(resp));
    admin_result_done(&res);
    return rc;
}

/* --- delete, associations ------------------------------------------------------------------------------ */

static json_t *
js_deleted(const void *resp_)
{
    const Anchord__V1__DeleteCertificateResponse *resp = resp_;
    json_t *v = resp->certificate ? js_cert(resp->certificate) : js_object();
    js_set(v, "detached", json_integer(resp->detached));
    js_set(v, "dry_run", json_boolean(resp->dry_run));
    return v;
}

int
cmd_ca_delete(struct ctl *c)
{
    Anchord__V1__DeleteCertificateRequest *req =
        ctl_new(c, Anchord__V1__DeleteCertificateRequest, anchord__v1__delete_certificate_request);
    req->id = WIRE_STR(c->args[0]);
    req->detach = ctl_flag(c, OPT_DETACH);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    return ctl_show(c, "CaService/DeleteCertificate", req, js_deleted, cert_cols);
}

static const struct out_col association_cols[] = {
    {"ZONE", "zone.name", false}, {"HOST", "host", false}, {"SERVICE", "service", false},
    {"STATUS", "status", false},  {NULL, NULL, false},
};

static const Anchord__V1__PageInfo *
take_association(json_t *rows, const void *resp_)
{
    const Anchord__V1__ListCertificateAssociationsResponse *resp = resp_;
    for (size_t i = 0; i < resp->n_associations; i++) {
        const Anchord__V1__CertificateAssociation *a = resp->associations[i];
        json_t *v = js_object(), *zone = js_object();
        js_set(zone, "id", js_text(a->zone_id));
        js_set(zone, "name", js_text(a->zone_name));
        js_set(v, "zone", zone);
        js_set(v, "host", js_text(a->host));
        js_set(v, "service", js_text(a->service));
        js_set(v, "status", js_text(a->status));
        js_add(rows, v);
    }
    return resp->page;
}

int
cmd_ca_associations(struct ctl *c)
{
    Anchord__V1__ListCertificateAssociationsRequest *req =
        ctl_new(c, Anchord__V1__ListCertificateAssociationsRequest,
                anchord__v1__list_certificate_associations_request);
    req->id = WIRE_STR(c->args[0]);
    req->page = ctl_page(c, LIMIT_PAGE);
    return ctl_list(c, "CaService/ListCertificateAssociations", req, req->page, take_association,
                    association_cols);
}
