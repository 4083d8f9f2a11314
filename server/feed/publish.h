/*
 * From truth to the snapshot that queries see.
 *
 * The publisher owns the image's writer. At start it takes up the image on disk if that is what truth says,
 * and builds a new one otherwise; after each commit it reads what the change touched and replaces just that.
 * When the file cannot be written (a full disk, say) the image is built and kept in memory, and goes back to
 * the file as soon as that works. When that fails too, queries keep the last good revision until the whole
 * image can be built again; no change is lost, because truth is read and not the change.
 *
 * Threading: start, apply and heal exclude each other by a lock of the publisher. The session is the caller's
 * and has no open transaction.
 */
#ifndef FEED_PUBLISH_H
#define FEED_PUBLISH_H

#include "base/clock.h"
#include "model/change.h"
#include "plug/storage.h"
#include "snap/view.h"

struct publisher;

struct publisher_opts {
    const char *path;     /* of the image, copied; NULL: in memory only */
    struct snap_pub *pub; /* where views are published */
    const struct clock *clock;
};

int publisher_new(const struct publisher_opts *opts, struct publisher **ret, acd_err *err) ACD_MUSTCHECK;
/* After the last reader has stopped; NULL is fine. */
void publisher_free(struct publisher *p);

int publisher_start(struct publisher *p, struct plug_session *s, acd_err *err) ACD_MUSTCHECK;

/* A change was committed. Cannot fail for the caller: what goes wrong is logged and healed later. */
void publisher_apply(struct publisher *p, struct plug_session *s, const struct change_set *set,
                     uint64_t revision);

/* Tries again when the last publication failed or is in memory only; rarely when it fails again and again. */
void publisher_heal(struct publisher *p, struct plug_session *s);

/*
 * Says in the image that it is the truth of now, when it is: one root is written, no piece. Who maps the
 * image knows its age by that, and a server that has died by its growing old. Does nothing while the last
 * confirmation is younger than PUBLISH_BEAT_MS, and for images without a file.
 */
enum { PUBLISH_BEAT_MS = 1000 };
void publisher_beat(struct publisher *p, struct plug_session *s);

/* Drops the garbage of the image when there is more of it than of anything else. Long for a large image;
 * changes are published meanwhile. */
void publisher_compact(struct publisher *p);

struct publisher_info {
    uint64_t revision; /* published */
    bool behind;       /* a publication failed and has not been healed */
    bool detached;     /* what is published is in memory only: the file cannot be written */
    bool from_image;   /* the start took up the image on disk */
    uint64_t builds;   /* whole builds */
    uint64_t last_ms;  /* how long the last publication took */
    struct snap_info image;
};
void publisher_info(struct publisher *p, struct publisher_info *ret);

/* Compares every host and every ruleset of truth with what the published view answers; *ret_bad counts the
 * differences. Slow. */
int publisher_check(struct publisher *p, struct plug_session *s, uint64_t *ret_hosts, uint64_t *ret_rulesets,
                    uint64_t *ret_bad, acd_err *err) ACD_MUSTCHECK;

#endif
