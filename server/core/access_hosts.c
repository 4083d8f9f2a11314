#include "core/access.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "core/find.h"
#include "model/limits.h"

/* --- names ------------------------------------------------------------------------------------------------
 */

static int
zone_by(struct unit *u, unsigned index, const char *key, acd_value **ret, acd_err *err)
{
    struct db_rows rows;
    const struct db_query q = {
        .coll = COLL_ZONE, .index = index, .eq = VALS(VAL_TEXT(key)), .neq = 1, .limit = 1};
    int rc = db_list(&u->db, &q, &rows, err);
    if (rc == 0 && rows.n == 0)
        return ACD_ENOENT;
    if (rc == 0)
        *ret = rows.rows[0];
    return rc;
}

/* A wildcard stands for names one level down: a zone there owns them. */
static int
check_below(struct unit *u, const struct host *h, acd_err *err)
{
    acd_value *zone;
    int rc = host_is_wildcard(h) ? zone_by(u, ZONE_BY_PARENT, h->name + 2, &zone, err) : ACD_ENOENT;
    if (rc == ACD_ENOENT)
        return 0;
    return rc < 0 ? rc
                  : err_set(err, ACD_EINVAL, "'%s' reaches into the more specific zone '%s'", h->name,
                            row_text(zone, ZONE_NAME));
}

/* A zone of another account, or one that the caller does not reach, is as good as none: nobody learns which
 * zones there are. */
static int
find_zone_of(struct unit *u, acd_slice account_id, const struct host *h, const char **ret_id, acd_err *err)
{
    const char *name = host_is_wildcard(h) ? h->name + 2 : h->name;
    acd_value *zone = NULL;
    int rc = ACD_ENOENT;
    for (; rc == ACD_ENOENT && name; name = strchr(name, '.') ? strchr(name, '.') + 1 : NULL)
        rc = zone_by(u, ZONE_BY_NAME, name, &zone, err);
    if (rc == ACD_ENOENT ||
        (rc == 0 && (!slice_eq(zone[ZONE_ACCOUNT].bytes, account_id) || !reaches_zone(u, zone))))
        return err_set(err, ACD_EINVAL, "'%s' does not lie in a zone of the account", h->name);
    if (rc == 0)
        *ret_id = row_text(zone, ZONE_ID);
    return rc < 0 ? rc : check_below(u, h, err);
}

int
access_hosts_parse(struct unit *u, acd_slice account_id, const char *field, char *const *texts, size_t n,
                   struct access_host **ret, size_t *ret_n, acd_err *err)
{
    struct map seen = {0};
    size_t bad = 0;
    int rc = 0;
    struct access_host *list = mem_new_n(u->region, n, struct access_host);
    *ret = list;
    *ret_n = 0;
    for (size_t i = 0; list && i < n && rc != ACD_ENOMEM; i++) {
        acd_err why = ACD_ERR_INIT;
        struct access_host *h = &list[*ret_n];
        int one = host_parse_pattern(slice_str(texts[i]), &h->host, &why);
        if (one == 0)
            one = find_zone_of(u, account_id, &h->host, &h->zone_id, &why);
        if (one < 0) {
            rpc_detail_field(u->call, mem_printf(u->region, "%s[%zu]", field, i), err_text(&why, one));
            if (bad++ == 0)
                rc = err_set(err, one, "%s", err_text(&why, one));
            continue;
        }
        h->text = texts[i];
        if (map_find(&seen, slice_of(h->host.name, h->host.len)))
            continue;
        if (map_put(&seen, slice_of(h->host.name, h->host.len), h, NULL) < 0)
            rc = ACD_ENOMEM;
        ++*ret_n;
    }
    map_done(&seen);
    return list ? rc : ACD_ENOMEM;
}

/* --- lists ------------------------------------------------------------------------------------------------
 */

static int
by_position(const void *a, const void *b)
{
    int64_t x = (*(acd_value *const *)a)[HOST_POSITION].num, y = (*(acd_value *const *)b)[HOST_POSITION].num;
    return x < y ? -1 : x > y;
}

int
access_hosts_list(struct unit *u, const acd_value *cert, struct db_rows *ret, acd_err *err)
{
    const struct db_query q = {
        .coll = COLL_ACCESS_HOST, .index = HOST_BY_CERT, .eq = &cert[CERT_ID], .neq = 1};
    int rc = db_list(&u->db, &q, ret, err);
    if (rc == 0 && ret->n)
        qsort(ret->rows, ret->n, sizeof(*ret->rows), by_position);
    return rc;
}

