/* GetTrust: what is written by hand is, field for field and byte for byte, what the codec would write. */
#include <string.h>

#include "base/rcu.h"
#include "lib/main.h"
#include "lib/stand_in.h"
#include "model/limits.h"
#include "query/part.h"
#include "snap/writer.h"

static const char zone_id[] = "0123456789abcdef0123456789abcdef";
static const char *const ca_ids[] = {"00000000-0000-4000-8000-000000000001",
                                     "00000000-0000-4000-8000-000000000002",
                                     "00000000-0000-4000-8000-000000000003"};
enum { CAS = 3, PRIORITY = 7 };

static const acd_validator_ops acts = {0};

static struct rig {
    struct stand_in validator;
    struct snap_writer *w;
    struct snap_pub pub;
    struct query *query;
    struct mem_region region;
} rig;

static void
put_cas(void)
{
    for (size_t i = 0; i < CAS; i++) {
        uint8_t sha[32] = {(uint8_t)(i + 1)};
        const struct snap_ca ca = {.id = slice_str(ca_ids[i]),
                                   .sha256 = sha,
                                   .subject = SLICE_LIT("CN=ca"),
                                   .der = SLICE_LIT("der"),
                                   .not_before_ms = -1,
                                   .not_after_ms = INT64_MAX,
                                   .profile = (uint32_t)(i + 1)};
        ck_assert_int_eq(snap_put_ca(rig.w, &ca, NULL), 0);
    }
}

/* One host of every role, a wildcard, an Access host; they share what sets they can. */
static void
setup_world(void)
{
    const struct snap_ca_use roles[] = {
        {slice_str(ca_ids[0]), PRIORITY << SNAP_PRIORITY_SHIFT},
        {slice_str(ca_ids[1]), SNAP_CA_HELPER},
        {slice_str(ca_ids[2]), SNAP_CA_OBSERVED},
    };
    const acd_slice zone = slice_str(zone_id);
    struct snap_view *view;
    ck_assert_int_eq(snap_writer_open(&(struct snap_writer_opts){0}, &rig.w, NULL), 0);
    ck_assert_int_eq(snap_begin(rig.w, NULL), 0);
    ck_assert_int_eq(snap_put_zone(rig.w, zone, zone, SLICE_LIT("example.com"), NULL), 0);
    put_cas();
    ck_assert_int_eq(snap_put_host(rig.w, SLICE_LIT("a.example.com"), zone, roles, CAS, NULL), 0);
    ck_assert_int_eq(snap_put_host(rig.w, SLICE_LIT("*.example.com"), zone, roles, CAS, NULL), 0);
    ck_assert_int_eq(snap_put_host(rig.w, SLICE_LIT("empty.example.com"), zone, roles, 0, NULL), 0);
    ck_assert_int_eq(
        snap_put_name(rig.w, SNAP_NAMES_ACCESS, SLICE_LIT("access.example.com"), zone, roles, 1, NULL), 0);
    ck_assert_int_eq(snap_commit(rig.w, 1, 0, &view, NULL), 0);
    snap_pub_set(&rig.pub, view);
}

