#include "offline_x509.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "x509_batch.h"
#include "x509_input.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_INPUT = 2 };

static int
usage(void)
{
    (void)fputs("usage: x509 inspect [--role ca|leaf|origin-root|chain] [--key FILE] [--time T] FILE\n"
                "       x509 verify --purpose client|server [--host NAME|--ip IP|--email ADDR] [--time T]\n"
                "                   --trust FILE [--untrusted FILE] [--crl FILE] [--max-depth N]\n"
                "                   [--profile strict|compat] [--explain] [-o json] LEAF\n"
                "       x509 verify --batch\n",
                stderr);
    return EXIT_INPUT;
}

static int
complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "x509: %s: %s\n", what, why);
    return EXIT_INPUT;
}

/* The whole file, in the region. */
static int
read_file(struct mem_region *r, const char *path, acd_slice *ret)
{
    struct buf b = BUF_INIT(X509_INPUT_FILE);
    acd_err err = ACD_ERR_INIT;
    int rc = io_read_file(path, &b, &err);
    if (rc < 0)
        rc = complain(path, err_text(&err, rc));
    else if (!(ret->ptr = mem_dup(r, b.data ? b.data : "", b.len)))
        rc = complain(path, "out of memory");
    ret->len = b.len;
    buf_done(&b);
    return rc;
}

static int
read_certs(struct x509_question *q, const char *path, struct x509_list *l)
{
    acd_slice text = {NULL, 0};
    size_t n = 0;
    int rc = read_file(&q->region, path, &text);
    if (rc != 0)
        return rc;
    rc = x509_list_certs(&q->region, l, text, &n);
    if (rc < 0)
        return complain(path, status_text(rc));
    return n ? 0 : complain(path, "no certificate found");
}

/* --- inspect ------------------------------------------------------------------------------------------- */

struct report {
    json_t *certs, *findings;
    bool refused, unreadable;
};

static json_t *
json_slice(acd_slice s)
{
    json_t *v = json_stringn(s.ptr ? s.ptr : "", s.len);
    return v ? v : json_string("(not UTF-8)");
}

static json_t *
json_time(int64_t ms)
{
    char text[TIME_TEXT_MAX];
    time_format(ms, text);
    return json_string(text);
}

static int
on_cert(void *ctx, const acd_certinfo *c)
{
    struct report *r = ctx;
    char sha[65];
    hex_encode(c->sha256, sizeof(c->sha256), sha);
    json_t *o =
        json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:b, s:b, s:s, s:i, s:s, s:o, s:o}", "index",
                  (int)c->index, "fingerprint_sha256", sha, "subject", json_slice(c->subject), "issuer",
                  json_slice(c->issuer), "serial_number", json_slice(c->serial_dec), "serial_hex",
                  json_slice(c->serial_hex), "not_before", json_time(c->not_before_ms), "expires_on",
                  json_time(c->not_after_ms), "version", (int)c->version, "ca", (int)c->is_ca, "self_signed",
                  (int)c->self_signed, "key_type", c->key_type, "key_bits", (int)c->key_bits, "signature",
                  c->signature, "ski", json_slice(c->ski_hex), "aki", json_slice(c->aki_hex));
    if (o && c->path_len >= 0)
        (void)json_object_set_new(o, "path_len", json_integer(c->path_len));
    return o && json_array_append_new(r->certs, o) == 0 ? 0 : ACD_ENOMEM;
}

static int
on_finding(void *ctx, const acd_finding *f)
{
    struct report *r = ctx;
    bool error = f->severity == ACD_SEV_ERROR;
    r->refused = r->refused || error;
    r->unreadable =
        r->unreadable || strcmp(f->code, "upload.not_pem") == 0 || strcmp(f->code, "upload.empty") == 0;
    json_t *o = json_pack("{s:s, s:i, s:s, s:o}", "severity", error ? "error" : "warning", "index",
                          (int)f->index, "code", f->code, "text", json_slice(f->text));
    return o && json_array_append_new(r->findings, o) == 0 ? 0 : ACD_ENOMEM;
}

static int
role_of(const char *s)
{
    static const char *const names[] = {"ca", "leaf", "origin-root", "chain"};
    for (int i = 0; i < 4; i++)
        if (strcmp(s, names[i]) == 0)
            return ACD_ROLE_CA + i;
    return 0;
}

static int
print_report(const char *path, struct report *r)
{
    json_t *o = json_pack("{s:s, s:b, s:O, s:O}", "file", path, "acceptable", (int)!r->refused,
                          "certificates", r->certs, "findings", r->findings);
    if (!o || json_dumpf(o, stdout, JSON_INDENT(2)) != 0 || fputc('\n', stdout) == EOF) {
        json_decref(o);
        return complain(path, "cannot write the report");
    }
    json_decref(o);
    return r->unreadable ? EXIT_INPUT : r->refused ? EXIT_REFUSED : EXIT_DONE;
}

