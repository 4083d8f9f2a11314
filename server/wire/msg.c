#include "wire/msg.h"

#include "model/limits.h"
#include "wire/codec.h"
#include "wire/scan.h"

enum { ALIGN = 16, LIST_FIRST = 4 };

void *
wire_msg_new(struct mem_region *r, const wire_type *type)
{
    void *msg = mem_alloc(r, type->sizeof_message);
    if (msg)
        protobuf_c_message_init(type, msg);
    return msg;
}

/* Lists have room for a power of two, so that wire_append_ptr knows from the length alone when to grow. */
static size_t
list_room(size_t n)
{
    size_t room = LIST_FIRST;
    while (room < n)
        room *= 2;
    return room;
}

void *
wire_msg_list(struct mem_region *r, size_t n, const wire_type *type)
{
    if (n > SIZE_MAX / 4)
        return NULL;
    size_t each = (type->sizeof_message + ALIGN - 1) & ~(size_t)(ALIGN - 1), total;
    void **list = mem_array(r, list_room(n), sizeof(void *));
    if (!list || __builtin_mul_overflow(n, each, &total))
        return NULL;
    char *at = mem_alloc(r, total);
    if (!at)
        return NULL;
    for (size_t i = 0; i < n; i++, at += each) {
        protobuf_c_message_init(type, at);
        list[i] = at;
    }
    return list;
}

int
wire_append_ptr(struct mem_region *r, size_t *n, void ***list, void *item)
{
    if (*n == 0 || (*n >= LIST_FIRST && (*n & (*n - 1)) == 0)) {
        void **grown = mem_array(r, list_room(*n + 1), sizeof(void *));
        if (!grown)
            return ACD_ENOMEM;
        if (*n)
            memcpy(grown, *list, *n * sizeof(void *));
        *list = grown;
    }
    (*list)[(*n)++] = item;
    return 0;
}

char *
wire_dup(struct mem_region *r, acd_slice s)
{
    return mem_strndup(r, s.ptr, s.len);
}

/* Bytes of the UTF-8 sequence at s, 0 when there is none (RFC 3629 section 4). */
static size_t
sequence_at(const uint8_t *s, size_t len)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    return n <= len && utf8_valid(slice_of(s, n)) ? n : 0;
}

void
wire_clean(char *s, size_t len)
{
    if (utf8_valid(slice_of(s, len)) && (!len || !memchr(s, 0, len)))
        return;
    for (size_t i = 0; i < len;) {
        size_t n = s[i] ? sequence_at((const uint8_t *)s + i, len - i) : 0;
        if (n == 0)
            s[i++] = '?';
        i += n;
    }
}

char *
wire_text(struct mem_region *r, acd_slice s)
{
    char *copy = mem_strndup(r, s.ptr, s.len);
    if (copy)
        wire_clean(copy, s.len);
    return copy;
}

static void *
region_alloc(void *region, size_t size)
{
    return mem_alloc(region, size);
}

static void
region_free(void *region, void *p)
{
    (void)region;
    (void)p;
}

/* The messages that a field of m holds: *ret_n pointers. */
static ProtobufCMessage *const *
children(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t *ret_n)
{
    const char *base = (const char *)m;
    *ret_n = 0;
    if (f->type != PROTOBUF_C_TYPE_MESSAGE)
        return NULL;
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        *ret_n = *(const size_t *)(base + f->quantifier_offset);
        return *(ProtobufCMessage *const *const *)(base + f->offset);
    }
    bool chosen = !(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
                  *(const uint32_t *)(base + f->quantifier_offset) == f->id;
    ProtobufCMessage *const *at = (ProtobufCMessage *const *)(base + f->offset);
    *ret_n = chosen && *at;
    return at;
}

/* Nested at most LIMIT_DEPTH deep: the scan has seen to that. */
static void
forget_unknown(ProtobufCMessage *m)
{
    m->n_unknown_fields = 0;
    m->unknown_fields = NULL;
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        size_t n;
        ProtobufCMessage *const *list = children(m, &m->descriptor->fields[i], &n);
        for (size_t k = 0; k < n; k++)
            forget_unknown(list[k]);
    }
}

int
wire_unpack_plain(struct mem_region *r, const wire_type *type, acd_slice raw, uint32_t batch, void **ret,
                  acd_err *err)
{
    struct scan_bounds bounds = scan_default;
    struct scan_result seen;
    bounds.batch = batch;
    int rc = scan_message(type, raw, &bounds, &seen, err);
    if (rc < 0)
        return rc;
    ProtobufCAllocator in_region = {region_alloc, region_free, r};
    ProtobufCMessage *m = protobuf_c_message_unpack(type, &in_region, raw.len, raw.ptr);
    if (!m)
        return r->used + seen.memory > r->limit
                   ? err_set(err, ACD_ENOMEM, "no memory left to decode the message")
                   : err_set(err, ACD_EINVAL, "malformed message");
    if (seen.unknown)
        forget_unknown(m);
    *ret = m;
    return 0;
}

/* What the codec refuses, the other way refuses too, and finds the words for it. */
int
wire_unpack_batch(struct mem_region *r, const wire_type *type, acd_slice raw, uint32_t batch, void **ret,
                  acd_err *err)
{
    const struct codec *codec = codec_find(type);
    if (codec && codec_decode(codec, r, raw, batch, ret))
        return 0;
    return wire_unpack_plain(r, type, raw, batch, ret, err);
}

int
wire_unpack(struct mem_region *r, const wire_type *type, acd_slice raw, void **ret, acd_err *err)
{
    return wire_unpack_batch(r, type, raw, 0, ret, err);
}

size_t
wire_size(const void *msg)
{
    return protobuf_c_message_get_packed_size(msg);
}

size_t
wire_pack_to(const void *msg, uint8_t *out)
{
    return protobuf_c_message_pack(msg, out);
}

bool
wire_pack_fast(struct mem_region *r, const void *msg, acd_slice *ret)
{
    const struct codec *codec = codec_find(((const ProtobufCMessage *)msg)->descriptor);
    return codec && codec_encode(codec, r, msg, ret);
}

int
wire_pack(struct mem_region *r, const void *msg, acd_slice *ret, acd_err *err)
{
    size_t len = wire_size(msg);
    if (len > LIMIT_MESSAGE)
        return err_set(err, ACD_ELIMIT, "message of %zu bytes is over the limit of %d", len, LIMIT_MESSAGE);
    uint8_t *out = mem_alloc(r, len);
    if (!out)
        return err_set(err, ACD_ENOMEM, "no memory left to encode the message");
    *ret = (acd_slice){out, wire_pack_to(msg, out)};
    return 0;
}
