/*
 * Errors: a negative acd_status as return value, and a sentence in acd_err where a human must act.
 * Any thread; an acd_err belongs to its caller. A NULL acd_err is allowed everywhere and drops the text.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <anchord/types.h>

#include "base/must.h"

/* Writes the sentence and returns code, so that `return err_set(err, ACD_EINVAL, ...)` reads well. */
int err_set(acd_err *err, int code, const char *fmt, ...) ACD_PRINTF(3, 4);

/* Puts "context: " before the sentence that is there. Returns code. */
int err_context(acd_err *err, int code, const char *fmt, ...) ACD_PRINTF(3, 4);

/* The sentence, or the code's own text where there is none. */
const char *err_text(const acd_err *err, int code);

const char *status_name(int code); /* "ACD_EINVAL"; "ACD_EINTERNAL" for unknown ones */
const char *status_text(int code);
int status_retryable(int code);
int status_grpc(int code);
int status_http(int code);
int status_from_grpc(int grpc); /* the first row with that gRPC code; ACD_EINTERNAL otherwise */

#endif
