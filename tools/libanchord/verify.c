/*
 * VerifyClient: is this client's certificate verified for this host?
 *
 * With ACD_VERIFY_DIGEST a chain is sent as its digest first (32 bytes in place of kilobytes); the answers
 * that come back NEED_CERTIFICATE are asked again with the bytes, all in one second batch.
 */
#include "libanchord/internal.h"

#include "model/digest.h"

#define PUBLIC __attribute__((visibility("default")))

enum { DIGESTS, CHAINS };

/* Strings and certificates are borrowed from the caller's question. */
static int
question_fill(struct mem_region *r, const acd_verify_question *in, int form, Anchord__V1__VerifyQuestion *out)
{
    out->host = WIRE_STR(in->host);
    out->at_ms = in->at_ms;
    out->product = WIRE_STR(in->product);
    if (in->chain_len == 0) {
        if (in->chain_digest)
            out->chain_digest = wire_bytes(slice_of(in->chain_digest, DIGEST_LEN));
        return 0;
    }
    if (form == DIGESTS) {
        uint8_t *digest = mem_alloc(r, DIGEST_LEN);
        if (!digest)
            return ACD_ENOMEM;
        digest_chain(in->chain, in->chain_len, digest);
        out->chain_digest = wire_bytes(slice_of(digest, DIGEST_LEN));
        return 0;
    }
    out->chain = mem_array(r, in->chain_len, sizeof(*out->chain));
    if (!out->chain)
        return ACD_ENOMEM;
    out->n_chain = in->chain_len;
    for (size_t i = 0; i < in->chain_len; i++)
        out->chain[i] = wire_bytes(in->chain[i]);
    return 0;
}

/* Asks questions[which[0..n)] and puts the answers at the same places of res->verify. */
static int
ask(struct acd_result *res, acd_client *client, const acd_verify_question *questions, const size_t *which,
    size_t n, unsigned flags, int form, acd_err *err)
{
    struct mem_region *r = &res->region;
    const void *got = NULL;
    Anchord__V1__VerifyClientRequest *req =
        wire_new(r, Anchord__V1__VerifyClientRequest, anchord__v1__verify_client_request);
    if (req)
        req->questions = wire_list(r, n, Anchord__V1__VerifyQuestion, anchord__v1__verify_question);
    int rc = req && req->questions ? 0 : ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = question_fill(r, &questions[which[i]], form, req->questions[i]);
    if (rc < 0)
        return err_set(err, rc, "no memory for the questions");
    req->n_questions = n;
    req->explain = (flags & ACD_EXPLAIN) != 0;
    req->fields = (flags & ACD_VERIFY_FIELDS) != 0;
    rc = result_call(res, client, "anchord.v1.EdgeService/VerifyClient", req, &got, err);
    if (rc < 0)
        return rc;
    const Anchord__V1__VerifyClientResponse *resp = got;
    if (resp->n_answers != n)
        return err_set(err, ACD_EIO, "%zu answers to %zu questions", resp->n_answers, n);
    for (size_t i = 0; i < n; i++)
        res->verify[which[i]] = resp->answers[i];
    return 0;
}

/* One batch of digests, and one of the chains that the server asked for. */
static int
ask_all(struct acd_result *res, acd_client *client, const acd_verify_question *questions, size_t n,
        unsigned flags, acd_err *err)
{
    size_t *which = mem_new_n(&res->region, n, size_t), again = 0;
    res->verify = mem_array(&res->region, n, sizeof(*res->verify));
    if (!which || !res->verify)
        return err_set(err, ACD_ENOMEM, "no memory for the result");
    res->n_verify = n;
    for (size_t i = 0; i < n; i++)
        which[i] = i;
    if (!(flags & ACD_VERIFY_DIGEST))
        return ask(res, client, questions, which, n, flags, CHAINS, err);
    int rc = ask(res, client, questions, which, n, flags, DIGESTS, err);
    uint64_t first = res->revision;
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (res->verify[i]->verdict == ANCHORD__V1__VERDICT__NEED_CERTIFICATE && questions[i].chain_len > 0)
            which[again++] = i;
    if (rc == 0 && again > 0)
        rc = ask(res, client, questions, which, again, flags, CHAINS, err);
    /* Two parts may be of two revisions: what is said of the whole is the older one. */
    if (first < res->revision && again < n)
        res->revision = first;
    return rc;
}

