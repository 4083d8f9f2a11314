#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "snap/arr.h"
#include "snap/txn.h"

#define ALIGN_UP(n, to) (((n) + (to)-1) / (to) * (to))

int
snap_fail(struct snap_writer *w, int code, acd_err *err)
{
    w->failed = code;
    if (code == ACD_ECORRUPT)
        return err_set(err, code, "image is damaged");
    if (code == ACD_ENOMEM)
        return err_set(err, code, "out of memory");
    return code;
}

static int
fresh_add(struct snap_alloc *m, uint32_t ref)
{
    if (m->nfresh == m->fresh_cap) {
        size_t cap = m->fresh_cap ? m->fresh_cap * 2 : 64;
        uint32_t *p = realloc(m->fresh, cap * sizeof(*p));
        if (!p)
            return ACD_ENOMEM;
        m->fresh = p;
        m->fresh_cap = cap;
    }
    m->fresh[m->nfresh++] = ref;
    return 0;
}

static uint64_t
piece_size(uint32_t len)
{
    return ALIGN_UP(sizeof(struct snap_piece) + (uint64_t)len, SNAP_GRANULE);
}

static int
reserve(struct snap_writer *w, uint64_t upto, acd_err *err)
{
    int rc = snap_file_reserve(w->into, upto, err);
    if (rc < 0)
        w->failed = rc;
    else
        w->work.space.end = w->into->size;
    return rc;
}

/* In a hole that ends where the file does, and on into new pages: pieces of some pages lie without gaps. */
static uint64_t
place_on(struct snap_writer *w, uint64_t size, acd_err *err)
{
    struct snap_alloc *m = &w->mem;
    uint64_t at = m->hole, more = ALIGN_UP(size - (m->hole_end - m->hole), SNAP_PAGE);
    if (reserve(w, m->tail + more, err) < 0)
        return 0;
    m->tail += more;
    m->hole = at + size;
    m->hole_end = m->tail;
    return at;
}

/* Offset of size bytes, or 0. Buckets get a page of their own; the rest fills up pages one after the other.
 */
static uint64_t
place(struct snap_writer *w, uint64_t size, bool page, acd_err *err)
{
    struct snap_alloc *m = &w->mem;
    if (!page && m->hole_end - m->hole >= size) {
        m->hole += size;
        return m->hole - size;
    }
    if (!page && m->hole < m->hole_end && m->hole_end == m->tail)
        return place_on(w, size, err);
    uint64_t at = m->tail, whole = ALIGN_UP(size, SNAP_PAGE);
    if (reserve(w, at + whole, err) < 0)
        return 0;
    m->tail += whole;
    if (!page) { /* a hole at the end can go on, so it is worth more than a larger one elsewhere */
        m->hole = at + size;
        m->hole_end = at + whole;
    }
    return at;
}

void *
snap_alloc_piece(struct snap_writer *w, uint32_t kind, uint32_t len, uint32_t *ret_ref, acd_err *err)
{
    uint64_t size = piece_size(len), at = place(w, size, kind == SNAP_K_BUCKET, err);
    if (at == 0)
        return NULL;
    uint32_t ref = (uint32_t)(at / SNAP_GRANULE);
    if (fresh_add(&w->mem, ref) < 0) {
        (void)snap_fail(w, ACD_ENOMEM, err);
        return NULL;
    }
    struct snap_piece *p = (struct snap_piece *)(w->into->map->base + at);
    memset(p, 0, size);
    p->len = len;
    p->kind = kind;
    w->mem.live += size;
    snap_bit_set(w->into->map->piece_ok, ref);
    if (kind == SNAP_K_BUCKET)
        snap_bit_set(w->into->map->page_ok, at / SNAP_PAGE);
    *ret_ref = ref;
    return p;
}

void
snap_free_piece(struct snap_writer *w, uint32_t ref)
{
    const struct snap_piece *p =
        (const struct snap_piece *)(w->into->map->base + (uint64_t)ref * SNAP_GRANULE);
    w->mem.live -= piece_size(p->len);
}

