#include "query/bundles.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

/* The digest of the trust set, and the kind. */
enum { DIGEST_BYTES = 32, KEY_BYTES = DIGEST_BYTES + 1 };

struct bundle_ref {
    uint8_t key[KEY_BYTES];
    struct plug_bundle *bundle;   /* NULL while it is being compiled */
    unsigned refs;                /* holders and waiters, under the lock */
    bool failed;                  /* compiling failed; the last holder drops it */
    struct bundle_ref *up, *down; /* kept ones, latest use first */
    uint32_t *places;             /* of the anchors, then of the helpers, in the trust set */
    size_t nanchors, nplaces;
};

struct bundles {
    pthread_mutex_t lock;
    pthread_cond_t done; /* a compilation ended */
    struct map by_key;
    struct bundle_ref *first, *last;
    size_t max;
    uint64_t builds;
    struct plug_validator *validator;
};

int
bundles_new(struct plug_validator *validator, size_t max, struct bundles **ret, acd_err *err)
{
    struct bundles *b = calloc(1, sizeof(*b));
    if (!b)
        return err_set(err, ACD_ENOMEM, "out of memory");
    b->validator = validator;
    b->max = max;
    must(pthread_mutex_init(&b->lock, NULL) == 0);
    must(pthread_cond_init(&b->done, NULL) == 0);
    *ret = b;
    return 0;
}

static void
ref_unlink(struct bundles *b, struct bundle_ref *ref)
{
    *(ref->up ? &ref->up->down : &b->first) = ref->down;
    *(ref->down ? &ref->down->up : &b->last) = ref->up;
    ref->up = ref->down = NULL;
}

static void
ref_to_front(struct bundles *b, struct bundle_ref *ref)
{
    ref->up = NULL;
    ref->down = b->first;
    *(b->first ? &b->first->up : &b->last) = ref;
    b->first = ref;
}

static void
ref_drop(struct bundles *b, struct bundle_ref *ref)
{
    ref_unlink(b, ref);
    must(map_take(&b->by_key, slice_of(ref->key, KEY_BYTES)) == ref);
    if (ref->bundle)
        plug_bundle_free(ref->bundle);
    free(ref->places);
    free(ref);
}

void
bundles_free(struct bundles *b)
{
    if (!b)
        return;
    while (b->first) {
        must(b->first->refs == 0);
        ref_drop(b, b->first);
    }
    map_done(&b->by_key);
    (void)pthread_cond_destroy(&b->done);
    (void)pthread_mutex_destroy(&b->lock);
    free(b);
}

/* Drops what was unused for longest; what is held stays, so there may be more than max for a while. */
static void
trim(struct bundles *b)
{
    struct bundle_ref *ref = b->last;
    while (ref && b->by_key.len > b->max) {
        struct bundle_ref *up = ref->up;
        if (ref->refs == 0)
            ref_drop(b, ref);
        ref = up;
    }
}

/* --- compiling --------------------------------------------------------------------------------------------
 */

/* The set's CAs, divided by what they are in this bundle. */
struct parts {
    acd_anchor *anchors;
    acd_slice *helpers;
    uint32_t *places; /* of the anchors, in the end also of the helpers */
    uint32_t *helper_places;
    size_t nanchors, nhelpers;
};

static int
parts_init(struct parts *p, uint32_t n)
{
    n += n == 0;
    *p = (struct parts){.anchors = calloc(n, sizeof(*p->anchors)),
                        .helpers = calloc(n, sizeof(*p->helpers)),
                        .places = calloc(n, sizeof(*p->places)),
                        .helper_places = calloc(n, sizeof(*p->helper_places))};
    return p->anchors && p->helpers && p->places && p->helper_places ? 0 : ACD_ENOMEM;
}

static void
parts_done(struct parts *p)
{
    free(p->anchors);
    free(p->helpers);
    free(p->places);
    free(p->helper_places);
}

static void
parts_add(struct parts *p, enum bundle_kind kind, uint32_t place, const struct snap_ca *ca, uint32_t flags)
{
    enum snap_role anchor = kind == BUNDLE_DECIDES ? SNAP_DECIDES : SNAP_OBSERVED;
    if (snap_role(flags) == anchor) {
        p->places[p->nanchors] = place;
        p->anchors[p->nanchors++] =
            (acd_anchor){.struct_size = sizeof(acd_anchor), .profile = ca->profile, .der = ca->der};
    } else if (snap_role(flags) == SNAP_HELPS) {
        p->helper_places[p->nhelpers] = place;
        p->helpers[p->nhelpers++] = ca->der;
    }
}

