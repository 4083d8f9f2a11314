#include "snap/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "snap/arr.h"
#include "snap/txn.h"

static int
committed_open(struct snap_writer *w, acd_err *err)
{
    struct snap_slot slot;
    int rc = snap_file_open(w->path, w->opts.max_bytes, &w->file, &slot, err);
    if (rc < 0)
        return rc;
    w->view = snap_view_new(w->file.map, &slot);
    if (!w->view)
        return err_set(err, ACD_ENOMEM, "out of memory");
    w->epoch = ((const struct snap_header *)w->file.map->base)->epoch;
    return 0;
}

int
snap_writer_open(const struct snap_writer_opts *opts, struct snap_writer **ret, acd_err *err)
{
    struct snap_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return err_set(err, ACD_ENOMEM, "out of memory");
    w->magic = SNAP_WRITER_MAGIC;
    w->opts = *opts;
    w->opts.max_bytes = opts->max_bytes ? opts->max_bytes : SNAP_FILE_MAX;
    w->opts.garbage_min = opts->garbage_min ? opts->garbage_min : SNAP_GARBAGE_MIN;
    w->epoch = opts->epoch;
    w->lock_fd = -1;
    int rc = 0;
    if (opts->path && !(w->path = strdup(opts->path)))
        rc = err_set(err, ACD_ENOMEM, "out of memory");
    if (rc == 0 && w->path)
        rc = snap_lock(w->path, &w->lock_fd, err);
    if (rc == 0 && w->path)
        rc = committed_open(w, err);
    if (rc == ACD_ENOENT)
        rc = 0;
    else if (rc < 0 && rc != ACD_EBUSY && opts->fresh && w->lock_fd >= 0)
        rc = 0; /* it is to be replaced anyway */
    if (rc < 0) {
        snap_writer_free(w);
        return rc;
    }
    w->opts.path = w->path;
    if (opts->fresh)
        w->epoch = opts->epoch;
    *ret = w;
    return 0;
}

void
snap_writer_free(struct snap_writer *w)
{
    if (!w)
        return;
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    snap_abort(w);
    snap_view_unref(w->view);
    snap_file_done(&w->file);
    map_done(&w->lists);
    free(w->mem.fresh);
    free(w->young);
    snap_unlock(w->lock_fd);
    free(w->path);
    w->magic = 0;
    free(w);
}

const struct snap_view *
snap_writer_view(const struct snap_writer *w)
{
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    return w->view;
}

int
snap_writer_fd(const struct snap_writer *w)
{
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    return w->file.map ? w->file.map->fd : -1;
}

void
snap_txn_aim(struct snap_writer *w)
{
    struct snap_alloc *m = &w->mem;
    w->into = &w->next;
    m->tail = m->tail0 = SNAP_FIRST_FREE;
    m->hole = m->hole_end = m->hole0 = m->hole0_end = 0;
    m->live = SNAP_FIRST_FREE;
    m->nfresh = 0;
    w->work.space = (struct snap_space){w->next.map->base, w->next.size, w->next.map};
    w->work.secret = ((const struct snap_header *)w->next.map->base)->secret;
}

static void
txn_open(struct snap_writer *w)
{
    w->open = true;
    w->failed = 0;
    w->nyoung = 0;
    w->work.magic = SNAP_VIEW_MAGIC;
}

void
snap_txn_take_up(struct snap_writer *w)
{
    struct snap_alloc *m = &w->mem;
    w->into = &w->next;
    m->tail0 = m->tail;
    m->hole0 = m->hole0_end = 0;
    w->work.space = (struct snap_space){w->next.map->base, w->next.size, w->next.map};
    w->work.secret = ((const struct snap_header *)w->next.map->base)->secret;
    txn_open(w);
}

int
snap_begin_rebuild(struct snap_writer *w, uint64_t epoch, acd_err *err)
{
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    must(!w->open);
    int rc = snap_file_create(w->path, SNAP_REBUILT, w->opts.max_bytes, epoch, &w->next, err);
    if (rc < 0)
        return rc;
    memset(&w->work.roots, 0, sizeof(w->work.roots));
    snap_txn_aim(w);
    txn_open(w);
    return 0;
}

