#include "core/db.h"

#include "base/err.h"

/* The copy of one value: an absent one stays absent, an empty one stays empty. */
static int
copy_value(struct mem_region *r, const acd_column *col, const acd_value *in, acd_value *out)
{
    out->num = in->num;
    out->bytes = in->bytes;
    if (col->type == ACD_COL_INT || !in->bytes.ptr)
        return 0;
    out->bytes.ptr = mem_strndup(r, in->bytes.ptr, in->bytes.len);
    return out->bytes.ptr ? 0 : ACD_ENOMEM;
}

static int
copy_row(struct db *db, enum collection coll, const acd_value *row, acd_value **ret)
{
    const acd_collection *c = &collections[coll];
    acd_value *copy = mem_new_n(db->region, c->ncols, acd_value);
    if (!copy)
        return ACD_ENOMEM;
    for (size_t i = 0; i < c->ncols; i++)
        if (copy_value(db->region, &c->cols[i], &row[i], &copy[i]) < 0)
            return ACD_ENOMEM;
    *ret = copy;
    return 0;
}

struct get_ctx {
    struct db *db;
    enum collection coll;
    acd_value *row;
};

static int
get_row(void *arg, const acd_value *row, size_t ncols)
{
    struct get_ctx *ctx = arg;
    must(ncols == collections[ctx->coll].ncols);
    return copy_row(ctx->db, ctx->coll, row, &ctx->row);
}

int
db_get(struct db *db, enum collection coll, const acd_value *key, size_t nkey, acd_value **ret_row,
       acd_err *err)
{
    struct get_ctx ctx = {db, coll, NULL};
    int rc = plug_get(db->s, coll, key, nkey, get_row, &ctx, err);
    if (rc < 0)
        return rc;
    must(ctx.row != NULL);
    *ret_row = ctx.row;
    return 0;
}

struct list_ctx {
    struct db *db;
    const struct db_query *q;
    struct db_rows *out;
};

enum { WALK_ENDS = 1 };

static int
list_row(void *arg, const acd_value *row, size_t ncols)
{
    struct list_ctx *ctx = arg;
    struct db_rows *out = ctx->out;
    enum db_pick pick = ctx->q->pick ? ctx->q->pick(ctx->q->pick_ctx, row) : DB_TAKE;
    (void)ncols;
    if (pick != DB_TAKE)
        return pick == DB_STOP ? WALK_ENDS : 0;
    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : 16;
        acd_value **rows = mem_new_n(ctx->db->region, cap, acd_value *);
        if (!rows)
            return ACD_ENOMEM;
        if (out->n)
            memcpy(rows, out->rows, out->n * sizeof(*rows));
        out->rows = rows;
        out->cap = cap;
    }
    int rc = copy_row(ctx->db, ctx->q->coll, row, &out->rows[out->n]);
    if (rc < 0)
        return rc;
    out->n++;
    return 0;
}

acd_value *
db_blank(struct db *db, enum collection coll)
{
    const acd_collection *c = &collections[coll];
    acd_value *row = mem_new_n(db->region, c->ncols, acd_value);
    for (size_t i = 0; row && i < c->ncols; i++)
        if (c->cols[i].type != ACD_COL_INT && !(c->cols[i].flags & ACD_COL_NULL))
            row[i].bytes.ptr = "";
    return row;
}

int
db_walk(struct db *db, const struct db_query *q, acd_row_fn fn, void *ctx, acd_err *err)
{
    acd_scan scan = {
        .struct_size = sizeof(scan),
        .coll = q->coll,
        .index = q->index,
        .limit = q->limit,
        .reverse = q->reverse,
        .eq = q->eq,
        .neq = q->neq,
        .after = q->after,
    };
    return plug_scan(db->s, &scan, fn, ctx, err);
}

int
db_list(struct db *db, const struct db_query *q, struct db_rows *ret, acd_err *err)
{
    *ret = (struct db_rows){0};
    struct list_ctx ctx = {db, q, ret};
    int rc = db_walk(db, q, list_row, &ctx, err);
    return rc < 0 ? rc : 0;
}

static int
count_row(void *arg, const acd_value *row, size_t ncols)
{
    (void)row;
    (void)ncols;
    ++*(uint64_t *)arg;
    return 0;
}

int
db_count(struct db *db, const struct db_query *q, uint64_t *ret, acd_err *err)
{
    *ret = 0;
    return db_walk(db, q, count_row, ret, err);
}

int
db_put(struct db *db, enum collection coll, const acd_value *row, uint64_t if_rev, acd_err *err)
{
    return plug_put(db->s, coll, row, collections[coll].ncols, if_rev, err);
}

int
db_del(struct db *db, enum collection coll, const acd_value *key, size_t nkey, acd_err *err)
{
    return plug_del(db->s, coll, key, nkey, ACD_REV_ANY, err);
}
