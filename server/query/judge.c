#include "query/judge.h"

#include <stdio.h>

#include "base/err.h"
#include "query/revocation.h"

/* Refusals of our own that need no validator. */
static const char no_association[] = "ACD_V_ERR_NO_ASSOCIATION";
static const char no_trust[] = "ACD_V_ERR_EMPTY_TRUST_SET";
static const char bad_host[] = "ACD_V_ERR_INVALID_HOST";
static const char bad_product[] = "ACD_V_ERR_INVALID_PRODUCT";
static const char bad_chain[] = "ACD_V_ERR_INVALID_CHAIN";
static const char no_chain[] = "ACD_V_ERR_NO_CERTIFICATE";
static const char failed[] = "ACD_V_ERR_NOT_CHECKED";

/* --- answers ----------------------------------------------------------------------------------------------
 */

static void
judge_refuse(struct judged *it, const char *error, const char *reason)
{
    it->answer->verdict = ANCHORD__V1__VERDICT__NOT_VERIFIED;
    it->answer->depth = -1;
    it->answer->error = (char *)error;
    it->answer->reason = WIRE_STR(reason);
    it->open = false;
}

static void
need_certificate(struct judged *it)
{
    it->answer->verdict = ANCHORD__V1__VERDICT__NEED_CERTIFICATE;
    it->answer->depth = -1;
    it->answer->reason = "the chain behind this digest is not known here: send its certificates";
    it->open = false;
}

/* The CA that vouched, by its place in the trust set of this host: the same set may belong to several
 * accounts. */
static int
name_anchor(const struct judge *j, const struct judged *it, int32_t place, uint32_t *ret_anchor,
            char **ret_id, ProtobufCBinaryData *ret_sha256)
{
    struct snap_ca ca;
    uint32_t flags;
    if (place < 0 || (uint32_t)place >= it->trust.n)
        return 0;
    int rc = snap_trust_ca(j->view, &it->trust, (uint32_t)place, &ca, &flags);
    if (rc < 0)
        return rc;
    *ret_anchor = (uint32_t)place + 1;
    *ret_id = mem_strndup(j->region, ca.id.ptr, ca.id.len);
    if (j->brief)
        return *ret_id ? 0 : ACD_ENOMEM;
    *ret_sha256 = wire_bytes(mem_slice(j->region, slice_of(ca.sha256, DIGEST_LEN)));
    return *ret_id && ret_sha256->data ? 0 : ACD_ENOMEM;
}

/* Whoever keeps a verdict goes by chain and trust digest, and who knows of epochs by the epoch too, as our
 * own key does. A verdict that rests on anything else must not be kept elsewhere, or a change of that would
 * go unnoticed there. */
static void
fill_keeping(struct judged *it, const acd_verdict *v)
{
    Anchord__V1__VerifyAnswer *a = it->answer;
    a->revocation_epoch = it->trust.epoch;
    if (v->flags & ACD_VERDICT_LIMIT)
        return;
    a->epoch_from_ms = v->valid_from_ms;
    a->epoch_until_ms = v->valid_until_ms;
    if (it->trust.epoch == 0) {
        a->keep_from_ms = v->valid_from_ms;
        a->keep_until_ms = v->valid_until_ms;
    }
}

static int
fill_verdict(const struct judge *j, struct judged *it, const acd_verdict *v, bool cached)
{
    Anchord__V1__VerifyAnswer *a = it->answer;
    bool good = v->result == ACD_VERIFIED;
    a->verdict = good ? ANCHORD__V1__VERDICT__VERIFIED : ANCHORD__V1__VERDICT__NOT_VERIFIED;
    a->depth = good ? 0 : v->depth;
    a->cached = cached;
    a->revoked = (v->flags & ACD_VERDICT_REVOKED) != 0;
    a->valid_until_ms = good ? v->valid_until_ms : 0;
    fill_keeping(it, v);
    a->error = mem_strdup(j->region, v->error);
    a->reason = wire_text(j->region, slice_str(v->text));
    if (!a->error || !a->reason)
        return ACD_ENOMEM;
    if (a->revoked) {
        a->revoked_at_ms = v->revoked_ms;
        a->revoked_reason = (char *)revocation_reason(v->revoked_reason);
    }
    it->open = false;
    return name_anchor(j, it, v->anchor, &a->anchor, &a->ca_id, &a->ca_sha256);
}

