/*
 * Regular expressions over bytes: the syntax of Rust's regex crate with Unicode mode and UTF-8 mode off.
 *
 * What is accepted is decided by our own parser; the library behind only runs patterns that we print for it,
 * so another library changes no answer. Not taken, and refused with a message: (?u) and (?R), \< \> and
 * \b{...}, group names outside ASCII. Matching is an unanchored search in time linear in the value.
 *
 * A compiled regex is read-only and free for any thread (the library guards its own cache).
 */
#ifndef RULE_REGEX_H
#define RULE_REGEX_H

#include <stdbool.h>

#include <anchord/types.h>

#include "base/must.h"
#include "rule/limits.h"

struct rule_regex;

/* ACD_EINVAL: not accepted, the message says why. ACD_ENOMEM. Nothing is compiled. */
int rule_regex_check(acd_slice pattern, char message[RULE_MESSAGE_MAX]) ACD_MUSTCHECK;
int rule_regex_new(acd_slice pattern, struct rule_regex **ret, char message[RULE_MESSAGE_MAX]) ACD_MUSTCHECK;
void rule_regex_free(struct rule_regex *re);
bool rule_regex_match(const struct rule_regex *re, const void *p, size_t len);
/* States of the automaton, as reckoned for the limit: what a byte of the value can cost at most. */
unsigned rule_regex_states(const struct rule_regex *re);
/* Does matching need the library, or only byte comparison? For tests and the bench. */
bool rule_regex_is_literal(const struct rule_regex *re);

#endif
