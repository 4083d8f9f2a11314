/*
 * GetTrust: which CAs may vouch for clients of these hosts?
 *
 * Names are brought to normal form, looked up as one batch so that their memory accesses overlap, and
 * answered. Hosts that share a trust set share one entry of the reply.
 */
#include "base/err.h"
#include "base/rcu.h"
#include "model/digest.h"
#include "query/part.h"
#include "wire/pack.h"

/* The sets of one reply, by their number in the view. */
struct sets {
    Anchord__V1__TrustSet **msgs;
    size_t n;
    uint32_t *trusts; /* trusts[i] is the number of msgs[i] */
    uint32_t *slot;   /* open addressing over numbers: 1 + index into msgs */
    size_t mask;
};

static int
sets_init(struct sets *s, struct mem_region *r, size_t n)
{
    size_t cap = 2;
    while (cap < 2 * n)
        cap *= 2;
    *s = (struct sets){.mask = cap - 1};
    s->trusts = mem_new_n(r, n, uint32_t);
    s->slot = mem_new_n(r, cap, uint32_t);
    s->msgs = mem_new_n(r, n, Anchord__V1__TrustSet *);
    return s->trusts && s->slot && s->msgs ? 0 : ACD_ENOMEM;
}

/* 1 + the index of the set, or 0 with *ret_free set to the slot where it would be. */
static uint32_t
sets_find(struct sets *s, uint32_t trust, uint32_t **ret_free)
{
    for (size_t i = (trust * 0x9e3779b1u) & s->mask;; i = (i + 1) & s->mask) {
        *ret_free = &s->slot[i];
        if (s->slot[i] == 0 || s->trusts[s->slot[i] - 1] == trust)
            return s->slot[i];
    }
}

static int
ca_msg(struct mem_region *r, const struct snap_ca *ca, uint32_t flags, bool der, Anchord__V1__TrustCa **ret)
{
    Anchord__V1__TrustCa *m = wire_new(r, Anchord__V1__TrustCa, anchord__v1__trust_ca);
    if (!m)
        return ACD_ENOMEM;
    m->ca_id = mem_strndup(r, ca->id.ptr, ca->id.len);
    m->index = ca->index;
    m->sha256 = wire_bytes(mem_slice(r, slice_of(ca->sha256, 32)));
    m->subject = wire_text(r, ca->subject);
    m->not_before_ms = ca->not_before_ms;
    m->not_after_ms = ca->not_after_ms;
    m->profile = (Anchord__V1__Profile)ca->profile;
    m->helper = snap_role(flags) == SNAP_HELPS;
    m->observed = snap_role(flags) == SNAP_OBSERVED;
    m->priority = flags >> SNAP_PRIORITY_SHIFT;
    if (der)
        m->der = wire_bytes(mem_slice(r, ca->der));
    *ret = m;
    return m->ca_id && m->sha256.data && m->subject && (!der || m->der.data) ? 0 : ACD_ENOMEM;
}

static int
set_msg(struct mem_region *r, const struct snap_view *v, const struct snap_trust *t, bool der,
        Anchord__V1__TrustSet **ret)
{
    Anchord__V1__TrustSet *m = wire_new(r, Anchord__V1__TrustSet, anchord__v1__trust_set);
    if (!m)
        return ACD_ENOMEM;
    m->digest = wire_bytes(mem_slice(r, slice_of(t->digest, 32)));
    m->cas = mem_new_n(r, t->n, Anchord__V1__TrustCa *);
    if (!m->digest.data || !m->cas)
        return ACD_ENOMEM;
    for (; m->n_cas < t->n; m->n_cas++) {
        struct snap_ca ca;
        uint32_t flags;
        int rc = snap_trust_ca(v, t, (uint32_t)m->n_cas, &ca, &flags);
        if (rc == 0)
            rc = ca_msg(r, &ca, flags, der, &m->cas[m->n_cas]);
        if (rc < 0)
            return rc;
    }
    *ret = m;
    return 0;
}

/* Puts the set into the reply unless it is there. */
static int
add_set(struct sets *s, struct mem_region *r, const struct snap_view *v, const struct snap_trust *t,
        uint32_t trust, bool der, uint32_t *ret)
{
    uint32_t *free_slot;
    *ret = sets_find(s, trust, &free_slot);
    if (*ret)
        return 0;
    int rc = set_msg(r, v, t, der, &s->msgs[s->n]);
    if (rc < 0)
        return rc;
    s->trusts[s->n++] = trust;
    *free_slot = *ret = (uint32_t)s->n;
    return 0;
}

/* --- one answer -------------------------------------------------------------------------------------------
 */

enum { EXPLAIN_LINES = 3 };

/* What an answer says, beside its question and its hit; borrowed from the view and from the region. */
struct answer {
    acd_slice pattern, zone_id;
    const uint8_t *digest; /* NULL: no association */
    uint32_t set;
    bool unchanged;
    char **explain; /* EXPLAIN_LINES, those that are there first; NULL: not asked for */
};

