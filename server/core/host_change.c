/*
 * A change of one list of hosts. Names come in the order of their patterns, which is the order of storage:
 * one probe tells for a name whether it is in the list and which other CAs it has, and what the host has
 * after the change goes to the publisher as it is known here.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "core/hosts.h"
#include "model/limits.h"
#include "snap/limits.h"

/* --- what a host has ---------------------------------------------------------------------------------- */

/* The associations of one pattern, in all lists. */
struct owners {
    struct host_work *w;
    struct assoc cas[LIMIT_CAS_PER_HOST];
    size_t n;
    bool ours; /* one of them is in this list */
};

static int
owner_row(void *arg, const acd_value *row, size_t ncols)
{
    struct owners *o = arg;
    (void)ncols;
    if (o->n == LIMIT_CAS_PER_HOST)
        return ACD_ECORRUPT;
    o->ours |= slice_eq(row[HOST_CERT].bytes, o->w->l->cert[CERT_ID].bytes) &&
               slice_eq(row[HOST_ZONE].bytes, o->w->l->zone[ZONE_ID].bytes);
    return assoc_read(row, &o->cas[o->n++]);
}

static int
find_owners(struct host_work *w, const char *pattern, struct owners *ret, acd_err *err)
{
    const struct db_query q = {
        .coll = COLL_HOST, .index = HOST_BY_PATTERN, .eq = VALS(VAL_TEXT(pattern)), .neq = 1};
    ret->w = w;
    ret->n = 0;
    ret->ours = false;
    return db_walk(&w->u->db, &q, owner_row, ret, err);
}

/* Certificates of one CA object, counted once in a change. The managed CA counts for the one that it will
 * have. */
static int
certs_of(struct host_work *w, acd_slice ca, uint64_t *ret, acd_err *err)
{
    void *seen = map_find(&w->sizes, ca);
    if (seen) {
        *ret = (uintptr_t)seen;
        return 0;
    }
    const struct db_query q = {.coll = COLL_CERT_ITEM, .eq = VALS(VAL_SLICE(ca)), .neq = 1};
    acd_value *row;
    int rc = db_get(&w->u->db, COLL_CERT, VALS(VAL_SLICE(ca)), 1, &row, err);
    if (rc == 0 && row[CERT_TYPE].num == CERT_MANAGED)
        *ret = LIMIT_MANAGED_CERTS;
    else if (rc == 0)
        rc = db_count(&w->u->db, &q, ret, err);
    if (rc < 0)
        return rc;
    return map_put(&w->sizes, ca, (void *)(uintptr_t)*ret, NULL);
}

/* What the snapshot could not hold must be refused here: it would keep every later change from being seen. */
_Static_assert((int)LIMIT_CERTS_PER_HOST <= (int)SNAP_TRUST_MAX, "an accepted host fits the snapshot");

/* May the host have the list's CA too? */
static int
check_owners(struct host_work *w, const char *pattern, const struct owners *o, acd_err *err)
{
    uint64_t n, total = 0;
    if (o->n >= LIMIT_CAS_PER_HOST)
        return err_set(err, ACD_ELIMIT, "'%s' has %d CAs already, the most a host may have", pattern,
                       LIMIT_CAS_PER_HOST);
    if ((o->n + 1) * LIMIT_UPLOAD_CERTS <= LIMIT_CERTS_PER_HOST)
        return 0;
    int rc = certs_of(w, w->l->cert[CERT_ID].bytes, &total, err);
    for (size_t i = 0; rc == 0 && i < o->n; i++) {
        rc = certs_of(w, slice_of(o->cas[i].cert, ID_UUID_LEN), &n, err);
        total += rc == 0 ? n : 0;
    }
    if (rc == 0 && total > LIMIT_CERTS_PER_HOST)
        rc = err_set(err, ACD_ELIMIT, "'%s' would have %llu certificates from all its CAs, more than %d",
                     pattern, (unsigned long long)total, LIMIT_CERTS_PER_HOST);
    return rc;
}

/* --- one association ---------------------------------------------------------------------------------- */

