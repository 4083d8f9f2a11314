#include "feed/publish.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/rcu.h"
#include "base/str.h"
#include "feed/truth.h"

struct publisher {
    struct publisher_opts opts;
    char *path; /* the owner of opts.path */
    pthread_mutex_t lock;
    pthread_cond_t applied;   /* a change was published, or could not be */
    struct snap_writer *w;    /* that publishes */
    struct snap_writer *file; /* set while w is in memory because the file cannot be written */
    uint64_t revision, builds, last_ms;
    uint64_t retry_ns, pause_ns; /* when healing is tried again, and the pause after that */
    bool behind, from_image;
};

/* A try to heal reads all of truth: it is made at once, then ever more rarely. */
enum { HEAL_FIRST_S = 1, HEAL_LAST_S = 60, NS_PER_S = 1000000000 };

enum { CHECK_WAIT_S = 5 }; /* for the publication of a change that is committed already */

static const acd_slice stamp_key = {"truth", 5};

int
publisher_new(const struct publisher_opts *opts, struct publisher **ret, acd_err *err)
{
    struct publisher *p = calloc(1, sizeof(*p));
    if (!p)
        return err_set(err, ACD_ENOMEM, "out of memory");
    p->opts = *opts;
    if (opts->path && !(p->opts.path = p->path = strdup(opts->path))) {
        free(p);
        return err_set(err, ACD_ENOMEM, "out of memory");
    }
    must(pthread_mutex_init(&p->lock, NULL) == 0);
    must(pthread_cond_init(&p->applied, NULL) == 0);
    *ret = p;
    return 0;
}

void
publisher_free(struct publisher *p)
{
    if (!p)
        return;
    snap_pub_set(p->opts.pub, NULL);
    rcu_drain();
    snap_writer_free(p->w);
    snap_writer_free(p->file);
    (void)pthread_cond_destroy(&p->applied);
    (void)pthread_mutex_destroy(&p->lock);
    free(p->path);
    free(p);
}

/* --- publishing -------------------------------------------------------------------------------------------
 */

/* Commits the writer's transaction as the image of the truth that the session's transaction sees. */
static int
commit(struct publisher *p, struct plug_session *s, uint64_t revision, acd_err *err)
{
    uint8_t stamp[TRUTH_STAMP];
    struct snap_view *view;
    int rc = truth_stamp(s, revision, stamp, err);
    if (rc == 0)
        rc = snap_put_blob(p->w, SNAP_BLOB_META, stamp_key, slice_of(stamp, sizeof(stamp)), err);
    if (rc < 0) {
        snap_abort(p->w);
        return rc;
    }
    rc = snap_commit(p->w, revision, clock_wall_ms(p->opts.clock), &view, err);
    if (rc < 0)
        return rc;
    snap_pub_set(p->opts.pub, view);
    p->revision = revision;
    p->behind = false;
    return 0;
}

static int
rebuild_in(struct publisher *p, struct plug_session *s, acd_err *err)
{
    uint64_t revision, epoch;
    int rc = plug_seq_now(s, &revision, err);
    rand_bytes(&epoch, sizeof(epoch));
    if (rc == 0)
        rc = snap_begin_rebuild(p->w, epoch, err);
    if (rc < 0)
        return rc;
    rc = truth_build(s, p->w, err);
    if (rc < 0) {
        snap_abort(p->w);
        return rc;
    }
    p->builds++;
    return commit(p, s, revision, err);
}

static int
rebuild(struct publisher *p, struct plug_session *s, acd_err *err)
{
    uint64_t began = clock_mono_ns(p->opts.clock);
    int rc = plug_begin(s, false, 0, err);
    if (rc < 0)
        return rc;
    rc = rebuild_in(p, s, err);
    plug_rollback(s);
    if (rc < 0)
        return rc;
    p->last_ms = (clock_mono_ns(p->opts.clock) - began) / 1000000;
    LOG(ACD_LOG_INFO, "snapshot.build", LF_INT("revision", p->revision), LF_INT("ms", p->last_ms));
    return 0;
}

/* --- without the file -------------------------------------------------------------------------------------
 */

static void
heal_later(struct publisher *p)
{
    p->pause_ns = p->pause_ns ? p->pause_ns * 2 : (uint64_t)HEAL_FIRST_S * NS_PER_S;
    if (p->pause_ns > (uint64_t)HEAL_LAST_S * NS_PER_S)
        p->pause_ns = (uint64_t)HEAL_LAST_S * NS_PER_S;
    p->retry_ns = clock_mono_ns(p->opts.clock) + p->pause_ns;
}

