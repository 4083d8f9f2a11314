/*
 * Evaluate: what do the zone's rules say about this request?
 *
 * The whole batch is answered from one view, held by reference, outside any read section: a rule may need a
 * certificate to be verified, and the rules of a zone to be compiled. A field is computed when a rule first
 * reads it, so a batch whose rules read no certificate verifies none.
 *
 * A prompt call takes what is there: kept verdicts, compiled rulesets that are short, a small budget. When
 * that does not do, it is asked again on a worker.
 *
 * Fail closed: unless all rules could be evaluated and none of them blocks, `allowed` is false. A field that
 * cannot be told, an exhausted budget, a ruleset that does not compile, a host without a zone: each is an
 * error of its answer, with action block, and the other answers of the batch go on.
 */
#include "base/err.h"
#include "base/rcu.h"
#include "query/asked.h"

/* What a prompt call may spend: rules looked at per question, steps per rule. */
enum { PROMPT_RULES = 64, PROMPT_STEPS = 1024 };

struct batch {
    struct judge judge;
    const Anchord__V1__EvaluateRequest *req;
    Anchord__V1__EvaluateResponse *resp;
    struct asked *items;
    struct asked_zone *zones; /* those of the batch, each once */
    size_t n, nzones;
    struct rule_ctx *ctx;
    int64_t now_ms;
};

/* --- answers ----------------------------------------------------------------------------------------------
 */

static void
refuse(struct asked *a, const char *error, const char *reason)
{
    Anchord__V1__EvaluateAnswer *m = a->answer;
    m->allowed = false;
    m->action = (char *)rule_action_name(RULE_ACTION_BLOCK);
    m->terminated = true;
    m->error = (char *)error;
    m->reason = WIRE_STR(reason);
    m->need_certificate = error == asked_need_certificate;
}

static int
copy(struct mem_region *r, acd_slice s, char **ret)
{
    char *text = s.len ? wire_dup(r, s) : WIRE_STR(NULL);
    *ret = WIRE_STR(text);
    return text ? 0 : ACD_ENOMEM;
}

static int
match_msg(struct mem_region *r, const struct rule_out *rule, Anchord__V1__RuleMatch **ret)
{
    Anchord__V1__RuleMatch *m = *ret = wire_new(r, Anchord__V1__RuleMatch, anchord__v1__rule_match);
    int rc = m ? copy(r, rule->id, &m->rule_id) : ACD_ENOMEM;
    if (rc == 0)
        rc = copy(r, rule->ref, &m->ref);
    if (rc == 0)
        rc = copy(r, rule->description, &m->description);
    if (rc < 0)
        return rc;
    m->action = (char *)rule_action_name(rule->action);
    m->rule_version = (uint64_t)rule->version;
    return 0;
}

static int
response_msg(struct mem_region *r, const struct rule_out *rule, Anchord__V1__RuleResponse **ret)
{
    Anchord__V1__RuleResponse *m = *ret = wire_new(r, Anchord__V1__RuleResponse, anchord__v1__rule_response);
    if (!m)
        return ACD_ENOMEM;
    m->status_code = rule->status;
    int rc = copy(r, rule->content, &m->content);
    return rc < 0 ? rc : copy(r, rule->content_type, &m->content_type);
}

static int
bits_msg(struct mem_region *r, unsigned bits, const char *(*name)(unsigned), size_t *n, char ***list)
{
    for (; bits; bits &= bits - 1)
        if (wire_append(r, n, list, (char *)name(bits & -bits)) < 0)
            return ACD_ENOMEM;
    return 0;
}

static int
logged_msg(struct mem_region *r, const struct ruleset_answer *from, Anchord__V1__EvaluateAnswer *m)
{
    size_t n = from->nlogged < RULESET_LOG_MAX ? from->nlogged : RULESET_LOG_MAX;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        Anchord__V1__RuleMatch *match;
        rc = match_msg(r, from->logged[i], &match);
        if (rc == 0)
            rc = wire_append(r, &m->n_logged, &m->logged, match);
    }
    m->logged_total = (uint32_t)from->nlogged;
    return rc;
}