/* On success ret's bundle and the places of its anchors are there. */
static int
compile(struct bundles *b, const struct snap_view *view, const struct snap_trust *trust,
        enum bundle_kind kind, struct plug_bundle **ret, struct parts *parts, acd_err *err)
{
    int rc = parts_init(parts, trust->n);
    if (rc < 0)
        return err_set(err, rc, "out of memory");
    for (uint32_t i = 0; i < trust->n; i++) {
        struct snap_ca ca;
        uint32_t flags;
        rc = snap_trust_ca(view, trust, i, &ca, &flags);
        if (rc < 0)
            return err_set(err, rc, "the snapshot's trust set is damaged");
        parts_add(parts, kind, i, &ca, flags);
    }
    memcpy(parts->places + parts->nanchors, parts->helper_places, parts->nhelpers * sizeof(*parts->places));
    const acd_bundle_spec spec = {.struct_size = sizeof(spec),
                                  .anchors = parts->anchors,
                                  .nanchors = parts->nanchors,
                                  .helpers = parts->helpers,
                                  .nhelpers = parts->nhelpers};
    return plug_bundle_build(b->validator, &spec, 0, ret, err);
}

/* A new entry, held by the caller, that others can wait for. Under the lock. */
static struct bundle_ref *
ref_new(struct bundles *b, const uint8_t *key)
{
    struct bundle_ref *ref = calloc(1, sizeof(*ref));
    if (!ref)
        return NULL;
    memcpy(ref->key, key, KEY_BYTES);
    ref->refs = 1;
    if (map_put(&b->by_key, slice_of(key, KEY_BYTES), ref, NULL) < 0) {
        free(ref);
        return NULL;
    }
    ref_to_front(b, ref);
    return ref;
}

/* Waits for the one who compiles. Under the lock. */
static int
wait_for(struct bundles *b, struct bundle_ref *ref, acd_err *err)
{
    while (!ref->bundle && !ref->failed)
        (void)pthread_cond_wait(&b->done, &b->lock);
    return ref->failed ? err_set(err, ACD_EINTERNAL, "the trust set of this host could not be compiled") : 0;
}

static void
put_locked(struct bundles *b, struct bundle_ref *ref)
{
    must(ref->refs > 0);
    if (--ref->refs == 0 && ref->failed)
        ref_drop(b, ref);
}

/* Compiles for everybody who waits. Under the lock, which is given up meanwhile. */
static int
ref_fill(struct bundles *b, struct bundle_ref *ref, const struct snap_view *view,
         const struct snap_trust *trust, enum bundle_kind kind, acd_err *err)
{
    struct plug_bundle *bundle = NULL;
    struct parts parts;
    b->builds++;
    (void)pthread_mutex_unlock(&b->lock);
    int rc = compile(b, view, trust, kind, &bundle, &parts, err);
    (void)pthread_mutex_lock(&b->lock);
    ref->bundle = bundle;
    ref->places = parts.places;
    ref->nanchors = parts.nanchors;
    ref->nplaces = parts.nanchors + parts.nhelpers;
    parts.places = NULL;
    parts_done(&parts);
    ref->failed = rc < 0;
    (void)pthread_cond_broadcast(&b->done);
    trim(b);
    return rc;
}

int
bundle_get(struct bundles *b, const struct snap_view *view, const struct snap_trust *trust,
           enum bundle_kind kind, struct bundle_ref **ret, acd_err *err)
{
    int rc = 0;
    uint8_t key[KEY_BYTES];
    memcpy(key, trust->digest, DIGEST_BYTES);
    key[DIGEST_BYTES] = (uint8_t)kind;
    (void)pthread_mutex_lock(&b->lock);
    struct bundle_ref *ref = map_find(&b->by_key, slice_of(key, KEY_BYTES));
    if (ref) {
        ref->refs++;
        ref_unlink(b, ref);
        ref_to_front(b, ref);
        rc = wait_for(b, ref, err);
    } else if (!(ref = ref_new(b, key))) {
        rc = err_set(err, ACD_ENOMEM, "out of memory");
    } else {
        rc = ref_fill(b, ref, view, trust, kind, err);
    }
    if (rc < 0 && ref)
        put_locked(b, ref);
    (void)pthread_mutex_unlock(&b->lock);
    if (rc == 0)
        *ret = ref;
    return rc;
}

void
bundle_put(struct bundles *b, struct bundle_ref *ref)
{
    if (!ref)
        return;
    (void)pthread_mutex_lock(&b->lock);
    put_locked(b, ref);
    (void)pthread_mutex_unlock(&b->lock);
}

const struct plug_bundle *
bundle_of(const struct bundle_ref *ref)
{
    return ref->bundle;
}

const uint32_t *
bundle_places(const struct bundle_ref *ref, size_t *ret_n)
{
    *ret_n = ref->nplaces;
    return ref->places;
}

int32_t
bundle_place(const struct bundle_ref *ref, int32_t anchor)
{
    return anchor >= 0 && (size_t)anchor < ref->nanchors ? (int32_t)ref->places[anchor] : -1;
}

void
bundles_count(struct bundles *b, uint64_t *ret_builds, uint64_t *ret_kept)
{
    (void)pthread_mutex_lock(&b->lock);
    *ret_builds = b->builds;
    *ret_kept = b->by_key.len;
    (void)pthread_mutex_unlock(&b->lock);
}
