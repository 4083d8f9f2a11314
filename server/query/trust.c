/*
 * GetTrust: which CAs may vouch for clients of these hosts?
 *
 * Names are brought to normal form, looked up as one batch so that their memory accesses overlap, and
 * answered. Hosts that share a trust set share one entry of the reply.
 */
#include "base/err.h"
#include "base/rcu.h"
#include "query/part.h"

/* The sets of one reply, by their number in the view. */
struct sets {
    Anchord__V1__GetTrustResponse *resp;
    uint32_t *trusts; /* trusts[i] is the number of resp->sets[i] */
    uint32_t *slot;   /* open addressing over numbers: 1 + index into resp->sets */
    size_t mask;
};

static int
sets_init(struct sets *s, struct mem_region *r, Anchord__V1__GetTrustResponse *resp, size_t n)
{
    size_t cap = 2;
    while (cap < 2 * n)
        cap *= 2;
    *s = (struct sets){.resp = resp, .mask = cap - 1};
    s->trusts = mem_new_n(r, n, uint32_t);
    s->slot = mem_new_n(r, cap, uint32_t);
    resp->sets = mem_new_n(r, n, Anchord__V1__TrustSet *);
    return s->trusts && s->slot && resp->sets ? 0 : ACD_ENOMEM;
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
    size_t at = s->resp->n_sets;
    int rc = set_msg(r, v, t, der, &s->resp->sets[at]);
    if (rc < 0)
        return rc;
    s->trusts[at] = trust;
    s->resp->n_sets = at + 1;
    *free_slot = *ret = (uint32_t)at + 1;
    return 0;
}

/* --- one answer -------------------------------------------------------------------------------------------
 */

struct asked {
    const struct rpc_call *call;
    const Anchord__V1__GetTrustRequest *req;
    const struct snap_view *view;
    struct mem_region *region;
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
        Anchord__V1__TrustAnswer *a)
{
    struct mem_region *r = q->region;
    char *line[3] = {0};
    size_t n = 0;
    line[n++] = hit->match == SNAP_EXACT
                    ? mem_printf(r, "association '%s' matches exactly", a->pattern)
                    : mem_printf(r, "no association for exactly '%.*s'", (int)h->len, h->name);
    if (hit->match == SNAP_WILDCARD)
        line[n++] = mem_printf(r, "wildcard '%s' matches its first label", a->pattern);
    else if (hit->match == SNAP_NONE)
        line[n++] =
            mem_printf(r, "no wildcard one level up either: no CA may vouch for clients of this host");
    if (hit->match != SNAP_NONE)
        line[n++] = explain_cas(r, cas);
    for (size_t i = 0; i < n; i++)
        if (!line[i] || wire_append(r, &a->n_explain, &a->explain, line[i]) < 0)
            return ACD_ENOMEM;
    return 0;
}

static int
fill_trust(struct asked *q, const Anchord__V1__TrustQuestion *question, const struct snap_hit *hit,
           Anchord__V1__TrustAnswer *a, struct census *ret_cas)
{
    struct snap_trust t;
    int rc = snap_trust_get(q->view, hit->trust, &t);
    if (rc == 0 && q->req->explain)
        rc = count_roles(q->view, &t, ret_cas);
    if (rc < 0)
        return rc;
    a->digest = wire_bytes(mem_slice(q->region, slice_of(t.digest, 32)));
    if (!a->digest.data)
        return ACD_ENOMEM;
    if (slice_eq(wire_slice(question->unless_digest), slice_of(t.digest, 32))) {
        a->unchanged = true;
        return 0;
    }
    if (q->req->detail == ANCHORD__V1__TRUST_DETAIL__TRUST_DIGESTS)
        return 0;
    return add_set(&q->sets, q->region, q->view, &t, hit->trust,
                   q->req->detail == ANCHORD__V1__TRUST_DETAIL__TRUST_DER, &a->set);
}

static int
fill_answer(struct asked *q, const Anchord__V1__TrustQuestion *question, const struct query_host *h,
            const struct snap_hit *hit, int found, Anchord__V1__TrustAnswer *a)
{
    struct census cas = {0};
    if (h->error) {
        a->host = question->host;
        a->error = (char *)h->error;
        return 0;
    }
    if (found < 0)
        return found;
    a->host = (char *)h->name;
    a->match = (Anchord__V1__MatchKind)hit->match;
    int rc = 0;
    if (hit->match != SNAP_NONE) {
        struct snap_zone zone;
        rc = query_pattern(q->region, h, hit, &a->pattern);
        if (rc == 0)
            rc = snap_zone_get(q->view, hit->zone, &zone);
        if (rc == 0 && !(a->zone_id = mem_strndup(q->region, zone.id.ptr, zone.id.len)))
            rc = ACD_ENOMEM;
        if (rc == 0)
            rc = fill_trust(q, question, hit, a, &cas);
    }
    if (rc == 0 && q->req->explain)
        rc = explain(q, h, hit, &cas, a);
    return rc;
}

static int
answer_all(struct asked *q, Anchord__V1__GetTrustResponse *resp)
{
    size_t n = q->req->n_questions;
    struct query_host *hosts = mem_new_n(q->region, n, struct query_host);
    acd_slice *names = mem_new_n(q->region, n, acd_slice);
    struct snap_hit *hits = mem_new_n(q->region, n, struct snap_hit);
    int *found = mem_new_n(q->region, n, int);
    bool *access = mem_new_n(q->region, n, bool);
    if (!hosts || !names || !hits || !found || !access || sets_init(&q->sets, q->region, resp, n) < 0)
        return ACD_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int rc = query_host(q->region, q->req->questions[i]->host, &hosts[i]);
        if (rc < 0)
            return rc;
        if (!query_product(q->req->questions[i]->product, &access[i]) && !hosts[i].error)
            hosts[i] = (struct query_host){.name = "", .error = query_bad_product};
        names[i] = slice_of(hosts[i].name, access[i] ? 0 : hosts[i].len);
    }
    (void)snap_lookup_batch(q->view, names, n, hits, found);
    for (size_t i = 0; i < n; i++) {
        if (access[i])
            found[i] = query_access_lookup(q->view, &hosts[i], &hits[i]);
        query_reach_hit(q->call, q->view, &hits[i], &found[i]);
        int rc = fill_answer(q, q->req->questions[i], &hosts[i], &hits[i], found[i], resp->answers[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int
query_get_trust(void *ctx, struct rpc_call *call, const void *req_, void **ret_resp, acd_err *err)
{
    struct query *q = ctx;
    const Anchord__V1__GetTrustRequest *req = req_;
    struct asked asked = {.call = call, .req = req, .region = call->region};
    Anchord__V1__GetTrustResponse *resp =
        wire_new(call->region, Anchord__V1__GetTrustResponse, anchord__v1__get_trust_response);
    if (!resp)
        return ACD_ENOMEM;
    resp->answers =
        wire_list(call->region, req->n_questions, Anchord__V1__TrustAnswer, anchord__v1__trust_answer);
    if (!resp->answers)
        return ACD_ENOMEM;
    resp->n_answers = req->n_questions;
    query_count(q, QUERY_TRUST_QUESTIONS, req->n_questions);
    rcu_enter();
    asked.view = snap_pub_get(q->deps.pub);
    int rc = asked.view ? answer_all(&asked, resp) : ACD_EUNAVAIL;
    if (asked.view)
        call->revision = snap_view_revision(asked.view);
    rcu_leave();
    *ret_resp = resp;
    return rc < 0 ? query_failed(rc, err) : 0;
}
