/*
 * The public roots of the system: a file of PEM certificates (Debian: /etc/ssl/certs/ca-certificates.crt),
 * compiled when the first question needs them, shared by all, and read again when the file changes.
 *
 * A file that cannot be used leaves the roots that were read before; without any, nothing is verified by
 * them. What a public root issues is checked with profile compat: some of them are older than RFC 5280.
 *
 * Threading: any thread; roots_get inside a read section only, roots_take outside of one only (it may read
 * the file). roots_refresh by one thread at a time.
 */
#ifndef QUERY_ROOTS_H
#define QUERY_ROOTS_H

#include "plug/validator.h"

struct roots;
struct roots_set; /* one state of the file; immutable */

/* path is copied; NULL: there are no public roots. Reads nothing yet. */
int roots_new(struct plug_validator *validator, const char *path, struct roots **ret,
              acd_err *err) ACD_MUSTCHECK;
void roots_free(struct roots *r); /* nothing is held any more; NULL is fine */

/* The present state, borrowed for the section; NULL: not read yet. */
const struct roots_set *roots_get(const struct roots *r);
/* The present state, held until roots_put. ACD_EUNAVAIL: the file cannot be used, err says why. */
int roots_take(struct roots *r, struct roots_set **ret, acd_err *err) ACD_MUSTCHECK;
/* Holds what roots_get gave, beyond its section. */
struct roots_set *roots_hold(const struct roots_set *set);
void roots_put(struct roots_set *set); /* NULL is fine */

/* Reads the file again if it is another one than before. Costs a stat; does nothing while nobody needed
 * roots. */
void roots_refresh(struct roots *r);

const struct plug_bundle *roots_bundle(const struct roots_set *set);
const uint8_t *roots_digest(const struct roots_set *set); /* 32 bytes: of all certificates in their order */
size_t roots_count(const struct roots_set *set);
const uint8_t *roots_sha256(const struct roots_set *set, size_t i); /* of the i-th certificate, i < count */
const char *roots_path(const struct roots *r);

#endif
