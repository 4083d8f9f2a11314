/* VerifyOrigin over a validator of the test's own: whose CAs are asked, what is kept, who may wait. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/rcu.h"
#include "base/str.h"
#include "base/thread.h"
#include "lib/main.h"
#include "lib/stand_in.h"
#include "model/digest.h"
#include "query/part.h"
#include "snap/writer.h"

static atomic_int built, verified, anchors; /* anchors: of the set that was compiled last */

struct bundle {
    size_t n;
    uint32_t profile;
};

static int
build(void *inst, const acd_bundle_spec *spec, acd_bundle **ret, acd_err *err)
{
    struct bundle *b = malloc(sizeof(*b));
    (void)inst, (void)err;
    atomic_fetch_add(&built, 1);
    atomic_store(&anchors, (int)spec->nanchors);
    *b = (struct bundle){spec->nanchors, spec->nanchors ? spec->anchors[0].profile : 0};
    *ret = (acd_bundle *)b;
    return 0;
}

/* The last anchor vouches for everybody, but not for "bad" and not for the name "other.example". */
static int
verify(const acd_bundle *b, const acd_verify *what, const acd_call *call, acd_verdict *ret, acd_err *err)
{
    (void)call, (void)err;
    atomic_fetch_add(&verified, 1);
    ck_assert_uint_eq(what->purpose, ACD_PURPOSE_SERVER);
    bool good = !slice_eqs(what->leaf, "bad") && !slice_eqs(what->host, "other.example");
    ret->result = good ? ACD_VERIFIED : ACD_NOT_VERIFIED;
    ret->anchor = good ? (int32_t)((const struct bundle *)b)->n - 1 : -1;
    ret->valid_until_ms = INT64_MAX;
    (void)snprintf(ret->error, sizeof(ret->error), "%s", good ? "" : "X509_V_ERR_TEST");
    return 0;
}

static void
bundle_free(acd_bundle *b)
{
    free(b);
}

static const acd_validator_ops acts = {.verify = verify, .bundle_build = build, .bundle_free = bundle_free};

/* --- a query layer over two zones, one with a store -------------------------------------------------------
 */

static const char own_zone[] = "0123456789abcdef0123456789abcdef";
static const char plain_zone[] = "fedcba9876543210fedcba9876543210";
static const char entry[] = "00000000-0000-4000-8000-000000000001";
enum { ENTRY_UNTIL = 5000, BEFORE = 1000, AFTER = 6000 };

static struct rig {
    struct stand_in validator;
    struct snap_writer *w;
    struct snap_pub pub;
    struct query *query;
    struct mem_region region;
    char roots[64];
} rig;

static void
write_roots(unsigned n)
{
    char text[1024] = "some text\n", fresh[80];
    for (unsigned i = 0; i < n; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                       "-----BEGIN CERTIFICATE-----\ncm9v\ndDA%u\n-----END CERTIFICATE-----\n", i);
    (void)snprintf(fresh, sizeof(fresh), "%s.new", rig.roots);
    FILE *f = fopen(fresh, "w");
    ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0 && rename(fresh, rig.roots) == 0);
}

static void
put_world(void)
{
    uint8_t sha[32] = {1};
    const struct snap_ca ca = {.id = slice_str(entry),
                               .sha256 = sha,
                               .subject = SLICE_LIT("CN=ca"),
                               .der = SLICE_LIT("der"),
                               .not_after_ms = ENTRY_UNTIL};
    const struct snap_ca_use use = {.id = slice_str(entry)};
    const struct {
        const char *id, *name;
    } zones[] = {{own_zone, "own.example"}, {plain_zone, "plain.example"}};
    struct snap_view *view;
    ck_assert_int_eq(snap_writer_open(&(struct snap_writer_opts){0}, &rig.w, NULL), 0);
    ck_assert_int_eq(snap_begin(rig.w, NULL), 0);
    for (int i = 0; i < 2; i++) {
        acd_slice id = slice_str(zones[i].id), name = slice_str(zones[i].name);
        ck_assert_int_eq(snap_put_zone(rig.w, id, id, name, NULL), 0);
        ck_assert_int_eq(snap_put_blob(rig.w, SNAP_BLOB_ZONE_NAME, name, id, NULL), 0);
    }
    ck_assert_int_eq(snap_put_ca(rig.w, &ca, NULL), 0);
    ck_assert_int_eq(
        snap_put_name(rig.w, SNAP_NAMES_ORIGIN, slice_str(own_zone), slice_str(own_zone), &use, 1, NULL), 0);
    ck_assert_int_eq(snap_commit(rig.w, 1, 0, &view, NULL), 0);
    snap_pub_set(&rig.pub, view);
}

