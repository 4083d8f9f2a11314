/* GetTrust: which CAs may vouch for clients of these hosts? */
#include "libanchord/internal.h"

#define PUBLIC __attribute__((visibility("default")))

static int
request_fill(struct mem_region *r, const acd_trust_question *questions, size_t n, unsigned flags,
             Anchord__V1__GetTrustRequest *req)
{
    req->questions = wire_list(r, n, Anchord__V1__TrustQuestion, anchord__v1__trust_question);
    if (!req->questions)
        return ACD_ENOMEM;
    req->n_questions = n;
    req->explain = (flags & ACD_EXPLAIN) != 0;
    req->detail = ANCHORD__V1__TRUST_DETAIL__TRUST_CAS;
    if (flags & ACD_TRUST_DER)
        req->detail = ANCHORD__V1__TRUST_DETAIL__TRUST_DER;
    else if (flags & ACD_TRUST_DIGESTS)
        req->detail = ANCHORD__V1__TRUST_DETAIL__TRUST_DIGESTS;
    for (size_t i = 0; i < n; i++) {
        req->questions[i]->host = WIRE_STR(questions[i].host);
        req->questions[i]->product = WIRE_STR(questions[i].product);
        if (questions[i].unless_digest)
            req->questions[i]->unless_digest = wire_bytes(slice_of(questions[i].unless_digest, 32));
    }
    return 0;
}

static int
ask(struct acd_result *res, acd_client *client, const acd_trust_question *questions, size_t n, unsigned flags,
    acd_err *err)
{
    const void *resp = NULL;
    Anchord__V1__GetTrustRequest *req =
        wire_new(&res->region, Anchord__V1__GetTrustRequest, anchord__v1__get_trust_request);
    int rc = req ? request_fill(&res->region, questions, n, flags, req) : ACD_ENOMEM;
    if (rc < 0)
        return err_set(err, rc, "no memory for the questions");
    rc = result_call(res, client, "anchord.v1.EdgeService/GetTrust", req, &resp, err);
    if (rc < 0)
        return rc;
    res->trust = resp;
    if (res->trust->n_answers != n)
        return err_set(err, ACD_EIO, "%zu answers to %zu questions", res->trust->n_answers, n);
    for (size_t i = 0; i < n; i++)
        if (res->trust->answers[i]->set > res->trust->n_sets)
            return err_set(err, ACD_EIO, "answer %zu names a trust set that is not there", i);
    return 0;
}

PUBLIC int
acd_get_trust(acd_client *client, const acd_trust_question *questions, size_t n, unsigned flags,
              acd_result **ret_result, acd_err *err)
{
    if (!client || !questions || !ret_result || n == 0 || n > LIMIT_BATCH_TRUST)
        return err_set(err, ACD_EINVAL, "1 to %d questions in one batch, not %zu", LIMIT_BATCH_TRUST, n);
    struct acd_result *res = result_new();
    if (!res)
        return err_set(err, ACD_ENOMEM, "no memory for the result");
    int rc = ask(res, client, questions, n, flags, err);
    if (rc < 0) {
        acd_result_free(res);
        return rc;
    }
    *ret_result = res;
    return 0;
}

static const Anchord__V1__TrustAnswer *
answer_at(const acd_result *result, size_t i)
{
    return result->trust && i < result->trust->n_answers ? result->trust->answers[i] : NULL;
}

static const Anchord__V1__TrustSet *
set_of(const acd_result *result, const Anchord__V1__TrustAnswer *a)
{
    return a->set ? result->trust->sets[a->set - 1] : NULL;
}

PUBLIC int
acd_trust_get(const acd_result *result, size_t i, acd_trust_answer *ret_answer)
{
    const Anchord__V1__TrustAnswer *a = answer_at(result, i);
    if (!a)
        return ACD_ENOENT;
    const Anchord__V1__TrustSet *set = set_of(result, a);
    *ret_answer = (acd_trust_answer){.host = a->host,
                                     .pattern = a->pattern,
                                     .zone_id = a->zone_id,
                                     .error = a->error,
                                     .digest = wire_slice(a->digest),
                                     .match = (int)a->match,
                                     .unchanged = a->unchanged,
                                     .cas = set ? set->n_cas : 0,
                                     .reasons = a->n_explain};
    return 0;
}

PUBLIC int
acd_trust_get_ca(const acd_result *result, size_t i, size_t ca, acd_trust_ca *ret_ca)
{
    const Anchord__V1__TrustAnswer *a = answer_at(result, i);
    const Anchord__V1__TrustSet *set = a ? set_of(result, a) : NULL;
    if (!set || ca >= set->n_cas)
        return ACD_ENOENT;
    const Anchord__V1__TrustCa *c = set->cas[ca];
    *ret_ca = (acd_trust_ca){.id = c->ca_id,
                             .subject = c->subject,
                             .sha256 = wire_slice(c->sha256),
                             .der = wire_slice(c->der),
                             .not_before_ms = c->not_before_ms,
                             .not_after_ms = c->not_after_ms,
                             .index = c->index,
                             .profile = (int)c->profile,
                             .helper = c->helper     ? ACD_CA_HELPS
                                       : c->observed ? ACD_CA_OBSERVED
                                                     : ACD_CA_DECIDES,
                             .priority = c->priority};
    return 0;
}

PUBLIC int
acd_trust_get_reason(const acd_result *result, size_t i, size_t reason, const char **ret_text)
{
    const Anchord__V1__TrustAnswer *a = answer_at(result, i);
    if (!a || reason >= a->n_explain)
        return ACD_ENOENT;
    *ret_text = a->explain[reason];
    return 0;
}
