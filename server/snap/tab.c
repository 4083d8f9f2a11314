/*
 * Changing tables. A bucket that is full is split by one more bit of the hash; two half-empty halves are
 * merged again. Only the bucket and the directory nodes that lead to it are copied.
 */
#include <string.h>

#include "base/err.h"
#include "snap/arr.h"
#include "snap/txn.h"

/* Two halves are merged when their entries fill at most this much of one page, far below what splits it. */
enum { MERGE_BYTES = (SNAP_PAGE - SNAP_ENTRIES_AT - SNAP_SLOT_BYTES) / 2 };

/* Where an entry of that size goes: behind the last one, or behind the slots. */
static uint32_t
entry_place(const struct snap_bucket *b, uint32_t size)
{
    uint32_t slots = SNAP_SLOTS_AT(b->skew);
    return b->end < slots + SNAP_SLOT_BYTES && b->end + size > slots ? slots + SNAP_SLOT_BYTES : b->end;
}

static bool
bucket_has_room(const struct snap_bucket *b, size_t len)
{
    uint32_t size = snap_entry_size(len);
    return b->count < SNAP_BUCKET_FILL && entry_place(b, size) + size <= SNAP_PAGE;
}

static uint32_t
bucket_bytes(const struct snap_bucket *b)
{
    uint32_t used = b->end - SNAP_ENTRIES_AT;
    return b->end > SNAP_SLOTS_AT(b->skew) ? used - SNAP_SLOT_BYTES : used;
}

static void
bucket_add(struct snap_bucket *b, uint64_t hash, const void *key, size_t len, uint32_t va, uint32_t vb)
{
    uint32_t size = snap_entry_size(len), at = entry_place(b, size);
    must(at + size <= SNAP_PAGE && b->count < SNAP_BUCKET_FILL);
    struct snap_entry *e = (struct snap_entry *)((char *)b + at);
    e->a = va;
    e->b = vb;
    e->len = (uint8_t)len;
    memcpy(e->key, key, len);
    uint16_t *slots = (uint16_t *)snap_bucket_slots(b, b->skew);
    uint32_t i = hash & (SNAP_SLOTS - 1);
    while (slots[i] != 0)
        i = (i + 1) & (SNAP_SLOTS - 1);
    slots[i] = (uint16_t)(SNAP_TAG(hash) | at / 4);
    b->count++;
    b->end = (uint16_t)(at + size);
}

static void
bucket_clear(struct snap_bucket *b, uint32_t depth, uint32_t skew)
{
    memset((char *)b + sizeof(b->head), 0, SNAP_PAGE - sizeof(b->head));
    b->end = SNAP_ENTRIES_AT;
    b->depth = depth;
    b->skew = skew;
}

/* A new empty bucket; *ret_ref carries its skew. */
static struct snap_bucket *
bucket_new(struct snap_writer *w, uint32_t depth, uint32_t *ret_ref, acd_err *err)
{
    struct snap_bucket *b = snap_alloc_piece(w, SNAP_K_BUCKET, SNAP_PAGE - sizeof(b->head), ret_ref, err);
    if (!b)
        return NULL;
    bucket_clear(b, depth, *ret_ref / (SNAP_PAGE / SNAP_GRANULE) % SNAP_SKEWS);
    *ret_ref |= b->skew;
    return b;
}

struct walk {
    uint32_t off, n;
};

/* The next entry of a bucket; *at starts zeroed. Never more than a bucket can take. */
static const struct snap_entry *
bucket_next(const struct snap_bucket *b, struct walk *at)
{
    const struct snap_entry *e = at->n < SNAP_BUCKET_FILL ? snap_entry_at(b, b->skew, &at->off) : NULL;
    if (e) {
        at->off += snap_entry_size(e->len);
        at->n++;
    }
    return e;
}

/* Where a key lives: directory index and bucket. */
struct spot {
    uint64_t hash;
    uint32_t index, ref;
    const struct snap_bucket *bucket;
};

static int
spot_find(struct snap_writer *w, const struct snap_tab *t, uint64_t hash, struct spot *ret, acd_err *err)
{
    ret->hash = hash;
    ret->index = snap_dir_index(hash, t->depth);
    if (t->depth > SNAP_DEPTH_MAX || !snap_arr_find(&w->work.space, &t->dir, ret->index, &ret->ref))
        return snap_fail(w, ACD_ECORRUPT, err);
    ret->bucket = snap_bucket_at(&w->work.space, ret->ref);
    if (!ret->bucket || ret->bucket->depth > t->depth || ret->bucket->end > SNAP_PAGE ||
        ret->bucket->end < SNAP_ENTRIES_AT || ret->bucket->skew != (ret->ref & SNAP_SKEW_MASK) ||
        ret->bucket->count > SNAP_BUCKET_FILL)
        return snap_fail(w, ACD_ECORRUPT, err);
    return 0;
}

