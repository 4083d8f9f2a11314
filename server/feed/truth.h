/*
 * Reading truth for the image: certificates, zones and hosts, whole or one by one, inside an open transaction
 * of the session and an open transaction of the writer. Only feed/ includes this.
 */
#ifndef FEED_TRUTH_H
#define FEED_TRUTH_H

#include "model/change.h"
#include "model/limits.h"
#include "plug/storage.h"
#include "snap/writer.h"

/* What the image is an image of: changes when truth is another one or at another state. */
enum { TRUTH_STAMP = 32 };
int truth_stamp(struct plug_session *s, uint64_t revision, uint8_t ret[TRUTH_STAMP],
                acd_err *err) ACD_MUSTCHECK;

/* Everything, into a writer that was begun from empty. */
int truth_build(struct plug_session *s, struct snap_writer *w, acd_err *err) ACD_MUSTCHECK;

/* One thing as truth has it now; it may be gone. */
int truth_put_cert(struct plug_session *s, struct snap_writer *w, const char *id, uint32_t *ret_n,
                   acd_err *err) ACD_MUSTCHECK; /* *ret_n: how many certificates it has, 0 when it is gone */
int truth_put_zone(struct plug_session *s, struct snap_writer *w, const char *id, bool *ret_there,
                   acd_err *err) ACD_MUSTCHECK;
int truth_put_rules(struct plug_session *s, struct snap_writer *w, const char *zone_id,
                    acd_err *err) ACD_MUSTCHECK;
/* What is said about the certificates of that CA; nothing, perhaps. Parts of sets that stay the same are not
 * written. */
int truth_put_revocation(struct plug_session *s, struct snap_writer *w, const char *id,
                         acd_err *err) ACD_MUSTCHECK;
/* Of all CAs. */
int truth_build_revocation(struct plug_session *s, struct snap_writer *w, acd_err *err) ACD_MUSTCHECK;
/* Counts what truth says about revocation otherwise than the view. */
int truth_revocation_differs(struct plug_session *s, const struct snap_view *view, uint64_t *ret_bad,
                             acd_err *err) ACD_MUSTCHECK;
/* The revocations of a managed CA, at the revision of its row; of all of them; and how many the view has
 * otherwise. */
int truth_put_managed(struct plug_session *s, struct snap_writer *w, acd_slice id, uint64_t rev,
                      acd_err *err) ACD_MUSTCHECK;
int truth_build_managed(struct plug_session *s, struct snap_writer *w, acd_err *err) ACD_MUSTCHECK;
int truth_managed_differ(struct plug_session *s, const struct snap_view *view, uint64_t *ret_bad,
                         acd_err *err) ACD_MUSTCHECK;
int truth_put_host(struct plug_session *s, struct snap_writer *w, const char *pattern,
                   acd_err *err) ACD_MUSTCHECK;
/* The same without reading, for a host whose associations the change itself tells. */
int truth_put_known_host(struct snap_writer *w, const char *pattern, const struct change_host *host,
                         acd_err *err) ACD_MUSTCHECK;
int truth_put_access_host(struct plug_session *s, struct snap_writer *w, const char *pattern,
                          acd_err *err) ACD_MUSTCHECK;
/* The zone's custom origin trust store and its CAs; without entries there is none in the image. */
int truth_put_origin(struct plug_session *s, struct snap_writer *w, const char *zone_id,
                     acd_err *err) ACD_MUSTCHECK;
int truth_build_origins(struct plug_session *s, struct snap_writer *w, acd_err *err) ACD_MUSTCHECK;
/* What is gone from truth goes from the image, after the hosts that used it: the certificates of an object
 * from this index on. */
int truth_drop_cert(struct snap_writer *w, const char *id, uint32_t from, acd_err *err) ACD_MUSTCHECK;
int truth_drop_zone(struct snap_writer *w, const char *id, acd_err *err) ACD_MUSTCHECK;

/* Counts zones of truth whose rules are not those of the view. */
int truth_rules_differ(struct plug_session *s, const struct snap_view *view, uint64_t *ret_rulesets,
                       uint64_t *ret_bad, acd_err *err) ACD_MUSTCHECK;

/* Counts zones of truth whose custom origin trust store is not that of the view. */
int truth_origins_differ(struct plug_session *s, const struct snap_view *view, uint64_t *ret_stores,
                         uint64_t *ret_bad, acd_err *err) ACD_MUSTCHECK;

/* Walks hosts in order of their patterns, each with its certificates in order of rank (those that exist
 * in the view only). The callback must not use the session. */
struct truth_host {
    acd_slice pattern, zone_id;
    struct snap_ca_use cas[LIMIT_CAS_PER_HOST];
    size_t n;
};
typedef int (*truth_host_fn)(void *ctx, const struct truth_host *host);
int truth_hosts(struct plug_session *s, const struct snap_view *view, truth_host_fn fn, void *ctx,
                acd_err *err) ACD_MUSTCHECK;
/* The same for the hosts of Access CAs. */
int truth_access_hosts(struct plug_session *s, const struct snap_view *view, truth_host_fn fn, void *ctx,
                       acd_err *err) ACD_MUSTCHECK;

#endif
