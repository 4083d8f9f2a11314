#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "json.h"
#include "out.h"

static const struct out_col pool_cols[] = {
    {"POOL", "pool", false},
    {"USED", "used", true},
    {"LIMIT", "limit", true},
    {NULL, NULL, false},
};

static const struct out_col usage_cols[] = {
    {"POOL", "pool", false},
    {"PRODUCT", "product", false},
    {"USED", "used", true},
    {NULL, NULL, false},
};

/* {account_id, pools: [{pool, used, limit, products: [{product, used}]}]} */
static json_t *
js_quota(const Anchord__V1__GetQuotaResponse *resp)
{
    json_t *v = js_object(), *pools = js_array();
    for (size_t i = 0; i < resp->n_pools; i++)
        js_add(pools, js_pool(resp->pools[i]));
    js_set(v, "account_id", js_text(resp->account_id));
    js_set(v, "pools", pools);
    return v;
}

static void
show_usage(struct ctl *c, const json_t *pools)
{
    size_t i, k;
    json_t *pool, *product, *rows = js_array();
    json_array_foreach((json_t *)pools, i, pool)
    {
        json_array_foreach(json_object_get(pool, "products"), k, product)
        {
            json_t *row = js_need(json_copy(product));
            js_set(row, "pool", json_incref(json_object_get(pool, "pool")));
            js_add(rows, row);
        }
    }
    if (json_array_size(rows) > 0) {
        out_line(c, "%s", "");
        out_table(c, rows, usage_cols);
    }
    json_decref(rows);
}

static int
ask(struct ctl *c, const char *method, const void *req)
{
    struct admin_result res;
    const void *resp = NULL;
    int rc = ctl_call(c, method, req, &resp, &res);
    if (rc == 0) {
        json_t *v = js_quota(resp);
        if (c->json) {
            out_json(c, json_incref(v));
        } else {
            out_table(c, json_object_get(v, "pools"), pool_cols);
            show_usage(c, json_object_get(v, "pools"));
        }
        json_decref(v);
    }
    admin_result_done(&res);
    return rc;
}

int
cmd_quota_show(struct ctl *c)
{
    Anchord__V1__GetQuotaRequest *req =
        ctl_new(c, Anchord__V1__GetQuotaRequest, anchord__v1__get_quota_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    return ask(c, "QuotaService/GetQuota", req);
}

int
cmd_quota_set(struct ctl *c)
{
    Anchord__V1__SetQuotaRequest *req =
        ctl_new(c, Anchord__V1__SetQuotaRequest, anchord__v1__set_quota_request);
    const char *limit = ctl_text(c, OPT_LIMIT);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->pool = ctl_text(c, OPT_POOL);
    if (strcmp(limit, "default") == 0)
        req->reset = true;
    else if (!str_i64(slice_str(limit), &req->limit) || req->limit < 0)
        return fail_usage(c, "option --limit: '%s' is neither a whole number nor 'default'", limit);
    return ask(c, "QuotaService/SetQuota", req);
}

/* --- audit --------------------------------------------------------------------------------------------- */

static const struct out_col audit_cols[] = {
    {"ACCOUNT", "account_id", false},
    {"POOL", "pool", false},
    {"PRODUCT", "product", false},
    {"COUNTER", "counter", true},
    {"ROWS", "rows", true},
    {"OK", "ok", false},
    {NULL, NULL, false},
};

static json_t *
js_audits(const Anchord__V1__AuditQuotaResponse *resp)
{
    json_t *list = js_array();
    for (size_t i = 0; i < resp->n_audits; i++) {
        const Anchord__V1__QuotaAudit *a = resp->audits[i];
        json_t *v = js_object();
        js_set(v, "account_id", js_text(a->account_id));
        js_set(v, "pool", js_text(a->pool));
        js_set(v, "product", js_text_or_null(a->product));
        js_set(v, "counter", json_integer(a->counter));
        js_set(v, "rows", json_integer(a->rows));
        js_set(v, "ok", json_boolean(a->ok));
        js_add(list, v);
    }
    return list;
}

int
cmd_quota_audit(struct ctl *c)
{
    struct admin_result res;
    const void *resp_ = NULL;
    Anchord__V1__AuditQuotaRequest *req =
        ctl_new(c, Anchord__V1__AuditQuotaRequest, anchord__v1__audit_quota_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    int rc = ctl_call(c, "QuotaService/AuditQuota", req, &resp_, &res);
    if (rc == 0) {
        const Anchord__V1__AuditQuotaResponse *resp = resp_;
        json_t *audits = js_audits(resp);
        if (c->json) {
            json_t *v = js_object();
            js_set(v, "ok", json_boolean(resp->ok));
            js_set(v, "audits", json_incref(audits));
            out_json(c, v);
        } else {
            out_table(c, audits, audit_cols);
            out_line(c, "%s", resp->ok ? "counters and rows agree" : "counters and rows differ");
        }
        json_decref(audits);
        rc = resp->ok ? EXIT_DONE : EXIT_REFUSED;
    }
    admin_result_done(&res);
    return rc;
}
