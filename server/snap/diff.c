#include "snap/diff.h"

#include "base/str.h"
#include "snap/arr.h"

struct diff {
    const struct snap_view *a, *b;
    bool same_file; /* a bucket with the same reference holds the same answers */
    snap_change_fn fn;
    void *ctx;
};

/*
 * Whether a trust set that stayed in use may have got another digest. A number whose record differs was
 * either renewed, which keeps the set's entries, or taken again for another set, and then every host that had
 * it is in a bucket that changed.
 */
static bool
record_renewed(const struct diff *d, uint32_t a, uint32_t b)
{
    uint32_t len_a, len_b;
    const struct snap_trust_rec *ta = snap_record_at(&d->a->space, a, SNAP_K_TRUST, sizeof(*ta), &len_a);
    const struct snap_trust_rec *tb = snap_record_at(&d->b->space, b, SNAP_K_TRUST, sizeof(*tb), &len_b);
    if (!ta || !tb)
        return true;
    size_t bytes = ta->n * sizeof(ta->entry[0]); /* without the epoch, which is no answer */
    return memcmp(ta->digest, tb->digest, sizeof(ta->digest)) != 0 && ta->n == tb->n &&
           bytes <= len_a - sizeof(*ta) && bytes <= len_b - sizeof(*tb) &&
           memcmp(ta->entry, tb->entry, bytes) == 0;
}

/* Nodes that both share are not entered. */
static bool
nodes_renewed(const struct diff *d, uint32_t a, uint32_t b, uint32_t levels)
{
    const struct snap_node *na = snap_node_at(&d->a->space, a), *nb = snap_node_at(&d->b->space, b);
    if (!na || !nb)
        return true;
    for (uint32_t i = 0; i < SNAP_FANOUT; i++) {
        uint32_t x = na->at[i], y = nb->at[i];
        if (x == y || x == 0 || y == 0 || (levels == 1 && ((x | y) & SNAP_FREE)))
            continue;
        if (levels == 1 ? record_renewed(d, x, y) : nodes_renewed(d, x, y, levels - 1))
            return true;
    }
    return false;
}

static bool
trusts_renewed(const struct diff *d)
{
    const struct snap_arr *a = &d->a->roots.trust, *b = &d->b->roots.trust;
    if (a->levels == 0 || b->levels == 0)
        return false;
    return a->levels != b->levels || (a->ref != b->ref && nodes_renewed(d, a->ref, b->ref, a->levels));
}

/* 1: the same; 0: not; or an error. */
static int
hit_same(const struct diff *d, const struct snap_hit *a, const struct snap_hit *b)
{
    struct snap_trust ta, tb;
    struct snap_zone za, zb;
    if (snap_trust_get(d->a, a->trust, &ta) < 0 || snap_trust_get(d->b, b->trust, &tb) < 0 ||
        snap_zone_get(d->a, a->zone, &za) < 0 || snap_zone_get(d->b, b->zone, &zb) < 0)
        return ACD_ECORRUPT;
    return memcmp(ta.digest, tb.digest, 32) == 0 && slice_eq(za.id, zb.id);
}

static bool
bucket_shared(const struct diff *d, const struct snap_view *other, const struct snap_tab *t, uint32_t i,
              uint32_t ref)
{
    const struct snap_tab *o = &other->roots.hosts;
    uint32_t there;
    if (!d->same_file || o->dir.n == 0 || o->depth > SNAP_DEPTH_MAX)
        return false;
    uint64_t hash = t->depth ? (uint64_t)i << (64 - t->depth) : 0;
    return snap_arr_find(&other->space, &o->dir, snap_dir_index(hash, o->depth), &there) && there == ref;
}

static int
host_report(const struct diff *d, const struct snap_host *h, bool from_a)
{
    struct snap_change c = {.host = h->name};
    struct snap_hit mine = {*(const char *)h->name.ptr == '*' ? SNAP_WILDCARD : SNAP_EXACT, h->zone,
                            h->trust},
                    other;
    int rc = snap_host_find(from_a ? d->b : d->a, h->name.ptr, h->name.len, &other);
    if (rc < 0 || (rc == 1 && !from_a))
        return rc < 0 ? rc : 0; /* in both: reported from the first view's side */
    c.had = from_a || rc == 1;
    c.has = !from_a || rc == 1;
    c.before = from_a ? mine : other;
    c.after = from_a ? other : mine;
    if (rc == 1) {
        rc = hit_same(d, &mine, &other);
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    return d->fn(d->ctx, &c);
}

static int
side_walk(const struct diff *d, bool from_a)
{
    const struct snap_view *v = from_a ? d->a : d->b;
    const struct snap_tab *t = &v->roots.hosts;
    struct snap_cursor at = {0};
    struct snap_host h;
    int rc;
    if (t->depth > SNAP_DEPTH_MAX)
        return ACD_ECORRUPT;
    for (;;) {
        uint32_t ref;
        /* At the start of a bucket: skip all directory entries of buckets that both views share. */
        while (at.offset == 0 && at.bucket < t->dir.n) {
            if (!snap_arr_find(&v->space, &t->dir, at.bucket, &ref))
                return ACD_ECORRUPT;
            if (!bucket_shared(d, from_a ? d->b : d->a, t, at.bucket, ref))
                break;
            at.bucket++;
        }
        rc = snap_host_next(v, &at, &h);
        if (rc != 1)
            return rc;
        rc = host_report(d, &h, from_a);
        if (rc != 0)
            return rc;
    }
}

int
snap_diff(const struct snap_view *before, const struct snap_view *after, snap_change_fn fn, void *ctx)
{
    struct diff d = {before, after, false, fn, ctx};
    const struct snap_header *ha = (const struct snap_header *)before->space.base;
    const struct snap_header *hb = (const struct snap_header *)after->space.base;
    d.same_file = ha->file_id == hb->file_id && !trusts_renewed(&d);
    int rc = side_walk(&d, true);
    return rc != 0 ? rc : side_walk(&d, false);
}