/* Aims the directory entries [first, first + n) at ref. */
static int
dir_aim(struct snap_writer *w, struct snap_tab *t, uint32_t first, uint32_t n, uint32_t ref, acd_err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rc = snap_arr_set(w, &t->dir, first + i, ref, err);
    return rc;
}

/* The directory entries that lead to the spot's bucket. */
static void
spot_range(const struct snap_tab *t, const struct spot *s, uint32_t *ret_first, uint32_t *ret_n)
{
    *ret_n = 1u << (t->depth - s->bucket->depth);
    *ret_first = s->index & ~(*ret_n - 1);
}

/* The spot's bucket, changeable. */
static struct snap_bucket *
spot_own(struct snap_writer *w, struct snap_tab *t, struct spot *s, acd_err *err)
{
    if (snap_is_fresh(w, s->ref))
        return (struct snap_bucket *)s->bucket;
    uint32_t ref, first, n;
    struct snap_bucket *b = bucket_new(w, 0, &ref, err);
    if (!b)
        return NULL;
    memcpy((char *)b + sizeof(b->head), (const char *)s->bucket + sizeof(b->head),
           SNAP_PAGE - sizeof(b->head));
    ref = SNAP_PAGE_REF(ref) | b->skew;
    spot_range(t, s, &first, &n);
    if (dir_aim(w, t, first, n, ref, err) < 0)
        return NULL;
    snap_free_piece(w, SNAP_PAGE_REF(s->ref));
    s->ref = ref;
    s->bucket = b;
    return b;
}

static int
dir_free(struct snap_writer *w, uint32_t ref, uint32_t levels, acd_err *err)
{
    const struct snap_node *node = snap_node_at(&w->work.space, ref);
    if (!node)
        return snap_fail(w, ACD_ECORRUPT, err);
    for (uint32_t i = 0; levels > 1 && i < SNAP_FANOUT; i++) {
        int rc = node->at[i] ? dir_free(w, node->at[i], levels - 1, err) : 0;
        if (rc < 0)
            return rc;
    }
    snap_free_piece(w, ref);
    return 0;
}

/* Every entry twice, so that buckets can be told apart by one more bit. */
static int
dir_double(struct snap_writer *w, struct snap_tab *t, acd_err *err)
{
    struct snap_arr dir = {0};
    if (t->depth == SNAP_DEPTH_MAX)
        return snap_fail(w, err_set(err, ACD_ELIMIT, "image: too many entries with similar hashes"), err);
    for (uint32_t i = 0; i < t->dir.n; i++) {
        uint32_t ref;
        if (!snap_arr_find(&w->work.space, &t->dir, i, &ref))
            return snap_fail(w, ACD_ECORRUPT, err);
        for (uint32_t k = 0; k < 2; k++) {
            int rc = snap_arr_set(w, &dir, 2 * i + k, ref, err);
            if (rc < 0)
                return rc;
        }
    }
    int rc = dir_free(w, t->dir.ref, t->dir.levels, err);
    t->dir = dir;
    t->depth++;
    return rc;
}

static int
spot_split(struct snap_writer *w, struct snap_tab *t, struct spot *s, acd_err *err)
{
    int rc;
    if (s->bucket->depth == t->depth) {
        rc = dir_double(w, t, err);
        if (rc == 0)
            rc = spot_find(w, t, s->hash, s, err);
        if (rc < 0)
            return rc;
    }
    struct snap_bucket *low = spot_own(w, t, s, err);
    uint32_t ref, first, n, depth = s->bucket->depth + 1;
    struct walk at = {0};
    struct snap_bucket *high = low ? bucket_new(w, depth, &ref, err) : NULL;
    if (!high)
        return w->failed;
    spot_range(t, s, &first, &n);
    struct snap_bucket old;
    memcpy(&old, low, sizeof(old));
    bucket_clear(low, depth, old.skew);
    for (const struct snap_entry *e; (e = bucket_next(&old, &at));) {
        uint64_t hash = snap_hash(w->work.secret, e->key, e->len);
        bucket_add(hash >> (64 - depth) & 1 ? high : low, hash, e->key, e->len, e->a, e->b);
    }
    rc = dir_aim(w, t, first + n / 2, n / 2, ref, err);
    return rc < 0 ? rc : spot_find(w, t, s->hash, s, err);
}

