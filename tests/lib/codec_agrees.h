/*
 * Holds the codec (wire/codec.h) and protobuf-c together on any bytes: the verdict is that of the scan, the
 * memory stays within what the scan foretells, the struct is the one that protobuf-c makes, and both write it
 * with the same bytes.
 */
#ifndef TESTS_CODEC_AGREES_H
#define TESTS_CODEC_AGREES_H

#include "base/must.h"
#include "wire/codec.h"
#include "wire/scan.h"

/* protobuf-c's bytes of a message. */
static inline acd_slice
codec_plain_bytes(struct mem_region *r, const void *msg)
{
    uint8_t *out = mem_alloc(r, wire_size(msg));
    must(out);
    return slice_of(out, wire_pack_to(msg, out));
}

/* True: the bytes were accepted, by both. */
static inline bool
codec_agrees(const wire_type *type, acd_slice raw, uint32_t batch)
{
    struct scan_bounds bounds = scan_default;
    struct scan_result seen;
    struct mem_region r, other;
    acd_slice want, got;
    void *msg = NULL, *plain = NULL;
    bounds.batch = batch;
    bool fine = scan_message(type, raw, &bounds, &seen, NULL) == 0;
    mem_init(&r, seen.memory, fine ? seen.memory : 0);
    mem_init(&other, 4096, 0);
    must(codec_decode(codec_find(type), &r, raw, batch, &msg) == fine);
    if (fine) {
        must(wire_unpack_plain(&other, type, raw, batch, &plain, NULL) == 0);
        want = codec_plain_bytes(&other, plain);
        must(slice_eq(codec_plain_bytes(&other, msg), want));
        must(codec_encode(codec_find(type), &other, msg, &got) && slice_eq(got, want));
    }
    mem_done(&other);
    mem_done(&r);
    return fine;
}

#endif
