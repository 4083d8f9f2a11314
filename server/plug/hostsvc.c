#include "plug/hostsvc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/must.h"
#include "base/str.h"
#include "plug/storage.h"

enum { TXN_MAGIC = 0x74786e31, LOG_TEXT_MAX = 1024 };

static const struct hostsvc *
svc_of(const acd_host *host)
{
    return (const struct hostsvc *)host;
}

static void __attribute__((format(printf, 4, 5)))
svc_log(const acd_host *host, int level, const char *event, const char *fmt, ...)
{
    char text[LOG_TEXT_MAX];
    va_list ap;
    if (!log_enabled(level))
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    LOG(level, "plugin.log", LF_STR("plugin", svc_of(host)->plugin), LF_STR("event", event),
        LF_STR("text", text));
}

static void
svc_metric_add(const acd_host *host, uint32_t metric, int64_t delta)
{
    struct hostsvc *h = (struct hostsvc *)(uintptr_t)host;
    if (metric < PLUG_METRICS)
        atomic_fetch_add_explicit(&h->metrics[metric], delta, memory_order_relaxed);
}

static int64_t
svc_now_ms(const acd_host *host, int wall)
{
    const struct clock *c = svc_of(host)->env.clock;
    return wall ? clock_wall_ms(c) : (int64_t)(clock_mono_ns(c) / 1000000u);
}

static int
svc_fault(const acd_host *host, const char *point)
{
    const struct hostsvc *h = svc_of(host);
    return h->env.fault ? h->env.fault(h->env.fault_ctx, h->plugin, point) : 0;
}

static int
key_ok(acd_slice key)
{
    return key.ptr && key.len > 0 && key.len <= PLUG_ROW_KEY_MAX;
}

struct copy {
    void *buf;
    size_t cap, len;
};

static int
copy_value(void *ctx, const acd_value *row, size_t ncols)
{
    struct copy *c = ctx;
    must(ncols == PLUG_ROW_COLS);
    acd_slice v = row[PLUG_ROW_VALUE].bytes;
    c->len = v.len;
    if (v.len)
        memcpy(c->buf, v.ptr, v.len < c->cap ? v.len : c->cap);
    return 0;
}

static int
svc_txn_get(acd_txn *txn, acd_slice key, void *buf, size_t cap, size_t *ret_len)
{
    CHECK_MAGIC(txn, TXN_MAGIC);
    if (!key_ok(key))
        return ACD_EINVAL;
    acd_value k[2] = {{.bytes = slice_str(txn->plugin)}, {.bytes = key}};
    struct copy c = {buf, cap, 0};
    int rc = plug_get(txn->session, plug_session_rows(txn->session), k, 2, copy_value, &c, NULL);
    if (rc == 0)
        *ret_len = c.len;
    return rc;
}

static int
svc_txn_put(acd_txn *txn, acd_slice key, acd_slice val)
{
    CHECK_MAGIC(txn, TXN_MAGIC);
    if (!key_ok(key) || val.len > PLUG_ROW_VALUE_MAX)
        return ACD_EINVAL;
    acd_value row[PLUG_ROW_COLS] = {
        [PLUG_ROW_PLUGIN] = {.bytes = slice_str(txn->plugin)},
        [PLUG_ROW_KEY] = {.bytes = key},
        [PLUG_ROW_VALUE] = {.bytes = slice_of(val.ptr ? val.ptr : "", val.len)},
    };
    return plug_put(txn->session, plug_session_rows(txn->session), row, PLUG_ROW_COLS, ACD_REV_ANY, NULL);
}

static int
svc_txn_counter_add(acd_txn *txn, acd_slice key, int64_t delta, int64_t lo, int64_t hi, int64_t *ret_now)
{
    CHECK_MAGIC(txn, TXN_MAGIC);
    if (!key_ok(key))
        return ACD_EINVAL;
    return plug_counter_step(txn->session, txn->plugin, key, delta, lo, hi, ret_now, NULL);
}

void
hostsvc_init(struct hostsvc *h, const char *plugin, const struct plug_env *env)
{
    h->plugin = plugin;
    h->env = *env;
    if (!h->env.clock)
        h->env.clock = &clock_system;
    for (unsigned i = 0; i < PLUG_METRICS; i++)
        atomic_init(&h->metrics[i], 0);
    h->host = (acd_host){
        .struct_size = sizeof(acd_host),
        .minor = ACD_PLUGIN_MINOR,
        .log = svc_log,
        .metric_add = svc_metric_add,
        .now_ms = svc_now_ms,
        .fault = svc_fault,
        .txn_get = svc_txn_get,
        .txn_put = svc_txn_put,
        .txn_counter_add = svc_txn_counter_add,
    };
}

void
hostsvc_txn_init(acd_txn *txn, struct plug_session *session, const char *plugin)
{
    *txn = (acd_txn){.magic = TXN_MAGIC, .session = session, .plugin = plugin};
}

void
hostsvc_txn_done(acd_txn *txn)
{
    txn->magic = 0;
}