static int
put_row(struct host_work *w, const struct host_name *name, uint64_t if_rev, acd_err *err)
{
    const acd_value row[HOST_COLS] = {
        [HOST_ZONE] = w->l->zone[ZONE_ID],
        [HOST_CERT] = w->l->cert[CERT_ID],
        [HOST_PATTERN] = VAL_SLICE(slice_of(name->host.name, name->host.len)),
        [HOST_TEXT] = VAL_TEXT(name->text),
        [HOST_POSITION] = VAL_INT(name->position),
        [HOST_DEPLOYED] = VAL_INT(name->deployed),
        [HOST_CREATED] = VAL_INT(name->created),
        [HOST_PRIORITY] = VAL_INT(name->priority),
        [HOST_OBSERVE] = VAL_INT(name->observe),
    };
    return db_put(&w->u->db, COLL_HOST, row, if_rev, err);
}

/* Priority and role as the request has them, where it says so. True: that is something new. */
static bool
take_terms(const struct host_work *w, struct host_name *name)
{
    int64_t priority = w->terms.has_priority ? w->terms.priority : name->priority;
    int64_t observe = w->terms.has_role ? w->terms.observe : name->observe;
    bool changed = priority != name->priority || observe != name->observe;
    name->priority = priority;
    name->observe = observe;
    return changed;
}

/* A new association: the host has it beside what it had. */
static int
put_fresh(struct host_work *w, struct host_name *name, int64_t position, struct owners *o, acd_err *err)
{
    struct assoc *ours = &o->cas[o->n];
    uint64_t rev;
    int rc = check_owners(w, name->host.name, o, err);
    if (rc == 0)
        rc = unit_rev(w->u, &rev, err);
    if (rc < 0)
        return rc;
    (void)take_terms(w, name);
    name->position = position;
    name->deployed = (int64_t)rev;
    name->created = w->u->now_ms;
    *ours = (struct assoc){
        .priority = (uint32_t)name->priority, .observe = name->observe != 0, .deployed = name->deployed};
    memcpy(ours->cert, w->l->cert[CERT_ID].bytes.ptr, ID_UUID_LEN);
    o->n++;
    rc = put_row(w, name, ACD_REV_NEW, err);
    if (rc == 0)
        rc = change_add_host(&w->u->changes, slice_of(name->host.name, name->host.len),
                             w->l->zone[ZONE_ID].bytes, o->cas, o->n);
    w->added++;
    return rc;
}

/* What stays in the list keeps its place among the CAs of that host, unless it is given another priority or
 * role; it may be moved or spelled anew. */
static int
put_again(struct host_work *w, struct host_name *name, int64_t position, acd_err *err)
{
    uint64_t rev;
    bool changed = take_terms(w, name), moved = name->position != position || !name->same_text;
    if (!changed && !moved)
        return 0;
    int rc = unit_rev(w->u, &rev, err);
    name->position = position;
    w->moved |= moved;
    w->changed += changed;
    w->u->narrows |= changed && name->observe;
    if (rc == 0 && changed)
        rc = change_add(&w->u->changes, CHANGED_HOST, name->host.name);
    return rc < 0 ? rc : put_row(w, name, ACD_REV_ANY, err);
}

static int
del_assoc(struct host_work *w, const char *pattern, acd_err *err)
{
    int rc = db_del(&w->u->db, COLL_HOST, VALS(w->l->zone[ZONE_ID], w->l->cert[CERT_ID], VAL_TEXT(pattern)),
                    3, err);
    if (rc == 0)
        rc = change_add(&w->u->changes, CHANGED_HOST, pattern);
    w->removed += rc == 0;
    w->u->narrows = true;
    return rc;
}

/* --- the changes -------------------------------------------------------------------------------------- */

static void
name_found(struct host_name *name, const acd_value *row)
{
    name->there = true;
    name->same_text = slice_eqs(row[HOST_TEXT].bytes, name->text);
    name->position = row[HOST_POSITION].num;
    name->deployed = row[HOST_DEPLOYED].num;
    name->created = row[HOST_CREATED].num;
    name->priority = row[HOST_PRIORITY].num;
    name->observe = row[HOST_OBSERVE].num;
}

/* The walk over a list beside the names, both in order of their patterns. */
struct merge {
    struct host_work *w;
    size_t at;
    struct mem_region region;
    struct change_set stale; /* only a list of patterns here */
};

