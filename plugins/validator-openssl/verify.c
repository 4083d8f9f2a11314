/* One question: limits, leaf, walk, verdict. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "run.h"

static void
tell(struct vo_run *run, const char *check, struct vo_fault f, int32_t depth, const char *text)
{
    if (!run->req->step)
        return;
    acd_step s = {.struct_size = sizeof(s), .anchor = run->anchor, .depth = depth, .check = check};
    s.ok = f.error == NULL;
    s.error = f.error;
    s.text = (acd_slice){text, strlen(text)};
    (void)run->req->step(run->req->step_ctx, &s);
}

/* RSA sizes are told apart by place, as OpenSSL does. */
static const char *
place_error(const char *error, int32_t depth)
{
    return depth > 0 && strcmp(error, "X509_V_ERR_EE_KEY_TOO_SMALL") == 0 ? "X509_V_ERR_CA_KEY_TOO_SMALL"
                                                                          : error;
}

void
vo_run_fail(struct vo_run *run, enum vo_rank rank, const char *check, struct vo_fault fault, int32_t depth)
{
    fault.error = place_error(fault.error, depth);
    tell(run, check, fault, depth, fault.text);
    if (rank <= run->best.rank)
        return;
    run->best = (struct vo_fail){.rank = rank, .error = fault.error, .text = fault.text, .depth = depth};
    run->best.from = run->from;
    run->best.until = run->until;
}

void
vo_run_pass(struct vo_run *run, const char *check, int32_t depth, const char *text)
{
    tell(run, check, VO_FINE, depth, text);
}

struct vo_fault
vo_run_dates(const struct vo_run *run, const struct vo_cert *c)
{
    if (run->at < c->not_before)
        return VO_FAULT("X509_V_ERR_CERT_NOT_YET_VALID", "the certificate is not yet valid");
    if (run->at > c->not_after)
        return VO_FAULT("X509_V_ERR_CERT_HAS_EXPIRED", "the certificate has expired");
    return VO_FINE;
}

bool
vo_run_spend(struct vo_run *run)
{
    uint64_t deadline = sdk_deadline(run->call);
    if (run->signatures >= VO_MAX_SIGNATURES) {
        run->over = true;
        return false;
    }
    if (deadline && sdk_now_ns() > deadline) {
        run->status = ACD_ETIMEOUT;
        return false;
    }
    run->signatures++;
    return true;
}

static const struct vo_memo *
remembered(const struct vo_run *run, const struct vo_cert *issuer, const struct vo_cert *cert)
{
    for (size_t i = 0; i < run->nmemo; i++) {
        const struct vo_memo *m = &run->memo[i];
        if (m->cert == cert && (m->issuer == issuer || vo_cert_same_entity(m->issuer, issuer)))
            return m;
    }
    return NULL;
}

int
vo_run_memo(const struct vo_run *run, const struct vo_cert *issuer, const struct vo_cert *cert)
{
    const struct vo_memo *m = remembered(run, issuer, cert);
    return m ? m->good : -1;
}

bool
vo_run_signed(struct vo_run *run, const struct vo_cert *issuer, const struct vo_cert *cert)
{
    int known = vo_run_memo(run, issuer, cert);
    if (known >= 0)
        return known;
    if (!vo_run_spend(run))
        return false;
    bool good = X509_verify(cert->x, X509_get0_pubkey(issuer->x)) == 1;
    if (!good)
        ERR_clear_error();
    if (run->nmemo < VO_MAX_SIGNATURES)
        run->memo[run->nmemo++] = (struct vo_memo){issuer, cert, good};
    return good;
}

static struct vo_fault
check_sizes(const acd_verify *req)
{
    size_t total = req->leaf.len;
    if (req->ninter > VO_MAX_UNTRUSTED)
        return VO_FAULT("ACD_V_ERR_TOO_MANY_CERTIFICATES", "more than 16 intermediates were sent");
    for (size_t i = 0; i < req->ninter; i++) {
        if (req->inter[i].len > VO_MAX_CERT)
            return VO_FAULT("ACD_V_ERR_CERT_SIZE", "a certificate must have 1 to 16384 octets");
        total += req->inter[i].len;
    }
    if (total > VO_MAX_CHAIN_BYTES)
        return VO_FAULT("ACD_V_ERR_CHAIN_SIZE", "the certificates sent are larger than 64 KiB together");
    return VO_FINE;
}

