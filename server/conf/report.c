#include "conf/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "model/limits.h"

void
conf_report(struct conf_report *r, const char *key, unsigned line, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (line == CONF_LINE_OVERRIDE)
        line = 0;
    if (r->n++ == 0) {
        if (line > 0)
            (void)snprintf(r->first, sizeof(r->first), "line %u: %.170s", line, text);
        else
            (void)snprintf(r->first, sizeof(r->first), "%.190s", text);
    }
    if (r->found && r->n <= LIMIT_CONF_FINDINGS)
        r->found(r->ctx, key, line, text);
}

int
conf_report_end(const struct conf_report *r, acd_err *err)
{
    if (r->n == 0)
        return 0;
    if (r->n == 1)
        return err_set(err, ACD_EINVAL, "%s", r->first);
    return err_set(err, ACD_EINVAL, "%s (and %u more)", r->first, r->n - 1);
}
