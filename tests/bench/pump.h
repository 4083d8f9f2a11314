/*
 * Questions to a server on the bus, many in flight on one connection, encoded beforehand: what is measured is
 * the server and the bus, not the making of questions; the client is libanchord's own (wire/link.h).
 */
#ifndef BENCH_PUMP_H
#define BENCH_PUMP_H

#include "base/str.h"
#include "wire/link.h"

enum { PUMP_FLIGHTS = 64 };

struct pump_set {
    acd_slice *asks; /* whole messages */
    size_t n, room;
};

/* Encodes a call of `method` with this body and adds it to the set. */
void pump_add(struct pump_set *set, const char *method, const void *body);
void pump_done(struct pump_set *set);

struct pump {
    struct link *link;
    const struct pump_set *set;
    unsigned in_flight;
    size_t at;          /* which question is next */
    size_t reply_bytes; /* of the last reply */
    float *took_us;     /* when set: room for `took_max` times of single calls */
    size_t took_max, took_n;
};

void pump_open(struct pump *p, const char *url, const struct pump_set *set, unsigned in_flight);
void pump_close(struct pump *p);
/* Calls per second over that time. Every reply must be OK. As rig_pair wants it: ctx is a struct pump. */
double pump_run(void *pump, double seconds);
/* The last reply's payload, for checks of what was answered. Valid until the next run. */
acd_slice pump_ask_once(struct pump *p, size_t which);
/* The time below which this share of the calls stayed, in microseconds. */
double pump_quantile(struct pump *p, double share);

#endif
