/*
 * Random histories of an image against a naive model: puts, deletes, aborts, compactions, rebuilds,
 * reopening, and readers in other processes that hold old revisions to the end.
 *
 *   snap_model SEED STEPS       prints the seed when it fails; exit status 0 when all agrees
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/rand.h"
#include "base/str.h"
#include "model/digest.h"
#include "snap/diff.h"
#include "snap/open.h"
#include "snap/writer.h"

enum { HOSTS = 400, ZONES = 4, CAS = 6, LIST = 4, OPS = 30, READERS = 6, BLOBS = 5, BLOB = 3000, FDS = 64 };

struct host {
    bool has;
    unsigned zone, n, ca[LIST];
};
struct model {
    struct host host[HOSTS];
    bool ca[CAS];
    unsigned profile[CAS];
    size_t blob[BLOBS]; /* length + 1; 0: none */
};

static acd_err err = ACD_ERR_INIT;
static uint64_t seed;
static char dir[64], path[80];

static void
fail(int line, int rc)
{
    printf("not ok: line %d: %s; seed %llu\n", line, err_text(&err, rc), (unsigned long long)seed);
    exit(1);
}
#define NEED(expr)               \
    do {                         \
        int rc_ = (expr);        \
        if (rc_ < 0)             \
            fail(__LINE__, rc_); \
    } while (0)
#define SAME(cond)                         \
    do {                                   \
        if (!(cond))                       \
            fail(__LINE__, ACD_EINTERNAL); \
    } while (0)

/* Names of several lengths, some of them wildcards over others. */
static acd_slice
host_name(unsigned i, char out[300])
{
    if (i % 10 == 0)
        return (acd_slice){out, (size_t)sprintf(out, "*.d%u.test", i / 10)};
    if (i % 17 == 0) {
        memset(out, 'a' + (int)(i % 26), 200);
        return (acd_slice){out, 200 + (size_t)sprintf(out + 200, "%u.test", i)};
    }
    return (acd_slice){out, (size_t)sprintf(out, "h%u.d%u.test", i, i / 10)};
}

static acd_slice
letter(char base, unsigned i, char out[2])
{
    out[0] = (char)(base + (int)i);
    return (acd_slice){out, 1};
}

static void
ca_put(struct snap_writer *w, unsigned i, unsigned profile)
{
    char id[2];
    uint8_t sha[32];
    char der[64];
    int n = snprintf(der, sizeof(der), "certificate %u", i);
    digest_sha256(der, (size_t)n, sha);
    struct snap_ca ca = {
        .id = letter('A', i, id), .sha256 = sha, .der = {der, (size_t)n}, .profile = profile};
    NEED(snap_put_ca(w, &ca, &err));
}

static void
host_put(struct snap_writer *w, struct model *m, struct prng *r, unsigned i)
{
    char name[300], zone[2], ids[LIST][2];
    struct host h = {true, (unsigned)prng_below(r, ZONES), 0, {0}};
    struct snap_ca_use list[LIST];
    unsigned n = (unsigned)prng_below(r, LIST + 1);
    for (unsigned k = 0; k < n; k++) {
        unsigned c = (unsigned)prng_below(r, CAS);
        if (!m->ca[c])
            continue;
        list[h.n] = (struct snap_ca_use){letter('A', c, ids[h.n]), 0};
        h.ca[h.n++] = c;
    }
    NEED(snap_put_host(w, host_name(i, name), letter('p', h.zone, zone), list, h.n, &err));
    m->host[i] = h;
}

static bool
ca_used(const struct model *m, unsigned c)
{
    for (unsigned i = 0; i < HOSTS; i++)
        for (unsigned k = 0; m->host[i].has && k < m->host[i].n; k++)
            if (m->host[i].ca[k] == c)
                return true;
    return false;
}

