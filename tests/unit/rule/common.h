/* What the tests of rule/ share: compile or die, a context, evaluate. */
#ifndef TESTS_RULE_COMMON_H
#define TESTS_RULE_COMMON_H

#include <string.h>

#include "base/str.h"
#include "lib/main.h"
#include "rule/rule.h"

struct fixture {
    struct rule_scheme *scheme;
    struct rule_ctx *ctx;
};

static inline void
fixture_open(struct fixture *f)
{
    ck_assert_int_eq(rule_scheme_new(true, &f->scheme), 0);
    ck_assert_int_eq(rule_ctx_new(f->scheme, 0, &f->ctx), 0);
}

static inline void
fixture_close(struct fixture *f)
{
    rule_ctx_free(f->ctx);
    rule_scheme_free(f->scheme);
}

static inline struct rule_prog *
compile(const struct fixture *f, const char *text)
{
    struct rule_prog *p;
    struct rule_error error;
    int r = rule_compile(f->scheme, slice_str(text), &p, &error);
    ck_assert_msg(r == 0, "%s: %s", text, error.message);
    return p;
}

static inline unsigned
field(const struct fixture *f, const char *name)
{
    int i = rule_scheme_find_field(f->scheme, slice_str(name));
    ck_assert_msg(i >= 0, "%s", name);
    return (unsigned)i;
}

static inline void
set_text(const struct fixture *f, const char *name, const char *value)
{
    rule_ctx_set(f->ctx, field(f, name), rule_bytes_value(value, strlen(value)));
}

static inline enum rule_outcome
eval(const struct fixture *f, const char *text)
{
    struct rule_prog *p = compile(f, text);
    struct rule_result result;
    enum rule_outcome o = rule_eval(p, f->ctx, &result);
    rule_free(p);
    return o;
}

#endif