static void
setup(void)
{
    acd_err err = ACD_ERR_INIT;
    rcu_thread_enter();
    rig = (struct rig){0};
    stand_in_open(&rig.validator, &acts);
    const struct query_deps deps = {.pub = &rig.pub,
                                    .validator = &rig.validator.validator,
                                    .clock = &clock_system,
                                    .verdicts = 1024,
                                    .bundles = 4,
                                    .rules = 2};
    ck_assert_msg(query_new(&deps, &rig.query, &err) == 0, "%s", err.text);
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

static const char *const hosts[] = {"a.example.com",      "A.Example.com", "b.example.com",
                                    "empty.example.com",  "c.other.test",  "",
                                    "access.example.com", "a..b"};
enum { HOSTS = sizeof(hosts) / sizeof(hosts[0]) };

/* Every host without a product, as Access, and for a product that there is not. */
static Anchord__V1__GetTrustRequest *
request(Anchord__V1__TrustDetail detail, bool explain, acd_slice unless)
{
    static const char *const products[] = {"", "access", "nothing"};
    enum { PRODUCTS = sizeof(products) / sizeof(products[0]) };
    Anchord__V1__GetTrustRequest *req =
        wire_new(&rig.region, Anchord__V1__GetTrustRequest, anchord__v1__get_trust_request);
    req->detail = detail;
    req->explain = explain;
    req->n_questions = HOSTS * PRODUCTS;
    req->questions =
        wire_list(&rig.region, req->n_questions, Anchord__V1__TrustQuestion, anchord__v1__trust_question);
    for (size_t i = 0; i < req->n_questions; i++) {
        req->questions[i]->host = (char *)hosts[i % HOSTS];
        req->questions[i]->product = (char *)products[i / HOSTS];
        req->questions[i]->unless_digest = wire_bytes(unless);
    }
    return req;
}

/* The reply, which the codec writes as it came. */
static const Anchord__V1__GetTrustResponse *
ask_as(const struct rpc_scope *scope, const Anchord__V1__GetTrustRequest *req)
{
    struct rpc_call call = {.region = &rig.region, .scope = scope};
    acd_err err = ACD_ERR_INIT;
    acd_slice want;
    void *none = NULL, *resp = NULL;
    ck_assert_msg(query_get_trust(rig.query, &call, req, &none, &err) == 0, "%s", err.text);
    ck_assert(call.packed && !none);
    ck_assert_msg(wire_unpack(&rig.region, &anchord__v1__get_trust_response__descriptor, call.reply.payload,
                              &resp, &err) == 0,
                  "%s", err.text);
    ck_assert(wire_pack_fast(&rig.region, resp, &want) && slice_eq(want, call.reply.payload));
    ck_assert_uint_eq(((Anchord__V1__GetTrustResponse *)resp)->n_answers, req->n_questions);
    return resp;
}

static const Anchord__V1__GetTrustResponse *
ask(const Anchord__V1__GetTrustRequest *req)
{
    return ask_as(NULL, req);
}

/* --- tests ------------------------------------------------------------------------------------------------
 */

START_TEST(bytes_are_those_of_the_codec)
{
    for (int detail = 0; detail <= ANCHORD__V1__TRUST_DETAIL__TRUST_DER; detail++)
        for (int explain = 0; explain < 2; explain++) {
            const Anchord__V1__GetTrustResponse *resp =
                ask(request((Anchord__V1__TrustDetail)detail, explain, SLICE_LIT("")));
            acd_slice digest = wire_slice(resp->answers[0]->digest);
            ck_assert_uint_eq(digest.len, 32);
            resp = ask(request((Anchord__V1__TrustDetail)detail, explain, digest));
            ck_assert(resp->answers[0]->unchanged && !resp->answers[3]->unchanged);
        }
}
END_TEST

START_TEST(cas_keep_role_and_priority)
{
    const Anchord__V1__GetTrustResponse *resp =
        ask(request(ANCHORD__V1__TRUST_DETAIL__TRUST_DER, false, SLICE_LIT("")));
    ck_assert_uint_eq(resp->answers[0]->set, 1);
    ck_assert_uint_eq(resp->answers[2]->set, 1);
    ck_assert_str_eq(resp->answers[2]->pattern, "*.example.com");
    ck_assert_str_eq(resp->answers[0]->zone_id, zone_id);
    const Anchord__V1__TrustSet *set = resp->sets[0];
    ck_assert_uint_eq(set->n_cas, CAS);
    for (size_t i = 0; i < CAS; i++) {
        const Anchord__V1__TrustCa *ca = set->cas[i];
        ck_assert_str_eq(ca->ca_id, ca_ids[i]);
        ck_assert_int_eq(ca->helper, i == 1);
        ck_assert_int_eq(ca->observed, i == 2);
        ck_assert_uint_eq(ca->priority, i == 0 ? PRIORITY : 0);
        ck_assert_int_eq(ca->not_before_ms, -1);
        ck_assert_int_eq(ca->not_after_ms, INT64_MAX);
        ck_assert_int_eq((int)ca->profile, (int)i + 1);
        ck_assert(slice_eqs(wire_slice(ca->der), "der"));
    }
}
END_TEST

START_TEST(products_are_apart)
{
    const Anchord__V1__GetTrustResponse *resp =
        ask(request(ANCHORD__V1__TRUST_DETAIL__TRUST_CAS, false, SLICE_LIT("")));
    const Anchord__V1__TrustAnswer *pool = resp->answers[6], *access = resp->answers[HOSTS + 6];
    ck_assert_uint_eq(pool->match, ANCHORD__V1__MATCH_KIND__MATCH_WILDCARD);
    ck_assert_uint_eq(access->match, ANCHORD__V1__MATCH_KIND__MATCH_EXACT);
    ck_assert_uint_eq(resp->sets[access->set - 1]->n_cas, 1);
    ck_assert_uint_eq(resp->answers[HOSTS]->match, ANCHORD__V1__MATCH_KIND__MATCH_NONE);
    ck_assert_str_eq(resp->answers[2 * HOSTS]->error, query_bad_product);
    ck_assert_str_ne(resp->answers[7]->error, "");
}
END_TEST

static bool
reaches_nothing(const struct rpc_scope *s, acd_slice account_id, acd_slice zone_id_)
{
    (void)s, (void)account_id, (void)zone_id_;
    return false;
}

/* Out of reach is answered as what is not there. */
START_TEST(nothing_beyond_the_scope)
{
    const struct rpc_scope scope = {.account = "other", .has_zone = reaches_nothing};
    const Anchord__V1__GetTrustResponse *resp =
        ask_as(&scope, request(ANCHORD__V1__TRUST_DETAIL__TRUST_CAS, true, SLICE_LIT("")));
    ck_assert_uint_eq(resp->n_sets, 0);
    for (size_t i = 0; i < resp->n_answers; i++) {
        const Anchord__V1__TrustAnswer *a = resp->answers[i];
        ck_assert(!a->match && !a->set && !a->digest.len && !a->zone_id[0] && !a->pattern[0]);
    }
    ck_assert_str_eq(resp->answers[0]->host, "a.example.com");
    ck_assert_uint_eq(resp->answers[0]->n_explain, 2);
}
END_TEST

Suite *suite_trust(void);
Suite *
suite_trust(void)
{
    Suite *s = suite_create("trust");
    TCase *tc = tcase_create("trust");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, bytes_are_those_of_the_codec);
    tcase_add_test(tc, cas_keep_role_and_priority);
    tcase_add_test(tc, products_are_apart);
    tcase_add_test(tc, nothing_beyond_the_scope);
    suite_add_tcase(s, tc);
    return s;
}