/* What the observed CAs say stands beside the answer; nothing of the answer depends on it. */
static int
fill_observed(const struct judge *j, struct judged *it, const acd_verdict *v)
{
    Anchord__V1__Observation *o = wire_new(j->region, Anchord__V1__Observation, anchord__v1__observation);
    if (!o)
        return ACD_ENOMEM;
    it->answer->observed = o;
    o->verdict =
        v->result == ACD_VERIFIED ? ANCHORD__V1__VERDICT__VERIFIED : ANCHORD__V1__VERDICT__NOT_VERIFIED;
    o->error = mem_strdup(j->region, v->error);
    o->reason = wire_text(j->region, slice_str(v->text));
    if (!o->error || !o->reason)
        return ACD_ENOMEM;
    return name_anchor(j, it, v->anchor, &o->anchor, &o->ca_id, &o->ca_sha256);
}

int
judge_chain(const struct judge *j, struct judged *it)
{
    const char *why = NULL;
    int rc = chain_take(j->region, it->question, &it->chain, &why);
    if (rc == ACD_EINVAL)
        judge_refuse(it, it->question->n_chain ? bad_chain : no_chain, why);
    return rc == ACD_EINVAL ? 0 : rc;
}

void
judge_bad_host(struct judged *it)
{
    judge_refuse(it, bad_host, it->host.error);
}

void
judge_bad_product(struct judged *it)
{
    it->host = (struct query_host){.name = "", .error = query_bad_product};
    judge_refuse(it, bad_product, query_bad_product);
}

/* Which association answered, with which trust set. */
static int
name_association(const struct judge *j, struct judged *it)
{
    Anchord__V1__VerifyAnswer *a = it->answer;
    acd_slice pattern;
    a->trust_digest = wire_bytes(mem_slice(j->region, slice_of(it->trust.digest, DIGEST_LEN)));
    if (!a->trust_digest.data || query_pattern(j->region, &it->host, &it->hit, &pattern) < 0)
        return ACD_ENOMEM;
    a->pattern = (char *)pattern.ptr;
    return 0;
}

int
judge_look_up(const struct judge *j, struct judged *it)
{
    Anchord__V1__VerifyAnswer *a = it->answer;
    if (it->host.error)
        return 0;
    if (it->found < 0)
        return it->found;
    a->match = (Anchord__V1__MatchKind)it->hit.match;
    if (it->hit.match == SNAP_NONE) {
        if (it->open)
            judge_refuse(it, no_association, "no CA may vouch for clients of this host");
        return 0;
    }
    int rc = snap_trust_get(j->view, it->hit.trust, &it->trust);
    if (rc == 0 && !j->brief)
        rc = name_association(j, it);
    if (rc < 0)
        return rc;
    if (it->open && it->trust.n == 0)
        judge_refuse(it, no_trust, "the CAs of this host hold no certificate yet");
    return 0;
}

void
judge_repeat(const struct judge *j, const struct judged *before, struct judged *it)
{
    Anchord__V1__VerifyAnswer *a = it->answer, own = *a;
    if (!it->open || j->explain || before->open || it->at_ms != before->at_ms ||
        it->hit.trust != before->hit.trust || before->hit.match == SNAP_NONE ||
        memcmp(it->chain.digest, before->chain.digest, DIGEST_LEN) != 0)
        return;
    *a = *before->answer;
    a->match = own.match;
    a->pattern = own.pattern;
    a->cached = true;
    it->unchecked = before->unchecked;
    it->open = false;
}

static bool
observes(const struct judge *j, const struct judged *it)
{
    return it->trust.observes && !j->brief;
}

static bool
find_kept(const struct judge *j, const struct judged *it, enum bundle_kind kind, acd_verdict *ret)
{
    const struct verdict_of of = {it->trust.digest, it->trust.epoch, &it->chain, kind};
    return chain_verdict_find(j->q, &of, it->at_ms, ret);
}

