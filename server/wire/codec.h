/*
 * The hot messages of the data plane (codec.def) encoded and decoded by code that is made for each of them;
 * every other message goes through protobuf-c. What comes out is the same: the same bytes, the same struct,
 * the same verdict on what is malformed or over a bound.
 *
 * Private to wire/ (msg.h is the door), the tests, and the fuzz target. Pure, any thread; everything that is
 * made lies in the region.
 */
#ifndef WIRE_CODEC_H
#define WIRE_CODEC_H

#include "wire/msg.h"
#include "wire/pack.h"

struct codec;

/* NULL: the type is none of codec.def's. */
const struct codec *codec_find(const wire_type *type);
/* The types of codec.def, for tests. NULL behind the last. */
const wire_type *codec_type_at(size_t i);

/* True: *ret is what wire/scan.h lets pass and protobuf-c makes of it, unknown fields left out; its strings
 * and bytes lie in one copy of raw. batch: as for wire_unpack_batch. False: the bytes are refused, or the
 * region is full; scan.h says why. */
bool codec_decode(const struct codec *c, struct mem_region *r, acd_slice raw, uint32_t batch,
                  void **ret) ACD_MUSTCHECK;

/* True: *ret are the bytes that wire_pack_to writes, made in one pass from the last field to the first.
 * False: the region is full, the message is over LIMIT_MESSAGE, or it carries unknown fields. */
bool codec_encode(const struct codec *c, struct mem_region *r, const void *msg, acd_slice *ret) ACD_MUSTCHECK;

/* The same in front of what is packed already. */
bool codec_pack(const struct codec *c, struct pack *p, const void *msg) ACD_MUSTCHECK;

/* What wire_unpack_batch does for every other message: the scan, then protobuf-c. */
int wire_unpack_plain(struct mem_region *r, const wire_type *type, acd_slice raw, uint32_t batch, void **ret,
                      acd_err *err) ACD_MUSTCHECK;

#endif
