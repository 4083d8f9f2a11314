#include "wire/codec_part.h"

#include "model/limits.h"
#include "wire/scan.h"
#include "wire/tlv.h"

#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* ---- decoding: one pass over the bytes, which checks and fills ---- */

struct decoder {
    struct mem_region *region;
    const uint8_t *raw;
    uint8_t
        *copy; /* of raw: the byte behind a string, already read when it is overwritten, becomes its NUL */
    size_t memory;  /* what the scan would charge */
    uint32_t depth; /* levels open */
};

static inline void
charge(struct decoder *d, size_t bytes)
{
    d->memory += scan_round(bytes);
}

static inline bool
take_number(struct tlv_reader *r, uint64_t *ret)
{
    if (r->at < r->end && *r->at < 0x80) {
        *ret = *r->at++;
        return true;
    }
    return tlv_varint(r, ret);
}

/* protobuf-c looks at the bytes, also at bits that no number has room for. */
static bool
take_bool(struct tlv_reader *r, protobuf_c_boolean *ret)
{
    const uint8_t *p = r->at;
    uint64_t v;
    if (!take_number(r, &v))
        return false;
    for (*ret = 0; p < r->at; p++)
        *ret |= (*p & 0x7f) != 0;
    return true;
}

static inline bool
take_slice(struct tlv_reader *r, acd_slice *ret)
{
    uint64_t len;
    return take_number(r, &len) && tlv_take(r, len, ret);
}

/* Is this ASCII without NUL? Eight bytes at a time. */
static inline bool
text_is_plain(const uint8_t *p, size_t len)
{
    uint64_t eight, bad = 0;
    size_t i = 0;
    if (len < sizeof(eight)) {
        for (; i < len; i++)
            bad |= ((p[i] - 1u) | p[i]) & 0x80;
        return bad == 0;
    }
    for (; i + sizeof(eight) <= len; i += sizeof(eight)) {
        memcpy(&eight, p + i, sizeof(eight));
        bad |= (eight - ONES) | eight;
    }
    memcpy(&eight, p + len - sizeof(eight), sizeof(eight));
    return ((bad | (eight - ONES) | eight) & HIGHS) == 0;
}

static bool
take_string(struct decoder *d, struct tlv_reader *r, char **ret)
{
    acd_slice s;
    if (!take_slice(r, &s) || (!text_is_plain(s.ptr, s.len) && tlv_text_fault(s, utf8_valid)))
        return false;
    charge(d, s.len + 1);
    char *text = (char *)d->copy + ((const uint8_t *)s.ptr - d->raw);
    text[s.len] = '\0';
    *ret = text;
    return true;
}

static bool
take_bytes(struct decoder *d, struct tlv_reader *r, ProtobufCBinaryData *ret)
{
    acd_slice s;
    if (!take_slice(r, &s))
        return false;
    charge(d, s.len);
    *ret = (ProtobufCBinaryData){s.len, s.len ? d->copy + ((const uint8_t *)s.ptr - d->raw) : NULL};
    return true;
}

/* The next field's number and type as one value; its contents are still to be read. */
static inline bool
take_tag(struct tlv_reader *r, uint64_t *ret)
{
    const uint8_t *start = r->at;
    return take_number(r, ret) && r->at - start <= 5 && *ret >> 3 != 0 && *ret >> 3 <= TLV_NUMBER_MAX;
}

static bool
skip_value(struct tlv_reader *r, uint64_t tag, size_t *ret_len)
{
    acd_slice s = {r->at, 0};
    uint64_t v;
    bool ok = false;
    switch (tag & 7) {
    case TLV_VARINT:
        ok = take_number(r, &v);
        s.len = (size_t)(r->at - (const uint8_t *)s.ptr);
        break;
    case TLV_FIXED64:
        ok = tlv_take(r, 8, &s);
        break;
    case TLV_FIXED32:
        ok = tlv_take(r, 4, &s);
        break;
    case TLV_BYTES:
        ok = take_slice(r, &s);
        break;
    default:
        break;
    }
    *ret_len = s.len;
    return ok;
}

/* Elements of a list from its first one on, whose contents are next; malformed bytes end the count, and
 * decoding does not come further either. */
static uint32_t
list_count(const struct tlv_reader *at, uint64_t list)
{
    struct tlv_reader r = *at;
    uint64_t tag = list;
    uint32_t n = 0;
    size_t len;
    do
        n += tag == list;
    while (skip_value(&r, tag, &len) && r.at < r.end && take_tag(&r, &tag));
    return n;
}

