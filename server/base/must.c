#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void
must_fail(const char *expr, const char *file, int line, const char *func)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "anchord: panic: %s at %s:%d in %s\n", expr, file, line, func);
    if (n > 0) {
        size_t len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
        (void)!write(STDERR_FILENO, text, len);
    }
    abort();
}