static void
setup(void)
{
    acd_err err = ACD_ERR_INIT;
    atomic_store(&built, 0);
    atomic_store(&verified, 0);
    rcu_thread_enter();
    rig = (struct rig){.roots = "/tmp/anchord-roots-XXXXXX"};
    int fd = mkstemp(rig.roots);
    ck_assert(fd >= 0 && close(fd) == 0);
    write_roots(3);
    stand_in_open(&rig.validator, &acts);
    const struct query_deps deps = {.pub = &rig.pub,
                                    .validator = &rig.validator.validator,
                                    .clock = &clock_system,
                                    .verdicts = 1024,
                                    .bundles = 4,
                                    .rules = 2,
                                    .public_roots = rig.roots};
    ck_assert_int_eq(query_new(&deps, &rig.query, &err), 0);
    mem_init(&rig.region, 65536, LIMIT_REGION);
    put_world();
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
    (void)unlink(rig.roots);
}

/* --- asking -----------------------------------------------------------------------------------------------
 */

static Anchord__V1__OriginQuestion *
question(struct mem_region *r, const char *zone, const char *host, const char *leaf)
{
    Anchord__V1__OriginQuestion *q = wire_new(r, Anchord__V1__OriginQuestion, anchord__v1__origin_question);
    q->zone = (char *)zone;
    q->host = (char *)host;
    q->at_ms = BEFORE;
    q->chain = mem_new(r, ProtobufCBinaryData);
    q->chain[q->n_chain++] = wire_bytes(slice_str(leaf));
    return q;
}

static int
put(struct mem_region *r, Anchord__V1__OriginQuestion *q, bool prompt, const Anchord__V1__OriginAnswer **ret)
{
    Anchord__V1__VerifyOriginRequest *req =
        wire_new(r, Anchord__V1__VerifyOriginRequest, anchord__v1__verify_origin_request);
    struct rpc_call call = {.region = r, .prompt = prompt};
    acd_err err = ACD_ERR_INIT;
    void *resp = NULL;
    req->questions = &q;
    req->n_questions = 1;
    int rc = query_verify_origin(rig.query, &call, req, &resp, &err);
    if (rc == 0)
        *ret = ((Anchord__V1__VerifyOriginResponse *)resp)->answers[0];
    return rc;
}

static const Anchord__V1__OriginAnswer *
ask_question(Anchord__V1__OriginQuestion *q)
{
    const Anchord__V1__OriginAnswer *a = NULL;
    ck_assert_int_eq(put(&rig.region, q, false, &a), 0);
    return a;
}

static const Anchord__V1__OriginAnswer *
ask(const char *zone, const char *host, const char *leaf)
{
    return ask_question(question(&rig.region, zone, host, leaf));
}

static bool
good(const Anchord__V1__OriginAnswer *a)
{
    return a->verdict == ANCHORD__V1__VERDICT__VERIFIED;
}

/* --- tests ------------------------------------------------------------------------------------------------
 */

