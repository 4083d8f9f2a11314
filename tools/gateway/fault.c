/*
 * What the server refused, as problems of the API.
 *
 * The server names a number where the API has one; findings and fields have tables here. A permanent refusal
 * is 400 and never 409, because clients send 409 again and again. What may have been carried out although no
 * answer came is 500 with `x-should-retry: false`; what was certainly not is 503.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "gw.h"
#include "metrics.h"

enum { INTERNAL = 1500, INVALID = 1419, TOO_LARGE = 1424, PROBLEMS_MAX = 20 };

/* Numbers that the server names. text NULL: the server's sentence. */
static const struct {
    unsigned code, status;
    const char *text;
} numbers[] = {
    {1220, 400, "This certificate has already been submitted."},
    {1407, 400, "Certificate already deleted"},
    {1411, 400, "Only root CA certificate is allowed."},
    {1415, 404, "Invalid Certificate ID in request"},
    {1421, 400, NULL},
    {1445, 400, NULL},
    {1450, 400, NULL},
    {1471, 400, "Certificate already exists"},
    {1472, 404, "Certificate not found"},
    {1473, 400, "Certificate cannot be deleted while in use."},
    {1489, 400, "Hit maximum CA cert allocation."},
    {12130, 400, "access.api.error.conflict: maximum number of certificates has been reached"},
    {12131, 409, "access.api.error.conflict: certificate already exists"},
    {12134, 409, "access.api.error.conflict: certificate has active associations"},
    {12135, 404, "access.api.error.not_found"},
};

/* Findings about an upload, by the beginning of their code; the first that fits counts. */
static const struct {
    const char *prefix;
    unsigned code;
    const char *text; /* before the finding's own; NULL: nothing */
} findings[] = {
    {"leaf.is_ca", 1412, "Missing leaf certificate."},
    {"root.count", 1413, NULL},
    {"root.", 1411, "Only root CA certificate is allowed."},
    {"upload.too_", TOO_LARGE, NULL},
    {"upload.", 1413, "unable to parse certificate:"},
    {"pem.", 1413, "unable to parse certificate:"},
    {"cert.unreadable", 1413, "unable to parse certificate:"},
    {"cert.sig_algorithm", 1414, NULL},
    {"cert.key_", 1414, NULL},
    {"ca.not_ca", 1416, NULL},
    {"cert.expired", 1417, NULL},
    {"key.mismatch", 1418, NULL},
    {"key.", 2106, NULL},
    {"", 1413, NULL},
};

struct faults {
    struct gw *g;
    const struct resource *what;
    struct problem list[PROBLEMS_MAX];
    size_t n;
};

static void
add(struct faults *f, unsigned status, unsigned code, const char *pointer, const char *message)
{
    if (f->n < PROBLEMS_MAX)
        f->list[f->n++] =
            (struct problem){.status = status, .code = code, .pointer = pointer, .message = message};
}

/* --- details ----------------------------------------------------------------------------------------------
 */

static void
add_finding(struct faults *f, const Anchord__V1__Finding *m)
{
    size_t i = 0;
    if (m->severity != ANCHORD__V1__SEVERITY__SEVERITY_ERROR)
        return;
    if (f->what->finding_code) {
        add(f, 400, f->what->finding_code, f->what->upload, m->message);
        return;
    }
    while (!str_starts(m->code, findings[i].prefix))
        i++;
    const char *text = findings[i].text;
    const char *message = text ? mem_printf(f->g->region, "%s %s", text, m->message) : m->message;
    const char *pointer = str_starts(m->code, "key.") ? "/private_key" : f->what->upload;
    add(f, 400, findings[i].code, pointer, message ? message : m->message);
}

/* "hosts[3]" becomes "/hostnames/3" where the resource has {"hosts", "/hostnames"}. */
static const char *
field_pointer(struct faults *f, const char *field)
{
    const char *bracket = strchr(field, '[');
    size_t len = bracket ? (size_t)(bracket - field) : strlen(field);
    for (size_t i = 0; i < RESOURCE_FIELDS && f->what->fields[i].theirs; i++) {
        if (!slice_eqs(slice_of(field, len), f->what->fields[i].theirs))
            continue;
        int digits = bracket ? (int)strspn(bracket + 1, "0123456789") : 0;
        return bracket ? mem_printf(f->g->region, "%s/%.*s", f->what->fields[i].ours, digits, bracket + 1)
                       : f->what->fields[i].ours;
    }
    return NULL;
}

static const Anchord__V1__ErrorInfo *
info_of(const struct admin_result *res)
{
    for (size_t i = 0; i < res->n_details; i++)
        if (res->details[i]->detail_case == ANCHORD__V1__ERROR_DETAIL__DETAIL_ERROR_INFO)
            return res->details[i]->error_info;
    return NULL;
}

