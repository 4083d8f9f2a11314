/* ServerService and PluginService: what the parts say about themselves, put together. */
#include <string.h>

#include <anchord/version.h>

#include "base/err.h"
#include "daemon/server.h"
#include "plug/quota.h"
#include "wire/msg.h"

/* --- status -----------------------------------------------------------------------------------------------
 */

static int
add_counter(struct rpc_call *call, Anchord__V1__GetStatusResponse *resp, const char *name, uint64_t value)
{
    Anchord__V1__Counter *m = wire_new(call->region, Anchord__V1__Counter, anchord__v1__counter);
    if (!m)
        return ACD_ENOMEM;
    m->name = (char *)name;
    m->value = (int64_t)value;
    return wire_append(call->region, &resp->n_counters, &resp->counters, m);
}

static int
add_counters(struct server *s, struct bus *bus, struct rpc_call *call, const struct publisher_info *pub,
             Anchord__V1__GetStatusResponse *resp)
{
    struct query_counters q;
    struct bus_counters b;
    query_counters(s->query, &q);
    bus_counters(bus, &b);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"snapshot_hosts", pub->image.hosts},
        {"snapshot_zones", pub->image.zones},
        {"snapshot_certificates", pub->image.cas},
        {"snapshot_trust_sets", pub->image.trusts},
        {"snapshot_bytes_used", pub->image.used},
        {"snapshot_bytes_live", pub->image.live},
        {"snapshot_builds", pub->builds},
        {"snapshot_from_image", pub->from_image},
        {"snapshot_behind", pub->behind},
        {"snapshot_detached", pub->detached},
        {"snapshot_last_publish_ms", pub->last_ms},
        {"trust_questions", q.trust_questions},
        {"verify_questions", q.verify_questions},
        {"verdict_hits", q.verdict_hits},
        {"verdict_misses", q.verdict_misses},
        {"verdict_evictions", q.verdict_evictions},
        {"verdict_entries", q.verdict_entries},
        {"verifications", q.verifications},
        {"bundle_builds", q.bundle_builds},
        {"evaluate_questions", q.evaluate_questions},
        {"origin_questions", q.origin_questions},
        {"ruleset_builds", q.ruleset_builds},
        {"rulesets", q.rulesets},
        {"bundles", q.bundles},
        {"bus_calls", b.calls},
        {"bus_replies", b.replies},
        {"bus_refused", b.refused},
        {"bus_malformed", b.malformed},
        {"bus_bytes_in", b.bytes_in},
        {"bus_bytes_out", b.bytes_out},
        {"bus_connections", b.conns},
        {"bus_connections_opened", b.conns_opened},
        {"bus_connections_refused", b.conns_refused},
        {"bus_connections_dropped", b.conns_dropped},
        {"bus_in_flight", b.in_flight},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (add_counter(call, resp, rows[i].name, rows[i].value) < 0)
            return ACD_ENOMEM;
    return 0;
}

static int
add_keys(struct server *s, struct rpc_call *call, Anchord__V1__GetStatusResponse *resp, acd_err *err)
{
    struct core_keys k;
    Anchord__V1__KeyStatus *m = wire_new(call->region, Anchord__V1__KeyStatus, anchord__v1__key_status);
    int rc = m ? core_key_status(s->core, call, &k, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    resp->keys = m;
    m->wrapped = k.wrapped;
    m->to_rewrap = k.to_rewrap;
    m->unreadable = k.unreadable;
    m->key_id = mem_strdup(call->region, k.key_id);
    m->problem = wire_text(call->region, slice_str(k.problem));
    if (!m->key_id || !m->problem)
        return ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < k.nmissing; i++) {
        char *id = wire_text(call->region, slice_str(k.missing[i]));
        rc = id ? wire_append(call->region, &m->n_missing_key_ids, &m->missing_key_ids, id) : ACD_ENOMEM;
    }
    return rc;
}

