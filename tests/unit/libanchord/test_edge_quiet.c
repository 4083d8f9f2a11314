/*
 * Questions make no system call: a thread asks under a seccomp filter that kills the process at the first
 * one, while another thread of the process changes the image and refreshes. And: readers against refresh, for
 * ThreadSanitizer.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "libanchord/edge_cache.h"
#include "libanchord/edge_fix.h"
#include "libanchord/edge_part.h"

enum { REVISIONS = 200, ROUNDS = 2000, READERS = 2 };

static struct edge_fix f;
static atomic_int state; /* of the silent thread */
enum { STARTING, SILENT, GOOD, BAD };

static const acd_slice chain[] = {{"leaf", 4}, {"issuer", 6}};

static void
verdict_keep(void)
{
    acd_edge_answer a;
    uint8_t digest[32];
    struct edge_kept k = {.verified = true, .anchor = 0, .from_ms = 0, .until_ms = 100000};
    OK(acd_edge_chain_digest(chain, 2, digest));
    acd_edge_enter(f.reader);
    OK(acd_edge_lookup(f.reader, SLICE_LIT("www.example.com"), EDGE_NOW, &a));
    edge_cache_put(f.edge->verdicts, digest, a.digest.ptr, 0, &k);
    acd_edge_leave(f.reader);
}

static void
silence(void)
{
    struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
    struct sock_fprog prog = {1, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
        _exit(77);
}

/* may_miss: somebody writes the verdict meanwhile, and a cache may forget then. */
static bool
ask_everything(acd_edge_reader *r, bool may_miss)
{
    static const char *const hosts[] = {"api.example.com",       "WWW.example.com.", "none.test", "a b",
                                        "xn--bcher-kva.example", "empty.example"};
    enum { N = sizeof(hosts) / sizeof(hosts[0]) };
    acd_slice names[N];
    acd_edge_answer a, batch[N];
    acd_edge_info info;
    acd_edge_verdict v;
    acd_edge_ca ca;
    const acd_verify_question q = {
        .host = "www.example.com", .chain = chain, .chain_len = 2, .at_ms = EDGE_NOW};
    bool good = true;
    acd_edge_enter(r);
    for (size_t i = 0; i < N; i++) {
        names[i] = slice_str(hosts[i]);
        good &= acd_edge_lookup(r, names[i], EDGE_NOW, &a) == (i == 3 ? ACD_EINVAL : 0);
        for (size_t k = 0; k < a.cas; k++)
            good &= acd_edge_get_ca(r, &a, k, &ca) == 0;
    }
    good &=
        acd_edge_lookup_batch(r, names, N, EDGE_NOW, batch) == 0 && batch[0].revision == batch[1].revision;
    good &= acd_edge_get_info(r, EDGE_NOW, &info) == 0 && batch[0].revision == info.revision;
    acd_edge_leave(r);
    int rc = acd_edge_verdict_find(r, &q, &v);
    if (may_miss && rc == ACD_ENOENT)
        return good && v.verdict == ACD_NOT_VERIFIED;
    return good && rc == 0 && v.verdict == ACD_VERIFIED;
}

static void *
silent_thread(void *arg)
{
    acd_edge_reader *r;
    bool good = acd_edge_reader_new(f.edge, &r, NULL) == 0;
    silence();
    atomic_store(&state, SILENT);
    for (int i = 0; good && i < ROUNDS; i++)
        good = ask_everything(r, false);
    if (arg)
        (void)acd_edge_refresh(f.edge, NULL, NULL); /* this one does */
    atomic_store(&state, good ? GOOD : BAD);
    for (;;) /* ending a thread takes system calls; the process ends around it */
        atomic_thread_fence(memory_order_seq_cst);
    return NULL;
}

/* In a process of its own. Never returns. */
static void
silent_process(void *loud)
{
    pthread_t t;
    f.w = fix_open(f.path);
    OK(acd_edge_open(f.path, NULL, &f.edge, &fix_err));
    OK(acd_edge_reader_new(f.edge, &f.reader, &fix_err));
    verdict_keep();
    if (pthread_create(&t, NULL, silent_thread, loud) != 0)
        _exit(2);
    for (uint64_t i = 2; atomic_load(&state) < GOOD; i++) {
        edge_fix_change(&f, i, i % 2 ? "BA" : "A");
        if (acd_edge_refresh(f.edge, NULL, NULL) < 0)
            _exit(3);
        (void)sched_yield();
    }
    _exit(atomic_load(&state) == GOOD ? 0 : 4);
}

/* How that process ended. The image is made here, for a process that is killed cleans nothing up. */
static int
status_of(void *loud)
{
    int status;
    edge_fix_image(&f);
    snap_writer_free(f.w);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        silent_process(loud);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    fix_temp_done(f.path);
    return status;
}

START_TEST(questions_make_no_system_call)
{
    int status = status_of(NULL);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}
END_TEST

/* Or the filter of the test above filters nothing. */
START_TEST(the_filter_kills)
{
    int status = status_of(&state);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %x", status);
}
END_TEST

/* --- readers against refresh ------------------------------------------------------------------------------
 */

static atomic_int stop;

static void *
reader_thread(void *arg)
{
    atomic_long *seen = arg;
    acd_edge_reader *r;
    uint64_t last = 0;
    if (acd_edge_reader_new(f.edge, &r, NULL) < 0)
        abort();
    while (!atomic_load(&stop)) {
        acd_edge_answer a;
        acd_edge_info info;
        acd_edge_enter(r);
        if (acd_edge_lookup(r, SLICE_LIT("api.example.com"), EDGE_NOW, &a) < 0 || a.revision < last ||
            acd_edge_get_info(r, EDGE_NOW, &info) < 0 || info.revision != a.revision ||
            a.cas != (a.revision % 2 ? 2 : 1))
            abort();
        last = a.revision;
        acd_edge_leave(r);
        if (!ask_everything(r, true))
            abort();
        atomic_fetch_add(seen, 1);
    }
    acd_edge_reader_free(r);
    return NULL;
}

START_TEST(readers_see_whole_revisions_while_one_refreshes)
{
    pthread_t threads[READERS];
    atomic_long seen[READERS];
    struct stat last;
    edge_fix_open(&f, (acd_edge_opts){0});
    verdict_keep();
    for (int i = 0; i < READERS; i++) {
        atomic_init(&seen[i], 0);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, reader_thread, &seen[i]), 0);
    }
    for (uint64_t r = 2; r <= REVISIONS; r++) {
        edge_fix_change(&f, r, r % 2 ? "BA" : "A");
        OK(acd_edge_refresh(f.edge, NULL, &fix_err));
        if (r % 20 == 0)
            verdict_keep();
    }
    for (int i = 0; i < READERS; i++)
        for (long goal = atomic_load(&seen[i]) + 2; atomic_load(&seen[i]) < goal;)
            sched_yield();
    atomic_store(&stop, 1);
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    OK(acd_edge_refresh(f.edge, NULL, &fix_err));
    ck_assert_uint_eq(f.edge->nretired, 0);                                        /* all given back */
    ck_assert(stat(f.path, &last) == 0 && last.st_size < (off_t)REVISIONS * 8192); /* compacted on the way */
    edge_fix_done(&f);
}
END_TEST

Suite *suite_edge_quiet(void);

Suite *
suite_edge_quiet(void)
{
    Suite *s = suite_create("edge_quiet");
    ADD_TESTS(s, "silent", questions_make_no_system_call, the_filter_kills);
    ADD_TESTS(s, "threads", readers_see_whole_revisions_while_one_refreshes);
    return s;
}
