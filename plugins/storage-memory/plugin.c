/* The descriptor. Nothing outlives the process: for tests, and the model that other storages are held
 * against. */
#include "mem.h"

#include <stdlib.h>

static const acd_conf_item items[] = {
    {.struct_size = sizeof(acd_conf_item),
     .type = ACD_CONF_INT,
     .key = "busy_ms",
     .dflt = "5000",
     .help = "longest wait for the writer's place when the caller names no deadline, ms",
     .lo = 1,
     .hi = 600000},
};

static int
create(const acd_host *host, const acd_conf_val *vals, size_t n, void **ret, acd_err *err)
{
    struct mm *mm = calloc(1, sizeof(*mm));
    if (!mm || sdk_gate_init(&mm->gate) < 0) {
        free(mm);
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    }
    if (pthread_mutex_init(&mm->lock, NULL) != 0) {
        sdk_gate_done(&mm->gate);
        free(mm);
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    }
    mm->host = host;
    mm->busy_ms = sdk_conf_int(vals, n, "busy_ms");
    *ret = mm;
    return 0;
}

static int
start(void *inst, acd_err *err)
{
    struct mm *mm = inst;
    int rc = mm->host->fault(mm->host, "storage-memory.start");
    return rc < 0 ? sdk_fail(err, rc, "fault point") : 0;
}

static int
schema(void *inst, const acd_collection *colls, size_t n, uint32_t version, acd_err *err)
{
    struct mm *mm = inst;
    int rc = sdk_colls_check(colls, n, version, err);
    if (rc < 0)
        return rc;
    if (mm->now)
        return sdk_fail(err, ACD_EPRECOND, "the schema is set already");
    mm->now = mm_state_new(colls, n);
    if (!mm->now)
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    mm->colls = colls;
    mm->ncolls = n;
    return 0;
}

static int
backup(void *inst, int fd, acd_err *err)
{
    (void)inst;
    (void)fd;
    return sdk_fail(err, ACD_ENOTSUP, "storage-memory keeps nothing that could be copied");
}

static void
destroy(void *inst)
{
    struct mm *mm = inst;
    mm_state_unref(mm->now, mm->ncolls);
    (void)pthread_mutex_destroy(&mm->lock);
    sdk_gate_done(&mm->gate);
    free(mm);
}

static const acd_storage_ops ops = {
    .struct_size = sizeof(ops),
    .schema = schema,
    .session_open = mm_session_open,
    .session_close = mm_session_close,
    .begin = mm_begin,
    .commit = mm_commit,
    .rollback = mm_rollback,
    .get = mm_get,
    .scan = mm_scan,
    .put = mm_put,
    .del = mm_del,
    .counter_add = mm_counter_add,
    .next_seq = mm_next_seq,
    .seq_now = mm_seq_now,
    .backup = backup,
};

ACD_PLUGIN_DEFINE(ACD_STORAGE, "storage-memory", "0.1.0", .thread = ACD_PER_SESSION, .build_id = "",
                  .summary = "in memory only, for tests", .conf = items,
                  .conf_n = sizeof(items) / sizeof(items[0]), .create = create, .start = start,
                  .destroy = destroy, .ops = &ops);
