/* The descriptor: configuration and life of an instance. */
#include "sq.h"

#include <stdlib.h>
#include <string.h>

#define ITEM(k, t, d, l, h, text)                                                                         \
    {                                                                                                     \
        .struct_size = sizeof(acd_conf_item), .type = (t), .key = (k), .dflt = (d), .lo = (l), .hi = (h), \
        .help = (text)                                                                                    \
    }

static const acd_conf_item items[] = {
    ITEM("path", ACD_CONF_PATH, NULL, 2, 1000, "database file; its directory must exist"),
    ITEM("cache_kib", ACD_CONF_INT, "16384", 512, 4194304, "page cache of each session, KiB"),
    ITEM("mmap_mib", ACD_CONF_INT, "0", 0, 65536, "how much of the file is read through a memory map, MiB"),
    ITEM("max_mib", ACD_CONF_INT, "0", 0, 16777216, "the file may not grow beyond this, MiB; 0: no bound"),
    ITEM("wal_mib", ACD_CONF_INT, "64", 1, 65536,
         "size that the write-ahead log is cut back to, MiB; at a quarter of it, its pages go to the "
         "database"),
    ITEM("busy_ms", ACD_CONF_INT, "5000", 1, 600000,
         "longest wait for the writer's place when the caller names no deadline, ms"),
    ITEM("check", ACD_CONF_BOOL, "false", 0, 1, "look for damage in the whole file at start"),
};

static int
conf_check(const acd_conf_val *vals, size_t n, acd_err *err)
{
    const char *path = sdk_conf_str(vals, n, "path");
    /* SQLite gives a meaning to ":memory:" and to the empty name; a path with a slash has none but its own.
     */
    if (!path || !strchr(path, '/'))
        return sdk_fail(err, ACD_EINVAL, "path: must name a directory, as in /var/lib/anchord/anchord.db");
    if (path[strlen(path) - 1] == '/')
        return sdk_fail(err, ACD_EINVAL, "path: must name a file, not a directory");
    return 0;
}

static int
create(const acd_host *host, const acd_conf_val *vals, size_t n, void **ret, acd_err *err)
{
    struct sq *sq = calloc(1, sizeof(*sq));
    char *path = strdup(sdk_conf_str(vals, n, "path"));
    if (!sq || !path || sdk_gate_init(&sq->gate) < 0) {
        free(path);
        free(sq);
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    }
    sq->host = host;
    sq->path = path;
    sq->cache_kib = sdk_conf_int(vals, n, "cache_kib");
    sq->mmap_mib = sdk_conf_int(vals, n, "mmap_mib");
    sq->max_mib = sdk_conf_int(vals, n, "max_mib");
    sq->wal_mib = sdk_conf_int(vals, n, "wal_mib");
    sq->busy_ms = sdk_conf_int(vals, n, "busy_ms");
    sq->check = sdk_conf_bool(vals, n, "check");
    *ret = sq;
    return 0;
}

/* quick_check answers one row "ok", or what it found. */
static int
check_file(struct sq *sq, acd_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sq_prepare(&sq->owner, "PRAGMA quick_check(1)", &stmt, err);
    if (rc < 0)
        return rc;
    int lite = sqlite3_step(stmt);
    const char *said = lite == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    if (lite != SQLITE_ROW)
        rc = sq_error(&sq->owner, lite, sq->path, err);
    else if (!said || strcmp(said, "ok") != 0)
        rc = sdk_fail(err, ACD_ECORRUPT, "%s is damaged: %s", sq->path, said ? said : "no answer");
    (void)sqlite3_finalize(stmt);
    return rc;
}

static int
start(void *inst, acd_err *err)
{
    struct sq *sq = inst;
    int rc = sq->host->fault(sq->host, "storage-sqlite.start");
    if (rc < 0)
        return sdk_fail(err, rc, "fault point");
    rc = sq_open(sq, &sq->owner, err);
    if (rc == 0)
        rc = sq_file_check(sq, err);
    if (rc == 0 && sq->check)
        rc = check_file(sq, err);
    if (rc < 0)
        sq_close(&sq->owner);
    return rc;
}

static int
health(void *inst, acd_err *err)
{
    struct sq *sq = inst;
    int64_t n;
    return sq_number(&sq->owner, "SELECT count(*) FROM anchord_meta", &n, err);
}

static int
quiesce(void *inst, uint64_t deadline_ns)
{
    struct sq *sq = inst;
    sq->owner.deadline_ns = deadline_ns;
    sq->owner.busy_ns = sdk_now_ns() + (uint64_t)sq->busy_ms * 1000000u;
    int rc = sqlite3_wal_checkpoint_v2(sq->owner.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sq->owner.deadline_ns = 0;
    /* A reader that is still there keeps the log; nothing is lost by that, the next start reads it. */
    return rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED
               ? 0
               : sq_error(&sq->owner, rc, sq->path, NULL);
}

static void
destroy(void *inst)
{
    struct sq *sq = inst;
    sq_close(&sq->owner);
    sdk_gate_done(&sq->gate);
    free((char *)sq->path);
    free(sq);
}

static const acd_storage_ops ops = {
    .struct_size = sizeof(ops),
    .schema = sq_schema,
    .session_open = sq_session_open,
    .session_close = sq_session_close,
    .begin = sq_begin,
    .commit = sq_commit,
    .rollback = sq_rollback,
    .get = sq_get,
    .scan = sq_scan,
    .put = sq_put,
    .del = sq_del,
    .counter_add = sq_counter_add,
    .next_seq = sq_next_seq,
    .seq_now = sq_seq_now,
    .backup = sq_backup,
};

ACD_PLUGIN_DEFINE(ACD_STORAGE, "storage-sqlite", "0.1.0", .thread = ACD_PER_SESSION,
                  .build_id = SQLITE_VERSION, .summary = "one SQLite file: the embedded default",
                  .conf = items, .conf_n = sizeof(items) / sizeof(items[0]), .conf_check = conf_check,
                  .create = create, .start = start, .health = health, .quiesce = quiesce, .destroy = destroy,
                  .ops = &ops);
