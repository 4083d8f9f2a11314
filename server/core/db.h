/*
 * Rows for the write side: reads copy into the request's region, so that a row outlives the storage callback.
 * Text columns are NUL-terminated in the copy. Threading: as the session.
 */
#ifndef CORE_DB_H
#define CORE_DB_H

#include <anchord/plugin-storage.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/collections.h"
#include "plug/storage.h"

struct db {
    struct plug_session *s;
    struct mem_region *region;
};

#define VAL_INT(n)     ((acd_value){.num = (int64_t)(n)})
#define VAL_TEXT(t)    ((acd_value){.bytes = slice_str(t)})
#define VAL_SLICE(sl)  ((acd_value){.bytes = (sl)})
#define VAL_BLOB(p, n) ((acd_value){.bytes = slice_of((p), (n))})
#define VALS(...)      ((const acd_value[]){__VA_ARGS__})

static inline const char *
row_text(const acd_value *row, unsigned col)
{
    return row[col].bytes.ptr ? row[col].bytes.ptr : "";
}

/* ACD_ENOENT without a row; *ret_row is in the region. */
int db_get(struct db *db, enum collection coll, const acd_value *key, size_t nkey, acd_value **ret_row,
           acd_err *err) ACD_MUSTCHECK;

/* The rows of an index prefix, up to limit (0: all), copied. *ret_rows is an array of row pointers. */
struct db_rows {
    acd_value **rows;
    size_t n, cap;
};
enum db_pick { DB_SKIP, DB_TAKE, DB_STOP };
typedef enum db_pick (*db_pick_fn)(void *ctx, const acd_value *row);
struct db_query {
    enum collection coll;
    unsigned index, limit;
    bool reverse;
    const acd_value *eq;
    size_t neq;
    const acd_value *after; /* a whole row; NULL: from the beginning */
    db_pick_fn pick;        /* of db_list: which rows are copied; NULL: all. The limit counts those walked */
    void *pick_ctx;
};
int db_list(struct db *db, const struct db_query *q, struct db_rows *ret, acd_err *err) ACD_MUSTCHECK;

/* A row of zero values, to be made the place behind which a walk goes on. NULL: the region is full. */
acd_value *db_blank(struct db *db, enum collection coll) ACD_MUSTCHECK;

/* Walks without copying; the callback must not use the session. */
int db_walk(struct db *db, const struct db_query *q, acd_row_fn fn, void *ctx, acd_err *err) ACD_MUSTCHECK;
int db_count(struct db *db, const struct db_query *q, uint64_t *ret, acd_err *err) ACD_MUSTCHECK;

int db_put(struct db *db, enum collection coll, const acd_value *row, uint64_t if_rev,
           acd_err *err) ACD_MUSTCHECK;
int db_del(struct db *db, enum collection coll, const acd_value *key, size_t nkey,
           acd_err *err) ACD_MUSTCHECK;

#endif