/* Room for the whole list when its first element comes: `size` bytes for each, zeroed. */
static void *
list_room(struct decoder *d, const struct tlv_reader *r, uint64_t tag, uint32_t limit, size_t size,
          uint32_t *ret_n)
{
    *ret_n = list_count(r, tag);
    if (*ret_n > limit)
        return NULL;
    d->memory += *ret_n * (size_t)SCAN_ELEMENT;
    return mem_array(d->region, *ret_n, size);
}

/* A list of messages: pointers to structs that lie side by side. */
static bool
list_begin(struct decoder *d, const struct tlv_reader *r, uint64_t tag, uint32_t limit, size_t size,
           void ***ret)
{
    uint32_t n;
    void **list = list_room(d, r, tag, limit, sizeof(void *), &n);
    char *at = list ? mem_alloc(d->region, n * scan_round(size)) : NULL;
    if (!at)
        return false;
    for (uint32_t i = 0; i < n; i++, at += scan_round(size))
        list[i] = at;
    *ret = list;
    return true;
}

/* A message that stands alone, once: a second one would be merged with the first, which the scan refuses. */
static bool
one_begin(struct decoder *d, uint32_t number, size_t size, uint32_t *seen, void **ret)
{
    uint32_t bit = UINT32_C(1) << number;
    if (*seen & bit)
        return false;
    *seen |= bit;
    *ret = mem_alloc(d->region, size);
    return *ret != NULL;
}

/* Values: each is one case of the switch over tags; m, r, d, v, tag, seen and limit are those of the
 * function. */
#define CASE(number, type, work)     \
    case (number) << 3 | TLV_##type: \
        if (!(work))                 \
            return false;            \
        break;
#define DECODE_NUMBER(number, name) \
    CASE(number, VARINT, take_number(&r, &v) && (m->name = (__typeof__(m->name))v, true))