struct asked {
    const struct rpc_call *call;
    const Anchord__V1__GetTrustRequest *req;
    const struct snap_view *view;
    struct mem_region *region;
    struct query_host *hosts;
    struct snap_hit *hits;
    struct answer *answers;
    struct sets sets;
};

/* How many of a set's CAs there are, of each role. */
struct census {
    size_t decide, help, observed;
};

static int
count_roles(const struct snap_view *v, const struct snap_trust *t, struct census *ret)
{
    for (uint32_t i = 0; i < t->n; i++) {
        struct snap_ca ca;
        uint32_t flags;
        int rc = snap_trust_ca(v, t, i, &ca, &flags);
        if (rc < 0)
            return rc;
        ++*(snap_role(flags) == SNAP_DECIDES ? &ret->decide
            : snap_role(flags) == SNAP_HELPS ? &ret->help
                                             : &ret->observed);
    }
    return 0;
}

static char *
explain_cas(struct mem_region *r, const struct census *n)
{
    if (n->decide + n->help + n->observed == 0)
        return mem_printf(r, "its CAs hold no certificate yet: nothing is trusted");
    if (n->help + n->observed == 0)
        return mem_printf(r, "%zu CAs, by priority, then the most recently deployed first", n->decide);
    return mem_printf(
        r,
        "%zu CAs may vouch, by priority, then the most recently deployed first; %zu only complete "
        "paths, %zu are only observed",
        n->decide, n->help, n->observed);
}

static int
explain(struct asked *q, const struct query_host *h, const struct snap_hit *hit, const struct census *cas,
        struct answer *a)
{
    struct mem_region *r = q->region;
    size_t n = 0;
    char **line = a->explain = mem_new_n(r, EXPLAIN_LINES, char *);
    if (!line)
        return ACD_ENOMEM;
    line[n++] = hit->match == SNAP_EXACT
                    ? mem_printf(r, "association '%.*s' matches exactly", (int)a->pattern.len,
                                 (const char *)a->pattern.ptr)
                    : mem_printf(r, "no association for exactly '%.*s'", (int)h->len, h->name);
    if (hit->match == SNAP_WILDCARD)
        line[n++] = mem_printf(r, "wildcard '%.*s' matches its first label", (int)a->pattern.len,
                               (const char *)a->pattern.ptr);
    else if (hit->match == SNAP_NONE)
        line[n++] =
            mem_printf(r, "no wildcard one level up either: no CA may vouch for clients of this host");
    if (hit->match != SNAP_NONE)
        line[n++] = explain_cas(r, cas);
    for (size_t i = 0; i < n; i++)
        if (!line[i])
            return ACD_ENOMEM;
    return 0;
}

static int
fill_trust(struct asked *q, const Anchord__V1__TrustQuestion *question, uint32_t trust, struct answer *a,
           struct census *ret_cas)
{
    struct snap_trust t;
    int rc = snap_trust_get(q->view, trust, &t);
    if (rc == 0 && q->req->explain)
        rc = count_roles(q->view, &t, ret_cas);
    if (rc < 0)
        return rc;
    a->digest = t.digest;
    if (slice_eq(wire_slice(question->unless_digest), slice_of(t.digest, DIGEST_LEN))) {
        a->unchanged = true;
        return 0;
    }
    if (q->req->detail == ANCHORD__V1__TRUST_DETAIL__TRUST_DIGESTS)
        return 0;
    return add_set(&q->sets, q->region, q->view, &t, trust,
                   q->req->detail == ANCHORD__V1__TRUST_DETAIL__TRUST_DER, &a->set);
}

static int
fill_answer(struct asked *q, size_t i, int found)
{
    const struct query_host *h = &q->hosts[i];
    const struct snap_hit *hit = &q->hits[i];
    struct answer *a = &q->answers[i];
    struct census cas = {0};
    int rc = 0;
    if (h->error)
        return 0;
    if (found < 0)
        return found;
    if (hit->match != SNAP_NONE) {
        struct snap_zone zone;
        rc = query_pattern(q->region, h, hit, &a->pattern);
        if (rc == 0)
            rc = snap_zone_get(q->view, hit->zone, &zone);
        if (rc == 0) {
            a->zone_id = zone.id;
            rc = fill_trust(q, q->req->questions[i], hit->trust, a, &cas);
        }
    }
    if (rc == 0 && q->req->explain)
        rc = explain(q, h, hit, &cas, a);
    return rc;
}

/* --- the reply --------------------------------------------------------------------------------------------
 */

/* Fields of TrustAnswer and GetTrustResponse (proto/anchord/v1/query.proto). */
enum {
    ANSWER_HOST = 1,
    ANSWER_MATCH = 2,
    ANSWER_PATTERN = 3,
    ANSWER_SET = 4,
    ANSWER_DIGEST = 5,
    ANSWER_UNCHANGED = 6,
    ANSWER_ZONE_ID = 7,
    ANSWER_ERROR = 8,
    ANSWER_EXPLAIN = 9,
    RESPONSE_ANSWERS = 1,
    RESPONSE_SETS = 2,
};

