#include "wire/frame.h"

#include "wire/tlv.h"

/* Field numbers of envelope.proto. */
enum {
    CALL_METHOD = 1,
    CALL_REQUEST_ID,
    CALL_TIMEOUT,
    CALL_METADATA,
    CALL_PAYLOAD,
    CALL_IDEM_KEY,
    CALL_DRY_RUN,
    CALL_FORCE
};
enum { META_KEY = 1, META_VALUE };
enum {
    REPLY_REQUEST_ID = 1,
    REPLY_CODE,
    REPLY_MESSAGE,
    REPLY_DETAILS,
    REPLY_PAYLOAD,
    REPLY_REVISION,
    REPLY_RETRY_AFTER,
    REPLY_EFFECT
};

static int
take_bytes(const struct tlv_field *t, const char *name, size_t limit, acd_slice *ret, acd_err *err)
{
    if (t->type != TLV_BYTES)
        return err_set(err, ACD_EINVAL, "%s: has another type", name);
    if (t->bytes.len > limit)
        return err_set(err, ACD_ELIMIT, "%s: longer than %zu bytes", name, limit);
    *ret = t->bytes;
    return 0;
}

static int
take_text(const struct tlv_field *t, const char *name, size_t limit, acd_slice *ret, acd_err *err)
{
    acd_slice s = {NULL, 0};
    int rc = take_bytes(t, name, limit, &s, err);
    if (rc < 0)
        return rc;
    const char *wrong = tlv_text_fault(s, utf8_valid);
    if (wrong)
        return err_set(err, ACD_EINVAL, "%s: %s", name, wrong);
    *ret = s;
    return 0;
}

static int
take_number(const struct tlv_field *t, const char *name, uint64_t *ret, acd_err *err)
{
    if (t->type != TLV_VARINT)
        return err_set(err, ACD_EINVAL, "%s: has another type", name);
    *ret = t->varint;
    return 0;
}

/* A number wider than its field is cut, as protobuf does. */
static int
take_u32(const struct tlv_field *t, const char *name, uint32_t *ret, acd_err *err)
{
    uint64_t v = 0;
    int rc = take_number(t, name, &v, err);
    if (rc == 0)
        *ret = (uint32_t)v;
    return rc;
}

static int
take_bool(const struct tlv_field *t, const char *name, bool *ret, acd_err *err)
{
    uint64_t v = 0;
    int rc = take_number(t, name, &v, err);
    if (rc == 0)
        *ret = v != 0;
    return rc;
}

static bool
key_valid(acd_slice key)
{
    const char *s = key.ptr;
    for (size_t i = 0; i < key.len; i++) {
        bool ok = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '-' ||
                  s[i] == '_' || s[i] == '.';
        if (!ok)
            return false;
    }
    return key.len > 0;
}

static int
take_meta(acd_slice raw, struct frame_call *c, acd_err *err)
{
    if (c->n_meta == LIMIT_METADATA)
        return err_set(err, ACD_ELIMIT, "metadata: more than %d entries", LIMIT_METADATA);
    struct tlv_reader r = {raw.ptr, (const uint8_t *)raw.ptr + raw.len};
    struct frame_meta m = {{NULL, 0}, {NULL, 0}};
    struct tlv_field t;
    int rc = 0;
    while (rc == 0 && r.at < r.end) {
        const char *wrong = tlv_next(&r, &t);
        if (wrong)
            return err_set(err, ACD_EINVAL, "metadata[%u]: %s", c->n_meta, wrong);
        if (t.number == META_KEY)
            rc = take_text(&t, "metadata key", LIMIT_METADATA_KEY, &m.key, err);
        else if (t.number == META_VALUE)
            rc = take_bytes(&t, "metadata value", LIMIT_METADATA_VALUE, &m.value, err);
    }
    if (rc < 0)
        return rc;
    if (!key_valid(m.key))
        return err_set(err, ACD_EINVAL, "metadata[%u].key: only a-z 0-9 - _ . are allowed", c->n_meta);
    c->meta[c->n_meta++] = m;
    return 0;
}