/* What is about the upload as a whole goes before what is about one of many certificates. */
static void
add_details(struct faults *f, const struct admin_result *res)
{
    for (size_t i = 0; i < 2 * res->n_details; i++) {
        const Anchord__V1__ErrorDetail *d = res->details[i % res->n_details];
        bool first = i < res->n_details;
        if (d->detail_case == ANCHORD__V1__ERROR_DETAIL__DETAIL_FINDING && first == (d->finding->index < 0))
            add_finding(f, d->finding);
        else if (first && d->detail_case == ANCHORD__V1__ERROR_DETAIL__DETAIL_FIELD_VIOLATION)
            add(f, 400, f->what->invalid_code ? f->what->invalid_code : INVALID,
                field_pointer(f, d->field_violation->field), d->field_violation->description);
    }
}

static bool
add_number(struct faults *f, const Anchord__V1__ErrorInfo *info, const char *message)
{
    for (size_t i = 0; info && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (info->code && info->code == numbers[i].code) {
            add(f, numbers[i].status, info->code, NULL, numbers[i].text ? numbers[i].text : message);
            return true;
        }
    return false;
}

/* --- rights -----------------------------------------------------------------------------------------------
 */

/* Whether an account or a zone exists is nobody's business who may not see it: both are refused alike. */
static bool
is_scope(const struct gw *g, const Anchord__V1__ErrorInfo *info)
{
    return info && info->subject[0] &&
           (strcmp(info->subject, gw_param(g, "account")) == 0 ||
            strcmp(info->subject, gw_param(g, "zone")) == 0);
}

static void
add_denied(struct faults *f)
{
    if (f->what->scope_is_it)
        add(f, 403, 9109, NULL, "Unauthorized to access requested resource");
    else
        add(f, 403, 10000, NULL, "Authentication error");
}

static void
add_unknown_caller(struct faults *f)
{
    if (f->g->auth.authorization)
        add(f, 401, 10000, NULL, "Authentication error");
    else
        add(f, 403, 9103, NULL, "Unknown X-Auth-Key or X-Auth-Email");
}

/* --- the server's own troubles ----------------------------------------------------------------------------
 */

static void
add_trouble(struct faults *f, const struct admin_result *res)
{
    struct gw *g = f->g;
    bool change = strcmp(g->http->method, "GET") != 0 && strcmp(g->http->method, "HEAD") != 0;
    bool refused = res->status == ACD_EBUSY || res->status == ACD_EUNAVAIL || res->status == ACD_ENOMEM;
    bool open = change && (res->call.lost || !refused);
    LOG(ACD_LOG_WARNING, "server.failed", LF_STR("status", status_name(res->status)),
        LF_STR("text", res->message), LF_INT("attempts", res->call.attempts));
    atomic_fetch_add(&g->gateway->metrics->server_failed, 1);
    if (open) {
        http_reply_header(g->rep, "X-Should-Retry", "false");
        add(f, 500, INTERNAL, NULL, "Internal error: the change may or may not have been made");
    } else if (refused || res->status == ACD_ETIMEOUT) {
        http_reply_header(g->rep, "Retry-After", "1");
        add(f, 503, INTERNAL, NULL, "The server cannot be asked at the moment");
    } else {
        add(f, 500, INTERNAL, NULL, "Internal error");
    }
}

static void
add_status(struct faults *f, const struct admin_result *res)
{
    const char *text = res->message;
    switch (res->status) {
    case ACD_ENOENT:
        add(f, 404, f->what->missing_code, NULL, f->what->missing);
        break;
    case ACD_EINVAL:
    case ACD_EEXIST:
    case ACD_EPRECOND:
        add(f, 400, f->what->invalid_code ? f->what->invalid_code : INVALID, NULL, text);
        break;
    case ACD_ELIMIT:
        add(f, 400, TOO_LARGE, NULL, text);
        break;
    case ACD_ECONFLICT:
        add(f, 409, f->what->invalid_code ? f->what->invalid_code : INVALID, NULL, text);
        break;
    case ACD_ENOTSUP:
        add(f, 400, f->what->invalid_code ? f->what->invalid_code : INVALID, NULL, text);
        break;
    default:
        add_trouble(f, res);
    }
}

void
gw_fail_call(struct gw *g, const struct resource *what, const struct admin_result *res)
{
    struct faults f = {.g = g, .what = what};
    const Anchord__V1__ErrorInfo *info = info_of(res);
    if (res->status == ACD_EUNAUTH)
        add_unknown_caller(&f);
    else if (res->status == ACD_ENOENT && is_scope(g, info))
        add_denied(&f);
    else if (info && strcmp(info->reason, "OTHER_ACCOUNT") == 0)
        add(&f, 404, what->missing_code, NULL, what->missing);
    else if (!add_number(&f, info, res->message) && res->status == ACD_EDENIED)
        add_denied(&f);
    else if (f.n == 0)
        add_details(&f, res);
    if (f.n == 0)
        add_status(&f, res);
    if (f.list[0].status == 409)
        http_reply_header(g->rep, "X-Should-Retry", "false");
    g->match.route->style->problems(g, f.list, f.n);
}
