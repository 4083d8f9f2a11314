/*
 * HostService: the list of hosts of one CA in one zone.
 *
 * Names are kept as sent and compared in normal form. Each list has a revision, so that a change can say
 * which state it was made for. A host that stays in a list through `set` keeps its place among the CAs of
 * that host: only a new association counts as a deployment. Priority and role stay too, unless the request
 * says what they are to be.
 */
#include <stdlib.h>

#include "base/err.h"
#include "core/access.h"
#include "core/find.h"
#include "core/hosts.h"
#include "model/limits.h"

/* --- what is it about? ------------------------------------------------------------------------------------
 */

/* Members of a list by its row. A row of an older release does not say: it is counted until it does. */
static int
list_size(struct unit *u, const acd_value *row, uint64_t *ret, acd_err *err)
{
    const struct db_query q = {.coll = COLL_HOST, .eq = row, .neq = 2};
    *ret = (uint64_t)row[HOST_LIST_SIZE].num;
    return *ret ? 0 : db_count(&u->db, &q, ret, err);
}

enum { REST_NOT_A_CA = 1421 };

static int
check_cert(struct unit *u, const struct host_list *l, acd_err *err)
{
    const char *id = row_text(l->cert, CERT_ID);
    if (!slice_eq(l->cert[CERT_ACCOUNT].bytes, l->zone[ZONE_ACCOUNT].bytes)) {
        rpc_detail_error_info(u->call, "OTHER_ACCOUNT", 0, id);
        return err_set(err, ACD_EPRECOND, "certificate %s does not belong to the account of zone '%s'", id,
                       row_text(l->zone, ZONE_NAME));
    }
    if (!l->cert[CERT_CA].num) {
        rpc_detail_error_info(u->call, "NOT_A_CA", REST_NOT_A_CA, id);
        return err_set(err, ACD_EPRECOND, "certificate %s is not a CA: it cannot vouch for clients", id);
    }
    if (is_access(l->cert))
        return err_set(err, ACD_EPRECOND,
                       "certificate %s belongs to product 'access', whose hosts are kept apart", id);
    return 0;
}

static int
find_list(struct unit *u, const char *zone, const char *ca_id, struct host_list *ret, acd_err *err)
{
    acd_value *account, *row;
    *ret = (struct host_list){0};
    int rc = find_zone(u, zone, &ret->zone, err);
    if (rc == 0 && !ca_id[0]) {
        rc = db_get(&u->db, COLL_ACCOUNT, VALS(ret->zone[ZONE_ACCOUNT]), 1, &account, err);
        ca_id = rc == 0 ? row_text(account, ACCOUNT_MANAGED) : "";
    }
    if (rc == 0)
        rc = find_cert(u, ca_id, &ret->cert, err);
    if (rc == 0)
        rc = check_cert(u, ret, err);
    if (rc == 0)
        rc = host_parse_zone(ret->zone[ZONE_NAME].bytes, &ret->zone_name, err);
    if (rc < 0)
        return rc;
    rc = db_get(&u->db, COLL_HOST_LIST, VALS(ret->zone[ZONE_ID], ret->cert[CERT_ID]), 2, &row, err);
    if (rc < 0)
        return rc == ACD_ENOENT ? 0 : rc;
    ret->rev = (uint64_t)row[HOST_LIST_REV].num;
    return list_size(u, row, &ret->size, err);
}

static int
check_expected(struct unit *u, const struct host_list *l, const Anchord__V1__Precondition *expected,
               acd_err *err)
{
    if (!expected || expected->revision == l->rev)
        return 0;
    rpc_detail_precondition(u->call, l->rev);
    return err_set(err, ACD_ECONFLICT, "the list is at revision %llu, not %llu: somebody else changed it",
                   (unsigned long long)l->rev, (unsigned long long)expected->revision);
}

static int
read_terms(const struct host_list *l, const Anchord__V1__ChangeHostsRequest *req, enum host_change how,
           struct host_terms *ret, acd_err *err)
{
    *ret = (struct host_terms){.has_priority = req->priority != NULL,
                               .has_role = req->role != ANCHORD__V1__HOST_ROLE__HOST_ROLE_KEEP,
                               .observe = req->role == ANCHORD__V1__HOST_ROLE__HOST_ROLE_OBSERVED,
                               .priority = req->priority ? req->priority->value : 0};
    if (how == HOSTS_REMOVE && (ret->has_priority || ret->has_role))
        return err_set(err, ACD_EINVAL, "what is removed has neither priority nor role");
    if (ret->priority > LIMIT_PRIORITY)
        return err_set(err, ACD_EINVAL, "priority must be 0 to %d", LIMIT_PRIORITY);
    if (ret->has_role && !ret->observe && req->role != ANCHORD__V1__HOST_ROLE__HOST_ROLE_DECIDES)
        return err_set(err, ACD_EINVAL, "role %d is unknown: decides or observed", (int)req->role);
    if (ret->observe && l->cert[CERT_HELPER].num)
        return err_set(err, ACD_EINVAL,
                       "certificate %s is a helper, which vouches for nobody: there is nothing to observe",
                       row_text(l->cert, CERT_ID));
    return 0;
}