/* The file cannot be written. Trust that was withdrawn must not go on for lack of disk space, so the image is
 * built in memory until the file can be written again. */
static int
detach(struct publisher *p, struct plug_session *s, acd_err *err)
{
    const struct snap_writer_opts opts = {.path = NULL};
    struct snap_writer *file = p->w;
    int rc = snap_writer_open(&opts, &p->w, err);
    if (rc == 0)
        rc = rebuild(p, s, err);
    if (rc < 0) {
        if (p->w != file)
            snap_writer_free(p->w);
        p->w = file;
        return rc;
    }
    p->file = file;
    p->pause_ns = 0;
    heal_later(p);
    return 0;
}

/* Back to the file; the image in memory stays when that fails. */
static int
attach(struct publisher *p, struct plug_session *s, acd_err *err)
{
    struct snap_writer *memory = p->w;
    p->w = p->file;
    int rc = rebuild(p, s, err);
    if (rc < 0) {
        p->w = memory;
        return rc;
    }
    p->file = NULL;
    snap_writer_free(memory);
    return 0;
}

/* Into the file, or into memory when the file is what fails. */
static int
rebuild_anywhere(struct publisher *p, struct plug_session *s, acd_err *err)
{
    int rc = rebuild(p, s, err);
    if (rc != ACD_EIO || !p->opts.path || p->file)
        return rc;
    LOG(ACD_LOG_ERR, "snapshot.detached", LF_STR("path", p->opts.path), LF_STR("why", err_text(err, rc)),
        LF_STR("then", "the image is kept in memory until it can be written"));
    return detach(p, s, err);
}

/* --- start ------------------------------------------------------------------------------------------------
 */

static int
writer_open(struct publisher *p, acd_err *err)
{
    struct snap_writer_opts opts = {.path = p->opts.path};
    int rc = snap_writer_open(&opts, &p->w, err);
    if (rc != ACD_ECORRUPT && rc != ACD_ENOTSUP && rc != ACD_EINVAL)
        return rc;
    LOG(ACD_LOG_WARNING, "snapshot.unusable", LF_STR("path", p->opts.path), LF_STR("why", err_text(err, rc)),
        LF_STR("then", "it is built again from storage"));
    opts.fresh = true;
    return snap_writer_open(&opts, &p->w, err);
}

/* Is the image on disk the image of this truth? */
static bool
image_fits(struct publisher *p, struct plug_session *s, uint64_t revision)
{
    const struct snap_view *view = snap_writer_view(p->w);
    uint8_t stamp[TRUTH_STAMP];
    acd_slice there;
    if (!view || snap_view_revision(view) != revision ||
        snap_blob_find(view, SNAP_BLOB_META, stamp_key, &there) < 0)
        return false;
    return truth_stamp(s, revision, stamp, NULL) == 0 && slice_eq(there, slice_of(stamp, sizeof(stamp)));
}

static int
take_up(struct publisher *p, struct plug_session *s, acd_err *err)
{
    uint64_t revision;
    int rc = plug_begin(s, false, 0, err);
    if (rc < 0)
        return rc;
    rc = plug_seq_now(s, &revision, err);
    if (rc == 0 && image_fits(p, s, revision)) {
        p->revision = revision;
        p->from_image = true;
        snap_pub_set(p->opts.pub, snap_view_ref(snap_writer_view(p->w)));
    }
    plug_rollback(s);
    return rc;
}

int
publisher_start(struct publisher *p, struct plug_session *s, acd_err *err)
{
    (void)pthread_mutex_lock(&p->lock);
    int rc = writer_open(p, err);
    if (rc == 0)
        rc = take_up(p, s, err);
    if (rc == 0 && !p->from_image)
        rc = rebuild_anywhere(p, s, err);
    (void)pthread_mutex_unlock(&p->lock);
    return rc;
}

/* --- one change -------------------------------------------------------------------------------------------
 */

static bool
is_cut(struct publisher *p, const struct change_item *item, uint32_t n)
{
    uint32_t number;
    return item->kind == CHANGED_CERT && n > 0 &&
           snap_ca_find(snap_pending(p->w), slice_str(item->key), n, &number) == 0;
}

/* An object that is still there lost certificates (a managed CA that was retired). A host takes all that the
 * image has of an object, so its hosts, which are in the set as well, make room before they are put again. */
