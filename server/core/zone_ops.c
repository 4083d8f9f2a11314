/*
 * ZoneService.
 *
 * Zones may nest ("example.com" of one account, "eu.example.com" of another). A host belongs to its most
 * specific zone: a name below a more specific zone cannot be associated in the outer one, and a zone cannot
 * be created over names that an outer zone already uses.
 */
#include "base/err.h"
#include "core/find.h"
#include "core/origin.h"
#include "core/rule_text.h"
#include "core/unit.h"
#include "model/host.h"
#include "model/ids.h"

static Anchord__V1__Zone *
zone_msg(struct unit *u, const acd_value *row, acd_err *err)
{
    Anchord__V1__Zone *m = wire_new(u->region, Anchord__V1__Zone, anchord__v1__zone);
    acd_value *account;
    if (!m || db_get(&u->db, COLL_ACCOUNT, VALS(row[ZONE_ACCOUNT]), 1, &account, err) < 0)
        return NULL;
    m->id = (char *)row_text(row, ZONE_ID);
    m->name = (char *)row_text(row, ZONE_NAME);
    m->account_id = (char *)row_text(row, ZONE_ACCOUNT);
    m->account_name = (char *)row_text(account, ACCOUNT_NAME);
    m->acm = row[ZONE_ACM].num != 0;
    m->created_ms = row[ZONE_CREATED].num;
    m->revision = (uint64_t)row[ZONE_REV].num;
    return m;
}

struct inner {
    const struct host *zone;
    bool found;
};

static int
inner_host(void *ctx, const acd_value *row, size_t ncols)
{
    struct inner *in = ctx;
    struct host h;
    (void)ncols;
    must(row[HOST_PATTERN].bytes.len <= LIMIT_HOST);
    memcpy(h.name, row[HOST_PATTERN].bytes.ptr, row[HOST_PATTERN].bytes.len);
    h.len = row[HOST_PATTERN].bytes.len;
    h.name[h.len] = '\0';
    /* "*.example.com" answers for the apex of a zone "eu.example.com". */
    const char *parent = strchr(in->zone->name, '.');
    in->found =
        host_in_zone(&h, in->zone) || (host_is_wildcard(&h) && parent && strcmp(h.name + 1, parent) == 0);
    return in->found;
}

/* Does the outer zone have a host inside the new one, among those of clients or of Access? */
static int
find_inner(struct unit *u, const acd_value *outer, struct inner *in, acd_err *err)
{
    static const enum collection colls[] = {COLL_HOST, COLL_ACCESS_HOST};
    int rc = 0;
    for (size_t i = 0; rc == 0 && !in->found && i < sizeof(colls) / sizeof(colls[0]); i++)
        rc = db_walk(&u->db, &(struct db_query){.coll = colls[i], .eq = &outer[ZONE_ID], .neq = 1},
                     inner_host, in, err);
    return rc;
}

/* Refuses a zone over names that one of its outer zones already uses. */
static int
check_outer(struct unit *u, const struct host *zone, acd_err *err)
{
    for (const char *dot = strchr(zone->name, '.'); dot; dot = strchr(dot + 1, '.')) {
        struct db_rows outer;
        struct inner in = {zone, false};
        const struct db_query by_name = {
            .coll = COLL_ZONE, .index = ZONE_BY_NAME, .eq = VALS(VAL_TEXT(dot + 1)), .neq = 1};
        int rc = db_list(&u->db, &by_name, &outer, err);
        if (rc < 0)
            return rc;
        if (outer.n == 0)
            continue;
        rc = find_inner(u, outer.rows[0], &in, err);
        if (rc < 0)
            return rc;
        if (in.found)
            return err_set(err, ACD_EPRECOND,
                           "zone '%s' has host associations inside '%s': remove them first", dot + 1,
                           zone->name);
    }
    return 0;
}

