#include "naive.h"

#include <stdlib.h>
#include <string.h>

static acd_value
value_copy(const acd_column *col, const acd_value *v)
{
    acd_value c = {0};
    if (col->type == ACD_COL_INT)
        c.num = v->num;
    else if (v->bytes.ptr) {
        char *p = malloc(v->bytes.len + 1);
        memcpy(p, v->bytes.ptr, v->bytes.len);
        c.bytes = (acd_slice){p, v->bytes.len};
    }
    return c;
}

static void
row_set(struct naive_row *r, uint32_t coll, const acd_value *row)
{
    for (size_t i = 0; i < test_colls[coll].ncols; i++)
        r->v[i] = value_copy(&test_colls[coll].cols[i], &row[i]);
}

static void
row_clear(struct naive_row *r, uint32_t coll)
{
    for (size_t i = 0; i < test_colls[coll].ncols; i++)
        free((void *)(uintptr_t)r->v[i].bytes.ptr);
}

void
naive_init(struct naive *m)
{
    *m = (struct naive){0};
    for (int c = 0; c < TEST_COLLS; c++)
        m->rows[c] = calloc(NAIVE_ROWS, sizeof(struct naive_row));
}

static void
clear(struct naive *m)
{
    for (uint32_t c = 0; c < TEST_COLLS; c++) {
        for (size_t i = 0; i < m->n[c]; i++)
            row_clear(&m->rows[c][i], c);
        m->n[c] = 0;
    }
}

void
naive_copy(struct naive *to, const struct naive *from)
{
    clear(to);
    for (uint32_t c = 0; c < TEST_COLLS; c++) {
        for (size_t i = 0; i < from->n[c]; i++)
            row_set(&to->rows[c][i], c, from->rows[c][i].v);
        to->n[c] = from->n[c];
    }
    memcpy(to->counters, from->counters, sizeof(to->counters));
    to->seq = from->seq;
}

void
naive_done(struct naive *m)
{
    clear(m);
    for (int c = 0; c < TEST_COLLS; c++)
        free(m->rows[c]);
}

/* 0: equal; NULL before everything, numbers by size, bytes one by one. */
int
naive_cmp(const acd_column *col, const acd_value *a, const acd_value *b)
{
    if (col->type == ACD_COL_INT)
        return a->num < b->num ? -1 : a->num > b->num;
    if (!a->bytes.ptr && !b->bytes.ptr)
        return 0;
    if (!a->bytes.ptr)
        return -1;
    if (!b->bytes.ptr)
        return 1;
    const unsigned char *p = a->bytes.ptr, *q = b->bytes.ptr;
    for (size_t i = 0;; i++) {
        if (i == a->bytes.len)
            return i == b->bytes.len ? 0 : -1;
        if (i == b->bytes.len)
            return 1;
        if (p[i] != q[i])
            return p[i] < q[i] ? -1 : 1;
    }
}

bool
naive_same_row(uint32_t coll, const acd_value *a, const acd_value *b)
{
    for (size_t i = 0; i < test_colls[coll].ncols; i++)
        if (naive_cmp(&test_colls[coll].cols[i], &a[i], &b[i]) != 0)
            return false;
    return true;
}

static struct naive_row *
find(const struct naive *m, uint32_t coll, const acd_value *key)
{
    for (size_t i = 0; i < m->n[coll]; i++) {
        unsigned k = 0;
        while (k < test_colls[coll].npk &&
               naive_cmp(&test_colls[coll].cols[k], &m->rows[coll][i].v[k], &key[k]) == 0)
            k++;
        if (k == test_colls[coll].npk)
            return &m->rows[coll][i];
    }
    return NULL;
}

const struct naive_row *
naive_get(const struct naive *m, uint32_t coll, const acd_value *key)
{
    return find(m, coll, key);
}

static bool
unique_taken(const struct naive *m, uint32_t coll, const acd_value *row, const struct naive_row *old)
{
    const acd_collection *c = &test_colls[coll];
    for (size_t x = 0; x < c->nindexes; x++)
        for (size_t i = 0; c->indexes[x].unique && i < m->n[coll]; i++) {
            const struct naive_row *r = &m->rows[coll][i];
            unsigned same = 0;
            for (unsigned k = 0; k < c->indexes[x].ncols; k++) {
                unsigned col = c->indexes[x].cols[k];
                bool null = c->cols[col].type != ACD_COL_INT && !row[col].bytes.ptr;
                same += !null && naive_cmp(&c->cols[col], &r->v[col], &row[col]) == 0;
            }
            if (r != old && same == c->indexes[x].ncols)
                return true;
        }
    return false;
}

static int
rev_of(uint32_t coll)
{
    return coll == C_PARENT ? P_REV : -1;
}

