/* Substring search over bytes, for values of a few kilobytes. Any thread. */
#ifndef RULE_FIND_H
#define RULE_FIND_H

#include <stdbool.h>
#include <stddef.h>

/* Is the needle in the haystack? The empty needle always is. Time linear in the haystack for needles up to a
 * fixed length, and by the C library's two-way search above it. */
bool rule_find(const void *hay, size_t hay_len, const void *needle, size_t needle_len);
/* Where it first is, or NULL. */
const void *rule_find_at(const void *hay, size_t hay_len, const void *needle, size_t needle_len);

#endif
