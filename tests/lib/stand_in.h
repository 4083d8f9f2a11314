/*
 * A validator of the test's own in place of the one that knows X.509: it verifies everything, describes
 * nothing and compiles trust sets to nothing, but for what the test brings itself.
 *
 *     static const acd_validator_ops acts = {.verify = says_what_the_leaf_says};
 *     stand_in_open(&s, &acts);   s.validator is ready
 *
 * The struct stays where it is until stand_in_close. Any failure ends the program.
 */
#ifndef TESTS_STAND_IN_H
#define TESTS_STAND_IN_H

#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"
#include "plug/life.h"
#include "plug/validator.h"

struct stand_in {
    acd_validator_ops ops;
    acd_plugin plugin;
    struct plug *plug;
    struct plug_validator validator;
};

static inline int
stand_in_verify(const acd_bundle *b, const acd_verify *what, const acd_call *call, acd_verdict *ret,
                acd_err *err)
{
    (void)b, (void)what, (void)call, (void)err;
    ret->result = ACD_VERIFIED;
    ret->anchor = 0;
    ret->valid_until_ms = INT64_MAX;
    return 0;
}

static inline int
stand_in_describe(void *inst, acd_slice leaf, const acd_slice *inter, size_t n, acd_field_fn fn, void *ctx,
                  acd_err *err)
{
    (void)inst, (void)leaf, (void)inter, (void)n, (void)fn, (void)ctx, (void)err;
    return 0;
}

static inline int
stand_in_build(void *inst, const acd_bundle_spec *spec, acd_bundle **ret, acd_err *err)
{
    (void)inst, (void)spec, (void)err;
    *ret = malloc(1);
    return *ret ? 0 : ACD_ENOMEM;
}

static inline void
stand_in_bundle_free(acd_bundle *b)
{
    free(b);
}

static inline int
stand_in_inspect(void *inst, const acd_inspect *what, acd_cert_fn cert, acd_finding_fn finding, void *ctx,
                 acd_err *err)
{
    (void)inst, (void)what, (void)cert, (void)finding, (void)ctx, (void)err;
    return 0;
}

static inline int
stand_in_create(const acd_host *host, const acd_conf_val *vals, size_t n, void **ret, acd_err *err)
{
    static char instance;
    (void)host, (void)vals, (void)n, (void)err;
    *ret = &instance;
    return 0;
}

static inline int
stand_in_start(void *inst, acd_err *err)
{
    (void)inst, (void)err;
    return 0;
}

static inline void
stand_in_destroy(void *inst)
{
    (void)inst;
}

/* acts: what this one does itself; the rest is NULL. */
static inline void
stand_in_open(struct stand_in *s, const acd_validator_ops *acts)
{
    const struct plug_env env = {.clock = &clock_system};
    *s = (struct stand_in){
        .ops = {.struct_size = sizeof(s->ops),
                .inspect = acts->inspect ? acts->inspect : stand_in_inspect,
                .bundle_build = acts->bundle_build ? acts->bundle_build : stand_in_build,
                .bundle_free = acts->bundle_free ? acts->bundle_free : stand_in_bundle_free,
                .verify = acts->verify ? acts->verify : stand_in_verify,
                .describe = acts->describe ? acts->describe : stand_in_describe},
        .plugin = {.struct_size = sizeof(s->plugin),
                   .major = ACD_PLUGIN_MAJOR,
                   .kind = ACD_VALIDATOR,
                   .thread = ACD_FREE_THREADED,
                   .name = "stand-in",
                   .version = "1",
                   .build_id = "test",
                   .summary = "does what the test says",
                   .create = stand_in_create,
                   .start = stand_in_start,
                   .destroy = stand_in_destroy,
                   .ops = &s->ops},
    };
    must(plug_new(ACD_VALIDATOR, "stand-in", &s->plugin, &env, &s->plug, NULL) == 0);
    must(plug_open(s->plug, NULL) == 0 && plug_configure(s->plug, NULL, 0, NULL) == 0);
    must(plug_create(s->plug, NULL) == 0 && plug_start(s->plug, NULL) == 0);
    plug_validator_init(&s->validator, s->plug);
}

static inline void
stand_in_close(struct stand_in *s)
{
    plug_free(s->plug);
}

#endif