PUBLIC int
acd_verify_client(acd_client *client, const acd_verify_question *questions, size_t n, unsigned flags,
                  acd_result **ret_result, acd_err *err)
{
    if (!client || !questions || !ret_result || n == 0 || n > LIMIT_BATCH_VERIFY)
        return err_set(err, ACD_EINVAL, "1 to %d questions in one batch, not %zu", LIMIT_BATCH_VERIFY, n);
    for (size_t i = 0; i < n; i++)
        if (questions[i].chain_len > LIMIT_CHAIN)
            return err_set(err, ACD_ELIMIT, "question %zu: a chain of more than %d certificates", i,
                           LIMIT_CHAIN);
    struct acd_result *res = result_new();
    if (!res)
        return err_set(err, ACD_ENOMEM, "no memory for the result");
    int rc = ask_all(res, client, questions, n, flags, err);
    if (rc < 0) {
        acd_result_free(res);
        return rc;
    }
    *ret_result = res;
    return 0;
}

static const Anchord__V1__VerifyAnswer *
answer_at(const acd_result *result, size_t i)
{
    return i < result->n_verify ? result->verify[i] : NULL;
}

/* What we do not know is not verified. */
static int
verdict_of(Anchord__V1__Verdict v)
{
    if (v == ANCHORD__V1__VERDICT__VERIFIED)
        return ACD_VERIFIED;
    return v == ANCHORD__V1__VERDICT__NEED_CERTIFICATE ? ACD_NEED_CERTIFICATE : ACD_NOT_VERIFIED;
}

PUBLIC int
acd_verify_get(const acd_result *result, size_t i, acd_verify_answer *ret_answer)
{
    const Anchord__V1__VerifyAnswer *a = answer_at(result, i);
    if (!a)
        return ACD_ENOENT;
    const Anchord__V1__Observation *seen = a->observed;
    *ret_answer = (acd_verify_answer){.verdict = verdict_of(a->verdict),
                                      .depth = a->depth,
                                      .match = (int)a->match,
                                      .revoked = a->revoked,
                                      .cached = a->cached,
                                      .error = a->error,
                                      .reason = a->reason,
                                      .ca_id = a->ca_id,
                                      .pattern = a->pattern,
                                      .ca_sha256 = wire_slice(a->ca_sha256),
                                      .trust_digest = wire_slice(a->trust_digest),
                                      .valid_until_ms = a->valid_until_ms,
                                      .fields = a->n_fields,
                                      .steps = a->n_steps,
                                      .observed = seen && seen->verdict == ANCHORD__V1__VERDICT__VERIFIED,
                                      .observed_ca_id = seen ? seen->ca_id : "",
                                      .observed_error = seen ? seen->error : ""};
    return 0;
}

PUBLIC int
acd_verify_get_field(const acd_result *result, size_t i, size_t field, const char **ret_name,
                     acd_slice *ret_value)
{
    const Anchord__V1__VerifyAnswer *a = answer_at(result, i);
    if (!a || field >= a->n_fields)
        return ACD_ENOENT;
    *ret_name = a->fields[field]->name;
    *ret_value = wire_slice(a->fields[field]->value);
    return 0;
}

PUBLIC int
acd_verify_get_step(const acd_result *result, size_t i, size_t step, acd_verify_step *ret_step)
{
    const Anchord__V1__VerifyAnswer *a = answer_at(result, i);
    if (!a || step >= a->n_steps)
        return ACD_ENOENT;
    const Anchord__V1__VerifyStep *s = a->steps[step];
    *ret_step = (acd_verify_step){.check = s->check,
                                  .error = s->error,
                                  .text = s->text,
                                  .anchor = s->anchor,
                                  .depth = s->depth,
                                  .ok = s->ok,
                                  .observed = s->observed};
    return 0;
}