static bool
pack_explain(struct pack *p, char *const *line)
{
    for (size_t i = EXPLAIN_LINES; i-- > 0;)
        if (line[i] && !pack_text(p, ANSWER_EXPLAIN, line[i]))
            return false;
    return true;
}

static bool
pack_found(struct pack *p, const struct answer *a)
{
    return (!a->zone_id.len || pack_bytes(p, ANSWER_ZONE_ID, a->zone_id)) &&
           (!a->unchanged || pack_number(p, ANSWER_UNCHANGED, 1)) &&
           pack_bytes(p, ANSWER_DIGEST, slice_of(a->digest, DIGEST_LEN)) &&
           (!a->set || pack_number(p, ANSWER_SET, a->set)) && pack_bytes(p, ANSWER_PATTERN, a->pattern);
}

static bool
pack_answer(struct pack *p, const struct asked *q, size_t i)
{
    const struct query_host *h = &q->hosts[i];
    const struct answer *a = &q->answers[i];
    const char *asked = q->req->questions[i]->host;
    if (h->error)
        return pack_text(p, ANSWER_ERROR, h->error) && (!asked[0] || pack_text(p, ANSWER_HOST, asked));
    return (!a->explain || pack_explain(p, a->explain)) && (!a->digest || pack_found(p, a)) &&
           (!q->hits[i].match || pack_number(p, ANSWER_MATCH, q->hits[i].match)) &&
           pack_bytes(p, ANSWER_HOST, slice_of(h->name, h->len));
}

static int
pack_reply(const struct asked *q, struct rpc_call *call)
{
    struct pack p;
    if (!pack_begin(&p, q->region))
        return ACD_ENOMEM;
    for (size_t i = q->sets.n; i-- > 0;)
        if (!pack_message(&p, RESPONSE_SETS, q->sets.msgs[i]))
            return ACD_ENOMEM;
    for (size_t i = q->req->n_questions; i-- > 0;) {
        size_t mark = pack_mark(&p);
        if (!pack_answer(&p, q, i) || !pack_head(&p, RESPONSE_ANSWERS, mark))
            return ACD_ENOMEM;
    }
    rpc_reply_packed(call, pack_done(&p));
    return 0;
}

/* --- the batch --------------------------------------------------------------------------------------------
 */

static int
answer_all(struct asked *q)
{
    size_t n = q->req->n_questions;
    acd_slice *names = mem_alloc(q->region, n * sizeof(*names));
    int *found = mem_alloc(q->region, n * sizeof(*found));
    bool *access = mem_alloc(q->region, n * sizeof(*access));
    q->hosts = mem_alloc(q->region, n * sizeof(*q->hosts));
    q->hits = mem_alloc(q->region, n * sizeof(*q->hits));
    q->answers = mem_new_n(q->region, n, struct answer);
    if (!names || !found || !access || !q->hosts || !q->hits || !q->answers)
        return ACD_ENOMEM;
    if (q->req->detail != ANCHORD__V1__TRUST_DETAIL__TRUST_DIGESTS && sets_init(&q->sets, q->region, n) < 0)
        return ACD_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int rc = query_host(q->region, q->req->questions[i]->host, &q->hosts[i]);
        if (rc < 0)
            return rc;
        if (!query_product(q->req->questions[i]->product, &access[i]) && !q->hosts[i].error)
            q->hosts[i] = (struct query_host){.name = "", .error = query_bad_product};
        names[i] = slice_of(q->hosts[i].name, access[i] ? 0 : q->hosts[i].len);
    }
    (void)snap_lookup_batch(q->view, names, n, q->hits, found);
    for (size_t i = 0; i < n; i++) {
        if (access[i])
            found[i] = query_access_lookup(q->view, &q->hosts[i], &q->hits[i]);
        query_reach_hit(q->call, q->view, &q->hits[i], &found[i]);
        int rc = fill_answer(q, i, found[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The reply is written inside the read section, so that what the view holds is copied once: into the reply.
 */
int
query_get_trust(void *ctx, struct rpc_call *call, const void *req_, void **ret_resp, acd_err *err)
{
    struct query *q = ctx;
    const Anchord__V1__GetTrustRequest *req = req_;
    struct asked asked = {.call = call, .req = req, .region = call->region};
    (void)ret_resp;
    query_count(q, QUERY_TRUST_QUESTIONS, req->n_questions);
    rcu_enter();
    asked.view = snap_pub_get(q->deps.pub);
    int rc = asked.view ? answer_all(&asked) : ACD_EUNAVAIL;
    if (rc == 0)
        rc = pack_reply(&asked, call);
    if (asked.view)
        call->revision = snap_view_revision(asked.view);
    rcu_leave();
    return rc < 0 ? query_failed(rc, err) : 0;
}
