/*
 * The walk. OpenSSL's path building takes the first issuer that fits by name and never goes back, so a cross-
 * signed or expired twin, a dead end, a loop or two CAs of one name make a good chain fail. Here every path
 * is tried, the shortest first (RFC 4158 sections 2 and 3): round d looks at paths with exactly d
 * intermediates, depth first, no certificate and no CA twice on a path. Edges are judged by what costs
 * nothing (name, key identifier, dates, CA bits, key limits); signatures are checked on complete paths only
 * and remembered, so an edge that turned out bad prunes every later path over it. Candidates, signatures and
 * steps are bounded.
 */
#include "run.h"

static bool
on_path(const struct vo_run *run, const struct vo_cert *c)
{
    for (size_t i = 0; i < run->len; i++)
        if (vo_cert_same(run->path[i], c) || vo_cert_same_entity(run->path[i], c))
            return true;
    return false;
}

/* May this certificate issue at all, now? Says why not, once per place where it would have fitted. */
static bool
fit_to_issue(struct vo_run *run, const struct vo_cert *c, struct vo_fault extra)
{
    struct vo_fault f = c->fault;
    const char *check = "key";
    int32_t depth = (int32_t)run->len;
    if (!f.error && !c->ca) {
        f = VO_FAULT("X509_V_ERR_INVALID_CA", "the issuer's certificate does not make it a CA");
        check = "path";
    }
    if (!f.error && c->key.kind == VO_KEY_ED25519)
        f = VO_FAULT("ACD_V_ERR_KEY_TYPE", "a CA's key must be RSA or EC");
    if (!f.error) {
        f = vo_run_dates(run, c);
        check = "time";
    }
    if (!f.error) {
        f = extra;
        check = "path";
    }
    if (f.error)
        vo_run_fail(run, VO_RANK_UNFIT, check, f, depth);
    return !f.error;
}

static bool
step(struct vo_run *run)
{
    if (++run->steps <= VO_MAX_STEPS)
        return true;
    run->over = true;
    return false;
}

static bool
edge(struct vo_run *run, const struct vo_cert *issuer)
{
    const struct vo_cert *cur = run->path[run->len - 1];
    return vo_cert_may_issue(issuer, cur) && vo_run_memo(run, issuer, cur) != 0;
}

/* All anchors that may have signed the end of the path. */
static enum vo_walk
try_anchors(struct vo_run *run)
{
    const struct acd_bundle *b = run->bundle;
    unsigned long hash = run->path[run->len - 1]->issuer_hash;
    for (size_t s = vo_bundle_find(b, hash); s < b->nslots && b->slots[s].subject_hash == hash; s++) {
        if (b->slots[s].at >= b->nanchors)
            continue;
        const struct vo_anchor *a = &b->anchors[b->slots[s].at];
        if (!step(run))
            return VO_WALK_STOP;
        if (!edge(run, a->cert) || on_path(run, a->cert) || !fit_to_issue(run, a->cert, a->strict))
            continue;
        if (++run->candidates > VO_MAX_CANDIDATES) {
            run->over = true;
            return VO_WALK_STOP;
        }
        run->anchor = (int32_t)b->slots[s].at;
        run->path[run->len++] = a->cert;
        enum vo_walk r = vo_chain_check(run);
        if (r == VO_WALK_FOUND)
            return r;
        run->len--;
        run->anchor = -1;
        if (r == VO_WALK_STOP)
            return r;
    }
    return VO_WALK_ON;
}

static enum vo_walk walk(struct vo_run *run, size_t left, bool *ret_deeper);

static enum vo_walk
try_issuer(struct vo_run *run, struct vo_cert *c, size_t left, bool *ret_deeper)
{
    if (c->subject_hash != run->path[run->len - 1]->issuer_hash)
        return VO_WALK_ON;
    if (!step(run))
        return VO_WALK_STOP;
    if (!edge(run, c) || on_path(run, c) || !fit_to_issue(run, c, VO_FINE))
        return VO_WALK_ON;
    run->path[run->len++] = c;
    enum vo_walk r = walk(run, left - 1, ret_deeper);
    if (r != VO_WALK_FOUND)
        run->len--;
    return r;
}

/* Extends the path by `left` more intermediates and an anchor. *ret_deeper: a longer path may exist. */
static enum vo_walk
walk(struct vo_run *run, size_t left, bool *ret_deeper)
{
    const struct acd_bundle *b = run->bundle;
    unsigned long hash = run->path[run->len - 1]->issuer_hash;
    enum vo_walk r = VO_WALK_ON;
    if (left == 0) {
        *ret_deeper = true;
        return try_anchors(run);
    }
    for (size_t i = 0; i < run->npool && r == VO_WALK_ON; i++)
        r = try_issuer(run, run->pool[i], left, ret_deeper);
    for (size_t s = vo_bundle_find(b, hash);
         r == VO_WALK_ON && s < b->nslots && b->slots[s].subject_hash == hash; s++)
        if (b->slots[s].at >= b->nanchors)
            r = try_issuer(run, vo_bundle_cert(b, b->slots[s].at), left, ret_deeper);
    return r;
}

/* The peer's certificate is itself an anchor: a path of one. */
static enum vo_walk
leaf_is_anchor(struct vo_run *run)
{
    const struct acd_bundle *b = run->bundle;
    for (size_t i = 0; i < b->nanchors; i++) {
        const struct vo_anchor *a = &b->anchors[i];
        if (!a->cert || !a->cert->ca || !vo_cert_same(a->cert, run->leaf))
            continue;
        run->anchor = (int32_t)i;
        if (a->strict.error) {
            vo_run_fail(run, VO_RANK_UNFIT, "path", a->strict, 0);
            continue;
        }
        enum vo_walk r = vo_chain_check(run);
        if (r != VO_WALK_ON)
            return r;
    }
    return VO_WALK_ON;
}

enum vo_walk
vo_path_walk(struct vo_run *run)
{
    size_t most = (size_t)run->max_depth + VO_MAX_SELF_ISSUED;
    run->path[0] = run->leaf;
    run->len = 1;
    enum vo_walk r = leaf_is_anchor(run);
    if (r != VO_WALK_ON)
        return r;
    if (run->leaf->flags & EXFLAG_CA) {
        if (run->best.rank == VO_RANK_NONE)
            vo_run_fail(run, VO_RANK_LEAF, "path",
                        VO_FAULT("ACD_V_ERR_LEAF_IS_CA", "the peer's certificate is a CA certificate"), 0);
        return VO_WALK_ON;
    }
    if (most > VO_MAX_PATH - 2)
        most = VO_MAX_PATH - 2;
    for (size_t d = 0; d <= most; d++) {
        bool deeper = false;
        r = walk(run, d, &deeper);
        if (r != VO_WALK_ON || !deeper)
            return r;
    }
    return VO_WALK_ON;
}
