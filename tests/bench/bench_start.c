/*
 * Starts: from the start of the process to its first answer, with the image there and without it, at several
 * numbers of hosts; what an image takes on disk and in memory; what a build takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pump.h"
#include "world.h"

enum { MANY = 1000000, SOME = 100000, FEW = 10000, BYTES_PER_HOST = 160, TEXT = 128 };
#define GET_TRUST "anchord.v1.EdgeService/GetTrust"

struct start {
    char data[RIG_PATH];
    uint64_t hosts;
    bool from_image;
};

static void
ask_first(struct world *w)
{
    char name[WORLD_NAME];
    struct call_result res;
    Anchord__V1__TrustQuestion q = ANCHORD__V1__TRUST_QUESTION__INIT, *list[1] = {&q};
    Anchord__V1__GetTrustRequest req = ANCHORD__V1__GET_TRUST_REQUEST__INIT;
    (void)world_host(0, name);
    q.host = name;
    req.questions = list;
    req.n_questions = 1;
    const Anchord__V1__GetTrustResponse *resp = world_call(w, "EdgeService/GetTrust", &req, &res);
    must(resp->n_answers == 1 && resp->answers[0]->match == ANCHORD__V1__MATCH_KIND__MATCH_EXACT);
    call_result_done(&res);
}

static void
image_path(const struct start *s, char ret[RIG_PATH])
{
    must(snprintf(ret, RIG_PATH, "%s/anchord.image", s->data) < RIG_PATH);
}

/* Milliseconds to the first answer; the server stays in *ret_world. */
static double
start_once(const struct start *s, struct world *ret_world)
{
    char image[RIG_PATH];
    image_path(s, image);
    if (!s->from_image)
        (void)unlink(image);
    uint64_t at = rig_ns();
    world_start(ret_world, s->data, RIG_SERVES);
    ask_first(ret_world);
    double ms = rig_since(at) * 1e3;
    must(world_counter(ret_world, "snapshot_from_image") == s->from_image);
    return ms;
}

static double
start_run(void *ctx, double seconds)
{
    (void)seconds;
    struct world w;
    double ms = start_once(ctx, &w);
    world_stop(&w);
    return ms;
}

static void
prepare(struct start *s, uint64_t hosts)
{
    char kept[RIG_PATH];
    struct world w;
    s->hosts = hosts;
    s->from_image = false;
    world_kept(hosts, kept);
    (void)snprintf(s->data, sizeof(s->data), "%s/start-%llu", rig_dir(), (unsigned long long)hosts);
    rig_copy(kept, s->data);
    (void)start_once(s, &w); /* with an image of this build */
    world_stop(&w);
}

static void
figure(const char *what, uint64_t hosts, double value, const char *unit)
{
    char text[TEXT];
    (void)snprintf(text, sizeof(text), "%s, %llu hosts", what, (unsigned long long)hosts);
    rig_figure(text, value, unit);
}

/* One start without an image: its time, the build in it, and what the process then holds. */
static void
build_figures(struct start *s)
{
    struct world w;
    char image[RIG_PATH];
    s->from_image = false;
    figure("start to first answer, from SQLite", s->hosts, start_once(s, &w), "ms");
    figure("snapshot build", s->hosts, (double)world_counter(&w, "snapshot_last_publish_ms"), "ms");
    figure("memory of the process at its peak during the build", s->hosts,
           (double)rig_resident(w.pid, "VmHWM") / 1e6, "MB");
    figure("memory of the process after it, image not counted", s->hosts,
           (double)rig_resident(w.pid, "RssAnon") / 1e6, "MB");
    double used = (double)world_counter(&w, "snapshot_bytes_used") / (double)s->hosts;
    image_path(s, image);
    double file = (double)rig_file_bytes(image) / (double)s->hosts;
    if (s->hosts >= SOME) {
        rig_beside("image bytes per host, used", used, "bytes", "the bound", BYTES_PER_HOST, 1);
        rig_beside("image bytes per host, on disk", file, "bytes", "the bound", BYTES_PER_HOST, 1);
        rig_beside("image bytes per host, resident",
                   (double)rig_mapped(w.pid, "anchord.image") / (double)s->hosts, "bytes", "the bound",
                   BYTES_PER_HOST, 1);
    }
    world_stop(&w);
    s->from_image = true;
}

int
main(int argc, char **argv)
{
    double seconds = rig_begin(argc, argv);
    bool quick = seconds < 0.5;
    struct start few = {.hosts = 0}, many = {.hosts = 0};
    prepare(&few, FEW);
    prepare(&many, quick ? SOME : MANY);
    few.from_image = many.from_image = true;
    const struct rig_pair pair = {.measure = "start to first answer, from the image, most hosts",
                                  .unit = "ms",
                                  .peer = "the same at 10 k hosts",
                                  .reach = 1.5,
                                  .ours = start_run,
                                  .theirs = start_run,
                                  .ctx = &many,
                                  .their_ctx = &few};
    (void)rig_compare(&pair, seconds);
    build_figures(&few);
    if (!quick) {
        struct start some;
        prepare(&some, SOME);
        some.from_image = true;
        build_figures(&some);
    }
    build_figures(&many);
    return EXIT_SUCCESS;
}
