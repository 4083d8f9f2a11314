/*
 * Insides of storage-sqlite. One connection per session; one writer at a time, by a gate inside the process
 * and by BEGIN IMMEDIATE between processes.
 *
 * Threading: struct sq is shared by sessions; what changes after start is behind `gate`. A struct sq_session
 * and its connection belong to one thread at a time.
 */
#ifndef STORAGE_SQLITE_SQ_H
#define STORAGE_SQLITE_SQ_H

#include <sqlite3.h>
#include <stdbool.h>

#include "../sdk/gate.h"
#include "../sdk/sdk.h"
#include "../sdk/sql.h"

#define SQ_APPLICATION_ID 0x61636864 /* "achd", in the file's header */
#define SQ_LAYOUT         1          /* user_version: the shape of this plugin's own tables */
#define SQ_RANGES_MAX     64u        /* prepared walks a session keeps */
#define SQ_PROGRESS_STEPS 2000       /* SQLite instructions between looks at the deadline */
#define SQ_BUSY_STEP_NS   2000000u   /* pause before asking another process's lock again */
#define SQ_BACKUP_PAGES   256        /* pages copied per step of a backup */

enum sq_stmt { SQ_GET, SQ_EXISTS, SQ_INSERT, SQ_UPSERT, SQ_UPDATE_IF, SQ_DELETE, SQ_DELETE_IF, SQ_STMTS };
enum sq_fixed {
    SQ_BEGIN_READ,
    SQ_BEGIN_WRITE,
    SQ_COMMIT,
    SQ_ROLLBACK,
    SQ_SEQ_NEXT,
    SQ_SEQ_NOW,
    SQ_COUNTER_STEP,
    SQ_COUNTER_GET,
    SQ_COUNTER_NEW,
    SQ_FIXED
};

struct sq_range {
    uint64_t key;
    sqlite3_stmt *stmt;
};

/* A connection and the deadline of what it is doing. */
struct sq_conn {
    sqlite3 *db;
    uint64_t deadline_ns; /* of the caller; 0: none */
    uint64_t busy_ns;     /* when waiting for another process ends */
};

struct sq {
    const acd_host *host;
    const char *path;
    int64_t cache_kib, mmap_mib, max_mib, wal_mib, busy_ms;
    bool check;
    struct sq_conn owner; /* schema, health, checkpoints */
    const acd_collection *colls;
    size_t ncolls;

    struct sdk_gate gate;
};

struct sq_session {
    struct sq *sq;
    struct sq_conn c;
    int open;   /* 0: no transaction, 1: read, 2: write */
    int broken; /* status that ended the transaction inside SQLite, 0: none */
    sqlite3_stmt *fixed[SQ_FIXED];
    sqlite3_stmt *(*stmts)[SQ_STMTS]; /* per collection, prepared when first needed */
    struct sq_range ranges[SQ_RANGES_MAX];
    size_t nranges, victim;
};

extern const struct sdk_dialect sq_dialect;

/* conn.c */
int sq_open(struct sq *sq, struct sq_conn *c, acd_err *err);
void sq_close(struct sq_conn *c);
int sq_exec(struct sq_conn *c, const char *sql, acd_err *err);
int sq_prepare(struct sq_conn *c, const char *sql, sqlite3_stmt **ret, acd_err *err);
int sq_error(struct sq_conn *c, int rc, const char *what, acd_err *err);
int sq_number(struct sq_conn *c, const char *sql, int64_t *ret, acd_err *err); /* the first value */
bool sq_late(uint64_t deadline_ns);

/* schema.c */
int sq_schema(void *inst, const acd_collection *colls, size_t n, uint32_t version, acd_err *err);
int sq_file_check(struct sq *sq, acd_err *err); /* is this database ours, or new? */

/* session.c, rows.c, walk.c, counter.c, backup.c: the storage table */
int sq_session_open(void *inst, void **ret, acd_err *err);
void sq_session_close(void *session);
int sq_begin(void *session, int write, const acd_call *call, acd_err *err);
int sq_commit(void *session, acd_err *err);
void sq_rollback(void *session);
int sq_get(void *session, uint32_t coll, const acd_value *key, size_t nkey, acd_row_fn fn, void *ctx,
           acd_err *err);
int sq_scan(void *session, const acd_scan *scan, acd_row_fn fn, void *ctx, acd_err *err);
int sq_put(void *session, uint32_t coll, const acd_value *row, size_t ncols, uint64_t if_rev, acd_err *err);
int sq_del(void *session, uint32_t coll, const acd_value *key, size_t nkey, uint64_t if_rev, acd_err *err);
int sq_counter_add(void *session, acd_slice key, int64_t delta, int64_t lo, int64_t hi, int64_t *ret_now,
                   acd_err *err);
int sq_next_seq(void *session, uint64_t *ret, acd_err *err);
int sq_seq_now(void *session, uint64_t *ret, acd_err *err);
int sq_backup(void *inst, int fd, acd_err *err);

/* Inside a session. */
int sq_ready(struct sq_session *s, bool write, acd_err *err); /* in a transaction that is sound? */
int sq_coll_ready(struct sq_session *s, bool write, uint32_t coll, const acd_collection **ret, acd_err *err);
int sq_failed(struct sq_session *s, int rc, const char *what, acd_err *err);
int sq_bind(sqlite3_stmt *stmt, int at, const acd_column *col, const acd_value *v);
void sq_row(sqlite3_stmt *stmt, const acd_collection *c, acd_value *ret);
int sq_stmt_get(struct sq_session *s, uint32_t coll, enum sq_stmt which, sqlite3_stmt **ret, acd_err *err);

#endif
