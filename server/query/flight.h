/*
 * One verification in flight per question: the first to ask runs it, whoever asks the same meanwhile waits
 * for the result, until its own deadline. Any thread; not inside a read section.
 */
#ifndef QUERY_FLIGHT_H
#define QUERY_FLIGHT_H

#include <stdbool.h>

#include "eval/verdict.h"

struct flights;

int flights_new(struct flights **ret, acd_err *err) ACD_MUSTCHECK;
void flights_free(struct flights *f); /* nobody is inside any more; NULL is fine */

typedef int (*flight_fn)(void *ctx, acd_verdict *ret, acd_err *err);

/* deadline_ns: monotonic, 0: none. *ret_waited: the verdict is that of another caller, for another time
 * perhaps: check its dates. ACD_ETIMEOUT: the deadline passed while waiting. */
int flight_run(struct flights *f, const struct verdict_key *key, uint64_t deadline_ns, flight_fn fn,
               void *ctx, acd_verdict *ret, bool *ret_waited, acd_err *err) ACD_MUSTCHECK;

#endif
