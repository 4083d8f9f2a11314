/*
 * Idempotency keys: the outcome of a mutation is kept under (actor, key) in the same transaction, so that a
 * call that is sent again gives the first reply and changes nothing. Inside a unit of work.
 */
#ifndef CORE_IDEM_H
#define CORE_IDEM_H

#include "core/unit.h"
#include "model/digest.h"

enum { IDEM_REPLAYED = 1 };

/* What makes two requests the same: the method and the payload as sent. */
void idem_digest(const struct unit *u, const char *method, uint8_t ret[DIGEST_LEN]);
/* The key was given before, with that method and digest: ACD_EINVAL, with its detail, when the request of
 * this call is another one. */
int idem_same(struct unit *u, const char *method, const char *before, acd_slice digest,
              acd_err *err) ACD_MUSTCHECK;

/* ACD_ENOENT: the key is new. IDEM_REPLAYED: *ret_resp is the first reply. ACD_EINVAL: the key was used for
 * another request. */
int idem_find(struct unit *u, const char *method, void **ret_resp, acd_err *err) ACD_MUSTCHECK;

/* Keeps the reply; forgets some outcomes that are older than a day. */
int idem_store(struct unit *u, const char *method, const void *resp, acd_err *err) ACD_MUSTCHECK;

#endif