static int
apply_cuts(struct publisher *p, const struct change_set *set, const uint32_t *there, acd_err *err)
{
    bool cut = false;
    int rc = 0;
    for (size_t i = 0; i < set->n; i++)
        cut |= is_cut(p, &set->items[i], there[i]);
    for (size_t i = 0; cut && rc == 0 && i < set->n; i++)
        if (set->items[i].kind == CHANGED_HOST) {
            rc = snap_del_host(p->w, slice_str(set->items[i].key), err);
            rc = rc == ACD_ENOENT ? 0 : rc;
        }
    for (size_t i = 0; cut && rc == 0 && i < set->n; i++)
        if (is_cut(p, &set->items[i], there[i]))
            rc = truth_drop_cert(p->w, set->items[i].key, there[i], err);
    return rc;
}

/* What is there is put first, then the hosts, then what is gone is dropped: nothing may be dropped that a
 * host of the image still uses. */
static int
apply_items(struct publisher *p, struct plug_session *s, const struct change_set *set, acd_err *err)
{
    /* Of a certificate object: how many there are; of a zone: is it there? */
    uint32_t *there = calloc(set->n ? set->n : 1, sizeof(*there));
    int rc = there ? 0 : err_set(err, ACD_ENOMEM, "out of memory");
    for (size_t i = 0; rc == 0 && i < set->n; i++) {
        bool zone = false;
        if (set->items[i].kind == CHANGED_CERT)
            rc = truth_put_cert(s, p->w, set->items[i].key, &there[i], err);
        else if (set->items[i].kind == CHANGED_ZONE)
            rc = truth_put_zone(s, p->w, set->items[i].key, &zone, err);
        there[i] += zone;
    }
    if (rc == 0)
        rc = apply_cuts(p, set, there, err);
    for (size_t i = 0; rc == 0 && i < set->n; i++)
        if (set->items[i].kind == CHANGED_REVOCATION)
            rc = truth_put_revocation(s, p->w, set->items[i].key, err);
    for (size_t i = 0; rc == 0 && i < set->n; i++)
        if (set->items[i].host)
            rc = truth_put_known_host(p->w, set->items[i].key, set->items[i].host, err);
        else if (set->items[i].kind == CHANGED_HOST)
            rc = truth_put_host(s, p->w, set->items[i].key, err);
        else if (set->items[i].kind == CHANGED_RULES)
            rc = truth_put_rules(s, p->w, set->items[i].key, err);
        else if (set->items[i].kind == CHANGED_ACCESS_HOST)
            rc = truth_put_access_host(s, p->w, set->items[i].key, err);
        else if (set->items[i].kind == CHANGED_ORIGIN)
            rc = truth_put_origin(s, p->w, set->items[i].key, err);
    for (size_t i = 0; rc == 0 && i < set->n; i++)
        if (set->items[i].kind == CHANGED_CERT && !there[i])
            rc = truth_drop_cert(p->w, set->items[i].key, 0, err);
        else if (set->items[i].kind == CHANGED_ZONE && !there[i])
            rc = truth_drop_zone(p->w, set->items[i].key, err);
    free(there);
    return rc;
}

static int
apply_in(struct publisher *p, struct plug_session *s, const struct change_set *set, uint64_t revision,
         acd_err *err)
{
    int rc = snap_begin(p->w, err);
    if (rc < 0)
        return rc;
    rc = apply_items(p, s, set, err);
    if (rc < 0) {
        snap_abort(p->w);
        return rc;
    }
    return commit(p, s, revision, err);
}

static int
apply(struct publisher *p, struct plug_session *s, const struct change_set *set, uint64_t revision,
      acd_err *err)
{
    uint64_t began = clock_mono_ns(p->opts.clock);
    if (p->behind)
        return rebuild_anywhere(p, s, err);
    int rc = plug_begin(s, false, 0, err);
    if (rc < 0)
        return rc;
    rc = apply_in(p, s, set, revision, err);
    plug_rollback(s);
    if (rc == ACD_EIO)
        rc = rebuild_anywhere(p, s, err);
    p->last_ms = (clock_mono_ns(p->opts.clock) - began) / 1000000;
    return rc;
}

void
publisher_apply(struct publisher *p, struct plug_session *s, const struct change_set *set, uint64_t revision)
{
    acd_err err = ACD_ERR_INIT;
    (void)pthread_mutex_lock(&p->lock);
    int rc = apply(p, s, set, revision, &err);
    if (rc < 0) {
        if (!p->behind)
            p->pause_ns = 0;
        p->behind = true;
        heal_later(p);
        LOG(ACD_LOG_ERR, "snapshot.failed", LF_INT("revision", revision), LF_INT("published", p->revision),
            LF_STR("why", err_text(&err, rc)));
    }
    (void)pthread_cond_broadcast(&p->applied);
    (void)pthread_mutex_unlock(&p->lock);
}

