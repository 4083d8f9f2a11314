#include "x509_batch.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "x509_input.h"

/* Names of refusals that come from the request, not from the chain. */
#define BAD_JSON    "ACD_V_ERR_BAD_JSON"
#define BAD_REQUEST "ACD_V_ERR_BAD_REQUEST"

static bool
absent(const json_t *v)
{
    return !v || json_is_null(v);
}

static bool
get_text(const json_t *req, const char *key, acd_slice *ret)
{
    const json_t *v = json_object_get(req, key);
    *ret = (acd_slice){NULL, 0};
    if (absent(v))
        return true;
    if (!json_is_string(v))
        return false;
    *ret = slice_of(json_string_value(v), json_string_length(v));
    return true;
}

/* A list of texts; each may hold several certificates. raw: kept as they are. */
static const char *
get_list(struct x509_question *q, const json_t *req, const char *key, struct x509_list *l, bool raw)
{
    const json_t *v = json_object_get(req, key), *item;
    size_t i, n;
    if (absent(v))
        return NULL;
    if (!json_is_array(v))
        return BAD_REQUEST;
    json_array_foreach(v, i, item)
    {
        if (!json_is_string(item))
            return BAD_REQUEST;
        acd_slice text = slice_of(json_string_value(item), json_string_length(item));
        int rc = raw ? x509_list_add(&q->region, l, text) : x509_list_certs(&q->region, l, text, &n);
        if (rc < 0)
            return status_name(rc);
    }
    return NULL;
}

static const char *
get_options(struct x509_question *q, const json_t *req)
{
    acd_slice purpose, when, profile;
    const json_t *depth = json_object_get(req, "max_depth");
    acd_verify *v = &q->verify;
    if (!get_text(req, "purpose", &purpose) || !get_text(req, "time", &when) ||
        !get_text(req, "profile", &profile) || !get_text(req, "host", &v->host) ||
        !get_text(req, "ip", &v->ip) || !get_text(req, "email", &v->email))
        return BAD_REQUEST;
    if (slice_eqs(purpose, "client"))
        v->purpose = ACD_PURPOSE_CLIENT;
    else if (slice_eqs(purpose, "server"))
        v->purpose = ACD_PURPOSE_SERVER;
    else
        return BAD_REQUEST;
    if (slice_eqs(profile, "compat"))
        q->profile = ACD_PROFILE_COMPAT;
    else if (profile.ptr && !slice_eqs(profile, "strict"))
        return BAD_REQUEST;
    v->at_ms = clock_wall_ms(&clock_system);
    if (when.ptr && !time_parse(when, &v->at_ms))
        return BAD_REQUEST;
    if (!absent(depth) && (!json_is_integer(depth) || json_integer_value(depth) < 0))
        return BAD_REQUEST;
    if (!absent(depth))
        v->max_depth = json_integer_value(depth) > INT32_MAX ? INT32_MAX : (int32_t)json_integer_value(depth);
    return NULL;
}

static const char *
get_leaf(struct x509_question *q, const json_t *req)
{
    struct x509_list list = {0};
    acd_slice text;
    size_t n;
    if (!get_text(req, "leaf", &text) || !text.ptr)
        return BAD_REQUEST;
    int rc = x509_list_certs(&q->region, &list, text, &n);
    if (rc < 0)
        return status_name(rc);
    if (list.n != 1)
        return "ACD_V_ERR_CERT_UNREADABLE";
    q->verify.leaf = list.items[0];
    return NULL;
}

/* NULL when verified, else the name of the error; text is where it may be kept. */
static const char *
answer(const acd_validator_ops *ops, void *inst, const json_t *req, char *text, size_t cap)
{
    struct x509_question q;
    acd_verdict verdict;
    acd_err err = ACD_ERR_INIT;
    x509_question_init(&q);
    const char *error = json_is_object(req) ? get_options(&q, req) : BAD_REQUEST;
    if (!error)
        error = get_list(&q, req, "trust", &q.trust, false);
    if (!error)
        error = get_list(&q, req, "untrusted", &q.untrusted, false);
    if (!error)
        error = get_list(&q, req, "crls", &q.crls, true);
    if (!error)
        error = get_leaf(&q, req);
    if (!error) {
        int rc = x509_ask(ops, inst, &q, &verdict, &err);
        if (rc == ACD_EINVAL)
            error = q.crls.n ? "ACD_V_ERR_CRL_UNREADABLE" : BAD_REQUEST;
        else if (rc < 0)
            error = status_name(rc);
        else if (verdict.result != ACD_VERIFIED) {
            (void)snprintf(text, cap, "%s", verdict.error);
            error = text;
        }
    }
    x509_question_done(&q);
    return error;
}

static int
print_answer(FILE *out, const json_t *id, const char *error)
{
    json_t *o = json_object();
    int rc = o ? json_object_set(o, "id", absent(id) ? json_null() : (json_t *)id) : -1;
    if (rc == 0)
        rc = json_object_set_new(o, "verified", json_boolean(error == NULL));
    if (rc == 0)
        rc = json_object_set_new(o, "error", error ? json_string(error) : json_null());
    if (rc == 0)
        rc = json_dumpf(o, out, JSON_COMPACT);
    json_decref(o);
    if (rc == 0 && (fputc('\n', out) == EOF || fflush(out) != 0))
        rc = -1;
    return rc;
}

/* One line without its end; false at the end of input. A line over the limit is consumed and marked. */
static bool
read_line(FILE *in, struct buf *b)
{
    int c;
    bool any = false;
    buf_clear(b);
    while ((c = getc_unlocked(in)) != EOF) {
        any = true;
        if (c == '\n')
            break;
        buf_putc(b, (char)c);
    }
    return any;
}

static bool
blank(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (!strchr(" \t\r", b->data[i]) || b->data[i] == '\0')
            return false;
    return !b->failed;
}

int
x509_batch(const acd_validator_ops *ops, void *inst, FILE *in, FILE *out)
{
    struct buf line = BUF_INIT(X509_INPUT_FILE);
    int rc = 0;
    while (rc == 0 && read_line(in, &line)) {
        char text[sizeof(((acd_verdict *)NULL)->error)];
        if (blank(&line))
            continue;
        json_t *req = line.failed ? NULL : json_loadb(line.data, line.len, JSON_ALLOW_NUL, NULL);
        const char *error = line.failed ? "ACD_V_ERR_REQUEST_SIZE" : BAD_JSON;
        if (req)
            error = answer(ops, inst, req, text, sizeof(text));
        rc = print_answer(out, json_object_get(req, "id"), error);
        json_decref(req);
    }
    buf_done(&line);
    return rc == 0 && !ferror(in) ? 0 : 2;
}
