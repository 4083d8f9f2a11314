/* Raw protobuf bytes by hand, for what no encoder would write. */
#ifndef TESTS_WIRE_RAW_H
#define TESTS_WIRE_RAW_H

#include "base/buf.h"
#include "base/str.h"
#include "wire/tlv.h"

static inline void
raw_number(struct buf *b, unsigned number, uint64_t v)
{
    uint8_t tmp[2 * TLV_VARINT_MAX];
    uint8_t *end = tlv_put_varint(tlv_put_varint(tmp, (uint64_t)number << 3 | TLV_VARINT), v);
    buf_put(b, tmp, (size_t)(end - tmp));
}

static inline void
raw_bytes(struct buf *b, unsigned number, const void *p, size_t len)
{
    uint8_t tmp[2 * TLV_VARINT_MAX];
    uint8_t *end = tlv_put_varint(tlv_put_varint(tmp, (uint64_t)number << 3 | TLV_BYTES), len);
    buf_put(b, tmp, (size_t)(end - tmp));
    buf_put(b, p, len);
}

static inline void
raw_text(struct buf *b, unsigned number, const char *s)
{
    raw_bytes(b, number, s, strlen(s));
}

static inline acd_slice
raw_slice(const struct buf *b)
{
    return slice_of(b->data, b->len);
}

#endif
