/* Rows of the session's state: get, scan, put, del, with the same checks in the same order as a database. */
#include "mem.h"

static int
coll_ready(struct mm_session *s, bool write, uint32_t coll, struct mm_table **ret, acd_err *err)
{
    int rc = mm_ready(s, write, err);
    if (rc < 0)
        return rc;
    if (coll >= s->mm->ncolls)
        return sdk_fail(err, ACD_EINVAL, "there is no collection %u", coll);
    *ret = s->state->tables[coll];
    return 0;
}

/* The transaction's own copy of a table, made when it is first changed. */
static struct mm_table *
table_own(struct mm_session *s, uint32_t coll)
{
    struct mm_table *t = s->state->tables[coll];
    if (s->own[coll])
        return t;
    struct mm_table *copy = mm_table_copy(t);
    if (copy) {
        mm_table_unref(t);
        s->state->tables[coll] = copy;
        s->own[coll] = true;
    }
    return copy;
}

int
mm_get(void *session, uint32_t coll, const acd_value *key, size_t nkey, acd_row_fn fn, void *ctx,
       acd_err *err)
{
    struct mm_table *t = NULL;
    int rc = coll_ready(session, false, coll, &t, err);
    if (rc == 0)
        rc = sdk_key_check(t->c, key, nkey, err);
    if (rc < 0)
        return rc;
    struct mm_row *r = mm_table_find(t, key);
    if (!r)
        return sdk_fail(err, ACD_ENOENT, "%s: no such row", t->c->name);
    rc = fn(ctx, r->vals, t->c->ncols);
    return rc < 0 ? rc : 0;
}

int
mm_scan(void *session, const acd_scan *scan, acd_row_fn fn, void *ctx, acd_err *err)
{
    struct mm_table *t = NULL;
    uint16_t order[SDK_ORDER_MAX];
    const acd_value *eq[SDK_KEY_MAX], *after[SDK_ORDER_MAX];
    int rc = coll_ready(session, false, scan->coll, &t, err);
    if (rc == 0)
        rc = sdk_scan_check(t->c, scan, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < scan->neq; i++)
        eq[i] = &scan->eq[i];
    size_t from = mm_table_place(t, scan->index, eq, scan->neq, false);
    size_t to = mm_table_place(t, scan->index, eq, scan->neq, true);
    if (scan->after) {
        size_t n = sdk_order(t->c, scan->index, order);
        for (size_t i = 0; i < n; i++)
            after[i] = &scan->after[order[i]];
        if (scan->reverse)
            to = mm_table_place(t, scan->index, after, n, false);
        else
            from = mm_table_place(t, scan->index, after, n, true);
    }
    for (size_t i = 0; from + i < to && (scan->limit == 0 || i < scan->limit) && rc == 0; i++) {
        const struct mm_row *r = t->orders[scan->index][scan->reverse ? to - 1 - i : from + i];
        rc = fn(ctx, r->vals, t->c->ncols);
    }
    return rc < 0 ? rc : 0;
}

static int
refs_check(struct mm_session *s, uint32_t coll, const struct mm_row *row, acd_err *err)
{
    const acd_collection *c = sdk_coll(s->mm->colls, coll);
    for (size_t i = 0; i < c->ncols; i++) {
        const acd_column *col = &c->cols[i];
        if (!col->ref || sdk_value_null(col, &row->vals[i]))
            continue;
        if (col->ref - 1u == coll && sdk_value_cmp(col, &row->vals[i], &row->vals[0]) == 0)
            continue; /* it refers to itself */
        if (!mm_table_find(s->state->tables[col->ref - 1], &row->vals[i]))
            return sdk_fail(err, ACD_EPRECOND, "%s: a row refers to one that is not there, or is referred to",
                            c->name);
    }
    return 0;
}

static bool
referred_to(struct mm_session *s, uint32_t coll, const struct mm_row *row)
{
    for (size_t k = 0; k < s->mm->ncolls; k++) {
        const acd_collection *c = sdk_coll(s->mm->colls, k);
        for (size_t i = 0; i < c->ncols; i++)
            if (c->cols[i].ref == coll + 1 && mm_table_refers(s->state->tables[k], i, &row->vals[0], row))
                return true;
    }
    return false;
}

static int
rev_ok(const acd_collection *c, const struct mm_row *old, uint64_t if_rev, acd_err *err)
{
    if (!old)
        return sdk_fail(err, ACD_ENOENT, "%s: no such row", c->name);
    if ((uint64_t)old->vals[sdk_rev_column(c)].num != if_rev)
        return sdk_fail(err, ACD_ECONFLICT, "%s: the row was changed by someone else", c->name);
    return 0;
}

int
mm_put(void *session, uint32_t coll, const acd_value *vals, size_t ncols, uint64_t if_rev, acd_err *err)
{
    struct mm_session *s = session;
    struct mm_table *t = NULL;
    int rc = coll_ready(s, true, coll, &t, err);
    if (rc == 0)
        rc = sdk_row_check(t->c, vals, ncols, err);
    if (rc == 0)
        rc = sdk_rev_check(t->c, if_rev, false, err);
    if (rc == 0)
        rc = s->mm->host->fault(s->mm->host, "storage-memory.put");
    if (rc < 0)
        return rc;
    struct mm_row *old = mm_table_find(t, vals);
    if (if_rev != ACD_REV_ANY && if_rev != ACD_REV_NEW && (rc = rev_ok(t->c, old, if_rev, err)) < 0)
        return rc;
    struct mm_row *row = mm_row_new(t->c, vals);
    if (!row || !(t = table_own(s, coll))) {
        mm_row_unref(row);
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    }
    if ((if_rev == ACD_REV_NEW && old) || mm_table_taken(t, row, old))
        rc = sdk_fail(err, ACD_EEXIST, "%s: a row with that key exists", t->c->name);
    if (rc == 0)
        rc = refs_check(s, coll, row, err);
    if (rc < 0) {
        mm_row_unref(row);
        return rc;
    }
    if (old)
        mm_table_remove(t, old);
    /* A removed row has left its place, so this cannot fail after a removal. */
    return mm_table_add(t, row) < 0 ? sdk_fail(err, ACD_ENOMEM, "out of memory") : 0;
}

int
mm_del(void *session, uint32_t coll, const acd_value *key, size_t nkey, uint64_t if_rev, acd_err *err)
{
    struct mm_session *s = session;
    struct mm_table *t = NULL;
    int rc = coll_ready(s, true, coll, &t, err);
    if (rc == 0)
        rc = sdk_key_check(t->c, key, nkey, err);
    if (rc == 0)
        rc = sdk_rev_check(t->c, if_rev, true, err);
    if (rc == 0)
        rc = s->mm->host->fault(s->mm->host, "storage-memory.del");
    if (rc < 0)
        return rc;
    struct mm_row *old = mm_table_find(t, key);
    if (!old)
        return sdk_fail(err, ACD_ENOENT, "%s: no such row", t->c->name);
    if (if_rev != ACD_REV_ANY && (rc = rev_ok(t->c, old, if_rev, err)) < 0)
        return rc;
    if (referred_to(s, coll, old))
        return sdk_fail(err, ACD_EPRECOND, "%s: a row refers to one that is not there, or is referred to",
                        t->c->name);
    if (!(t = table_own(s, coll)))
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    mm_table_remove(t, old);
    return 0;
}