int
snap_begin(struct snap_writer *w, acd_err *err)
{
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    must(!w->open);
    if (!w->view || w->opts.fresh)
        return snap_begin_rebuild(w, w->epoch, err);
    int rc = snap_file_check(&w->file, err);
    if (rc < 0)
        return rc;
    struct snap_alloc *m = &w->mem;
    w->into = &w->file;
    m->tail = m->tail0 = (w->view->used + SNAP_PAGE - 1) / SNAP_PAGE * SNAP_PAGE;
    m->hole = m->hole0 = w->hole;
    m->hole_end = m->hole0_end = w->hole_end;
    m->live = w->view->live;
    m->nfresh = 0;
    w->work.space = (struct snap_space){w->file.map->base, w->file.size, w->file.map};
    w->work.secret = w->view->secret;
    w->work.roots = w->view->roots;
    txn_open(w);
    return 0;
}

/* Lists name trust sets by number, which an abort takes back. */
static void
txn_close(struct snap_writer *w)
{
    map_done(&w->lists);
    w->open = false;
    w->into = NULL;
}

void
snap_abort(struct snap_writer *w)
{
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    if (!w->open)
        return;
    for (size_t i = 0; i < w->mem.nfresh && w->into == &w->file; i++) {
        snap_bit_clear(w->file.map->piece_ok, w->mem.fresh[i]);
        snap_bit_clear(w->file.map->page_ok, w->mem.fresh[i] / (SNAP_PAGE / SNAP_GRANULE));
    }
    snap_file_done(&w->next);
    txn_close(w);
}

const struct snap_view *
snap_pending(struct snap_writer *w)
{
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    must(w->open);
    return &w->work;
}

void
snap_seal_pieces(struct snap_writer *w)
{
    for (size_t i = 0; i < w->mem.nfresh; i++) {
        uint8_t *at = w->into->map->base + (uint64_t)w->mem.fresh[i] * SNAP_GRANULE;
        struct snap_piece *p = (struct snap_piece *)at;
        p->sum = snap_piece_sum(p, w->mem.fresh[i]);
    }
}

static int
seal(struct snap_writer *w, uint64_t revision, int64_t created_ms, struct snap_slot *ret, acd_err *err)
{
    int rc = w->failed ? err_set(err, w->failed, "the transaction has failed") : snap_trust_sweep(w, err);
    if (rc < 0)
        return rc;
    snap_seal_pieces(w);
    *ret = (struct snap_slot){
        .seq = w->into == &w->file ? w->view->seq + 1 : 1,
        .revision = revision,
        .created_ms = created_ms,
        .used = w->mem.tail,
        .live = w->mem.live,
        .roots = w->work.roots,
    };
    return 0;
}

int
snap_commit(struct snap_writer *w, uint64_t revision, int64_t created_ms, struct snap_view **ret_view,
            acd_err *err)
{
    struct snap_slot slot;
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    must(w->open);
    int rc = seal(w, revision, created_ms, &slot, err);
    struct snap_view *v = rc == 0 ? snap_view_new(w->into->map, &slot) : NULL;
    if (rc == 0 && !v)
        rc = err_set(err, ACD_ENOMEM, "out of memory");
    bool replace = w->into == &w->next;
    if (rc == 0)
        rc = snap_file_commit(w->into, &slot, w->opts.sync, replace && w->file.map ? &w->file : NULL, err);
    if (rc < 0) {
        snap_view_unref(v);
        snap_abort(w);
        return rc;
    }
    if (replace) {
        snap_file_done(&w->file);
        w->file = w->next;
        w->next = (struct snap_file){0};
        w->epoch = ((const struct snap_header *)w->file.map->base)->epoch;
        w->opts.fresh = false;
    }
    w->hole = w->mem.hole;
    w->hole_end = w->mem.hole_end;
    snap_view_unref(w->view);
    w->view = v;
    txn_close(w);
    *ret_view = snap_view_ref(v);
    return 0;
}
