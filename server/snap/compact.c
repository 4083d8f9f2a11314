/*
 * Compaction: the live pieces of a view are copied, page by page and record by record, into a new file. That
 * may take long and goes on beside the writer, which only appends to the old file. At the end what was
 * committed meanwhile follows: both trees are walked beside each other, and where they share a piece its copy
 * is there already. Then the new file is renamed over the old one.
 *
 * Numbers, the hash secret and therefore the buckets' contents stay what they are; only references change,
 * and those are in directory and array nodes alone.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "snap/arr.h"
#include "snap/txn.h"

/* What the numbers in an array's leaves are. */
enum leaf { LEAF_COUNT, LEAF_BUCKET, LEAF_RECORD };

struct copy {
    struct snap_writer *w;
    struct snap_space from;
    uint32_t last_from, last_to, last_freed; /* one bucket fills a run of directory entries */
    enum leaf leaf;
    acd_err *err;
};

struct snap_compaction {
    struct snap_writer into; /* its new file is what counts */
    struct snap_view *from;
};

static int
piece_copy(struct copy *c, uint32_t ref, uint32_t *ret)
{
    uint32_t skew = c->leaf == LEAF_BUCKET ? ref & SNAP_SKEW_MASK : 0;
    uint64_t at = (uint64_t)(ref - skew) * SNAP_GRANULE;
    if (c->leaf == LEAF_BUCKET ? !snap_bucket_at(&c->from, ref)
                               : at + sizeof(struct snap_piece) > c->from.end)
        return snap_fail(c->w, ACD_ECORRUPT, c->err);
    const struct snap_piece *old = (const struct snap_piece *)(c->from.base + at);
    if (c->leaf == LEAF_RECORD && !snap_piece_verify(&c->from, ref, old->kind))
        return snap_fail(c->w, ACD_ECORRUPT, c->err);
    struct snap_piece *p = snap_alloc_piece(c->w, old->kind, old->len, ret, c->err);
    if (!p)
        return c->w->failed;
    memcpy(snap_piece_data(p), snap_piece_data(old), old->len);
    *ret |= skew;
    return 0;
}

static int
value_copy(struct copy *c, uint32_t value, uint32_t *ret)
{
    *ret = value;
    if (c->leaf == LEAF_COUNT || value == 0 || (value & SNAP_FREE))
        return 0;
    if (c->last_from != value) {
        int rc = piece_copy(c, value, &c->last_to);
        if (rc < 0)
            return rc;
        c->last_from = value;
    }
    *ret = c->last_to;
    return 0;
}

static int
node_copy(struct copy *c, uint32_t *ref, uint32_t levels)
{
    const struct snap_node *old = snap_node_at(&c->from, *ref);
    if (!old)
        return snap_fail(c->w, ACD_ECORRUPT, c->err);
    struct snap_node *node =
        snap_alloc_piece(c->w, SNAP_K_NODE, sizeof(*node) - sizeof(node->head), ref, c->err);
    if (!node)
        return c->w->failed;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < SNAP_FANOUT; i++) {
        node->at[i] = old->at[i];
        if (levels == 1)
            rc = value_copy(c, old->at[i], &node->at[i]);
        else if (old->at[i])
            rc = node_copy(c, &node->at[i], levels - 1);
    }
    return rc;
}

/* --- following what was changed meanwhile ----------------------------------------------------------------
 */

/* A piece as it was (base), its copy (done), and what is there now. */
struct trio {
    uint32_t base, done, now;
};

/* The copy of a piece that is no longer used. */
static void
copy_drop(struct copy *c, const struct trio *t)
{
    if (c->leaf == LEAF_COUNT || t->base == 0 || (t->base & SNAP_FREE) || t->base == c->last_freed)
        return;
    c->last_freed = t->base;
    snap_free_piece(c->w, c->leaf == LEAF_BUCKET ? SNAP_PAGE_REF(t->done) : t->done);
}

