#include "wire/scan.h"

#include <stdio.h>

#include "model/limits.h"
#include "wire/tlv.h"

const struct scan_bounds scan_default = {
    .size = LIMIT_MESSAGE,
    .depth = LIMIT_DEPTH,
    .repeats = LIMIT_REPEATED,
    .batch = 0,
    .memory = LIMIT_DECODED,
};

enum { DEPTH_MAX = 32 };

struct step {
    const ProtobufCFieldDescriptor *field;
    uint32_t index;
};

struct scan {
    const struct scan_bounds *bounds;
    struct scan_result *seen;
    acd_err *err;
    struct step path[DEPTH_MAX]; /* the field being read, per level */
    uint32_t depth;              /* levels open */
};

static int scan_level(struct scan *s, const wire_type *type, acd_slice raw);

/* "questions[3].host" */
static void
path_text(const struct scan *s, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < s->depth && at < size; i++) {
        const struct step *p = &s->path[i];
        if (!p->field)
            break;
        int n = p->field->label == PROTOBUF_C_LABEL_REPEATED
                    ? snprintf(out + at, size - at, "%s%s[%u]", i ? "." : "", p->field->name, p->index)
                    : snprintf(out + at, size - at, "%s%s", i ? "." : "", p->field->name);
        at += n < 0 ? 0 : (size_t)n;
    }
}

static int
fault(const struct scan *s, int code, const char *what)
{
    char path[160];
    path_text(s, path, sizeof(path));
    return err_set(s->err, code, "%s%s%s", path, path[0] ? ": " : "message: ", what);
}

static int
fault_limit(const struct scan *s, const char *what, size_t limit)
{
    char text[80];
    (void)snprintf(text, sizeof(text), "%s %zu", what, limit);
    return fault(s, ACD_ELIMIT, text);
}

static int
charge(struct scan *s, size_t bytes)
{
    s->seen->memory += scan_round(bytes);
    if (s->seen->memory > s->bounds->memory)
        return fault_limit(s, "takes more memory than", s->bounds->memory);
    return 0;
}

/* Fields are sorted by number, and nearly always numbered 1, 2, 3, ... */
static const ProtobufCFieldDescriptor *
field_find(const wire_type *type, uint32_t number)
{
    if (number - 1 < type->n_fields && type->fields[number - 1].id == number)
        return &type->fields[number - 1];
    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].id == number)
            return &type->fields[i];
    return NULL;
}

static uint32_t
wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return TLV_BYTES;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return TLV_FIXED64;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return TLV_FIXED32;
    default:
        return TLV_VARINT;
    }
}

/* Elements of a packed list of numbers; -1: malformed. */
static int64_t
packed_count(ProtobufCType type, acd_slice raw)
{
    uint32_t wire = wire_type_of(type);
    if (wire != TLV_VARINT) {
        size_t each = wire == TLV_FIXED64 ? 8 : 4;
        return raw.len % each ? -1 : (int64_t)(raw.len / each);
    }
    struct tlv_reader r = {raw.ptr, (const uint8_t *)raw.ptr + raw.len};
    int64_t n = 0;
    uint64_t v;
    for (; r.at < r.end; n++)
        if (!tlv_varint(&r, &v))
            return -1;
    return n;
}

static int
scan_value(struct scan *s, const ProtobufCFieldDescriptor *f, acd_slice bytes)
{
    const char *wrong;
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        wrong = tlv_text_fault(bytes, utf8_valid);
        return wrong ? fault(s, ACD_EINVAL, wrong) : charge(s, bytes.len + 1);
    case PROTOBUF_C_TYPE_BYTES:
        return charge(s, bytes.len);
    case PROTOBUF_C_TYPE_MESSAGE:
        return scan_level(s, f->descriptor, bytes);
    default:
        return 0;
    }
}

/* Counts `more` elements of a field, whose counter is *count. A message that is there twice would be merged,
 * at a cost that grows with the square of the input; no encoder of ours writes that. */
static int
count_field(struct scan *s, const ProtobufCFieldDescriptor *f, uint32_t *count, uint64_t more)
{
    uint32_t limit = s->depth == 1 && s->bounds->batch ? s->bounds->batch : s->bounds->repeats;
    if (f->label != PROTOBUF_C_LABEL_REPEATED)
        return f->type == PROTOBUF_C_TYPE_MESSAGE && (*count)++ ? fault(s, ACD_EINVAL, "is there twice") : 0;
    if (*count + more > limit)
        return fault_limit(s, "list is longer than", limit);
    *count += (uint32_t)more;
    return 0;
}

static int
scan_field(struct scan *s, const ProtobufCFieldDescriptor *f, const struct tlv_field *t, uint32_t *count)
{
    s->path[s->depth - 1] = (struct step){f, *count};
    uint32_t want = wire_type_of(f->type);
    bool packed = f->label == PROTOBUF_C_LABEL_REPEATED && want != TLV_BYTES && t->type == TLV_BYTES;
    if (t->type != want && !packed)
        return fault(s, ACD_EINVAL, "has another type");
    int64_t n = packed ? packed_count(f->type, t->bytes) : 1;
    if (n < 0)
        return fault(s, ACD_EINVAL, "malformed list");
    int rc = count_field(s, f, count, (uint64_t)n);
    if (rc == 0 && f->label == PROTOBUF_C_LABEL_REPEATED)
        rc = charge(s, (size_t)n * SCAN_ELEMENT);
    return rc < 0 || packed ? rc : scan_value(s, f, t->bytes);
}

static int
scan_fields(struct scan *s, const wire_type *type, acd_slice raw)
{
    struct tlv_reader r = {raw.ptr, (const uint8_t *)raw.ptr + raw.len};
    uint32_t counts[LIMIT_FIELDS] = {0};
    size_t members = 0;
    int rc = charge(s, type->sizeof_message);
    for (; rc == 0 && r.at < r.end; members++) {
        struct tlv_field t;
        s->path[s->depth - 1].field = NULL;
        const char *wrong = tlv_next(&r, &t);
        if (wrong)
            return fault(s, ACD_EINVAL, wrong);
        const ProtobufCFieldDescriptor *f = field_find(type, t.number);
        if (f) {
            rc = scan_field(s, f, &t, &counts[f - type->fields]);
        } else {
            s->seen->unknown = true;
            rc = charge(s, scan_unknown(t.bytes.len));
        }
    }
    return rc < 0 ? rc : charge(s, scan_members(members));
}

static int
scan_level(struct scan *s, const wire_type *type, acd_slice raw)
{
    must(type->n_fields <= LIMIT_FIELDS);
    if (s->depth >= s->bounds->depth)
        return fault_limit(s, "nested deeper than", s->bounds->depth);
    s->depth++;
    int rc = scan_fields(s, type, raw);
    s->depth--;
    return rc;
}

int
scan_message(const wire_type *type, acd_slice raw, const struct scan_bounds *bounds, struct scan_result *ret,
             acd_err *err)
{
    must(bounds->depth <= DEPTH_MAX);
    struct scan s = {.bounds = bounds, .seen = ret, .err = err};
    *ret = (struct scan_result){0, false};
    if (raw.len > bounds->size)
        return fault_limit(&s, "larger than", bounds->size);
    int rc = charge(&s, raw.len + 1);
    return rc < 0 ? rc : scan_level(&s, type, raw);
}
