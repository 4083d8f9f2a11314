#include "core/effect.h"

#include <stdio.h>

#include "base/err.h"
#include "core/preview.h"

/* Hosts that a refusal or an answer names; more are counted. */
enum { EFFECT_HOSTS = 20 };

/* --- guard ------------------------------------------------------------------------------------------------
 */

struct guard {
    struct unit *u;
    uint64_t lost;
    char first[LIMIT_HOST + 1];
};

static int
guard_host(void *arg, const struct preview_host *h)
{
    struct guard *g = arg;
    acd_value *zone;
    if (h->access || !h->before.verifies || h->after.verifies)
        return 0;
    if (g->lost == 0)
        (void)snprintf(g->first, sizeof(g->first), "%s", h->pattern);
    if (g->lost++ >= EFFECT_HOSTS)
        return 0;
    int rc = db_get(&g->u->db, COLL_ZONE, VALS(VAL_TEXT(h->before.zone)), 1, &zone, NULL);
    rpc_detail_in_use(g->u->call, h->before.zone, rc == 0 ? row_text(zone, ZONE_NAME) : "", h->pattern);
    return rc == ACD_ENOENT ? 0 : rc;
}

int
effect_guard(struct unit *u, struct plug_session *before, acd_err *err)
{
    struct guard g = {.u = u};
    rpc_detail_error_info(u->call, "LAST_CA", 0, u->note_object);
    int rc = preview_hosts(u, before, guard_host, &g, err);
    if (rc < 0)
        return rc;
    if (g.lost == 0) {
        rpc_details_clear(u->call);
        return 0;
    }
    return err_set(err, ACD_EPRECOND,
                   "%llu hosts would be left without a valid CA, among them '%s', and verify no client any "
                   "more: this needs to be forced",
                   (unsigned long long)g.lost, g.first);
}

/* --- hosts ------------------------------------------------------------------------------------------------
 */

struct telling {
    struct mem_region *region;
    Anchord__V1__ChangeEffect *effect;
};

static const struct preview_ca *
find_ca(const struct preview_side *side, const struct preview_ca *ca)
{
    for (size_t i = 0; i < side->n; i++)
        if (side->cas[i].role == ca->role && strcmp(side->cas[i].cert, ca->cert) == 0)
            return &side->cas[i];
    return NULL;
}

/* The CAs of one side that the other lacks, or has in another role. */
static int
tell_difference(struct mem_region *r, const struct preview_side *side, const struct preview_side *other,
                size_t *n, Anchord__V1__HostCa ***list)
{
    for (size_t i = 0; i < side->n; i++) {
        if (find_ca(other, &side->cas[i]))
            continue;
        Anchord__V1__HostCa *m = wire_new(r, Anchord__V1__HostCa, anchord__v1__host_ca);
        if (!m || !(m->ca_id = mem_strdup(r, side->cas[i].cert)) || wire_append(r, n, list, m) < 0)
            return ACD_ENOMEM;
        m->role = side->cas[i].role;
        m->priority = side->cas[i].priority;
    }
    return 0;
}

static int
tell_host(void *arg, const struct preview_host *h)
{
    struct telling *t = arg;
    Anchord__V1__ChangeEffect *e = t->effect;
    e->hosts_losing += h->before.verifies && !h->after.verifies;
    e->hosts_gaining += !h->before.verifies && h->after.verifies;
    if (e->hosts_total++ >= EFFECT_HOSTS)
        return 0;
    Anchord__V1__HostEffect *m = wire_new(t->region, Anchord__V1__HostEffect, anchord__v1__host_effect);
    if (!m || wire_append(t->region, &e->n_hosts, &e->hosts, m) < 0)
        return ACD_ENOMEM;
    m->host = mem_strdup(t->region, h->pattern);
    m->zone_id = mem_strdup(t->region, h->after.n ? h->after.zone : h->before.zone);
    m->product = h->access ? (char *)"access" : WIRE_STR(NULL);
    m->verifies_before = h->before.verifies;
    m->verifies_after = h->after.verifies;
    if (!m->host || !m->zone_id)
        return ACD_ENOMEM;
    int rc = tell_difference(t->region, &h->after, &h->before, &m->n_gained, &m->gained);
    if (rc == 0)
        rc = tell_difference(t->region, &h->before, &h->after, &m->n_lost, &m->lost);
    m->reordered = rc == 0 && m->n_gained == 0 && m->n_lost == 0;
    return rc;
}

/* --- quota ------------------------------------------------------------------------------------------------
 */

static Anchord__V1__QuotaEffect *
pool_of(struct telling *t, const char *name)
{
    Anchord__V1__ChangeEffect *e = t->effect;
    for (size_t i = 0; i < e->n_quotas; i++)
        if (strcmp(e->quotas[i]->pool, name) == 0)
            return e->quotas[i];
    Anchord__V1__QuotaEffect *m = wire_new(t->region, Anchord__V1__QuotaEffect, anchord__v1__quota_effect);
    if (!m || !(m->pool = mem_strdup(t->region, name)) ||
        wire_append(t->region, &e->n_quotas, &e->quotas, m) < 0)
        return NULL;
    return m;
}

static int
quota_before(void *arg, const acd_quota_usage *usage)
{
    Anchord__V1__QuotaEffect *m = usage->product ? NULL : pool_of(arg, usage->pool);
    if (!m)
        return usage->product ? 0 : ACD_ENOMEM;
    m->used_before = usage->used;
    m->limit_before = usage->limit;
    return 0;
}

static int
quota_after(void *arg, const acd_quota_usage *usage)
{
    Anchord__V1__QuotaEffect *m = usage->product ? NULL : pool_of(arg, usage->pool);
    if (!m)
        return usage->product ? 0 : ACD_ENOMEM;
    m->used_after = usage->used;
    m->limit_after = usage->limit;
    return 0;
}

/* The pools of the account that the change is about, as far as they change. */
static int
tell_quota(struct unit *u, struct plug_session *before, struct telling *t, acd_err *err)
{
    acd_slice account = slice_str(u->note_account);
    Anchord__V1__ChangeEffect *e = t->effect;
    size_t kept = 0;
    if (account.len == 0)
        return 0;
    int rc = plug_quota_usage(core_quota(u->core), before, account, quota_before, t, err);
    if (rc == 0)
        rc = plug_quota_usage(core_quota(u->core), u->db.s, account, quota_after, t, err);
    for (size_t i = 0; rc == 0 && i < e->n_quotas; i++) {
        Anchord__V1__QuotaEffect *m = e->quotas[i];
        m->account_id = (char *)u->note_account;
        if (m->used_before != m->used_after || m->limit_before != m->limit_after)
            e->quotas[kept++] = m;
    }
    e->n_quotas = kept;
    return rc;
}

int
effect_tell(struct unit *u, struct plug_session *before, acd_err *err)
{
    struct telling t = {u->region,
                        wire_new(u->region, Anchord__V1__ChangeEffect, anchord__v1__change_effect)};
    int rc = t.effect ? tell_quota(u, before, &t, err) : ACD_ENOMEM;
    if (rc == 0)
        rc = preview_hosts(u, before, tell_host, &t, err);
    if (rc == 0)
        u->call->reply.effect = t.effect;
    return rc;
}
