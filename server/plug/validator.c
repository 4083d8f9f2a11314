#include "plug/validator.h"

#include <stdlib.h>

#include "base/err.h"
#include "plug/life.h"

enum { BUNDLE_MAGIC = 0x626e646c };

struct plug_bundle {
    unsigned magic;
    struct plug_validator *v;
    acd_bundle *bundle;
    size_t nanchors;
};

void
plug_validator_init(struct plug_validator *v, struct plug *plug)
{
    must(plug->desc && plug->desc->kind == ACD_VALIDATOR);
    *v = (struct plug_validator){
        .plug = plug,
        .ops = plug->desc->ops,
        .bounded = (plug->desc->caps & ACD_VERIFY_BOUNDED) && plug->desc->thread == ACD_FREE_THREADED,
    };
}

int
plug_validator_inspect(struct plug_validator *v, const acd_inspect *what, acd_cert_fn cert,
                       acd_finding_fn finding, void *ctx, uint64_t deadline_ns, acd_err *err)
{
    struct plug_step step;
    acd_inspect copy = *what;
    copy.struct_size = sizeof(copy);
    int rc = plug_enter(&step, v->plug, "inspect", deadline_ns, err);
    if (rc < 0)
        return rc;
    return plug_leave(&step, v->ops->inspect(v->plug->inst, &copy, cert, finding, ctx, err), err);
}

int
plug_validator_inspect_crl(struct plug_validator *v, const acd_inspect_crl *what, acd_crl_fn crl,
                           acd_finding_fn finding, void *ctx, uint64_t deadline_ns, acd_err *err)
{
    struct plug_step step;
    acd_inspect_crl copy = *what;
    copy.struct_size = sizeof(copy);
    if (v->ops->struct_size < offsetof(acd_validator_ops, inspect_crl) + sizeof(v->ops->inspect_crl) ||
        !v->ops->inspect_crl)
        return err_set(err, ACD_ENOTSUP, "plugin %s reads no revocation lists", plug_name(v->plug));
    int rc = plug_enter(&step, v->plug, "inspect_crl", deadline_ns, err);
    if (rc < 0)
        return rc;
    return plug_leave(&step, v->ops->inspect_crl(v->plug->inst, &copy, crl, finding, ctx, err), err);
}

int
plug_bundle_build(struct plug_validator *v, const acd_bundle_spec *spec, uint64_t deadline_ns,
                  struct plug_bundle **ret, acd_err *err)
{
    struct plug_step step;
    acd_bundle_spec copy = *spec;
    copy.struct_size = sizeof(copy);
    struct plug_bundle *b = calloc(1, sizeof(*b));
    if (!b)
        return err_set(err, ACD_ENOMEM, "out of memory");
    *b = (struct plug_bundle){.magic = BUNDLE_MAGIC, .v = v, .nanchors = spec->nanchors};
    int rc = plug_enter(&step, v->plug, "bundle_build", deadline_ns, err);
    if (rc == 0)
        rc = plug_leave(&step, v->ops->bundle_build(v->plug->inst, &copy, &b->bundle, err), err);
    if (rc < 0) {
        free(b);
        return rc;
    }
    *ret = b;
    return 0;
}

void
plug_bundle_free(struct plug_bundle *b)
{
    struct plug_step step;
    if (!b)
        return;
    CHECK_MAGIC(b, BUNDLE_MAGIC);
    plug_enter_always(&step, b->v->plug, "bundle_free");
    b->v->ops->bundle_free(b->bundle);
    (void)plug_leave(&step, 0, NULL);
    b->magic = 0;
    free(b);
}

/* What the plugin says must make sense, or it counts as nothing said. */
static int
verdict_check(const struct plug_bundle *b, acd_verdict *v, acd_err *err)
{
    bool verified = v->result == ACD_VERIFIED;
    v->error[sizeof(v->error) - 1] = '\0';
    v->text[sizeof(v->text) - 1] = '\0';
    if (v->result > ACD_VERIFIED || (verified && (v->anchor < 0 || (size_t)v->anchor >= b->nanchors)) ||
        (verified && v->error[0]))
        return err_set(err, ACD_EINTERNAL, "plugin %s gave a verdict that contradicts itself",
                       plug_name(b->v->plug));
    return 0;
}

