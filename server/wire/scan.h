/*
 * A pass over the raw bytes of a message before protobuf-c sees them, driven by the message's descriptor. It
 * makes sure that decoding stays within bounds and loses nothing silently:
 *   - size, nesting (LIMIT_DEPTH), length of each repeated field, length of a method's batch;
 *   - strings are UTF-8 without NUL (protobuf-c would cut them at the NUL);
 *   - tags, wire types and lengths are well formed (protobuf encoding, "Message Structure");
 *   - the memory that decoding will take, estimated from above, is within a bound.
 * Unknown fields are skipped, and reported, so that the decoder can forget them.
 *
 * Included by wire/ and the fuzz target. Pure, any thread, no allocation.
 * Errors: ACD_EINVAL and ACD_ELIMIT, the text names the field: "questions[3].host: not UTF-8".
 */
#ifndef WIRE_SCAN_H
#define WIRE_SCAN_H

#include "wire/msg.h"

struct scan_bounds {
    size_t size;      /* bytes of the message */
    uint32_t depth;   /* levels, the message itself is one */
    uint32_t repeats; /* elements of any repeated field */
    uint32_t batch;   /* elements of a repeated field of the outermost message; 0: `repeats` */
    size_t memory;    /* bytes of the decoded form */
};

struct scan_result {
    size_t memory; /* the estimate and a copy of the bytes; decoding takes no more from a region */
    bool unknown;  /* there were fields that the descriptor does not know */
};

/* The product's bounds (model/limits.h). */
extern const struct scan_bounds scan_default;

/* What decoding allocates, beside the structs and their contents: for an element of a list; for an unknown
 * field; and for the fields of one message (protobuf-c 1.4 keeps a record of 32 bytes per field of the input,
 * in slabs that double in size, once there are more than 16; and 24 bytes per unknown field). */
enum { SCAN_ELEMENT = 16, SCAN_ALIGN = 16, SCAN_MEMBER = 32, SCAN_MEMBERS_FREE = 16, SCAN_UNKNOWN = 24 };

static inline size_t
scan_round(size_t bytes)
{
    return (bytes + SCAN_ALIGN - 1) & ~(size_t)(SCAN_ALIGN - 1);
}

static inline size_t
scan_unknown(size_t len)
{
    return scan_round(SCAN_UNKNOWN + SCAN_ALIGN + len);
}

static inline size_t
scan_members(size_t n)
{
    return n > SCAN_MEMBERS_FREE ? (2 * n + 2 * SCAN_MEMBERS_FREE) * SCAN_MEMBER : 0;
}

int scan_message(const wire_type *type, acd_slice raw, const struct scan_bounds *bounds,
                 struct scan_result *ret, acd_err *err) ACD_MUSTCHECK;

#endif
