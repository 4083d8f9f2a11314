/*
 * The wrapping keys: the current one, under which private keys are kept, and earlier ones, under which some
 * may still be.
 *
 * A key is 256 bits, written as 64 hex digits. It comes from one source: a file, a systemd credential
 * (systemd.exec(5), LoadCredential=), an environment variable; without any of them from a file of our own,
 * which is made when the first private key is to be kept. A key is named by its id: 16 hex digits that tell
 * nothing about it.
 *
 * A source that cannot be read is no error of keyring_open: the server goes on and answers, and whatever
 * needs a private key is refused with the reason. Any thread; keys live in memory that is never swapped out.
 */
#ifndef CORE_KEYRING_H
#define CORE_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#include "base/must.h"
#include "core/seal.h"

enum { KEYRING_ID_LEN = 16, KEYRING_WHY = 240 };

/* At most one of file, credential and env; strings are borrowed for the call. */
struct keyring_opts {
    const char *file, *credential, *env;
    const char *own;        /* path of the file that is made on first need */
    const char *const *old; /* files with earlier keys */
    size_t nold;
};

struct wrap_key {
    char id[KEYRING_ID_LEN + 1];
    uint8_t bytes[SEAL_KEY_LEN];
};

struct keyring;

/* ACD_ENOMEM, or 0 with what could be read. */
int keyring_open(const struct keyring_opts *opts, struct keyring **ret, acd_err *err) ACD_MUSTCHECK;
void keyring_free(struct keyring *r); /* NULL is fine */

/* The current key; NULL: there is none, and keyring_why says why. */
const struct wrap_key *keyring_current(struct keyring *r);
/* The key with this id; NULL: it is not among those given. */
const struct wrap_key *keyring_find(struct keyring *r, acd_slice id);
/* What is wrong with the sources, "" when nothing is. Lives as long as the ring. */
const char *keyring_why(struct keyring *r);

/* May our own file be made? False when another source was named, or a file is there that cannot be used. */
bool keyring_may_make(struct keyring *r);
/* Makes the file, mode 0600, durably, with a new key that is the current one from then on. */
int keyring_make(struct keyring *r, acd_err *err) ACD_MUSTCHECK;

#endif
