/*
 * The envelope (proto/anchord/v1/envelope.proto), hand-written: decoded into slices of the raw message and
 * encoded straight into the bytes that go out, with no copy in between. The bytes are those of protobuf-c; a
 * property test holds the two together.
 *
 * Included by wire/ and the tests. Pure, any thread. Ownership: decoded slices point into `raw`.
 * Errors: ACD_EINVAL (malformed, or not text where text is due), ACD_ELIMIT (a bound of model/limits.h).
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "model/limits.h"
#include "wire/msg.h"

struct frame_meta {
    acd_slice key, value;
};

struct frame_call {
    acd_slice method, request_id, idem_key;
    uint32_t timeout_ms;
    bool dry_run, force;
    uint32_t n_meta;
    struct frame_meta meta[LIMIT_METADATA];
    acd_slice payload; /* raw; used for encoding when body is NULL */
    const void *body;  /* encoding: the request message */
    size_t body_len;   /* set by frame_call_size */
};

struct frame_reply {
    acd_slice request_id, message;
    uint32_t code; /* gRPC status code */
    uint32_t retry_after_ms;
    uint64_t revision;
    size_t n_details;
    Anchord__V1__ErrorDetail **details;
    const Anchord__V1__ChangeEffect *effect; /* NULL: none */
    acd_slice payload;                       /* raw; used for encoding when body is NULL */
    const void *body;                        /* encoding: the response message */
    size_t body_len;                         /* set by frame_reply_size */
};

/* ret is filled as far as decoding came, also on failure: a refusal can give the request id back. Duplicates
 * of a field: the last one counts, as in protobuf. */
int frame_call_decode(acd_slice raw, struct frame_call *ret, acd_err *err) ACD_MUSTCHECK;
/* Details are decoded into the region. */
int frame_reply_decode(struct mem_region *r, acd_slice raw, struct frame_reply *ret,
                       acd_err *err) ACD_MUSTCHECK;

/* Size first, then write exactly that many bytes. */
size_t frame_call_size(struct frame_call *c);
void frame_call_write(const struct frame_call *c, uint8_t *out);
size_t frame_reply_size(struct frame_reply *p);
void frame_reply_write(const struct frame_reply *p, uint8_t *out);

#endif
