/*
 * VerifyClient: is this certificate verified for this host?
 *
 * First pass, inside the read section: names, look-ups, verdicts that are known. A prompt call whose verdicts
 * are not all known ends here and is asked again on a worker. Second pass, with the view
 * held by reference and outside the section, for what is left: compile the trust set, ask the validator, keep
 * the verdict. All answers of a batch come from one view.
 *
 * A verdict is a function of chain, trust set, purpose and time; the cache's key and validity hold all of
 * them, so that a change of trust or the passing of a date never leaves a stale one (eval/verdict.h).
 */
#include "base/rcu.h"
#include "query/judge.h"

struct batch {
    struct judge judge;
    struct judged *items;
    size_t n, open, hits;
};

static int
prepare(struct batch *b, struct judged *it, int64_t now_ms)
{
    int rc = query_host(b->judge.region, it->question->host, &it->host);
    if (rc < 0)
        return rc;
    it->at_ms = it->question->at_ms ? it->question->at_ms : now_ms;
    it->open = true;
    if (!query_product(it->question->product, &it->access))
        judge_bad_product(it);
    else if (it->host.error)
        judge_bad_host(it);
    else
        return judge_chain(&b->judge, it);
    return 0;
}

static int
look_up_all(struct batch *b)
{
    acd_slice *names = mem_new_n(b->judge.region, b->n, acd_slice);
    struct snap_hit *hits = mem_new_n(b->judge.region, b->n, struct snap_hit);
    int *found = mem_new_n(b->judge.region, b->n, int);
    if (!names || !hits || !found)
        return ACD_ENOMEM;
    for (size_t i = 0; i < b->n; i++)
        names[i] = slice_of(b->items[i].host.name, b->items[i].access ? 0 : b->items[i].host.len);
    (void)snap_lookup_batch(b->judge.view, names, b->n, hits, found);
    for (size_t i = 0; i < b->n; i++) {
        if (b->items[i].access)
            found[i] = query_access_lookup(b->judge.view, &b->items[i].host, &hits[i]);
        query_reach_hit(b->judge.call, b->judge.view, &hits[i], &found[i]);
        b->items[i].hit = hits[i];
        b->items[i].found = found[i];
        int rc = judge_look_up(&b->judge, &b->items[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int
warm_pass(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        bool open = b->items[i].open;
        int rc = judge_warm(&b->judge, &b->items[i]);
        if (rc < 0)
            return rc;
        b->hits += open && !b->items[i].open;
        b->open += b->items[i].open;
    }
    return 0;
}

static int
cold_pass(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        int rc = judge_cold(&b->judge, &b->items[i]);
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
    int64_t now_ms = clock_wall_ms(b->judge.q->deps.clock);
    struct snap_view *held = NULL;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < b->n; i++)
        rc = prepare(b, &b->items[i], now_ms);
    if (rc < 0)
        return rc;
    rcu_enter();
    b->judge.view = snap_pub_get(b->judge.q->deps.pub);
    rc = b->judge.view ? look_up_all(b) : ACD_EUNAVAIL;
    if (rc == 0)
        rc = warm_pass(b);
    if (b->judge.view) {
        b->judge.call->revision = snap_view_revision(b->judge.view);
        if (rc == 0 && (b->open || b->judge.fields)) {
            if (b->judge.call->prompt)
                rc = RPC_LATER;
            else
                held = snap_view_ref(b->judge.view);
        }
    }
    rcu_leave();
    if (rc == RPC_LATER)
        return rc;
    query_count(b->judge.q, QUERY_VERIFY_QUESTIONS, b->n);
    query_count(b->judge.q, QUERY_VERDICT_HITS, b->hits);
    if (b->open)
        query_count(b->judge.q, QUERY_VERDICT_MISSES, b->open);
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
    struct batch b = {.judge = {.q = q,
                                .call = call,
                                .region = call->region,
                                .explain = req->explain,
                                .fields = req->fields},
                      .n = req->n_questions};
    Anchord__V1__VerifyClientResponse *resp =
        wire_new(call->region, Anchord__V1__VerifyClientResponse, anchord__v1__verify_client_response);
    b.items = mem_new_n(call->region, b.n, struct judged);
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
    int rc = run(&b);
    *ret_resp = resp;
    return rc < 0 ? query_failed(rc, err) : rc;
}