static int
zone_create(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__CreateZoneRequest *req = req_;
    acd_value *account;
    struct host name;
    char id[ID_HEX_LEN + 1];
    uint64_t rev;
    (void)plan_;
    int rc = find_account(u, req->account, &account, err);
    if (rc < 0)
        return rc;
    rc = host_parse_zone(slice_str(req->name), &name, err);
    if (rc < 0) {
        rpc_detail_field(u->call, "name", err_text(err, rc));
        return rc;
    }
    rc = check_outer(u, &name, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    id_new_hex(id);
    const acd_value row[ZONE_COLS] = {
        [ZONE_ID] = VAL_TEXT(mem_strdup(u->region, id)),
        [ZONE_ACCOUNT] = account[ACCOUNT_ID],
        [ZONE_NAME] = VAL_TEXT(mem_strdup(u->region, name.name)),
        [ZONE_PARENT] = VAL_TEXT(mem_strdup(u->region, strchr(name.name, '.') + 1)),
        [ZONE_ACM] = VAL_INT(req->acm),
        [ZONE_CREATED] = VAL_INT(u->now_ms),
        [ZONE_REV] = VAL_INT(rev),
    };
    rc = db_put(&u->db, COLL_ZONE, row, ACD_REV_NEW, err);
    if (rc == ACD_EEXIST)
        return err_set(err, rc, "a zone named '%s' exists", name.name);
    if (rc == 0)
        rc = change_add(&u->changes, CHANGED_ZONE, id);
    if (rc < 0)
        return rc;
    unit_note(u, row_text(row, ZONE_ACCOUNT), row_text(row, ZONE_ID), row_text(row, ZONE_NAME));
    return (*ret_resp = zone_msg(u, row, err)) ? 0 : ACD_ENOMEM;
}

/* --- list -------------------------------------------------------------------------------------------------
 */

static enum db_pick
pick_reached(void *ctx, const acd_value *row)
{
    return reaches_zone(ctx, row) ? DB_TAKE : DB_SKIP;
}

struct reached {
    struct unit *u;
    uint64_t n;
};

static int
count_reached(void *ctx, const acd_value *row, size_t ncols)
{
    struct reached *r = ctx;
    (void)ncols;
    r->n += reaches_zone(r->u, row);
    return 0;
}

/* How many of them there are for this caller. */
static int
count_zones(struct unit *u, const struct db_query *all, uint64_t *ret, acd_err *err)
{
    struct reached r = {u, 0};
    if (!u->call->scope)
        return db_count(&u->db, all, ret, err);
    int rc = db_walk(&u->db, all, count_reached, &r, err);
    *ret = r.n;
    return rc;
}

static int
zone_list(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListZonesRequest *req = req_;
    uint32_t size = page_size(req->page);
    const struct rpc_scope *scope = u->call->scope;
    const char *owner = scope && !req->account[0] ? scope->account : req->account;
    struct db_query q = {.coll = COLL_ZONE, .index = ZONE_BY_NAME, .limit = size + 1};
    acd_value *account, *after;
    struct db_rows rows;
    uint64_t total;
    (void)plan_;
    int rc = 0;
    if (owner[0]) {
        rc = find_account(u, owner, &account, err);
        q.index = ZONE_BY_ACCOUNT;
        q.eq = rc == 0 ? &account[ACCOUNT_ID] : NULL;
        q.neq = 1;
    }
    struct db_query all = q;
    all.limit = 0;
    if (scope) {
        q.limit = 0; /* of those walked, and not all of them are taken */
        q.pick = pick_reached;
        q.pick_ctx = u;
    }
    if (rc == 0 && page_after(req->page)[0]) {
        rc = find_zone(u, page_after(req->page), &after, err);
        q.after = after;
    }
    if (rc == 0)
        rc = db_list(&u->db, &q, &rows, err);
    if (rc == 0)
        rc = count_zones(u, &all, &total, err);
    if (rc < 0)
        return rc;
    size_t n = rows.n > size ? size : rows.n;
    Anchord__V1__ListZonesResponse *resp =
        wire_new(u->region, Anchord__V1__ListZonesResponse, anchord__v1__list_zones_response);
    if (!resp || !(resp->zones = mem_new_n(u->region, n, Anchord__V1__Zone *)))
        return ACD_ENOMEM;
    for (; resp->n_zones < n; resp->n_zones++)
        if (!(resp->zones[resp->n_zones] = zone_msg(u, rows.rows[resp->n_zones], err)))
            return ACD_ENOMEM;
    resp->page = page_info(u->region, rows.n > size ? row_text(rows.rows[n - 1], ZONE_ID) : "", total);
    *ret_resp = resp;
    return resp->page ? 0 : ACD_ENOMEM;
}

static int
zone_get(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__GetZoneRequest *req = req_;
    acd_value *row;
    (void)plan_;
    int rc = find_zone(u, req->zone, &row, err);
    if (rc < 0)
        return rc;
    return (*ret_resp = zone_msg(u, row, err)) ? 0 : ACD_ENOMEM;
}

/* The revisions of its lists go with the zone; its associations do not. */
static int
drop_lists(struct unit *u, const acd_value *zone, acd_err *err)
{
    struct db_rows lists;
    const struct db_query q = {.coll = COLL_HOST_LIST, .eq = &zone[ZONE_ID], .neq = 1};
    int rc = db_list(&u->db, &q, &lists, err);
    for (size_t i = 0; rc == 0 && i < lists.n; i++)
        rc = db_del(&u->db, COLL_HOST_LIST,
                    VALS(lists.rows[i][HOST_LIST_ZONE], lists.rows[i][HOST_LIST_CERT]), 2, err);
    return rc;
}

/* Client certificates are good for every zone of the account, so one that lost its zone could not be revoked
 * any more. Those that were revoked stay so: their rows stay with the CA. */
static int
check_client_certs(struct unit *u, const acd_value *zone, acd_err *err)
{
    uint64_t n;
    const struct db_query q = {.coll = COLL_CLIENT_CERT,
                               .index = CLIENT_CERT_BY_STATUS,
                               .eq = VALS(zone[ZONE_ID], VAL_INT(CLIENT_CERT_ACTIVE)),
                               .neq = 2};
    int rc = db_count(&u->db, &q, &n, err);
    if (rc < 0 || n == 0)
        return rc;
    rpc_detail_error_info(u->call, "ZONE_IN_USE", 0, row_text(zone, ZONE_ID));
    return err_set(err, ACD_EPRECOND,
                   "zone '%s' still has %llu active client certificates: revoke them first",
                   row_text(zone, ZONE_NAME), (unsigned long long)n);
}

static int
zone_delete(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__DeleteZoneRequest *req = req_;
    acd_value *row;
    uint64_t hosts, access = 0, rev;
    (void)plan_;
    int rc = find_zone(u, req->zone, &row, err);
    if (rc == 0)
        rc = db_count(&u->db, &(struct db_query){.coll = COLL_HOST, .eq = &row[ZONE_ID], .neq = 1}, &hosts,
                      err);
    if (rc == 0)
        rc = db_count(&u->db, &(struct db_query){.coll = COLL_ACCESS_HOST, .eq = &row[ZONE_ID], .neq = 1},
                      &access, err);
    if (rc < 0)
        return rc;
    if (hosts + access > 0) {
        rpc_detail_error_info(u->call, "ZONE_IN_USE", 0, row_text(row, ZONE_ID));
        return err_set(err, ACD_EPRECOND, "zone '%s' still has %llu host associations",
                       row_text(row, ZONE_NAME), (unsigned long long)(hosts + access));
    }
    rc = check_client_certs(u, row, err);
    if (rc < 0)
        return rc;
    if (!(*ret_resp = zone_msg(u, row, err)))
        return ACD_ENOMEM;
    rc = unit_rev(u, &rev, err);
    if (rc == 0)
        rc = drop_lists(u, row, err);
    if (rc == 0)
        rc = rules_drop(u, row, err);
    if (rc == 0)
        rc = origin_drop(u, row, err);
    if (rc == 0)
        rc = db_del(&u->db, COLL_ZONE, VALS(row[ZONE_ID]), 1, err);
    if (rc == 0)
        rc = change_add(&u->changes, CHANGED_ZONE, row_text(row, ZONE_ID));
    unit_note(u, row_text(row, ZONE_ACCOUNT), row_text(row, ZONE_ID), row_text(row, ZONE_NAME));
    return rc;
}

const struct op zone_ops[] = {
    OP_WRITE("ZoneService/CreateZone", zone_create),
    OP_READ("ZoneService/ListZones", zone_list),
    OP_READ("ZoneService/GetZone", zone_get),
    OP_WRITE("ZoneService/DeleteZone", zone_delete),
    {0},
};
