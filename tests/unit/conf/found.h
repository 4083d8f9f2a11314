/* Collects findings as lines "LINE KEY: TEXT" for the tests of conf/. */
#ifndef TESTS_CONF_FOUND_H
#define TESTS_CONF_FOUND_H

#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

struct found {
    unsigned n;
    size_t len;
    char text[16384];
};

static inline void
found_add(void *ctx, const char *key, unsigned line, const char *text)
{
    struct found *f = ctx;
    int n = snprintf(f->text + f->len, sizeof(f->text) - f->len, "%u %s: %s\n", line, key, text);
    if (n > 0 && (size_t)n < sizeof(f->text) - f->len)
        f->len += (size_t)n;
    f->n++;
}

#endif
