/* query trust: which CAs may vouch for clients of these hosts? */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "cmd.h"
#include "fail.h"
#include "json.h"
#include "out.h"

/* --- files --------------------------------------------------------------------------------------------- */

static int
write_der(struct ctl *c, const char *path, acd_slice der)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0 && io_write_all(fd, der.ptr, der.len) == 0)
        return 0;
    return fail_input(c, ACD_EIO, "%s cannot be written", path);
}

/* --- one answer ---------------------------------------------------------------------------------------- */

static json_t *
js_trust_ca(const Anchord__V1__TrustCa *ca)
{
    json_t *v = js_object();
    js_set(v, "id", js_text(ca->ca_id));
    js_set(v, "index", json_integer(ca->index));
    js_set(v, "subject", js_text(ca->subject));
    js_set(v, "sha256", js_hex(wire_slice(ca->sha256)));
    js_set(v, "not_before", js_time(ca->not_before_ms));
    js_set(v, "expires_on", js_time(ca->not_after_ms));
    js_set(v, "profile", js_text(js_profile((int)ca->profile)));
    js_set(v, "role", js_text(ca->helper ? "helper" : ca->observed ? "observed" : "decides"));
    js_set(v, "helper", json_boolean(ca->helper));
    js_set(v, "observed", json_boolean(ca->observed));
    js_set(v, "priority", ca->priority ? json_integer(ca->priority) : json_null());
    return v;
}

/* The set's CAs, and their files where they are asked for. */
static int
add_cas(struct ctl *c, const Anchord__V1__TrustSet *set, json_t *cas)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < set->n_cas; i++) {
        const Anchord__V1__TrustCa *ca = set->cas[i];
        json_t *v = js_trust_ca(ca);
        if (ctl_flag(c, OPT_DER)) {
            const char *path =
                mem_printf(&c->region, "%s%s.%u.der", ctl_text(c, OPT_DER), ca->ca_id, (unsigned)ca->index);
            rc = write_der(c, ctl_need((char *)path), wire_slice(ca->der));
            js_set(v, "file", js_text(path));
        }
        js_add(cas, v);
    }
    return rc;
}

static int
add_answer(struct ctl *c, const Anchord__V1__GetTrustResponse *resp, size_t i, uint64_t revision,
           json_t *rows)
{
    const Anchord__V1__TrustAnswer *a = resp->answers[i];
    json_t *v = js_object(), *cas = js_array(), *explain = js_array();
    int rc = 0;
    if (a->set > resp->n_sets)
        rc = fail_answer(c, "answer %zu names a set that is not there", i);
    else if (a->set > 0)
        rc = add_cas(c, resp->sets[a->set - 1], cas);
    js_set(v, "host", js_text(a->host));
    js_set(v, "match", js_text(js_match((int)a->match)));
    js_set(v, "pattern", js_text_or_null(a->pattern));
    js_set(v, "zone_id", js_text_or_null(a->zone_id));
    js_set(v, "error", js_text_or_null(a->error));
    js_set(v, "digest", js_hex(wire_slice(a->digest)));
    js_set(v, "revision", json_integer((json_int_t)revision));
    js_set(v, "cas", cas);
    for (size_t k = 0; k < a->n_explain; k++)
        js_add(explain, js_text(a->explain[k]));
    js_set(v, "explain", explain);
    js_add(rows, v);
    return rc;
}

/* --- batches ------------------------------------------------------------------------------------------- */

