#include "snap/image.h"

#include <stdlib.h>
#include <string.h>

#include "snap/hash.h"

uint64_t
snap_piece_sum(const struct snap_piece *p, uint32_t ref)
{
    return XXH3_64bits_withSeed(&p->len, sizeof(*p) - sizeof(p->sum) + p->len, ref);
}

bool
snap_piece_verify(const struct snap_space *s, uint32_t ref, uint32_t kind)
{
    uint64_t off = (uint64_t)ref * SNAP_GRANULE;
    if (ref == 0 || off + sizeof(struct snap_piece) > s->end)
        return false;
    const struct snap_piece *p = (const struct snap_piece *)(s->base + off);
    uint32_t len = p->len;
    if (p->kind != kind || len > s->end - off - sizeof(*p))
        return false;
    if (kind == SNAP_K_NODE && len != sizeof(struct snap_node) - sizeof(*p))
        return false;
    if (snap_bit(s->map->piece_ok, ref))
        return true;
    if (snap_piece_sum(p, ref) != p->sum)
        return false;
    snap_bit_set(s->map->piece_ok, ref);
    return true;
}

bool
snap_page_verify(const struct snap_space *s, uint32_t ref)
{
    uint64_t off = (uint64_t)SNAP_PAGE_REF(ref) * SNAP_GRANULE;
    const struct snap_bucket *b = (const struct snap_bucket *)(s->base + off);
    if (b->head.kind != SNAP_K_BUCKET || b->head.len != SNAP_PAGE - sizeof(b->head) ||
        b->skew != (ref & SNAP_SKEW_MASK) || snap_piece_sum(&b->head, SNAP_PAGE_REF(ref)) != b->head.sum)
        return false;
    snap_bit_set(s->map->page_ok, off / SNAP_PAGE);
    return true;
}

const void *
snap_record_at(const struct snap_space *s, uint32_t ref, uint32_t kind, size_t min, uint32_t *ret_len)
{
    if (!snap_piece_verify(s, ref, kind))
        return NULL;
    const struct snap_piece *p = (const struct snap_piece *)(s->base + (uint64_t)ref * SNAP_GRANULE);
    uint32_t len = p->len;
    if (len < min)
        return NULL;
    *ret_len = len;
    return snap_piece_data(p);
}
