/*
 * Private keys at rest: each is a row, sealed under the current wrapping key. Inside a unit of work.
 *
 * A key belongs to an object (a certificate's id) and to one certificate of it (the SHA-256 of its public
 * key). Both, and the id of the wrapping key, are sealed in as additional data: a row that was copied to
 * another object, or another row's contents, do not open.
 */
#ifndef CORE_KEYS_H
#define CORE_KEYS_H

#include "core/keyring.h"
#include "core/unit.h"
#include "model/digest.h"

/* A private key in the clear, in memory of core/seal.h. */
struct secret {
    uint8_t *bytes;
    size_t len, room;
};
int secret_copy(acd_slice from, struct secret *ret, acd_err *err) ACD_MUSTCHECK;
void secret_done(struct secret *s); /* wipes; an empty one is fine */

static inline acd_slice
secret_slice(const struct secret *s)
{
    return (acd_slice){s->bytes, s->len};
}

/* Keeps a key. The first one ever makes the wrapping key's file, unless this is a dry run. ACD_EPRECOND:
 * there is no wrapping key; the sentence names what is missing. */
int keys_put(struct unit *u, acd_slice owner, acd_slice account, const uint8_t spki[DIGEST_LEN],
             acd_slice key, acd_err *err) ACD_MUSTCHECK;
/* ACD_ENOENT: none is kept. ACD_EPRECOND: its wrapping key is missing, by id. ACD_ECORRUPT: it does not open.
 */
int keys_get(struct unit *u, acd_slice owner, const uint8_t spki[DIGEST_LEN], struct secret *ret,
             acd_err *err) ACD_MUSTCHECK;
int keys_open_row(struct unit *u, const acd_value *row, struct secret *ret, acd_err *err) ACD_MUSTCHECK;
int keys_has(struct unit *u, acd_slice owner, bool *ret, acd_err *err) ACD_MUSTCHECK;
int keys_drop(struct unit *u, acd_slice owner, const uint8_t spki[DIGEST_LEN], acd_err *err) ACD_MUSTCHECK;
int keys_drop_all(struct unit *u, acd_slice owner, acd_err *err) ACD_MUSTCHECK;

/* For the start, outside of a unit: what is kept, and what of it cannot be read, into the log. */
int keys_survey(struct plug_session *session, struct keyring *ring, struct core_keys *ret,
                acd_err *err) ACD_MUSTCHECK;
void keys_log(const struct core_keys *k);

#endif
