/*
 * VerifyOrigin: may this server certificate stand for an origin of this zone?
 *
 * The CAs that count are those of the zone's custom origin trust store, and when that is empty the public
 * roots of the system; never both. As for VerifyClient, what is known is said inside the read section (a
 * prompt call ends there), and the validator is asked outside of it, once per certificate.
 *
 * The verdict depends on the name too, so the digest that stands for the set of CAs in the verdict's key
 * covers the name that was asked for, or that none was.
 */
#include <arpa/inet.h>

#include "base/err.h"
#include "base/rcu.h"
#include "query/judge.h"

/* Refusals of our own that need no validator. */
static const char no_zone[] = "ACD_V_ERR_NO_ZONE";
static const char bad_mode[] = "ACD_V_ERR_INVALID_MODE";
static const char bad_host[] = "ACD_V_ERR_INVALID_HOST";
static const char bad_chain[] = "ACD_V_ERR_INVALID_CHAIN";
static const char no_chain[] = "ACD_V_ERR_NO_CERTIFICATE";
static const char all_expired[] = "ACD_V_ERR_ORIGIN_STORE_EXPIRED";
static const char not_checked[] = "ACD_V_ERR_NOT_CHECKED";

struct item {
    const Anchord__V1__OriginQuestion *question;
    Anchord__V1__OriginAnswer *answer;
    struct query_host host;
    bool is_ip, any;         /* any: mode full */
    struct snap_trust trust; /* of the custom store */
    bool custom;
    struct chain chain;
    uint8_t key[DIGEST_LEN]; /* CAs and name */
    int64_t at_ms;
    bool open; /* still to be verified */
};

