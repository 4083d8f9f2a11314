/* What the gateway has done, as counters; any thread, no lock. */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "http.h"

enum { METRIC_CLASSES = 6, METRIC_BUCKETS = 8 };

struct metrics {
    _Atomic uint64_t replies[METRIC_CLASSES]; /* by hundreds of the status */
    _Atomic uint64_t lost;                    /* replies that nobody took */
    _Atomic uint64_t buckets[METRIC_BUCKETS]; /* of the duration; the last one is without bound */
    _Atomic uint64_t duration_us;
    _Atomic uint64_t server_failed; /* calls that got no answer from the server */
};

void metrics_reply(struct metrics *m, unsigned status, uint64_t us, bool sent);

/* In the text format of Prometheus. */
void metrics_text(struct metrics *m, const struct http_counts *http, struct buf *out);

#endif