static int
value_follow(struct copy *c, const struct trio *t, uint32_t *ret)
{
    *ret = t->done;
    if (t->base == t->now)
        return 0;
    copy_drop(c, t);
    return value_copy(c, t->now, ret);
}

static int
node_follow(struct copy *c, const struct trio *t, uint32_t levels, uint32_t *ret)
{
    *ret = t->done;
    if (t->base == t->now)
        return 0;
    const struct snap_node *base = snap_node_at(&c->from, t->base), *now = snap_node_at(&c->from, t->now),
                           *done = snap_node_at(&c->w->work.space, t->done);
    struct snap_node *node =
        base && now && done
            ? snap_alloc_piece(c->w, SNAP_K_NODE, sizeof(*node) - sizeof(node->head), ret, c->err)
            : NULL;
    if (!node)
        return c->w->failed ? c->w->failed : snap_fail(c->w, ACD_ECORRUPT, c->err);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < SNAP_FANOUT; i++) {
        const struct trio below = {base->at[i], done->at[i], now->at[i]};
        node->at[i] = now->at[i];
        if (levels == 1)
            rc = value_follow(c, &below, &node->at[i]);
        else if (below.base && below.now)
            rc = node_follow(c, &below, levels - 1, &node->at[i]);
        else if (below.now)
            rc = node_copy(c, &node->at[i], levels - 1);
    }
    snap_free_piece(c->w, t->done);
    return rc;
}

/* --- all arrays ------------------------------------------------------------------------------------------
 */

struct part {
    struct snap_arr *arr;
    enum leaf leaf;
};
enum { PARTS = 12 };

static void
parts_of(struct snap_roots *r, struct part ret[PARTS])
{
    const struct part parts[PARTS] = {
        {&r->hosts.dir, LEAF_BUCKET},  {&r->zones.dir, LEAF_BUCKET}, {&r->cas.dir, LEAF_BUCKET},
        {&r->trusts.dir, LEAF_BUCKET}, {&r->blobs.dir, LEAF_BUCKET}, {&r->zone, LEAF_RECORD},
        {&r->ca, LEAF_RECORD},         {&r->trust, LEAF_RECORD},     {&r->blob, LEAF_RECORD},
        {&r->zone_uses, LEAF_COUNT},   {&r->ca_uses, LEAF_COUNT},    {&r->trust_uses, LEAF_COUNT},
    };
    memcpy(ret, parts, sizeof(parts));
}

static int
roots_copy(struct copy *c, struct snap_roots *r)
{
    struct part parts[PARTS];
    int rc = 0;
    parts_of(r, parts);
    for (size_t i = 0; rc == 0 && i < PARTS; i++) {
        c->leaf = parts[i].leaf;
        c->last_from = 0;
        rc = parts[i].arr->levels ? node_copy(c, &parts[i].arr->ref, parts[i].arr->levels) : 0;
    }
    return rc;
}

/* Has no tree grown a level, and no directory doubled? That is rare, and then the copy is of no use. */
static bool
same_shape(struct snap_roots *a, struct snap_roots *b)
{
    struct part x[PARTS], y[PARTS];
    parts_of(a, x);
    parts_of(b, y);
    for (size_t i = 0; i < PARTS; i++)
        if (x[i].arr->levels != y[i].arr->levels)
            return false;
    return a->hosts.depth == b->hosts.depth && a->zones.depth == b->zones.depth &&
           a->cas.depth == b->cas.depth && a->trusts.depth == b->trusts.depth &&
           a->blobs.depth == b->blobs.depth;
}

/* Makes *now, of the old file, lead to the new one. */
static int
roots_follow(struct copy *c, struct snap_roots *base, struct snap_roots *done, struct snap_roots *now)
{
    struct part b[PARTS], d[PARTS], n[PARTS];
    int rc = 0;
    parts_of(base, b);
    parts_of(done, d);
    parts_of(now, n);
    for (size_t i = 0; rc == 0 && i < PARTS; i++) {
        const struct trio t = {b[i].arr->ref, d[i].arr->ref, n[i].arr->ref};
        c->leaf = n[i].leaf;
        c->last_from = c->last_freed = 0;
        rc = n[i].arr->levels ? node_follow(c, &t, n[i].arr->levels, &n[i].arr->ref) : 0;
    }
    return rc;
}