/* Verdicts that are known already. An explanation needs the derivation, so it does without. */
int
judge_warm(const struct judge *j, struct judged *it)
{
    acd_verdict v, seen;
    bool observe = observes(j, it);
    if (!it->open || j->explain || !find_kept(j, it, BUNDLE_DECIDES, &v) ||
        (observe && !find_kept(j, it, BUNDLE_OBSERVES, &seen)))
        return 0;
    int rc = fill_verdict(j, it, &v, true);
    return rc < 0 || !observe ? rc : fill_observed(j, it, &seen);
}

/* --- second pass ------------------------------------------------------------------------------------------
 */

struct explain_ctx {
    struct mem_region *region;
    Anchord__V1__VerifyAnswer *answer;
    const struct bundle_ref *bundle; /* whose steps these are */
    enum bundle_kind kind;
};

int
judge_step(struct mem_region *r, const acd_step *step, Anchord__V1__VerifyStep **ret)
{
    Anchord__V1__VerifyStep *m = *ret = wire_new(r, Anchord__V1__VerifyStep, anchord__v1__verify_step);
    if (!m)
        return ACD_ENOMEM;
    m->anchor = step->anchor;
    m->depth = step->depth;
    m->check = mem_strdup(r, step->check ? step->check : "");
    m->ok = step->ok != 0;
    m->error = mem_strdup(r, step->error ? step->error : "");
    m->text = wire_text(r, step->text);
    return m->check && m->error && m->text ? 0 : ACD_ENOMEM;
}

static int
add_step(void *arg, const acd_step *step)
{
    struct explain_ctx *ctx = arg;
    Anchord__V1__VerifyStep *m;
    int rc = judge_step(ctx->region, step, &m);
    if (rc < 0)
        return rc;
    m->anchor = bundle_place(ctx->bundle, step->anchor);
    m->observed = ctx->kind == BUNDLE_OBSERVES;
    return wire_append(ctx->region, &ctx->answer->n_steps, &ctx->answer->steps, m);
}

static int
add_field(void *arg, const char *name, acd_slice value)
{
    struct explain_ctx *ctx = arg;
    Anchord__V1__Field *m = wire_new(ctx->region, Anchord__V1__Field, anchord__v1__field);
    if (!m)
        return ACD_ENOMEM;
    m->name = mem_strdup(ctx->region, name);
    m->value = wire_bytes(mem_slice(ctx->region, value));
    if (!m->name || !m->value.data)
        return ACD_ENOMEM;
    return wire_append(ctx->region, &ctx->answer->n_fields, &ctx->answer->fields, m);
}

static int
add_bool(struct explain_ctx *ctx, const char *name, bool value)
{
    return add_field(ctx, name, value ? SLICE_LIT("true") : SLICE_LIT("false"));
}

/* The three that the verdict decides; cert_verified keeps its documented meaning and stays true for a revoked
 * one. */
static int
add_fields(const struct judge *j, struct judged *it, struct explain_ctx *ctx)
{
    const Anchord__V1__VerifyAnswer *a = it->answer;
    bool verified = a->verdict == ANCHORD__V1__VERDICT__VERIFIED;
    int rc = add_bool(ctx, "cf.tls_client_auth.cert_presented", it->chain.n > 0);
    if (rc == 0)
        rc = add_bool(ctx, "cf.tls_client_auth.cert_verified", verified || a->revoked);
    if (rc == 0)
        rc = add_bool(ctx, "cf.tls_client_auth.cert_revoked", a->revoked);
    if (rc < 0 || it->chain.n == 0)
        return rc;
    acd_err err = ACD_ERR_INIT;
    rc = plug_describe(j->q->deps.validator, it->chain.certs[0], it->chain.certs + 1, it->chain.n - 1,
                       add_field, ctx, j->call->deadline_ns, &err);
    return rc == ACD_EINVAL ? 0 : rc; /* unreadable: the verdict says so */
}

