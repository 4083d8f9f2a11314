/*
 * Figures of the mapped image through the public interface, as README.md says: host look-ups and kept
 * verdicts of 100000 hosts, beside the bare look-up and the bare cache that they are made of.
 *
 *   bench_edge [SECONDS]        per figure; default 1
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <anchord/edge.h>

#include "base/err.h"
#include "base/rand.h"
#include "base/str.h"
#include "libanchord/edge_cache.h"
#include "libanchord/edge_part.h"
#include "snap/writer.h"

enum { HOSTS = 100000, ASKED = 8192, SETS = 64, BATCH = 64, CHAINS = 4096, NAME = 64, NOW = 1000 };

static acd_err err = ACD_ERR_INIT;
static char path[64];
static char text[ASKED][NAME];
static acd_slice asked[ASKED];
static uint8_t chains[CHAINS][32];
static acd_edge *edge;
static acd_edge_reader *reader;

static void
need(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "bench_edge: %s: %s\n", what, err_text(&err, rc));
        exit(1);
    }
}

static double
now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
image_build(void)
{
    struct snap_writer *w;
    struct snap_view *v;
    uint32_t sets[SETS];
    char name[NAME], id[16];
    static const char der[1000];
    need(snap_writer_open(&(struct snap_writer_opts){.path = path, .epoch = 1}, &w, &err), "writer");
    need(snap_begin(w, &err), "begin");
    need(snap_put_zone(w, SLICE_LIT("0123456789abcdef0123456789abcdef"), SLICE_LIT("a"),
                       SLICE_LIT("example.com"), &err),
         "zone");
    for (uint32_t i = 0; i < SETS; i++) {
        uint8_t sha[32] = {(uint8_t)i};
        (void)snprintf(id, sizeof(id), "ca-%u", i);
        struct snap_ca ca = {
            .id = slice_str(id), .sha256 = sha, .subject = SLICE_LIT("CN=CA"), .der = {der, sizeof(der)}};
        need(snap_put_ca(w, &ca, &err), "ca");
        need(snap_intern_trust(w, &(struct snap_ca_use){slice_str(id), 0}, 1, &sets[i], &err), "set");
    }
    for (int i = 0; i < HOSTS; i++) {
        (void)snprintf(name, sizeof(name), "host-%d.zone%d.example.com", i, i / 10);
        need(snap_put_host_set(w, slice_str(name), SLICE_LIT("0123456789abcdef0123456789abcdef"),
                               sets[i % SETS], &err),
             "host");
    }
    need(snap_commit(w, 1, NOW, &v, &err), "commit");
    snap_view_unref(v);
    snap_writer_free(w);
}

/* Hosts in random order, and a verdict for each of them with a chain that belongs to its place. */
static void
questions_make(void)
{
    struct prng rng = {7};
    const struct edge_kept kept = {.verified = true, .anchor = 0, .from_ms = 0, .until_ms = 2 * NOW};
    for (int i = 0; i < CHAINS; i++)
        for (int k = 0; k < 4; k++) {
            uint64_t word = prng_next(&rng);
            memcpy(chains[i] + 8 * k, &word, 8);
        }
    acd_edge_enter(reader);
    for (int i = 0; i < ASKED; i++) {
        acd_edge_answer a;
        uint64_t n = prng_below(&rng, HOSTS);
        asked[i] = slice_of(
            text[i], (size_t)snprintf(text[i], NAME, "host-%d.zone%d.example.com", (int)n, (int)n / 10));
        need(acd_edge_lookup(reader, asked[i], NOW, &a), "lookup");
        edge_cache_put(edge->verdicts, chains[i % CHAINS], a.digest.ptr, &kept);
    }
    acd_edge_leave(reader);
}

/* --- what is measured: each asks all the questions once ----------------------------------------------------
 */

static void
run_lookup(void)
{
    acd_edge_answer a;
    for (int i = 0; i < ASKED; i++) {
        acd_edge_enter(reader);
        if (acd_edge_lookup(reader, asked[i], NOW, &a) < 0 || a.cas != 1)
            need(ACD_EINTERNAL, "lookup");
        acd_edge_leave(reader);
    }
}

static void
run_batch(void)
{
    static acd_edge_answer a[BATCH];
    for (int i = 0; i < ASKED; i += BATCH) {
        acd_edge_enter(reader);
        if (acd_edge_lookup_batch(reader, asked + i, BATCH, NOW, a) < 0 || a[BATCH - 1].cas != 1)
            need(ACD_EINTERNAL, "batch");
        acd_edge_leave(reader);
    }
}

static void
run_bare(void)
{
    struct snap_hit hit;
    acd_edge_enter(reader);
    const struct snap_view *v = atomic_load(&reader->held);
    for (int i = 0; i < ASKED; i++)
        if (snap_lookup(v, asked[i].ptr, asked[i].len, &hit) != 1)
            need(ACD_EINTERNAL, "bare lookup");
    acd_edge_leave(reader);
}

static void
run_verdict(void)
{
    acd_edge_verdict v;
    for (int i = 0; i < ASKED; i++) {
        acd_verify_question q = {.host = text[i], .chain_digest = chains[i % CHAINS], .at_ms = NOW};
        if (acd_edge_verdict_find(reader, &q, &v) < 0 || v.verdict != ACD_VERIFIED)
            need(ACD_EINTERNAL, "verdict");
    }
}

static void
run_section(void)
{
    for (int i = 0; i < ASKED; i++) {
        acd_edge_enter(reader);
        acd_edge_leave(reader);
    }
}

static void
run_refresh(void)
{
    for (int i = 0; i < ASKED; i++)
        need(acd_edge_refresh(edge, NULL, &err), "refresh");
}

/* Nanoseconds per question. */
static double
measure(void (*run)(void), double seconds)
{
    double start, end;
    long rounds = 0;
    run();
    start = now_s();
    do {
        run();
        rounds++;
        end = now_s();
    } while (end - start < seconds);
    return (end - start) * 1e9 / ((double)rounds * ASKED);
}

static void
figure(const char *what, double value, double peer)
{
    printf("{\"measure\": \"mapped image of %d hosts: %s\", \"value\": %.1f, \"unit\": \"ns\"", HOSTS, what,
           value);
    if (peer > 0)
        printf(", \"peer\": \"bare snapshot look-up\", \"peer_value\": %.1f", peer);
    printf("}\n");
    (void)fflush(stdout);
}

int
main(int argc, char **argv)
{
    char dir[32] = "/tmp/bench-edge-XXXXXX", name[96];
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    need(mkdtemp(dir) ? 0 : ACD_EIO, "temporary directory");
    (void)snprintf(path, sizeof(path), "%s/image", dir);
    image_build();
    const acd_edge_opts opts = {.struct_size = sizeof(opts), .verdicts = 8 * ASKED};
    need(acd_edge_open(path, &opts, &edge, &err), "open");
    need(acd_edge_reader_new(edge, &reader, &err), "reader");
    questions_make();
    double bare = measure(run_bare, seconds);
    figure("look-up with zone and trust set", measure(run_lookup, seconds), bare);
    figure("the same in batches of 64", measure(run_batch, seconds), bare);
    figure("kept verdict", measure(run_verdict, seconds), bare);
    figure("enter and leave", measure(run_section, seconds), 0);
    figure("refresh without news", measure(run_refresh, seconds), 0);
    acd_edge_close(edge);
    static const char *const ends[] = {"", ".lock"};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
    (void)rmdir(dir);
    return 0;
}