bool
snap_is_fresh(const struct snap_writer *w, uint32_t ref)
{
    uint64_t at = (uint64_t)ref * SNAP_GRANULE;
    return at >= w->mem.tail0 || (at >= w->mem.hole0 && at < w->mem.hole0_end);
}

/* A node that may be changed, in place of *ref. 0: a new, empty one. */
static struct snap_node *
node_own(struct snap_writer *w, uint32_t *ref, acd_err *err)
{
    const struct snap_node *old = NULL;
    if (*ref) {
        old = snap_node_at(&w->work.space, *ref);
        if (!old) {
            (void)snap_fail(w, ACD_ECORRUPT, err);
            return NULL;
        }
        if (snap_is_fresh(w, *ref))
            return (struct snap_node *)old;
    }
    uint32_t copy;
    struct snap_node *node = snap_alloc_piece(w, SNAP_K_NODE, sizeof(*node) - sizeof(node->head), &copy, err);
    if (!node)
        return NULL;
    if (old) {
        memcpy(node->at, old->at, sizeof(node->at));
        snap_free_piece(w, *ref);
    }
    *ref = copy;
    return node;
}

static int
arr_grow(struct snap_writer *w, struct snap_arr *a, uint32_t i, acd_err *err)
{
    while ((uint64_t)i >> (SNAP_FANOUT_BITS * a->levels) || a->levels == 0) {
        if (a->levels == SNAP_LEVELS_MAX)
            return snap_fail(w, err_set(err, ACD_ELIMIT, "image: too many numbers"), err);
        uint32_t top = 0;
        if (a->levels > 0) {
            struct snap_node *node = node_own(w, &top, err);
            if (!node)
                return w->failed;
            node->at[0] = a->ref;
        }
        a->ref = top;
        a->levels++;
        if (a->levels == 1 && !node_own(w, &a->ref, err))
            return w->failed;
    }
    return 0;
}

int
snap_arr_set(struct snap_writer *w, struct snap_arr *a, uint32_t i, uint32_t value, acd_err *err)
{
    int rc = arr_grow(w, a, i, err);
    if (rc < 0)
        return rc;
    uint32_t *ref = &a->ref;
    struct snap_node *node = NULL;
    for (uint32_t l = a->levels; l-- > 0;
         ref = &node->at[(i >> (SNAP_FANOUT_BITS * l)) & (SNAP_FANOUT - 1)]) {
        node = node_own(w, ref, err);
        if (!node)
            return w->failed;
    }
    *ref = value;
    if (i >= a->n)
        a->n = i + 1;
    return 0;
}

int
snap_arr_take(struct snap_writer *w, struct snap_arr *a, uint32_t value, uint32_t *ret_i, acd_err *err)
{
    uint32_t i = a->n, next = 0;
    if (a->free) {
        i = a->free - 1;
        if (!snap_arr_find(&w->work.space, a, i, &next) || !(next & SNAP_FREE))
            return snap_fail(w, ACD_ECORRUPT, err);
    }
    int rc = snap_arr_set(w, a, i, value, err);
    if (rc < 0)
        return rc;
    if (next)
        a->free = next & ~SNAP_FREE;
    *ret_i = i;
    return 0;
}

int
snap_arr_release(struct snap_writer *w, struct snap_arr *a, uint32_t i, acd_err *err)
{
    int rc = snap_arr_set(w, a, i, SNAP_FREE | a->free, err);
    if (rc == 0)
        a->free = i + 1;
    return rc;
}

int
snap_arr_add(struct snap_writer *w, struct snap_arr *a, uint32_t i, int32_t delta, uint32_t *ret_value,
             acd_err *err)
{
    uint32_t n;
    if (!snap_arr_find(&w->work.space, a, i, &n) || (delta < 0 && n < (uint32_t)-delta))
        return snap_fail(w, ACD_ECORRUPT, err);
    *ret_value = n + (uint32_t)delta;
    return snap_arr_set(w, a, i, *ret_value, err);
}