static int
ask(struct ctl *c, size_t from, size_t n, json_t *rows)
{
    struct admin_result res;
    const void *resp_ = NULL;
    Anchord__V1__GetTrustRequest *req =
        ctl_new(c, Anchord__V1__GetTrustRequest, anchord__v1__get_trust_request);
    req->questions =
        ctl_need(wire_list(&c->region, n, Anchord__V1__TrustQuestion, anchord__v1__trust_question));
    req->n_questions = n;
    for (size_t i = 0; i < n; i++) {
        req->questions[i]->host = WIRE_STR(c->args[from + i]);
        req->questions[i]->product = ctl_space(c);
    }
    req->detail =
        ctl_flag(c, OPT_DER) ? ANCHORD__V1__TRUST_DETAIL__TRUST_DER : ANCHORD__V1__TRUST_DETAIL__TRUST_CAS;
    req->explain = ctl_flag(c, OPT_EXPLAIN);
    int rc = ctl_try(c, "EdgeService/GetTrust", req, &resp_, &res);
    if (rc == ACD_ELIMIT && n > 1) {
        admin_result_done(&res); /* the answer does not fit into a message: in two halves, then */
        rc = ask(c, from, n / 2, rows);
        return rc ? rc : ask(c, from + n / 2, n - n / 2, rows);
    }
    const Anchord__V1__GetTrustResponse *resp = resp_;
    if (rc < 0)
        rc = fail_result(c, rc, &res);
    else if (resp->n_answers != n)
        rc = fail_answer(c, "%zu answers to %zu questions", resp->n_answers, n);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_answer(c, resp, i, res.revision, rows);
    admin_result_done(&res);
    return rc;
}

/* --- output -------------------------------------------------------------------------------------------- */

static const struct out_col cols[] = {
    {"HOST", "host", false},          {"MATCH", "match", false},
    {"PATTERN", "pattern", false},    {"CA", "id", false},
    {"ROLE", "role", false},          {"SUBJECT", "subject", false},
    {"EXPIRES", "expires_on", false}, {NULL, NULL, false},
};

/* A row for each CA of each host; one for a host without. */
static void
show(struct ctl *c, const json_t *answers)
{
    size_t i, k;
    json_t *a, *ca, *line, *rows = js_array();
    json_array_foreach((json_t *)answers, i, a)
    {
        json_t *cas = json_object_get(a, "cas");
        if (json_array_size(cas) == 0)
            js_add(rows, json_incref(a));
        json_array_foreach(cas, k, ca)
        {
            json_t *row = js_need(json_copy(a));
            if (json_object_update(row, ca) < 0)
                ctl_oom();
            js_add(rows, row);
        }
    }
    out_table(c, rows, cols);
    json_decref(rows);
    json_array_foreach((json_t *)answers, i, a)
    {
        const char *host = json_string_value(json_object_get(a, "host"));
        json_array_foreach(json_object_get(a, "explain"), k, line)
            out_line(c, "%s: %s", host, json_string_value(line));
    }
}

/* Questions that could not be answered are said on stderr too. */
static int
report_errors(struct ctl *c, const json_t *answers)
{
    size_t i, n = 0;
    json_t *a, *details = js_array();
    json_array_foreach((json_t *)answers, i, a)
    {
        const char *error = json_string_value(json_object_get(a, "error"));
        if (!error)
            continue;
        json_t *d = js_object();
        js_set(d, "type", js_text("question"));
        js_set(d, "host", js_text(c->args[i]));
        js_set(d, "text", js_text(ctl_need(mem_printf(&c->region, "%s: %s", c->args[i], error))));
        js_add(details, d);
        n++;
    }
    if (n)
        return fail_refused(c, ACD_EINVAL, details, "%zu of %zu questions have no answer", n, i);
    json_decref(details);
    return EXIT_DONE;
}

int
cmd_query_trust(struct ctl *c)
{
    json_t *rows = js_array();
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < c->n_args;) {
        size_t n = c->n_args - at < LIMIT_BATCH_TRUST ? c->n_args - at : LIMIT_BATCH_TRUST;
        rc = ask(c, at, n, rows);
        at += n;
    }
    if (rc == 0) {
        if (c->json)
            out_json(c, json_incref(rows));
        else
            show(c, rows);
        rc = report_errors(c, rows);
    }
    json_decref(rows);
    return rc;
}