static void
ca_step(struct snap_writer *w, struct model *m, struct prng *r, unsigned c)
{
    char id[2];
    if (!m->ca[c] || prng_below(r, 2)) {
        m->profile[c] = (unsigned)prng_below(r, 2);
        ca_put(w, c, m->profile[c]);
        m->ca[c] = true;
        return;
    }
    int rc = snap_del_ca(w, letter('A', c, id), 0, &err);
    SAME(rc == (ca_used(m, c) ? ACD_EPRECOND : 0));
    m->ca[c] = rc != 0;
}

static void
blob_step(struct snap_writer *w, struct model *m, struct prng *r, unsigned b)
{
    static char bytes[BLOB];
    char key[2];
    if (m->blob[b] && prng_below(r, 2)) {
        NEED(snap_del_blob(w, 9, letter('k', b, key), &err));
        m->blob[b] = 0;
        return;
    }
    size_t len = prng_below(r, BLOB);
    memset(bytes, (int)b, len);
    NEED(snap_put_blob(w, 9, letter('k', b, key), (acd_slice){bytes, len}, &err));
    m->blob[b] = len + 1;
}

static void
random_op(struct snap_writer *w, struct model *m, struct prng *r)
{
    char name[300];
    unsigned i = (unsigned)prng_below(r, HOSTS);
    uint64_t what = prng_below(r, 100);
    if (what < 55) {
        host_put(w, m, r, i);
    } else if (what < 90) {
        int rc = snap_del_host(w, host_name(i, name), &err);
        SAME(rc == (m->host[i].has ? 0 : ACD_ENOENT));
        m->host[i].has = false;
    } else if (what < 95) {
        ca_step(w, m, r, (unsigned)prng_below(r, CAS));
    } else {
        blob_step(w, m, r, (unsigned)prng_below(r, BLOBS));
    }
}

/* --- comparing ---------------------------------------------------------------------------------------------
 */

static void
hit_check(const struct snap_view *v, const struct model *m, const struct host *h, const struct snap_hit *hit)
{
    struct snap_zone z;
    struct snap_trust t;
    struct snap_ca ca;
    uint32_t flags;
    NEED(snap_zone_get(v, hit->zone, &z));
    SAME(z.id.len == 1 && *(const char *)z.id.ptr == (char)('p' + (int)h->zone));
    NEED(snap_trust_get(v, hit->trust, &t));
    SAME(t.n == h->n);
    for (uint32_t k = 0; k < t.n; k++) {
        NEED(snap_trust_ca(v, &t, k, &ca, &flags));
        SAME(*(const char *)ca.id.ptr == (char)('A' + (int)h->ca[k]) && ca.profile == m->profile[h->ca[k]]);
    }
}

/* What the model says about a question: the exact host, else its wildcard. */
static const struct host *
model_ask(const struct model *m, unsigned i, uint32_t *ret_match)
{
    *ret_match = SNAP_NONE;
    if (i % 10 == 0)
        return NULL; /* a pattern is no question */
    *ret_match = SNAP_EXACT;
    if (m->host[i].has)
        return &m->host[i];
    *ret_match = SNAP_WILDCARD;
    if (i % 17 != 0 && m->host[i / 10 * 10].has)
        return &m->host[i / 10 * 10];
    *ret_match = SNAP_NONE;
    return NULL;
}

