/*
 * Compiled sets of CAs by the digest of their trust set. A set is compiled once, by the first question that
 * needs it, while others wait for that one; it is kept until there are more than `max` and it is the one
 * unused for longest. Any thread. Not inside a read section: compiling is slow.
 */
#ifndef QUERY_BUNDLES_H
#define QUERY_BUNDLES_H

#include "plug/validator.h"
#include "snap/view.h"

struct bundles;
struct bundle_ref; /* one compiled set, held */

/*
 * Which CAs of a set are the anchors of a bundle: those that decide, or those that are only observed. Its
 * helpers belong to both. A CA that is observed is in no bundle that decides, not even to complete a path, so
 * that what it says can have no effect.
 */
enum bundle_kind { BUNDLE_DECIDES, BUNDLE_OBSERVES };

int bundles_new(struct plug_validator *validator, size_t max, struct bundles **ret,
                acd_err *err) ACD_MUSTCHECK;
void bundles_free(struct bundles *b); /* nothing is held any more; NULL is fine */

/* The compiled form of trust set `trust` of the view. Held until bundle_put. */
int bundle_get(struct bundles *b, const struct snap_view *view, const struct snap_trust *trust,
               enum bundle_kind kind, struct bundle_ref **ret, acd_err *err) ACD_MUSTCHECK;
void bundle_put(struct bundles *b, struct bundle_ref *ref); /* NULL is fine */
const struct plug_bundle *bundle_of(const struct bundle_ref *ref);
/* Where each of the bundle's CAs stands in the trust set: anchors first, then helpers. */
const uint32_t *bundle_places(const struct bundle_ref *ref, size_t *ret_n);
/* Where the bundle's anchor of that number stands in the trust set; -1 for a number that is none. */
int32_t bundle_place(const struct bundle_ref *ref, int32_t anchor);

void bundles_count(struct bundles *b, uint64_t *ret_builds, uint64_t *ret_kept);

#endif