/* Parses what the peer sent. An unreadable or repeated intermediate helps nobody and is left out. */
static int
read_chain(struct vo_run *run)
{
    struct vo_fault why = VO_FINE;
    int rc = vo_cert_new(run->req->leaf, &run->leaf, &why);
    if (rc == ACD_EINVAL)
        vo_run_fail(run, VO_RANK_LEAF, "parse", why, 0);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < run->req->ninter; i++) {
        uint8_t sha[32];
        acd_slice der = run->req->inter[i];
        vo_sha256(der.ptr, der.len, sha);
        bool known = memcmp(sha, run->leaf->sha256, sizeof(sha)) == 0;
        for (size_t j = 0; j < run->npool; j++)
            known = known || memcmp(sha, run->pool[j]->sha256, sizeof(sha)) == 0;
        if (known)
            continue;
        struct vo_cert *c = vo_bundle_known(run->bundle, sha);
        if (!c) {
            rc = vo_cert_new(der, &c, &why);
            if (rc == ACD_ENOMEM)
                return rc;
            if (rc < 0) {
                tell(run, "parse", why, (int32_t)i + 1, why.text);
                continue;
            }
            run->own[run->nown++] = c;
        }
        run->pool[run->npool++] = c;
    }
    return 0;
}

/* What no chain can mend, and costs no signature. */
static struct vo_fault
leaf_fault(struct vo_run *run, const char **ret_check)
{
    struct vo_cert *leaf = run->leaf;
    *ret_check = "key";
    if (leaf->fault.error)
        return leaf->fault;
    *ret_check = "time";
    struct vo_fault f = vo_run_dates(run, leaf);
    if (f.error)
        return f;
    *ret_check = "constraints";
    /* RFC 5280 section 4.2.1.10: only in a CA certificate. */
    if (leaf->nc && !(leaf->flags & EXFLAG_CA))
        return VO_FAULT("ACD_V_ERR_NAME_CONSTRAINTS_IN_LEAF",
                        "name constraints are for CA certificates only");
    *ret_check = "name";
    f = vo_san_fault(leaf->san);
    if (f.error)
        return f;
    if (vo_peer_match(&run->peer, leaf->san))
        return VO_FINE;
    switch (run->peer.kind) {
    case VO_PEER_IP:
        return VO_FAULT("X509_V_ERR_IP_ADDRESS_MISMATCH", "the certificate is not for this address");
    case VO_PEER_EMAIL:
        return VO_FAULT("X509_V_ERR_EMAIL_MISMATCH", "the certificate is not for this mailbox");
    default:
        return VO_FAULT("X509_V_ERR_HOSTNAME_MISMATCH", "the certificate is not for this host name");
    }
}

static int
judge(struct vo_run *run)
{
    const char *check = "name";
    struct vo_fault f = vo_peer_read(run->req->host, run->req->ip, run->req->email, &run->peer);
    if (!f.error) {
        check = "parse";
        f = check_sizes(run->req);
    }
    if (f.error) {
        vo_run_fail(run, VO_RANK_LEAF, check, f, 0);
        return 0;
    }
    int rc = read_chain(run);
    if (rc == ACD_EINVAL)
        return 0;
    if (rc < 0)
        return rc;
    f = leaf_fault(run, &check);
    if (f.error) {
        vo_run_fail(run, VO_RANK_LEAF, check, f, 0);
        return 0;
    }
    vo_run_pass(run, "name", 0, "the leaf is readable, in date and has the name asked for");
    if (vo_path_walk(run) == VO_WALK_FOUND)
        return 1;
    if (run->status < 0)
        return run->status;
    if (run->best.rank == VO_RANK_NONE)
        vo_run_fail(
            run, VO_RANK_NO_ISSUER, "path",
            vo_cert_self_issued(run->leaf)
                ? VO_FAULT("X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed, and not trusted here")
                : VO_FAULT("X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
                           "no chain leads from the certificate to a trusted CA"),
            0);
    return 0;
}

#define MS 1000

/* Unix seconds to the first or last millisecond of that second, kept inside int64. */
static int64_t
to_ms(int64_t seconds, bool last)
{
    if (seconds > INT64_MAX / MS - 1)
        return INT64_MAX;
    if (seconds < INT64_MIN / MS + 1)
        return INT64_MIN;
    return seconds * MS + (last ? MS - 1 : 0);
}

struct span {
    int64_t at, from, until;
};

/* `bound` is a second from which on something is different. */
static void
cut(struct span *s, int64_t bound)
{
    if (bound <= s->at && bound > s->from)
        s->from = bound;
    if (bound > s->at && bound - 1 < s->until)
        s->until = bound - 1;
}

static void
cut_cert(struct span *s, const struct vo_cert *c)
{
    if (!c)
        return;
    cut(s, c->not_before);
    cut(s, c->not_after + 1);
}

/* A refusal is a function of which certificates and lists are in date: it holds until the next of all their
 * bounds. */
