/*
 * Writes a message from its last byte to its first, so that every length is known when it is written: fields
 * in the order of their numbers turned round, elements of a list from the last to the first. For handlers
 * whose answers are many and small, and for the codec: nothing is built before it is encoded, and strings and
 * bytes are copied once, from wherever they lie into the message.
 *
 *   struct pack p;
 *   if (!pack_begin(&p, region)) return ACD_ENOMEM;
 *   for (size_t i = n; i-- > 0;) {
 *       size_t mark = pack_mark(&p);
 *       if (!pack_text(&p, NAME, name[i]) || !pack_head(&p, ITEMS, mark)) return ACD_ENOMEM;
 *   }
 *   rpc_reply_packed(call, pack_done(&p));
 *
 * What has its default value takes no bytes in proto3: the caller leaves it out, but for elements of a list.
 * A string has to be UTF-8 without NUL. False: the region is full, or the message over LIMIT_MESSAGE.
 *
 * Threading: one thread at a time, as its region. Ownership: the bytes live in the region.
 */
#ifndef WIRE_PACK_H
#define WIRE_PACK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "wire/tlv.h"

struct pack {
    struct mem_region *region;
    uint8_t *begin, *at, *end; /* free is [begin, at), written [at, end) */
};

bool pack_begin(struct pack *p, struct mem_region *r) ACD_MUSTCHECK;
bool pack_grow(struct pack *p, size_t n) ACD_MUSTCHECK; /* for the functions below */

/* A message of codec.def as a field; its own strings are NUL-terminated as ever. */
bool pack_message(struct pack *p, uint32_t number, const void *msg) ACD_MUSTCHECK;

static inline acd_slice
pack_done(const struct pack *p)
{
    return slice_of(p->at, (size_t)(p->end - p->at));
}

/* How much is written: pack_head takes it for where a message within this one ends. */
static inline size_t
pack_mark(const struct pack *p)
{
    return (size_t)(p->end - p->at);
}

static inline bool
pack_reserve(struct pack *p, size_t n)
{
    return (size_t)(p->at - p->begin) >= n || pack_grow(p, n);
}

/* Names, digests, ids: few bytes, for which calling memcpy costs more than copying. From both ends, in pieces
 * that overlap in the middle. */
static inline void
pack_copy(uint8_t *out, const uint8_t *in, size_t len)
{
    if (len < 8 || len > 64) {
        memcpy(out, in, len);
    } else if (len < 16) {
        memcpy(out, in, 8);
        memcpy(out + len - 8, in + len - 8, 8);
    } else {
        memcpy(out, in, 16);
        if (len > 32) {
            memcpy(out + 16, in + 16, 16);
            memcpy(out + len - 32, in + len - 32, 16);
        }
        memcpy(out + len - 16, in + len - 16, 16);
    }
}

static inline void
pack_varint(struct pack *p, uint64_t v)
{
    if (v < 0x80) {
        *--p->at = (uint8_t)v;
        return;
    }
    p->at -= tlv_varint_size(v);
    (void)tlv_put_varint(p->at, v);
}

static inline bool ACD_MUSTCHECK
pack_number(struct pack *p, uint32_t number, uint64_t v)
{
    if (!pack_reserve(p, 2 * TLV_VARINT_MAX))
        return false;
    pack_varint(p, v);
    pack_varint(p, number << 3 | TLV_VARINT);
    return true;
}

/* Tag and length of what was written since the mark. */
static inline bool ACD_MUSTCHECK
pack_head(struct pack *p, uint32_t number, size_t mark)
{
    if (!pack_reserve(p, 2 * TLV_VARINT_MAX))
        return false;
    pack_varint(p, pack_mark(p) - mark);
    pack_varint(p, number << 3 | TLV_BYTES);
    return true;
}

static inline bool ACD_MUSTCHECK
pack_bytes(struct pack *p, uint32_t number, acd_slice s)
{
    if (!pack_reserve(p, s.len + 2 * TLV_VARINT_MAX))
        return false;
    p->at -= s.len;
    if (s.len)
        pack_copy(p->at, s.ptr, s.len);
    pack_varint(p, s.len);
    pack_varint(p, number << 3 | TLV_BYTES);
    return true;
}

static inline bool ACD_MUSTCHECK
pack_text(struct pack *p, uint32_t number, const char *s)
{
    return pack_bytes(p, number, slice_of(s ? s : "", s ? strlen(s) : 0));
}

#endif
