#include "query/bundles.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

enum { DIGEST_BYTES = 32 };

struct bundle_ref {
    uint8_t digest[DIGEST_BYTES];
    struct plug_bundle *bundle;   /* NULL while it is being compiled */
    unsigned refs;                /* holders and waiters, under the lock */
    bool failed;                  /* compiling failed; the last holder drops it */
    struct bundle_ref *up, *down; /* kept ones, latest use first */
};

struct bundles {
    pthread_mutex_t lock;
    pthread_cond_t done; /* a compilation ended */
    struct map by_digest;
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
    must(map_take(&b->by_digest, slice_of(ref->digest, DIGEST_BYTES)) == ref);
    if (ref->bundle)
        plug_bundle_free(ref->bundle);
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
    map_done(&b->by_digest);
    (void)pthread_cond_destroy(&b->done);
    (void)pthread_mutex_destroy(&b->lock);
    free(b);
}

/* Drops what was unused for longest; what is held stays, so there may be more than max for a while. */
static void
trim(struct bundles *b)
{
    struct bundle_ref *ref = b->last;
    while (ref && b->by_digest.len > b->max) {
        struct bundle_ref *up = ref->up;
        if (ref->refs == 0)
            ref_drop(b, ref);
        ref = up;
    }
}

/* --- compiling --------------------------------------------------------------------------------------------
 */

/* Every CA of the set is one anchor of the bundle, at the same number: a verdict's anchor is an index into
 * the set. */
static int
compile(struct bundles *b, const struct snap_view *view, const struct snap_trust *trust,
        struct plug_bundle **ret, acd_err *err)
{
    acd_anchor *anchors = calloc(trust->n ? trust->n : 1, sizeof(*anchors));
    int rc = anchors ? 0 : err_set(err, ACD_ENOMEM, "out of memory");
    for (uint32_t i = 0; rc == 0 && i < trust->n; i++) {
        struct snap_ca ca;
        uint32_t flags;
        rc = snap_trust_ca(view, trust, i, &ca, &flags);
        if (rc < 0)
            rc = err_set(err, rc, "the snapshot's trust set is damaged");
        else
            anchors[i] =
                (acd_anchor){.struct_size = sizeof(acd_anchor), .profile = ca.profile, .der = ca.der};
    }
    const acd_bundle_spec spec = {.struct_size = sizeof(spec), .anchors = anchors, .nanchors = trust->n};
    if (rc == 0)
        rc = plug_bundle_build(b->validator, &spec, 0, ret, err);
    free(anchors);
    return rc;
}

/* A new entry, held by the caller, that others can wait for. Under the lock. */
static struct bundle_ref *
ref_new(struct bundles *b, const uint8_t *digest)
{
    struct bundle_ref *ref = calloc(1, sizeof(*ref));
    if (!ref)
        return NULL;
    memcpy(ref->digest, digest, DIGEST_BYTES);
    ref->refs = 1;
    if (map_put(&b->by_digest, slice_of(digest, DIGEST_BYTES), ref, NULL) < 0) {
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

int
bundle_get(struct bundles *b, const struct snap_view *view, const struct snap_trust *trust,
           struct bundle_ref **ret, acd_err *err)
{
    int rc = 0;
    (void)pthread_mutex_lock(&b->lock);
    struct bundle_ref *ref = map_find(&b->by_digest, slice_of(trust->digest, DIGEST_BYTES));
    if (ref) {
        ref->refs++;
        ref_unlink(b, ref);
        ref_to_front(b, ref);
        rc = wait_for(b, ref, err);
    } else if (!(ref = ref_new(b, trust->digest))) {
        rc = err_set(err, ACD_ENOMEM, "out of memory");
    } else {
        struct plug_bundle *bundle = NULL;
        b->builds++;
        (void)pthread_mutex_unlock(&b->lock);
        rc = compile(b, view, trust, &bundle, err);
        (void)pthread_mutex_lock(&b->lock);
        ref->bundle = bundle;
        ref->failed = rc < 0;
        (void)pthread_cond_broadcast(&b->done);
        trim(b);
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

void
bundles_count(struct bundles *b, uint64_t *ret_builds, uint64_t *ret_kept)
{
    (void)pthread_mutex_lock(&b->lock);
    *ret_builds = b->builds;
    *ret_kept = b->by_digest.len;
    (void)pthread_mutex_unlock(&b->lock);
}
