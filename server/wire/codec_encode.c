/* Encoding: from the last field to the first (pack.h). */
#include "wire/codec_part.h"

/* What has its default value takes no bytes (proto3); elements of a list always do. */
#define WRITE(work) \
    if (!(work))    \
        return false;
#define ENCODE_NUMBER(number, name) WRITE(!m->name || pack_number(p, number, (uint64_t)m->name))
#define ENCODE_ENUM(number, name)   WRITE(!m->name || pack_number(p, number, (uint64_t)(int32_t)m->name))
#define ENCODE_BOOL(number, name)   WRITE(!m->name || pack_number(p, number, 1))
#define ENCODE_STRING(number, name) WRITE(!m->name || !m->name[0] || pack_text(p, number, m->name))
#define ENCODE_BYTES(number, name)  WRITE(!m->name.len || pack_bytes(p, number, wire_slice(m->name)))
#define ENCODE_TEXTS(number, name)         \
    for (size_t i = m->n_##name; i-- > 0;) \
    WRITE(pack_text(p, number, m->name[i]))
#define ENCODE_BLOBS(number, name)         \
    for (size_t i = m->n_##name; i-- > 0;) \
    WRITE(pack_bytes(p, number, wire_slice(m->name[i])))
#define ENCODE_LIST(number, name, Type, lower)                             \
    for (size_t i = m->n_##name; i-- > 0;) {                               \
        size_t mark = pack_mark(p);                                        \
        WRITE(encode_##lower(p, m->name[i]) && pack_head(p, number, mark)) \
    }

#define ENCODE_ONE(number, name, Type, lower)                           \
    if (m->name) {                                                      \
        size_t mark = pack_mark(p);                                     \
        WRITE(encode_##lower(p, m->name) && pack_head(p, number, mark)) \
    }

/* What was chosen is written even when it has its default value. */
#define CHOSEN(number, choice) (m->choice##_case == (number))
#define ENCODE_PICK_NUMBER(number, name, choice) \
    WRITE(!CHOSEN(number, choice) || pack_number(p, number, (uint64_t)m->name))
#define ENCODE_PICK_BOOL(number, name, choice) \
    WRITE(!CHOSEN(number, choice) || pack_number(p, number, m->name != 0))
#define ENCODE_PICK_BYTES(number, name, choice) \
    WRITE(!CHOSEN(number, choice) || pack_bytes(p, number, wire_slice(m->name)))
#define ENCODE_PICK_ONE(number, name, choice, Type, lower) \
    if (CHOSEN(number, choice))                            \
    ENCODE_ONE(number, name, Type, lower)

#define MESSAGE(Type, lower, fields) static bool encode_##lower(struct pack *p, const Anchord__V1__##Type *m);
#include "wire/codec.def"
#undef MESSAGE

#define MESSAGE(Type, lower, fields)                                         \
    static bool encode_##lower(struct pack *p, const Anchord__V1__##Type *m) \
    {                                                                        \
        if (m->base.n_unknown_fields)                                        \
            return false;                                                    \
        fields return true;                                                  \
    }
#define FIELD(kind, ...) ENCODE_##kind(__VA_ARGS__)
#include "wire/codec.def"
#undef MESSAGE
#undef FIELD

/* The same functions for any message, as the table calls them. */
#define MESSAGE(Type, lower, fields)                                \
    static bool encode_any_##lower(struct pack *p, const void *msg) \
    {                                                               \
        return encode_##lower(p, msg);                              \
    }
#include "wire/codec.def"
#undef MESSAGE

static bool (*const encoders[])(struct pack *p, const void *msg) = {
#define MESSAGE(Type, lower, fields) encode_any_##lower,
#include "wire/codec.def"
#undef MESSAGE
};

bool
codec_pack_at(size_t i, struct pack *p, const void *msg)
{
    return encoders[i](p, msg);
}
