/*
 * Compaction: the live pieces are copied, page by page and record by record, into a new file that the commit
 * renames over the old one. Numbers, the hash secret and therefore the buckets' contents stay what they are;
 * only references change, and those are in directory and array nodes alone.
 */
#include <string.h>

#include "base/err.h"
#include "snap/arr.h"
#include "snap/txn.h"

/* What the numbers in an array's leaves are. */
enum leaf { LEAF_COUNT, LEAF_BUCKET, LEAF_RECORD };

struct copy {
    struct snap_writer *w;
    struct snap_space from;
    uint32_t last_from, last_to; /* one bucket fills a run of directory entries */
    enum leaf leaf;
    acd_err *err;
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

static int
arr_copy(struct copy *c, struct snap_arr *a, enum leaf leaf)
{
    c->leaf = leaf;
    c->last_from = 0;
    return a->levels == 0 ? 0 : node_copy(c, &a->ref, a->levels);
}

static int
roots_copy(struct copy *c, struct snap_roots *r)
{
    struct snap_tab *tabs[] = {&r->hosts, &r->zones, &r->cas, &r->trusts, &r->blobs};
    struct snap_arr *records[] = {&r->zone, &r->ca, &r->trust, &r->blob};
    struct snap_arr *counts[] = {&r->zone_uses, &r->ca_uses, &r->trust_uses};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(tabs) / sizeof(tabs[0]); i++)
        rc = arr_copy(c, &tabs[i]->dir, LEAF_BUCKET);
    for (size_t i = 0; rc == 0 && i < sizeof(records) / sizeof(records[0]); i++)
        rc = arr_copy(c, records[i], LEAF_RECORD);
    for (size_t i = 0; rc == 0 && i < sizeof(counts) / sizeof(counts[0]); i++)
        rc = arr_copy(c, counts[i], LEAF_COUNT);
    return rc;
}

int
snap_compact(struct snap_writer *w, acd_err *err)
{
    struct copy c = {.w = w, .from = w->work.space, .err = err};
    const uint8_t *secret = w->work.secret;
    must(w->into == &w->file && !w->next.map);
    /* The pieces of this transaction have no checksum yet and need none: their bits say that they are good.
     * The bits go as in an abort, because the old file stays as it was. */
    int rc = snap_file_create(w->path, w->opts.max_bytes, w->epoch, &w->next, err);
    if (rc < 0)
        return rc;
    struct snap_header *h = (struct snap_header *)w->next.map->base;
    memcpy(h->secret, secret, sizeof(h->secret));
    h->sum = snap_header_sum(h);
    rc = snap_file_reserve(&w->next, w->mem.live, err);
    if (rc < 0)
        return rc;
    snap_txn_aim(w);
    return roots_copy(&c, &w->work.roots);
}
