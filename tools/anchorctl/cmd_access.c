/* access: the Access CAs of an account, their hosts, and the settings of host names. */
#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "input.h"
#include "json.h"
#include "out.h"

static const struct out_col list_cols[] = {
    {"ID", "id", false},
    {"NAME", "name", false},
    {"HOSTS", "associated_hostnames", false},
    {"EXPIRES", "expires_on", false},
    {NULL, NULL, false},
};

static const struct out_col cert_cols[] = {
    {"ID", "id", false},
    {"NAME", "name", false},
    {"ACCOUNT", "account.id", false},
    {"HOSTS", "associated_hostnames", false},
    {"PROFILE", "profile", false},
    {"ISSUER", "issuer", false},
    {"EXPIRES", "expires_on", false},
    {"FINGERPRINT", "fingerprint", false},
    {"CREATED", "created_at", false},
    {"UPDATED", "updated_at", false},
    {"REVISION", "revision", false},
    {"QUOTA USED", "quota.used", false},
    {"QUOTA LIMIT", "quota.limit", false},
    {"HOSTS ADDED", "added", false},
    {"HOSTS REMOVED", "removed", false},
    {"DRY RUN", "dry_run", false},
    {NULL, NULL, false},
};

static const struct out_col finding_cols[] = {
    {"SEVERITY", "severity", false},
    {"CERTIFICATE", "index", true},
    {"CODE", "code", false},
    {"FINDING", "message", false},
    {NULL, NULL, false},
};

static const struct out_col setting_cols[] = {
    {"HOST", "hostname", false},
    {"CHINA NETWORK", "china_network", false},
    {"CERTIFICATE FORWARDING", "client_certificate_forwarding", false},
    {NULL, NULL, false},
};

static json_t *
js_access(const void *cert)
{
    const Anchord__V1__AccessCertificate *m = cert;
    const Anchord__V1__CertificateItem *first = m->n_items ? m->items[0] : NULL;
    json_t *v = js_object(), *account = js_object(), *hosts = js_array();
    for (size_t i = 0; i < m->n_associated_hostnames; i++)
        js_add(hosts, js_text(m->associated_hostnames[i]));
    js_set(account, "id", js_text(m->account_id));
    js_set(v, "id", js_text(m->id));
    js_set(v, "name", js_text(m->name));
    js_set(v, "account", account);
    js_set(v, "associated_hostnames", hosts);
    js_set(v, "fingerprint", js_text_or_null(m->fingerprint));
    js_set(v, "profile", js_text(js_profile((int)m->profile)));
    js_set(v, "issuer", first ? js_text(first->issuer) : json_null());
    js_set(v, "expires_on", first ? js_time(first->not_after_ms) : json_null());
    js_set(v, "created_at", js_time(m->created_ms));
    js_set(v, "updated_at", js_time(m->updated_ms));
    js_set(v, "revision", json_integer((json_int_t)m->revision));
    return v;
}

/* --- changes ------------------------------------------------------------------------------------------- */

static void
show_changed(struct ctl *c, const Anchord__V1__AccessCertificateResponse *resp)
{
    json_t *v = resp->certificate ? js_access(resp->certificate) : js_object(), *findings = js_array();
    for (size_t i = 0; i < resp->n_findings; i++)
        js_add(findings, js_finding(resp->findings[i]));
    js_set(v, "findings", json_incref(findings));
    js_set(v, "quota", resp->quota ? js_pool(resp->quota) : json_null());
    js_set(v, "added", json_integer(resp->added));
    js_set(v, "removed", json_integer(resp->removed));
    js_set(v, "dry_run", json_boolean(resp->dry_run));
    out_object(c, v, cert_cols);
    if (!c->json && json_array_size(findings) > 0) {
        out_line(c, "%s", "");
        out_table(c, findings, finding_cols);
    }
    json_decref(findings);
}

static int
change(struct ctl *c, const char *method, const void *req)
{
    struct admin_result res;
    const void *resp = NULL;
    int rc = ctl_call(c, method, req, &resp, &res);
    if (rc == 0)
        show_changed(c, resp);
    admin_result_done(&res);
    return rc;
}

int
cmd_access_add(struct ctl *c)
{
    struct buf text = BUF_INIT(INPUT_PEM_MAX);
    int rc = input_text(c, c->args[0], &text);
    if (rc == 0) {
        Anchord__V1__CreateAccessCertificateRequest *req = ctl_new(
            c, Anchord__V1__CreateAccessCertificateRequest, anchord__v1__create_access_certificate_request);
        req->account = ctl_text(c, OPT_ACCOUNT);
        req->name = ctl_text(c, OPT_NAME);
        req->certificate = WIRE_STR(text.data);
        req->associated_hostnames = (char **)c->args + 1;
        req->n_associated_hostnames = c->n_args - 1;
        req->profile = ctl_profile(c);
        req->dry_run = ctl_flag(c, OPT_DRY_RUN);
        rc = change(c, "AccessService/CreateAccessCertificate", req);
    }
    input_wipe(&text);
    return rc;
}

int
cmd_access_update(struct ctl *c)
{
    Anchord__V1__UpdateAccessCertificateRequest *req = ctl_new(
        c, Anchord__V1__UpdateAccessCertificateRequest, anchord__v1__update_access_certificate_request);
    req->id = WIRE_STR(c->args[0]);
    req->name = ctl_text(c, OPT_NAME);
    req->associated_hostnames = (char **)c->args + 1;
    req->n_associated_hostnames = c->n_args - 1;
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    if (ctl_flag(c, OPT_EXPECT)) {
        req->expected = ctl_new(c, Anchord__V1__Precondition, anchord__v1__precondition);
        req->expected->revision = ctl_number(c, OPT_EXPECT);
    }
    return change(c, "AccessService/UpdateAccessCertificate", req);
}

