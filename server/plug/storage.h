/*
 * The storage plugin as the write side sees it. Never included by query/.
 *
 * A session belongs to one thread at a time; open one per thread. Calls may block; a transaction's deadline
 * is absolute, monotonic nanoseconds (0: none) and holds for each of its calls. Rows and keys go in borrowed;
 * a row callback's data lives for that callback, which must not use the same session. Texts in acd_err come
 * from the plugin. Codes are those of <anchord/plugin-storage.h>.
 */
#ifndef PLUG_STORAGE_H
#define PLUG_STORAGE_H

#include <stdbool.h>

#include <anchord/plugin-storage.h>

#include "base/must.h"

struct plug;
struct plug_session;

/* The collection that keeps the plugins' own rows: plugin TEXT, key BLOB, value BLOB, key of two. */
enum plug_row_col { PLUG_ROW_PLUGIN, PLUG_ROW_KEY, PLUG_ROW_VALUE, PLUG_ROW_COLS };

/* Stays where it is for as long as it has sessions. */
struct plug_storage {
    struct plug *plug;
    const acd_storage_ops *ops;
    uint32_t rows; /* number of that collection */
};

void plug_storage_init(struct plug_storage *st, struct plug *plug);
/* Once after start, before any session. The collections outlive the plugin. */
int plug_storage_schema(struct plug_storage *st, const acd_collection *colls, size_t n, uint32_t version,
                        uint32_t rows, acd_err *err) ACD_MUSTCHECK;
/* A consistent copy while work goes on; ACD_ENOTSUP. */
int plug_backup(struct plug_storage *st, int fd, acd_err *err) ACD_MUSTCHECK;

int plug_session_open(struct plug_storage *st, struct plug_session **ret, acd_err *err) ACD_MUSTCHECK;
void plug_session_close(struct plug_session *s); /* rolls back what is open; takes NULL */

/* One transaction at a time per session. commit: durable when it returns 0, rolled back otherwise. */
int plug_begin(struct plug_session *s, bool write, uint64_t deadline_ns, acd_err *err) ACD_MUSTCHECK;
int plug_commit(struct plug_session *s, acd_err *err) ACD_MUSTCHECK;
void plug_rollback(struct plug_session *s); /* no-op without a transaction */
bool plug_writing(const struct plug_session *s);

int plug_get(struct plug_session *s, uint32_t coll, const acd_value *keys, size_t n, acd_row_fn fn, void *ctx,
             acd_err *err) ACD_MUSTCHECK;
int plug_scan(struct plug_session *s, const acd_scan *scan, acd_row_fn fn, void *ctx,
              acd_err *err) ACD_MUSTCHECK;
int plug_put(struct plug_session *s, uint32_t coll, const acd_value *row, size_t ncols, uint64_t if_rev,
             acd_err *err) ACD_MUSTCHECK;
int plug_del(struct plug_session *s, uint32_t coll, const acd_value *keys, size_t n, uint64_t if_rev,
             acd_err *err) ACD_MUSTCHECK;

/* The host's own counters; they and those of the plugins never meet. ret_now is set on ACD_ELIMIT too. */
int plug_counter_add(struct plug_session *s, acd_slice key, int64_t delta, int64_t lo, int64_t hi,
                     int64_t *ret_now, acd_err *err) ACD_MUSTCHECK;
int plug_counter_get(struct plug_session *s, acd_slice key, int64_t *ret_now, acd_err *err) ACD_MUSTCHECK;
int plug_next_seq(struct plug_session *s, uint64_t *ret_seq, acd_err *err) ACD_MUSTCHECK;
int plug_seq_now(struct plug_session *s, uint64_t *ret_seq, acd_err *err) ACD_MUSTCHECK;

/* For hostsvc.c: a counter of `owner`, and the number of the collection of plugin rows. */
int plug_counter_step(struct plug_session *s, const char *owner, acd_slice key, int64_t delta, int64_t lo,
                      int64_t hi, int64_t *ret_now, acd_err *err) ACD_MUSTCHECK;
uint32_t plug_session_rows(const struct plug_session *s);

#endif
