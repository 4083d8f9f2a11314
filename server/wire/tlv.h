/*
 * The encoding under protobuf messages: tags, varints, lengths (protobuf "Encoding"). Private to wire/.
 * Pure, any thread; slices point into the input. Groups (wire types 3 and 4) are not part of proto3 and
 * refused.
 */
#ifndef WIRE_TLV_H
#define WIRE_TLV_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <anchord/types.h>

enum { TLV_VARINT = 0, TLV_FIXED64 = 1, TLV_BYTES = 2, TLV_FIXED32 = 5 };
enum { TLV_VARINT_MAX = 10, TLV_NUMBER_MAX = 536870911 };

struct tlv_reader {
    const uint8_t *at, *end;
};

struct tlv_field {
    uint32_t number, type;
    uint64_t varint; /* TLV_VARINT */
    acd_slice bytes; /* TLV_BYTES: contents; otherwise the value as encoded */
};

static inline bool
tlv_varint(struct tlv_reader *r, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < TLV_VARINT_MAX && r->at < r->end; i++) {
        uint8_t c = *r->at++;
        v |= (uint64_t)(c & 0x7f) << (7 * i);
        if (!(c & 0x80)) {
            *ret = v;
            return true;
        }
    }
    return false;
}

static inline bool
tlv_take(struct tlv_reader *r, uint64_t len, acd_slice *ret)
{
    if (len > (uint64_t)(r->end - r->at))
        return false;
    *ret = (acd_slice){r->at, (size_t)len};
    r->at += len;
    return true;
}

/* The next field; only while r->at < r->end. NULL, or what is wrong. */
static inline const char *
tlv_next(struct tlv_reader *r, struct tlv_field *ret)
{
    uint64_t tag, len;
    const uint8_t *start = r->at;
    if (!tlv_varint(r, &tag) || r->at - start > 5 || tag >> 3 == 0 || tag >> 3 > TLV_NUMBER_MAX)
        return "malformed tag";
    ret->number = (uint32_t)(tag >> 3);
    ret->type = (uint32_t)(tag & 7);
    start = r->at;
    switch (ret->type) {
    case TLV_VARINT:
        if (!tlv_varint(r, &ret->varint))
            return "malformed number";
        ret->bytes = (acd_slice){start, (size_t)(r->at - start)};
        return NULL;
    case TLV_FIXED64:
        return tlv_take(r, 8, &ret->bytes) ? NULL : "truncated";
    case TLV_FIXED32:
        return tlv_take(r, 4, &ret->bytes) ? NULL : "truncated";
    case TLV_BYTES:
        return tlv_varint(r, &len) && tlv_take(r, len, &ret->bytes) ? NULL : "truncated";
    default:
        return "unknown wire type";
    }
}

static inline size_t
tlv_varint_size(uint64_t v)
{
    return (size_t)(70 - __builtin_clzll(v | 1)) / 7;
}

static inline uint8_t *
tlv_put_varint(uint8_t *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *out++ = (uint8_t)(v | 0x80);
    *out++ = (uint8_t)v;
    return out;
}

/* Encoding of one field with a number below 16; what has its default value takes no bytes (proto3). */
static inline size_t
tlv_number_size(uint64_t v)
{
    return v ? 1 + tlv_varint_size(v) : 0;
}

static inline size_t
tlv_bytes_size(size_t len)
{
    return len ? 1 + tlv_varint_size(len) + len : 0;
}

static inline uint8_t *
tlv_put_number(uint8_t *out, unsigned number, uint64_t v)
{
    if (!v)
        return out;
    *out++ = (uint8_t)(number << 3 | TLV_VARINT);
    return tlv_put_varint(out, v);
}

/* Tag and length only; the caller puts the contents. */
static inline uint8_t *
tlv_put_head(uint8_t *out, unsigned number, size_t len)
{
    *out++ = (uint8_t)(number << 3 | TLV_BYTES);
    return tlv_put_varint(out, len);
}

static inline uint8_t *
tlv_put_bytes(uint8_t *out, unsigned number, acd_slice s)
{
    if (!s.len)
        return out;
    out = tlv_put_head(out, number, s.len);
    memcpy(out, s.ptr, s.len);
    return out + s.len;
}

/* What a proto3 string may hold: UTF-8; and no NUL, which C would take for the end. */
static inline const char *
tlv_text_fault(acd_slice s, bool (*utf8)(acd_slice))
{
    if (s.len && memchr(s.ptr, 0, s.len))
        return "holds a NUL byte";
    return utf8(s) ? NULL : "not UTF-8";
}

#endif