static int
merge_row(void *arg, const acd_value *row, size_t ncols)
{
    struct merge *m = arg;
    acd_slice pattern = row[HOST_PATTERN].bytes;
    int d = 1;
    (void)ncols;
    for (; m->at < m->w->n; m->at++) {
        const struct host *h = &m->w->names[m->at]->host;
        d = slice_cmp(slice_of(h->name, h->len), pattern);
        if (d >= 0)
            break;
    }
    if (m->at == m->w->n || d != 0) {
        char *copy = mem_strndup(&m->region, pattern.ptr, pattern.len);
        return copy ? change_add(&m->stale, CHANGED_HOST, copy) : ACD_ENOMEM;
    }
    name_found(m->w->names[m->at++], row);
    return 0;
}

/* Finds which names are in the list; what is in the list and not among the names goes. */
static int
merge_list(struct host_work *w, acd_err *err)
{
    struct merge m = {.w = w};
    const struct db_query q = {
        .coll = COLL_HOST, .eq = VALS(w->l->zone[ZONE_ID], w->l->cert[CERT_ID]), .neq = 2};
    mem_init(&m.region, 65536, 0);
    change_init(&m.stale, &m.region);
    int rc = db_walk(&w->u->db, &q, merge_row, &m, err);
    for (size_t i = 0; rc == 0 && i < m.stale.n; i++)
        rc = del_assoc(w, m.stale.items[i].key, err);
    mem_done(&m.region);
    return rc;
}

static int
apply_set(struct host_work *w, acd_err *err)
{
    struct owners o;
    int rc = merge_list(w, err);
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        struct host_name *name = w->names[i];
        int64_t position = (int64_t)name->index;
        if (name->there) {
            rc = put_again(w, name, position, err);
            continue;
        }
        rc = find_owners(w, name->host.name, &o, err);
        if (rc == 0)
            rc = put_fresh(w, name, position, &o, err);
    }
    return rc;
}

static int
last_position(struct host_work *w, int64_t *ret, acd_err *err)
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

/* What is in the list already keeps its place and spelling there; only the terms may be others. */
static int
add_again(struct host_work *w, struct host_name *name, acd_err *err)
{
    acd_value *row;
    if (!w->terms.has_priority && !w->terms.has_role)
        return 0;
    int rc = db_get(&w->u->db, COLL_HOST,
                    VALS(w->l->zone[ZONE_ID], w->l->cert[CERT_ID], VAL_TEXT(name->host.name)), 3, &row, err);
    if (rc < 0)
        return rc;
    name->text = row_text(row, HOST_TEXT);
    name_found(name, row);
    return put_again(w, name, name->position, err);
}

static int
apply_add(struct host_work *w, acd_err *err)
{
    struct owners o;
    int64_t last;
    int rc = last_position(w, &last, err);
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        struct host_name *name = w->names[i];
        rc = find_owners(w, name->host.name, &o, err);
        if (rc == 0)
            rc = o.ours ? add_again(w, name, err)
                        : put_fresh(w, name, last + 1 + (int64_t)name->index, &o, err);
    }
    return rc;
}

static int
apply_remove(struct host_work *w, acd_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        rc = del_assoc(w, w->names[i]->host.name, err);
        if (rc == ACD_ENOENT)
            rc = err_set(err, rc, "'%s' is not in the list", w->names[i]->host.name);
    }
    return rc;
}

static int
put_list(struct host_work *w, acd_err *err)
{
    struct host_list *l = w->l;
    if (!w->added && !w->removed && !w->changed && !w->moved)
        return 0;
    int rc = unit_rev(w->u, &l->rev, err);
    if (rc < 0)
        return rc;
    l->size += w->added;
    l->size -= w->removed;
    const acd_value row[HOST_LIST_COLS] = {
        [HOST_LIST_ZONE] = l->zone[ZONE_ID],
        [HOST_LIST_CERT] = l->cert[CERT_ID],
        [HOST_LIST_REV] = VAL_INT(l->rev),
        [HOST_LIST_SIZE] = VAL_INT(l->size),
    };
    return db_put(&w->u->db, COLL_HOST_LIST, row, ACD_REV_ANY, err);
}

int
host_change_apply(struct host_work *w, enum host_change how, acd_err *err)
{
    int rc = how == HOSTS_SET   ? apply_set(w, err)
             : how == HOSTS_ADD ? apply_add(w, err)
                                : apply_remove(w, err);
    map_done(&w->sizes);
    return rc < 0 ? rc : put_list(w, err);
}
