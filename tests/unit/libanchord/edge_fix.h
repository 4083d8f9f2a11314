/* Helpers of the edge tests: an image in a temporary directory, its writer, a handle and a reader. */
#ifndef TESTS_UNIT_LIBANCHORD_EDGE_FIX_H
#define TESTS_UNIT_LIBANCHORD_EDGE_FIX_H

#include <anchord/edge.h>

#include "unit/snap/fix.h"

struct edge_fix {
    char path[64];
    struct snap_writer *w;
    acd_edge *edge;
    acd_edge_reader *reader;
};

enum { EDGE_NOW = 1500, EDGE_CREATED = 1000 }; /* fix_commit's time */

/* Hosts api.example.com (BA), *.example.com (A), xn--bcher-kva.example (B), empty.example (none). */
static inline void
edge_fix_image(struct edge_fix *f)
{
    fix_temp(f->path);
    f->w = fix_open(f->path);
    OK(snap_begin(f->w, &fix_err));
    fix_zone(f->w, "z1");
    fix_ca(f->w, "A", 0, "der-a", 0, 0);
    fix_ca(f->w, "B", 0, "der-b", ACD_PROFILE_COMPAT, 0);
    OK(fix_host(f->w, "*.example.com", "z1", "A"));
    OK(fix_host(f->w, "api.example.com", "z1", "BA"));
    OK(fix_host(f->w, "xn--bcher-kva.example", "z1", "B"));
    OK(fix_host(f->w, "empty.example", "z1", ""));
    (void)fix_commit(f->w, 1);
}

static inline void
edge_fix_open(struct edge_fix *f, acd_edge_opts opts)
{
    edge_fix_image(f);
    opts.struct_size = sizeof(opts);
    OK(acd_edge_open(f->path, &opts, &f->edge, &fix_err));
    OK(acd_edge_reader_new(f->edge, &f->reader, &fix_err));
}

static inline void
edge_fix_done(struct edge_fix *f)
{
    acd_edge_reader_free(f->reader);
    acd_edge_close(f->edge);
    snap_writer_free(f->w);
    fix_temp_done(f->path);
}

/* api.example.com gets these CAs, as that revision. */
static inline void
edge_fix_change(struct edge_fix *f, uint64_t revision, const char *cas)
{
    OK(snap_begin(f->w, &fix_err));
    OK(fix_host(f->w, "api.example.com", "z1", cas));
    (void)fix_commit(f->w, revision);
    if (snap_compact_due(f->w)) {
        struct snap_view *v = NULL;
        OK(snap_compact(f->w, &v, &fix_err));
        snap_view_unref(v);
    }
}

/* The ids of the host's CAs in a section of its own, or the status as text. */
static inline const char *
edge_fix_ask(acd_edge_reader *r, const char *host, char out[64])
{
    acd_edge_answer a;
    acd_edge_enter(r);
    int rc = acd_edge_lookup(r, slice_str(host), EDGE_NOW, &a);
    ck_assert_int_eq(rc, a.status);
    ck_assert(rc == 0 || (a.cas == 0 && a.match == ACD_MATCH_NONE));
    for (size_t i = 0; rc == 0 && i < a.cas; i++) {
        acd_edge_ca ca;
        rc = acd_edge_get_ca(r, &a, i, &ca);
        if (rc == 0)
            out[i] = *(const char *)ca.id.ptr;
    }
    out[a.cas] = '\0';
    if (rc < 0)
        snprintf(out, 64, "%d", rc);
    acd_edge_leave(r);
    return rc == 0 && a.match == ACD_MATCH_NONE ? "none" : out;
}

#endif
