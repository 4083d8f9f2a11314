#include "cmd.h"
#include "json.h"
#include "out.h"

static const struct out_col ca_cols[] = {
    {"ID", "id", false},
    {"ACCOUNT", "account.id", false},
    {"NAME", "name", false},
    {"EXPIRES", "expires_on", false},
    {"SIGNATURE", "signature", false},
    {"PRIVATE KEY", "has_private_key", false},
    {"REVISION", "revision", false},
    {"RETIRED", "retired", false},
    {"CLIENT CERTIFICATES WITHOUT TRUST", "orphaned", false},
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

static int
ask(struct ctl *c, const char *method, const void *req, bool retire)
{
    struct admin_result res;
    const void *resp_ = NULL;
    int rc = ctl_call(c, method, req, &resp_, &res);
    if (rc == 0) {
        const Anchord__V1__ManagedCaResponse *resp = resp_;
        json_t *v = resp->certificate ? js_cert(resp->certificate) : js_object();
        json_t *items = json_incref(json_object_get(v, "items"));
        if (retire) {
            js_set(v, "retired", json_integer(resp->retired));
            js_set(v, "orphaned", json_integer((json_int_t)resp->orphaned));
        }
        js_set(v, "dry_run", json_boolean(resp->dry_run));
        out_object(c, v, ca_cols);
        if (!c->json && json_array_size(items) > 0) {
            out_line(c, "%s", "");
            out_table(c, items, item_cols);
        }
        json_decref(items);
    }
    admin_result_done(&res);
    return rc;
}

int
cmd_managed_ca_show(struct ctl *c)
{
    Anchord__V1__GetManagedCaRequest *req =
        ctl_new(c, Anchord__V1__GetManagedCaRequest, anchord__v1__get_managed_ca_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    return ask(c, "ManagedCaService/GetManagedCa", req, false);
}

int
cmd_managed_ca_rotate(struct ctl *c)
{
    Anchord__V1__RotateManagedCaRequest *req =
        ctl_new(c, Anchord__V1__RotateManagedCaRequest, anchord__v1__rotate_managed_ca_request);
    const char *type = ctl_text(c, OPT_KEY_TYPE);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    req->key_type = strcmp(type, "rsa2048") == 0   ? ANCHORD__V1__KEY_TYPE__KEY_TYPE_RSA2048
                    : strcmp(type, "rsa4096") == 0 ? ANCHORD__V1__KEY_TYPE__KEY_TYPE_RSA4096
                                                   : ANCHORD__V1__KEY_TYPE__KEY_TYPE_P256;
    return ask(c, "ManagedCaService/RotateManagedCa", req, false);
}

int
cmd_managed_ca_retire(struct ctl *c)
{
    Anchord__V1__RetireManagedCaRequest *req =
        ctl_new(c, Anchord__V1__RetireManagedCaRequest, anchord__v1__retire_managed_ca_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    return ask(c, "ManagedCaService/RetireManagedCa", req, true);
}