int
plug_verify(const struct plug_bundle *b, const acd_verify *what, uint64_t deadline_ns, acd_verdict *ret,
            acd_err *err)
{
    struct plug_step step;
    acd_verify copy = *what;
    acd_call call = {.struct_size = sizeof(call), .deadline_ns = deadline_ns};
    acd_verdict none = {.struct_size = sizeof(none), .depth = -1, .anchor = -1};
    CHECK_MAGIC(b, BUNDLE_MAGIC);
    copy.struct_size = sizeof(copy);
    *ret = none;
    int rc = plug_enter(&step, b->v->plug, "verify", deadline_ns, err);
    if (rc == 0)
        rc = plug_leave(&step, b->v->ops->verify(b->bundle, &copy, &call, ret, err), err);
    if (rc == 0)
        rc = verdict_check(b, ret, err);
    if (rc < 0)
        *ret = none;
    return rc;
}

int
plug_describe(struct plug_validator *v, acd_slice leaf, const acd_slice *inter, size_t ninter,
              acd_field_fn fn, void *ctx, uint64_t deadline_ns, acd_err *err)
{
    struct plug_step step;
    int rc = plug_enter(&step, v->plug, "describe", deadline_ns, err);
    if (rc < 0)
        return rc;
    return plug_leave(&step, v->ops->describe(v->plug->inst, leaf, inter, ninter, fn, ctx, err), err);
}

/* --- sign -------------------------------------------------------------------------------------------------
 */

bool
plug_can_sign(const struct plug_validator *v)
{
    return ACD_HAS(v->ops, client_sign) && v->ops->key_make && v->ops->ca_make && v->ops->inspect_csr &&
           v->ops->client_sign;
}

static int
sign_enter(struct plug_step *step, struct plug_validator *v, const char *what, uint64_t deadline_ns,
           acd_err *err)
{
    if (!plug_can_sign(v))
        return err_set(err, ACD_ENOTSUP, "plugin %s cannot sign certificates", plug_name(v->plug));
    return plug_enter(step, v->plug, what, deadline_ns, err);
}

int
plug_key_make(struct plug_validator *v, enum acd_key_kind kind, acd_key_fn fn, void *ctx,
              uint64_t deadline_ns, acd_err *err)
{
    struct plug_step step;
    int rc = sign_enter(&step, v, "key_make", deadline_ns, err);
    return rc < 0 ? rc : plug_leave(&step, v->ops->key_make(v->plug->inst, kind, fn, ctx, err), err);
}

int
plug_ca_make(struct plug_validator *v, const acd_make_ca *what, acd_cert_fn fn, void *ctx,
             uint64_t deadline_ns, acd_err *err)
{
    struct plug_step step;
    acd_make_ca copy = *what;
    copy.struct_size = sizeof(copy);
    int rc = sign_enter(&step, v, "ca_make", deadline_ns, err);
    return rc < 0 ? rc : plug_leave(&step, v->ops->ca_make(v->plug->inst, &copy, fn, ctx, err), err);
}

int
plug_inspect_csr(struct plug_validator *v, acd_slice csr, acd_csr_fn fn, acd_finding_fn finding, void *ctx,
                 uint64_t deadline_ns, acd_err *err)
{
    struct plug_step step;
    int rc = sign_enter(&step, v, "inspect_csr", deadline_ns, err);
    return rc < 0 ? rc
                  : plug_leave(&step, v->ops->inspect_csr(v->plug->inst, csr, fn, finding, ctx, err), err);
}

int
plug_client_sign(struct plug_validator *v, const acd_sign *what, acd_cert_fn fn, void *ctx,
                 uint64_t deadline_ns, acd_err *err)
{
    struct plug_step step;
    acd_sign copy = *what;
    copy.struct_size = sizeof(copy);
    int rc = sign_enter(&step, v, "client_sign", deadline_ns, err);
    return rc < 0 ? rc : plug_leave(&step, v->ops->client_sign(v->plug->inst, &copy, fn, ctx, err), err);
}
