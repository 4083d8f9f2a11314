/*
 * Runs the matrix. Without arguments but the file: every question goes to the plugin's table, TAP comes out.
 * With --requests: the questions as lines for `x509 verify --batch`, each with what is expected.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <anchord/plugin.h>

#include "base/str.h"
#include "matrix.h"

extern const acd_plugin acd_plugin_1_validator_openssl;

struct count {
    unsigned n, failed;
};

static void
judge(struct count *c, const struct ask *q, const acd_verdict *v)
{
    const char *got = v->result == ACD_VERIFIED ? "ok" : v->error;
    bool revoked = strcmp(q->expect, "X509_V_ERR_CERT_REVOKED") == 0;
    bool good = strcmp(got, q->expect) == 0 && revoked == !!(v->flags & ACD_VERDICT_REVOKED);
    /* The span of a verdict holds the time that was asked about, and says so without a gap. */
    good = good && v->valid_from_ms <= q->verify.at_ms && q->verify.at_ms <= v->valid_until_ms;
    good = good && (v->result == ACD_VERIFIED) == (v->anchor >= 0);
    (void)printf("%s %u - %s\n", good ? "ok" : "not ok", ++c->n, q->name);
    if (good)
        return;
    c->failed++;
    (void)printf("# wanted %s, got %s at depth %d: %s\n", q->expect, got, v->depth, v->text);
}

static void
run(void *ctx, const struct ask *q)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    acd_bundle *bundle = NULL;
    acd_err err = ACD_ERR_INIT;
    acd_verdict v = {.struct_size = sizeof(v)};
    acd_bundle_spec spec = {.struct_size = sizeof(spec), .anchors = q->anchors, .nanchors = q->nanchors};
    spec.crls = q->crls;
    spec.ncrls = q->ncrls;
    spec.helpers = q->helpers;
    spec.nhelpers = q->nhelpers;
    int rc = ops->bundle_build(NULL, &spec, &bundle, &err);
    if (rc == 0)
        rc = ops->verify(bundle, &q->verify, NULL, &v, &err);
    if (rc < 0)
        (void)snprintf(v.error, sizeof(v.error), "status %d: %.30s", rc, err.text);
    judge(ctx, q, &v);
    ops->bundle_free(bundle);
}

/* --- as requests --------------------------------------------------------------------------------------- */

static json_t *
pem_of(acd_slice der, const char *label)
{
    char *b64 = malloc(BASE64_LEN(der.len) + 1), *text = malloc(2 * der.len + 256);
    if (!b64 || !text)
        exit(2);
    (void)base64_encode(der.ptr, der.len, b64);
    int n = sprintf(text, "-----BEGIN %s-----\n", label);
    for (size_t i = 0, len = strlen(b64); i < len; i += 64)
        n += sprintf(text + n, "%.64s\n", b64 + i);
    (void)sprintf(text + n, "-----END %s-----\n", label);
    json_t *v = json_string(text);
    free(b64);
    free(text);
    return v;
}

static json_t *
pem_list(const acd_slice *ders, size_t n, const char *label)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, pem_of(ders[i], label));
    return list;
}

static void
request(void *ctx, const struct ask *q)
{
    char when[TIME_TEXT_MAX];
    acd_slice trust[MATRIX_LIST];
    (void)ctx;
    /* Helpers cannot be given on this path. */
    if (q->nhelpers)
        return;
    for (size_t i = 0; i < q->nanchors; i++)
        trust[i] = q->anchors[i].der;
    time_format(q->verify.at_ms, when);
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s, s:o, s:o, s:o, s:o, s:s}", "id", q->name, "expect",
                  q->expect, "purpose", q->verify.purpose == ACD_PURPOSE_CLIENT ? "client" : "server", "host",
                  q->verify.host.ptr, "ip", q->verify.ip.ptr, "email", q->verify.email.ptr, "time", when,
                  "trust", pem_list(trust, q->nanchors, "CERTIFICATE"), "untrusted",
                  pem_list(q->inter, q->verify.ninter, "CERTIFICATE"), "leaf", pem_of(q->leaf, "CERTIFICATE"),
                  "crls", pem_list(q->crls, q->ncrls, "X509 CRL"), "profile",
                  q->nanchors && q->anchors[0].profile == ACD_PROFILE_COMPAT ? "compat" : "strict");
    if (o && q->verify.max_depth >= 0)
        (void)json_object_set_new(o, "max_depth", json_integer(q->verify.max_depth));
    if (!o || json_dumpf(o, stdout, JSON_COMPACT) != 0)
        exit(2);
    (void)putchar('\n');
    json_decref(o);
}

int
main(int argc, char **argv)
{
    struct count c = {0, 0};
    bool requests = argc == 3 && strcmp(argv[1], "--requests") == 0;
    FILE *in = argc >= 2 ? fopen(argv[argc - 1], "r") : NULL;
    if (!in) {
        (void)fputs("usage: run_matrix [--requests] FILE\n", stderr);
        return 2;
    }
    matrix_read(in, requests ? request : run, &c);
    (void)fclose(in);
    if (!requests)
        (void)printf("1..%u\n", c.n);
    return c.failed ? 1 : 0;
}
