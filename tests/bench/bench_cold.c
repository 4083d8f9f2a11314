/*
 * Certificates never seen before: a P-256 leaf and its intermediate, verified through the plugin's bundle as
 * a query does it, beside OpenSSL alone: parse both, X509_verify_cert. As many threads as processors, on both
 * sides.
 */
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "pki.h"
#include "plug/life.h"
#include "plug/validator.h"

extern const acd_plugin acd_plugin_1_validator_openssl;

enum { CHAINS = 2000, THREADS_MAX = 8 };

struct cold {
    const struct pki_chains *chains;
    struct plug_bundle *bundle;
    X509_STORE *store;
    int64_t now_ms;
    int threads;
    double seconds;
    size_t (*one)(struct cold *, size_t i);
};

static size_t
verify_ours(struct cold *c, size_t i)
{
    acd_err err = ACD_ERR_INIT;
    acd_verdict v = {.struct_size = sizeof(v)};
    const acd_verify what = {.struct_size = sizeof(what),
                             .leaf = c->chains->leaf[i],
                             .inter = &c->chains->inter,
                             .ninter = 1,
                             .at_ms = c->now_ms,
                             .purpose = ACD_PURPOSE_CLIENT,
                             .max_depth = -1};
    rig_need(plug_verify(c->bundle, &what, 0, &v, &err), &err, "verify");
    if (v.result != ACD_VERIFIED)
        rig_fail("not verified: %s", v.text);
    return 1;
}

static X509 *
parse(acd_slice der)
{
    const unsigned char *p = der.ptr;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    must(x);
    return x;
}

static size_t
verify_bare(struct cold *c, size_t i)
{
    X509 *leaf = parse(c->chains->leaf[i]), *inter = parse(c->chains->inter);
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    must(untrusted && ctx && sk_X509_push(untrusted, inter) > 0);
    must(X509_STORE_CTX_init(ctx, c->store, leaf, untrusted) == 1);
    X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
    if (X509_verify_cert(ctx) != 1)
        rig_fail("not verified: %s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    X509_STORE_CTX_free(ctx);
    sk_X509_free(untrusted);
    X509_free(leaf);
    X509_free(inter);
    return 1;
}

struct thread_ctx {
    struct cold *c;
    size_t from, done;
    double took;
};

static void *
thread_run(void *arg)
{
    struct thread_ctx *t = arg;
    uint64_t start = rig_ns();
    size_t i = t->from;
    do {
        t->done += t->c->one(t->c, i++ % t->c->chains->n);
        t->took = rig_since(start);
    } while (t->took < t->c->seconds);
    return NULL;
}

static double
run(struct cold *c, double seconds, size_t (*one)(struct cold *, size_t))
{
    pthread_t ids[THREADS_MAX];
    struct thread_ctx threads[THREADS_MAX];
    double rate = 0;
    c->seconds = seconds;
    c->one = one;
    for (int i = 0; i < c->threads; i++) {
        threads[i] = (struct thread_ctx){.c = c, .from = (size_t)i * c->chains->n / (size_t)c->threads};
        must(pthread_create(&ids[i], NULL, thread_run, &threads[i]) == 0);
    }
    for (int i = 0; i < c->threads; i++) {
        must(pthread_join(ids[i], NULL) == 0);
        rate += (double)threads[i].done / threads[i].took;
    }
    return rate;
}

static double
run_ours(void *ctx, double seconds)
{
    return run(ctx, seconds, verify_ours);
}

static double
run_bare(void *ctx, double seconds)
{
    return run(ctx, seconds, verify_bare);
}

int
main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5;
    acd_err err = ACD_ERR_INIT;
    struct plug_env env = {.clock = &clock_system};
    struct plug *plug;
    struct plug_validator validator;
    struct pki_chains chains;
    struct pki_pair root = pki_make("Bench Root CA", PKI_CA, NULL);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    pki_chains_make(&root, CHAINS, &chains);
    rig_need(plug_new(ACD_VALIDATOR, "linked in", &acd_plugin_1_validator_openssl, &env, &plug, &err), &err,
             "plugin");
    must(plug_open(plug, &err) == 0 && plug_configure(plug, NULL, 0, &err) == 0 &&
         plug_create(plug, &err) == 0 && plug_start(plug, &err) == 0);
    plug_validator_init(&validator, plug);
    acd_slice der = pki_der(&root);
    const acd_anchor anchor = {.struct_size = sizeof(anchor), .profile = ACD_PROFILE_STRICT, .der = der};
    const acd_bundle_spec spec = {.struct_size = sizeof(spec), .anchors = &anchor, .nanchors = 1};
    struct cold c = {.chains = &chains,
                     .store = X509_STORE_new(),
                     .now_ms = clock_wall_ms(&clock_system),
                     .threads = cpus < 1             ? 1
                                : cpus > THREADS_MAX ? THREADS_MAX
                                                     : (int)cpus};
    rig_need(plug_bundle_build(&validator, &spec, 0, &c.bundle, &err), &err, "bundle");
    must(c.store && X509_STORE_add_cert(c.store, root.cert) == 1);
    const struct rig_pair pair = {.measure = "verifications of certificates never seen",
                                  .unit = "verifications/s",
                                  .peer = "OpenSSL parse and X509_verify_cert",
                                  .reach = 0.9,
                                  .ours = run_ours,
                                  .theirs = run_bare,
                                  .ctx = &c,
                                  .their_ctx = &c};
    (void)rig_compare(&pair, seconds);
    plug_bundle_free(c.bundle);
    plug_free(plug);
    X509_STORE_free(c.store);
    OPENSSL_free((void *)der.ptr);
    pki_chains_free(&chains);
    pki_free(&root);
    return EXIT_SUCCESS;
}