/* --- replies ----------------------------------------------------------------------------------------------
 */

static int
list_rows(struct unit *u, const struct host_list *l, const acd_value *after, uint32_t limit,
          struct db_rows *ret, acd_err *err)
{
    const struct db_query q = {.coll = COLL_HOST,
                               .index = HOST_BY_POSITION,
                               .limit = limit,
                               .eq = VALS(l->zone[ZONE_ID], l->cert[CERT_ID]),
                               .neq = 2,
                               .after = after};
    return db_list(&u->db, &q, ret, err);
}

/* A list that is long is not repeated: the reply is kept with its idempotency key, and a list is built of
 * many changes. */
static int
reply_hosts(struct host_work *w, Anchord__V1__ChangeHostsResponse *resp, acd_err *err)
{
    struct db_rows rows;
    if (w->l->size > LIMIT_HOSTS_REPLY)
        return 0;
    int rc = list_rows(w->u, w->l, NULL, 0, &rows, err);
    if (rc < 0)
        return rc;
    resp->hosts = mem_new_n(w->u->region, rows.n, char *);
    if (!resp->hosts)
        return ACD_ENOMEM;
    for (; resp->n_hosts < rows.n; resp->n_hosts++)
        resp->hosts[resp->n_hosts] = (char *)row_text(rows.rows[resp->n_hosts], HOST_TEXT);
    return 0;
}

static int
change_reply(struct host_work *w, void **ret_resp, acd_err *err)
{
    Anchord__V1__ChangeHostsResponse *resp =
        wire_new(w->u->region, Anchord__V1__ChangeHostsResponse, anchord__v1__change_hosts_response);
    if (!resp)
        return ACD_ENOMEM;
    resp->total = w->l->size;
    resp->list_revision = w->l->rev;
    resp->added = w->added;
    resp->removed = w->removed;
    resp->changed = w->changed;
    resp->dry_run = w->u->dry;
    *ret_resp = resp;
    return reply_hosts(w, resp, err);
}

static int
change_hosts(struct unit *u, const Anchord__V1__ChangeHostsRequest *req, enum host_change how,
             void **ret_resp, acd_err *err)
{
    struct host_list l;
    struct host_work w = {.u = u, .l = &l};
    int rc = find_list(u, req->zone, req->ca_id, &l, err);
    if (rc == 0)
        rc = check_expected(u, &l, req->expected, err);
    if (rc == 0)
        rc = read_terms(&l, req, how, &w.terms, err);
    if (rc == 0 && how != HOSTS_SET && req->n_hosts == 0)
        rc = err_set(err, ACD_EINVAL, "hosts are missing");
    if (rc == 0)
        rc = host_names_parse(u, &l, req->hosts, req->n_hosts, &w.names, &w.n, err);
    if (rc == 0)
        rc = host_change_apply(&w, how, err);
    if (rc < 0)
        return rc;
    /* Whoever sends an empty list means it; a host that is missing from a longer one may have been forgotten.
     */
    if (how == HOSTS_SET && w.n == 0)
        u->narrows = false;
    unit_note(u, row_text(l.zone, ZONE_ACCOUNT), row_text(l.cert, CERT_ID),
              mem_printf(u->region, "zone %s: %u added, %u removed, %u changed", row_text(l.zone, ZONE_NAME),
                         w.added, w.removed, w.changed));
    return change_reply(&w, ret_resp, err);
}

static int
hosts_set(struct unit *u, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    (void)plan;
    return change_hosts(u, req, HOSTS_SET, ret_resp, err);
}

static int
hosts_add(struct unit *u, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    (void)plan;
    return change_hosts(u, req, HOSTS_ADD, ret_resp, err);
}

static int
hosts_remove(struct unit *u, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    (void)plan;
    return change_hosts(u, req, HOSTS_REMOVE, ret_resp, err);
}

static bool
hosts_dry(const void *req)
{
    return ((const Anchord__V1__ChangeHostsRequest *)req)->dry_run;
}

/* --- list -------------------------------------------------------------------------------------------------
 */

