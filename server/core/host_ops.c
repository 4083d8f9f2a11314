/*
 * HostService: the list of hosts of one CA in one zone.
 *
 * Names are kept as sent and compared in normal form. Each list has a revision, so that a change can say
 * which state it was made for. A host that stays in a list through `set` keeps its place among the CAs of
 * that host: only a new association counts as a deployment. Priority and role stay too, unless the request
 * says what they are to be.
 */
#include "base/err.h"
#include "base/map.h"
#include "core/find.h"
#include "core/unit.h"
#include "model/host.h"
#include "model/limits.h"
#include "snap/limits.h"

/* The list a request is about. */
struct list {
    acd_value *zone, *cert;
    struct host zone_name;
    uint64_t rev; /* 0: never written */
};

struct name {
    const char *text;
    struct host host;
};

enum change { CHANGE_SET, CHANGE_ADD, CHANGE_REMOVE };

/* What the request says about priority and role, and what it leaves as it is. */
struct terms {
    bool has_priority, has_role, observe;
    int64_t priority;
};

/* --- what is it about? ------------------------------------------------------------------------------------
 */

static int
check_cert(const struct list *l, acd_err *err)
{
    const char *id = row_text(l->cert, CERT_ID);
    if (!slice_eq(l->cert[CERT_ACCOUNT].bytes, l->zone[ZONE_ACCOUNT].bytes))
        return err_set(err, ACD_EPRECOND, "certificate %s does not belong to the account of zone '%s'", id,
                       row_text(l->zone, ZONE_NAME));
    if (!l->cert[CERT_CA].num)
        return err_set(err, ACD_EPRECOND, "certificate %s is not a CA: it cannot vouch for clients", id);
    if (slice_eqs(l->cert[CERT_SPACE].bytes, "access"))
        return err_set(err, ACD_EPRECOND,
                       "certificate %s belongs to product 'access', whose hosts are kept apart", id);
    return 0;
}

static int
find_list(struct unit *u, const char *zone, const char *ca_id, struct list *ret, acd_err *err)
{
    acd_value *account, *row;
    *ret = (struct list){0};
    int rc = find_zone(u, zone, &ret->zone, err);
    if (rc == 0 && !ca_id[0]) {
        rc = db_get(&u->db, COLL_ACCOUNT, VALS(ret->zone[ZONE_ACCOUNT]), 1, &account, err);
        ca_id = rc == 0 ? row_text(account, ACCOUNT_MANAGED) : "";
    }
    if (rc == 0)
        rc = find_cert(u, ca_id, &ret->cert, err);
    if (rc == 0)
        rc = check_cert(ret, err);
    if (rc == 0)
        rc = host_parse_zone(ret->zone[ZONE_NAME].bytes, &ret->zone_name, err);
    if (rc < 0)
        return rc;
    rc = db_get(&u->db, COLL_HOST_LIST, VALS(ret->zone[ZONE_ID], ret->cert[CERT_ID]), 2, &row, err);
    if (rc == 0)
        ret->rev = (uint64_t)row[HOST_LIST_REV].num;
    return rc == ACD_ENOENT ? 0 : rc;
}

static int
check_expected(struct unit *u, const struct list *l, const Anchord__V1__Precondition *expected, acd_err *err)
{
    if (!expected || expected->revision == l->rev)
        return 0;
    rpc_detail_precondition(u->call, l->rev);
    return err_set(err, ACD_ECONFLICT, "the list is at revision %llu, not %llu: somebody else changed it",
                   (unsigned long long)l->rev, (unsigned long long)expected->revision);
}

