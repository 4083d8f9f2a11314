/* The library behind patterns. Only regex.c includes it. Patterns come from regex_print and hold ASCII only.
 */
#ifndef RULE_REGEX_RE2_H
#define RULE_REGEX_RE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* NULL: the library refused, or memory is short; message (message_len bytes) says what. */
void *regex_re2_new(const char *pattern, size_t len, int64_t memory, char *message, size_t message_len);
bool regex_re2_match(const void *re, const void *p, size_t len);
void regex_re2_free(void *re);

#ifdef __cplusplus
}
#endif

#endif
