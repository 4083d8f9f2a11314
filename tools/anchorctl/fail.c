#include "fail.h"

#include <stdarg.h>
#include <stdlib.h>

#include "json.h"
#include "out.h"

enum { FAIL_TEXT = 1024 };

/* --- text ---------------------------------------------------------------------------------------------- */

/* Length of the control character that stands at s: C0, DEL, or C1 in UTF-8; 0: none. */
static size_t
control(const char *s)
{
    unsigned char a = (unsigned char)s[0], b = (unsigned char)s[1];
    if (a < 0x20 || a == 0x7f)
        return 1;
    return a == 0xc2 && b >= 0x80 && b <= 0x9f ? 2 : 0;
}

void
fail_put(FILE *f, const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1);
    if (!copy)
        return;
    memcpy(copy, text, len + 1);
    wire_clean(copy, len);
    for (const char *s = copy; *s;) {
        size_t n = control(s);
        (void)fputc(n ? '?' : *s, f);
        s += n ? n : 1;
    }
    free(copy);
}

static void
put_line(FILE *f, const char *text)
{
    fail_put(f, text);
    (void)fputc('\n', f);
}

static void
put_sentence(struct ctl *c, const char *text)
{
    (void)fprintf(c->err, "%sanchorctl:%s ", out_paint(c->err, PAINT_BAD), out_paint(c->err, PAINT_OFF));
    put_line(c->err, text);
}

/* The last line on stderr, for programs. details is taken; exit: the program's. */
static void
put_json(struct ctl *c, int status, int exit_code, const char *message, json_t *details, json_t *more)
{
    json_t *error = js_object(), *all = js_object();
    js_set(error, "status", js_text(status_name(status)));
    js_set(error, "message", js_text(message));
    js_set(error, "exit", json_integer(exit_code));
    if (more)
        (void)json_object_update(error, more);
    js_set(error, "details", details ? json_incref(details) : js_array());
    js_set(all, "error", error);
    (void)json_dumpf(all, c->err, JSON_COMPACT);
    (void)fputc('\n', c->err);
    json_decref(all);
}

static int
finish(struct ctl *c, int status, int exit_code, const char *message, json_t *details, json_t *more)
{
    size_t i;
    json_t *d;
    put_sentence(c, message);
    json_array_foreach(details, i, d)
    {
        const char *text = json_string_value(json_object_get(d, "text"));
        (void)fputs("  ", c->err);
        put_line(c->err, text ? text : "");
    }
    if (c->json)
        put_json(c, status, exit_code, message, details, more);
    json_decref(details);
    json_decref(more);
    return exit_code;
}

/* --- our own ------------------------------------------------------------------------------------------- */

int
fail_usage(struct ctl *c, const char *fmt, ...)
{
    char text[FAIL_TEXT];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    put_sentence(c, text);
    if (c->cmd)
        (void)fprintf(c->err, "try 'anchorctl %s %s --help'\n", c->cmd->noun, c->cmd->verb);
    else
        (void)fputs("try 'anchorctl --help'\n", c->err);
    if (c->json)
        put_json(c, ACD_EINVAL, EXIT_USAGE, text, NULL, NULL);
    return EXIT_USAGE;
}

int
fail_input(struct ctl *c, int status, const char *fmt, ...)
{
    char text[FAIL_TEXT];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return finish(c, status, EXIT_USAGE, text, NULL, NULL);
}

int
fail_refused(struct ctl *c, int status, json_t *details, const char *fmt, ...)
{
    char text[FAIL_TEXT];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return finish(c, status, EXIT_REFUSED, text, details, NULL);
}

int
fail_answer(struct ctl *c, const char *fmt, ...)
{
    char text[FAIL_TEXT];
    va_list ap;
    int n =
        snprintf(text, sizeof(text), "the server's answer to %s makes no sense: ", c->asked ? c->asked : "");
    va_start(ap, fmt);
    (void)vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
    va_end(ap);
    return finish(c, ACD_ECORRUPT, EXIT_REFUSED, text, NULL, NULL);
}

/* --- the server's -------------------------------------------------------------------------------------- */

static json_t *
details_of(const struct admin_result *res)
{
    json_t *list = js_array();
    for (size_t i = 0; i < res->n_details; i++) {
        json_t *d = js_detail(res->details[i]);
        if (d)
            js_add(list, d);
    }
    return list;
}

/* Reason and number stand beside the message too, where programs look first. */
static json_t *
summary_of(const struct admin_result *res)
{
    json_t *more = js_object();
    js_set(more, "grpc_code", json_integer(res->code));
    for (size_t i = 0; i < res->n_details; i++) {
        const Anchord__V1__ErrorDetail *d = res->details[i];
        if (d->detail_case != ANCHORD__V1__ERROR_DETAIL__DETAIL_ERROR_INFO)
            continue;
        js_set(more, "reason", js_text(d->error_info->reason));
        if (d->error_info->code)
            js_set(more, "code", json_integer(d->error_info->code));
        break;
    }
    if (res->retry_after_ms)
        js_set(more, "retry_after_ms", json_integer(res->retry_after_ms));
    return more;
}

static bool
unreachable(int status)
{
    return status == ACD_EUNAVAIL || status == ACD_ETIMEOUT;
}

int
fail_result(struct ctl *c, int status, const struct admin_result *res)
{
    char text[FAIL_TEXT];
    bool away = unreachable(status);
    if (!c->client && !away) /* not asked: the URL is none of ours */
        return fail_input(c, status, "%s: %s", c->url, res->message);
    (void)snprintf(text, sizeof(text), "%s%s%s%s", away ? "no answer from the server at " : "",
                   away ? c->url : "", away ? ": " : "", res->message);
    return finish(c, status, away ? EXIT_SERVER : EXIT_REFUSED, text, details_of(res), summary_of(res));
}
