/* Evaluate over a validator of our own, which says what the leaf says. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rcu.h"
#include "base/str.h"
#include "base/thread.h"
#include "lib/main.h"
#include "lib/stand_in.h"
#include "model/digest.h"
#include "query/part.h"
#include "rule/record.h"
#include "snap/writer.h"

static atomic_int verified, described;

/* "good", "revoked", "broken" (no verdict can be reached), anything else is not verified. */
static int
verify(const acd_bundle *b, const acd_verify *what, const acd_call *call, acd_verdict *ret, acd_err *err)
{
    (void)b, (void)call;
    atomic_fetch_add(&verified, 1);
    if (slice_eqs(what->leaf, "broken"))
        return err_set(err, ACD_EIO, "the machine is on fire");
    bool good = slice_eqs(what->leaf, "good"), revoked = slice_eqs(what->leaf, "revoked");
    ret->result = good ? ACD_VERIFIED : ACD_NOT_VERIFIED;
    ret->anchor = good ? 0 : -1;
    ret->flags = revoked ? ACD_VERDICT_REVOKED : 0;
    ret->valid_until_ms = INT64_MAX;
    (void)snprintf(ret->error, sizeof(ret->error), "%s", good ? "" : "X509_V_ERR_TEST");
    return 0;
}

static int
describe(void *inst, acd_slice leaf, const acd_slice *inter, size_t n, acd_field_fn fn, void *ctx,
         acd_err *err)
{
    (void)inst, (void)inter, (void)n, (void)err;
    atomic_fetch_add(&described, 1);
    int rc = fn(ctx, "cf.tls_client_auth.cert_serial", leaf);
    if (rc == 0)
        rc = fn(ctx, "anchord.cert_san_dns", SLICE_LIT("a.example,b.example"));
    return rc < 0 ? rc : fn(ctx, "anchord.of_the_future", SLICE_LIT("x"));
}

static const acd_validator_ops acts = {.verify = verify, .describe = describe};

/* --- a query layer over one zone --------------------------------------------------------------------------
 */

static const char zone_id[] = "0123456789abcdef0123456789abcdef";
static const char ca_id[] = "00000000-0000-4000-8000-000000000001";

static struct rig {
    struct stand_in validator;
    struct snap_writer *w;
    struct snap_pub pub;
    struct query *query;
    struct mem_region region;
    uint64_t revision;
} rig;

static void
publish(void)
{
    struct snap_view *view;
    ck_assert_int_eq(snap_commit(rig.w, ++rig.revision, 0, &view, NULL), 0);
    snap_pub_set(&rig.pub, view);
}

enum { RULES_MAX = 80 };

/* The rules as if they had been uploaded: checked by nobody. */
static void
rules(const char *const *expressions, const char *action, size_t n)
{
    struct rule_in list[RULES_MAX] = {0};
    int64_t updated[RULES_MAX] = {0};
    static int64_t version;
    char id[RULES_MAX][33];
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(id[i], sizeof(id[i]), "%032zu", i);
        list[i] = (struct rule_in){.id = slice_str(id[i]),
                                   .ref = slice_str(id[i]),
                                   .description = SLICE_LIT(""),
                                   .expression = slice_str(expressions[i]),
                                   .action = slice_str(action),
                                   .version = 1};
    }
    const struct rule_record rec = {SLICE_LIT("set"), ++version, list, updated, n};
    struct buf out = BUF_INIT(1 << 16);
    rule_record_encode(&out, &rec);
    ck_assert_int_eq(snap_begin(rig.w, NULL), 0);
    ck_assert_int_eq(
        snap_put_blob(rig.w, SNAP_BLOB_RULES, slice_str(zone_id), slice_of(out.data, out.len), NULL), 0);
    buf_done(&out);
    publish();
}