void
publisher_heal(struct publisher *p, struct plug_session *s)
{
    acd_err err = ACD_ERR_INIT;
    (void)pthread_mutex_lock(&p->lock);
    if ((p->behind || p->file) && clock_mono_ns(p->opts.clock) >= p->retry_ns) {
        int rc = p->file ? attach(p, s, &err) : rebuild_anywhere(p, s, &err);
        if (rc < 0)
            heal_later(p);
        LOG(rc < 0 ? ACD_LOG_ERR : ACD_LOG_NOTICE, rc < 0 ? "snapshot.failed" : "snapshot.healed",
            LF_INT("published", p->revision), LF_STR("why", rc < 0 ? err_text(&err, rc) : ""));
    }
    (void)pthread_mutex_unlock(&p->lock);
}

/* Is what is published what storage holds? */
static bool
is_current(struct publisher *p, struct plug_session *s, acd_err *err)
{
    uint64_t revision = 0;
    int rc = plug_begin(s, false, 0, err);
    if (rc < 0)
        return false;
    rc = plug_seq_now(s, &revision, err);
    plug_rollback(s);
    return rc == 0 && revision == p->revision;
}

static void
beat(struct publisher *p, struct plug_session *s)
{
    acd_err err = ACD_ERR_INIT;
    struct snap_info info;
    struct snap_view *view;
    int64_t now_ms = clock_wall_ms(p->opts.clock);
    if (!p->opts.path || p->behind || !p->w || !snap_writer_view(p->w))
        return;
    snap_view_info(snap_writer_view(p->w), &info);
    /* A wall clock that was set back is followed at once. */
    if ((info.created_ms <= now_ms && now_ms - info.created_ms < PUBLISH_BEAT_MS) || !is_current(p, s, &err))
        return;
    int rc = snap_begin(p->w, &err);
    if (rc == 0)
        rc = snap_commit(p->w, p->revision, now_ms, &view, &err);
    if (rc == 0) {
        snap_pub_set(p->opts.pub, view);
        return;
    }
    LOG(ACD_LOG_ERR, "snapshot.beat", LF_STR("why", err_text(&err, rc)));
    p->behind = true; /* the file is not what we made of it: it is built again */
    p->retry_ns = p->pause_ns = 0;
}

void
publisher_beat(struct publisher *p, struct plug_session *s)
{
    (void)pthread_mutex_lock(&p->lock);
    beat(p, s);
    (void)pthread_mutex_unlock(&p->lock);
}

/* --- compaction ------------------------------------------------------------------------------------------
 */

static struct snap_compaction *
compact_begin(struct publisher *p)
{
    acd_err err = ACD_ERR_INIT;
    struct snap_compaction *c = NULL;
    (void)pthread_mutex_lock(&p->lock);
    if (p->w && snap_compact_due(p->w)) {
        int rc = snap_compact_begin(p->w, &c, &err);
        if (rc < 0)
            LOG(ACD_LOG_ERR, "snapshot.compact", LF_STR("why", err_text(&err, rc)));
    }
    (void)pthread_mutex_unlock(&p->lock);
    return c;
}

static int
compact_end(struct publisher *p, struct snap_compaction *c, acd_err *err)
{
    struct snap_view *view;
    (void)pthread_mutex_lock(&p->lock);
    int rc = snap_compact_end(p->w, c, &view, err);
    if (rc == 0)
        snap_pub_set(p->opts.pub, view);
    (void)pthread_mutex_unlock(&p->lock);
    return rc;
}

void
publisher_compact(struct publisher *p)
{
    acd_err err = ACD_ERR_INIT;
    struct snap_compaction *c = compact_begin(p);
    if (!c)
        return;
    uint64_t began = clock_mono_ns(p->opts.clock);
    int rc = snap_compact_copy(c, &err);
    if (rc == 0)
        rc = compact_end(p, c, &err);
    else
        snap_compact_drop(c);
    if (rc < 0 && rc != ACD_ECONFLICT)
        LOG(ACD_LOG_ERR, "snapshot.compact", LF_STR("why", err_text(&err, rc)));
    else
        LOG(ACD_LOG_INFO, "snapshot.compact", LF_INT("ms", (clock_mono_ns(p->opts.clock) - began) / 1000000),
            LF_STR("outcome", rc < 0 ? "outgrown" : "done"));
}

/* --- facts ------------------------------------------------------------------------------------------------
 */

