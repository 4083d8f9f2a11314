/* Filters of lists: "exact", or "OPERATOR:text" as the v4 API has them for names. Pure. */
#ifndef GATEWAY_FILTER_H
#define GATEWAY_FILTER_H

#include <stdbool.h>

/* Operators: equal, not_equal, starts_with, ends_with, contains, starts_with_case_sensitive,
 * ends_with_case_sensitive, contains_case_sensitive. Without one the text must be equal. NULL fits
 * everything.
 */
bool filter_fits(const char *filter, const char *text);

#endif