/* A page goes on after a place, "certificate/pattern/position": whether there still is a row at it or not. */
static int
after_row(struct unit *u, const struct host_list *l, const char *after, acd_value **ret, acd_err *err)
{
    const char *pattern = strchr(after, '/'), *position = pattern ? strchr(pattern + 1, '/') : NULL;
    char *end = NULL;
    *ret = NULL;
    if (!after[0])
        return 0;
    long long at = position ? strtoll(position + 1, &end, 10) : 0;
    const acd_slice cert = slice_of(after, position ? (size_t)(pattern - after) : 0);
    if (!position || end == position + 1 || *end || (l->cert && !slice_eq(cert, l->cert[CERT_ID].bytes)))
        return err_set(err, ACD_EINVAL, "'%s' is no page cursor of this list", after);
    acd_value *row = mem_new_n(u->region, HOST_COLS, acd_value);
    if (!row)
        return ACD_ENOMEM;
    row[HOST_ZONE] = l->zone[ZONE_ID];
    row[HOST_CERT] = VAL_SLICE(cert);
    row[HOST_PATTERN] = VAL_SLICE(slice_of(pattern + 1, (size_t)(position - pattern - 1)));
    row[HOST_TEXT] = VAL_TEXT("");
    row[HOST_POSITION] = VAL_INT(at);
    *ret = row;
    return 0;
}

/* Members of all lists of a zone. */
static int
zone_size(struct unit *u, const acd_value *zone, uint64_t *ret, acd_err *err)
{
    struct db_rows lists;
    const struct db_query q = {.coll = COLL_HOST_LIST, .eq = &zone[ZONE_ID], .neq = 1};
    int rc = db_list(&u->db, &q, &lists, err);
    *ret = 0;
    for (size_t i = 0; rc == 0 && i < lists.n; i++) {
        uint64_t n = 0;
        rc = list_size(u, lists.rows[i], &n, err);
        *ret += n;
    }
    return rc;
}

static int
add_assoc_msg(struct unit *u, Anchord__V1__ListHostsResponse *resp, const acd_value *row)
{
    Anchord__V1__HostAssociation *m =
        wire_new(u->region, Anchord__V1__HostAssociation, anchord__v1__host_association);
    if (!m)
        return ACD_ENOMEM;
    m->host = (char *)row_text(row, HOST_TEXT);
    m->pattern = (char *)row_text(row, HOST_PATTERN);
    m->ca_id = (char *)row_text(row, HOST_CERT);
    m->created_ms = row[HOST_CREATED].num;
    m->priority = (uint32_t)row[HOST_PRIORITY].num;
    m->observed = row[HOST_OBSERVE].num != 0;
    resp->hosts[resp->n_hosts++] = m;
    return 0;
}

static int
list_reply(struct unit *u, const struct db_rows *rows, uint32_t size, uint64_t total, uint64_t list_rev,
           void **ret_resp)
{
    Anchord__V1__ListHostsResponse *resp =
        wire_new(u->region, Anchord__V1__ListHostsResponse, anchord__v1__list_hosts_response);
    if (!resp || !(resp->hosts = mem_new_n(u->region, rows->n, Anchord__V1__HostAssociation *)))
        return ACD_ENOMEM;
    const char *next = "";
    for (size_t i = 0; i < rows->n; i++) {
        if (i == size) {
            const acd_value *last = rows->rows[i - 1];
            next = mem_printf(u->region, "%s/%s/%lld", row_text(last, HOST_CERT),
                              row_text(last, HOST_PATTERN), (long long)last[HOST_POSITION].num);
            break;
        }
        if (add_assoc_msg(u, resp, rows->rows[i]) < 0)
            return ACD_ENOMEM;
    }
    resp->list_revision = list_rev;
    resp->page = next ? page_info(u->region, next, total) : NULL;
    *ret_resp = resp;
    return resp->page ? 0 : ACD_ENOMEM;
}

static int
hosts_list(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListHostsRequest *req = req_;
    uint32_t size = page_size(req->page);
    struct db_rows rows;
    struct host_list l = {0};
    acd_value *after;
    (void)plan_;
    int rc = req->all ? find_zone(u, req->zone, &l.zone, err) : find_list(u, req->zone, req->ca_id, &l, err);
    if (rc == 0 && req->all)
        rc = zone_size(u, l.zone, &l.size, err);
    if (rc == 0)
        rc = after_row(u, &l, page_after(req->page), &after, err);
    if (rc < 0)
        return rc;
    const struct db_query all = {
        .coll = COLL_HOST, .limit = size + 1, .eq = &l.zone[ZONE_ID], .neq = 1, .after = after};
    rc = req->all ? db_list(&u->db, &all, &rows, err) : list_rows(u, &l, after, size + 1, &rows, err);
    return rc < 0 ? rc : list_reply(u, &rows, size, l.size, l.rev, ret_resp);
}

const struct op host_ops[] = {
    OP_WRITE_DRY("HostService/SetHosts", NULL, hosts_set, hosts_dry),
    OP_WRITE_DRY("HostService/AddHosts", NULL, hosts_add, hosts_dry),
    OP_WRITE_DRY("HostService/RemoveHosts", NULL, hosts_remove, hosts_dry),
    OP_READ("HostService/ListHosts", hosts_list),
    {0},
};