static void
view_check(const struct snap_view *v, const struct model *m)
{
    static char names[HOSTS][300];
    acd_slice ask[HOSTS], value;
    struct snap_hit hits[HOSTS], one;
    int rc[HOSTS];
    uint64_t hosts = 0;
    struct snap_info info;
    for (unsigned i = 0; i < HOSTS; i++) {
        ask[i] = host_name(i, names[i]);
        hosts += m->host[i].has;
    }
    (void)snap_lookup_batch(v, ask, HOSTS, hits, rc);
    for (unsigned i = 0; i < HOSTS; i++) {
        uint32_t match;
        const struct host *h = model_ask(m, i, &match);
        SAME(rc[i] == (h != NULL) && hits[i].match == match);
        SAME(snap_lookup(v, ask[i].ptr, ask[i].len, &one) == rc[i] &&
             memcmp(&one, &hits[i], sizeof(one)) == 0);
        if (h)
            hit_check(v, m, h, &hits[i]);
        SAME(snap_host_find(v, ask[i].ptr, ask[i].len, &one) == m->host[i].has);
    }
    snap_view_info(v, &info);
    SAME(info.hosts == hosts);
    for (unsigned b = 0; b < BLOBS; b++) {
        char key[2];
        int got = snap_blob_find(v, 9, letter('k', b, key), &value);
        SAME(m->blob[b] ? got == 0 && value.len == m->blob[b] - 1 : got == ACD_ENOENT);
    }
    NEED(snap_view_check(v, &err));
}

struct diff_seen {
    const struct snap_view *a, *b;
    unsigned n;
};

static int
diff_seen(void *ctx, const struct snap_change *c)
{
    struct diff_seen *d = ctx;
    struct snap_hit hit;
    d->n++;
    SAME(c->had == (snap_host_find(d->a, c->host.ptr, c->host.len, &hit) == 1));
    SAME(c->has == (snap_host_find(d->b, c->host.ptr, c->host.len, &hit) == 1));
    return 0;
}

static bool
host_same(const struct model *a, const struct model *b, unsigned i)
{
    const struct host *x = &a->host[i], *y = &b->host[i];
    if (!x->has || !y->has)
        return x->has == y->has;
    bool same = x->zone == y->zone && x->n == y->n;
    for (unsigned k = 0; same && k < x->n; k++)
        same = x->ca[k] == y->ca[k] && a->profile[x->ca[k]] == b->profile[y->ca[k]];
    return same;
}

static void
diff_check(const struct snap_view *va, const struct model *a, const struct snap_view *vb,
           const struct model *b)
{
    struct diff_seen d = {va, vb, 0};
    unsigned want = 0;
    for (unsigned i = 0; i < HOSTS; i++)
        want += !host_same(a, b, i);
    NEED(snap_diff(va, vb, diff_seen, &d));
    SAME(d.n == want);
}

/* --- a reader in another process: opens now, compares again when it is told to end -------------------------
 */

struct reader {
    pid_t pid;
    int end; /* closed: compare once more and exit */
};

