/*
 * ca import: each certificate of a bundle is staged as an object of its own, then all are committed in one
 * transaction. Everything that is wrong is collected first, so that one run shows it all. The import is ended
 * (AbortImport) whatever happens: a commit leaves it open on the server.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd.h"
#include "fail.h"
#include "input.h"
#include "json.h"
#include "out.h"
#include "pem.h"

struct import {
    struct ctl *c;
    struct buf text;
    struct pem_block *blocks;
    size_t n, cap;
    size_t other; /* blocks that are not certificates, with --skip-refused */
    size_t refused;
    json_t *findings;
    const char *id;
    int shown; /* progress: the last step that was shown */
};

/* --- the bundle ---------------------------------------------------------------------------------------- */

static int
add_block(struct import *im, const struct pem_block *b)
{
    if (im->n == LIMIT_IMPORT_OBJECTS)
        return fail_input(im->c, ACD_ELIMIT,
                          "%s holds more than %d certificates, the most one import may have", im->c->args[0],
                          LIMIT_IMPORT_OBJECTS);
    if (im->n == im->cap) {
        im->cap = im->cap ? im->cap * 2 : 64;
        im->blocks = ctl_need(realloc(im->blocks, im->cap * sizeof(*im->blocks)));
    }
    im->blocks[im->n++] = *b;
    return 0;
}

/* A block of another kind (a private key, perhaps) is never sent. */
static int
other_block(struct import *im, const struct pem_block *b)
{
    int len = (int)(b->label.len < 64 ? b->label.len : 64);
    if (!ctl_flag(im->c, OPT_SKIP_REFUSED))
        return fail_input(im->c, ACD_EINVAL, "%s: line %zu: a block that is not a certificate: %.*s",
                          im->c->args[0], b->line, len, (const char *)b->label.ptr);
    im->other++;
    return 0;
}

static int
read_bundle(struct import *im)
{
    struct ctl *c = im->c;
    acd_err err = ACD_ERR_INIT;
    struct pem_reader r;
    struct pem_block b;
    int found, rc = input_text(c, c->args[0], &im->text);
    if (rc)
        return rc;
    pem_init(&r, slice_of(im->text.data, im->text.len));
    while (rc == 0 && (found = pem_next(&r, &b, &err)) != 0) {
        if (found < 0)
            rc = fail_input(c, found, "%s: %s", c->args[0], err_text(&err, found));
        else
            rc = pem_is_cert(&b) ? add_block(im, &b) : other_block(im, &b);
    }
    if (rc == 0 && im->n == 0)
        rc = fail_input(c, ACD_EINVAL, "%s holds no certificate", c->args[0]);
    return rc;
}

/* --- progress ------------------------------------------------------------------------------------------ */

enum { BAR = 40, STEPS_LINE = 10 };

/* A bar that is drawn over itself on a terminal; elsewhere a line for each tenth, none with -o json, where
 * stderr is for programs. */
static void
progress(struct import *im, size_t done)
{
    FILE *f = im->c->err;
    bool tty = isatty(fileno(f));
    int step = (int)(done * (tty ? BAR : STEPS_LINE) / im->n);
    if (step == im->shown || (!tty && im->c->json))
        return;
    im->shown = step;
    if (!tty) {
        (void)fprintf(f, "checked %zu of %zu certificates\n", done, im->n);
        return;
    }
    (void)fputs("\r[", f);
    for (int i = 0; i < BAR; i++)
        (void)fputc(i < step ? '#' : ' ', f);
    (void)fprintf(f, "] %zu/%zu%s", done, im->n, done == im->n ? "\n" : "");
    (void)fflush(f);
}

/* What is printed next begins on a line of its own. */
static void
progress_break(struct import *im)
{
    if (im->shown > 0 && im->shown < BAR && isatty(fileno(im->c->err)))
        (void)fputc('\n', im->c->err);
}

/* --- staging ------------------------------------------------------------------------------------------- */

static int
start(struct import *im)
{
    struct ctl *c = im->c;
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__StartImportRequest *req =
        ctl_new(c, Anchord__V1__StartImportRequest, anchord__v1__start_import_request);
    req->account = ctl_text(c, OPT_ACCOUNT);
    req->product = ctl_text(c, OPT_PRODUCT);
    req->profile = ctl_profile(c);
    int rc = ctl_call(c, "CaService/StartImport", req, &resp, &res);
    if (rc == 0)
        im->id =
            ctl_need(mem_strdup(&c->region, ((const Anchord__V1__StartImportResponse *)resp)->import_id));
    admin_result_done(&res);
    return rc;
}

static void
keep_findings(struct import *im, size_t i, const Anchord__V1__AddToImportResponse *resp)
{
    for (size_t k = 0; k < resp->n_findings; k++) {
        const Anchord__V1__Finding *f = resp->findings[k];
        json_t *v = js_finding(f);
        const char *text = mem_printf(&im->c->region, "line %zu: %s %s: %s", im->blocks[i].line,
                                      json_string_value(json_object_get(v, "severity")), f->code, f->message);
        js_set(v, "index", json_integer((json_int_t)i));
        js_set(v, "line", json_integer((json_int_t)im->blocks[i].line));
        js_set(v, "text", js_text(ctl_need((char *)text)));
        js_add(im->findings, v);
    }
    im->refused += !resp->acceptable;
}

