/*
 * crl: a list is larger than a message, so it is sent in parts and committed as a whole. The upload is ended
 * (AbortCrl) whatever happens: a commit leaves it open on the server.
 */
#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "input.h"
#include "json.h"
#include "out.h"

static const struct out_col crl_cols[] = {
    {"ID", "id", false},
    {"CA", "ca_id", false},
    {"CERTIFICATE", "index", true},
    {"KIND", "kind", false},
    {"NUMBER", "number", true},
    {"BASE", "base_number", true},
    {"ISSUED", "this_update", false},
    {"NEXT", "next_update", false},
    {"ENTRIES", "entries", true},
    {"BYTES", "bytes", true},
    {"ISSUER", "issuer", false},
    {"ADDED", "added_on", false},
    {"REVOKED NOW", "revoked", true},
    {"DRY RUN", "dry_run", false},
    {NULL, NULL, false},
};

static const struct out_col list_cols[] = {
    {"ID", "id", false},           {"KIND", "kind", false},          {"NUMBER", "number", true},
    {"BASE", "base_number", true}, {"ISSUED", "this_update", false}, {"NEXT", "next_update", false},
    {"ENTRIES", "entries", true},  {"BYTES", "bytes", true},         {NULL, NULL, false},
};

static json_t *
js_crl(const Anchord__V1__Crl *crl)
{
    json_t *v = js_object();
    js_set(v, "id", js_text(crl->id));
    js_set(v, "ca_id", js_text(crl->ca_id));
    js_set(v, "index", json_integer(crl->index));
    js_set(v, "kind", js_text(crl->delta ? "delta" : "complete"));
    js_set(v, "number", js_text_or_null(crl->number));
    js_set(v, "base_number", js_text_or_null(crl->base_number));
    js_set(v, "this_update", js_time(crl->this_update_ms));
    js_set(v, "next_update", js_time(crl->next_update_ms));
    js_set(v, "entries", json_integer((json_int_t)crl->entries));
    js_set(v, "bytes", json_integer((json_int_t)crl->bytes));
    js_set(v, "sha256", js_hex(wire_slice(crl->sha256)));
    js_set(v, "issuer", js_text(crl->issuer));
    js_set(v, "added_on", js_time(crl->added_ms));
    js_set(v, "revision", json_integer((json_int_t)crl->revision));
    return v;
}

static json_t *
js_crls(Anchord__V1__Crl **list, size_t n)
{
    json_t *v = js_array();
    for (size_t i = 0; i < n; i++)
        js_add(v, js_crl(list[i]));
    return v;
}

/* --- add ------------------------------------------------------------------------------------------------ */

static int
start(struct ctl *c, size_t bytes, const char **ret_id)
{
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__StartCrlRequest *req =
        ctl_new(c, Anchord__V1__StartCrlRequest, anchord__v1__start_crl_request);
    req->ca_id = ctl_text(c, OPT_CA);
    req->bytes = bytes;
    int rc = ctl_call(c, "CrlService/StartCrl", req, &resp, &res);
    if (rc == 0)
        *ret_id = ctl_need(mem_strdup(&c->region, ((const Anchord__V1__StartCrlResponse *)resp)->upload_id));
    admin_result_done(&res);
    return rc;
}

static int
send_parts(struct ctl *c, const char *id, acd_slice list)
{
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < list.len; at += LIMIT_CRL_PART) {
        struct admin_result res;
        const void *resp = NULL;
        size_t n = list.len - at < LIMIT_CRL_PART ? list.len - at : LIMIT_CRL_PART;
        Anchord__V1__AddCrlPartRequest *req =
            ctl_new(c, Anchord__V1__AddCrlPartRequest, anchord__v1__add_crl_part_request);
        req->upload_id = WIRE_STR(id);
        req->offset = at;
        req->part = wire_bytes(slice_of((const char *)list.ptr + at, n));
        rc = ctl_call(c, "CrlService/AddCrlPart", req, &resp, &res);
        admin_result_done(&res);
    }
    return rc;
}

static json_t *
js_added(const Anchord__V1__CommitCrlResponse *resp)
{
    json_t *v = js_crl(resp->crl), *findings = js_array(), *replaced = js_array();
    for (size_t i = 0; i < resp->n_findings; i++)
        js_add(findings, js_finding(resp->findings[i]));
    for (size_t i = 0; i < resp->n_replaced; i++)
        js_add(replaced, js_text(resp->replaced[i]));
    js_set(v, "revoked", json_integer((json_int_t)resp->revoked));
    js_set(v, "replaced", replaced);
    js_set(v, "findings", findings);
    js_set(v, "dry_run", json_boolean(resp->dry_run));
    return v;
}

static int
commit(struct ctl *c, const char *id)
{
    struct admin_result res;
    const void *response = NULL;
    Anchord__V1__CommitCrlRequest *req =
        ctl_new(c, Anchord__V1__CommitCrlRequest, anchord__v1__commit_crl_request);
    req->upload_id = WIRE_STR(id);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    /* A large list takes what it takes. */
    if (!ctl_flag(c, OPT_TIMEOUT))
        c->call.timeout_ms = LIMIT_TIMEOUT_MS;
    c->call.idem_key = c->val[OPT_IDEMPOTENCY_KEY];
    int rc = ctl_call(c, "CrlService/CommitCrl", req, &response, &res);
    const Anchord__V1__CommitCrlResponse *resp = response;
    if (rc == 0 && !resp->crl)
        rc = fail_answer(c, "the server's answer holds no CRL");
    if (rc == 0) {
        out_object(c, js_added(resp), crl_cols);
        for (size_t i = 0; !c->json && i < resp->n_findings; i++)
            out_line(c, "%s: %s", resp->findings[i]->code, resp->findings[i]->message);
    }
    admin_result_done(&res);
    return rc;
}

