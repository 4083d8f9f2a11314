/*
 * VerifyClient: is this certificate verified for this host?
 *
 * First pass, inside the read section: names, look-ups, verdicts that are known. Second pass, with the view
 * held by reference and outside the section, for what is left: compile the trust set, ask the validator, keep
 * the verdict. All answers of a batch come from one view.
 *
 * A verdict is a function of chain, trust set, purpose and time; the cache's key and validity hold all of
 * them, so that a change of trust or the passing of a date never leaves a stale one (eval/verdict.h).
 */
#include "base/err.h"
#include "base/rcu.h"
#include "model/digest.h"
#include "query/chain.h"
#include "query/part.h"

/* Refusals of our own that need no validator. */
static const char no_association[] = "ACD_V_ERR_NO_ASSOCIATION";
static const char no_trust[] = "ACD_V_ERR_EMPTY_TRUST_SET";
static const char bad_host[] = "ACD_V_ERR_INVALID_HOST";
static const char bad_chain[] = "ACD_V_ERR_INVALID_CHAIN";
static const char no_chain[] = "ACD_V_ERR_NO_CERTIFICATE";
static const char failed[] = "ACD_V_ERR_NOT_CHECKED";

struct item {
    const Anchord__V1__VerifyQuestion *question;
    Anchord__V1__VerifyAnswer *answer;
    struct query_host host;
    struct snap_hit hit;
    int found;
    struct snap_trust trust;
    struct chain chain;
    int64_t at_ms;
    bool open; /* still to be verified in the second pass */
};

struct batch {
    struct query *q;
    struct rpc_call *call;
    const Anchord__V1__VerifyClientRequest *req;
    const struct snap_view *view;
    struct mem_region *region;
    struct item *items;
    size_t n, open;
};

/* --- answers ----------------------------------------------------------------------------------------------
 */

static void
refuse(struct item *it, const char *error, const char *reason)
{
    it->answer->verdict = ANCHORD__V1__VERDICT__NOT_VERIFIED;
    it->answer->depth = -1;
    it->answer->error = (char *)error;
    it->answer->reason = WIRE_STR(reason);
    it->open = false;
}

static void
need_certificate(struct item *it)
{
    it->answer->verdict = ANCHORD__V1__VERDICT__NEED_CERTIFICATE;
    it->answer->depth = -1;
    it->answer->reason = "the chain behind this digest is not known here: send its certificates";
    it->open = false;
}

/* The CA that vouched, by its place in the trust set of this host: the same set may belong to several
 * accounts. */
static int
name_anchor(struct batch *b, struct item *it, int32_t anchor)
{
    struct snap_ca ca;
    uint32_t flags;
    if (anchor < 0 || (uint32_t)anchor >= it->trust.n)
        return 0;
    int rc = snap_trust_ca(b->view, &it->trust, (uint32_t)anchor, &ca, &flags);
    if (rc < 0)
        return rc;
    it->answer->ca_id = mem_strndup(b->region, ca.id.ptr, ca.id.len);
    it->answer->ca_sha256 = wire_bytes(mem_slice(b->region, slice_of(ca.sha256, DIGEST_LEN)));
    return it->answer->ca_id && it->answer->ca_sha256.data ? 0 : ACD_ENOMEM;
}

static int
fill_verdict(struct batch *b, struct item *it, const acd_verdict *v, bool cached)
{
    Anchord__V1__VerifyAnswer *a = it->answer;
    bool good = v->result == ACD_VERIFIED;
    a->verdict = good ? ANCHORD__V1__VERDICT__VERIFIED : ANCHORD__V1__VERDICT__NOT_VERIFIED;
    a->depth = good ? 0 : v->depth;
    a->cached = cached;
    a->revoked = (v->flags & ACD_VERDICT_REVOKED) != 0;
    a->valid_until_ms = good ? v->valid_until_ms : 0;
    a->error = mem_strdup(b->region, v->error);
    a->reason = wire_text(b->region, slice_str(v->text));
    if (!a->error || !a->reason)
        return ACD_ENOMEM;
    it->open = false;
    return name_anchor(b, it, v->anchor);
}

/* --- first pass -------------------------------------------------------------------------------------------
 */