void
publisher_info(struct publisher *p, struct publisher_info *ret)
{
    (void)pthread_mutex_lock(&p->lock);
    *ret = (struct publisher_info){
        .revision = p->revision,
        .behind = p->behind,
        .detached = p->file != NULL,
        .from_image = p->from_image,
        .builds = p->builds,
        .last_ms = p->last_ms,
    };
    const struct snap_view *view = p->w ? snap_writer_view(p->w) : NULL;
    if (view)
        snap_view_info(view, &ret->image);
    (void)pthread_mutex_unlock(&p->lock);
}

struct check_ctx {
    const struct snap_view *view;
    uint64_t hosts, access, bad;
};

/* Does the hit lead to exactly these certificates, each in its role, in this order? */
static bool
hit_agrees(const struct snap_view *view, const struct snap_hit *hit, const struct truth_host *h)
{
    struct snap_trust t;
    struct snap_zone zone;
    uint32_t at = 0, flags;
    if (snap_trust_get(view, hit->trust, &t) < 0 || snap_zone_get(view, hit->zone, &zone) < 0 ||
        !slice_eq(zone.id, h->zone_id))
        return false;
    for (size_t i = 0; i < h->n; i++) {
        struct snap_ca ca;
        uint32_t index = 0;
        while (at < t.n && snap_trust_ca(view, &t, at, &ca, &flags) == 0 && slice_eq(ca.id, h->cas[i].id) &&
               ca.index == index && flags == (h->cas[i].flags | ca.flags)) {
            at++;
            index++;
        }
        if (index == 0)
            return false;
    }
    return at == t.n;
}

static int
check_host(void *arg, const struct truth_host *h)
{
    struct check_ctx *ctx = arg;
    struct snap_hit hit;
    ctx->hosts++;
    ctx->bad += snap_host_find(ctx->view, h->pattern.ptr, h->pattern.len, &hit) != 1 ||
                !hit_agrees(ctx->view, &hit, h);
    return 0;
}

static int
check_access_host(void *arg, const struct truth_host *h)
{
    struct check_ctx *ctx = arg;
    struct snap_hit hit;
    ctx->access++;
    ctx->bad += snap_names_find(ctx->view, SNAP_NAMES_ACCESS, h->pattern.ptr, h->pattern.len, &hit) != 1 ||
                !hit_agrees(ctx->view, &hit, h);
    return 0;
}

/* Begins to read truth at the revision that is published. A change may be committed and wait for our lock: it
 * is let in. Under the lock. */
static int
begin_published(struct publisher *p, struct plug_session *s, acd_err *err)
{
    struct timespec until;
    uint64_t revision = 0;
    int waited = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CHECK_WAIT_S;
    for (;;) {
        int rc = plug_begin(s, false, 0, err);
        if (rc < 0)
            return rc;
        rc = plug_seq_now(s, &revision, err);
        if (rc == 0 && (revision == p->revision || p->behind || waited == ETIMEDOUT))
            return 0;
        plug_rollback(s);
        if (rc < 0)
            return rc;
        waited = pthread_cond_clockwait(&p->applied, &p->lock, CLOCK_MONOTONIC, &until);
    }
}

int
publisher_check(struct publisher *p, struct plug_session *s, uint64_t *ret_hosts, uint64_t *ret_rulesets,
                uint64_t *ret_bad, acd_err *err)
{
    struct snap_info info = {0};
    struct check_ctx ctx = {0};
    uint64_t bad_rules = 0, bad_revocation = 0, bad_managed = 0, stores = 0, bad_stores = 0;
    (void)pthread_mutex_lock(&p->lock);
    int rc = p->w && snap_writer_view(p->w) ? begin_published(p, s, err)
                                            : err_set(err, ACD_EUNAVAIL, "no snapshot is published");
    if (rc == 0) {
        ctx.view = snap_writer_view(p->w);
        rc = truth_hosts(s, ctx.view, check_host, &ctx, err);
        if (rc == 0)
            rc = truth_access_hosts(s, ctx.view, check_access_host, &ctx, err);
        if (rc == 0)
            rc = truth_origins_differ(s, ctx.view, &stores, &bad_stores, err);
        if (rc == 0)
            rc = truth_rules_differ(s, ctx.view, ret_rulesets, &bad_rules, err);
        if (rc == 0)
            rc = truth_revocation_differs(s, ctx.view, &bad_revocation, err);
        if (rc == 0)
            rc = truth_managed_differ(s, ctx.view, &bad_managed, err);
        plug_rollback(s);
        snap_view_info(ctx.view, &info);
    }
    (void)pthread_mutex_unlock(&p->lock);
    *ret_hosts = ctx.hosts;
    *ret_bad = ctx.bad + bad_rules + bad_revocation + bad_managed + bad_stores +
               (info.hosts != ctx.hosts + ctx.access + stores); /* names that only the snapshot has */
    return rc;
}
