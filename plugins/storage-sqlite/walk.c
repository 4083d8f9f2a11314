/* Scans: each range of a walk is one prepared statement, kept by its shape. */
#include "sq.h"

static uint64_t
range_key(uint32_t coll, const struct sdk_range *r)
{
    /* bit 63 tells a key from the empty slot's 0 */
    return 1ull << 63 | (uint64_t)coll << 32 | (uint64_t)r->index << 24 | (uint64_t)r->neq << 16 |
           (uint64_t)r->null_eq << 8 | (uint64_t)r->bound << 1 | r->reverse;
}

static int
range_stmt(struct sq_session *s, uint32_t coll, const struct sdk_range *r, sqlite3_stmt **ret, acd_err *err)
{
    uint64_t key = range_key(coll, r);
    for (size_t i = 0; i < s->nranges; i++)
        if (s->ranges[i].key == key) {
            *ret = s->ranges[i].stmt;
            return 0;
        }
    struct sdk_text t = {0};
    sdk_sql_range(&t, &sq_dialect, sdk_coll(s->sq->colls, coll), r);
    int rc = t.failed ? sdk_fail(err, ACD_ENOMEM, "out of memory") : sq_prepare(&s->c, t.data, ret, err);
    sdk_text_done(&t);
    if (rc < 0)
        return rc;
    struct sq_range *slot =
        &s->ranges[s->nranges < SQ_RANGES_MAX ? s->nranges++ : s->victim++ % SQ_RANGES_MAX];
    (void)sqlite3_finalize(slot->stmt);
    *slot = (struct sq_range){key, *ret};
    return 0;
}

/* Returns 0 at the range's end, 1 when the callback or the limit ended the walk, or a negative status. */
static int
range_run(struct sq_session *s, const acd_collection *c, uint32_t coll, const struct sdk_range *r,
          uint32_t *left, acd_row_fn fn, void *ctx, acd_err *err)
{
    sqlite3_stmt *stmt = NULL;
    acd_value row[SDK_COLUMNS_MAX];
    int rc = range_stmt(s, coll, r, &stmt, err);
    if (rc < 0)
        return rc;
    int lite = SQLITE_OK;
    for (int i = 0; i < r->nvals && lite == SQLITE_OK; i++)
        lite = sq_bind(stmt, i + 1, r->cols[i], r->vals[i]);
    if (lite == SQLITE_OK)
        lite = sqlite3_bind_int64(stmt, r->nvals + 1, *left ? (sqlite3_int64)*left : -1);
    while (lite == SQLITE_OK || lite == SQLITE_ROW) {
        lite = sqlite3_step(stmt);
        if (lite != SQLITE_ROW)
            break;
        sq_row(stmt, c, row);
        rc = fn(ctx, row, c->ncols);
        if (rc == 0 && *left && --*left == 0)
            rc = 1;
        if (rc != 0)
            break;
    }
    if (lite != SQLITE_ROW && lite != SQLITE_DONE)
        rc = sq_failed(s, lite, c->name, err);
    (void)sqlite3_reset(stmt);
    return rc;
}

int
sq_scan(void *session, const acd_scan *scan, acd_row_fn fn, void *ctx, acd_err *err)
{
    struct sq_session *s = session;
    const acd_collection *c = NULL;
    struct sdk_walk walk;
    struct sdk_range range;
    int rc = sq_coll_ready(s, false, scan->coll, &c, err);
    if (rc == 0)
        rc = sdk_scan_check(c, scan, err);
    if (rc < 0)
        return rc;
    uint32_t left = scan->limit;
    sdk_walk_init(&walk, c, scan);
    while (rc == 0 && sdk_walk_next(&walk, &range))
        rc = range_run(s, c, scan->coll, &range, &left, fn, ctx, err);
    return rc < 0 ? rc : 0;
}