static int
prepare(struct batch *b, struct item *it, int64_t now_ms)
{
    const char *why = NULL;
    int rc = query_host(b->region, it->question->host, &it->host);
    if (rc < 0)
        return rc;
    it->at_ms = it->question->at_ms ? it->question->at_ms : now_ms;
    it->open = true;
    if (it->host.error) {
        refuse(it, bad_host, it->host.error);
        return 0;
    }
    rc = chain_take(b->region, it->question, &it->chain, &why);
    if (rc == ACD_EINVAL)
        refuse(it, it->question->n_chain ? bad_chain : no_chain, why);
    return rc == ACD_EINVAL ? 0 : rc;
}

static int
look_up_one(struct batch *b, struct item *it)
{
    Anchord__V1__VerifyAnswer *a = it->answer;
    if (it->host.error)
        return 0;
    if (it->found < 0)
        return it->found;
    a->match = (Anchord__V1__MatchKind)it->hit.match;
    if (it->hit.match == SNAP_NONE) {
        if (it->open)
            refuse(it, no_association, "no CA may vouch for clients of this host");
        return 0;
    }
    int rc = query_pattern(b->region, &it->host, &it->hit, &a->pattern);
    if (rc == 0)
        rc = snap_trust_get(b->view, it->hit.trust, &it->trust);
    if (rc < 0)
        return rc;
    a->trust_digest = wire_bytes(mem_slice(b->region, slice_of(it->trust.digest, DIGEST_LEN)));
    if (!a->trust_digest.data)
        return ACD_ENOMEM;
    if (it->open && it->trust.n == 0)
        refuse(it, no_trust, "the CAs of this host hold no certificate yet");
    return 0;
}

