/*
 * Insides of storage-memory. The committed state is immutable: a write transaction works on its own copy of
 * the tables that it touches, commit swaps one pointer, rollback drops the copy. A read transaction holds the
 * state that it began with, so it needs no lock afterwards.
 *
 * Threading: `lock` guards the pointer to the committed state; states, tables and rows are shared by
 * counting.
 */
#ifndef STORAGE_MEMORY_MEM_H
#define STORAGE_MEMORY_MEM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "../sdk/gate.h"
#include "../sdk/rows.h"
#include "../sdk/sdk.h"

struct mm_row {
    atomic_uint refs;
    acd_value vals[]; /* then their bytes */
};

/* orders[i]: all rows in the order of index i; orders[0] holds the reference. */
struct mm_table {
    atomic_uint refs;
    const acd_collection *c;
    size_t n, cap;
    struct mm_row **orders[SDK_INDEXES_MAX + 1];
};

struct mm_counter {
    int64_t num;
    size_t len;
    unsigned char key[SDK_COUNTER_KEY_MAX];
};

struct mm_state {
    atomic_uint refs;
    uint64_t seq;
    struct mm_counter *counters; /* sorted by key */
    size_t ncounters;
    struct mm_table *tables[SDK_COLLECTIONS_MAX];
};

struct mm {
    const acd_host *host;
    int64_t busy_ms;
    const acd_collection *colls;
    size_t ncolls;
    struct sdk_gate gate;
    pthread_mutex_t lock;
    struct mm_state *now;
};

struct mm_session {
    struct mm *mm;
    int open; /* 0: no transaction, 1: read, 2: write */
    uint64_t deadline_ns;
    struct mm_state *state;        /* read: shared; write: this transaction's own */
    bool own[SDK_COLLECTIONS_MAX]; /* tables that were copied already */
};

/* table.c */
struct mm_row *mm_row_new(const acd_collection *c, const acd_value *vals);
void mm_row_unref(struct mm_row *r);
struct mm_table *mm_table_new(const acd_collection *c);
struct mm_table *mm_table_copy(const struct mm_table *t);
void mm_table_unref(struct mm_table *t);
/* The first place in the order of an index whose row is not before (past: is behind) the n leading values. */
size_t mm_table_place(const struct mm_table *t, uint32_t index, const acd_value *const *vals, size_t n,
                      bool past);
struct mm_row *mm_table_find(const struct mm_table *t, const acd_value *key);
/* A row other than `except` that holds the same values in a unique index. */
bool mm_table_taken(const struct mm_table *t, const struct mm_row *row, const struct mm_row *except);
int mm_table_add(struct mm_table *t, struct mm_row *row); /* takes the row */
void mm_table_remove(struct mm_table *t, struct mm_row *row);
/* Is there a row, other than `except`, whose column col equals v? */
bool mm_table_refers(const struct mm_table *t, size_t col, const acd_value *v, const struct mm_row *except);

/* state.c */
struct mm_state *mm_state_new(const acd_collection *colls, size_t n);
struct mm_state *mm_state_copy(const struct mm_state *s, size_t ntables);
void mm_state_unref(struct mm_state *s, size_t ntables);
int64_t *mm_counter_find(struct mm_state *s, acd_slice key);
int mm_counter_new(struct mm_state *s, acd_slice key, int64_t num);

/* session.c */
int mm_session_open(void *inst, void **ret, acd_err *err);
void mm_session_close(void *session);
int mm_begin(void *session, int write, const acd_call *call, acd_err *err);
int mm_commit(void *session, acd_err *err);
void mm_rollback(void *session);
int mm_counter_add(void *session, acd_slice key, int64_t delta, int64_t lo, int64_t hi, int64_t *ret_now,
                   acd_err *err);
int mm_next_seq(void *session, uint64_t *ret, acd_err *err);
int mm_seq_now(void *session, uint64_t *ret, acd_err *err);
int mm_ready(const struct mm_session *s, bool write, acd_err *err);

/* rows.c */
int mm_get(void *session, uint32_t coll, const acd_value *key, size_t nkey, acd_row_fn fn, void *ctx,
           acd_err *err);
int mm_scan(void *session, const acd_scan *scan, acd_row_fn fn, void *ctx, acd_err *err);
int mm_put(void *session, uint32_t coll, const acd_value *row, size_t ncols, uint64_t if_rev, acd_err *err);
int mm_del(void *session, uint32_t coll, const acd_value *key, size_t nkey, uint64_t if_rev, acd_err *err);

#endif
