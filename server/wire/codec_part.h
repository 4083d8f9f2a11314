/* Between the two halves of the codec, codec.c (decoding, the table of types) and codec_encode.c. */
#ifndef WIRE_CODEC_PART_H
#define WIRE_CODEC_PART_H

#include "wire/codec.h"

/* codec_pack for the message at that place of codec.def. */
bool codec_pack_at(size_t i, struct pack *p, const void *msg) ACD_MUSTCHECK;

#endif