static int
read_terms(const struct list *l, const Anchord__V1__ChangeHostsRequest *req, enum change how,
           struct terms *ret, acd_err *err)
{
    *ret = (struct terms){.has_priority = req->priority != NULL,
                          .has_role = req->role != ANCHORD__V1__HOST_ROLE__HOST_ROLE_KEEP,
                          .observe = req->role == ANCHORD__V1__HOST_ROLE__HOST_ROLE_OBSERVED,
                          .priority = req->priority ? req->priority->value : 0};
    if (how == CHANGE_REMOVE && (ret->has_priority || ret->has_role))
        return err_set(err, ACD_EINVAL, "what is removed has neither priority nor role");
    if (ret->priority > LIMIT_PRIORITY)
        return err_set(err, ACD_EINVAL, "priority must be 0 to %d", LIMIT_PRIORITY);
    if (ret->has_role && !ret->observe && req->role != ANCHORD__V1__HOST_ROLE__HOST_ROLE_DECIDES)
        return err_set(err, ACD_EINVAL, "role %d is unknown: decides or observed", (int)req->role);
    if (ret->observe && l->cert[CERT_HELPER].num)
        return err_set(err, ACD_EINVAL,
                       "certificate %s is a helper, which vouches for nobody: there is "
                       "nothing to observe",
                       row_text(l->cert, CERT_ID));
    return 0;
}

/* --- names ------------------------------------------------------------------------------------------------
 */

static int
check_no_zone(struct unit *u, unsigned index, const char *key, const struct host *h, acd_err *err)
{
    struct db_rows rows;
    const struct db_query q = {
        .coll = COLL_ZONE, .index = index, .eq = VALS(VAL_TEXT(key)), .neq = 1, .limit = 1};
    int rc = db_list(&u->db, &q, &rows, err);
    if (rc < 0 || rows.n == 0)
        return rc;
    return err_set(err, ACD_EINVAL, "'%s' reaches into the more specific zone '%s'", h->name,
                   row_text(rows.rows[0], ZONE_NAME));
}

/* A more specific zone owns the names at and below it, whoever has the outer one. */
static int
check_inner_zone(struct unit *u, const struct list *l, const struct host *h, acd_err *err)
{
    const char *name = host_is_wildcard(h) ? h->name + 2 : h->name;
    const char *end = h->name + (h->len - l->zone_name.len);
    int rc = host_is_wildcard(h) ? check_no_zone(u, ZONE_BY_PARENT, name, h, err) : 0;
    for (; rc == 0 && name < end; name = strchr(name, '.') + 1)
        rc = check_no_zone(u, ZONE_BY_NAME, name, h, err);
    return rc;
}

static int
check_host(struct unit *u, const struct list *l, const char *text, struct host *ret, acd_err *err)
{
    int rc = host_parse_pattern(slice_str(text), ret, err);
    if (rc < 0)
        return rc;
    if (!host_in_zone(ret, &l->zone_name))
        return err_set(err, ACD_EINVAL, "'%s' does not lie in zone '%s'", ret->name, l->zone_name.name);
    return check_inner_zone(u, l, ret, err);
}

/* All names of the request, without repetitions. Every bad one becomes a detail; the sentence is about the
 * first. */
static int
parse_names(struct unit *u, const struct list *l, const Anchord__V1__ChangeHostsRequest *req,
            struct name **ret, size_t *ret_n, acd_err *err)
{
    struct map seen = {0};
    size_t n = 0, bad = 0;
    int rc = 0;
    struct name *names = mem_new_n(u->region, req->n_hosts, struct name);
    for (size_t i = 0; names && i < req->n_hosts; i++) {
        acd_err why = ACD_ERR_INIT;
        struct name *name = &names[n];
        int one = check_host(u, l, req->hosts[i], &name->host, &why);
        if (one < 0) {
            rpc_detail_field(u->call, mem_printf(u->region, "hosts[%zu]", i), err_text(&why, one));
            if (bad++ == 0)
                rc = err_set(err, one, "%s", err_text(&why, one));
            continue;
        }
        name->text = req->hosts[i];
        if (map_find(&seen, slice_of(name->host.name, name->host.len)))
            continue;
        if (map_put(&seen, slice_of(name->host.name, name->host.len), name, NULL) < 0)
            rc = ACD_ENOMEM;
        n++;
    }
    map_done(&seen);
    *ret = names;
    *ret_n = n;
    return names ? rc : ACD_ENOMEM;
}

/* --- the change -------------------------------------------------------------------------------------------
 */

