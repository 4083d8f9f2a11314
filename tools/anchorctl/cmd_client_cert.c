#include "cmd.h"
#include "fail.h"
#include "input.h"
#include "json.h"
#include "out.h"

/* Certificates come with their text and request: this many fit into a message unless they are large. */
enum { CLIENT_CERT_PAGE = 250 };

static const struct out_col list_cols[] = {
    {"ID", "id", false},
    {"STATUS", "status", false},
    {"COMMON NAME", "common_name", false},
    {"ORGANIZATION", "organization", false},
    {"ISSUED", "issued_on", false},
    {"EXPIRES", "expires_on", false},
    {"SERIAL NUMBER", "serial_number", false},
    {NULL, NULL, false},
};

static const struct out_col cert_cols[] = {
    {"ID", "id", false},
    {"STATUS", "status", false},
    {"REVOKED", "revoked_on", false},
    {"COMMON NAME", "common_name", false},
    {"ORGANIZATION", "organization", false},
    {"UNIT", "organizational_unit", false},
    {"COUNTRY", "country", false},
    {"STATE", "state", false},
    {"LOCATION", "location", false},
    {"ISSUED", "issued_on", false},
    {"EXPIRES", "expires_on", false},
    {"SERIAL NUMBER", "serial_number", false},
    {"SHA-256", "fingerprint_sha256", false},
    {"SIGNATURE", "signature", false},
    {"SIGNED BY", "certificate_authority.id", false},
    {"REVISION", "revision", false},
    {"DRY RUN", "dry_run", false},
    {NULL, NULL, false},
};

static const struct out_col finding_cols[] = {
    {"SEVERITY", "severity", false},
    {"CODE", "code", false},
    {"FINDING", "message", false},
    {NULL, NULL, false},
};

static const char *
cert_status(int status)
{
    return status == ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_ACTIVE    ? "active"
           : status == ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_REVOKED ? "revoked"
                                                                                          : "unknown";
}

static json_t *
js_client_cert(const void *cert)
{
    const Anchord__V1__ClientCertificate *m = cert;
    json_t *v = js_object(), *ca = js_object();
    js_set(ca, "id", js_text(m->certificate_authority_id));
    js_set(ca, "name", js_text(m->certificate_authority_name));
    js_set(v, "id", js_text(m->id));
    js_set(v, "zone_id", js_text(m->zone_id));
    js_set(v, "status", js_text(cert_status((int)m->status)));
    js_set(v, "certificate", js_text(m->certificate));
    js_set(v, "certificate_authority", ca);
    js_set(v, "csr", js_text(m->csr));
    js_set(v, "common_name", js_text(m->common_name));
    js_set(v, "country", js_text(m->country));
    js_set(v, "location", js_text(m->location));
    js_set(v, "organization", js_text(m->organization));
    js_set(v, "organizational_unit", js_text(m->organizational_unit));
    js_set(v, "state", js_text(m->state));
    js_set(v, "serial_number", js_text(m->serial_number));
    js_set(v, "signature", js_text(m->signature));
    js_set(v, "ski", js_text(m->ski));
    js_set(v, "fingerprint_sha256", js_hex(wire_slice(m->sha256)));
    js_set(v, "issued_on", js_time(m->issued_ms));
    js_set(v, "expires_on", js_time(m->not_after_ms));
    js_set(v, "validity_days", json_integer(m->validity_days));
    js_set(v, "revoked_on", js_time(m->revoked_ms));
    js_set(v, "revision", json_integer((json_int_t)m->revision));
    return v;
}

static json_t *
js_response(const Anchord__V1__ClientCertificateResponse *resp)
{
    json_t *v = resp->certificate ? js_client_cert(resp->certificate) : js_object(), *findings = js_array();
    for (size_t i = 0; i < resp->n_findings; i++)
        js_add(findings, js_finding(resp->findings[i]));
    js_set(v, "findings", findings);
    js_set(v, "dry_run", json_boolean(resp->dry_run));
    return v;
}

