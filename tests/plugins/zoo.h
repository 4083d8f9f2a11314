/*
 * The smallest validator that is one, for plugins that are wrong in exactly one way. A zoo plugin includes
 * this file and defines itself with ZOO(...), where later fields replace earlier ones.
 */
#ifndef TESTS_PLUGINS_ZOO_H
#define TESTS_PLUGINS_ZOO_H

#include <stdio.h>
#include <stdlib.h>

#include <anchord/plugin-quota.h>
#include <anchord/plugin-storage.h>
#include <anchord/plugin-validator.h>

#define ZOO_UNUSED __attribute__((unused))

static ZOO_UNUSED int
zoo_create(const acd_host *host, const acd_conf_val *vals, size_t n, void **ret, acd_err *err)
{
    (void)host;
    (void)vals;
    (void)n;
    (void)err;
    *ret = malloc(1);
    return *ret ? 0 : ACD_ENOMEM;
}

static ZOO_UNUSED int
zoo_start(void *inst, acd_err *err)
{
    (void)inst;
    (void)err;
    return 0;
}

static ZOO_UNUSED void
zoo_destroy(void *inst)
{
    free(inst);
}

static ZOO_UNUSED int
zoo_inspect(void *inst, const acd_inspect *what, acd_cert_fn cert, acd_finding_fn finding, void *ctx,
            acd_err *err)
{
    (void)inst;
    (void)what;
    (void)cert;
    (void)finding;
    (void)ctx;
    (void)err;
    return 0;
}

static ZOO_UNUSED int
zoo_build(void *inst, const acd_bundle_spec *spec, acd_bundle **ret, acd_err *err)
{
    (void)inst;
    (void)spec;
    (void)err;
    *ret = malloc(1);
    return *ret ? 0 : ACD_ENOMEM;
}

static ZOO_UNUSED void
zoo_free(acd_bundle *b)
{
    free(b);
}

static ZOO_UNUSED int
zoo_verify(const acd_bundle *b, const acd_verify *what, const acd_call *call, acd_verdict *ret, acd_err *err)
{
    (void)b;
    (void)what;
    (void)call;
    (void)ret;
    (void)err;
    return 0;
}

static ZOO_UNUSED int
zoo_describe(void *inst, acd_slice leaf, const acd_slice *inter, size_t n, acd_field_fn fn, void *ctx,
             acd_err *err)
{
    (void)inst;
    (void)leaf;
    (void)inter;
    (void)n;
    (void)fn;
    (void)ctx;
    (void)err;
    return 0;
}

#define ZOO_OPS(...)                                                          \
    static const acd_validator_ops zoo_ops = {.struct_size = sizeof(zoo_ops), \
                                              .inspect = zoo_inspect,         \
                                              .bundle_build = zoo_build,      \
                                              .bundle_free = zoo_free,        \
                                              .verify = zoo_verify,           \
                                              .describe = zoo_describe,       \
                                              __VA_ARGS__}
#define ZOO(kind, name, ...)                                                                             \
    ACD_PLUGIN_DEFINE(kind, name, "1.0", .thread = ACD_FREE_THREADED, .build_id = "", .summary = "zoo",  \
                      .create = zoo_create, .start = zoo_start, .destroy = zoo_destroy, .ops = &zoo_ops, \
                      __VA_ARGS__)

/* For files that must be refused before any of their code runs. */
#define ZOO_BITES                                           \
    __attribute__((constructor)) static void zoo_bite(void) \
    {                                                       \
        abort();                                            \
    }

#endif