static int
get_status(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    struct server *s = ctx;
    struct publisher_info pub;
    struct bus *bus = atomic_load(&s->bus);
    if (!bus)
        return err_set(err, ACD_EUNAVAIL, "the server is starting");
    Anchord__V1__GetStatusResponse *resp =
        wire_new(call->region, Anchord__V1__GetStatusResponse, anchord__v1__get_status_response);
    (void)req;
    if (!resp)
        return ACD_ENOMEM;
    publisher_info(s->publisher, &pub);
    resp->version = (char *)ACD_VERSION;
    resp->role = (char *)"primary";
    resp->started_ms = s->started_ms;
    resp->now_ms = clock_wall_ms(&clock_system);
    resp->snapshot_revision = pub.revision;
    resp->data_dir = wire_text(call->region, slice_str(s->data));
    int rc = resp->data_dir ? core_revision(s->core, &resp->truth_revision, err) : ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < s->nurls; i++)
        rc = wire_append(call->region, &resp->n_listeners, &resp->listeners, (char *)bus_url(bus, i));
    if (rc == 0)
        rc = add_counters(s, bus, call, &pub, resp);
    if (rc == 0)
        rc = add_keys(s, call, resp, err);
    *ret_resp = resp;
    return rc;
}

/* --- check ------------------------------------------------------------------------------------------------
 */

static int
add_result(struct rpc_call *call, Anchord__V1__CheckServerResponse *resp, const char *name, bool ok,
           const char *text)
{
    Anchord__V1__CheckResult *m = wire_new(call->region, Anchord__V1__CheckResult, anchord__v1__check_result);
    if (!m || !text)
        return ACD_ENOMEM;
    m->name = (char *)name;
    m->ok = ok;
    m->text = (char *)text;
    resp->ok &= ok;
    return wire_append(call->region, &resp->n_results, &resp->results, m);
}

static int
check_snapshot(struct server *s, struct rpc_call *call, Anchord__V1__CheckServerResponse *resp)
{
    struct plug_session *session;
    acd_err err = ACD_ERR_INIT;
    uint64_t hosts = 0, rulesets = 0, bad = 0;
    int rc = plug_session_open(plug_registry_storage(s->plugins), &session, &err);
    if (rc == 0) {
        rc = publisher_check(s->publisher, session, &hosts, &rulesets, &bad, &err);
        plug_session_close(session);
    }
    char *text =
        rc < 0 ? mem_strdup(call->region, err_text(&err, rc))
               : mem_printf(call->region, "%llu hosts and %llu rulesets compared with truth, %llu differ",
                            (unsigned long long)hosts, (unsigned long long)rulesets, (unsigned long long)bad);
    return add_result(call, resp, "snapshot", rc == 0 && bad == 0, text);
}

static int
check_image(struct server *s, struct rpc_call *call, Anchord__V1__CheckServerResponse *resp)
{
    struct publisher_info pub;
    publisher_info(s->publisher, &pub);
    return add_result(call, resp, "image", !pub.detached && !pub.behind,
                      pub.behind                ? "the last change could not be published"
                      : pub.detached            ? "cannot be written: the snapshot is in memory only"
                      : s->conf->snapshot.image ? "is written with every change"
                                                : "is kept in memory, as configured");
}

static int
check_quota(struct server *s, struct rpc_call *call, Anchord__V1__CheckServerResponse *resp)
{
    acd_err err = ACD_ERR_INIT;
    uint64_t bad = 0;
    int rc = core_audit(s->core, call, &bad, &err);
    char *text = rc < 0 ? mem_strdup(call->region, err_text(&err, rc))
                        : mem_printf(call->region, "counters compared with rows, %llu differ",
                                     (unsigned long long)bad);
    return add_result(call, resp, "quota", rc == 0 && bad == 0, text);
}

