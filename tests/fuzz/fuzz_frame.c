/* The envelope: what the hand-written decoder accepts, protobuf-c accepts and reads in the same way, and the
 * encoder gives back in a form that decodes to the same. */
#include <stdint.h>

#include "wire/frame.h"
#include "wire/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_same(const struct frame_call *f, const Anchord__V1__Call *m)
{
    must(slice_eqs(f->method, m->method) && slice_eqs(f->idem_key, m->idempotency_key));
    must(slice_eq(f->request_id, wire_slice(m->request_id)) && slice_eq(f->payload, wire_slice(m->payload)));
    must(f->timeout_ms == m->timeout_ms && f->n_meta == m->n_metadata);
    for (uint32_t i = 0; i < f->n_meta; i++)
        must(slice_eqs(f->meta[i].key, m->metadata[i]->key) &&
             slice_eq(f->meta[i].value, wire_slice(m->metadata[i]->value)));
}

static void
check_call(struct mem_region *r, acd_slice raw)
{
    struct frame_call f, again;
    void *m = NULL;
    if (frame_call_decode(raw, &f, NULL) < 0)
        return;
    must(wire_unpack(r, &anchord__v1__call__descriptor, raw, &m, NULL) == 0);
    check_same(&f, m);
    size_t len = frame_call_size(&f);
    must(len <= raw.len); /* never longer than what came */
    uint8_t *out = mem_alloc(r, len);
    must(out);
    frame_call_write(&f, out);
    must(frame_call_decode(slice_of(out, len), &again, NULL) == 0);
    check_same(&again, m);
}

static void
check_reply(struct mem_region *r, acd_slice raw)
{
    struct frame_reply p, again;
    if (frame_reply_decode(r, raw, &p, NULL) < 0)
        return;
    size_t len = frame_reply_size(&p);
    uint8_t *out = mem_alloc(r, len);
    must(out);
    frame_reply_write(&p, out);
    must(frame_reply_decode(r, slice_of(out, len), &again, NULL) == 0);
    must(again.code == p.code && again.revision == p.revision && again.n_details == p.n_details);
    must(slice_eq(again.message, p.message) && slice_eq(again.payload, p.payload));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mem_region r;
    mem_init(&r, 65536, 4 * (size_t)LIMIT_REGION);
    check_call(&r, slice_of(data, size));
    check_reply(&r, slice_of(data, size));
    mem_done(&r);
    return 0;
}
