/*
 * A writer is killed at a random moment, many times: what is left opens at the last revision that it
 * announced or at one that it was about to announce, is whole, and can be written again. Commits, compactions
 * and rebuilds are all cut. A reader that lives through it all never sees a revision go backwards.
 *
 *   snap_kill SEED KILLS
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/rand.h"
#include "base/str.h"
#include "snap/open.h"
#include "snap/writer.h"

enum { HOSTS = 300, LIFE_US = 6000 };

static acd_err err = ACD_ERR_INIT;
static char path[64];
static volatile uint64_t *announced; /* shared with the children: committed so far */

#define NEED(expr)                                                          \
    do {                                                                    \
        int rc_ = (expr);                                                   \
        if (rc_ < 0) {                                                      \
            printf("not ok: line %d: %s\n", __LINE__, err_text(&err, rc_)); \
            fflush(stdout);                                                 \
            _exit(1);                                                       \
        }                                                                   \
    } while (0)
#define SAME(cond) NEED((cond) ? 0 : err_set(&err, ACD_EINTERNAL, "%s", #cond))

/* Host i exists at revision r, and in which of two zones: computable for every revision. */
static bool
exists(uint64_t r, unsigned i)
{
    return (r / HOSTS + (i <= r % HOSTS)) % 3 != 0;
}

static void
host_step(struct snap_writer *w, uint64_t r, unsigned i)
{
    char name[32];
    acd_slice s = {name, (size_t)snprintf(name, sizeof(name), "h%u.example.com", i)};
    if (exists(r, i)) {
        NEED(snap_put_host(w, s, SLICE_LIT("z"), NULL, 0, &err));
    } else {
        int rc = snap_del_host(w, s, &err);
        NEED(rc == ACD_ENOENT ? 0 : rc);
    }
}

static void
writer_life(void)
{
    struct snap_writer *w;
    struct snap_view *v;
    NEED(snap_writer_open(&(struct snap_writer_opts){.path = path, .garbage_min = 300000}, &w, &err));
    const struct snap_view *now = snap_writer_view(w);
    uint64_t r = now ? snap_view_revision(now) : 0;
    SAME(r >= *announced);
    for (;; r++) {
        bool rebuild = r == 0 || (r + 1) % 97 == 0;
        NEED(rebuild ? snap_begin_rebuild(w, 1, &err) : snap_begin(w, &err));
        if (rebuild)
            NEED(snap_put_zone(w, SLICE_LIT("z"), SLICE_LIT("a"), SLICE_LIT("example.com"), &err));
        for (unsigned i = 0; i < HOSTS; i++)
            if (rebuild || exists(r, i) != exists(r + 1, i))
                host_step(w, r + 1, i);
        NEED(snap_commit(w, r + 1, 0, &v, &err));
        *announced = r + 1;
        snap_view_unref(v);
        if (snap_compact_due(w)) {
            NEED(snap_compact(w, &v, &err));
            snap_view_unref(v);
        }
    }
}

static void
view_check(const struct snap_view *v)
{
    char name[32];
    struct snap_hit hit;
    NEED(snap_view_check(v, &err));
    for (unsigned i = 0; i < HOSTS; i++) {
        int len = snprintf(name, sizeof(name), "h%u.example.com", i);
        SAME(snap_lookup(v, name, (size_t)len, &hit) == exists(snap_view_revision(v), i));
    }
}

/* One writer from birth to death; the reader looks before and after. */
static void
life_and_death(struct prng *rng, struct snap_reader **reader, uint64_t *last)
{
    int status;
    struct snap_view *v;
    pid_t pid = fork();
    SAME(pid >= 0);
    if (pid == 0) {
        writer_life();
        _exit(0);
    }
    struct timespec t = {0, (long)prng_below(rng, LIFE_US) * 1000};
    (void)nanosleep(&t, NULL); /* the random moment itself */
    SAME(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
    SAME(WIFSIGNALED(status));
    if (!*reader && snap_reader_open(path, reader, &err) < 0) {
        SAME(*announced == 0); /* killed before there was a first revision */
        return;
    }
    NEED(snap_reader_refresh(*reader, &v, &err));
    if (!v)
        return;
    SAME(snap_view_revision(v) >= *last && snap_view_revision(v) >= *announced);
    *last = snap_view_revision(v);
    view_check(v);
    snap_view_unref(v);
}

int
main(int argc, char **argv)
{
    char name[96], dir[64] = "/tmp/snap-kill-XXXXXX";
    struct prng rng = {argc > 1 ? strtoull(argv[1], NULL, 10) : 1};
    uint64_t kills = argc > 2 ? strtoull(argv[2], NULL, 10) : 50, last = 0;
    struct snap_reader *reader = NULL;
    SAME(mkdtemp(dir) != NULL);
    (void)snprintf(path, sizeof(path), "%s/image", dir);
    announced = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SAME(announced != MAP_FAILED);
    for (uint64_t i = 0; i < kills; i++)
        life_and_death(&rng, &reader, &last);
    SAME(last > 0);
    snap_reader_free(reader);
    static const char *const ends[] = {"", ".lock", ".new", ".compact"};
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
    SAME(rmdir(dir) == 0);
    printf("1..1\nok 1 - %llu kills, %llu revisions\n", (unsigned long long)kills, (unsigned long long)last);
    return 0;
}
