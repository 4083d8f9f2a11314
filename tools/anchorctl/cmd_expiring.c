/* expiring: what ends soon? */
#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "json.h"
#include "out.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))

/* "30d", "12h": a whole number and s, m, h, d or w. */
static bool
span_parse(const char *text, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', DAY_MS}, {'w', 7 * DAY_MS}};
    size_t len = strlen(text);
    int64_t n;
    if (len < 2 || !str_i64(slice_of(text, len - 1), &n) || n < 0)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (text[len - 1] == units[i].unit && n <= INT64_MAX / units[i].ms) {
            *ret_ms = n * units[i].ms;
            return true;
        }
    return false;
}

static const struct out_col cols[] = {
    {"EXPIRES", "expires_on", false},
    {"EXPIRED", "expired", false},
    {"KIND", "kind", false},
    {"ID", "id", false},
    {"CERTIFICATE", "index", true},
    {"NAME", "name", false},
    {"ACCOUNT", "account_id", false},
    {"HOSTS", "hosts", true},
    {NULL, NULL, false},
};

static const Anchord__V1__PageInfo *
take(json_t *rows, const void *resp_)
{
    const Anchord__V1__ListExpiringResponse *resp = resp_;
    for (size_t i = 0; i < resp->n_items; i++) {
        const Anchord__V1__Expiring *e = resp->items[i];
        json_t *v = js_object();
        js_set(v, "kind", js_text(e->kind));
        js_set(v, "id", js_text(e->id));
        js_set(v, "index", json_integer(e->index));
        js_set(v, "name", js_text(e->name));
        js_set(v, "account_id", js_text(e->account_id));
        js_set(v, "expires_on", js_time(e->not_after_ms));
        js_set(v, "expired", json_boolean(e->expired));
        js_set(v, "hosts", json_integer((json_int_t)e->hosts));
        js_add(rows, v);
    }
    return resp->page;
}

int
cmd_expiring(struct ctl *c)
{
    const char *within = ctl_text(c, OPT_WITHIN);
    Anchord__V1__ListExpiringRequest *req =
        ctl_new(c, Anchord__V1__ListExpiringRequest, anchord__v1__list_expiring_request);
    req->within_ms = 30 * DAY_MS;
    if (ctl_flag(c, OPT_WITHIN) && !span_parse(within, &req->within_ms))
        return fail_usage(c, "option --within: '%s' is not a span like 30d, 12h or 4w", within);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->page = ctl_page(c, LIMIT_PAGE);
    return ctl_list(c, "ExpiryService/ListExpiring", req, req->page, take, cols);
}
