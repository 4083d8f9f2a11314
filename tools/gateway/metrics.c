#include "metrics.h"

#include <inttypes.h>

static const uint64_t bounds_us[METRIC_BUCKETS - 1] = {1000, 5000, 10000, 50000, 100000, 1000000, 10000000};

void
metrics_reply(struct metrics *m, unsigned status, uint64_t us, bool sent)
{
    unsigned i = 0;
    while (i < METRIC_BUCKETS - 1 && us > bounds_us[i])
        i++;
    atomic_fetch_add(&m->buckets[i], 1);
    atomic_fetch_add(&m->duration_us, us);
    atomic_fetch_add(&m->replies[status / 100 < METRIC_CLASSES ? status / 100 : 0], 1);
    if (!sent)
        atomic_fetch_add(&m->lost, 1);
}

static void
put(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
    buf_printf(out,
               "# HELP anchord_gateway_%s %s\n# TYPE anchord_gateway_%s %s\nanchord_gateway_%s %" PRIu64 "\n",
               name, help, name, type, name, value);
}

static void
put_durations(struct metrics *m, struct buf *out)
{
    uint64_t sum = 0;
    buf_puts(out,
             "# HELP anchord_gateway_request_seconds Time from a request's head to the end of its reply.\n"
             "# TYPE anchord_gateway_request_seconds histogram\n");
    for (unsigned i = 0; i < METRIC_BUCKETS; i++) {
        sum += atomic_load(&m->buckets[i]);
        if (i < METRIC_BUCKETS - 1)
            buf_printf(out, "anchord_gateway_request_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
                       (double)bounds_us[i] / 1e6, sum);
        else
            buf_printf(out, "anchord_gateway_request_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", sum);
    }
    buf_printf(
        out, "anchord_gateway_request_seconds_sum %.6f\nanchord_gateway_request_seconds_count %" PRIu64 "\n",
        (double)atomic_load(&m->duration_us) / 1e6, sum);
}

void
metrics_text(struct metrics *m, const struct http_counts *http, struct buf *out)
{
    buf_puts(out, "# HELP anchord_gateway_replies_total Replies by class of status.\n"
                  "# TYPE anchord_gateway_replies_total counter\n");
    for (unsigned i = 1; i < METRIC_CLASSES; i++)
        buf_printf(out, "anchord_gateway_replies_total{class=\"%uxx\"} %" PRIu64 "\n", i,
                   atomic_load(&m->replies[i]));
    put_durations(m, out);
    put(out, "replies_lost_total", "counter", "Requests whose client was gone before the reply was out.",
        atomic_load(&m->lost));
    put(out, "server_failed_total", "counter", "Calls that got no answer from the server.",
        atomic_load(&m->server_failed));
    put(out, "connections_cut_total", "counter", "Connections that ran out of time.", http->cut);
    put(out, "connections", "gauge", "Open connections.", http->conns);
    put(out, "requests_active", "gauge", "Requests that are not answered yet.", http->active);
    put(out, "requests_queued", "gauge", "Requests that wait for a worker.", http->queued);
}