struct work {
    struct unit *u;
    struct list *l;
    struct name *names;
    size_t n;
    struct terms terms;
    uint32_t added, removed, changed;
    bool moved;                /* place or spelling in the list changed */
    struct map sizes;          /* CA -> its certificates */
    struct mem_region scratch; /* for one host */
};

static int
touch(struct work *w, const char *pattern)
{
    return change_add(&w->u->changes, CHANGED_HOST, pattern);
}

static int
get_assoc(struct work *w, const char *pattern, acd_value **ret, acd_err *err)
{
    return db_get(&w->u->db, COLL_HOST, VALS(w->l->zone[ZONE_ID], w->l->cert[CERT_ID], VAL_TEXT(pattern)), 3,
                  ret, err);
}

/* Certificates of one CA object, counted once in a change. The managed CA counts for the one that it will
 * have. */
static int
certs_of(struct work *w, acd_slice ca, uint64_t *ret, acd_err *err)
{
    void *seen = map_find(&w->sizes, ca);
    if (seen) {
        *ret = (uintptr_t)seen;
        return 0;
    }
    const struct db_query q = {.coll = COLL_CERT_ITEM, .eq = VALS(VAL_SLICE(ca)), .neq = 1};
    int rc = db_count(&w->u->db, &q, ret, err);
    if (rc < 0)
        return rc;
    *ret += *ret == 0;
    ca = mem_slice(w->u->region, ca);
    return ca.ptr ? map_put(&w->sizes, ca, (void *)(uintptr_t)*ret, NULL) : ACD_ENOMEM;
}

/* What the snapshot could not hold must be refused here: it would keep every later change from being seen. */
_Static_assert((int)LIMIT_CERTS_PER_HOST <= (int)SNAP_TRUST_MAX, "an accepted host fits the snapshot");

static int
check_cas_of_host(struct work *w, const char *pattern, acd_err *err)
{
    struct db_rows rows;
    const struct db_query q = {
        .coll = COLL_HOST, .index = HOST_BY_PATTERN, .eq = VALS(VAL_TEXT(pattern)), .neq = 1};
    uint64_t n, total = 0;
    mem_reset(&w->scratch);
    int rc = db_list(&(struct db){w->u->db.s, &w->scratch}, &q, &rows, err);
    if (rc < 0)
        return rc;
    if (rows.n >= LIMIT_CAS_PER_HOST)
        return err_set(err, ACD_ELIMIT, "'%s' has %d CAs already, the most a host may have", pattern,
                       LIMIT_CAS_PER_HOST);
    if ((rows.n + 1) * LIMIT_UPLOAD_CERTS <= LIMIT_CERTS_PER_HOST)
        return 0;
    rc = certs_of(w, w->l->cert[CERT_ID].bytes, &total, err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++) {
        rc = certs_of(w, rows.rows[i][HOST_CERT].bytes, &n, err);
        total += rc == 0 ? n : 0;
    }
    if (rc == 0 && total > LIMIT_CERTS_PER_HOST)
        rc = err_set(err, ACD_ELIMIT, "'%s' would have %llu certificates from all its CAs, more than %d",
                     pattern, (unsigned long long)total, LIMIT_CERTS_PER_HOST);
    return rc;
}