#define RULES(action, ...)                            \
    rules((const char *const[]){__VA_ARGS__}, action, \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void
setup_world(void)
{
    uint8_t sha[32] = {1};
    const struct snap_ca ca = {
        .id = slice_str(ca_id), .sha256 = sha, .subject = SLICE_LIT("CN=ca"), .der = SLICE_LIT("der")};
    const struct snap_ca_use use = {.id = slice_str(ca_id)};
    ck_assert_int_eq(snap_writer_open(&(struct snap_writer_opts){0}, &rig.w, NULL), 0);
    ck_assert_int_eq(snap_begin(rig.w, NULL), 0);
    ck_assert_int_eq(
        snap_put_zone(rig.w, slice_str(zone_id), slice_str(zone_id), SLICE_LIT("example.com"), NULL), 0);
    ck_assert_int_eq(
        snap_put_blob(rig.w, SNAP_BLOB_ZONE_NAME, SLICE_LIT("example.com"), slice_str(zone_id), NULL), 0);
    ck_assert_int_eq(snap_put_ca(rig.w, &ca, NULL), 0);
    ck_assert_int_eq(snap_put_host(rig.w, SLICE_LIT("a.example.com"), slice_str(zone_id), &use, 1, NULL), 0);
    publish();
}

static void
setup(void)
{
    acd_err err = ACD_ERR_INIT;
    atomic_store(&verified, 0);
    atomic_store(&described, 0);
    rcu_thread_enter();
    rig = (struct rig){0};
    stand_in_open(&rig.validator, &acts);
    const struct query_deps deps = {.pub = &rig.pub,
                                    .validator = &rig.validator.validator,
                                    .clock = &clock_system,
                                    .verdicts = 1024,
                                    .bundles = 4,
                                    .rules = 2};
    ck_assert_int_eq(query_new(&deps, &rig.query, &err), 0);
    mem_init(&rig.region, 65536, LIMIT_REGION);
    setup_world();
}

static void
teardown(void)
{
    query_free(rig.query);
    snap_pub_set(&rig.pub, NULL);
    rcu_drain();
    snap_writer_free(rig.w);
    stand_in_close(&rig.validator);
    mem_done(&rig.region);
    rcu_thread_leave();
}

/* --- asking -----------------------------------------------------------------------------------------------
 */

static Anchord__V1__EvaluateQuestion *
question(struct mem_region *r, const char *host, const char *leaf)
{
    Anchord__V1__EvaluateQuestion *q =
        wire_new(r, Anchord__V1__EvaluateQuestion, anchord__v1__evaluate_question);
    q->host = (char *)host;
    if (leaf) {
        q->chain = mem_new(r, ProtobufCBinaryData);
        q->chain[q->n_chain++] = wire_bytes(slice_str(leaf));
    }
    return q;
}

static Anchord__V1__EvaluateRequest *
request(struct mem_region *r, Anchord__V1__EvaluateQuestion **questions, size_t n)
{
    Anchord__V1__EvaluateRequest *req =
        wire_new(r, Anchord__V1__EvaluateRequest, anchord__v1__evaluate_request);
    req->questions = questions;
    req->n_questions = n;
    return req;
}

static Anchord__V1__EvaluateResponse *
send_request(struct mem_region *r, const Anchord__V1__EvaluateRequest *req)
{
    struct rpc_call call = {.region = r};
    acd_err err = ACD_ERR_INIT;
    void *resp = NULL;
    ck_assert_msg(query_evaluate(rig.query, &call, req, &resp, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(((Anchord__V1__EvaluateResponse *)resp)->n_answers, req->n_questions);
    ck_assert_uint_eq(call.revision, rig.revision);
    return resp;
}

static Anchord__V1__EvaluateResponse *
ask_all(struct mem_region *r, Anchord__V1__EvaluateQuestion **questions, size_t n, bool explain)
{
    Anchord__V1__EvaluateRequest *req = request(r, questions, n);
    req->explain = explain;
    return send_request(r, req);
}

/* Where nobody may wait: what the handler returns, RPC_LATER or 0; *ret_answer is that of one question. */
static int
ask_promptly(const Anchord__V1__EvaluateRequest *req, const Anchord__V1__EvaluateAnswer **ret_answer)
{
    struct rpc_call call = {.region = &rig.region, .prompt = true};
    acd_err err = ACD_ERR_INIT;
    void *resp = NULL;
    int rc = query_evaluate(rig.query, &call, req, &resp, &err);
    if (rc == 0)
        *ret_answer = ((Anchord__V1__EvaluateResponse *)resp)->answers[0];
    return rc;
}

static const Anchord__V1__EvaluateAnswer *
ask(const char *host, const char *leaf)
{
    Anchord__V1__EvaluateQuestion *q = question(&rig.region, host, leaf);
    return ask_all(&rig.region, &q, 1, false)->answers[0];
}

/* --- tests ------------------------------------------------------------------------------------------------
 */

START_TEST(nothing_is_verified_that_no_rule_asks_for)
{
    RULES("block", "http.host eq \"b.example.com\"", "cf.tls_client_auth.cert_presented and ssl");
    const Anchord__V1__EvaluateAnswer *a = ask("a.example.com", "good");
    ck_assert(a->allowed && !a->verification);
    ck_assert_int_eq(atomic_load(&verified) + atomic_load(&described), 0);
    ck_assert(!ask("b.example.com", NULL)->allowed);
}
END_TEST

START_TEST(verified_revoked_trusted)
{
    RULES("log", "cf.tls_client_auth.cert_verified", "cf.tls_client_auth.cert_revoked",
          "anchord.cert_trusted");
    static const struct {
        const char *leaf;
        size_t n;
        char last;
    } rows[] = {{"good", 2, '2'}, {"revoked", 2, '1'}, {"other", 0, 0}, {NULL, 0, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const Anchord__V1__EvaluateAnswer *a = ask("a.example.com", rows[i].leaf);
        ck_assert(a->allowed);
        ck_assert_uint_eq(a->n_logged, rows[i].n);
        if (rows[i].n) {
            ck_assert_int_eq(a->logged[0]->rule_id[31], '0');
            ck_assert_int_eq(a->logged[1]->rule_id[31], rows[i].last);
        }
    }
    int before = atomic_load(&verified);
    ck_assert(ask("a.example.com", "good")->verification->cached);
    ck_assert_int_eq(atomic_load(&verified), before);
}
END_TEST

/* A verdict that cannot be reached lets nothing through, whichever way the rule asks. */
START_TEST(no_verdict_blocks)
{
    static const char *const asked[] = {"cf.tls_client_auth.cert_revoked",
                                        "not cf.tls_client_auth.cert_verified",
                                        "cf.tls_client_auth.cert_verified and ssl"};
    for (size_t i = 0; i < 3; i++) {
        RULES("log", asked[i]);
        const Anchord__V1__EvaluateAnswer *a = ask("a.example.com", "broken");
        ck_assert(!a->allowed && a->terminated);
        ck_assert_str_eq(a->action, "block");
        ck_assert_str_eq(a->error, "ACD_R_ERR_NOT_CHECKED");
        ck_assert_ptr_nonnull(strstr(a->reason, "on fire"));
        ck_assert_ptr_nonnull(a->rule);
    }
}
END_TEST

START_TEST(digest_in_place_of_chain)
{
    uint8_t digest[DIGEST_LEN];
    const acd_slice leaf = SLICE_LIT("good");
    digest_chain(&leaf, 1, digest);
    RULES("block", "not cf.tls_client_auth.cert_verified", "cf.tls_client_auth.cert_serial ne \"good\"");
    Anchord__V1__EvaluateQuestion *q = question(&rig.region, "a.example.com", NULL);
    q->chain_digest = wire_bytes(slice_of(digest, sizeof(digest)));
    const Anchord__V1__EvaluateAnswer *a = ask_all(&rig.region, &q, 1, false)->answers[0];
    ck_assert(!a->allowed && a->need_certificate);
    ck_assert_str_eq(a->error, "ACD_R_ERR_NEED_CERTIFICATE");
    ck_assert_int_eq(a->verification->verdict, ANCHORD__V1__VERDICT__NEED_CERTIFICATE);
    ck_assert(ask("a.example.com", "good")->allowed);
    ck_assert(ask_all(&rig.region, &q, 1, false)->answers[0]->allowed);
    ck_assert_int_eq(atomic_load(&verified), 1);
    ck_assert_int_eq(atomic_load(&described), 1); /* and its facts are kept as well */
    q->chain_digest.len = 31;
    ck_assert_str_eq(ask_all(&rig.region, &q, 1, false)->answers[0]->error, "ACD_R_ERR_INVALID_CHAIN");
}
END_TEST

START_TEST(equal_questions_of_a_batch_share_a_verdict)
{
    RULES("block", "not cf.tls_client_auth.cert_verified");
    struct mem_region *r = &rig.region;
    Anchord__V1__EvaluateQuestion *q[] = {
        question(r, "a.example.com", "good"),   question(r, "a.example.com", "good"),
        question(r, "a.example.com", "bad"),    question(r, "a.example.com", "bad"),
        question(r, "a.example.com", NULL),     question(r, "b.example.com", "good"),
        question(r, "a.example.com", "broken"), question(r, "a.example.com", "good")};
    static const bool allowed[] = {true, true, false, false, false, false, false, true};
    Anchord__V1__EvaluateResponse *resp = ask_all(r, q, 8, false);
    for (size_t i = 0; i < 8; i++)
        ck_assert_msg(resp->answers[i]->allowed == allowed[i], "answer %zu", i);
    ck_assert_int_eq(atomic_load(&verified), 3); /* good, bad, broken */
    ck_assert(!resp->answers[0]->verification->cached && resp->answers[1]->verification->cached);
    ck_assert_str_eq(resp->answers[1]->verification->ca_id, ca_id);
    ck_assert_str_eq(resp->answers[1]->verification->pattern, "a.example.com");
    ck_assert_str_eq(resp->answers[3]->verification->error, "X509_V_ERR_TEST");
    ck_assert_str_eq(resp->answers[6]->error, "ACD_R_ERR_NOT_CHECKED");
}
END_TEST

START_TEST(the_verification_may_be_left_out)
{
    RULES(
        "block",
        "not cf.tls_client_auth.cert_verified or anchord.ca_id ne \"00000000-0000-4000-8000-000000000001\"");
    Anchord__V1__EvaluateQuestion *q[] = {question(&rig.region, "a.example.com", "good"),
                                          question(&rig.region, "a.example.com", "revoked"),
                                          question(&rig.region, "a.example.com", "broken")};
    Anchord__V1__EvaluateRequest *req = request(&rig.region, q, 3);
    const Anchord__V1__EvaluateResponse *full = send_request(&rig.region, req);
    req->no_verification = true;
    const Anchord__V1__EvaluateResponse *brief = send_request(&rig.region, req);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(full->answers[i]->verification);
        ck_assert_ptr_null(brief->answers[i]->verification);
        ck_assert_int_eq(full->answers[i]->allowed, brief->answers[i]->allowed);
        ck_assert_str_eq(full->answers[i]->error, brief->answers[i]->error);
    }
    ck_assert(brief->answers[0]->allowed && !brief->answers[1]->allowed && !brief->answers[2]->allowed);
}
END_TEST

/* What would have to wait is asked again elsewhere, and nothing is done for it before. */
START_TEST(a_prompt_call_takes_only_what_is_there)
{
    const Anchord__V1__EvaluateAnswer *answer = NULL;
    RULES("block", "not cf.tls_client_auth.cert_verified");
    Anchord__V1__EvaluateQuestion *q = question(&rig.region, "a.example.com", "good");
    Anchord__V1__EvaluateRequest *req = request(&rig.region, &q, 1);
    struct query_counters n;
    ck_assert_int_eq(ask_promptly(req, &answer), RPC_LATER); /* rules that are not compiled */
    query_counters(rig.query, &n);
    ck_assert_uint_eq(n.ruleset_builds, 0);
    ck_assert(ask("a.example.com", NULL)->error[0] == '\0');
    ck_assert_int_eq(ask_promptly(req, &answer), RPC_LATER); /* a verdict that is not known */
    ck_assert_int_eq(atomic_load(&verified), 0);
    ck_assert(ask("a.example.com", "good")->allowed);
    ck_assert_int_eq(ask_promptly(req, &answer), 0);
    ck_assert(answer->allowed && answer->verification->cached);
    ck_assert_int_eq(atomic_load(&verified), 1);
    req->explain = true;
    ck_assert_int_eq(ask_promptly(req, &answer), RPC_LATER);
    query_counters(rig.query, &n);
    ck_assert_uint_eq(n.evaluate_questions, 3); /* what came back is not counted twice */
}
END_TEST

START_TEST(a_prompt_call_does_no_long_work)
{
    const Anchord__V1__EvaluateAnswer *answer = NULL;
    const char *many[RULES_MAX];
    Anchord__V1__EvaluateQuestion *q = question(&rig.region, "a.example.com", NULL);
    Anchord__V1__EvaluateRequest *req = request(&rig.region, &q, 1);
    for (size_t i = 0; i < RULES_MAX; i++)
        many[i] = "ssl";
    rules(many, "block", RULES_MAX); /* a long list */
    ck_assert(ask("a.example.com", NULL)->allowed);
    ck_assert_int_eq(ask_promptly(req, &answer), RPC_LATER);

    RULES("block", "cf.tls_client_auth.cert_serial eq \"x\""); /* a certificate nobody has described */
    ck_assert(ask("a.example.com", NULL)->allowed);
    q->chain = question(&rig.region, "", "x")->chain;
    q->n_chain = 1;
    ck_assert_int_eq(ask_promptly(req, &answer), RPC_LATER);
    ck_assert_int_eq(atomic_load(&described), 0);
    q->n_chain = 0;
    ck_assert_int_eq(ask_promptly(req, &answer), 0);
    ck_assert(answer->allowed);
}
END_TEST

static void
give(Anchord__V1__EvaluateQuestion *q, const char *name, acd_slice value)
{
    struct mem_region *r = &rig.region;
    Anchord__V1__FieldValue *f = wire_new(r, Anchord__V1__FieldValue, anchord__v1__field_value);
    f->name = (char *)name;
    f->value = wire_new(r, Anchord__V1__RuleValue, anchord__v1__rule_value);
    f->value->kind_case = ANCHORD__V1__RULE_VALUE__KIND_BYTES_VALUE;
    f->value->bytes_value = wire_bytes(value);
    ck_assert_int_eq(wire_append(r, &q->n_fields, &q->fields, f), 0);
}

/* Patterns that cost more than an evaluation may; none of them matches, so that only the budget can block. */
static void
costly(struct buf *out)
{
    for (int i = 0; i < RULE_REGEX_MAX; i++)
        buf_printf(out, "%shttp.request.body.raw matches \"[ab]{900}x\"", i ? " or " : "");
}

START_TEST(an_exhausted_budget_blocks)
{
    const Anchord__V1__EvaluateAnswer *answer = NULL;
    struct buf text = BUF_INIT(RULE_TEXT_MAX);
    size_t big = 1 << 17;
    char *body = mem_alloc(&rig.region, big);
    costly(&text);
    ck_assert(!text.failed && body);
    memset(body, 'a', big);
    char *rule = mem_strndup(&rig.region, text.data, text.len);
    buf_done(&text);
    RULES("block", rule);
    Anchord__V1__EvaluateQuestion *q = question(&rig.region, "a.example.com", NULL);
    Anchord__V1__EvaluateRequest *req = request(&rig.region, &q, 1);
    give(q, "http.request.body.raw", slice_of(body, 100));
    answer = send_request(&rig.region, req)->answers[0];
    ck_assert_msg(answer->allowed, "%s", answer->reason);
    ck_assert_uint_gt(answer->steps, 1024);
    ck_assert_int_eq(ask_promptly(req, &answer), RPC_LATER); /* more than is spent where nobody may wait */

    q->fields[0]->value->bytes_value = wire_bytes(slice_of(body, big));
    answer = send_request(&rig.region, req)->answers[0];
    ck_assert(!answer->allowed && answer->terminated);
    ck_assert_str_eq(answer->action, "block");
    ck_assert_str_eq(answer->error, "ACD_R_ERR_LIMIT");
    ck_assert_ptr_nonnull(strstr(answer->reason, "steps"));
    ck_assert_int_eq(answer->rule->rule_id[31], '0');
    ck_assert_uint_gt(answer->steps, RULE_STEPS_MAX);

    RULES("log", rule, "ssl or not ssl"); /* what would only have been logged is not passed over either */
    answer = send_request(&rig.region, req)->answers[0];
    ck_assert(!answer->allowed);
    ck_assert_str_eq(answer->error, "ACD_R_ERR_LIMIT");
}
END_TEST

START_TEST(names_are_an_array)
{
    RULES("log", "any(anchord.cert_san_dns[*] eq \"b.example\")", "len(anchord.cert_san_dns) eq 2",
          "len(anchord.cert_san_dns) eq 0", "len(anchord.cert_san_uri) eq 0");
    const Anchord__V1__EvaluateAnswer *a = ask("a.example.com", "x");
    ck_assert_uint_eq(a->n_logged, 3);
    a = ask("a.example.com", NULL);
    ck_assert_uint_eq(a->n_logged, 2);
    ck_assert_int_eq(a->logged[0]->rule_id[31], '2');
}
END_TEST

/* What storage or a newer server left behind and cannot be compiled here decides nothing. */
START_TEST(rules_that_do_not_compile_block)
{
    RULES("block", "field.of.the_future");
    for (int round = 0; round < 2; round++) {
        const Anchord__V1__EvaluateAnswer *a = ask("a.example.com", NULL);
        ck_assert(!a->allowed);
        ck_assert_str_eq(a->error, "ACD_R_ERR_INVALID_RULES");
    }
    ck_assert_int_eq(snap_begin(rig.w, NULL), 0);
    ck_assert_int_eq(snap_put_blob(rig.w, SNAP_BLOB_RULES, slice_str(zone_id), SLICE_LIT("junk"), NULL), 0);
    publish();
    ck_assert_str_eq(ask("a.example.com", NULL)->error, "ACD_R_ERR_INVALID_RULES");
}
END_TEST

START_TEST(one_bad_question_is_its_own)
{
    RULES("block", "http.host eq \"a.example.com\"");
    Anchord__V1__EvaluateQuestion *q[4] = {
        question(&rig.region, "no such host", NULL), question(&rig.region, "a.example.com", NULL),
        question(&rig.region, "", NULL), question(&rig.region, "c.example.com", NULL)};
    Anchord__V1__EvaluateResponse *resp = ask_all(&rig.region, q, 4, true);
    ck_assert_str_eq(resp->answers[0]->error, "ACD_R_ERR_INVALID_HOST");
    ck_assert_str_eq(resp->answers[1]->error, "");
    ck_assert_str_eq(resp->answers[1]->action, "block");
    ck_assert_uint_eq(resp->answers[1]->response->status_code, 403);
    ck_assert_str_eq(resp->answers[2]->error, "ACD_R_ERR_NO_ZONE");
    ck_assert(resp->answers[3]->allowed);
    ck_assert_ptr_nonnull(strstr(resp->answers[3]->explain_text, "no match"));
}
END_TEST

START_TEST(compiled_rules_are_kept_within_bounds)
{
    struct query_counters n;
    for (int i = 0; i < 5; i++) {
        RULES("block", "ssl");
        for (int k = 0; k < 3; k++)
            ck_assert(ask("a.example.com", NULL)->allowed);
    }
    query_counters(rig.query, &n);
    ck_assert_uint_eq(n.ruleset_builds, 5);
    ck_assert_uint_le(n.rulesets, 2);
    ck_assert_uint_eq(n.evaluate_questions, 15);
}
END_TEST

START_TEST(values_of_the_wrong_type)
{
    RULES("block", "ssl");
    Anchord__V1__EvaluateQuestion *q = question(&rig.region, "a.example.com", NULL);
    Anchord__V1__FieldValue *f = wire_new(&rig.region, Anchord__V1__FieldValue, anchord__v1__field_value);
    f->name = "ssl";
    ck_assert_int_eq(wire_append(&rig.region, &q->n_fields, &q->fields, f), 0);
    ck_assert_str_eq(ask_all(&rig.region, &q, 1, false)->answers[0]->error, "ACD_R_ERR_INVALID_FIELD");
    f->value = wire_new(&rig.region, Anchord__V1__RuleValue, anchord__v1__rule_value);
    ck_assert_str_eq(ask_all(&rig.region, &q, 1, false)->answers[0]->error, "ACD_R_ERR_INVALID_FIELD");
    f->value->kind_case = ANCHORD__V1__RULE_VALUE__KIND_INT_VALUE;
    f->value->int_value = 1;
    ck_assert_str_eq(ask_all(&rig.region, &q, 1, false)->answers[0]->error, "ACD_R_ERR_INVALID_FIELD");
    f->value->kind_case = ANCHORD__V1__RULE_VALUE__KIND_BOOL_VALUE;
    f->value->bool_value = true;
    const Anchord__V1__EvaluateAnswer *a = ask_all(&rig.region, &q, 1, false)->answers[0];
    ck_assert_str_eq(a->error, "");
    ck_assert(!a->allowed);
}
END_TEST

/* --- threads ----------------------------------------------------------------------------------------------
 */

enum { READERS = 3, ROUNDS = 200 };
static atomic_int wrong;

static void
reader(void *arg)
{
    struct mem_region r;
    (void)arg;
    mem_init(&r, 65536, LIMIT_REGION);
    for (int i = 0; i < ROUNDS; i++) {
        Anchord__V1__EvaluateRequest *req =
            wire_new(&r, Anchord__V1__EvaluateRequest, anchord__v1__evaluate_request);
        Anchord__V1__EvaluateQuestion *q[2] = {question(&r, "a.example.com", "good"),
                                               question(&r, "a.example.com", NULL)};
        struct rpc_call call = {.region = &r};
        void *resp = NULL;
        req->questions = q;
        req->n_questions = 2;
        int rc = query_evaluate(rig.query, &call, req, &resp, NULL);
        const Anchord__V1__EvaluateResponse *m = resp;
        /* Whatever the version, the first is allowed and the second is not, and both are of one version. */
        if (rc < 0 || !m->answers[0]->allowed || m->answers[1]->allowed ||
            m->answers[0]->ruleset_version != m->answers[1]->ruleset_version)
            atomic_fetch_add(&wrong, 1);
        mem_reset(&r);
    }
    mem_done(&r);
}

START_TEST(readers_while_rules_change)
{
    struct thread threads[READERS];
    atomic_store(&wrong, 0);
    RULES("block", "not cf.tls_client_auth.cert_verified");
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(thread_start(&threads[i], "reader", reader, NULL), 0);
    for (int i = 0; i < ROUNDS / 4; i++)
        RULES("block", i % 2 ? "not cf.tls_client_auth.cert_verified" : "not anchord.cert_trusted");
    for (int i = 0; i < READERS; i++)
        thread_join(&threads[i]);
    ck_assert_int_eq(atomic_load(&wrong), 0);
}
END_TEST

Suite *suite_evaluate(void);

Suite *
suite_evaluate(void)
{
    Suite *s = suite_create("evaluate");
    TCase *c = tcase_create("evaluate");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, nothing_is_verified_that_no_rule_asks_for);
    tcase_add_test(c, verified_revoked_trusted);
    tcase_add_test(c, no_verdict_blocks);
    tcase_add_test(c, digest_in_place_of_chain);
    tcase_add_test(c, equal_questions_of_a_batch_share_a_verdict);
    tcase_add_test(c, the_verification_may_be_left_out);
    tcase_add_test(c, a_prompt_call_takes_only_what_is_there);
    tcase_add_test(c, a_prompt_call_does_no_long_work);
    tcase_add_test(c, an_exhausted_budget_blocks);
    tcase_add_test(c, names_are_an_array);
    tcase_add_test(c, rules_that_do_not_compile_block);
    tcase_add_test(c, one_bad_question_is_its_own);
    tcase_add_test(c, compiled_rules_are_kept_within_bounds);
    tcase_add_test(c, values_of_the_wrong_type);
    tcase_add_test(c, readers_while_rules_change);
    suite_add_tcase(s, c);
    return s;
}
