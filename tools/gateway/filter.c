#include "filter.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool
equal(const char *text, const char *part)
{
    return strcmp(text, part) == 0;
}

static bool
differs(const char *text, const char *part)
{
    return strcmp(text, part) != 0;
}

static bool
starts(const char *text, const char *part)
{
    return strncasecmp(text, part, strlen(part)) == 0;
}

static bool
starts_case(const char *text, const char *part)
{
    return strncmp(text, part, strlen(part)) == 0;
}

static bool
ends(const char *text, const char *part)
{
    size_t n = strlen(text), m = strlen(part);
    return n >= m && strcasecmp(text + n - m, part) == 0;
}

static bool
ends_case(const char *text, const char *part)
{
    size_t n = strlen(text), m = strlen(part);
    return n >= m && strcmp(text + n - m, part) == 0;
}

static bool
contains(const char *text, const char *part)
{
    return strcasestr(text, part) != NULL;
}

static bool
contains_case(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static const struct {
    const char *name;
    bool (*fits)(const char *text, const char *part);
} operators[] = {
    {"equal:", equal},
    {"not_equal:", differs},
    {"starts_with:", starts},
    {"ends_with:", ends},
    {"contains:", contains},
    {"starts_with_case_sensitive:", starts_case},
    {"ends_with_case_sensitive:", ends_case},
    {"contains_case_sensitive:", contains_case},
};

bool
filter_fits(const char *filter, const char *text)
{
    if (!filter)
        return true;
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t n = strlen(operators[i].name);
        if (strncmp(filter, operators[i].name, n) == 0)
            return operators[i].fits(text, filter + n);
    }
    return equal(text, filter);
}