/* Adds the name at the position, or moves, respells and changes what is there (old; NULL: nothing). */
static int
put_assoc(struct work *w, const struct name *name, int64_t position, const acd_value *old, acd_err *err)
{
    uint64_t rev;
    bool fresh = !old;
    int64_t priority = w->terms.has_priority ? w->terms.priority : old ? old[HOST_PRIORITY].num : 0;
    int64_t observe = w->terms.has_role ? w->terms.observe : old ? old[HOST_OBSERVE].num : 0;
    bool changed = old && (old[HOST_PRIORITY].num != priority || old[HOST_OBSERVE].num != observe);
    bool moved = old && (old[HOST_POSITION].num != position || !slice_eqs(old[HOST_TEXT].bytes, name->text));
    if (!fresh && !changed && !moved)
        return 0;
    int rc = fresh ? check_cas_of_host(w, name->host.name, err) : 0;
    if (rc == 0)
        rc = unit_rev(w->u, &rev, err);
    if (rc < 0)
        return rc;
    const acd_value row[HOST_COLS] = {
        [HOST_ZONE] = w->l->zone[ZONE_ID],
        [HOST_CERT] = w->l->cert[CERT_ID],
        [HOST_PATTERN] = VAL_TEXT(name->host.name),
        [HOST_TEXT] = VAL_TEXT(name->text),
        [HOST_POSITION] = VAL_INT(position),
        [HOST_DEPLOYED] = fresh ? VAL_INT(rev) : old[HOST_DEPLOYED],
        [HOST_CREATED] = fresh ? VAL_INT(w->u->now_ms) : old[HOST_CREATED],
        [HOST_PRIORITY] = VAL_INT(priority),
        [HOST_OBSERVE] = VAL_INT(observe),
    };
    rc = db_put(&w->u->db, COLL_HOST, row, ACD_REV_ANY, err);
    w->added += fresh;
    w->changed += changed;
    w->u->narrows |= changed && observe;
    w->moved |= moved;
    return rc == 0 && (fresh || changed) ? touch(w, name->host.name) : rc;
}

static int
del_assoc(struct work *w, const char *pattern, acd_err *err)
{
    int rc = db_del(&w->u->db, COLL_HOST, VALS(w->l->zone[ZONE_ID], w->l->cert[CERT_ID], VAL_TEXT(pattern)),
                    3, err);
    if (rc == 0)
        rc = touch(w, pattern);
    w->removed += rc == 0;
    w->u->narrows = true;
    return rc;
}

struct stale {
    const struct map *keep;
    struct mem_region *region;
    struct change_set patterns; /* only a list of strings here */
};

static int
find_stale(void *arg, const acd_value *row, size_t ncols)
{
    struct stale *s = arg;
    (void)ncols;
    if (map_find(s->keep, row[HOST_PATTERN].bytes))
        return 0;
    char *pattern = mem_strndup(s->region, row[HOST_PATTERN].bytes.ptr, row[HOST_PATTERN].bytes.len);
    return pattern ? change_add(&s->patterns, CHANGED_HOST, pattern) : ACD_ENOMEM;
}

/* What is in the list and not among the names goes. */
static int
drop_others(struct work *w, acd_err *err)
{
    struct map keep = {0};
    struct stale stale = {.keep = &keep};
    struct mem_region scratch;
    int rc = 0;
    mem_init(&scratch, 65536, 0);
    stale.region = &scratch;
    change_init(&stale.patterns, &scratch);
    for (size_t i = 0; rc == 0 && i < w->n; i++)
        rc = map_put(&keep, slice_of(w->names[i].host.name, w->names[i].host.len), &w->names[i], NULL);
    const struct db_query q = {
        .coll = COLL_HOST, .eq = VALS(w->l->zone[ZONE_ID], w->l->cert[CERT_ID]), .neq = 2};
    if (rc == 0)
        rc = db_walk(&w->u->db, &q, find_stale, &stale, err);
    for (size_t i = 0; rc == 0 && i < stale.patterns.n; i++)
        rc = del_assoc(w, stale.patterns.items[i].key, err);
    map_done(&keep);
    mem_done(&scratch);
    return rc;
}

static int
apply_set(struct work *w, acd_err *err)
{
    acd_value *old;
    int rc = drop_others(w, err);
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        rc = get_assoc(w, w->names[i].host.name, &old, err);
        if (rc == 0 || rc == ACD_ENOENT)
            rc = put_assoc(w, &w->names[i], (int64_t)i, rc == 0 ? old : NULL, err);
    }
    return rc;
}

static int
last_position(struct work *w, int64_t *ret, acd_err *err)
{
    struct db_rows rows;
    const struct db_query q = {.coll = COLL_HOST,
                               .index = HOST_BY_POSITION,
                               .reverse = true,
                               .limit = 1,
                               .eq = VALS(w->l->zone[ZONE_ID], w->l->cert[CERT_ID]),
                               .neq = 2};
    int rc = db_list(&w->u->db, &q, &rows, err);
    if (rc == 0)
        *ret = rows.n ? rows.rows[0][HOST_POSITION].num : -1;
    return rc;
}