static int
run_inspect(const acd_validator_ops *ops, void *inst, struct mem_region *region, const acd_inspect *opts,
            const char *path, const char *key)
{
    acd_inspect req = *opts;
    acd_err err = ACD_ERR_INIT;
    int rc = read_file(region, path, &req.text);
    if (rc == 0 && key)
        rc = read_file(region, key, &req.key);
    if (rc != 0)
        return rc;
    struct report r = {.certs = json_array(), .findings = json_array()};
    rc = ops->inspect(inst, &req, on_cert, on_finding, &r, &err);
    rc = rc < 0 ? complain(path, err_text(&err, rc)) : print_report(path, &r);
    if (req.key.ptr)
        wipe((void *)(uintptr_t)req.key.ptr, req.key.len);
    json_decref(r.certs);
    json_decref(r.findings);
    return rc;
}

static int
cmd_inspect(const acd_validator_ops *ops, void *inst, int argc, char **argv)
{
    static const struct option longs[] = {
        {"role", 1, NULL, 'r'}, {"key", 1, NULL, 'k'}, {"time", 1, NULL, 't'}, {"output", 1, NULL, 'o'}, {0}};
    acd_inspect req = {
        .struct_size = sizeof(req), .role = ACD_ROLE_CA, .at_ms = clock_wall_ms(&clock_system)};
    const char *key = NULL;
    int c;
    optind = 0;
    while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        if (c == 'r' && (req.role = (uint32_t)role_of(optarg)) != 0)
            continue;
        if (c == 't' && time_parse(slice_str(optarg), &req.at_ms))
            continue;
        if (c == 'k')
            key = optarg;
        else if (c != 'o' || strcmp(optarg, "json") != 0)
            return usage();
    }
    if (optind + 1 != argc)
        return usage();
    struct mem_region region;
    mem_init(&region, 65536, X509_INPUT_REGION);
    int rc = run_inspect(ops, inst, &region, &req, argv[optind], key);
    mem_done(&region);
    return rc;
}

/* --- verify -------------------------------------------------------------------------------------------- */

struct options {
    struct x509_question q;
    json_t *steps;
    bool batch, explain, json;
};

static int
on_step(void *ctx, const acd_step *s)
{
    json_t *o =
        json_pack("{s:i, s:i, s:s, s:b, s:s?, s:o}", "anchor", (int)s->anchor, "depth", (int)s->depth,
                  "check", s->check, "ok", (int)s->ok, "error", s->error, "text", json_slice(s->text));
    return o && json_array_append_new(ctx, o) == 0 ? 0 : ACD_ENOMEM;
}

/* 0, or an exit code. */
static int
set_option(struct options *o, int c, char *arg)
{
    acd_verify *v = &o->q.verify;
    int64_t n;
    acd_slice s = slice_str(arg);
    switch (c) {
    case 'p':
        v->purpose = slice_eqs(s, "client")   ? ACD_PURPOSE_CLIENT
                     : slice_eqs(s, "server") ? ACD_PURPOSE_SERVER
                                              : 0;
        return v->purpose ? 0 : usage();
    case 'H':
        v->host = s;
        return 0;
    case 'i':
        v->ip = s;
        return 0;
    case 'e':
        v->email = s;
        return 0;
    case 't':
        return time_parse(s, &v->at_ms) ? 0 : complain(arg, "not an RFC 3339 time");
    case 'T':
        return read_certs(&o->q, arg, &o->q.trust);
    case 'U':
        return read_certs(&o->q, arg, &o->q.untrusted);
    case 'C': {
        int rc = read_file(&o->q.region, arg, &s);
        return rc ? rc : x509_list_add(&o->q.region, &o->q.crls, s) < 0 ? complain(arg, "too many") : 0;
    }
    case 'm':
        if (!str_i64(s, &n) || n < 0 || n > INT32_MAX)
            return usage();
        v->max_depth = (int32_t)n;
        return 0;
    case 'P':
        o->q.profile = slice_eqs(s, "compat") ? ACD_PROFILE_COMPAT : ACD_PROFILE_STRICT;
        return slice_eqs(s, "compat") || slice_eqs(s, "strict") ? 0 : usage();
    case 'o':
        o->json = slice_eqs(s, "json");
        return o->json ? 0 : usage();
    case 'b':
        o->batch = true;
        return 0;
    case 'x':
        o->explain = true;
        return 0;
    default:
        return usage();
    }
}