static int
tab_start(struct snap_writer *w, struct snap_tab *t, acd_err *err)
{
    uint32_t ref;
    if (!bucket_new(w, 0, &ref, err))
        return w->failed;
    return snap_arr_set(w, &t->dir, 0, ref, err);
}

int
snap_tab_put(struct snap_writer *w, struct snap_tab *t, const void *key, size_t len, uint32_t va, uint32_t vb,
             acd_err *err)
{
    struct spot s;
    must(len > 0 && len <= UINT8_MAX);
    int rc = t->dir.n == 0 ? tab_start(w, t, err) : 0;
    if (rc == 0)
        rc = spot_find(w, t, snap_hash(w->work.secret, key, len), &s, err);
    if (rc < 0)
        return rc;
    const struct snap_entry *e = snap_bucket_find(s.bucket, s.ref, s.hash, key, len);
    if (e && e->a == va && e->b == vb)
        return 0;
    while (!e && !bucket_has_room(s.bucket, len)) {
        rc = spot_split(w, t, &s, err);
        if (rc < 0)
            return rc;
    }
    struct snap_bucket *b = spot_own(w, t, &s, err);
    if (!b)
        return w->failed;
    if (e) {
        struct snap_entry *mine = (struct snap_entry *)snap_bucket_find(b, s.ref, s.hash, key, len);
        must(mine != NULL);
        mine->a = va;
        mine->b = vb;
        return 0;
    }
    bucket_add(b, s.hash, key, len, va, vb);
    t->count++;
    return 0;
}

/* Merges the spot's bucket with the other half of the range it came from, when both fit well into one. */
static int
spot_merge(struct snap_writer *w, struct snap_tab *t, struct spot *s, acd_err *err)
{
    uint32_t first, n, ref;
    struct walk at = {0};
    if (s->bucket->depth == 0)
        return 0;
    spot_range(t, s, &first, &n);
    if (!snap_arr_find(&w->work.space, &t->dir, first ^ n, &ref))
        return snap_fail(w, ACD_ECORRUPT, err);
    const struct snap_bucket *other = snap_bucket_at(&w->work.space, ref);
    if (!other)
        return snap_fail(w, ACD_ECORRUPT, err);
    if (other->depth != s->bucket->depth || bucket_bytes(other) + bucket_bytes(s->bucket) > MERGE_BYTES)
        return 0;
    struct snap_bucket *b = spot_own(w, t, s, err);
    if (!b)
        return w->failed;
    for (const struct snap_entry *e; (e = bucket_next(other, &at));)
        bucket_add(b, snap_hash(w->work.secret, e->key, e->len), e->key, e->len, e->a, e->b);
    b->depth--;
    snap_free_piece(w, SNAP_PAGE_REF(ref));
    return dir_aim(w, t, first ^ n, n, s->ref, err);
}

int
snap_tab_del(struct snap_writer *w, struct snap_tab *t, const void *key, size_t len, acd_err *err)
{
    struct spot s;
    struct snap_bucket old;
    struct walk at = {0};
    int rc = t->dir.n == 0 ? ACD_ENOENT : spot_find(w, t, snap_hash(w->work.secret, key, len), &s, err);
    if (rc < 0)
        return rc;
    if (!snap_bucket_find(s.bucket, s.ref, s.hash, key, len))
        return ACD_ENOENT;
    struct snap_bucket *b = spot_own(w, t, &s, err);
    if (!b)
        return w->failed;
    memcpy(&old, b, sizeof(old));
    bucket_clear(b, old.depth, old.skew);
    for (const struct snap_entry *e; (e = bucket_next(&old, &at));)
        if (e->len != len || memcmp(e->key, key, len) != 0)
            bucket_add(b, snap_hash(w->work.secret, e->key, e->len), e->key, e->len, e->a, e->b);
    t->count--;
    return spot_merge(w, t, &s, err);
}

int
snap_tab_get(struct snap_writer *w, const struct snap_tab *t, const void *key, size_t len, uint32_t *ret_a,
             uint32_t *ret_b, acd_err *err)
{
    const struct snap_entry *e;
    int rc = snap_tab_find(&w->work.space, t, w->work.secret, key, len, &e);
    if (rc < 0)
        return snap_fail(w, rc, err);
    if (rc == 1) {
        *ret_a = e->a;
        if (ret_b)
            *ret_b = e->b;
    }
    return rc;
}