#define DECODE_ENUM(number, name)   DECODE_NUMBER(number, name)
#define DECODE_BOOL(number, name)   CASE(number, VARINT, take_bool(&r, &m->name))
#define DECODE_STRING(number, name) CASE(number, BYTES, take_string(d, &r, &m->name))
#define DECODE_BYTES(number, name)  CASE(number, BYTES, take_bytes(d, &r, &m->name))
#define DECODE_TEXTS(number, name)                                                                  \
    CASE(number, BYTES,                                                                             \
         (m->name || (m->name = list_room(d, &r, tag, limit, sizeof(*m->name), &(uint32_t){0}))) && \
             take_string(d, &r, &m->name[m->n_##name]) && ++m->n_##name)
#define DECODE_BLOBS(number, name)                                                                  \
    CASE(number, BYTES,                                                                             \
         (m->name || (m->name = list_room(d, &r, tag, limit, sizeof(*m->name), &(uint32_t){0}))) && \
             take_bytes(d, &r, &m->name[m->n_##name]) && ++m->n_##name)
#define DECODE_LIST(number, name, Type, lower)                                                        \
    CASE(number, BYTES,                                                                               \
         (m->name || list_begin(d, &r, tag, limit, sizeof(**m->name), (void ***)(void *)&m->name)) && \
             take_slice(&r, &s) && decode_##lower(d, s, LIMIT_REPEATED, m->name[m->n_##name]) &&      \
             ++m->n_##name)
#define DECODE_ONE(number, name, Type, lower)                                                              \
    CASE(number, BYTES,                                                                                    \
         one_begin(d, number, sizeof(*m->name), &seen, (void **)(void *)&m->name) && take_slice(&r, &s) && \
             decode_##lower(d, s, LIMIT_REPEATED, m->name))

/* A choice: the last one that comes is the one that is made. */
#define CHOICE(number, type, choice, work) CASE(number, type, (work) && (m->choice##_case = (number), true))
#define DECODE_PICK_NUMBER(number, name, choice) \
    CHOICE(number, VARINT, choice, take_number(&r, &v) && (m->name = (__typeof__(m->name))v, true))
#define DECODE_PICK_BOOL(number, name, choice)  CHOICE(number, VARINT, choice, take_bool(&r, &m->name))
#define DECODE_PICK_BYTES(number, name, choice) CHOICE(number, BYTES, choice, take_bytes(d, &r, &m->name))
#define DECODE_PICK_ONE(number, name, choice, Type, lower)                                                   \
    CHOICE(number, BYTES, choice,                                                                            \
           one_begin(d, number, sizeof(*m->name), &seen, (void **)(void *)&m->name) && take_slice(&r, &s) && \
               decode_##lower(d, s, LIMIT_REPEATED, m->name))

#define KNOWN(number) case number:

/* A field that the message does not know is skipped; one that it knows has another type here. */
#define MESSAGE(Type, lower, fields)           \
    static bool known_##lower(uint64_t number) \
    {                                          \
        switch (number) {                      \
            fields return true;                \
        default:                               \
            return false;                      \
        }                                      \
    }
#define FIELD(kind, number, ...) KNOWN(number)
#include "wire/codec.def"
#undef MESSAGE
#undef FIELD

/* Messages may hold one another, and themselves. */
#define MESSAGE(Type, lower, fields) \
    static bool decode_##lower(struct decoder *d, acd_slice raw, uint32_t limit, Anchord__V1__##Type *m);
#include "wire/codec.def"
#undef MESSAGE

#define MESSAGE(Type, lower, fields)                                                                      \
    static bool decode_##lower(struct decoder *d, acd_slice raw, uint32_t limit, Anchord__V1__##Type *m)  \
    {                                                                                                     \
        struct tlv_reader r = {raw.ptr, (const uint8_t *)raw.ptr + raw.len};                              \
        acd_slice s;                                                                                      \
        uint64_t tag, v;                                                                                  \
        size_t members = 0, len;                                                                          \
        uint32_t seen = 0;                                                                                \
        (void)limit, (void)s, (void)v, (void)seen;                                                        \
        if (d->depth++ == LIMIT_DEPTH)                                                                    \
            return false;                                                                                 \
        anchord__v1__##lower##__init(m);                                                                  \
        charge(d, sizeof(*m));                                                                            \
        for (; r.at < r.end; members++) {                                                                 \
            if (!take_tag(&r, &tag))                                                                      \
                return false;                                                                             \
            switch (tag) {                                                                                \
                fields default : if (known_##lower(tag >> 3) || !skip_value(&r, tag, &len)) return false; \
                d->memory += scan_unknown(len);                                                           \
            }                                                                                             \
        }                                                                                                 \
        d->memory += scan_members(members);                                                               \
        d->depth--;                                                                                       \
        return true;                                                                                      \
    }
#define FIELD(kind, ...) DECODE_##kind(__VA_ARGS__)
#include "wire/codec.def"
#undef MESSAGE
#undef FIELD

/* ---- the table ---- */

struct codec {
    const wire_type *type;
    bool (*decode)(struct decoder *d, acd_slice raw, uint32_t limit, void *msg);
};

/* The same functions for any message, as the table calls them; codec_encode.c has its own. */
#define MESSAGE(Type, lower, fields)                                                            \
    static bool decode_any_##lower(struct decoder *d, acd_slice raw, uint32_t limit, void *msg) \
    {                                                                                           \
        return decode_##lower(d, raw, limit, msg);                                              \
    }
#include "wire/codec.def"
#undef MESSAGE

static const struct codec codecs[] = {
#define MESSAGE(Type, lower, fields) {&anchord__v1__##lower##__descriptor, decode_any_##lower},
#include "wire/codec.def"
#undef MESSAGE
};

enum { CODECS = sizeof(codecs) / sizeof(codecs[0]) };

const wire_type *
codec_type_at(size_t i)
{
    return i < CODECS ? codecs[i].type : NULL;
}

const struct codec *
codec_find(const wire_type *type)
{
    for (size_t i = 0; i < CODECS; i++)
        if (codecs[i].type == type)
            return &codecs[i];
    return NULL;
}

bool
codec_decode(const struct codec *c, struct mem_region *r, acd_slice raw, uint32_t batch, void **ret)
{
    struct decoder d = {.region = r, .raw = raw.ptr, .memory = scan_round(raw.len + 1)};
    if (raw.len > LIMIT_MESSAGE)
        return false;
    void *m = mem_alloc(r, c->type->sizeof_message);
    d.copy = mem_alloc(r, raw.len + 1);
    if (!m || !d.copy)
        return false;
    if (raw.len)
        memcpy(d.copy, raw.ptr, raw.len);
    if (!c->decode(&d, raw, batch ? batch : LIMIT_REPEATED, m) || d.memory > LIMIT_DECODED)
        return false;
    *ret = m;
    return true;
}

bool
codec_pack(const struct codec *c, struct pack *p, const void *msg)
{
    return codec_pack_at((size_t)(c - codecs), p, msg);
}

bool
codec_encode(const struct codec *c, struct mem_region *r, const void *msg, acd_slice *ret)
{
    struct pack p;
    if (!pack_begin(&p, r) || !codec_pack(c, &p, msg) || pack_mark(&p) > LIMIT_MESSAGE)
        return false;
    *ret = pack_done(&p);
    return true;
}