static int
add_one(struct import *im, size_t i, struct mem_region *scratch)
{
    struct ctl *c = im->c;
    struct admin_result res;
    const void *resp = NULL;
    acd_slice text = im->blocks[i].text;
    Anchord__V1__AddToImportRequest *req =
        ctl_need(wire_new(scratch, Anchord__V1__AddToImportRequest, anchord__v1__add_to_import_request));
    req->import_id = WIRE_STR(im->id);
    req->certificates = ctl_need(mem_strndup(scratch, text.ptr, text.len));
    int rc = ctl_try(c, "CaService/AddToImport", req, &resp, &res);
    if (rc == 0) {
        keep_findings(im, i, resp);
    } else {
        progress_break(im);
        rc = fail_result(c, rc, &res);
    }
    admin_result_done(&res);
    return rc;
}

static int
add_all(struct import *im)
{
    struct mem_region scratch;
    int rc = 0;
    mem_init(&scratch, 65536, 0);
    for (size_t i = 0; rc == 0 && i < im->n; i++) {
        mem_reset(&scratch);
        rc = add_one(im, i, &scratch);
        if (rc == 0)
            progress(im, i + 1);
    }
    mem_done(&scratch);
    return rc;
}

/* What the server drops by itself after a while; that this call fails is no news. */
static void
end(struct import *im)
{
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__AbortImportRequest *req =
        ctl_new(im->c, Anchord__V1__AbortImportRequest, anchord__v1__abort_import_request);
    im->c->call = (struct admin_opts){0};
    req->import_id = WIRE_STR(im->id);
    if (ctl_try(im->c, "CaService/AbortImport", req, &resp, &res) == 0)
        im->id = NULL;
    admin_result_done(&res);
}

/* --- commit -------------------------------------------------------------------------------------------- */

static json_t *
js_imported(struct import *im, const Anchord__V1__CommitImportResponse *resp)
{
    json_t *v = js_object(), *ids = js_array();
    for (size_t i = 0; i < resp->n_ids; i++)
        js_add(ids, js_text(resp->ids[i]));
    js_set(v, "certificates", json_integer((json_int_t)im->n));
    js_set(v, "imported", json_integer((json_int_t)resp->n_ids));
    js_set(v, "refused", json_integer((json_int_t)(resp->refused + im->other)));
    js_set(v, "duplicates", json_integer(resp->duplicates));
    js_set(v, "quota", resp->quota ? js_pool(resp->quota) : json_null());
    js_set(v, "dry_run", json_boolean(ctl_flag(im->c, OPT_DRY_RUN)));
    js_set(v, "findings", json_incref(im->findings));
    js_set(v, "ids", ids);
    return v;
}

static void
show(struct import *im, const Anchord__V1__CommitImportResponse *resp)
{
    struct ctl *c = im->c;
    json_t *f;
    size_t i;
    if (c->json) {
        out_json(c, js_imported(im, resp));
        return;
    }
    json_array_foreach(im->findings, i, f) out_line(c, "%s", json_string_value(json_object_get(f, "text")));
    out_line(c, "%simported %zu of %zu certificates; %zu refused, %u there already",
             ctl_flag(c, OPT_DRY_RUN) ? "dry run: " : "", resp->n_ids, im->n, resp->refused + im->other,
             (unsigned)resp->duplicates);
    if (resp->quota && resp->quota->limit >= 0)
        out_line(c, "quota %s: %lld of %lld used", resp->quota->pool, (long long)resp->quota->used,
                 (long long)resp->quota->limit);
}

static int
commit(struct import *im)
{
    struct ctl *c = im->c;
    struct admin_result res;
    const void *resp = NULL;
    Anchord__V1__CommitImportRequest *req =
        ctl_new(c, Anchord__V1__CommitImportRequest, anchord__v1__commit_import_request);
    req->import_id = WIRE_STR(im->id);
    req->skip_refused = ctl_flag(c, OPT_SKIP_REFUSED);
    req->dry_run = ctl_flag(c, OPT_DRY_RUN);
    /* One large transaction takes what it takes. */
    if (!ctl_flag(c, OPT_TIMEOUT))
        c->call.timeout_ms = LIMIT_TIMEOUT_MS;
    c->call.idem_key = c->val[OPT_IDEMPOTENCY_KEY];
    int rc = ctl_call(c, "CaService/CommitImport", req, &resp, &res);
    if (rc == 0)
        show(im, resp);
    admin_result_done(&res);
    return rc;
}

static int
stage_and_commit(struct import *im)
{
    int rc = add_all(im);
    if (rc)
        return rc;
    if (im->refused > 0 && !ctl_flag(im->c, OPT_SKIP_REFUSED))
        return fail_refused(im->c, ACD_EINVAL, json_incref(im->findings),
                            "%zu of %zu certificates are refused: nothing was imported", im->refused, im->n);
    return commit(im);
}

int
cmd_ca_import(struct ctl *c)
{
    struct import im = {.c = c, .text = BUF_INIT(INPUT_BUNDLE_MAX), .findings = js_array()};
    c->call.idem_key = NULL; /* only the commit has the one that was given */
    int rc = read_bundle(&im);
    if (rc == 0)
        rc = start(&im);
    if (rc == 0) {
        rc = stage_and_commit(&im);
        end(&im);
    }
    json_decref(im.findings);
    free(im.blocks);
    input_wipe(&im.text);
    return rc;
}