static int
call_field(const struct tlv_field *t, struct frame_call *c, acd_err *err)
{
    acd_slice meta = {NULL, 0};
    int rc;
    switch (t->number) {
    case CALL_METHOD:
        return take_text(t, "method", LIMIT_METHOD, &c->method, err);
    case CALL_REQUEST_ID:
        return take_bytes(t, "request_id", LIMIT_REQUEST_ID, &c->request_id, err);
    case CALL_TIMEOUT:
        return take_u32(t, "timeout_ms", &c->timeout_ms, err);
    case CALL_METADATA:
        rc = take_bytes(t, "metadata", LIMIT_MESSAGE, &meta, err);
        return rc < 0 ? rc : take_meta(meta, c, err);
    case CALL_PAYLOAD:
        return take_bytes(t, "payload", LIMIT_MESSAGE, &c->payload, err);
    case CALL_IDEM_KEY:
        return take_text(t, "idempotency_key", LIMIT_IDEM_KEY, &c->idem_key, err);
    case CALL_DRY_RUN:
        return take_bool(t, "dry_run", &c->dry_run, err);
    case CALL_FORCE:
        return take_bool(t, "force", &c->force, err);
    default:
        return 0;
    }
}

static void
call_init(struct frame_call *c)
{
    c->method = c->request_id = c->idem_key = c->payload = (acd_slice){NULL, 0};
    c->timeout_ms = c->n_meta = 0;
    c->dry_run = c->force = false;
    c->body = NULL;
    c->body_len = 0;
}

/* The fields of an envelope, one after the other. */
#define FOR_EACH_FIELD(raw, t, err)                                                                   \
    for (struct tlv_reader r_ = {(raw).ptr, (const uint8_t *)(raw).ptr + (raw).len}; r_.at < r_.end;) \
        if ((wrong_ = tlv_next(&r_, (t))) != NULL)                                                    \
            return err_set((err), ACD_EINVAL, "envelope: %s", wrong_);                                \
        else

static int
check_size(acd_slice raw, acd_err *err)
{
    return raw.len <= LIMIT_MESSAGE ? 0
                                    : err_set(err, ACD_ELIMIT, "message of %zu bytes is over the limit of %d",
                                              raw.len, LIMIT_MESSAGE);
}

int
frame_call_decode(acd_slice raw, struct frame_call *ret, acd_err *err)
{
    call_init(ret);
    struct tlv_field t;
    const char *wrong_;
    FOR_EACH_FIELD(raw, &t, err)
    {
        int rc = call_field(&t, ret, err);
        if (rc < 0)
            return rc;
    }
    /* Last, so that the refusal of a large message can name its request. */
    return check_size(raw, err);
}

static int
take_detail(struct mem_region *r, acd_slice raw, struct frame_reply *p, acd_err *err)
{
    void *detail = NULL;
    if (p->n_details == LIMIT_DETAILS)
        return err_set(err, ACD_ELIMIT, "details: more than %d", LIMIT_DETAILS);
    int rc = wire_unpack(r, &anchord__v1__error_detail__descriptor, raw, &detail, err);
    if (rc == 0 && wire_append(r, &p->n_details, &p->details, (Anchord__V1__ErrorDetail *)detail) < 0)
        rc = err_set(err, ACD_ENOMEM, "no memory left for the details");
    return rc < 0 ? err_context(err, rc, "details[%zu]", p->n_details) : 0;
}

static int
take_effect(struct mem_region *r, acd_slice raw, struct frame_reply *p, acd_err *err)
{
    void *effect = NULL;
    int rc = wire_unpack(r, &anchord__v1__change_effect__descriptor, raw, &effect, err);
    p->effect = effect;
    return rc < 0 ? err_context(err, rc, "effect") : 0;
}

static int
reply_field(struct mem_region *r, const struct tlv_field *t, struct frame_reply *p, acd_err *err)
{
    acd_slice nested = {NULL, 0};
    int rc;
    switch (t->number) {
    case REPLY_REQUEST_ID:
        return take_bytes(t, "request_id", LIMIT_REQUEST_ID, &p->request_id, err);
    case REPLY_CODE:
        return take_u32(t, "code", &p->code, err);
    case REPLY_MESSAGE:
        return take_text(t, "message", LIMIT_MESSAGE, &p->message, err);
    case REPLY_DETAILS:
        rc = take_bytes(t, "details", LIMIT_MESSAGE, &nested, err);
        return rc < 0 ? rc : take_detail(r, nested, p, err);
    case REPLY_PAYLOAD:
        return take_bytes(t, "payload", LIMIT_MESSAGE, &p->payload, err);
    case REPLY_REVISION:
        return take_number(t, "revision", &p->revision, err);
    case REPLY_RETRY_AFTER:
        return take_u32(t, "retry_after_ms", &p->retry_after_ms, err);
    case REPLY_EFFECT:
        rc = take_bytes(t, "effect", LIMIT_MESSAGE, &nested, err);
        return rc < 0 ? rc : take_effect(r, nested, p, err);
    default:
        return 0;
    }
}