START_TEST(one_store_and_never_both)
{
    const Anchord__V1__OriginAnswer *a = ask("own.example", "a.example", "leaf");
    ck_assert(good(a) && a->store == ANCHORD__V1__ORIGIN_STORE__ORIGIN_STORE_CUSTOM && a->cas == 1);
    ck_assert_str_eq(a->ca_id, entry);
    ck_assert_int_eq(atomic_load(&anchors), 1);
    a = ask(plain_zone, "a.example", "leaf");
    ck_assert(good(a) && a->store == ANCHORD__V1__ORIGIN_STORE__ORIGIN_STORE_PUBLIC && a->cas == 3);
    ck_assert_str_eq(a->ca_id, "");
    ck_assert_uint_eq(a->ca_sha256.len, 32);
    ck_assert_int_eq(atomic_load(&anchors), 3);
    ck_assert_str_eq(ask("no.example", "a.example", "leaf")->error, "ACD_V_ERR_NO_ZONE");
    ck_assert_str_eq(ask("", "a.example", "leaf")->error, "ACD_V_ERR_NO_ZONE");
}
END_TEST

START_TEST(an_expired_store_asks_nobody)
{
    Anchord__V1__OriginQuestion *q = question(&rig.region, "own.example", "a.example", "leaf");
    q->at_ms = ENTRY_UNTIL;
    ck_assert(good(ask_question(q)));
    int before = atomic_load(&verified);
    q->at_ms = AFTER;
    ck_assert_str_eq(ask_question(q)->error, "ACD_V_ERR_ORIGIN_STORE_EXPIRED");
    ck_assert_int_eq(atomic_load(&verified), before);
}
END_TEST

START_TEST(a_verdict_is_kept_for_its_name_only)
{
    ck_assert(!ask("own.example", "a.example", "leaf")->cached);
    ck_assert(ask("own.example", "A.Example.", "leaf")->cached);
    const Anchord__V1__OriginAnswer *a = ask("own.example", "other.example", "leaf");
    ck_assert(!a->cached && !good(a));
    ck_assert(!good(ask("own.example", "other.example", "leaf")));
    ck_assert(!ask("plain.example", "a.example", "leaf")->cached);
    int before = atomic_load(&verified);
    Anchord__V1__OriginQuestion *q = question(&rig.region, "own.example", "other.example", "leaf");
    q->mode = ANCHORD__V1__ORIGIN_MODE__ORIGIN_FULL;
    ck_assert(good(ask_question(q))); /* any certificate: the validator is not asked for a verdict */
    ck_assert_int_eq(atomic_load(&verified), before);
    q->mode = (Anchord__V1__OriginMode)7;
    ck_assert_str_eq(ask_question(q)->error, "ACD_V_ERR_INVALID_MODE");
    /* A name can look like the octets of an address, and is none. */
    ck_assert(!ask("own.example", "192.0.2.1", "leaf")->cached);
    ck_assert(ask("own.example", "192.0.2.1", "leaf")->cached);
}
END_TEST

START_TEST(who_may_not_wait_gets_what_is_known)
{
    static const char *const zones[] = {"own.example", "plain.example"};
    for (int i = 0; i < 2; i++) {
        const Anchord__V1__OriginAnswer *a = NULL;
        Anchord__V1__OriginQuestion *q = question(&rig.region, zones[i], "a.example", "leaf");
        ck_assert_int_eq(put(&rig.region, q, true, &a), RPC_LATER);
        ck_assert(good(ask_question(q)));
        ck_assert_int_eq(put(&rig.region, q, true, &a), 0);
        ck_assert(good(a) && a->cached);
    }
}
END_TEST

START_TEST(a_chain_by_its_digest)
{
    Anchord__V1__OriginQuestion *q = question(&rig.region, "own.example", "a.example", "leaf");
    uint8_t digest[DIGEST_LEN];
    const acd_slice leaf = SLICE_LIT("leaf");
    digest_chain(&leaf, 1, digest);
    Anchord__V1__OriginQuestion *by_digest = question(&rig.region, "own.example", "a.example", "");
    by_digest->n_chain = 0;
    by_digest->chain_digest = wire_bytes(slice_of(digest, sizeof(digest)));
    ck_assert_int_eq(ask_question(by_digest)->verdict, ANCHORD__V1__VERDICT__NEED_CERTIFICATE);
    ck_assert(good(ask_question(q)));
    ck_assert(good(ask_question(by_digest)));
    by_digest->host = "b.example"; /* the chain is known, the verdict is not */
    ck_assert(good(ask_question(by_digest)));
    by_digest->chain_digest.len = 0;
    ck_assert_str_eq(ask_question(by_digest)->error, "ACD_V_ERR_NO_CERTIFICATE");
}
END_TEST

