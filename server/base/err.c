#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct status_row {
    int number;
    const char *name, *text;
    int retryable, grpc, http;
};

static const struct status_row rows[] = {
#define ROW(name, number, text, retryable, grpc, http) {number, #name, text, retryable, grpc, http},
    ACD_STATUS_MAP(ROW)
#undef ROW
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* The numbers run 0, -1, -2, ... in the order of the table. */
static const struct status_row *
row_of(int code)
{
    int i = code > 0 || code <= -ROWS ? -ACD_EINTERNAL : -code;
    must(rows[i].number == -i);
    return &rows[i];
}

const char *
status_name(int code)
{
    return row_of(code)->name;
}

const char *
status_text(int code)
{
    return row_of(code)->text;
}

int
status_retryable(int code)
{
    return row_of(code)->retryable;
}

int
status_grpc(int code)
{
    return row_of(code)->grpc;
}

int
status_http(int code)
{
    return row_of(code)->http;
}

int
status_from_grpc(int grpc)
{
    for (int i = 0; i < ROWS; i++)
        if (rows[i].grpc == grpc)
            return rows[i].number;
    return ACD_EINTERNAL;
}

int
err_set(acd_err *err, int code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
    }
    return code;
}

int
err_context(acd_err *err, int code, const char *fmt, ...)
{
    if (err) {
        char text[2 * sizeof(err->text)];
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(text, sizeof(err->text), fmt, ap);
        va_end(ap);
        size_t at = n < 0 ? 0 : (size_t)n < sizeof(err->text) ? (size_t)n : sizeof(err->text) - 1;
        (void)snprintf(text + at, sizeof(text) - at, ": %s", err_text(err, code));
        memcpy(err->text, text, sizeof(err->text) - 1);
        err->text[sizeof(err->text) - 1] = '\0';
    }
    return code;
}

const char *
err_text(const acd_err *err, int code)
{
    return err && err->text[0] ? err->text : status_text(code);
}
