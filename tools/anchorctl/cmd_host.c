#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "json.h"
#include "out.h"

/* --- set, add, remove ---------------------------------------------------------------------------------- */

static json_t *
js_changed(const Anchord__V1__ChangeHostsResponse *resp)
{
    json_t *v = js_object(), *hosts = js_array();
    for (size_t i = 0; i < resp->n_hosts; i++)
        js_add(hosts, js_text(resp->hosts[i]));
    js_set(v, "hostnames", hosts);
    js_set(v, "total", json_integer((json_int_t)resp->total));
    js_set(v, "added", json_integer(resp->added));
    js_set(v, "removed", json_integer(resp->removed));
    js_set(v, "changed", json_integer(resp->changed));
    js_set(v, "list_revision", json_integer((json_int_t)resp->list_revision));
    js_set(v, "dry_run", json_boolean(resp->dry_run));
    return v;
}

static void
show_changed(struct ctl *c, const Anchord__V1__ChangeHostsResponse *resp)
{
    if (c->json) {
        out_json(c, js_changed(resp));
        return;
    }
    for (size_t i = 0; i < resp->n_hosts; i++)
        out_line(c, "%s", resp->hosts[i]);
    if (resp->n_hosts < resp->total)
        out_line(c, "... and %llu more", (unsigned long long)(resp->total - resp->n_hosts));
    out_line(c, "%s%llu hosts (%u added, %u removed, %u changed), list revision %llu",
             resp->dry_run ? "dry run: " : "", (unsigned long long)resp->total, (unsigned)resp->added,
             (unsigned)resp->removed, (unsigned)resp->changed, (unsigned long long)resp->list_revision);
}

/* What is not given stays as it is. */
static int
take_terms(struct ctl *c, Anchord__V1__ChangeHostsRequest *req)
{
    const char *text = ctl_text(c, OPT_PRIORITY);
    uint64_t n = 0;
    if (ctl_flag(c, OPT_OBSERVE) && ctl_flag(c, OPT_DECIDE))
        return fail_usage(c, "--observe and --decide exclude each other");
    req->role = ctl_flag(c, OPT_OBSERVE)  ? ANCHORD__V1__HOST_ROLE__HOST_ROLE_OBSERVED
                : ctl_flag(c, OPT_DECIDE) ? ANCHORD__V1__HOST_ROLE__HOST_ROLE_DECIDES
                                          : ANCHORD__V1__HOST_ROLE__HOST_ROLE_KEEP;
    if (!ctl_flag(c, OPT_PRIORITY))
        return 0;
    if (strcmp(text, "none") != 0 && (!str_u64(slice_str(text), &n) || n < 1 || n > LIMIT_PRIORITY))
        return fail_usage(c, "option --priority: '%s' is neither 1 to %d nor 'none'", text, LIMIT_PRIORITY);
    req->priority = ctl_new(c, Anchord__V1__HostPriority, anchord__v1__host_priority);
    req->priority->value = (uint32_t)n;
    return 0;
}

static int
change(struct ctl *c, const char *method)
{
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__ChangeHostsRequest *req =
        ctl_new(c, Anchord__V1__ChangeHostsRequest, anchord__v1__change_hosts_request);
    req->zone = ctl_text(c, OPT_ZONE);
    req->ca_id = ctl_text(c, OPT_CA);
    req->hosts = (char **)c->args;
    req->n_hosts = c->n_args;
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    if (ctl_flag(c, OPT_EXPECT)) {
        req->expected = ctl_new(c, Anchord__V1__Precondition, anchord__v1__precondition);
        req->expected->revision = ctl_number(c, OPT_EXPECT);
    }
    int rc = take_terms(c, req);
    if (rc)
        return rc;
    rc = ctl_call(c, method, req, &resp, &res);
    if (rc == 0)
        show_changed(c, resp);
    admin_result_done(&res);
    return rc;
}

int
cmd_host_set(struct ctl *c)
{
    return change(c, "HostService/SetHosts");
}

int
cmd_host_add(struct ctl *c)
{
    return change(c, "HostService/AddHosts");
}

int
cmd_host_remove(struct ctl *c)
{
    return change(c, "HostService/RemoveHosts");
}

/* --- list ---------------------------------------------------------------------------------------------- */

static const struct out_col cols[] = {
    {"HOST", "host", false},
    {"CA", "mtls_certificate_id", false},
    {"PRIORITY", "priority", true},
    {"OBSERVED", "observed", false},
    {"SINCE", "created_on", false},
    {"LIST REVISION", "list_revision", true},
    {NULL, NULL, false},
};

static const Anchord__V1__PageInfo *
take(json_t *rows, const void *resp_)
{
    const Anchord__V1__ListHostsResponse *resp = resp_;
    for (size_t i = 0; i < resp->n_hosts; i++) {
        const Anchord__V1__HostAssociation *h = resp->hosts[i];
        json_t *v = js_object();
        js_set(v, "host", js_text(h->host));
        js_set(v, "pattern", js_text(h->pattern));
        js_set(v, "mtls_certificate_id", js_text(h->ca_id));
        js_set(v, "priority", h->priority ? json_integer(h->priority) : json_null());
        js_set(v, "observed", json_boolean(h->observed));
        js_set(v, "created_on", js_time(h->created_ms));
        js_set(v, "list_revision",
               resp->list_revision ? json_integer((json_int_t)resp->list_revision) : json_null());
        js_add(rows, v);
    }
    return resp->page;
}

int
cmd_host_list(struct ctl *c)
{
    Anchord__V1__ListHostsRequest *req =
        ctl_new(c, Anchord__V1__ListHostsRequest, anchord__v1__list_hosts_request);
    if (ctl_flag(c, OPT_ALL) && ctl_flag(c, OPT_CA))
        return fail_usage(c, "--all and --ca exclude each other");
    req->zone = ctl_text(c, OPT_ZONE);
    req->ca_id = ctl_text(c, OPT_CA);
    req->all = ctl_flag(c, OPT_ALL);
    req->page = ctl_page(c, LIMIT_PAGE);
    return ctl_list(c, "HostService/ListHosts", req, req->page, take, cols);
}
