/*
 * What plugin authors link: configuration getters, error texts, time.
 *
 * Any plugin may include it; it knows nothing of the server. Functions are pure but for sdk_now_ns; any
 * thread.
 */
#ifndef PLUGINS_SDK_SDK_H
#define PLUGINS_SDK_SDK_H

#include <stdbool.h>

#include <anchord/plugin.h>

#define SDK_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Writes the sentence (when err is not NULL) and returns code. */
int sdk_fail(acd_err *err, int code, const char *fmt, ...) SDK_PRINTF(3, 4);

/* The host hands over every declared item, so a getter finds what the descriptor names; a key that it does
 * not name gives NULL, 0 or false. Strings are NUL-terminated and live as long as the values. */
const acd_conf_val *sdk_conf_find(const acd_conf_val *vals, size_t n, const char *key);
const char *sdk_conf_str(const acd_conf_val *vals, size_t n, const char *key);
int64_t sdk_conf_int(const acd_conf_val *vals, size_t n, const char *key);
bool sdk_conf_bool(const acd_conf_val *vals, size_t n, const char *key);

/* The clock that acd_call.deadline_ns is given in. */
uint64_t sdk_now_ns(void);
/* The call's deadline: 0 when there is none, also for a NULL call. */
uint64_t sdk_deadline(const acd_call *call);

acd_slice sdk_slice(const char *s);
bool sdk_slice_is(acd_slice a, const char *s);
/* UTF-8 as RFC 3629 has it, and no NUL byte: what every SQL database can keep as text. */
bool sdk_text_valid(acd_slice s);

/* The window that a counter must lie in so that counter + delta lies in [lo, hi] without overflow. False: no
 * value does. */
bool sdk_counter_window(int64_t delta, int64_t lo, int64_t hi, int64_t *ret_min, int64_t *ret_max);

#endif