START_TEST(roots_are_compiled_once_and_follow_their_file)
{
    query_refresh(rig.query); /* nobody needed them yet */
    ck_assert_int_eq(atomic_load(&built), 0);
    for (int i = 0; i < 3; i++) {
        char host[32];
        (void)snprintf(host, sizeof(host), "h%d.example", i);
        ck_assert(good(ask("plain.example", host, "leaf")));
        query_refresh(rig.query);
    }
    ck_assert_int_eq(atomic_load(&built), 1);
    write_roots(5);
    query_refresh(rig.query);
    const Anchord__V1__OriginAnswer *a = ask("plain.example", "h0.example", "leaf");
    ck_assert(good(a) && !a->cached && a->cas == 5);
    write_roots(0);
    query_refresh(rig.query);
    ck_assert_uint_eq(ask("plain.example", "h0.example", "leaf")->cas, 5);
    ck_assert_int_eq(unlink(rig.roots), 0);
    query_refresh(rig.query);
    ck_assert_uint_eq(ask("plain.example", "h1.example", "leaf")->cas, 5);
    ck_assert_int_eq(atomic_load(&built), 2);
}
END_TEST

START_TEST(without_roots_nothing_is_verified)
{
    ck_assert_int_eq(unlink(rig.roots), 0);
    const Anchord__V1__OriginAnswer *a = ask("plain.example", "a.example", "leaf");
    ck_assert_str_eq(a->error, "ACD_V_ERR_NOT_CHECKED");
    ck_assert_ptr_nonnull(strstr(a->reason, rig.roots));
    ck_assert(good(ask("own.example", "a.example", "leaf")));
    ck_assert_int_eq(atomic_load(&verified), 1);
    write_roots(1);
    ck_assert(good(ask("plain.example", "a.example", "leaf")));
}
END_TEST

enum { ASKERS = 4, ROUNDS = 200 };

/* Questions go on while the file is replaced; each sees one state of it. */
static void *
asker(void *arg)
{
    struct mem_region r;
    rcu_thread_enter();
    mem_init(&r, 65536, LIMIT_REGION);
    for (int i = 0; i < ROUNDS; i++) {
        char host[32];
        const Anchord__V1__OriginAnswer *a = NULL;
        mem_reset(&r);
        (void)snprintf(host, sizeof(host), "h%d.example", i);
        if (put(&r, question(&r, "plain.example", host, "leaf"), false, &a) != 0 || !good(a) || a->cas < 1 ||
            a->cas > 4)
            atomic_fetch_add((atomic_int *)arg, 1);
    }
    mem_done(&r);
    rcu_thread_leave();
    return NULL;
}

START_TEST(roots_change_under_questions)
{
    pthread_t threads[ASKERS];
    atomic_int bad = 0;
    for (int i = 0; i < ASKERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, asker, &bad), 0);
    for (unsigned i = 0; i < 40; i++) {
        write_roots(1 + i % 4);
        query_refresh(rig.query);
    }
    for (int i = 0; i < ASKERS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(atomic_load(&bad), 0);
}
END_TEST

Suite *suite_origin(void);

Suite *
suite_origin(void)
{
    Suite *s = suite_create("query/origin");
    TCase *c = tcase_create("origin");
    const TTest *tests[] = {one_store_and_never_both,
                            an_expired_store_asks_nobody,
                            a_verdict_is_kept_for_its_name_only,
                            who_may_not_wait_gets_what_is_known,
                            a_chain_by_its_digest,
                            roots_are_compiled_once_and_follow_their_file,
                            without_roots_nothing_is_verified,
                            roots_change_under_questions};
    tcase_add_checked_fixture(c, setup, teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