struct work {
    struct unit *u;
    const acd_value *cert;
    struct access_change *change;
    struct map old; /* pattern -> row */
};

/* What the snapshot could not hold must be refused here: it would keep every later change from being seen. */
enum { CAS_PER_HOST = LIMIT_CERTS_PER_HOST / LIMIT_UPLOAD_CERTS };
_Static_assert((int)CAS_PER_HOST <= (int)LIMIT_CAS_PER_HOST, "an accepted host fits the snapshot");

static int
check_room(struct work *w, const char *pattern, acd_err *err)
{
    const struct db_query q = {
        .coll = COLL_ACCESS_HOST, .index = HOST_BY_PATTERN, .eq = VALS(VAL_TEXT(pattern)), .neq = 1};
    uint64_t n;
    int rc = db_count(&w->u->db, &q, &n, err);
    if (rc < 0 || n < CAS_PER_HOST)
        return rc;
    return err_set(err, ACD_ELIMIT, "'%s' has %d Access CAs already, the most a host may have", pattern,
                   CAS_PER_HOST);
}

static int
put_host(struct work *w, const struct access_host *h, int64_t position, acd_err *err)
{
    acd_value *old = map_take(&w->old, slice_of(h->host.name, h->host.len));
    uint64_t rev;
    if (old && old[HOST_POSITION].num == position && slice_eqs(old[HOST_TEXT].bytes, h->text))
        return 0;
    int rc = old ? 0 : check_room(w, h->host.name, err);
    if (rc == 0)
        rc = unit_rev(w->u, &rev, err);
    if (rc < 0)
        return rc;
    const acd_value row[HOST_COLS] = {
        [HOST_ZONE] = VAL_TEXT(h->zone_id),
        [HOST_CERT] = w->cert[CERT_ID],
        [HOST_PATTERN] = VAL_TEXT(h->host.name),
        [HOST_TEXT] = VAL_TEXT(h->text),
        [HOST_POSITION] = VAL_INT(position),
        [HOST_DEPLOYED] = old ? old[HOST_DEPLOYED] : VAL_INT(rev),
        [HOST_CREATED] = old ? old[HOST_CREATED] : VAL_INT(w->u->now_ms),
    };
    rc = db_put(&w->u->db, COLL_ACCESS_HOST, row, ACD_REV_ANY, err);
    w->change->added += !old;
    w->change->moved |= old != NULL;
    return rc < 0 || old ? rc : change_add(&w->u->changes, CHANGED_ACCESS_HOST, h->host.name);
}

/* What is left of the old list. */
static int
drop_hosts(struct work *w, const struct db_rows *rows, acd_err *err)
{
    const struct rpc_scope *s = w->u->call->scope;
    uint64_t rev;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < rows->n; i++) {
        const acd_value *h = rows->rows[i];
        if (!map_find(&w->old, h[HOST_PATTERN].bytes))
            continue;
        if (s && !s->has_zone(s, w->cert[CERT_ACCOUNT].bytes, h[HOST_ZONE].bytes))
            return err_set(err, ACD_EDENIED,
                           "'%s' lies in a zone that the token does not reach: it has to stay",
                           row_text(h, HOST_TEXT));
        rc = unit_rev(w->u, &rev, err);
        if (rc == 0)
            rc = db_del(&w->u->db, COLL_ACCESS_HOST, VALS(h[HOST_ZONE], h[HOST_CERT], h[HOST_PATTERN]), 3,
                        err);
        if (rc == 0)
            rc = change_add(&w->u->changes, CHANGED_ACCESS_HOST, row_text(h, HOST_PATTERN));
        w->change->removed++;
    }
    return rc;
}

int
access_hosts_replace(struct unit *u, const acd_value *cert, const struct access_host *hosts, size_t n,
                     struct access_change *ret, acd_err *err)
{
    struct work w = {.u = u, .cert = cert, .change = ret};
    struct db_rows rows;
    *ret = (struct access_change){0};
    int rc = access_hosts_list(u, cert, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        rc = map_put(&w.old, rows.rows[i][HOST_PATTERN].bytes, rows.rows[i], NULL);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = put_host(&w, &hosts[i], (int64_t)i, err);
    if (rc == 0)
        rc = drop_hosts(&w, &rows, err);
    map_done(&w.old);
    return rc;
}
