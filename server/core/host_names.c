/* The names of a change of hosts: parsed, inside the zone, and not inside a more specific one. */
#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "core/hosts.h"

struct names {
    struct unit *u;
    const struct host_list *l;
    struct map outer; /* name -> whether some zone lies one label below it: asked once for each name */
};

static int
find_zone_by(struct unit *u, unsigned index, const char *key, const char **ret, acd_err *err)
{
    struct db_rows rows;
    const struct db_query q = {
        .coll = COLL_ZONE, .index = index, .eq = VALS(VAL_TEXT(key)), .neq = 1, .limit = 1};
    int rc = db_list(&u->db, &q, &rows, err);
    *ret = rc == 0 && rows.n ? row_text(rows.rows[0], ZONE_NAME) : NULL;
    return rc;
}

/* A zone one label below the name, "" for none. Most hosts of a request have one parent, so that most need no
 * query. */
static int
inner_of(struct names *ns, const char *name, const char **ret, acd_err *err)
{
    *ret = map_find(&ns->outer, slice_str(name));
    if (*ret)
        return 0;
    int rc = find_zone_by(ns->u, ZONE_BY_PARENT, name, ret, err);
    if (rc < 0)
        return rc;
    *ret = *ret ? *ret : "";
    return map_put(&ns->outer, slice_str(name), (void *)*ret, NULL);
}

/* A more specific zone owns the names at and below it, whoever has the outer one. */
static int
check_inner_zone(struct names *ns, const struct host *h, acd_err *err)
{
    const char *name = host_is_wildcard(h) ? h->name + 2 : h->name;
    const char *end = h->name + (h->len - ns->l->zone_name.len), *inner = "", *zone = NULL;
    int rc = host_is_wildcard(h) ? inner_of(ns, name, &inner, err) : 0;
    zone = inner[0] ? inner : NULL;
    while (rc == 0 && !zone && name < end) {
        const char *parent = strchr(name, '.') + 1;
        rc = inner_of(ns, parent, &inner, err);
        if (rc == 0 && inner[0])
            rc = find_zone_by(ns->u, ZONE_BY_NAME, name, &zone, err);
        name = parent;
    }
    if (rc < 0 || !zone)
        return rc;
    return err_set(err, ACD_EINVAL, "'%s' reaches into the more specific zone '%s'", h->name, zone);
}

static int
check_host(struct names *ns, const char *text, struct host *ret, acd_err *err)
{
    int rc = host_parse_pattern(slice_str(text), ret, err);
    if (rc < 0)
        return rc;
    if (!host_in_zone(ret, &ns->l->zone_name))
        return err_set(err, ACD_EINVAL, "'%s' does not lie in zone '%s'", ret->name, ns->l->zone_name.name);
    return check_inner_zone(ns, ret, err);
}

static int
by_pattern(const void *a_, const void *b_)
{
    const struct host_name *const *a = a_, *const *b = b_;
    int d = strcmp((*a)->host.name, (*b)->host.name);
    return d ? d : ((*a)->index > (*b)->index) - ((*a)->index < (*b)->index);
}

/* Of several spellings of one name the first counts. */
static size_t
sort_and_merge(struct host_name **names, size_t n)
{
    size_t kept = 0;
    qsort(names, n, sizeof(struct host_name *), by_pattern);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || strcmp(names[kept - 1]->host.name, names[i]->host.name) != 0)
            names[kept++] = names[i];
    return kept;
}

int
host_names_parse(struct unit *u, const struct host_list *l, char *const *texts, size_t n,
                 struct host_name ***ret, size_t *ret_n, acd_err *err)
{
    struct names ns = {.u = u, .l = l};
    size_t bad = 0;
    int rc = 0;
    struct host_name *all = mem_new_n(u->region, n, struct host_name);
    struct host_name **names = mem_new_n(u->region, n, struct host_name *);
    if (!all || !names)
        return ACD_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        acd_err why = ACD_ERR_INIT;
        all[i].text = texts[i];
        all[i].index = i;
        names[i] = &all[i];
        int one = check_host(&ns, texts[i], &all[i].host, &why);
        if (one < 0) {
            rpc_detail_field(u->call, mem_printf(u->region, "hosts[%zu]", i), err_text(&why, one));
            if (bad++ == 0)
                rc = err_set(err, one, "%s", err_text(&why, one));
        }
    }
    map_done(&ns.outer);
    *ret = names;
    *ret_n = rc == 0 ? sort_and_merge(names, n) : 0;
    return rc;
}
