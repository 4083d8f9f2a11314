/* origin-trust: the root CAs that may vouch for the origins of a zone. */
#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "input.h"
#include "json.h"
#include "out.h"

/* Entries come with their text: this many fit into a message unless they are large. */
enum { ORIGIN_PAGE = 50 };

static const struct out_col list_cols[] = {
    {"ID", "id", false},           {"STATUS", "status", false},   {"EXPIRES", "expires_on", false},
    {"PROFILE", "profile", false}, {"SUBJECT", "subject", false}, {NULL, NULL, false},
};

static const struct out_col entry_cols[] = {
    {"ID", "id", false},
    {"ZONE", "zone_id", false},
    {"STATUS", "status", false},
    {"PROFILE", "profile", false},
    {"SUBJECT", "subject", false},
    {"SERIAL NUMBER (HEX)", "serial_number_hex", false},
    {"SIGNATURE", "signature", false},
    {"NOT BEFORE", "not_before", false},
    {"EXPIRES", "expires_on", false},
    {"SHA-256", "fingerprint_sha256", false},
    {"UPLOADED", "uploaded_on", false},
    {"REVISION", "revision", false},
    {"ENTRIES IN THE STORE", "entries", false},
    {"DRY RUN", "dry_run", false},
    {NULL, NULL, false},
};

static const struct out_col finding_cols[] = {
    {"SEVERITY", "severity", false},
    {"CODE", "code", false},
    {"FINDING", "message", false},
    {NULL, NULL, false},
};

static json_t *
js_entry(const void *entry)
{
    const Anchord__V1__OriginTrust *m = entry;
    const Anchord__V1__CertificateItem *i = m->item;
    json_t *v = js_object();
    js_set(v, "id", js_text(m->id));
    js_set(v, "zone_id", js_text(m->zone_id));
    js_set(
        v, "status",
        js_text(m->status == ANCHORD__V1__ORIGIN_TRUST_STATUS__ORIGIN_TRUST_EXPIRED ? "expired" : "active"));
    js_set(v, "profile", js_text(js_profile((int)m->profile)));
    js_set(v, "certificate", js_text(m->certificate));
    js_set(v, "subject", i ? js_text(i->subject) : json_null());
    js_set(v, "issuer", i ? js_text(i->issuer) : json_null());
    js_set(v, "serial_number_hex", i ? js_text(i->serial_hex) : json_null());
    js_set(v, "signature", i ? js_text(i->signature) : json_null());
    js_set(v, "not_before", i ? js_time(i->not_before_ms) : json_null());
    js_set(v, "expires_on", i ? js_time(i->not_after_ms) : json_null());
    js_set(v, "fingerprint_sha256", i ? js_hex(wire_slice(i->sha256)) : json_null());
    js_set(v, "uploaded_on", js_time(m->uploaded_ms));
    js_set(v, "updated_at", js_time(m->updated_ms));
    js_set(v, "revision", json_integer((json_int_t)m->revision));
    return v;
}

/* --- add ----------------------------------------------------------------------------------------------- */

static void
show_added(struct ctl *c, const Anchord__V1__AddOriginTrustResponse *resp)
{
    json_t *v = resp->entry ? js_entry(resp->entry) : js_object(), *findings = js_array();
    for (size_t i = 0; i < resp->n_findings; i++)
        js_add(findings, js_finding(resp->findings[i]));
    js_set(v, "findings", json_incref(findings));
    js_set(v, "entries", json_integer(resp->entries));
    js_set(v, "dry_run", json_boolean(resp->dry_run));
    out_object(c, v, entry_cols);
    if (!c->json && json_array_size(findings) > 0) {
        out_line(c, "%s", "");
        out_table(c, findings, finding_cols);
    }
    json_decref(findings);
}

int
cmd_origin_add(struct ctl *c)
{
    struct buf text = BUF_INIT(INPUT_PEM_MAX);
    struct admin_result res;
    const void *resp = NULL;
    int rc = input_text(c, c->args[0], &text);
    if (rc == 0) {
        Anchord__V1__AddOriginTrustRequest *req =
            ctl_new(c, Anchord__V1__AddOriginTrustRequest, anchord__v1__add_origin_trust_request);
        req->zone = ctl_text(c, OPT_ZONE);
        req->certificate = WIRE_STR(text.data);
        req->profile = ctl_profile(c);
        req->dry_run = ctl_flag(c, OPT_DRY_RUN);
        rc = ctl_call(c, "OriginTrustService/AddOriginTrust", req, &resp, &res);
        if (rc == 0)
            show_added(c, resp);
        admin_result_done(&res);
    }
    input_wipe(&text);
    return rc;
}

/* --- list, get, delete --------------------------------------------------------------------------------- */

static const Anchord__V1__PageInfo *
take(json_t *rows, const void *resp_)
{
    const Anchord__V1__ListOriginTrustResponse *resp = resp_;
    for (size_t i = 0; i < resp->n_entries; i++)
        js_add(rows, js_entry(resp->entries[i]));
    return resp->page;
}

int
cmd_origin_list(struct ctl *c)
{
    Anchord__V1__ListOriginTrustRequest *req =
        ctl_new(c, Anchord__V1__ListOriginTrustRequest, anchord__v1__list_origin_trust_request);
    req->zone = ctl_text(c, OPT_ZONE);
    req->page = ctl_page(c, ORIGIN_PAGE);
    int rc = ctl_time(c, &req->at_ms);
    return rc ? rc : ctl_list(c, "OriginTrustService/ListOriginTrust", req, req->page, take, list_cols);
}

int
cmd_origin_get(struct ctl *c)
{
    Anchord__V1__GetOriginTrustRequest *req =
        ctl_new(c, Anchord__V1__GetOriginTrustRequest, anchord__v1__get_origin_trust_request);
    req->zone = ctl_text(c, OPT_ZONE);
    req->id = WIRE_STR(c->args[0]);
    int rc = ctl_time(c, &req->at_ms);
    return rc ? rc : ctl_show(c, "OriginTrustService/GetOriginTrust", req, js_entry, entry_cols);
}

static json_t *
js_deleted(const void *resp_)
{
    const Anchord__V1__DeleteOriginTrustResponse *resp = resp_;
    json_t *v = resp->entry ? js_entry(resp->entry) : js_object();
    js_set(v, "entries", json_integer(resp->entries));
    js_set(v, "dry_run", json_boolean(resp->dry_run));
    return v;
}

int
cmd_origin_delete(struct ctl *c)
{
    Anchord__V1__DeleteOriginTrustRequest *req =
        ctl_new(c, Anchord__V1__DeleteOriginTrustRequest, anchord__v1__delete_origin_trust_request);
    req->zone = ctl_text(c, OPT_ZONE);
    req->id = WIRE_STR(c->args[0]);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    return ctl_show(c, "OriginTrustService/DeleteOriginTrust", req, js_deleted, entry_cols);
}