static int
fill_answer(struct asked *a, const struct ruleset_answer *from)
{
    struct mem_region *r = a->judge->region;
    Anchord__V1__EvaluateAnswer *m = a->answer;
    int rc = from->rule ? match_msg(r, from->rule, &m->rule) : 0;
    m->steps = from->steps;
    if (from->error && rc == 0) {
        refuse(a, a->error ? a->error : asked_limit, a->error ? a->reason : from->reason);
        return 0;
    }
    m->terminated = from->action != RULE_ACTION_NONE;
    m->allowed = !m->terminated;
    m->action = (char *)rule_action_name(from->action);
    m->stopped = from->stopped;
    if (rc == 0 && from->action == RULE_ACTION_BLOCK)
        rc = response_msg(r, from->rule, &m->response);
    if (rc == 0)
        rc = bits_msg(r, from->skip_phases, rule_phase_name, &m->n_skipped_phases, &m->skipped_phases);
    if (rc == 0)
        rc =
            bits_msg(r, from->skip_products, rule_product_name, &m->n_skipped_products, &m->skipped_products);
    return rc < 0 || !from->nlogged ? rc : logged_msg(r, from, m);
}

/* --- hosts ------------------------------------------------------------------------------------------------
 */

/* The value of http.host among the fields; NULL: it is not there, or no text. */
static const Anchord__V1__RuleValue *
host_field(const Anchord__V1__EvaluateQuestion *q)
{
    for (size_t i = q->n_fields; i > 0; i--)
        if (strcmp(q->fields[i - 1]->name, "http.host") == 0)
            return q->fields[i - 1]->value;
    return NULL;
}

/* The host is what was asked for, in normal form; http.host may say the same once more, and nothing else. */
static int
take_host(struct batch *b, struct asked *a)
{
    struct mem_region *r = b->judge.region;
    const Anchord__V1__RuleValue *field = host_field(a->question);
    struct query_host *host = &a->judged.host, again;
    char *text = a->question->host;
    int rc = 0;
    *host = again = (struct query_host){.name = ""};
    if (field && field->kind_case != ANCHORD__V1__RULE_VALUE__KIND_BYTES_VALUE) {
        refuse(a, asked_bad_field, "http.host: is not of type Bytes");
        return 0;
    }
    char *said = field ? wire_dup(r, wire_slice(field->bytes_value)) : NULL;
    if (field && !said)
        return ACD_ENOMEM;
    if (field && strlen(said) != field->bytes_value.len)
        again.error = "http.host holds a NUL byte";
    else if (field)
        rc = query_host(r, said, &again);
    if (rc == 0 && text[0])
        rc = query_host(r, text, host);
    else if (field)
        *host = again;
    if (rc < 0)
        return rc;
    a->has_host = text[0] || field;
    if (host->error || again.error)
        refuse(a, asked_bad_host, host->error ? host->error : again.error);
    else if (text[0] && field && (host->len != again.len || memcmp(host->name, again.name, host->len) != 0))
        refuse(a, asked_bad_host, "http.host is another host than the one that was asked for");
    if (host->error)
        *host = (struct query_host){.name = ""};
    a->answer->host = (char *)host->name;
    return 0;
}

static int
take_hosts(struct batch *b)
{
    struct mem_region *r = b->judge.region;
    acd_slice *names = mem_new_n(r, b->n, acd_slice);
    struct snap_hit *hits = mem_new_n(r, b->n, struct snap_hit);
    int *found = mem_new_n(r, b->n, int), rc = 0;
    if (!names || !hits || !found)
        return ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < b->n; i++) {
        rc = take_host(b, &b->items[i]);
        names[i] = slice_of(b->items[i].judged.host.name, b->items[i].judged.host.len);
    }
    if (rc < 0)
        return rc;
    (void)snap_lookup_batch(b->judge.view, names, b->n, hits, found);
    for (size_t i = 0; i < b->n; i++) {
        query_reach_hit(b->judge.call, b->judge.view, &hits[i], &found[i]);
        b->items[i].judged.hit = hits[i];
        b->items[i].judged.found = found[i];
    }
    return 0;
}

/* --- zones ------------------------------------------------------------------------------------------------
 */

/* The zone that is named, else that of the host's association, else the longest that the host lies in. */
static int
zone_of(struct batch *b, struct asked *a, uint32_t *ret)
{
    const struct snap_view *view = b->judge.view;
    acd_slice named = slice_str(a->question->zone), host;
    if (named.len)
        return query_zone_find(view, named, ret);
    if (a->judged.hit.match != SNAP_NONE) {
        *ret = a->judged.hit.zone;
        return 0;
    }
    host = slice_of(a->judged.host.name, a->judged.host.len);
    while (host.len) {
        int rc = query_zone_by_name(view, host, ret);
        if (rc != ACD_ENOENT)
            return rc;
        const char *p = host.ptr, *dot = memchr(p, '.', host.len);
        host = dot ? slice_of(dot + 1, host.len - (size_t)(dot + 1 - p)) : slice_of("", 0);
    }
    return ACD_ENOENT;
}

