/*
 * Storage plugins: relational, and no more. The host describes collections; the plugin makes real tables with
 * real unique indexes and foreign keys, so that an operator sees rows and columns.
 *
 * A transaction is serializable with respect to every other writer. One session is used by one thread at a
 * time. A row callback's slices live for that callback only, and it must not call into the same session.
 */
#ifndef ANCHORD_PLUGIN_STORAGE_H
#define ANCHORD_PLUGIN_STORAGE_H

#include <anchord/plugin.h>

enum acd_col_type { ACD_COL_INT = 1, ACD_COL_TEXT = 2, ACD_COL_BLOB = 3 };
enum acd_col_flag {
    ACD_COL_NULL =
        1u, /* TEXT and BLOB only: {NULL, 0} is stored as NULL. Without it such a value is refused. */
    ACD_COL_REV = 2u, /* INT: the revision that if_rev is compared with; at most one per collection */
};

typedef struct {
    const char *name;
    uint32_t type, flags;
    uint16_t
        ref; /* 1 + number of the collection whose single-column primary key this one refers to; 0: none */
} acd_column;

/* An index over columns, by number, at most 4. Rows with a NULL in a unique index do not collide. */
typedef struct {
    const char *name;
    uint16_t cols[4];
    uint16_t ncols;
    uint16_t unique;
} acd_index;

typedef struct {
    uint32_t struct_size;
    const char *name; /* [a-z_]+ */
    const acd_column *cols;
    size_t ncols;
    uint16_t npk; /* the first npk columns are the primary key, 1..4 */
    const acd_index *indexes;
    size_t nindexes;
    uint32_t
        since; /* schema version that introduced the collection; a later column is a new version of the
                  plugin's table, added with the column's zero value (0, empty text, empty blob or NULL) */
} acd_collection;

/* By the column's type: num for INT, bytes for TEXT and BLOB. */
typedef struct {
    int64_t num;
    acd_slice bytes;
} acd_value;

/*
 * A walk in the order of an index (0: primary key; n: indexes[n-1], ties by primary key), over the rows whose
 * first neq index columns equal eq[]. `after` continues a walk: the row itself, all its columns, or NULL.
 * limit 0: no limit. reverse: from the end. The callback returns 0 to go on, a positive number to stop
 * without error (scan then returns 0), or a negative status that scan returns.
 */
typedef struct {
    uint32_t struct_size, coll, index, limit, reverse;
    const acd_value *eq;
    size_t neq;
    const acd_value *after;
} acd_scan;

typedef int (*acd_row_fn)(void *ctx, const acd_value *row, size_t ncols);

#define ACD_REV_ANY UINT64_MAX /* insert or replace */
#define ACD_REV_NEW 0          /* insert; ACD_EEXIST when the primary key or a unique index is taken */

typedef struct {
    uint32_t struct_size;
    /* Creates what is missing and upgrades from any older version; a newer version on disk is ACD_EABI.
     * Called once after start, before any session. The collections outlive the instance. */
    int (*schema)(void *inst, const acd_collection *, size_t n, uint32_t version, acd_err *);
    int (*session_open)(void *inst, void **ret_s, acd_err *);
    void (*session_close)(void *s);
    /* write != 0: takes the writer's place at once, or fails with ACD_EBUSY or ACD_ETIMEOUT at the deadline.
     * write == 0: a consistent view of the last commit until the session's commit or rollback. */
    int (*begin)(void *s, int write, const acd_call *, acd_err *);
    int (*commit)(void *s,
                  acd_err *); /* durable when it returns 0; on failure the transaction is rolled back */
    void (*rollback)(void *s);
    int (*get)(void *s, uint32_t coll, const acd_value *key, size_t nkey, acd_row_fn, void *ctx, acd_err *);
    int (*scan)(void *s, const acd_scan *, acd_row_fn, void *ctx, acd_err *);
    /* if_rev: ACD_REV_ANY, ACD_REV_NEW, or the value the stored row's ACD_COL_REV column must have, else
     * ACD_ECONFLICT (ACD_ENOENT without a row). A broken reference is ACD_EPRECOND. */
    int (*put)(void *s, uint32_t coll, const acd_value *row, size_t ncols, uint64_t if_rev, acd_err *);
    /* if_rev: ACD_REV_ANY, or as for put. ACD_ENOENT without a row; ACD_EPRECOND while another row refers to
     * it. */
    int (*del)(void *s, uint32_t coll, const acd_value *key, size_t nkey, uint64_t if_rev, acd_err *);
    /* As acd_host.txn_counter_add; keys are at most 512 bytes. delta 0 only reads: it writes no row, and is
     * allowed in a view. */
    int (*counter_add)(void *s, acd_slice key, int64_t delta, int64_t lo, int64_t hi, int64_t *ret_now,
                       acd_err *);
    /* The next number of one gap-free sequence, in commit order; first is 1. A rolled back number is given
     * again. seq_now: the last number given in this view, 0 before the first. */
    int (*next_seq)(void *s, uint64_t *ret_seq, acd_err *);
    int (*seq_now)(void *s, uint64_t *ret_seq, acd_err *);
    /* A consistent copy, written to fd while work goes on. Where there is no such thing the function is there
     * and says ACD_ENOTSUP. */
    int (*backup)(void *inst, int fd, acd_err *);
} acd_storage_ops;

#endif