struct batch {
    struct query *q;
    struct rpc_call *call;
    struct mem_region *region;
    const struct snap_view *view;
    struct roots_set *roots; /* held, for all questions that need them */
    bool explain;
    struct item *items;
    size_t n, open, hits;
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

static int
tell(const struct batch *b, struct item *it, char *line)
{
    return line ? wire_append(b->region, &it->answer->n_explain, &it->answer->explain, line) : ACD_ENOMEM;
}

static int
name_anchor(const struct batch *b, struct item *it, int32_t anchor)
{
    struct snap_ca ca;
    uint32_t flags;
    const uint8_t *sha256 = NULL;
    if (anchor < 0)
        return 0;
    if (it->custom && (uint32_t)anchor < it->trust.n) {
        int rc = snap_trust_ca(b->view, &it->trust, (uint32_t)anchor, &ca, &flags);
        if (rc < 0)
            return rc;
        sha256 = ca.sha256;
        it->answer->ca_id = mem_strndup(b->region, ca.id.ptr, ca.id.len);
        if (!it->answer->ca_id)
            return ACD_ENOMEM;
    } else if (!it->custom && (size_t)anchor < roots_count(b->roots)) {
        sha256 = roots_sha256(b->roots, (size_t)anchor);
    }
    if (sha256)
        it->answer->ca_sha256 = wire_bytes(mem_slice(b->region, slice_of(sha256, DIGEST_LEN)));
    return !sha256 || it->answer->ca_sha256.data ? 0 : ACD_ENOMEM;
}

static int
fill_verdict(const struct batch *b, struct item *it, const acd_verdict *v, bool cached)
{
    Anchord__V1__OriginAnswer *a = it->answer;
    bool good = v->result == ACD_VERIFIED;
    a->verdict = good ? ANCHORD__V1__VERDICT__VERIFIED : ANCHORD__V1__VERDICT__NOT_VERIFIED;
    a->depth = good ? 0 : v->depth;
    a->cached = cached;
    a->valid_until_ms = good ? v->valid_until_ms : 0;
    a->error = mem_strdup(b->region, v->error);
    a->reason = wire_text(b->region, slice_str(v->text));
    it->open = false;
    return a->error && a->reason ? name_anchor(b, it, v->anchor) : ACD_ENOMEM;
}

/* --- the question -----------------------------------------------------------------------------------------
 */

/* An address in the one form that inet_ntop gives it. */
static bool
take_ip(const struct batch *b, struct item *it, int *ret_rc)
{
    uint8_t raw[16];
    char text[INET6_ADDRSTRLEN];
    const char *asked = it->question->host;
    int family = inet_pton(AF_INET, asked, raw) == 1 ? AF_INET : AF_INET6;
    if (family == AF_INET6 && inet_pton(AF_INET6, asked, raw) != 1)
        return false;
    must(inet_ntop(family, raw, text, sizeof(text)) != NULL);
    it->is_ip = true;
    it->host = (struct query_host){.name = mem_strdup(b->region, text), .len = strlen(text)};
    *ret_rc = it->host.name ? 0 : ACD_ENOMEM;
    return true;
}

static int
take_host(const struct batch *b, struct item *it)
{
    int rc = 0;
    it->host = (struct query_host){.name = ""};
    if (!it->question->host[0]) {
        if (!it->any)
            refuse(it, bad_host, "no host was asked for");
        return 0;
    }
    if (!take_ip(b, it, &rc))
        rc = query_host(b->region, it->question->host, &it->host);
    if (rc < 0)
        return rc;
    if (it->host.error)
        refuse(it, bad_host, it->host.error);
    it->answer->host = (char *)it->host.name;
    return 0;
}

static int
take_chain(const struct batch *b, struct item *it)
{
    const Anchord__V1__OriginQuestion *q = it->question;
    const char *why = NULL;
    Anchord__V1__VerifyQuestion *same =
        wire_new(b->region, Anchord__V1__VerifyQuestion, anchord__v1__verify_question);
    if (!same)
        return ACD_ENOMEM;
    same->n_chain = q->n_chain;
    same->chain = q->chain;
    same->chain_digest = q->chain_digest;
    int rc = chain_take(b->region, same, &it->chain, &why);
    it->chain.purpose = ACD_PURPOSE_SERVER;
    if (rc == ACD_EINVAL)
        refuse(it, q->n_chain ? bad_chain : no_chain, why);
    return rc == ACD_EINVAL ? 0 : rc;
}

static int
prepare(const struct batch *b, struct item *it, int64_t now_ms)
{
    it->at_ms = it->question->at_ms ? it->question->at_ms : now_ms;
    it->open = true;
    it->any = it->question->mode == ANCHORD__V1__ORIGIN_MODE__ORIGIN_FULL;
    if (!it->any && it->question->mode != ANCHORD__V1__ORIGIN_MODE__ORIGIN_STRICT)
        refuse(it, bad_mode, "the mode is neither strict nor full");
    int rc = it->open ? take_host(b, it) : 0;
    return rc == 0 && it->open ? take_chain(b, it) : rc;
}

/* --- the store --------------------------------------------------------------------------------------------
 */

static int
count_expired(const struct batch *b, const struct item *it, uint32_t *ret)
{
    *ret = 0;
    for (uint32_t i = 0; i < it->trust.n; i++) {
        struct snap_ca ca;
        uint32_t flags;
        int rc = snap_trust_ca(b->view, &it->trust, i, &ca, &flags);
        if (rc < 0)
            return rc;
        if (it->at_ms <= ca.not_after_ms && !b->explain)
            return 0; /* one that is not is all that matters */
        *ret += it->at_ms > ca.not_after_ms;
    }
    return 0;
}

static int
take_custom(const struct batch *b, struct item *it, const struct snap_hit *hit, const char *zone)
{
    uint32_t expired = 0;
    int rc = snap_trust_get(b->view, hit->trust, &it->trust);
    if (rc == 0)
        rc = count_expired(b, it, &expired);
    if (rc < 0)
        return rc;
    it->custom = true;
    it->answer->store = ANCHORD__V1__ORIGIN_STORE__ORIGIN_STORE_CUSTOM;
    it->answer->cas = it->trust.n;
    if (expired == it->trust.n)
        refuse(
            it, all_expired,
            "every entry of the zone's custom origin trust store has expired, and public roots do not count "
            "while it holds any");
    if (!b->explain)
        return 0;
    rc = tell(b, it,
              mem_printf(
                  b->region,
                  "zone '%s' has a custom origin trust store of %u CAs: only they count, public roots do not",
                  zone, it->trust.n));
    return rc < 0 || expired == 0
               ? rc
               : tell(b, it, mem_printf(b->region, "%u of them have expired at that time", expired));
}

static int
take_public(const struct batch *b, struct item *it, const char *zone)
{
    it->answer->store = ANCHORD__V1__ORIGIN_STORE__ORIGIN_STORE_PUBLIC;
    return b->explain
               ? tell(b, it,
                      mem_printf(b->region,
                                 "zone '%s' has no custom origin trust store: the public roots of %s count",
                                 zone, roots_path(b->q->roots)))
               : 0;
}

static int
tell_mode(const struct batch *b, struct item *it)
{
    return tell(b, it,
                it->any ? mem_strdup(b->region, "mode full: any certificate, no store is looked at")
                        : mem_printf(b->region,
                                     "mode strict: the chain, and the name '%s' among the subject "
                                     "alternative names of the leaf",
                                     it->host.name));
}

static int
look_up(const struct batch *b, struct item *it)
{
    struct snap_zone zone;
    struct snap_hit hit;
    uint32_t number;
    if (!it->open)
        return 0;
    int rc = query_zone_find(b->view, slice_str(it->question->zone), &number);
    if (rc == 0 && !query_reaches(b->call, b->view, number))
        rc = ACD_ENOENT;
    if (rc == ACD_ENOENT) {
        char *why = mem_printf(b->region, "there is no zone '%.100s'", it->question->zone);
        refuse(it, no_zone, why);
        return why ? 0 : ACD_ENOMEM;
    }
    if (rc == 0)
        rc = snap_zone_get(b->view, number, &zone);
    if (rc < 0)
        return rc;
    char *name = mem_strndup(b->region, zone.name.ptr, zone.name.len);
    it->answer->zone_id = mem_strndup(b->region, zone.id.ptr, zone.id.len);
    if (!name || !it->answer->zone_id)
        return ACD_ENOMEM;
    if (it->any)
        return b->explain ? tell_mode(b, it) : 0;
    rc = snap_names_find(b->view, SNAP_NAMES_ORIGIN, zone.id.ptr, zone.id.len, &hit);
    if (rc >= 0)
        rc = rc == 1 ? take_custom(b, it, &hit, name) : take_public(b, it, name);
    return rc == 0 && b->explain ? tell_mode(b, it) : rc;
}

/* --- verdicts ---------------------------------------------------------------------------------------------
 */

static int
make_key(const struct batch *b, struct item *it)
{
    static const char kinds[2][2] = {"n", "i"};
    const uint8_t *cas = it->custom ? it->trust.digest : roots_digest(b->roots);
    struct digest d;
    digest_init(&d);
    digest_update(&d, cas, DIGEST_LEN);
    digest_update(&d, kinds[it->is_ip], 1);
    digest_update(&d, it->host.name, it->host.len);
    digest_final(&d, it->key);
    it->answer->trust_digest = wire_bytes(mem_slice(b->region, slice_of(cas, DIGEST_LEN)));
    if (!it->custom)
        it->answer->cas = (uint32_t)roots_count(b->roots);
    return it->answer->trust_digest.data ? 0 : ACD_ENOMEM;
}

/* Inside the read section. Public roots that were not read yet make a question wait for the second pass. */
static int
warm(struct batch *b, struct item *it)
{
    const struct verdict_of of = {it->key, 0, &it->chain, BUNDLE_DECIDES};
    const struct roots_set *roots;
    acd_verdict v;
    if (!it->open)
        return 0;
    b->open++;
    if (it->any)
        return 0; /* whether it is a certificate is for the second pass */
    if (!it->custom && !b->roots) {
        if (!(roots = roots_get(b->q->roots)))
            return 0;
        b->roots = roots_hold(roots);
    }
    int rc = make_key(b, it);
    if (rc < 0 || b->explain || !chain_verdict_find(b->q, &of, it->at_ms, &v))
        return rc;
    b->hits++;
    b->open--;
    return fill_verdict(b, it, &v, true);
}

struct job {
    const struct batch *b;
    struct item *it;
};

static int
add_step(void *arg, const acd_step *step)
{
    const struct job *job = arg;
    Anchord__V1__VerifyStep *m;
    int rc = judge_step(job->b->region, step, &m);
    return rc < 0 ? rc : wire_append(job->b->region, &job->it->answer->n_steps, &job->it->answer->steps, m);
}

static int
ask_bundle(const struct job *job, const struct plug_bundle *bundle, acd_verdict *ret, acd_err *err)
{
    const struct item *it = job->it;
    acd_slice name = slice_of(it->host.name, it->host.len), none = {NULL, 0};
    const acd_verify what = {
        .struct_size = sizeof(what),
        .leaf = it->chain.certs[0],
        .inter = it->chain.certs + 1,
        .ninter = it->chain.n - 1,
        .at_ms = it->at_ms,
        .purpose = ACD_PURPOSE_SERVER,
        .max_depth = -1,
        .host = it->is_ip ? none : name,
        .ip = it->is_ip ? name : none,
        .step = job->b->explain ? add_step : NULL,
        .step_ctx = (void *)job,
    };
    *ret = (acd_verdict){.struct_size = sizeof(*ret)};
    query_count(job->b->q, QUERY_VERIFICATIONS, 1);
    return plug_verify(bundle, &what, job->b->call->deadline_ns, ret, err);
}

/* Runs inside the flight of this verdict. */
static int
ask_validator(void *arg, acd_verdict *ret, acd_err *err)
{
    const struct job *job = arg;
    const struct batch *b = job->b;
    struct bundle_ref *ref;
    if (!job->it->custom)
        return ask_bundle(job, roots_bundle(b->roots), ret, err);
    int rc = bundle_get(b->q->bundles, b->view, &job->it->trust, BUNDLE_DECIDES, &ref, err);
    if (rc < 0)
        return rc;
    rc = ask_bundle(job, bundle_of(ref), ret, err);
    ret->anchor = bundle_place(ref, ret->anchor);
    bundle_put(b->q->bundles, ref);
    return rc;
}

static int
decide(struct batch *b, struct item *it, acd_err *err)
{
    const struct verdict_of of = {it->key, 0, &it->chain, BUNDLE_DECIDES};
    struct job job = {b, it};
    acd_verdict v;
    bool cached = false;
    int rc = it->custom || b->roots ? 0 : roots_take(b->q->roots, &b->roots, err);
    if (rc == 0)
        rc = make_key(b, it);
    if (rc == 0)
        rc = b->explain ? ask_validator(&job, &v, err)
                        : chain_verdict_get(b->q, &of, it->at_ms, b->call->deadline_ns, ask_validator, &job,
                                            &v, &cached, err);
    return rc < 0 ? rc : fill_verdict(b, it, &v, cached);
}

static int
drop_field(void *ctx, const char *name, acd_slice value)
{
    (void)ctx, (void)name, (void)value;
    return 0;
}

/* Mode full: that there is a certificate is all that is asked, so the answer rests on no CA and names none.
 */
static int
take_any(const struct batch *b, struct item *it, acd_err *err)
{
    Anchord__V1__OriginAnswer *a = it->answer;
    int rc = plug_describe(b->q->deps.validator, it->chain.certs[0], NULL, 0, drop_field, NULL,
                           b->call->deadline_ns, err);
    if (rc == ACD_EINVAL)
        refuse(it, bad_chain, "what the origin presented is no certificate");
    if (rc < 0)
        return rc == ACD_EINVAL ? 0 : rc;
    it->open = false;
    a->verdict = ANCHORD__V1__VERDICT__VERIFIED;
    a->depth = -1;
    a->reason = "mode full takes any certificate: neither chain nor dates nor name were checked";
    return 0;
}

static int
cold(struct batch *b, struct item *it)
{
    acd_err err = ACD_ERR_INIT;
    if (!it->open)
        return 0;
    int rc = chain_load(b->q, b->region, &it->chain);
    if (rc == ACD_ENOENT) {
        it->answer->verdict = ANCHORD__V1__VERDICT__NEED_CERTIFICATE;
        it->answer->depth = -1;
        it->answer->reason = "the chain behind this digest is not known here: send its certificates";
        return 0;
    }
    if (rc == 0)
        rc = it->any ? take_any(b, it, &err) : decide(b, it, &err);
    if (rc >= 0 || rc == ACD_ENOMEM)
        return rc;
    /* No verdict is never a good one; the other questions of the batch go on. */
    refuse(it, not_checked, mem_strdup(b->region, err_text(&err, rc)));
    return 0;
}

/* --- the batch --------------------------------------------------------------------------------------------
 */

static int
first_pass(struct batch *b)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->n; i++) {
        rc = look_up(b, &b->items[i]);
        if (rc == 0)
            rc = warm(b, &b->items[i]);
    }
    return rc;
}

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
    rc = b->view ? first_pass(b) : ACD_EUNAVAIL;
    if (b->view)
        b->call->revision = snap_view_revision(b->view);
    if (rc == 0 && b->open && b->call->prompt)
        rc = RPC_LATER;
    else if (rc == 0 && b->open)
        held = snap_view_ref(b->view);
    rcu_leave();
    if (rc == RPC_LATER)
        return rc;
    query_count(b->q, QUERY_ORIGIN_QUESTIONS, b->n);
    query_count(b->q, QUERY_VERDICT_HITS, b->hits);
    query_count(b->q, QUERY_VERDICT_MISSES, b->open);
    for (size_t i = 0; held && rc == 0 && i < b->n; i++)
        rc = cold(b, &b->items[i]);
    if (held)
        snap_view_unref(held);
    return rc;
}

int
query_verify_origin(void *ctx, struct rpc_call *call, const void *req_, void **ret_resp, acd_err *err)
{
    struct query *q = ctx;
    const Anchord__V1__VerifyOriginRequest *req = req_;
    struct batch b = {
        .q = q, .call = call, .region = call->region, .explain = req->explain, .n = req->n_questions};
    Anchord__V1__VerifyOriginResponse *resp =
        wire_new(call->region, Anchord__V1__VerifyOriginResponse, anchord__v1__verify_origin_response);
    b.items = mem_new_n(call->region, b.n, struct item);
    if (!resp || !b.items)
        return query_failed(ACD_ENOMEM, err);
    resp->answers = wire_list(call->region, b.n, Anchord__V1__OriginAnswer, anchord__v1__origin_answer);
    if (!resp->answers)
        return query_failed(ACD_ENOMEM, err);
    resp->n_answers = b.n;
    for (size_t i = 0; i < b.n; i++) {
        b.items[i].question = req->questions[i];
        b.items[i].answer = resp->answers[i];
    }
    int rc = run(&b);
    roots_put(b.roots);
    *ret_resp = resp;
    return rc < 0 ? query_failed(rc, err) : rc;
}
