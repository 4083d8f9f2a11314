/*
 * From truth to the snapshot that queries see.
 *
 * The publisher owns the image's writer. At start it takes up the image on disk if that is what truth says,
 * and builds a new one otherwise; after each commit it reads what the change touched and replaces just that.
 * When a publication fails (a full disk, say) queries keep the last good revision, and the whole image is
 * built again as soon as that works; no change is lost, because truth is read and not the change.
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
    const char *path;     /* of the image; NULL: in memory only */
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

/* Tries again when the last publication failed. */
void publisher_heal(struct publisher *p, struct plug_session *s);

struct publisher_info {
    uint64_t revision; /* published */
    bool behind;       /* a publication failed and has not been healed */
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