static struct reader
reader_start(const struct model *m, uint64_t revision)
{
    int fds[2], ready[2];
    char c;
    SAME(pipe(fds) == 0 && pipe(ready) == 0 && fds[1] < FDS);
    fflush(stdout);
    pid_t pid = fork();
    SAME(pid >= 0);
    if (pid == 0) {
        struct snap_reader *r;
        struct snap_view *v, *newer;
        for (int fd = 3; fd < FDS; fd++) /* the ends that keep other readers waiting */
            if (fd != fds[0] && fd != ready[1])
                (void)close(fd);
        NEED(snap_reader_open(path, &r, &err));
        NEED(snap_reader_refresh(r, &v, &err));
        SAME(snap_view_revision(v) == revision);
        SAME(write(ready[1], "r", 1) == 1);
        SAME(read(fds[0], &c, 1) == 0);
        view_check(v, m);
        NEED(snap_reader_refresh(r, &newer, &err));
        if (newer)
            NEED(snap_view_check(newer, &err));
        view_check(v, m);
        snap_view_unref(newer);
        snap_view_unref(v);
        snap_reader_free(r);
        _exit(0);
    }
    (void)close(fds[0]);
    SAME(read(ready[0], &c, 1) == 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return (struct reader){pid, fds[1]};
}

static void
reader_end(struct reader *r)
{
    int status;
    if (!r->pid)
        return;
    (void)close(r->end);
    SAME(waitpid(r->pid, &status, 0) == r->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    r->pid = 0;
}

/* --- one history -------------------------------------------------------------------------------------------
 */

static struct snap_writer *
writer_open(void)
{
    struct snap_writer *w;
    NEED(snap_writer_open(&(struct snap_writer_opts){.path = path, .garbage_min = 200000}, &w, &err));
    return w;
}

static void
start(struct snap_writer *w, struct model *m, bool rebuild)
{
    char id[2];
    NEED(rebuild ? snap_begin_rebuild(w, 1, &err) : snap_begin(w, &err));
    if (!rebuild)
        return;
    memset(m, 0, sizeof(*m));
    for (unsigned i = 0; i < ZONES; i++)
        NEED(snap_put_zone(w, letter('p', i, id), SLICE_LIT("acc"), SLICE_LIT("d.test"), &err));
}

/* A compaction that lasts for some steps. */
static void
compact_step(struct snap_writer *w, struct snap_compaction **open, const struct model *now, struct prng *r)
{
    struct snap_view *v;
    if (!*open) {
        if (snap_compact_due(w) || prng_below(r, 10) == 0) {
            NEED(snap_compact_begin(w, open, &err));
            NEED(snap_compact_copy(*open, &err));
        }
        return;
    }
    if (prng_below(r, 4) != 0)
        return;
    struct snap_info before, after;
    snap_view_info(snap_writer_view(w), &before);
    int rc = snap_compact_end(w, *open, &v, &err);
    *open = NULL;
    if (rc == ACD_ECONFLICT)
        return;
    NEED(rc);
    NEED(snap_view_check(v, &err));
    snap_view_info(v, &after);
    SAME(after.live == before.live && after.revision == before.revision && after.file_id != before.file_id);
    view_check(v, now);
    snap_view_unref(v);
}

static void
run(struct prng *r, uint64_t steps)
{
    struct snap_compaction *open = NULL;
    static struct model now, next, before;
    struct reader readers[READERS] = {{0}};
    struct snap_view *old = NULL, *v;
    struct snap_writer *w = writer_open();
    for (uint64_t step = 1; step <= steps; step++) {
        next = now;
        start(w, &next, step == 1 || prng_below(r, 40) == 0);
        for (uint64_t n = prng_below(r, OPS); n > 0; n--)
            random_op(w, &next, r);
        view_check(snap_pending(w), &next);
        if (step > 1 && prng_below(r, 5) == 0) {
            snap_abort(w);
            view_check(snap_writer_view(w), &now);
            continue;
        }
        NEED(snap_commit(w, step, 0, &v, &err));
        if (old)
            diff_check(old, &before, v, &next);
        now = next;
        view_check(v, &now);
        if (!old || prng_below(r, 4) == 0) {
            snap_view_unref(old);
            old = snap_view_ref(v);
            before = now;
        }
        snap_view_unref(v);
        compact_step(w, &open, &now, r);
        if (prng_below(r, 8) == 0) {
            struct reader *slot = &readers[prng_below(r, READERS)];
            reader_end(slot);
            *slot = reader_start(&now, step);
        }
        if (prng_below(r, 15) == 0) {
            snap_writer_free(w);
            w = writer_open();
            SAME(snap_view_revision(snap_writer_view(w)) == step);
        }
    }
    for (unsigned i = 0; i < READERS; i++)
        reader_end(&readers[i]);
    snap_compact_drop(open);
    snap_view_unref(old);
    snap_writer_free(w);
}

int
main(int argc, char **argv)
{
    char lock[96];
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    struct prng r = {seed};
    snprintf(dir, sizeof(dir), "/tmp/snap-model-XXXXXX");
    SAME(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/image", dir);
    snprintf(lock, sizeof(lock), "%s.lock", path);
    run(&r, argc > 2 ? strtoull(argv[2], NULL, 10) : 200);
    (void)unlink(path);
    (void)unlink(lock);
    SAME(rmdir(dir) == 0);
    printf("1..1\nok 1 - seed %llu\n", (unsigned long long)seed);
    return 0;
}