/* What is in the list already keeps its place and spelling there. */
static int
add_again(struct work *w, const struct name *name, const acd_value *old, acd_err *err)
{
    const struct name as_it_is = {row_text(old, HOST_TEXT), name->host};
    return put_assoc(w, &as_it_is, old[HOST_POSITION].num, old, err);
}

static int
apply_add(struct work *w, acd_err *err)
{
    int64_t last;
    acd_value *old;
    int rc = last_position(w, &last, err);
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        rc = get_assoc(w, w->names[i].host.name, &old, err);
        rc = rc == ACD_ENOENT ? put_assoc(w, &w->names[i], ++last, NULL, err)
             : rc == 0        ? add_again(w, &w->names[i], old, err)
                              : rc;
    }
    return rc;
}

static int
apply_remove(struct work *w, acd_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        rc = del_assoc(w, w->names[i].host.name, err);
        if (rc == ACD_ENOENT)
            rc = err_set(err, rc, "'%s' is not in the list", w->names[i].host.name);
    }
    return rc;
}

static int
apply_change(struct work *w, enum change how, acd_err *err)
{
    mem_init(&w->scratch, 65536, 0);
    int rc = how == CHANGE_SET   ? apply_set(w, err)
             : how == CHANGE_ADD ? apply_add(w, err)
                                 : apply_remove(w, err);
    mem_done(&w->scratch);
    map_done(&w->sizes);
    return rc;
}

static int
put_list_rev(struct work *w, uint64_t *ret_rev, acd_err *err)
{
    uint64_t rev;
    *ret_rev = w->l->rev;
    if (!w->added && !w->removed && !w->changed && !w->moved)
        return 0;
    int rc = unit_rev(w->u, &rev, err);
    if (rc < 0)
        return rc;
    const acd_value row[HOST_LIST_COLS] = {
        [HOST_LIST_ZONE] = w->l->zone[ZONE_ID],
        [HOST_LIST_CERT] = w->l->cert[CERT_ID],
        [HOST_LIST_REV] = VAL_INT(rev),
    };
    *ret_rev = rev;
    return db_put(&w->u->db, COLL_HOST_LIST, row, ACD_REV_ANY, err);
}

/* --- replies ----------------------------------------------------------------------------------------------
 */

static int
list_rows(struct unit *u, const struct list *l, const acd_value *after, uint32_t limit, struct db_rows *ret,
          uint64_t *ret_total, acd_err *err)
{
    struct db_query q = {.coll = COLL_HOST,
                         .index = HOST_BY_POSITION,
                         .eq = VALS(l->zone[ZONE_ID], l->cert[CERT_ID]),
                         .neq = 2};
    int rc = db_count(&u->db, &q, ret_total, err);
    q.limit = limit;
    q.after = after;
    return rc < 0 ? rc : db_list(&u->db, &q, ret, err);
}

