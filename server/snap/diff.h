/*
 * What differs between two views, host by host: for what-if, impact and audits. Any layer above snap may
 * include it; any thread that may read both views. No I/O. Between two revisions of one file only the buckets
 * that changed are read; otherwise all hosts are.
 */
#ifndef SNAP_DIFF_H
#define SNAP_DIFF_H

#include "snap/view.h"

struct snap_change {
    acd_slice host;                /* the pattern */
    bool had, has;                 /* before and after: added, removed or changed */
    struct snap_hit before, after; /* numbers of their own view */
};
/* Not 0 stops the walk and is returned. */
typedef int (*snap_change_fn)(void *ctx, const struct snap_change *c);

/* A host is reported when it is in one view only, or when its trust set's digest or its zone's id differs. */
int snap_diff(const struct snap_view *before, const struct snap_view *after, snap_change_fn fn, void *ctx);

#endif
