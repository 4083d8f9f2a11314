/*
 * Questions from several threads while one thread puts a host's CA on and takes it off again: a verdict or a
 * trust set must never be older than the last change that was acknowledged before the question was sent.
 *
 *   storm URL ZONE CA-ID HOST QUESTIONS CHANGES CERT.der...       (leaf first)
 *
 * Ends with status 0 when all answers were right, and says what was asked.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <anchord/client.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "libanchord/admin.h"
#include "model/limits.h"

enum { ASKERS = 4 };

struct storm {
    acd_client *client;
    char *zone, *ca, *host;
    acd_slice chain[LIMIT_CHAIN];
    size_t chain_len;
    long questions, changes;
    /* Even: the host has its CA when the half of it is even. Odd: a change is under way. */
    atomic_ulong state;
    atomic_long asked, firm, wrong, failed;
    atomic_bool over;
};

static void
complain(atomic_long *count, const char *what, const char *why)
{
    if (atomic_fetch_add(count, 1) < 10)
        (void)fprintf(stderr, "%s: %s\n", what, why);
}

static int
ask_verdict(struct storm *s, unsigned flags, bool *ret_trusted, acd_err *err)
{
    const acd_verify_question q = {.host = s->host, .chain = s->chain, .chain_len = s->chain_len};
    acd_result *result;
    acd_verify_answer a;
    int rc = acd_verify_client(s->client, &q, 1, flags, &result, err);
    if (rc < 0)
        return rc;
    rc = acd_verify_get(result, 0, &a);
    *ret_trusted = rc == 0 && a.verdict == ACD_VERIFIED;
    if (rc == 0 && *ret_trusted && strcmp(a.ca_id, s->ca) != 0)
        rc = err_set(err, ACD_EINTERNAL, "the verdict names the CA %s", a.ca_id);
    acd_result_free(result);
    return rc;
}

static int
ask_trust(struct storm *s, bool *ret_trusted, acd_err *err)
{
    const acd_trust_question q = {.host = s->host};
    acd_result *result;
    acd_trust_answer a;
    int rc = acd_get_trust(s->client, &q, 1, 0, &result, err);
    if (rc < 0)
        return rc;
    rc = acd_trust_get(result, 0, &a);
    *ret_trusted = rc == 0 && a.match == ACD_MATCH_EXACT;
    acd_result_free(result);
    return rc;
}

static void
ask(struct storm *s, long n)
{
    static const unsigned flags[] = {0, ACD_VERIFY_DIGEST, ACD_EXPLAIN | ACD_VERIFY_FIELDS,
                                     ACD_VERIFY_DIGEST};
    acd_err err = ACD_ERR_INIT;
    bool trusted = false;
    unsigned long before = atomic_load(&s->state);
    int rc = n % 8 == 0 ? ask_trust(s, &trusted, &err) : ask_verdict(s, flags[n % 4], &trusted, &err);
    unsigned long after = atomic_load(&s->state);
    if (rc < 0) {
        complain(&s->failed, "a question failed", err_text(&err, rc));
        return;
    }
    if (before != after || before % 2)
        return; /* a change came between: either answer is right */
    atomic_fetch_add(&s->firm, 1);
    if (trusted != (before / 2 % 2 == 0))
        complain(&s->wrong, "a wrong answer", trusted ? "trusted after the CA was taken off" : "not trusted");
}

static void *
asker(void *arg)
{
    struct storm *s = arg;
    long n;
    while ((n = atomic_fetch_add(&s->asked, 1)) < s->questions)
        ask(s, n);
    return NULL;
}

static int
change(struct storm *s, bool add)
{
    Anchord__V1__ChangeHostsRequest req;
    struct admin_result res;
    const void *resp;
    acd_err err = ACD_ERR_INIT;
    const struct admin_opts opts = {.force = true}; /* it is the only CA of the host */
    anchord__v1__change_hosts_request__init(&req);
    req.zone = s->zone;
    req.ca_id = s->ca;
    req.hosts = &s->host;
    req.n_hosts = 1;
    atomic_fetch_add(&s->state, 1);
    int rc = anchord_admin_call(s->client, add ? "HostService/AddHosts" : "HostService/RemoveHosts", &req,
                                &resp, &res, &opts, &err);
    if (rc < 0)
        complain(&s->failed, "a change failed", res.message);
    atomic_fetch_add(&s->state, 1);
    admin_result_done(&res);
    return rc;
}

/* Changes are spread over the questions: the next one is due when its share of them has been asked. */
static void *
changer(void *arg)
{
    struct storm *s = arg;
    for (long i = 0; i < s->changes; i++) {
        while (atomic_load(&s->asked) < s->questions / s->changes * i && !atomic_load(&s->over))
            (void)sched_yield();
        if (change(s, i % 2 == 1) < 0)
            break;
    }
    return NULL;
}

static int
run(struct storm *s)
{
    pthread_t threads[ASKERS], one;
    if (pthread_create(&one, NULL, changer, s) != 0)
        return 1;
    for (int i = 0; i < ASKERS; i++)
        if (pthread_create(&threads[i], NULL, asker, s) != 0)
            abort();
    for (int i = 0; i < ASKERS; i++)
        (void)pthread_join(threads[i], NULL);
    atomic_store(&s->over, true);
    (void)pthread_join(one, NULL);
    (void)printf("%ld questions, %ld with one right answer, %ld wrong, %ld failed\n", s->questions,
                 atomic_load(&s->firm), atomic_load(&s->wrong), atomic_load(&s->failed));
    return atomic_load(&s->wrong) || atomic_load(&s->failed) || atomic_load(&s->firm) == 0;
}

int
main(int argc, char **argv)
{
    struct storm s = {0};
    struct buf files[LIMIT_CHAIN];
    acd_err err = ACD_ERR_INIT;
    if (argc < 8 || argc - 7 > LIMIT_CHAIN)
        return 2;
    s.zone = argv[2];
    s.ca = argv[3];
    s.host = argv[4];
    s.questions = strtol(argv[5], NULL, 10);
    s.changes = strtol(argv[6], NULL, 10);
    for (; s.chain_len < (size_t)argc - 7; s.chain_len++) {
        struct buf *b = &files[s.chain_len];
        *b = (struct buf)BUF_INIT(LIMIT_CERT_DER);
        if (io_read_file(argv[7 + s.chain_len], b, &err) < 0)
            return 2;
        s.chain[s.chain_len] = slice_of(b->data, b->len);
    }
    if (s.questions < 1 || s.changes < 1 || acd_client_open(argv[1], NULL, &s.client, &err) < 0)
        return 2;
    int failed = run(&s);
    acd_client_close(s.client);
    for (size_t i = 0; i < s.chain_len; i++)
        buf_done(&files[i]);
    return failed;
}