int
naive_put(struct naive *m, uint32_t coll, const acd_value *row, uint64_t if_rev)
{
    const acd_collection *c = &test_colls[coll];
    struct naive_row *old = find(m, coll, row);
    if (if_rev != ACD_REV_ANY && if_rev != ACD_REV_NEW) {
        if (rev_of(coll) < 0)
            return ACD_EINVAL;
        if (!old)
            return ACD_ENOENT;
        if (old->v[rev_of(coll)].num != (int64_t)if_rev)
            return ACD_ECONFLICT;
    }
    if ((old && if_rev == ACD_REV_NEW) || unique_taken(m, coll, row, old))
        return ACD_EEXIST;
    for (size_t i = 0; i < c->ncols; i++)
        if (c->cols[i].ref && row[i].bytes.ptr && !find(m, c->cols[i].ref - 1u, &row[i]))
            return ACD_EPRECOND;
    if (old)
        row_clear(old, coll);
    else
        ck_assert_uint_lt(m->n[coll], NAIVE_ROWS);
    row_set(old ? old : &m->rows[coll][m->n[coll]++], coll, row);
    return 0;
}

int
naive_del(struct naive *m, uint32_t coll, const acd_value *key, uint64_t if_rev)
{
    struct naive_row *old = find(m, coll, key);
    if (if_rev != ACD_REV_ANY && rev_of(coll) < 0)
        return ACD_EINVAL;
    if (!old)
        return ACD_ENOENT;
    if (if_rev != ACD_REV_ANY && old->v[rev_of(coll)].num != (int64_t)if_rev)
        return ACD_ECONFLICT;
    for (uint32_t c = 0; c < TEST_COLLS; c++)
        for (size_t k = 0; k < test_colls[c].ncols; k++)
            for (size_t i = 0; test_colls[c].cols[k].ref == coll + 1 && i < m->n[c]; i++)
                if (naive_cmp(&test_colls[c].cols[k], &m->rows[c][i].v[k], &old->v[0]) == 0)
                    return ACD_EPRECOND;
    row_clear(old, coll);
    *old = m->rows[coll][--m->n[coll]];
    return 0;
}

/* The order of an index: its columns, then the key. qsort has no room for a context. */
static struct {
    const acd_collection *c;
    uint32_t index;
    int sign;
} by;

static int
order_cmp(const acd_value *a, const acd_value *b)
{
    int d = 0;
    if (by.index)
        for (unsigned i = 0; i < by.c->indexes[by.index - 1].ncols && d == 0; i++) {
            unsigned col = by.c->indexes[by.index - 1].cols[i];
            d = naive_cmp(&by.c->cols[col], &a[col], &b[col]);
        }
    for (unsigned i = 0; i < by.c->npk && d == 0; i++)
        d = naive_cmp(&by.c->cols[i], &a[i], &b[i]);
    return by.sign * d;
}

static int
row_order(const void *a, const void *b)
{
    return order_cmp((*(const struct naive_row *const *)a)->v, (*(const struct naive_row *const *)b)->v);
}

size_t
naive_scan(const struct naive *m, const acd_scan *scan, const struct naive_row **ret)
{
    const acd_collection *c = &test_colls[scan->coll];
    size_t n = 0;
    by.c = c;
    by.index = scan->index;
    by.sign = scan->reverse ? -1 : 1;
    for (size_t i = 0; i < m->n[scan->coll]; i++) {
        const struct naive_row *r = &m->rows[scan->coll][i];
        bool in = !scan->after || order_cmp(r->v, scan->after) > 0;
        for (size_t k = 0; k < scan->neq; k++) {
            size_t col = scan->index ? c->indexes[scan->index - 1].cols[k] : k;
            in = in && naive_cmp(&c->cols[col], &r->v[col], &scan->eq[k]) == 0;
        }
        if (in)
            ret[n++] = r;
    }
    qsort(ret, n, sizeof(*ret), row_order);
    return scan->limit && n > scan->limit ? scan->limit : n;
}

struct expect {
    uint32_t coll;
    const struct naive_row **rows;
    size_t n, at;
};

static int
expect_row(void *ctx, const acd_value *row, size_t ncols)
{
    struct expect *e = ctx;
    ck_assert_uint_eq(ncols, test_colls[e->coll].ncols);
    ck_assert_uint_lt(e->at, e->n);
    ck_assert(naive_same_row(e->coll, e->rows[e->at]->v, row));
    e->at++;
    return 0;
}

void
naive_compare(const struct naive *m, struct plug_session *s)
{
    const struct naive_row *rows[NAIVE_ROWS];
    uint64_t seq = 0;
    for (uint32_t c = 0; c < TEST_COLLS; c++)
        for (uint32_t x = 0; c != C_ROWS && x <= test_colls[c].nindexes; x++) {
            acd_scan scan = {.coll = c, .index = x};
            struct expect e = {c, rows, naive_scan(m, &scan, rows), 0};
            ck_ok(plug_scan(s, &scan, expect_row, &e, NULL));
            ck_assert_uint_eq(e.at, e.n);
        }
    for (unsigned char k = 0; k < NAIVE_COUNTERS; k++) {
        int64_t now = -1;
        ck_ok(plug_counter_get(s, (acd_slice){&k, 1}, &now, NULL));
        ck_assert_int_eq(now, m->counters[k]);
    }
    ck_ok(plug_seq_now(s, &seq, NULL));
    ck_assert_uint_eq(seq, m->seq);
}