static int
print_verdict(const struct options *o, const acd_verdict *v)
{
    bool good = v->result == ACD_VERIFIED;
    size_t i;
    json_t *step;
    if (o->json) {
        json_t *j =
            json_pack("{s:b, s:s?, s:s, s:i, s:i, s:b, s:b, s:o, s:o}", "verified", (int)good, "error",
                      good ? NULL : v->error, "text", v->text, "depth", (int)v->depth, "anchor",
                      (int)v->anchor, "revoked", (int)!!(v->flags & ACD_VERDICT_REVOKED), "limit",
                      (int)!!(v->flags & ACD_VERDICT_LIMIT), "valid_from_ms", json_integer(v->valid_from_ms),
                      "valid_until_ms", json_integer(v->valid_until_ms));
        if (j && o->explain)
            (void)json_object_set(j, "steps", o->steps);
        bool written = j && json_dumpf(j, stdout, JSON_INDENT(2)) == 0 && fputc('\n', stdout) != EOF;
        json_decref(j);
        return !written ? EXIT_INPUT : good ? EXIT_DONE : EXIT_REFUSED;
    }
    json_array_foreach(o->steps, i, step)
    {
        const char *error = json_string_value(json_object_get(step, "error"));
        (void)printf("%-4s %-11s depth %lld: %s%s%s\n", error ? "no" : "ok",
                     json_string_value(json_object_get(step, "check")),
                     (long long)json_integer_value(json_object_get(step, "depth")), error ? error : "",
                     error ? ": " : "", json_string_value(json_object_get(step, "text")));
    }
    if (good)
        (void)printf("verified: %s\n", v->text);
    else
        (void)printf("not verified: %s at depth %d: %s\n", v->error, v->depth, v->text);
    return good ? EXIT_DONE : EXIT_REFUSED;
}

static int
ask(const acd_validator_ops *ops, void *inst, struct options *o, const char *path)
{
    struct x509_list chain = {0};
    acd_verdict verdict;
    acd_err err = ACD_ERR_INIT;
    int rc = read_certs(&o->q, path, &chain);
    if (rc != 0)
        return rc;
    o->q.verify.leaf = chain.items[0];
    for (size_t i = 1; i < chain.n; i++)
        if (x509_list_add(&o->q.region, &o->q.untrusted, chain.items[i]) < 0)
            return complain(path, "too many certificates");
    if (o->explain) {
        o->q.verify.step = on_step;
        o->q.verify.step_ctx = o->steps;
    }
    rc = x509_ask(ops, inst, &o->q, &verdict, &err);
    if (rc < 0)
        return complain(path, err_text(&err, rc));
    rc = print_verdict(o, &verdict);
    return strcmp(verdict.error, "ACD_V_ERR_CERT_UNREADABLE") == 0 ? EXIT_INPUT : rc;
}

static int
parse_verify(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {{"purpose", 1, NULL, 'p'},   {"host", 1, NULL, 'H'},
                                          {"ip", 1, NULL, 'i'},        {"email", 1, NULL, 'e'},
                                          {"time", 1, NULL, 't'},      {"trust", 1, NULL, 'T'},
                                          {"crl", 1, NULL, 'C'},       {"untrusted", 1, NULL, 'U'},
                                          {"max-depth", 1, NULL, 'm'}, {"batch", 0, NULL, 'b'},
                                          {"output", 1, NULL, 'o'},    {"profile", 1, NULL, 'P'},
                                          {"explain", 0, NULL, 'x'},   {0}};
    int c;
    optind = 0;
    while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        int rc = set_option(o, c, optarg);
        if (rc != 0)
            return rc;
    }
    if (o->batch)
        return optind == argc ? 0 : usage();
    const acd_verify *v = &o->q.verify;
    bool many = (v->host.ptr != NULL) + (v->ip.ptr != NULL) + (v->email.ptr != NULL) > 1;
    return optind + 1 == argc && v->purpose && o->q.trust.n && !many ? 0 : usage();
}

static int
cmd_verify(const acd_validator_ops *ops, void *inst, int argc, char **argv)
{
    struct options o = {.steps = json_array()};
    x509_question_init(&o.q);
    o.q.verify.at_ms = clock_wall_ms(&clock_system);
    int rc = parse_verify(&o, argc, argv);
    if (rc == 0)
        rc = o.batch ? x509_batch(ops, inst, stdin, stdout) : ask(ops, inst, &o, argv[optind]);
    x509_question_done(&o.q);
    json_decref(o.steps);
    return rc;
}

int
offline_x509(const acd_validator_ops *ops, void *inst, int argc, char **argv)
{
    if (argc >= 1 && strcmp(argv[0], "inspect") == 0)
        return cmd_inspect(ops, inst, argc, argv);
    if (argc >= 1 && strcmp(argv[0], "verify") == 0)
        return cmd_verify(ops, inst, argc, argv);
    return usage();
}