/* What the server drops by itself after a while; that this call fails is no news. */
static void
end(struct ctl *c, const char *id)
{
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__AbortCrlRequest *req =
        ctl_new(c, Anchord__V1__AbortCrlRequest, anchord__v1__abort_crl_request);
    c->call = (struct admin_opts){0};
    req->upload_id = WIRE_STR(id);
    int rc = ctl_try(c, "CrlService/AbortCrl", req, &resp, &res);
    (void)rc;
    admin_result_done(&res);
}

int
cmd_crl_add(struct ctl *c)
{
    struct buf list = BUF_INIT(INPUT_CRL_MAX);
    const char *id;
    c->call.idem_key = NULL; /* only the commit has the one that was given */
    int rc = input_bytes(c, c->args[0], &list);
    if (rc == 0)
        rc = start(c, list.len, &id);
    if (rc == 0) {
        rc = send_parts(c, id, slice_of(list.data, list.len));
        if (rc == 0)
            rc = commit(c, id);
        end(c, id);
    }
    input_wipe(&list);
    return rc;
}

/* --- list, delete, policy ------------------------------------------------------------------------------- */

static const char *const policies[] = {"default", "require", "warn", "ignore"};
enum { POLICIES = sizeof(policies) / sizeof(policies[0]) };

static const char *
policy_name(int policy)
{
    return policy >= 0 && policy < POLICIES ? policies[policy] : "unknown";
}

static int
call_list(struct ctl *c, const void **ret_resp, struct admin_result *res)
{
    Anchord__V1__ListCrlsRequest *req =
        ctl_new(c, Anchord__V1__ListCrlsRequest, anchord__v1__list_crls_request);
    req->ca_id = ctl_text(c, OPT_CA);
    return ctl_call(c, "CrlService/ListCrls", req, ret_resp, res);
}

int
cmd_crl_list(struct ctl *c)
{
    struct admin_result res;
    const void *response = NULL;
    int rc = call_list(c, &response, &res);
    const Anchord__V1__ListCrlsResponse *resp = response;
    if (rc == 0)
        out_rows(c, js_crls(resp->crls, resp->n_crls), list_cols);
    admin_result_done(&res);
    return rc;
}

int
cmd_crl_delete(struct ctl *c)
{
    struct admin_result res;
    const void *response = NULL;
    Anchord__V1__DeleteCrlRequest *req =
        ctl_new(c, Anchord__V1__DeleteCrlRequest, anchord__v1__delete_crl_request);
    req->ca_id = ctl_text(c, OPT_CA);
    req->crl_id = WIRE_STR(c->n_args ? c->args[0] : "");
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    int rc = ctl_call(c, "CrlService/DeleteCrl", req, &response, &res);
    const Anchord__V1__DeleteCrlResponse *resp = response;
    if (rc == 0)
        out_rows(c, js_crls(resp->deleted, resp->n_deleted), list_cols);
    admin_result_done(&res);
    return rc;
}

static const struct out_col policy_cols[] = {
    {"CA", "ca_id", false},
    {"POLICY", "policy", false},
    {"DRY RUN", "dry_run", false},
    {NULL, NULL, false},
};

static void
show_policy(struct ctl *c, int policy, bool dry_run)
{
    json_t *v = js_object();
    js_set(v, "ca_id", js_text(ctl_text(c, OPT_CA)));
    js_set(v, "policy", js_text(policy_name(policy)));
    js_set(v, "dry_run", json_boolean(dry_run));
    out_object(c, v, policy_cols);
}

static int
policy_now(struct ctl *c)
{
    struct admin_result res;
    const void *resp = NULL;
    int rc = call_list(c, &resp, &res);
    if (rc == 0)
        show_policy(c, (int)((const Anchord__V1__ListCrlsResponse *)resp)->policy, false);
    admin_result_done(&res);
    return rc;
}

int
cmd_crl_policy(struct ctl *c)
{
    struct admin_result res;
    const void *response = NULL;
    int policy = 0;
    if (c->n_args == 0)
        return policy_now(c);
    while (policy < POLICIES && strcmp(policies[policy], c->args[0]) != 0)
        policy++;
    if (policy == POLICIES)
        return fail_usage(c, "'%s' is no policy: require, warn, ignore or default", c->args[0]);
    Anchord__V1__SetCrlPolicyRequest *req =
        ctl_new(c, Anchord__V1__SetCrlPolicyRequest, anchord__v1__set_crl_policy_request);
    req->ca_id = ctl_text(c, OPT_CA);
    req->policy = (Anchord__V1__CrlPolicy)policy;
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    int rc = ctl_call(c, "CrlService/SetCrlPolicy", req, &response, &res);
    const Anchord__V1__SetCrlPolicyResponse *resp = response;
    if (rc == 0)
        show_policy(c, (int)resp->policy, resp->dry_run);
    admin_result_done(&res);
    return rc;
}