/* The batch does not hold the rules until its answers are written, so it keeps a copy of their id. */
static int
zone_keep(struct batch *b, struct asked_zone *z)
{
    b->nzones++;
    z->ruleset_id = z->rules ? mem_strdup(b->judge.region, ruleset_id(z->rules)) : "";
    return z->ruleset_id ? 0 : ACD_ENOMEM;
}

static int
peek_rules(struct batch *b, acd_slice record, struct asked_zone *z)
{
    struct ruleset_ref *ref = ruleset_peek(b->judge.q->rulesets, record);
    if (ref && ruleset_len(ruleset_of(ref)) <= PROMPT_RULES) {
        z->rules = ref;
        return 0;
    }
    ruleset_put(b->judge.q->rulesets, ref);
    return RPC_LATER;
}

/* 0, RPC_LATER or an error. */
static int
zone_open(struct batch *b, uint32_t number, struct asked_zone *z)
{
    struct mem_region *r = b->judge.region;
    acd_err err = ACD_ERR_INIT;
    struct snap_zone zone;
    acd_slice record;
    *z = (struct asked_zone){.number = number};
    int rc = snap_zone_get(b->judge.view, number, &zone);
    if (rc < 0)
        return rc;
    z->id = mem_strndup(r, zone.id.ptr, zone.id.len);
    z->name = mem_strndup(r, zone.name.ptr, zone.name.len);
    if (!z->id || !z->name)
        return ACD_ENOMEM;
    rc = snap_blob_find(b->judge.view, SNAP_BLOB_RULES, zone.id, &record);
    if (rc == 0 && b->judge.call->prompt)
        return peek_rules(b, record, z);
    if (rc == 0)
        rc = ruleset_get(b->judge.q->rulesets, record, &z->rules, &err);
    else if (rc == ACD_ENOENT)
        rc = 0;
    if (rc < 0)
        z->error = mem_strdup(r, err_text(&err, rc));
    return rc < 0 && !z->error ? ACD_ENOMEM : 0;
}

static int
zone_take(struct batch *b, struct asked *a)
{
    uint32_t number;
    int rc = a->judged.found < 0 ? a->judged.found : zone_of(b, a, &number);
    if (rc == 0 && !query_reaches(b->judge.call, b->judge.view, number))
        rc = ACD_ENOENT;
    if (rc == ACD_ENOENT) {
        refuse(a, asked_no_zone,
               a->question->zone[0] ? "there is no such zone"
                                    : "the host lies in no zone that is known here");
        return 0;
    }
    if (rc < 0)
        return rc;
    for (size_t i = b->nzones; i > 0 && !a->zone; i--)
        if (b->zones[i - 1].number == number)
            a->zone = &b->zones[i - 1];
    if (!a->zone) {
        struct asked_zone *z = &b->zones[b->nzones];
        rc = zone_open(b, number, z);
        if (rc == 0)
            rc = zone_keep(b, z);
        if (rc != 0)
            return rc;
        a->zone = z;
    }
    a->answer->zone_id = a->zone->id;
    return 0;
}

/* --- one question -----------------------------------------------------------------------------------------
 */

static int
evaluate(struct batch *b, struct asked *a)
{
    static const struct ruleset_answer nothing = {.action = RULE_ACTION_NONE};
    struct ruleset_answer answer;
    const struct ruleset *set = a->zone->rules ? ruleset_of(a->zone->rules) : NULL;
    if (set) {
        a->answer->ruleset_id = a->zone->ruleset_id;
        a->answer->ruleset_version = ruleset_version(a->zone->rules);
        ruleset_eval(set, a->ctx, &answer);
    }
    if (a->later || (set && b->judge.call->prompt && answer.error && !a->error && a->rc == 0))
        return RPC_LATER;
    if (a->rc == ACD_ENOMEM || a->rc == ACD_ECORRUPT)
        return a->rc;
    int rc = fill_answer(a, set ? &answer : &nothing);
    if (rc == 0 && b->req->explain)
        rc = asked_explain(a);
    return rc;
}