static struct span
refusal_span(const struct vo_run *run)
{
    const struct acd_bundle *b = run->bundle;
    struct span s = {run->at, INT64_MIN, INT64_MAX};
    cut_cert(&s, run->leaf);
    for (size_t i = 0; i < run->npool; i++)
        cut_cert(&s, run->pool[i]);
    for (size_t i = 0; i < b->nanchors + b->nhelpers; i++)
        cut_cert(&s, vo_bundle_cert(b, i));
    for (size_t i = 0; i < b->ncrls; i++) {
        cut(&s, b->crls[i]->this_update);
        if (b->crls[i]->next_update != INT64_MAX)
            cut(&s, b->crls[i]->next_update + 1);
    }
    return s;
}

static void
refuse(const struct vo_run *run, acd_verdict *v)
{
    struct span s = refusal_span(run);
    struct vo_fail f = run->best;
    v->result = ACD_NOT_VERIFIED;
    if (run->over && f.rank < VO_RANK_REVOKED) {
        f.error = "ACD_V_ERR_WORK_LIMIT";
        f.text = "the chain takes more work to check than is allowed";
        f.depth = -1;
    }
    if (run->over) {
        v->flags |= ACD_VERDICT_LIMIT;
        s.from = s.until = run->at;
    }
    if (f.rank == VO_RANK_REVOKED) {
        v->flags |= ACD_VERDICT_REVOKED;
        v->revoked_ms = run->told.revoked_ms;
        v->revoked_reason = run->told.reason;
        s.from = f.from > s.from ? f.from : s.from;
        s.until = f.until < s.until ? f.until : s.until;
    }
    v->depth = f.depth;
    /* Another path may hang on what was said about revocation, whatever the failure that is reported. */
    s.from = run->told.from > s.from ? run->told.from : s.from;
    s.until = run->told.until < s.until ? run->told.until : s.until;
    v->valid_from_ms = to_ms(s.from, false);
    v->valid_until_ms = to_ms(s.until, true);
    (void)snprintf(v->error, sizeof(v->error), "%s", f.error);
    (void)snprintf(v->text, sizeof(v->text), "%s", f.text);
}

static void
accept(const struct vo_run *run, acd_verdict *v)
{
    v->result = ACD_VERIFIED;
    v->anchor = run->anchor;
    v->valid_from_ms = to_ms(run->from > run->told.from ? run->from : run->told.from, false);
    v->valid_until_ms = to_ms(run->until < run->told.until ? run->until : run->told.until, true);
    (void)snprintf(v->text, sizeof(v->text), "the chain of %zu certificates ends in a trusted CA", run->len);
}

static int64_t
floor_seconds(int64_t ms)
{
    return ms / MS - (ms % MS < 0);
}

static int
check_request(const acd_verify *req, acd_err *err)
{
    if (!req->leaf.ptr || (req->ninter && !req->inter))
        return sdk_fail(err, ACD_EINVAL, "no certificate was given");
    if (req->purpose != ACD_PURPOSE_CLIENT && req->purpose != ACD_PURPOSE_SERVER)
        return sdk_fail(err, ACD_EINVAL, "the purpose is neither client nor server");
    if ((req->host.ptr != NULL) + (req->ip.ptr != NULL) + (req->email.ptr != NULL) > 1)
        return sdk_fail(err, ACD_EINVAL, "at most one of host, address and mailbox may be asked for");
    return 0;
}

/* What a host of an earlier version does not say is not there. */
static acd_verify
request_of(const acd_verify *req)
{
    acd_verify all = {0};
    memcpy(&all, req, req->struct_size < sizeof(all) ? req->struct_size : sizeof(all));
    return all;
}

int
vo_verify(const acd_bundle *b, const acd_verify *req, const acd_call *call, acd_verdict *ret, acd_err *err)
{
    int rc = check_request(req, err);
    if (rc < 0)
        return rc;
    acd_verify question = request_of(req);
    struct vo_run run = {.bundle = b,
                         .req = &question,
                         .call = call,
                         .anchor = -1,
                         .told = {.from = INT64_MIN, .until = INT64_MAX}};
    bool client = req->purpose == ACD_PURPOSE_CLIENT;
    run.at = floor_seconds(req->at_ms);
    run.purpose = client ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER;
    run.xku = client ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
    run.max_depth = req->max_depth < 0 ? VO_DEPTH_DEFAULT : req->max_depth;
    if (run.max_depth > VO_MAX_PATH)
        run.max_depth = VO_MAX_PATH;
    rc = judge(&run);
    if (rc >= 0) {
        acd_verdict v = {.struct_size = ret->struct_size, .anchor = -1};
        if (rc == 1)
            accept(&run, &v);
        else
            refuse(&run, &v);
        memcpy(ret, &v, v.struct_size < sizeof(v) ? v.struct_size : sizeof(v));
        rc = 0;
    } else {
        (void)sdk_fail(err, rc, rc == ACD_ETIMEOUT ? "the deadline passed" : "out of memory");
    }
    vo_cert_free(run.leaf);
    for (size_t i = 0; i < run.nown; i++)
        vo_cert_free(run.own[i]);
    ERR_clear_error();
    return rc;
}