static int
change_reply(struct work *w, uint64_t list_rev, void **ret_resp, acd_err *err)
{
    struct db_rows rows;
    uint64_t total;
    Anchord__V1__ChangeHostsResponse *resp =
        wire_new(w->u->region, Anchord__V1__ChangeHostsResponse, anchord__v1__change_hosts_response);
    int rc = resp ? list_rows(w->u, w->l, NULL, LIMIT_HOSTS_CHANGE, &rows, &total, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    resp->hosts = mem_new_n(w->u->region, rows.n, char *);
    if (!resp->hosts)
        return ACD_ENOMEM;
    for (; resp->n_hosts < rows.n; resp->n_hosts++)
        resp->hosts[resp->n_hosts] = (char *)row_text(rows.rows[resp->n_hosts], HOST_TEXT);
    resp->total = total;
    resp->list_revision = list_rev;
    resp->added = w->added;
    resp->removed = w->removed;
    resp->changed = w->changed;
    resp->dry_run = w->u->dry;
    *ret_resp = resp;
    return 0;
}

static int
change_hosts(struct unit *u, const Anchord__V1__ChangeHostsRequest *req, enum change how, void **ret_resp,
             acd_err *err)
{
    struct list l;
    struct work w = {.u = u, .l = &l};
    uint64_t list_rev = 0;
    int rc = find_list(u, req->zone, req->ca_id, &l, err);
    if (rc == 0)
        rc = check_expected(u, &l, req->expected, err);
    if (rc == 0)
        rc = read_terms(&l, req, how, &w.terms, err);
    if (rc == 0 && how != CHANGE_SET && req->n_hosts == 0)
        rc = err_set(err, ACD_EINVAL, "hosts are missing");
    if (rc == 0)
        rc = parse_names(u, &l, req, &w.names, &w.n, err);
    if (rc == 0)
        rc = apply_change(&w, how, err);
    if (rc == 0)
        rc = put_list_rev(&w, &list_rev, err);
    if (rc < 0)
        return rc;
    unit_note(u, row_text(l.zone, ZONE_ACCOUNT), row_text(l.cert, CERT_ID),
              mem_printf(u->region, "zone %s: %u added, %u removed, %u changed", row_text(l.zone, ZONE_NAME),
                         w.added, w.removed, w.changed));
    return change_reply(&w, list_rev, ret_resp, err);
}

static int
hosts_set(struct unit *u, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    (void)plan;
    return change_hosts(u, req, CHANGE_SET, ret_resp, err);
}

static int
hosts_add(struct unit *u, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    (void)plan;
    return change_hosts(u, req, CHANGE_ADD, ret_resp, err);
}

static int
hosts_remove(struct unit *u, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    (void)plan;
    return change_hosts(u, req, CHANGE_REMOVE, ret_resp, err);
}

static bool
hosts_dry(const void *req)
{
    return ((const Anchord__V1__ChangeHostsRequest *)req)->dry_run;
}

/* --- list -------------------------------------------------------------------------------------------------
 */

/* A page goes on after a row, named "pattern" in one CA's list and "certificate/pattern" in a zone's. */
static int
after_row(struct unit *u, const acd_value *zone, const acd_value *cert, const char *after, acd_value **ret,
          acd_err *err)
{
    const char *slash = strchr(after, '/');
    *ret = NULL;
    if (!after[0])
        return 0;
    acd_value cert_id = slash  ? VAL_SLICE(slice_of(after, (size_t)(slash - after)))
                        : cert ? cert[CERT_ID]
                               : VAL_TEXT("");
    int rc = db_get(&u->db, COLL_HOST, VALS(zone[ZONE_ID], cert_id, VAL_TEXT(slash ? slash + 1 : after)), 3,
                    ret, err);
    return rc == ACD_ENOENT ? err_set(err, ACD_EINVAL, "the page cursor '%s' is gone: begin again", after)
                            : rc;
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
            next = mem_printf(u->region, "%s/%s", row_text(last, HOST_CERT), row_text(last, HOST_PATTERN));
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
    struct list l = {0};
    acd_value *after;
    uint64_t total;
    (void)plan_;
    int rc = req->all ? find_zone(u, req->zone, &l.zone, err) : find_list(u, req->zone, req->ca_id, &l, err);
    if (rc == 0)
        rc = after_row(u, l.zone, l.cert, page_after(req->page), &after, err);
    if (rc == 0 && req->all) {
        struct db_query q = {.coll = COLL_HOST, .eq = &l.zone[ZONE_ID], .neq = 1};
        rc = db_count(&u->db, &q, &total, err);
        q.after = after;
        q.limit = size + 1;
        if (rc == 0)
            rc = db_list(&u->db, &q, &rows, err);
    } else if (rc == 0) {
        rc = list_rows(u, &l, after, size + 1, &rows, &total, err);
    }
    return rc < 0 ? rc : list_reply(u, &rows, size, total, l.rev, ret_resp);
}

const struct op host_ops[] = {
    OP_WRITE_DRY("HostService/SetHosts", NULL, hosts_set, hosts_dry),
    OP_WRITE_DRY("HostService/AddHosts", NULL, hosts_add, hosts_dry),
    OP_WRITE_DRY("HostService/RemoveHosts", NULL, hosts_remove, hosts_dry),
    OP_READ("HostService/ListHosts", hosts_list),
    {0},
};
