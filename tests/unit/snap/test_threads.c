#include "fix.h"

#include <stdatomic.h>

#include "base/rcu.h"
#include "base/thread.h"

/* Every revision gives all hosts the same one-letter set: a reader that saw two in one view saw a torn one.
 */

enum { HOSTS = 200, REVISIONS = 150, READERS = 2 };

static struct snap_pub published;
static atomic_int stop;

static void
reader(void *arg)
{
    atomic_long *seen = arg;
    char name[32];
    while (!atomic_load(&stop)) {
        rcu_enter();
        const struct snap_view *v = snap_pub_get(&published);
        struct snap_hit first, hit;
        int rc = snap_lookup(v, "h0.x", 4, &first);
        for (int i = 1; i < HOSTS && rc == 1; i++) {
            int len = snprintf(name, sizeof(name), "h%d.x", i);
            rc = snap_lookup(v, name, (size_t)len, &hit);
            if (rc == 1 && hit.trust != first.trust)
                rc = -1;
        }
        if (rc != 1)
            abort();
        rcu_leave();
        atomic_fetch_add(seen, 1);
    }
}

static void
revision(struct snap_writer *w, uint64_t r)
{
    char name[32];
    struct snap_view *v;
    for (int i = 0; i < HOSTS; i++) {
        snprintf(name, sizeof(name), "h%d.x", i);
        OK(fix_host(w, name, "z1", r % 2 ? "A" : "B"));
    }
    OK(snap_commit(w, r, 0, &v, &fix_err));
    snap_pub_set(&published, v);
}

START_TEST(readers_see_whole_revisions_while_one_writes)
{
    struct thread threads[READERS];
    atomic_long seen[READERS] = {0};
    char path[64];
    fix_temp(path);
    struct snap_writer *w = fix_open(path);
    OK(snap_begin(w, &fix_err));
    fix_zone(w, "z1");
    fix_ca(w, "A", 0, "der-a", 0, 0);
    fix_ca(w, "B", 0, "der-b", 0, 0);
    revision(w, 1);
    for (int i = 0; i < READERS; i++)
        ck_assert_int_eq(thread_start(&threads[i], "reader", reader, &seen[i]), 0);
    for (uint64_t r = 2; r <= REVISIONS; r++) {
        OK(snap_begin(w, &fix_err));
        revision(w, r);
    }
    long goal[READERS];
    for (int i = 0; i < READERS; i++)
        goal[i] = atomic_load(&seen[i]) + 2;
    for (int i = 0; i < READERS; i++)
        while (atomic_load(&seen[i]) < goal[i])
            sched_yield();
    atomic_store(&stop, 1);
    for (int i = 0; i < READERS; i++)
        thread_join(&threads[i]);
    snap_pub_set(&published, NULL);
    rcu_drain();
    snap_writer_free(w);
    fix_temp_done(path);
}
END_TEST

Suite *suite_threads(void);

Suite *
suite_threads(void)
{
    Suite *s = suite_create("threads");
    ADD_TESTS(s, "threads", readers_see_whole_revisions_while_one_writes);
    return s;
}
