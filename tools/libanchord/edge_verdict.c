/*
 * Is this client's certificate verified for this host? From the handle's cache, else from the server.
 *
 * A verdict depends on the chain, the host's trust set, the revocation data of its CAs, the purpose and the
 * time. The cache's key holds the first two by digest and the third by its epoch, each entry its time; so a
 * change of trust or of a revocation list in the image is enough to leave an old verdict unfound.
 */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "libanchord/edge_cache.h"
#include "libanchord/edge_part.h"
#include "libanchord/internal.h"
#include "model/digest.h"
#include "model/host.h"
#include "wire/msg.h"

#define PUBLIC __attribute__((visibility("default")))

_Static_assert(sizeof(((acd_edge_verdict *)0)->ca_id) > SNAP_ID_MAX, "an id fits");

/* A text of ours into room that is known to hold it, or is cut. */
static void
text_put(char *to, size_t room, const char *from, size_t len)
{
    len = len < room ? len : room - 1;
    if (len)
        memcpy(to, from, len);
    to[len] = '\0';
}

static void
verdict_none(acd_edge_verdict *v, const char *error, const char *reason)
{
    *v = (acd_edge_verdict){.verdict = ACD_NOT_VERIFIED, .depth = -1};
    text_put(v->error, sizeof(v->error), error, strlen(error));
    text_put(v->reason, sizeof(v->reason), reason, strlen(reason));
}

/* The same names for the same refusals as the server's. */
static void
refuse(acd_edge_verdict *v, const char *error, const char *reason)
{
    verdict_none(v, error, reason);
    v->cached = 1;
}

PUBLIC int
acd_edge_chain_digest(const acd_slice *chain, size_t chain_len, uint8_t ret_digest[32])
{
    if (chain_len > LIMIT_CHAIN)
        return ACD_ELIMIT;
    if (chain_len == 0 || !chain || !ret_digest)
        return ACD_EINVAL;
    for (size_t i = 0; i < chain_len; i++)
        if (!chain[i].ptr || chain[i].len == 0)
            return ACD_EINVAL;
    digest_chain(chain, chain_len, ret_digest);
    return 0;
}

/* The chain's digest: given, or made in room. ACD_ENOENT: the question names no chain. */
static int
chain_of(const acd_verify_question *q, uint8_t room[32], const uint8_t **ret)
{
    int rc = 0;
    *ret = q->chain_digest;
    if (q->chain_len > 0) {
        rc = acd_edge_chain_digest(q->chain, q->chain_len, room);
        *ret = room;
    }
    return rc < 0 ? rc : *ret ? 0 : ACD_ENOENT;
}

/* --- from the image and the cache -------------------------------------------------------------------------
 */

static int
kept_put(const struct snap_view *v, const struct snap_trust *trust, const struct edge_kept *k,
         acd_edge_verdict *ret)
{
    struct snap_ca ca;
    uint32_t flags;
    ret->verdict = k->verified ? ACD_VERIFIED : ACD_NOT_VERIFIED;
    ret->depth = k->verified ? 0 : k->depth;
    ret->revoked = k->revoked;
    ret->cached = 1;
    ret->valid_from_ms = k->from_ms;
    ret->valid_until_ms = k->until_ms;
    memcpy(ret->error, k->error, sizeof(ret->error));
    memcpy(ret->reason, k->text, sizeof(ret->reason));
    ret->ca_id[0] = '\0';
    memset(ret->ca_sha256, 0, sizeof(ret->ca_sha256));
    if (k->anchor < 0 || (uint32_t)k->anchor >= trust->n)
        return 0;
    int rc = snap_trust_ca(v, trust, (uint32_t)k->anchor, &ca, &flags);
    if (rc < 0)
        return rc;
    memcpy(ret->ca_sha256, ca.sha256, sizeof(ret->ca_sha256));
    text_put(ret->ca_id, sizeof(ret->ca_id), ca.id.ptr, ca.id.len);
    return 0;
}

/* With a host that is associated, and its trust set. */
static int
find_kept(struct acd_edge *e, const struct edge_now *now, const struct snap_hit *hit,
          const acd_verify_question *q, acd_edge_verdict *ret)
{
    struct snap_trust trust;
    struct edge_kept kept;
    uint8_t room[32];
    const uint8_t *chain;
    int rc = snap_trust_get(now->view, hit->trust, &trust);
    if (rc < 0)
        return ACD_ECORRUPT;
    if (trust.n == 0) {
        refuse(ret, "ACD_V_ERR_EMPTY_TRUST_SET", "the CAs of this host hold no certificate yet");
        memcpy(ret->trust_digest, trust.digest, 32);
        return 0;
    }
    rc = chain_of(q, room, &chain);
    if (rc == 0 && !edge_cache_find(e->verdicts, chain, trust.digest, trust.epoch, q->at_ms, &kept))
        rc = ACD_ENOENT;
    if (rc < 0)
        return rc;
    memcpy(ret->trust_digest, trust.digest, 32);
    return kept_put(now->view, &trust, &kept, ret);
}

static int
find_now(struct acd_edge *e, const struct edge_now *now, const acd_verify_question *q, acd_edge_verdict *ret)
{
    struct host host;
    struct snap_hit hit = {0};
    int rc = edge_find(now->view, q->product, slice_str(q->host), &host, &hit);
    if (rc == ACD_EINVAL) {
        refuse(ret, "ACD_V_ERR_INVALID_HOST", "the host name is not valid");
        rc = 0;
    } else if (rc == ACD_ENOTSUP) {
        refuse(ret, "ACD_V_ERR_INVALID_PRODUCT", "the product is neither empty nor \"access\"");
        rc = 0;
    } else if (rc == 0 && q->chain_len == 0 && !q->chain_digest) {
        refuse(ret, "ACD_V_ERR_NO_CERTIFICATE", "no certificate was presented");
    } else if (rc == 0 && hit.match == SNAP_NONE) {
        refuse(ret, "ACD_V_ERR_NO_ASSOCIATION", "no CA may vouch for clients of this host");
    } else if (rc == 0) {
        rc = find_kept(e, now, &hit, q, ret);
    }
    if (rc < 0)
        return rc;
    ret->match = (int)hit.match;
    ret->stale = now->stale;
    ret->revision = snap_view_revision(now->view);
    return 0;
}