static int
answer_one(struct batch *b, struct asked *a)
{
    const char *why = NULL;
    int rc = a->answer->error[0] ? 0 : zone_take(b, a);
    if (rc != 0 || a->answer->error[0])
        return rc;
    if (a->zone->error) {
        refuse(a, asked_bad_rules, a->zone->error);
        return 0;
    }
    rule_ctx_reset(b->ctx);
    b->ctx->steps_max = b->judge.call->prompt ? PROMPT_STEPS : RULE_STEPS_MAX;
    b->ctx->fill = asked_fill;
    b->ctx->arg = a;
    a->ctx = b->ctx;
    rc = asked_fields(a, &why);
    if (rc == ACD_EINVAL) {
        refuse(a, asked_bad_field, why);
        return 0;
    }
    return rc < 0 ? rc : evaluate(b, a);
}

/* --- the batch --------------------------------------------------------------------------------------------
 */

static void
prepare(struct batch *b, size_t i)
{
    struct asked *a = &b->items[i];
    a->judge = &b->judge;
    a->question = b->req->questions[i];
    a->answer = b->resp->answers[i];
    anchord__v1__verify_question__init(&a->chain);
    a->chain.chain = a->question->chain;
    a->chain.n_chain = a->question->n_chain;
    a->chain.chain_digest = a->question->chain_digest;
    a->judged.question = &a->chain;
    a->judged.at_ms = a->question->at_ms ? a->question->at_ms : b->now_ms;
}

static int
run(struct batch *b)
{
    int rc = take_hosts(b);
    const struct asked *decided = NULL;
    for (size_t i = 0; rc == 0 && i < b->n; i++) {
        b->items[i].before = decided;
        rc = answer_one(b, &b->items[i]);
        if (b->items[i].verdict)
            decided = &b->items[i];
    }
    for (size_t i = 0; i < b->nzones; i++)
        ruleset_put(b->judge.q->rulesets, b->zones[i].rules);
    return rc;
}

static int
run_on_view(struct batch *b)
{
    struct query *q = b->judge.q;
    rcu_enter();
    const struct snap_view *now = snap_pub_get(q->deps.pub);
    struct snap_view *held = now ? snap_view_ref(now) : NULL;
    rcu_leave();
    if (!held)
        return ACD_EUNAVAIL;
    b->judge.view = held;
    b->judge.call->revision = snap_view_revision(held);
    b->ctx = query_ctx_take(q);
    int rc = b->ctx ? run(b) : ACD_ENOMEM;
    query_ctx_give(q, b->ctx);
    snap_view_unref(held);
    return rc;
}

static void
count(const struct batch *b)
{
    uint64_t hits = 0, asked = 0;
    for (size_t i = 0; i < b->n; i++) {
        hits += b->items[i].hit;
        asked += b->items[i].verdict;
    }
    query_count(b->judge.q, QUERY_EVALUATE_QUESTIONS, b->n);
    query_count(b->judge.q, QUERY_VERDICT_HITS, hits);
    if (asked > hits)
        query_count(b->judge.q, QUERY_VERDICT_MISSES, asked - hits);
}

int
query_evaluate(void *ctx, struct rpc_call *call, const void *req_, void **ret_resp, acd_err *err)
{
    struct query *q = ctx;
    const Anchord__V1__EvaluateRequest *req = req_;
    struct mem_region *r = call->region;
    struct batch b = {
        .judge = {.q = q, .call = call, .region = r, .explain = req->explain, .brief = req->no_verification},
        .req = req,
        .n = req->n_questions,
        .now_ms = clock_wall_ms(q->deps.clock),
    };
    if (call->prompt && req->explain)
        return RPC_LATER;
    b.resp = wire_new(r, Anchord__V1__EvaluateResponse, anchord__v1__evaluate_response);
    b.items = mem_new_n(r, b.n, struct asked);
    b.zones = mem_new_n(r, b.n, struct asked_zone);
    if (!b.resp || !b.items || !b.zones)
        return query_failed(ACD_ENOMEM, err);
    b.resp->answers = wire_list(r, b.n, Anchord__V1__EvaluateAnswer, anchord__v1__evaluate_answer);
    if (!b.resp->answers)
        return query_failed(ACD_ENOMEM, err);
    b.resp->n_answers = b.n;
    for (size_t i = 0; i < b.n; i++)
        prepare(&b, i);
    int rc = run_on_view(&b);
    if (rc == RPC_LATER)
        return rc;
    count(&b);
    *ret_resp = b.resp;
    return rc < 0 ? query_failed(rc, err) : 0;
}
