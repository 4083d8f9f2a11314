/* Encoding: from the last byte to the first, so that every length is known when it is written. */
#include "wire/codec_part.h"

#include "model/limits.h"
#include "wire/tlv.h"

enum { FIRST_ROOM = 16384, GROWTH = 4, VARINT_BYTES = 10 };

struct encoder {
    struct mem_region *region;
    uint8_t *begin, *at, *end; /* free is [begin, at), written [at, end) */
};

static bool
grow(struct encoder *e, size_t n)
{
    size_t used = (size_t)(e->end - e->at), room = e->end ? (size_t)(e->end - e->begin) * GROWTH : FIRST_ROOM;
    if (used + n > LIMIT_MESSAGE)
        return false;
    if (room < used + n)
        room = used + n;
    uint8_t *begin = mem_alloc(e->region, room);
    if (!begin)
        return false;
    uint8_t *end = begin + room;
    if (used)
        memcpy(end - used, e->at, used);
    *e = (struct encoder){e->region, begin, end - used, end};
    return true;
}

static inline bool
reserve(struct encoder *e, size_t n)
{
    return (size_t)(e->at - e->begin) >= n || grow(e, n);
}

/* Names, digests, ids: few bytes, for which calling memcpy costs more than copying. */
static inline void
copy_short(uint8_t *out, const void *from, size_t len)
{
    const uint8_t *in = from;
    if (len > 64 || len < 8) {
        memcpy(out, in, len);
        return;
    }
    for (size_t i = 0; i + 8 <= len; i += 8)
        memcpy(out + i, in + i, 8);
    memcpy(out + len - 8, in + len - 8, 8);
}

static inline void
put_varint(struct encoder *e, uint64_t v)
{
    if (v < 0x80) {
        *--e->at = (uint8_t)v;
        return;
    }
    e->at -= tlv_varint_size(v);
    (void)tlv_put_varint(e->at, v);
}

static inline bool
put_number(struct encoder *e, uint32_t number, uint64_t v)
{
    if (!reserve(e, 2 * VARINT_BYTES))
        return false;
    put_varint(e, v);
    put_varint(e, number << 3 | TLV_VARINT);
    return true;
}

/* Tag and length of what was written since `end`. */
static inline bool
put_head(struct encoder *e, uint32_t number, size_t len)
{
    if (!reserve(e, 2 * VARINT_BYTES))
        return false;
    put_varint(e, len);
    put_varint(e, number << 3 | TLV_BYTES);
    return true;
}

static inline bool
put_bytes(struct encoder *e, uint32_t number, const void *p, size_t len)
{
    if (!reserve(e, len + 2 * VARINT_BYTES))
        return false;
    e->at -= len;
    if (len)
        copy_short(e->at, p, len);
    put_varint(e, len);
    put_varint(e, number << 3 | TLV_BYTES);
    return true;
}

static inline bool
put_text(struct encoder *e, uint32_t number, const char *s)
{
    return put_bytes(e, number, s ? s : "", s ? strlen(s) : 0);
}

/* What has its default value takes no bytes (proto3); elements of a list always do. */
#define WRITE(work) \
    if (!(work))    \
        return false;
#define ENCODE_NUMBER(number, name) WRITE(!m->name || put_number(e, number, (uint64_t)m->name))
#define ENCODE_ENUM(number, name)   WRITE(!m->name || put_number(e, number, (uint64_t)(int32_t)m->name))
#define ENCODE_BOOL(number, name)   WRITE(!m->name || put_number(e, number, 1))
#define ENCODE_STRING(number, name) WRITE(!m->name || !m->name[0] || put_text(e, number, m->name))
#define ENCODE_BYTES(number, name)  WRITE(!m->name.len || put_bytes(e, number, m->name.data, m->name.len))
#define ENCODE_TEXTS(number, name)         \
    for (size_t i = m->n_##name; i-- > 0;) \
    WRITE(put_text(e, number, m->name[i]))
#define ENCODE_BLOBS(number, name)         \
    for (size_t i = m->n_##name; i-- > 0;) \
    WRITE(put_bytes(e, number, m->name[i].data, m->name[i].len))
#define ENCODE_LIST(number, name, Type, lower)                                                        \
    for (size_t i = m->n_##name; i-- > 0;) {                                                          \
        size_t after = (size_t)(e->end - e->at);                                                      \
        WRITE(encode_##lower(e, m->name[i]) && put_head(e, number, (size_t)(e->end - e->at) - after)) \
    }

#define ENCODE_ONE(number, name, Type, lower)                                                      \
    if (m->name) {                                                                                 \
        size_t after = (size_t)(e->end - e->at);                                                   \
        WRITE(encode_##lower(e, m->name) && put_head(e, number, (size_t)(e->end - e->at) - after)) \
    }

/* What was chosen is written even when it has its default value. */
#define CHOSEN(number, choice) (m->choice##_case == (number))
#define ENCODE_PICK_NUMBER(number, name, choice) \
    WRITE(!CHOSEN(number, choice) || put_number(e, number, (uint64_t)m->name))
#define ENCODE_PICK_BOOL(number, name, choice) \
    WRITE(!CHOSEN(number, choice) || put_number(e, number, m->name != 0))
#define ENCODE_PICK_BYTES(number, name, choice) \
    WRITE(!CHOSEN(number, choice) || put_bytes(e, number, m->name.data, m->name.len))
#define ENCODE_PICK_ONE(number, name, choice, Type, lower) \
    if (CHOSEN(number, choice))                            \
    ENCODE_ONE(number, name, Type, lower)

#define MESSAGE(Type, lower, fields) \
    static bool encode_##lower(struct encoder *e, const Anchord__V1__##Type *m);
#include "wire/codec.def"
#undef MESSAGE

#define MESSAGE(Type, lower, fields)                                            \
    static bool encode_##lower(struct encoder *e, const Anchord__V1__##Type *m) \
    {                                                                           \
        if (m->base.n_unknown_fields)                                           \
            return false;                                                       \
        fields return true;                                                     \
    }
#define FIELD(kind, ...) ENCODE_##kind(__VA_ARGS__)
#include "wire/codec.def"
#undef MESSAGE
#undef FIELD

/* The same functions for any message, as the table calls them. */
#define MESSAGE(Type, lower, fields)                                   \
    static bool encode_any_##lower(struct encoder *e, const void *msg) \
    {                                                                  \
        return encode_##lower(e, msg);                                 \
    }
#include "wire/codec.def"
#undef MESSAGE

static bool (*const encoders[])(struct encoder *e, const void *msg) = {
#define MESSAGE(Type, lower, fields) encode_any_##lower,
#include "wire/codec.def"
#undef MESSAGE
};

bool
codec_encode_at(size_t i, struct mem_region *r, const void *msg, acd_slice *ret)
{
    struct encoder e = {.region = r};
    if (!grow(&e, 0) || !encoders[i](&e, msg) || e.end - e.at > LIMIT_MESSAGE)
        return false;
    *ret = slice_of(e.at, (size_t)(e.end - e.at));
    return true;
}
