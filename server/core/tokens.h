/*
 * Every token in memory, so that a call is judged without a question to storage, and a revoked token is
 * refused from the next call on.
 *
 * Threading: one loader at a time (the writer's place); finding is for any thread registered with RCU, and
 * never waits. Ownership: what is found is copied into the caller's region.
 */
#ifndef CORE_TOKENS_H
#define CORE_TOKENS_H

#include "base/mem.h"
#include "core/grant.h"
#include "plug/storage.h"

enum {
    TOKEN_TEXT_MIN = 37,
    TOKEN_TEXT_MAX = 80
}; /* of the secrets that there may be, older forms included */

struct token_table;

struct tokens {
    struct token_table *table; /* RCU; NULL: not to be had, nobody is let in */
};

/* Reads all of them from storage, in a read transaction of its own. On failure there are none, which refuses
 * every token: a revoked one must not be taken because storage failed. */
int tokens_load(struct tokens *t, struct plug_session *s, acd_err *err) ACD_MUSTCHECK;
void tokens_done(struct tokens *t);

/* The grant of a secret. 0; ACD_ENOENT: there is none; ACD_EUNAVAIL: the tokens could not be read. */
int tokens_find(struct tokens *t, acd_slice secret, struct mem_region *r, struct grant **ret) ACD_MUSTCHECK;

#endif
