/* Private to libanchord: the bodies of the edge handles, and what edge*.c share. */
#ifndef LIBANCHORD_EDGE_PART_H
#define LIBANCHORD_EDGE_PART_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <anchord/edge.h>

#include "base/must.h"
#include "snap/open.h"
#include "snap/view.h"

/*
 * How a revision is given back without readers that lock or wait: a reader announces the view it uses in
 * `held` and looks again whether it still is the current one; refresh publishes a new view first, and
 * afterwards frees those of the old ones that no reader announces. Each reader announces one view at most, so
 * at most one old view per reader is kept.
 */
struct acd_edge_reader {
    uint32_t magic;
    unsigned depth; /* of nested sections */
    struct acd_edge *edge;
    struct acd_edge_reader *next; /* under edge->lock */
    _Alignas(64) _Atomic(struct snap_view *) held;
};
#define EDGE_READER_MAGIC 0xed9e4ead

struct acd_edge {
    uint32_t magic;
    acd_edge_opts opts;
    char *path;
    pthread_mutex_t lock; /* refresh and the list of readers */
    struct acd_edge_reader *readers;
    struct snap_reader *file; /* NULL: what was mapped is not to be used any more */
    struct snap_view **retired;
    size_t nretired, retired_cap;
    struct edge_cache *verdicts;
    _Alignas(64) _Atomic(struct snap_view *) view; /* current; NULL: none */
};
#define EDGE_MAGIC 0xed9e0001

/* The age of a view at a time, and whether that is too old. */
int64_t edge_age(const struct acd_edge *e, const struct snap_view *v, int64_t at_ms, bool *ret_stale);

/* The view of the section, and the facts that every answer carries. ACD_EPRECOND, ACD_EUNAVAIL. */
struct edge_now {
    const struct snap_view *view;
    int64_t age_ms;
    bool stale;
};
int edge_now(const acd_edge_reader *r, int64_t at_ms, struct edge_now *ret) ACD_MUSTCHECK;

/* One host in normal form and where it leads. product: as in a
 * question. 0 whether it is associated or not; ACD_EINVAL, ACD_ECORRUPT; ACD_ENOTSUP: no such product. */
struct host;
int edge_find(const struct snap_view *v, const char *product, acd_slice text, struct host *host,
              struct snap_hit *ret) ACD_MUSTCHECK;

#endif