/* The certificate itself is what somebody who issues one is after: it follows the table. */
static void
show(struct ctl *c, const Anchord__V1__ClientCertificateResponse *resp, bool text)
{
    json_t *v = js_response(resp);
    json_t *findings = json_incref(json_object_get(v, "findings"));
    out_object(c, v, cert_cols);
    if (!c->json && json_array_size(findings) > 0) {
        out_line(c, "%s", "");
        out_table(c, findings, finding_cols);
    }
    if (!c->json && text && resp->certificate) {
        out_line(c, "%s", "");
        (void)fputs(resp->certificate->certificate, c->out);
    }
    json_decref(findings);
}

static int
ask(struct ctl *c, const char *method, const void *req, bool text)
{
    struct admin_result res;
    const void *resp = NULL;
    int rc = ctl_call(c, method, req, &resp, &res);
    if (rc == 0)
        show(c, resp, text);
    admin_result_done(&res);
    return rc;
}

int
cmd_client_cert_issue(struct ctl *c)
{
    struct buf csr = BUF_INIT(INPUT_PEM_MAX);
    Anchord__V1__IssueClientCertificateRequest *req =
        ctl_new(c, Anchord__V1__IssueClientCertificateRequest, anchord__v1__issue_client_certificate_request);
    if (ctl_flag(c, OPT_DAYS)) {
        uint64_t days = ctl_number(c, OPT_DAYS);
        if (days < 1 || days > LIMIT_CLIENT_CERT_DAYS)
            return fail_usage(c, "option --days: 1 to %d", LIMIT_CLIENT_CERT_DAYS);
        req->validity_days = (uint32_t)days;
    }
    req->zone = ctl_text(c, OPT_ZONE);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    int rc = input_text(c, ctl_text(c, OPT_CSR), &csr);
    if (rc == 0) {
        req->csr = WIRE_STR(csr.data);
        rc = ask(c, "ClientCertService/IssueClientCertificate", req, true);
    }
    input_wipe(&csr);
    return rc;
}

static const Anchord__V1__PageInfo *
take(json_t *rows, const void *resp_)
{
    const Anchord__V1__ListClientCertificatesResponse *resp = resp_;
    for (size_t i = 0; i < resp->n_certificates; i++)
        js_add(rows, js_client_cert(resp->certificates[i]));
    return resp->page;
}

int
cmd_client_cert_list(struct ctl *c)
{
    Anchord__V1__ListClientCertificatesRequest *req =
        ctl_new(c, Anchord__V1__ListClientCertificatesRequest, anchord__v1__list_client_certificates_request);
    const char *status = ctl_text(c, OPT_STATUS);
    req->zone = ctl_text(c, OPT_ZONE);
    if (strcmp(status, "active") == 0)
        req->status = ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_ACTIVE;
    else if (strcmp(status, "revoked") == 0)
        req->status = ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_REVOKED;
    req->page = ctl_page(c, CLIENT_CERT_PAGE);
    return ctl_list(c, "ClientCertService/ListClientCertificates", req, req->page, take, list_cols);
}

int
cmd_client_cert_get(struct ctl *c)
{
    Anchord__V1__GetClientCertificateRequest *req =
        ctl_new(c, Anchord__V1__GetClientCertificateRequest, anchord__v1__get_client_certificate_request);
    req->zone = ctl_text(c, OPT_ZONE);
    req->id = WIRE_STR(c->args[0]);
    return ctl_show(c, "ClientCertService/GetClientCertificate", req, js_client_cert, cert_cols);
}

static int
change(struct ctl *c, const char *method)
{
    Anchord__V1__ChangeClientCertificateRequest *req = ctl_new(
        c, Anchord__V1__ChangeClientCertificateRequest, anchord__v1__change_client_certificate_request);
    req->zone = ctl_text(c, OPT_ZONE);
    req->id = WIRE_STR(c->args[0]);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    return ask(c, method, req, false);
}

int
cmd_client_cert_revoke(struct ctl *c)
{
    return change(c, "ClientCertService/RevokeClientCertificate");
}

int
cmd_client_cert_reactivate(struct ctl *c)
{
    return change(c, "ClientCertService/ReactivateClientCertificate");
}