int
cmd_access_delete(struct ctl *c)
{
    Anchord__V1__DeleteAccessCertificateRequest *req = ctl_new(
        c, Anchord__V1__DeleteAccessCertificateRequest, anchord__v1__delete_access_certificate_request);
    req->id = WIRE_STR(c->args[0]);
    req->detach = ctl_flag(c, OPT_DETACH);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    return change(c, "AccessService/DeleteAccessCertificate", req);
}

/* --- list, get ----------------------------------------------------------------------------------------- */

static const Anchord__V1__PageInfo *
take(json_t *rows, const void *resp_)
{
    const Anchord__V1__ListAccessCertificatesResponse *resp = resp_;
    for (size_t i = 0; i < resp->n_certificates; i++)
        js_add(rows, js_access(resp->certificates[i]));
    return resp->page;
}

int
cmd_access_list(struct ctl *c)
{
    Anchord__V1__ListAccessCertificatesRequest *req =
        ctl_new(c, Anchord__V1__ListAccessCertificatesRequest, anchord__v1__list_access_certificates_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->page = ctl_page(c, LIMIT_PAGE);
    return ctl_list(c, "AccessService/ListAccessCertificates", req, req->page, take, list_cols);
}

int
cmd_access_get(struct ctl *c)
{
    Anchord__V1__GetAccessCertificateRequest *req =
        ctl_new(c, Anchord__V1__GetAccessCertificateRequest, anchord__v1__get_access_certificate_request);
    req->id = WIRE_STR(c->args[0]);
    return ctl_show(c, "AccessService/GetAccessCertificate", req, js_access, cert_cols);
}

/* --- settings ------------------------------------------------------------------------------------------ */

static void
show_settings(struct ctl *c, const Anchord__V1__AccessSettings *m)
{
    json_t *rows = js_array();
    for (size_t i = 0; i < m->n_settings; i++) {
        json_t *v = js_object();
        js_set(v, "hostname", js_text(m->settings[i]->hostname));
        js_set(v, "china_network", json_boolean(m->settings[i]->china_network));
        js_set(v, "client_certificate_forwarding",
               json_boolean(m->settings[i]->client_certificate_forwarding));
        js_add(rows, v);
    }
    if (c->json)
        out_json(c, json_incref(rows));
    else
        out_table(c, rows, setting_cols);
    json_decref(rows);
}

static int
ask_settings(struct ctl *c, const char *method, const void *req)
{
    struct admin_result res;
    const void *resp = NULL;
    int rc = ctl_call(c, method, req, &resp, &res);
    if (rc == 0)
        show_settings(c, resp);
    admin_result_done(&res);
    return rc;
}

int
cmd_access_settings_get(struct ctl *c)
{
    Anchord__V1__GetAccessSettingsRequest *req =
        ctl_new(c, Anchord__V1__GetAccessSettingsRequest, anchord__v1__get_access_settings_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    return ask_settings(c, "AccessService/GetAccessSettings", req);
}

/* All three members and no other: a member that nobody reads is a misspelling. */
static int
take_setting(struct ctl *c, size_t i, const json_t *v, Anchord__V1__AccessSetting *ret)
{
    const char *host = json_string_value(json_object_get(v, "hostname"));
    const json_t *china = json_object_get(v, "china_network");
    const json_t *forward = json_object_get(v, "client_certificate_forwarding");
    if (!host || !json_is_boolean(china) || !json_is_boolean(forward) || json_object_size(v) != 3)
        return fail_input(c, ACD_EINVAL,
                          "%s: setting %zu: the members are hostname (text), china_network and "
                          "client_certificate_forwarding (true or false)",
                          c->args[0], i + 1);
    ret->hostname = ctl_need(mem_strdup(&c->region, host));
    ret->china_network = json_is_true(china);
    ret->client_certificate_forwarding = json_is_true(forward);
    return 0;
}

static int
take_settings(struct ctl *c, const json_t *list, Anchord__V1__PutAccessSettingsRequest *req)
{
    if (!json_is_array(list))
        return fail_input(c, ACD_EINVAL, "%s: not an array of settings", c->args[0]);
    req->n_settings = json_array_size(list);
    req->settings = ctl_need(
        wire_list(&c->region, req->n_settings, Anchord__V1__AccessSetting, anchord__v1__access_setting));
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < req->n_settings; i++)
        rc = take_setting(c, i, json_array_get(list, i), req->settings[i]);
    return rc;
}

int
cmd_access_settings_put(struct ctl *c)
{
    struct buf text = BUF_INIT(INPUT_PEM_MAX);
    json_error_t why;
    Anchord__V1__PutAccessSettingsRequest *req =
        ctl_new(c, Anchord__V1__PutAccessSettingsRequest, anchord__v1__put_access_settings_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    int rc = input_text(c, c->args[0], &text);
    json_t *list = rc == 0 ? json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (rc == 0)
        rc = list ? take_settings(c, list, req)
                  : fail_input(c, ACD_EINVAL, "%s:%d: not JSON: %s", c->args[0], why.line, why.text);
    json_decref(list);
    input_wipe(&text);
    return rc ? rc : ask_settings(c, "AccessService/PutAccessSettings", req);
}
