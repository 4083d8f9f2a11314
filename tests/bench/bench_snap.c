/*
 * Figures of the snapshot, as README.md says: lookups against a plain open-addressing hash in the
 * same program, bytes per host, build time, cost of a commit that changes one host. Not a test.
 *
 *   bench_snap [LARGEST]        default 1000000 hosts
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/rand.h"
#include "base/str.h"
#include "snap/writer.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { LOOKUPS = 2000000, BATCH = 256, NAME = 48, HOSTS_PER_ZONE = 10, SETS = 64, COMMITS = 2000 };

static acd_err err = ACD_ERR_INIT;

static uint64_t
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
need(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "bench_snap: %s: %s\n", what, err_text(&err, rc));
        exit(1);
    }
}

static size_t
name_of(uint64_t i, char out[NAME])
{
    return (size_t)snprintf(out, NAME, "host-%llu.zone%llu.example.com", (unsigned long long)i,
                            (unsigned long long)(i / HOSTS_PER_ZONE));
}

/* --- what we compare with: open addressing, linear probing, load at most 1/2, keys beside the table
 * --------- */

struct plain_slot {
    uint64_t hash;
    const char *key;
    uint32_t len, zone, trust;
};
struct plain {
    struct plain_slot *slots;
    uint64_t mask, seed;
};

static void
plain_put(struct plain *p, const char *key, uint32_t len, uint32_t zone, uint32_t trust)
{
    uint64_t h = XXH3_64bits_withSeed(key, len, p->seed);
    uint64_t i = h & p->mask;
    while (p->slots[i].key)
        i = (i + 1) & p->mask;
    p->slots[i] = (struct plain_slot){h, key, len, zone, trust};
}

static const struct plain_slot *
plain_find(const struct plain *p, const char *key, uint32_t len)
{
    uint64_t h = XXH3_64bits_withSeed(key, len, p->seed);
    for (uint64_t i = h & p->mask; p->slots[i].key; i = (i + 1) & p->mask)
        if (p->slots[i].hash == h && p->slots[i].len == len && memcmp(p->slots[i].key, key, len) == 0)
            return &p->slots[i];
    return NULL;
}

/* --- the image ---------------------------------------------------------------------------------------------
 */

static void
trusts_make(struct snap_writer *w, uint32_t sets[SETS])
{
    char id[16];
    for (uint32_t i = 0; i < SETS; i++) {
        uint8_t sha[32] = {(uint8_t)i};
        static const char der[1000];
        (void)snprintf(id, sizeof(id), "ca-%u", i);
        struct snap_ca ca = {
            .id = slice_str(id), .sha256 = sha, .subject = SLICE_LIT("CN=CA"), .der = {der, sizeof(der)}};
        need(snap_put_ca(w, &ca, &err), "ca");
        struct snap_ca_use use = {slice_str(id), 0};
        need(snap_intern_trust(w, &use, 1, &sets[i], &err), "trust");
    }
}

static struct snap_writer *
image_build(uint64_t n, uint64_t *ret_ns)
{
    struct snap_writer *w;
    struct snap_view *v;
    uint32_t sets[SETS];
    char name[NAME], zone[40];
    uint64_t start = now_ns();
    need(snap_writer_open(&(struct snap_writer_opts){.epoch = 1}, &w, &err), "open");
    need(snap_begin_rebuild(w, 1, &err), "begin");
    trusts_make(w, sets);
    for (uint64_t i = 0; i < n; i++) {
        acd_slice z = {zone, 32};
        if (i % HOSTS_PER_ZONE == 0) {
            (void)snprintf(zone, sizeof(zone), "%032llx", (unsigned long long)(i / HOSTS_PER_ZONE));
            need(snap_put_zone(w, z, SLICE_LIT("0123456789abcdef0123456789abcdef"), SLICE_LIT("example.com"),
                               &err),
                 "zone");
        }
        need(snap_put_host_set(w, (acd_slice){name, name_of(i, name)}, z, sets[i % SETS], &err), "host");
    }
    need(snap_commit(w, 1, 0, &v, &err), "commit");
    snap_view_unref(v);
    *ret_ns = now_ns() - start;
    return w;
}

static double
commits_run(struct snap_writer *w, uint64_t n, double *ret_bytes)
{
    struct prng r = {7};
    struct snap_view *v;
    struct snap_info before, after;
    char name[NAME], zone[40], id[16];
    snap_view_info(snap_writer_view(w), &before);
    uint64_t start = now_ns();
    for (uint64_t k = 0; k < COMMITS; k++) {
        uint64_t i = prng_below(&r, n);
        (void)snprintf(zone, sizeof(zone), "%032llx", (unsigned long long)(i / HOSTS_PER_ZONE));
        (void)snprintf(id, sizeof(id), "ca-%llu", (unsigned long long)prng_below(&r, SETS));
        struct snap_ca_use use = {slice_str(id), 0};
        need(snap_begin(w, &err), "begin");
        need(snap_put_host(w, (acd_slice){name, name_of(i, name)}, (acd_slice){zone, 32}, &use, 1, &err),
             "host");
        need(snap_commit(w, 2 + k, 0, &v, &err), "commit");
        snap_view_unref(v);
    }
    uint64_t ns = now_ns() - start;
    snap_view_info(snap_writer_view(w), &after);
    *ret_bytes = after.file_id == before.file_id ? (double)(after.used - before.used) / COMMITS : -1;
    return (double)ns / COMMITS / 1000;
}

