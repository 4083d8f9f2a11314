/*
 * The door to the messages of proto/anchord/v1. Everyone who handles messages (core, query, feed, libanchord,
 * tools) includes this file and sees plain structs; only wire/ calls protobuf-c.
 *
 * Threading: pure functions on the caller's region, any thread. Ownership: everything that is made here lives
 * in the region. Errors: ACD_EINVAL (malformed), ACD_ELIMIT (over a bound of model/limits.h), ACD_ENOMEM
 * (region full).
 *
 * Strings of a message are never NULL: an absent string is "". A message made by wire_new holds "" and empty
 * lists, so a handler sets only what it has. Do not assign NULL to a string; WIRE_STR turns NULL into "".
 */
#ifndef WIRE_MSG_H
#define WIRE_MSG_H

#include "anchord/v1/access.pb-c.h"
#include "anchord/v1/account.pb-c.h"
#include "anchord/v1/assoc.pb-c.h"
#include "anchord/v1/ca.pb-c.h"
#include "anchord/v1/client_cert.pb-c.h"
#include "anchord/v1/common.pb-c.h"
#include "anchord/v1/crl.pb-c.h"
#include "anchord/v1/envelope.pb-c.h"
#include "anchord/v1/expiry.pb-c.h"
#include "anchord/v1/key.pb-c.h"
#include "anchord/v1/managed_ca.pb-c.h"
#include "anchord/v1/ops.pb-c.h"
#include "anchord/v1/origin.pb-c.h"
#include "anchord/v1/query.pb-c.h"
#include "anchord/v1/quota.pb-c.h"
#include "anchord/v1/rule.pb-c.h"
#include "anchord/v1/token.pb-c.h"

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

typedef ProtobufCMessageDescriptor wire_type;

/* An initialised message in the region; NULL: the region is full. Prefer the typed form:
 *   Anchord__V1__TrustCa *ca = wire_new(r, Anchord__V1__TrustCa, anchord__v1__trust_ca);
 * The init function is named (and not called) so that a type that does not fit its name does not compile. */
void *wire_msg_new(struct mem_region *r, const wire_type *type) ACD_MUSTCHECK;
#define wire_new(r, Type, lower) \
    (true ? (Type *)wire_msg_new((r), &lower##__descriptor) : (lower##__init((Type *)NULL), (Type *)NULL))

/* A list of n pointers to n initialised messages, for a repeated field; n 0 gives a list of none. NULL: full.
 *   resp->answers = wire_list(r, n, Anchord__V1__TrustAnswer, anchord__v1__trust_answer);
 *   if (!resp->answers) return ACD_ENOMEM;
 *   resp->n_answers = n; */
void *wire_msg_list(struct mem_region *r, size_t n, const wire_type *type) ACD_MUSTCHECK;
#define wire_list(r, n, Type, lower)                               \
    (true ? (Type **)wire_msg_list((r), (n), &lower##__descriptor) \
          : (lower##__init((Type *)NULL), (Type **)NULL))

/* Grows a repeated field by one element; not for lists that were decoded. 0 or ACD_ENOMEM.
 *   if (wire_append(r, &msg->n_cas, &msg->cas, ca) < 0) return ACD_ENOMEM; */
int wire_append_ptr(struct mem_region *r, size_t *n, void ***list, void *item) ACD_MUSTCHECK;
#define wire_append(r, n, list, item) \
    (true ? wire_append_ptr((r), (n), (void ***)(void *)(list), (item)) : (int)((**(list)) == (item)))

/* Strings and bytes of a message. */
#define WIRE_STR(s) ((char *)(s) ? (char *)(s) : (char *)"")     /* borrowed, NULL becomes "" */
char *wire_dup(struct mem_region *r, acd_slice s) ACD_MUSTCHECK; /* a NUL-terminated copy; NULL: full */

/* Text that may hold anything (a file name, a certificate's subject, a plugin's error): what is not UTF-8,
 * and NUL, becomes '?', because a string field holds UTF-8 (proto3). */
char *wire_text(struct mem_region *r, acd_slice s) ACD_MUSTCHECK;
void wire_clean(char *s, size_t len); /* the same in place */

static inline acd_slice
wire_slice(ProtobufCBinaryData b)
{
    return (acd_slice){b.data, b.len};
}

/* Borrowed: the bytes must live as long as the message. */
static inline ProtobufCBinaryData
wire_bytes(acd_slice s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)s.ptr};
}

/* Checks the bounds of wire/scan.h and decodes into the region: in one pass for the messages of codec.def, by
 * scan and protobuf-c for all others. batch: the longest list the message itself may hold, 0:
 * only the general bound. Strings and bytes are copied, so raw may go away. Unknown fields are not kept. */
int wire_unpack_batch(struct mem_region *r, const wire_type *type, acd_slice raw, uint32_t batch, void **ret,
                      acd_err *err) ACD_MUSTCHECK;
int wire_unpack(struct mem_region *r, const wire_type *type, acd_slice raw, void **ret,
                acd_err *err) ACD_MUSTCHECK;

/* Encode. msg is any message of the contract. */
size_t wire_size(const void *msg);
size_t wire_pack_to(const void *msg, uint8_t *out); /* out holds wire_size(msg) */
/* The same bytes in one pass, for messages of codec.def. False: nothing is wrong, the others have to do it.
 */
bool wire_pack_fast(struct mem_region *r, const void *msg, acd_slice *ret) ACD_MUSTCHECK;
int wire_pack(struct mem_region *r, const void *msg, acd_slice *ret, acd_err *err) ACD_MUSTCHECK;

#endif