PUBLIC int
acd_edge_verdict_find(acd_edge_reader *reader, const acd_verify_question *question,
                      acd_edge_verdict *ret_verdict)
{
    struct edge_now now;
    acd_edge_enter(reader);
    int rc = question->at_ms == 0 || !question->host ? ACD_EINVAL : edge_now(reader, question->at_ms, &now);
    if (rc == 0)
        rc = find_now(reader->edge, &now, question, ret_verdict);
    acd_edge_leave(reader);
    if (rc < 0)
        verdict_none(ret_verdict, "ACD_V_ERR_NOT_CHECKED", "there is no verdict");
    return rc;
}

/* --- from the server --------------------------------------------------------------------------------------
 */

/* For how long an answer may be kept by who compares epochs. A server that knows of none sends neither. */
static bool
keeping_of(const Anchord__V1__VerifyAnswer *a, int64_t *ret_from, int64_t *ret_until)
{
    bool epoch = a->epoch_from_ms != 0 || a->epoch_until_ms != 0;
    *ret_from = epoch ? a->epoch_from_ms : a->keep_from_ms;
    *ret_until = epoch ? a->epoch_until_ms : a->keep_until_ms;
    return (*ret_from != 0 || *ret_until != 0) && *ret_from <= *ret_until;
}

/* What may be kept of an answer; false: nothing. */
static bool
may_keep(const Anchord__V1__VerifyAnswer *a, struct edge_kept *ret)
{
    size_t error = strlen(a->error), reason = strlen(a->reason);
    bool good = a->verdict == ANCHORD__V1__VERDICT__VERIFIED;
    int64_t from, until;
    if ((!good && a->verdict != ANCHORD__V1__VERDICT__NOT_VERIFIED) || !keeping_of(a, &from, &until) ||
        a->trust_digest.len != 32 || error >= sizeof(ret->error) || (good && (error > 0 || a->revoked)) ||
        a->anchor > SNAP_TRUST_MAX)
        return false;
    *ret = (struct edge_kept){.verified = good,
                              .revoked = a->revoked,
                              .depth = a->depth,
                              .anchor = (int32_t)a->anchor - 1,
                              .from_ms = from,
                              .until_ms = until};
    memcpy(ret->error, a->error, error);
    text_put(ret->text, sizeof(ret->text), a->reason, reason);
    return true;
}

PUBLIC int
acd_edge_verdict_put(acd_edge *edge, const uint8_t chain_digest[32], const acd_result *result, size_t i)
{
    struct edge_kept kept;
    if (!edge || !chain_digest || !result)
        return ACD_EINVAL;
    CHECK_MAGIC(edge, EDGE_MAGIC);
    if (i >= result->n_verify)
        return ACD_ENOENT;
    if (!may_keep(result->verify[i], &kept))
        return ACD_ENOTSUP;
    const Anchord__V1__VerifyAnswer *a = result->verify[i];
    edge_cache_put(edge->verdicts, chain_digest, a->trust_digest.data, a->revocation_epoch, &kept);
    return 0;
}

static void
answer_put(const acd_result *res, acd_edge_verdict *ret)
{
    acd_verify_answer a;
    must(acd_verify_get(res, 0, &a) == 0);
    *ret = (acd_edge_verdict){.verdict = a.verdict,
                              .depth = a.depth,
                              .match = a.match,
                              .revoked = a.revoked,
                              .revision = acd_result_revision(res)};
    if (!keeping_of(res->verify[0], &ret->valid_from_ms, &ret->valid_until_ms))
        ret->valid_from_ms = ret->valid_until_ms = 0;
    if (a.trust_digest.len == 32)
        memcpy(ret->trust_digest, a.trust_digest.ptr, 32);
    if (a.ca_sha256.len == 32)
        memcpy(ret->ca_sha256, a.ca_sha256.ptr, 32);
    text_put(ret->ca_id, sizeof(ret->ca_id), a.ca_id, strlen(a.ca_id));
    text_put(ret->error, sizeof(ret->error), a.error, strlen(a.error));
    text_put(ret->reason, sizeof(ret->reason), a.reason, strlen(a.reason));
}

PUBLIC int
acd_edge_verify(acd_edge_reader *reader, acd_client *client, const acd_verify_question *question,
                acd_edge_verdict *ret_verdict, acd_err *err)
{
    acd_result *res;
    uint8_t room[32];
    const uint8_t *chain;
    int rc = acd_edge_verdict_find(reader, question, ret_verdict);
    if (rc == 0)
        return 0;
    if (rc == ACD_EINVAL || rc == ACD_ELIMIT)
        return err_set(err, rc,
                       "a question has a host, a time, and a chain of 1 to %d certificates or its digest",
                       LIMIT_CHAIN);
    /* A missing, stale or damaged image is one more reason to ask. */
    rc = acd_verify_client(client, question, 1, 0, &res, err);
    if (rc < 0)
        return rc;
    answer_put(res, ret_verdict);
    if (chain_of(question, room, &chain) == 0)
        (void)acd_edge_verdict_put(reader->edge, chain, res, 0);
    acd_result_free(res);
    return 0;
}