/* --- the steps -------------------------------------------------------------------------------------------
 */

bool
snap_compact_due(const struct snap_writer *w)
{
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    if (!w->view)
        return false;
    uint64_t garbage = w->view->used - w->view->live;
    return garbage > w->opts.garbage_min && garbage > w->view->live;
}

int
snap_compact_begin(struct snap_writer *w, struct snap_compaction **ret, acd_err *err)
{
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    must(w->view != NULL);
    struct snap_compaction *c = calloc(1, sizeof(*c));
    if (!c)
        return err_set(err, ACD_ENOMEM, "out of memory");
    struct snap_writer *into = &c->into;
    int rc = snap_file_create(w->path, SNAP_COMPACTED, w->opts.max_bytes, w->epoch, &into->next, err);
    if (rc < 0) {
        free(c);
        return rc;
    }
    struct snap_header *h = (struct snap_header *)into->next.map->base;
    memcpy(h->secret, w->view->secret, sizeof(h->secret));
    h->sum = snap_header_sum(h);
    into->opts.sync = w->opts.sync;
    into->work.roots = w->view->roots;
    snap_txn_aim(into);
    c->from = snap_view_ref(w->view);
    *ret = c;
    return 0;
}

int
snap_compact_copy(struct snap_compaction *c, acd_err *err)
{
    struct copy copy = {.w = &c->into, .from = c->from->space, .err = err};
    int rc = snap_file_reserve(&c->into.next, c->from->live, err);
    if (rc == 0)
        rc = roots_copy(&copy, &c->into.work.roots);
    if (rc < 0)
        return rc;
    snap_seal_pieces(&c->into);
    c->into.mem.nfresh = 0;
    return c->into.opts.sync ? snap_file_sync(&c->into.next, err) : 0;
}

void
snap_compact_drop(struct snap_compaction *c)
{
    if (!c)
        return;
    snap_file_done(&c->into.next);
    free(c->into.mem.fresh);
    snap_view_unref(c->from);
    free(c);
}

int
snap_compact_end(struct snap_writer *w, struct snap_compaction *c, struct snap_view **ret_view, acd_err *err)
{
    CHECK_MAGIC(w, SNAP_WRITER_MAGIC);
    must(!w->open);
    if (!w->view || w->view->space.map != c->from->space.map ||
        !same_shape(&c->from->roots, &w->view->roots)) {
        snap_compact_drop(c);
        return ACD_ECONFLICT;
    }
    struct snap_roots done = c->into.work.roots;
    uint32_t *fresh = w->mem.fresh;
    w->next = c->into.next;
    w->mem = c->into.mem;
    c->into.next = (struct snap_file){0};
    c->into.mem.fresh = fresh;
    w->work.roots = w->view->roots;
    snap_txn_take_up(w);
    struct copy copy = {.w = w, .from = w->view->space, .err = err};
    int rc = roots_follow(&copy, &c->from->roots, &done, &w->work.roots);
    snap_compact_drop(c);
    if (rc < 0) {
        snap_abort(w);
        return rc;
    }
    return snap_commit(w, w->view->revision, w->view->created_ms, ret_view, err);
}

int
snap_compact(struct snap_writer *w, struct snap_view **ret_view, acd_err *err)
{
    struct snap_compaction *c;
    int rc = snap_compact_begin(w, &c, err);
    if (rc < 0)
        return rc;
    rc = snap_compact_copy(c, err);
    if (rc < 0) {
        snap_compact_drop(c);
        return rc;
    }
    return snap_compact_end(w, c, ret_view, err);
}
