#include "core/preview.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"

/* What counts of a certificate, read once in each of the two states. */
struct facts {
    bool helper, valid;
};

/* One of the two states. */
struct state {
    struct db db;
    struct map certs; /* id -> struct facts */
};

struct preview {
    struct unit *u;
    struct mem_region facts, scratch; /* scratch: of one host */
    struct state before, after;
    struct map seen[2]; /* hosts, Access ones apart: a change may have touched one several times */
    struct preview_host host;
};

/* --- certificates -----------------------------------------------------------------------------------------
 */

struct validity {
    int64_t now_ms;
    bool valid;
};

static int
check_dates(void *arg, const acd_value *row, size_t ncols)
{
    struct validity *v = arg;
    (void)ncols;
    v->valid |= row[ITEM_NOT_BEFORE].num <= v->now_ms && v->now_ms <= row[ITEM_NOT_AFTER].num;
    return 0;
}

static int
facts_of(struct preview *p, struct state *s, const char *id, const struct facts **ret, acd_err *err)
{
    acd_value *row;
    acd_slice key = slice_of(id, ID_UUID_LEN);
    struct validity v = {p->u->now_ms, false};
    if ((*ret = map_find(&s->certs, key)) != NULL)
        return 0;
    int rc = db_get(&s->db, COLL_CERT, VALS(VAL_SLICE(key)), 1, &row, err);
    const struct db_query q = {.coll = COLL_CERT_ITEM, .eq = VALS(VAL_SLICE(key)), .neq = 1};
    if (rc == 0)
        rc = db_walk(&s->db, &q, check_dates, &v, err);
    if (rc < 0)
        return rc;
    struct facts *facts = mem_new(&p->facts, struct facts);
    key = mem_slice(&p->facts, key);
    if (!facts || !key.ptr)
        return ACD_ENOMEM;
    *facts = (struct facts){row[CERT_HELPER].num != 0, v.valid};
    *ret = facts;
    return map_put(&s->certs, key, facts, NULL);
}

/* --- one host ---------------------------------------------------------------------------------------------
 */

static int
read_side(struct preview *p, struct state *s, struct preview_side *ret, acd_err *err)
{
    struct assoc list[LIMIT_CAS_PER_HOST];
    struct db_rows rows;
    const struct db_query q = {.coll = p->host.access ? COLL_ACCESS_HOST : COLL_HOST,
                               .index = HOST_BY_PATTERN,
                               .eq = VALS(VAL_TEXT(p->host.pattern)),
                               .neq = 1};
    ret->n = 0;
    ret->verifies = false;
    ret->zone[0] = '\0';
    int rc = db_list(&s->db, &q, &rows, err);
    if (rc == 0 && rows.n > LIMIT_CAS_PER_HOST)
        rc = ACD_ECORRUPT;
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        rc = assoc_read(rows.rows[i], &list[i]);
    if (rc < 0)
        return rc;
    if (rows.n > 0)
        (void)snprintf(ret->zone, sizeof(ret->zone), "%s", row_text(rows.rows[0], HOST_ZONE));
    assoc_sort(list, rows.n);
    for (; rc == 0 && ret->n < rows.n; ret->n++) {
        const struct assoc *a = &list[ret->n];
        struct preview_ca *ca = &ret->cas[ret->n];
        const struct facts *facts;
        rc = facts_of(p, s, a->cert, &facts, err);
        if (rc < 0)
            return rc;
        (void)snprintf(ca->cert, sizeof(ca->cert), "%.*s", ID_UUID_LEN, a->cert);
        ca->priority = a->priority;
        ca->role = a->observe      ? ANCHORD__V1__CA_ROLE__CA_OBSERVED
                   : facts->helper ? ANCHORD__V1__CA_ROLE__CA_HELPS
                                   : ANCHORD__V1__CA_ROLE__CA_DECIDES;
        ret->verifies |= ca->role == ANCHORD__V1__CA_ROLE__CA_DECIDES && facts->valid;
    }
    return rc;
}

static bool
same_trust(const struct preview_side *a, const struct preview_side *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->cas[i].role != b->cas[i].role || strcmp(a->cas[i].cert, b->cas[i].cert) != 0)
            return false;
    return true;
}

static int
one_host(struct preview *p, const struct change_item *item, preview_fn fn, void *ctx, acd_err *err)
{
    struct preview_host *h = &p->host;
    struct map *seen = &p->seen[item->kind == CHANGED_ACCESS_HOST];
    if (map_find(seen, slice_str(item->key)))
        return 0;
    int rc = map_put(seen, slice_str(item->key), p, NULL);
    mem_reset(&p->scratch);
    h->pattern = item->key;
    h->access = item->kind == CHANGED_ACCESS_HOST;
    if (rc == 0)
        rc = read_side(p, &p->before, &h->before, err);
    if (rc == 0)
        rc = read_side(p, &p->after, &h->after, err);
    return rc < 0 || same_trust(&h->before, &h->after) ? rc : fn(ctx, h);
}

int
preview_hosts(struct unit *u, struct plug_session *before, preview_fn fn, void *ctx, acd_err *err)
{
    struct preview *p = calloc(1, sizeof(*p));
    int rc = 0;
    if (!p)
        return err_set(err, ACD_ENOMEM, "out of memory");
    mem_init(&p->facts, 16384, 0);
    mem_init(&p->scratch, 65536, 0);
    p->u = u;
    p->before.db = (struct db){before, &p->scratch};
    p->after.db = (struct db){u->db.s, &p->scratch};
    for (size_t i = 0; rc == 0 && i < u->changes.n; i++)
        if (u->changes.items[i].kind == CHANGED_HOST || u->changes.items[i].kind == CHANGED_ACCESS_HOST)
            rc = one_host(p, &u->changes.items[i], fn, ctx, err);
    map_done(&p->before.certs);
    map_done(&p->after.certs);
    map_done(&p->seen[0]);
    map_done(&p->seen[1]);
    mem_done(&p->facts);
    mem_done(&p->scratch);
    free(p);
    return rc;
}