/* --- lookups -----------------------------------------------------------------------------------------------
 */

struct names {
    char *text; /* NAME bytes each, in the order of the questions */
    acd_slice *at;
};

static void
names_make(struct names *q, uint64_t n, uint64_t seed)
{
    struct prng r = {seed};
    q->text = malloc((size_t)LOOKUPS * NAME);
    q->at = malloc((size_t)LOOKUPS * sizeof(*q->at));
    if (!q->text || !q->at)
        need(ACD_ENOMEM, "names");
    for (size_t i = 0; i < LOOKUPS; i++) {
        char *s = q->text + i * NAME;
        q->at[i] = (acd_slice){s, name_of(prng_below(&r, n), s)};
    }
}

static double
plain_run(uint64_t n, const struct names *q)
{
    uint64_t cap = 16;
    while (cap < 2 * n)
        cap *= 2;
    struct plain p = {calloc(cap, sizeof(struct plain_slot)), cap - 1, 42};
    char *keys = malloc(n * NAME);
    if (!p.slots || !keys)
        need(ACD_ENOMEM, "plain");
    for (uint64_t i = 0; i < n; i++) {
        size_t len = name_of(i, keys + i * NAME);
        plain_put(&p, keys + i * NAME, (uint32_t)len, 1, 2);
    }
    double best = 1e9;
    for (int round = 0; round < 3; round++) {
        uint64_t start = now_ns(), found = 0;
        for (size_t i = 0; i < LOOKUPS; i++)
            found += plain_find(&p, q->at[i].ptr, (uint32_t)q->at[i].len) != NULL;
        double ns = (double)(now_ns() - start) / LOOKUPS;
        best = ns < best ? ns : best;
        if (found != LOOKUPS)
            need(ACD_EINTERNAL, "plain lookup");
    }
    free(keys);
    free(p.slots);
    return best;
}

static double
single_run(const struct snap_view *v, const struct names *q)
{
    double best = 1e9;
    for (int round = 0; round < 3; round++) {
        struct snap_hit hit;
        uint64_t start = now_ns(), found = 0;
        for (size_t i = 0; i < LOOKUPS; i++)
            found += snap_lookup(v, q->at[i].ptr, q->at[i].len, &hit) == 1;
        double ns = (double)(now_ns() - start) / LOOKUPS;
        best = ns < best ? ns : best;
        if (found != LOOKUPS)
            need(ACD_EINTERNAL, "lookup");
    }
    return best;
}

static double
batch_run(const struct snap_view *v, const struct names *q)
{
    static struct snap_hit hits[BATCH];
    static int rc[BATCH];
    double best = 1e9;
    for (int round = 0; round < 3; round++) {
        uint64_t start = now_ns(), found = 0;
        for (size_t i = 0; i < LOOKUPS; i += BATCH)
            found += snap_lookup_batch(v, q->at + i, LOOKUPS - i < BATCH ? LOOKUPS - i : BATCH, hits, rc);
        double ns = (double)(now_ns() - start) / LOOKUPS;
        best = ns < best ? ns : best;
        if (found != LOOKUPS)
            need(ACD_EINTERNAL, "batch lookup");
    }
    return best;
}

/* One line as README.md says; peer 0: nothing to compare with. */
static void
figure(uint64_t n, const char *what, double value, const char *unit, double peer, double reach)
{
    printf("{\"measure\": \"snapshot of %llu hosts: %s\", \"value\": %.1f, \"unit\": \"%s\"",
           (unsigned long long)n, what, value, unit);
    if (peer > 0)
        printf(", \"peer\": \"open-addressing hash\", \"peer_value\": %.1f, \"reach\": %.1f", peer, reach);
    printf("}\n");
}

int
main(int argc, char **argv)
{
    uint64_t largest = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    for (uint64_t n = 1000; n <= largest; n *= 10) {
        struct names q;
        struct snap_info info;
        uint64_t build_ns;
        double bytes;
        struct snap_writer *w = image_build(n, &build_ns);
        snap_view_info(snap_writer_view(w), &info);
        names_make(&q, n, n);
        double single = single_run(snap_writer_view(w), &q), batch = batch_run(snap_writer_view(w), &q);
        double plain = plain_run(n, &q);
        double commit = commits_run(w, n, &bytes);
        figure(n, "lookup", single, "ns", plain, 1.5);
        figure(n, "lookup in a batch", batch, "ns", plain, 1);
        figure(n, "build", (double)n * 1e9 / (double)build_ns, "hosts/s", 0, 0);
        figure(n, "image", (double)info.used / (double)n, "bytes per host", 0, 0);
        figure(n, "commit of one host", commit, "us", 0, 0);
        if (bytes >= 0)
            figure(n, "commit of one host", bytes, "bytes", 0, 0);
        fflush(stdout);
        free(q.text);
        free(q.at);
        snap_writer_free(w);
    }
    return 0;
}
