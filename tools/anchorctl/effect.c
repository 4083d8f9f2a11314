#include "effect.h"

#include "json.h"
#include "out.h"

/* --- JSON ---------------------------------------------------------------------------------------------- */

static const char *
role_name(Anchord__V1__CaRole role)
{
    switch ((int)role) {
    case ANCHORD__V1__CA_ROLE__CA_DECIDES:
        return "decides";
    case ANCHORD__V1__CA_ROLE__CA_HELPS:
        return "helper";
    case ANCHORD__V1__CA_ROLE__CA_OBSERVED:
        return "observed";
    default:
        return "unknown";
    }
}

static json_t *
js_cas(size_t n, Anchord__V1__HostCa *const *cas)
{
    json_t *list = js_array();
    for (size_t i = 0; i < n; i++) {
        json_t *v = js_object();
        js_set(v, "id", js_text(cas[i]->ca_id));
        js_set(v, "role", js_text(role_name(cas[i]->role)));
        js_set(v, "priority", cas[i]->priority ? json_integer(cas[i]->priority) : json_null());
        js_add(list, v);
    }
    return list;
}

static json_t *
js_hosts(const Anchord__V1__ChangeEffect *e)
{
    json_t *list = js_array();
    for (size_t i = 0; i < e->n_hosts; i++) {
        const Anchord__V1__HostEffect *h = e->hosts[i];
        json_t *v = js_object();
        js_set(v, "host", js_text(h->host));
        js_set(v, "zone_id", js_text(h->zone_id));
        js_set(v, "product", js_text_or_null(h->product));
        js_set(v, "gained", js_cas(h->n_gained, h->gained));
        js_set(v, "lost", js_cas(h->n_lost, h->lost));
        js_set(v, "reordered", json_boolean(h->reordered));
        js_set(v, "verifies_before", json_boolean(h->verifies_before));
        js_set(v, "verifies_after", json_boolean(h->verifies_after));
        js_add(list, v);
    }
    return list;
}

static json_t *
js_quotas(const Anchord__V1__ChangeEffect *e)
{
    json_t *list = js_array();
    for (size_t i = 0; i < e->n_quotas; i++) {
        const Anchord__V1__QuotaEffect *q = e->quotas[i];
        json_t *v = js_object();
        js_set(v, "account_id", js_text(q->account_id));
        js_set(v, "pool", js_text(q->pool));
        js_set(v, "used_before", json_integer(q->used_before));
        js_set(v, "used_after", json_integer(q->used_after));
        js_set(v, "limit_before", json_integer(q->limit_before));
        js_set(v, "limit_after", json_integer(q->limit_after));
        js_add(list, v);
    }
    return list;
}

void
effect_keep(struct ctl *c, const Anchord__V1__ChangeEffect *e)
{
    if (!e)
        return;
    json_decref(c->effect);
    c->effect = js_object();
    js_set(c->effect, "quotas", js_quotas(e));
    js_set(c->effect, "hosts", js_hosts(e));
    js_set(c->effect, "hosts_total", json_integer((json_int_t)e->hosts_total));
    js_set(c->effect, "hosts_losing", json_integer((json_int_t)e->hosts_losing));
    js_set(c->effect, "hosts_gaining", json_integer((json_int_t)e->hosts_gaining));
}

void
effect_join(const struct ctl *c, json_t *value)
{
    if (c->effect && json_is_object(value))
        js_set(value, "effect", json_incref(c->effect));
}

/* --- human form ---------------------------------------------------------------------------------------- */

static const struct out_col quota_cols[] = {
    {"QUOTA POOL", "pool", false},           {"USED", "used_before", true},
    {"WOULD BE", "used_after", true},        {"LIMIT", "limit_before", true},
    {"LIMIT WOULD BE", "limit_after", true}, {NULL, NULL, false},
};

static const struct out_col host_cols[] = {
    {"HOST", "host", false},
    {"CHANGE", "change", false},
    {"CA", "id", false},
    {"ROLE", "role", false},
    {"VERIFIES", "verifies_before", false},
    {"WOULD VERIFY", "verifies_after", false},
    {NULL, NULL, false},
};

static void
add_rows(json_t *rows, const json_t *host, const char *change)
{
    size_t i;
    json_t *ca;
    json_array_foreach(json_object_get(host, change), i, ca)
    {
        json_t *row = js_need(json_copy((json_t *)host));
        (void)json_object_update(row, ca);
        js_set(row, "change", js_text(change));
        js_add(rows, row);
    }
}

/* A row for each CA that a host would gain or lose; one for a host with another order. */
static json_t *
host_rows(const json_t *hosts)
{
    size_t i;
    json_t *h, *rows = js_array();
    json_array_foreach((json_t *)hosts, i, h)
    {
        add_rows(rows, h, "gained");
        add_rows(rows, h, "lost");
        if (!json_is_true(json_object_get(h, "reordered")))
            continue;
        json_t *row = js_need(json_copy(h));
        js_set(row, "change", js_text("reordered"));
        js_add(rows, row);
    }
    return rows;
}

static long long
number(const struct ctl *c, const char *name)
{
    return (long long)json_integer_value(json_object_get(c->effect, name));
}

void
effect_show(struct ctl *c)
{
    if (!c->effect || c->json)
        return;
    const json_t *quotas = json_object_get(c->effect, "quotas");
    json_t *rows = host_rows(json_object_get(c->effect, "hosts"));
    out_line(c, "%s", "");
    if (json_array_size(quotas) > 0)
        out_table(c, quotas, quota_cols);
    if (json_array_size(rows) > 0)
        out_table(c, rows, host_cols);
    out_line(c,
             "dry run, nothing was kept: %lld hosts would change, %lld lose their last valid CA, %lld gain "
             "their first",
             number(c, "hosts_total"), number(c, "hosts_losing"), number(c, "hosts_gaining"));
    json_decref(rows);
}