static int
ask_validator(const struct judge *j, struct judged *it, enum bundle_kind kind, struct explain_ctx *ctx,
              acd_verdict *ret, acd_err *err)
{
    struct bundle_ref *bundle;
    struct revocation_ctx revocation = {.view = j->view, .trust = &it->trust};
    const acd_verify what = {
        .struct_size = sizeof(what),
        .leaf = it->chain.certs[0],
        .inter = it->chain.certs + 1,
        .ninter = it->chain.n - 1,
        .at_ms = it->at_ms,
        .purpose = ACD_PURPOSE_CLIENT,
        .max_depth = -1,
        .step = j->explain ? add_step : NULL,
        .step_ctx = ctx,
        .revocation = it->trust.epoch ? revocation_ask : NULL,
        .revocation_ctx = &revocation,
    };
    int rc = bundle_get(j->q->bundles, j->view, &it->trust, kind, &bundle, err);
    if (rc < 0)
        return rc;
    revocation.places = bundle_places(bundle, &revocation.n);
    ctx->bundle = bundle;
    ctx->kind = kind;
    *ret = (acd_verdict){.struct_size = sizeof(*ret)};
    query_count(j->q, QUERY_VERIFICATIONS, 1);
    rc = plug_verify(bundle_of(bundle), &what, j->call->deadline_ns, ret, err);
    ret->anchor = bundle_place(bundle, ret->anchor);
    bundle_put(j->q->bundles, bundle);
    return rc;
}

struct job {
    const struct judge *j;
    struct judged *it;
    enum bundle_kind kind;
    struct explain_ctx *ctx;
};

/* Runs inside the flight of this verdict: whoever asks for the same one meanwhile waits for it. */
static int
verify_fresh(void *arg, acd_verdict *ret, acd_err *err)
{
    struct job *job = arg;
    return ask_validator(job->j, job->it, job->kind, job->ctx, ret, err);
}

static int
verdict_of_kind(const struct judge *j, struct judged *it, enum bundle_kind kind, struct explain_ctx *ctx,
                acd_verdict *ret, bool *ret_cached, acd_err *err)
{
    struct job job = {j, it, kind, ctx};
    const struct verdict_of of = {it->trust.digest, it->trust.epoch, &it->chain, kind};
    *ret_cached = false;
    return j->explain ? ask_validator(j, it, kind, ctx, ret, err)
                      : chain_verdict_get(j->q, &of, it->at_ms, j->call->deadline_ns, verify_fresh, &job, ret,
                                          ret_cached, err);
}

static int
decide(const struct judge *j, struct judged *it, struct explain_ctx *ctx)
{
    acd_err err = ACD_ERR_INIT;
    acd_verdict v;
    bool cached;
    int rc = verdict_of_kind(j, it, BUNDLE_DECIDES, ctx, &v, &cached, &err);
    if (rc == 0)
        return fill_verdict(j, it, &v, cached);
    if (rc == ACD_ENOMEM)
        return rc;
    /* No verdict is never a good one; the other questions of the batch go on. */
    it->unchecked = true;
    judge_refuse(it, failed, mem_strdup(j->region, err_text(&err, rc)));
    return 0;
}

/* After the decision, which stands whatever comes of this. */
static int
observe(const struct judge *j, struct judged *it, struct explain_ctx *ctx)
{
    acd_err err = ACD_ERR_INIT;
    acd_verdict v;
    bool cached;
    int rc = verdict_of_kind(j, it, BUNDLE_OBSERVES, ctx, &v, &cached, &err);
    if (rc < 0 && rc != ACD_ENOMEM) {
        v = (acd_verdict){.result = ACD_NOT_VERIFIED, .anchor = -1};
        (void)snprintf(v.error, sizeof(v.error), "%s", failed);
        (void)snprintf(v.text, sizeof(v.text), "%s", err_text(&err, rc));
        rc = 0;
    }
    return rc < 0 ? rc : fill_observed(j, it, &v);
}

int
judge_cold(const struct judge *j, struct judged *it)
{
    struct explain_ctx ctx = {.region = j->region, .answer = it->answer};
    bool named = it->chain.n > 0 || it->question->chain_digest.len == DIGEST_LEN;
    int rc = 0;
    if (named && (it->open || (j->fields && !it->host.error)))
        rc = chain_load(j->q, j->region, &it->chain);
    if (rc == ACD_ENOENT) {
        need_certificate(it);
        return 0;
    }
    bool open = it->open;
    if (rc == 0 && open)
        rc = decide(j, it, &ctx);
    if (rc == 0 && open && observes(j, it))
        rc = observe(j, it, &ctx);
    if (rc == 0 && j->fields && !it->host.error)
        rc = add_fields(j, it, &ctx);
    return rc;
}