static int
check_keys(struct server *s, struct rpc_call *call, Anchord__V1__CheckServerResponse *resp)
{
    acd_err err = ACD_ERR_INIT;
    struct core_keys k = {0};
    uint64_t bad = 0;
    int rc = core_check_keys(s->core, call, &k, &bad, &err);
    const char *text = k.problem[0] ? k.problem : "no private key is kept";
    if (rc < 0)
        text = mem_strdup(call->region, err_text(&err, rc));
    else if (k.wrapped)
        text = mem_printf(call->region, "%llu private keys opened, %llu do not open%s%s%s%s",
                          (unsigned long long)k.wrapped, (unsigned long long)bad,
                          k.nmissing ? "; missing is wrapping key " : "", k.nmissing ? k.missing[0] : "",
                          k.problem[0] ? "; " : "", k.problem);
    return add_result(call, resp, "keys", rc == 0 && bad == 0 && !k.problem[0], text);
}

static int
check_plugins(struct server *s, struct rpc_call *call, Anchord__V1__CheckServerResponse *resp)
{
    acd_err err = ACD_ERR_INIT;
    int rc = plug_registry_health(s->plugins, &err);
    return add_result(call, resp, "plugins", rc == 0,
                      rc < 0 ? mem_strdup(call->region, err_text(&err, rc)) : "all are well");
}

static int
check_server(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    struct server *s = ctx;
    Anchord__V1__CheckServerResponse *resp =
        wire_new(call->region, Anchord__V1__CheckServerResponse, anchord__v1__check_server_response);
    (void)req;
    (void)err;
    if (!resp)
        return ACD_ENOMEM;
    resp->ok = true;
    *ret_resp = resp;
    int rc = check_plugins(s, call, resp);
    if (rc == 0)
        rc = check_quota(s, call, resp);
    if (rc == 0)
        rc = check_keys(s, call, resp);
    if (rc == 0)
        rc = check_snapshot(s, call, resp);
    return rc < 0 ? rc : check_image(s, call, resp);
}

/* --- plugins ----------------------------------------------------------------------------------------------
 */

static const char *
kind_name(uint32_t kind)
{
    return kind == ACD_STORAGE ? "storage" : kind == ACD_VALIDATOR ? "validator" : "quota";
}

static int
list_plugins(void *ctx, struct rpc_call *call, const void *req, void **ret_resp, acd_err *err)
{
    struct server *s = ctx;
    struct plug_info info;
    Anchord__V1__ListPluginsResponse *resp =
        wire_new(call->region, Anchord__V1__ListPluginsResponse, anchord__v1__list_plugins_response);
    (void)req;
    (void)err;
    if (!resp)
        return ACD_ENOMEM;
    for (size_t i = 0; plug_registry_info(s->plugins, i, &info); i++) {
        Anchord__V1__Plugin *m = wire_new(call->region, Anchord__V1__Plugin, anchord__v1__plugin);
        if (!m)
            return ACD_ENOMEM;
        m->name = wire_text(call->region, slice_str(info.name));
        m->kind = (char *)kind_name(info.kind);
        m->version = wire_text(call->region, slice_str(info.version));
        m->summary = wire_text(call->region, slice_str(info.summary));
        m->state = WIRE_STR(info.state);
        m->file = wire_text(call->region, slice_str(info.path));
        m->major = info.major;
        m->minor = info.minor;
        if (!m->name || !m->version || !m->summary || !m->file ||
            wire_append(call->region, &resp->n_plugins, &resp->plugins, m) < 0)
            return ACD_ENOMEM;
    }
    *ret_resp = resp;
    return 0;
}

int
status_bind(struct server *s, acd_err *err)
{
    int rc = rpc_bind(&s->table, "ServerService/GetStatus", get_status, s);
    if (rc == 0)
        rc = rpc_bind(&s->table, "ServerService/CheckServer", check_server, s);
    if (rc == 0)
        rc = rpc_bind(&s->table, "PluginService/ListPlugins", list_plugins, s);
    return rc < 0 ? err_set(err, rc, "ServerService: %s", status_text(rc)) : 0;
}
