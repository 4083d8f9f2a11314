/* A table: counted rows, and one sorted array of pointers per index. */
#include "mem.h"

#include <stdlib.h>
#include <string.h>

struct mm_row *
mm_row_new(const acd_collection *c, const acd_value *vals)
{
    size_t bytes = 0;
    for (size_t i = 0; i < c->ncols; i++)
        bytes += c->cols[i].type == ACD_COL_INT ? 0 : vals[i].bytes.len + 1;
    struct mm_row *r = malloc(sizeof(*r) + c->ncols * sizeof(acd_value) + bytes);
    if (!r)
        return NULL;
    atomic_init(&r->refs, 1);
    char *at = (char *)&r->vals[c->ncols];
    for (size_t i = 0; i < c->ncols; i++) {
        r->vals[i] = (acd_value){0};
        if (c->cols[i].type == ACD_COL_INT) {
            r->vals[i].num = vals[i].num;
        } else if (vals[i].bytes.ptr) {
            memcpy(at, vals[i].bytes.ptr, vals[i].bytes.len);
            r->vals[i].bytes = (acd_slice){at, vals[i].bytes.len};
            at += vals[i].bytes.len + 1;
        }
    }
    return r;
}

void
mm_row_unref(struct mm_row *r)
{
    if (r && atomic_fetch_sub(&r->refs, 1) == 1)
        free(r);
}

struct mm_table *
mm_table_new(const acd_collection *c)
{
    struct mm_table *t = calloc(1, sizeof(*t));
    if (t) {
        atomic_init(&t->refs, 1);
        t->c = c;
    }
    return t;
}

static int
table_reserve(struct mm_table *t, size_t cap)
{
    if (cap <= t->cap)
        return 0;
    for (size_t i = 0; i <= t->c->nindexes; i++) {
        struct mm_row **p = realloc(t->orders[i], cap * sizeof(struct mm_row *));
        if (!p)
            return ACD_ENOMEM;
        t->orders[i] = p;
    }
    t->cap = cap;
    return 0;
}

struct mm_table *
mm_table_copy(const struct mm_table *t)
{
    struct mm_table *copy = mm_table_new(t->c);
    if (!copy || table_reserve(copy, t->n + 16) < 0) {
        mm_table_unref(copy);
        return NULL;
    }
    copy->n = t->n;
    for (size_t i = 0; i <= t->c->nindexes; i++)
        for (size_t k = 0; k < t->n; k++)
            copy->orders[i][k] = t->orders[i][k];
    for (size_t k = 0; k < t->n; k++)
        atomic_fetch_add(&t->orders[0][k]->refs, 1);
    return copy;
}

void
mm_table_unref(struct mm_table *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    for (size_t k = 0; k < t->n; k++)
        mm_row_unref(t->orders[0][k]);
    for (size_t i = 0; i <= t->c->nindexes; i++)
        free(t->orders[i]);
    free(t);
}

static int
row_cmp(const acd_collection *c, const uint16_t *order, const struct mm_row *r, const acd_value *const *vals,
        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int d = sdk_value_cmp(&c->cols[order[i]], &r->vals[order[i]], vals[i]);
        if (d)
            return d;
    }
    return 0;
}

size_t
mm_table_place(const struct mm_table *t, uint32_t index, const acd_value *const *vals, size_t n, bool past)
{
    uint16_t order[SDK_ORDER_MAX];
    size_t lo = 0, hi = t->n;
    (void)sdk_order(t->c, index, order);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int d = row_cmp(t->c, order, t->orders[index][mid], vals, n);
        if (d < 0 || (past && d == 0))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool
equal_at(const struct mm_table *t, uint32_t index, size_t at, const acd_value *const *vals, size_t n)
{
    uint16_t order[SDK_ORDER_MAX];
    (void)sdk_order(t->c, index, order);
    return at < t->n && row_cmp(t->c, order, t->orders[index][at], vals, n) == 0;
}

struct mm_row *
mm_table_find(const struct mm_table *t, const acd_value *key)
{
    const acd_value *vals[SDK_KEY_MAX];
    for (unsigned i = 0; i < t->c->npk; i++)
        vals[i] = &key[i];
    size_t at = mm_table_place(t, 0, vals, t->c->npk, false);
    return equal_at(t, 0, at, vals, t->c->npk) ? t->orders[0][at] : NULL;
}

bool
mm_table_taken(const struct mm_table *t, const struct mm_row *row, const struct mm_row *except)
{
    for (uint32_t i = 1; i <= t->c->nindexes; i++) {
        const acd_index *ix = &t->c->indexes[i - 1];
        const acd_value *vals[SDK_KEY_MAX];
        bool null = false;
        for (unsigned k = 0; k < ix->ncols; k++) {
            vals[k] = &row->vals[ix->cols[k]];
            null = null || sdk_value_null(&t->c->cols[ix->cols[k]], vals[k]);
        }
        if (!ix->unique || null)
            continue;
        size_t at = mm_table_place(t, i, vals, ix->ncols, false);
        if (equal_at(t, i, at, vals, ix->ncols) && t->orders[i][at] != except)
            return true;
    }
    return false;
}

static size_t
place_of(const struct mm_table *t, uint32_t index, const struct mm_row *row)
{
    uint16_t order[SDK_ORDER_MAX];
    const acd_value *vals[SDK_ORDER_MAX];
    size_t n = sdk_order(t->c, index, order);
    for (size_t i = 0; i < n; i++)
        vals[i] = &row->vals[order[i]];
    return mm_table_place(t, index, vals, n, false);
}

int
mm_table_add(struct mm_table *t, struct mm_row *row)
{
    if (t->n == t->cap && table_reserve(t, 2 * t->cap + 16) < 0) {
        mm_row_unref(row);
        return ACD_ENOMEM;
    }
    for (uint32_t i = 0; i <= t->c->nindexes; i++) {
        size_t at = place_of(t, i, row);
        memmove(&t->orders[i][at + 1], &t->orders[i][at], (t->n - at) * sizeof(struct mm_row *));
        t->orders[i][at] = row;
    }
    t->n++;
    return 0;
}

void
mm_table_remove(struct mm_table *t, struct mm_row *row)
{
    for (uint32_t i = 0; i <= t->c->nindexes; i++) {
        size_t at = place_of(t, i, row);
        memmove(&t->orders[i][at], &t->orders[i][at + 1], (t->n - at - 1) * sizeof(struct mm_row *));
    }
    t->n--;
    mm_row_unref(row);
}

bool
mm_table_refers(const struct mm_table *t, size_t col, const acd_value *v, const struct mm_row *except)
{
    for (uint32_t i = 0; i <= t->c->nindexes; i++) {
        if ((i ? t->c->indexes[i - 1].cols[0] : 0) != col)
            continue;
        size_t at = mm_table_place(t, i, &v, 1, false);
        if (at < t->n && t->orders[i][at] == except)
            at++;
        return equal_at(t, i, at, &v, 1);
    }
    for (size_t k = 0; k < t->n; k++)
        if (t->orders[0][k] != except && sdk_value_cmp(&t->c->cols[col], &t->orders[0][k]->vals[col], v) == 0)
            return true;
    return false;
}