int
frame_reply_decode(struct mem_region *r, acd_slice raw, struct frame_reply *ret, acd_err *err)
{
    *ret = (struct frame_reply){.code = 0};
    struct tlv_field t;
    const char *wrong_;
    int rc = check_size(raw, err);
    if (rc < 0)
        return rc;
    FOR_EACH_FIELD(raw, &t, err)
    {
        rc = reply_field(r, &t, ret, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static size_t
meta_size(const struct frame_meta *m)
{
    return tlv_bytes_size(m->key.len) + tlv_bytes_size(m->value.len);
}

/* A nested message takes tag and length even when it is empty. */
static size_t
nested_size(size_t len)
{
    return 1 + tlv_varint_size(len) + len;
}

size_t
frame_call_size(struct frame_call *c)
{
    c->body_len = c->body ? wire_size(c->body) : c->payload.len;
    size_t n = tlv_bytes_size(c->method.len) + tlv_bytes_size(c->request_id.len) +
               tlv_number_size(c->timeout_ms) + tlv_bytes_size(c->body_len) +
               tlv_bytes_size(c->idem_key.len) + tlv_number_size(c->dry_run) + tlv_number_size(c->force);
    for (uint32_t i = 0; i < c->n_meta; i++)
        n += nested_size(meta_size(&c->meta[i]));
    return n;
}

static uint8_t *
put_body(uint8_t *out, unsigned number, const void *body, size_t len, acd_slice payload)
{
    if (!body)
        return tlv_put_bytes(out, number, payload);
    if (!len)
        return out;
    out = tlv_put_head(out, number, len);
    size_t written = wire_pack_to(body, out);
    must(written == len);
    return out + len;
}

void
frame_call_write(const struct frame_call *c, uint8_t *out)
{
    out = tlv_put_bytes(out, CALL_METHOD, c->method);
    out = tlv_put_bytes(out, CALL_REQUEST_ID, c->request_id);
    out = tlv_put_number(out, CALL_TIMEOUT, c->timeout_ms);
    for (uint32_t i = 0; i < c->n_meta; i++) {
        out = tlv_put_head(out, CALL_METADATA, meta_size(&c->meta[i]));
        out = tlv_put_bytes(out, META_KEY, c->meta[i].key);
        out = tlv_put_bytes(out, META_VALUE, c->meta[i].value);
    }
    out = put_body(out, CALL_PAYLOAD, c->body, c->body_len, c->payload);
    out = tlv_put_bytes(out, CALL_IDEM_KEY, c->idem_key);
    out = tlv_put_number(out, CALL_DRY_RUN, c->dry_run);
    (void)tlv_put_number(out, CALL_FORCE, c->force);
}

size_t
frame_reply_size(struct frame_reply *p)
{
    p->body_len = p->body ? wire_size(p->body) : p->payload.len;
    size_t n = tlv_bytes_size(p->request_id.len) + tlv_number_size(p->code) + tlv_bytes_size(p->message.len) +
               tlv_bytes_size(p->body_len) + tlv_number_size(p->revision) +
               tlv_number_size(p->retry_after_ms);
    for (size_t i = 0; i < p->n_details; i++)
        n += nested_size(wire_size(p->details[i]));
    return n + (p->effect ? nested_size(wire_size(p->effect)) : 0);
}

void
frame_reply_write(const struct frame_reply *p, uint8_t *out)
{
    out = tlv_put_bytes(out, REPLY_REQUEST_ID, p->request_id);
    out = tlv_put_number(out, REPLY_CODE, p->code);
    out = tlv_put_bytes(out, REPLY_MESSAGE, p->message);
    for (size_t i = 0; i < p->n_details; i++) {
        out = tlv_put_head(out, REPLY_DETAILS, wire_size(p->details[i]));
        out += wire_pack_to(p->details[i], out);
    }
    out = put_body(out, REPLY_PAYLOAD, p->body, p->body_len, p->payload);
    out = tlv_put_number(out, REPLY_REVISION, p->revision);
    out = tlv_put_number(out, REPLY_RETRY_AFTER, p->retry_after_ms);
    if (p->effect) {
        out = tlv_put_head(out, REPLY_EFFECT, wire_size(p->effect));
        (void)wire_pack_to(p->effect, out);
    }
}