static int
look_up_all(struct batch *b)
{
    acd_slice *names = mem_new_n(b->region, b->n, acd_slice);
    struct snap_hit *hits = mem_new_n(b->region, b->n, struct snap_hit);
    int *found = mem_new_n(b->region, b->n, int);
    if (!names || !hits || !found)
        return ACD_ENOMEM;
    for (size_t i = 0; i < b->n; i++)
        names[i] = slice_of(b->items[i].host.name, b->items[i].host.len);
    (void)snap_lookup_batch(b->view, names, b->n, hits, found);
    for (size_t i = 0; i < b->n; i++) {
        b->items[i].hit = hits[i];
        b->items[i].found = found[i];
        int rc = look_up_one(b, &b->items[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Verdicts that are known already. An explanation needs the derivation, so it does without. */
static int
warm_pass(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        struct item *it = &b->items[i];
        acd_verdict v;
        if (it->open && !b->req->explain &&
            chain_verdict_find(b->q, it->trust.digest, &it->chain, it->at_ms, &v)) {
            int rc = fill_verdict(b, it, &v, true);
            if (rc < 0)
                return rc;
        }
        b->open += it->open;
    }
    return 0;
}

/* --- second pass ------------------------------------------------------------------------------------------
 */

struct explain_ctx {
    struct mem_region *region;
    Anchord__V1__VerifyAnswer *answer;
};

static int
add_step(void *arg, const acd_step *step)
{
    struct explain_ctx *ctx = arg;
    Anchord__V1__VerifyStep *m = wire_new(ctx->region, Anchord__V1__VerifyStep, anchord__v1__verify_step);
    if (!m)
        return ACD_ENOMEM;
    m->anchor = step->anchor;
    m->depth = step->depth;
    m->check = mem_strdup(ctx->region, step->check ? step->check : "");
    m->ok = step->ok != 0;
    m->error = mem_strdup(ctx->region, step->error ? step->error : "");
    m->text = wire_text(ctx->region, step->text);
    if (!m->check || !m->error || !m->text)
        return ACD_ENOMEM;
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
add_fields(struct batch *b, struct item *it, struct explain_ctx *ctx)
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
    rc = plug_describe(b->q->deps.validator, it->chain.certs[0], it->chain.certs + 1, it->chain.n - 1,
                       add_field, ctx, b->call->deadline_ns, &err);
    return rc == ACD_EINVAL ? 0 : rc; /* unreadable: the verdict says so */
}

static int
ask_validator(struct batch *b, struct item *it, struct explain_ctx *ctx, acd_verdict *ret, acd_err *err)
{
    struct bundle_ref *bundle;
    const acd_verify what = {
        .struct_size = sizeof(what),
        .leaf = it->chain.certs[0],
        .inter = it->chain.certs + 1,
        .ninter = it->chain.n - 1,
        .at_ms = it->at_ms,
        .purpose = ACD_PURPOSE_CLIENT,
        .max_depth = -1,
        .step = b->req->explain ? add_step : NULL,
        .step_ctx = ctx,
    };
    int rc = bundle_get(b->q->bundles, b->view, &it->trust, &bundle, err);
    if (rc < 0)
        return rc;
    *ret = (acd_verdict){.struct_size = sizeof(*ret)};
    query_count(b->q, QUERY_VERIFICATIONS, 1);
    rc = plug_verify(bundle_of(bundle), &what, b->call->deadline_ns, ret, err);
    bundle_put(b->q->bundles, bundle);
    return rc;
}

struct job {
    struct batch *b;
    struct item *it;
};

/* Runs inside the flight of this verdict: whoever asks for the same one meanwhile waits for it. */
static int
verify_fresh(void *arg, acd_verdict *ret, acd_err *err)
{
    struct job *job = arg;
    return ask_validator(job->b, job->it, NULL, ret, err);
}

static int
decide(struct batch *b, struct item *it, struct explain_ctx *ctx)
{
    struct job job = {b, it};
    acd_err err = ACD_ERR_INIT;
    acd_verdict v;
    bool cached = false;
    int rc = b->req->explain ? ask_validator(b, it, ctx, &v, &err)
                             : chain_verdict_get(b->q, it->trust.digest, &it->chain, it->at_ms,
                                                 b->call->deadline_ns, verify_fresh, &job, &v, &cached, &err);
    if (rc == 0)
        return fill_verdict(b, it, &v, cached);
    if (rc == ACD_ENOMEM)
        return rc;
    /* No verdict is never a good one; the other questions of the batch go on. */
    refuse(it, failed, mem_strdup(b->region, err_text(&err, rc)));
    return 0;
}

static int
verify_one(struct batch *b, struct item *it)
{
    struct explain_ctx ctx = {b->region, it->answer};
    bool named = it->chain.n > 0 || it->question->chain_digest.len == DIGEST_LEN;
    int rc = 0;
    if (named && (it->open || (b->req->fields && !it->host.error)))
        rc = chain_load(b->q, b->region, &it->chain);
    if (rc == ACD_ENOENT) {
        need_certificate(it);
        return 0;
    }
    if (rc == 0 && it->open)
        rc = decide(b, it, &ctx);
    if (rc == 0 && b->req->fields && !it->host.error)
        rc = add_fields(b, it, &ctx);
    return rc;
}

static int
cold_pass(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        int rc = verify_one(b, &b->items[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* --- the batch --------------------------------------------------------------------------------------------
 */

static int
run(struct batch *b)
{
    int64_t now_ms = clock_wall_ms(b->q->deps.clock);
    struct snap_view *held = NULL;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->n; i++)
        rc = prepare(b, &b->items[i], now_ms);
    if (rc < 0)
        return rc;
    rcu_enter();
    b->view = snap_pub_get(b->q->deps.pub);
    rc = b->view ? look_up_all(b) : ACD_EUNAVAIL;
    if (rc == 0)
        rc = warm_pass(b);
    if (b->view) {
        b->call->revision = snap_view_revision(b->view);
        if (rc == 0 && (b->open || b->req->fields))
            held = snap_view_ref(b->view);
    }
    rcu_leave();
    if (held) {
        rc = cold_pass(b);
        snap_view_unref(held);
    }
    return rc;
}

int
query_verify_client(void *ctx, struct rpc_call *call, const void *req_, void **ret_resp, acd_err *err)
{
    struct query *q = ctx;
    const Anchord__V1__VerifyClientRequest *req = req_;
    struct batch b = {.q = q, .call = call, .req = req, .region = call->region, .n = req->n_questions};
    Anchord__V1__VerifyClientResponse *resp =
        wire_new(call->region, Anchord__V1__VerifyClientResponse, anchord__v1__verify_client_response);
    b.items = mem_new_n(call->region, b.n, struct item);
    if (!resp || !b.items)
        return query_failed(ACD_ENOMEM, err);
    resp->answers = wire_list(call->region, b.n, Anchord__V1__VerifyAnswer, anchord__v1__verify_answer);
    if (!resp->answers)
        return query_failed(ACD_ENOMEM, err);
    resp->n_answers = b.n;
    for (size_t i = 0; i < b.n; i++) {
        b.items[i].question = req->questions[i];
        b.items[i].answer = resp->answers[i];
    }
    query_count(q, QUERY_VERIFY_QUESTIONS, b.n);
    int rc = run(&b);
    *ret_resp = resp;
    return rc < 0 ? query_failed(rc, err) : 0;
}
