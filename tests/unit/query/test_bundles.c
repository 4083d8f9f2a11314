/* Compiled trust sets over a validator of our own that counts what it is asked to build. */
#include "query/bundles.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "base/thread.h"
#include "lib/main.h"
#include "lib/stand_in.h"
#include "model/digest.h"
#include "snap/writer.h"

static atomic_int built, freed, fail;
static atomic_size_t anchors, helpers; /* of the last one */

static int
build(void *inst, const acd_bundle_spec *spec, acd_bundle **ret, acd_err *err)
{
    (void)inst;
    if (atomic_load(&fail))
        return err_set(err, ACD_EINVAL, "no");
    atomic_fetch_add(&built, 1);
    size_t *n = malloc(sizeof(*n));
    *n = spec->nanchors;
    atomic_store(&anchors, spec->nanchors);
    atomic_store(&helpers, spec->nhelpers);
    *ret = (acd_bundle *)n;
    return 0;
}

static void
bundle_free(acd_bundle *b)
{
    atomic_fetch_add(&freed, 1);
    free(b);
}

static const acd_validator_ops acts = {.bundle_build = build, .bundle_free = bundle_free};

/* --- a validator and a view with n trust sets -------------------------------------------------------------
 */

struct rig {
    struct stand_in validator;
    struct bundles *bundles;
    struct snap_writer *w;
    struct snap_view *view;
};

static void
rig_open(struct rig *rig, size_t max, size_t sets)
{
    static const char zone[] = "0123456789abcdef0123456789abcdef";
    acd_err err = ACD_ERR_INIT;
    atomic_store(&built, 0);
    atomic_store(&freed, 0);
    atomic_store(&fail, 0);
    stand_in_open(&rig->validator, &acts);
    ck_assert_int_eq(bundles_new(&rig->validator.validator, max, &rig->bundles, &err), 0);
    ck_assert_int_eq(snap_writer_open(&(struct snap_writer_opts){0}, &rig->w, &err), 0);
    ck_assert_int_eq(snap_begin(rig->w, &err), 0);
    ck_assert_int_eq(snap_put_zone(rig->w, slice_str(zone), slice_str(zone), slice_str("example.com"), &err),
                     0);
    for (size_t i = 0; i < sets; i++) {
        char id[37], host[32], der[16];
        uint8_t sha[32];
        (void)snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012zu", i);
        (void)snprintf(host, sizeof(host), "h%zu.example.com", i);
        (void)snprintf(der, sizeof(der), "der %zu", i);
        digest_sha256(der, strlen(der), sha);
        const struct snap_ca ca = {
            .id = slice_str(id), .sha256 = sha, .subject = slice_str(id), .der = slice_str(der)};
        const struct snap_ca_use use = {.id = slice_str(id)};
        ck_assert_int_eq(snap_put_ca(rig->w, &ca, &err), 0);
        ck_assert_int_eq(snap_put_host(rig->w, slice_str(host), slice_str(zone), &use, 1, &err), 0);
    }
    ck_assert_int_eq(snap_commit(rig->w, 1, 0, &rig->view, &err), 0);
}

static void
rig_close(struct rig *rig)
{
    bundles_free(rig->bundles);
    ck_assert_int_eq(atomic_load(&freed), atomic_load(&built));
    snap_view_unref(rig->view);
    snap_writer_free(rig->w);
    stand_in_close(&rig->validator);
}

static struct snap_trust
trust_of(const struct rig *rig, size_t i)
{
    char host[32];
    struct snap_hit hit;
    struct snap_trust t;
    (void)snprintf(host, sizeof(host), "h%zu.example.com", i);
    ck_assert_int_eq(snap_lookup(rig->view, host, strlen(host), &hit), 1);
    ck_assert_int_eq(snap_trust_get(rig->view, hit.trust, &t), 0);
    return t;
}

static void
use(struct rig *rig, size_t i)
{
    struct snap_trust t = trust_of(rig, i);
    struct bundle_ref *ref;
    ck_assert_int_eq(bundle_get(rig->bundles, rig->view, &t, BUNDLE_DECIDES, &ref, NULL), 0);
    bundle_put(rig->bundles, ref);
}

START_TEST(compiled_once_and_the_unused_goes)
{
    struct rig rig;
    uint64_t builds, kept;
    rig_open(&rig, 3, 5);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < 3; i++)
            use(&rig, i);
    ck_assert_int_eq(atomic_load(&built), 3);
    use(&rig, 0);
    use(&rig, 3); /* 1 was unused for longest */
    use(&rig, 0);
    ck_assert_int_eq(atomic_load(&built), 4);
    use(&rig, 1);
    ck_assert_int_eq(atomic_load(&built), 5);
    bundles_count(rig.bundles, &builds, &kept);
    ck_assert_uint_eq(builds, 5);
    ck_assert_uint_eq(kept, 3);
    rig_close(&rig);
}
END_TEST

START_TEST(what_is_held_is_not_freed)
{
    struct rig rig;
    struct bundle_ref *ref;
    rig_open(&rig, 1, 4);
    struct snap_trust t = trust_of(&rig, 0);
    ck_assert_int_eq(bundle_get(rig.bundles, rig.view, &t, BUNDLE_DECIDES, &ref, NULL), 0);
    for (size_t i = 1; i < 4; i++)
        use(&rig, i);
    ck_assert_ptr_nonnull(bundle_of(ref));
    ck_assert_int_eq(atomic_load(&built), 4);
    ck_assert_int_le(atomic_load(&freed), 3);
    bundle_put(rig.bundles, ref);
    rig_close(&rig);
}
END_TEST

START_TEST(a_failure_is_told_and_not_kept)
{
    struct rig rig;
    struct bundle_ref *ref;
    acd_err err = ACD_ERR_INIT;
    rig_open(&rig, 4, 1);
    struct snap_trust t = trust_of(&rig, 0);
    atomic_store(&fail, 1);
    ck_assert_int_eq(bundle_get(rig.bundles, rig.view, &t, BUNDLE_DECIDES, &ref, &err), ACD_EINVAL);
    atomic_store(&fail, 0);
    use(&rig, 0);
    rig_close(&rig);
}
END_TEST

/* A host with a CA of each role, the one that decides in the middle. */
static void
put_roles(struct rig *rig)
{
    static const uint32_t flags[] = {SNAP_CA_OBSERVED, 0, SNAP_CA_HELPER, SNAP_CA_OBSERVED};
    struct snap_ca_use list[4];
    char ids[4][37];
    acd_err err = ACD_ERR_INIT;
    struct snap_view *view;
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "00000000-0000-4000-8000-%012zu", i);
        list[i] = (struct snap_ca_use){.id = slice_str(ids[i]), .flags = flags[i]};
    }
    ck_assert_int_eq(snap_begin(rig->w, &err), 0);
    ck_assert_int_eq(snap_put_host(rig->w, slice_str("h0.example.com"),
                                   slice_str("0123456789abcdef0123456789abcdef"), list, 4, &err),
                     0);
    ck_assert_int_eq(snap_commit(rig->w, 2, 0, &view, &err), 0);
    snap_view_unref(rig->view);
    rig->view = view;
}

START_TEST(each_role_has_its_part)
{
    struct rig rig;
    struct bundle_ref *ref, *again;
    rig_open(&rig, 4, 4);
    put_roles(&rig);
    struct snap_trust t = trust_of(&rig, 0);
    ck_assert(t.observes);
    ck_assert(!trust_of(&rig, 1).observes);
    ck_assert_int_eq(bundle_get(rig.bundles, rig.view, &t, BUNDLE_DECIDES, &ref, NULL), 0);
    ck_assert(atomic_load(&anchors) == 1 && atomic_load(&helpers) == 1);
    ck_assert_int_eq(bundle_place(ref, 0), 1);
    ck_assert(bundle_place(ref, 1) == -1 && bundle_place(ref, -1) == -1);
    bundle_put(rig.bundles, ref);
    ck_assert_int_eq(bundle_get(rig.bundles, rig.view, &t, BUNDLE_OBSERVES, &ref, NULL), 0);
    ck_assert(atomic_load(&anchors) == 2 && atomic_load(&helpers) == 1);
    ck_assert(bundle_place(ref, 0) == 0 && bundle_place(ref, 1) == 3 && bundle_place(ref, 2) == -1);
    ck_assert_int_eq(bundle_get(rig.bundles, rig.view, &t, BUNDLE_OBSERVES, &again, NULL), 0);
    ck_assert(again == ref);
    ck_assert_int_eq(atomic_load(&built), 2);
    bundle_put(rig.bundles, ref);
    bundle_put(rig.bundles, again);
    rig_close(&rig);
}
END_TEST

struct many {
    struct rig *rig;
    size_t seed;
};

static void
use_many(void *arg)
{
    struct many *m = arg;
    for (size_t i = 0; i < 500; i++)
        use(m->rig, (i * 7 + m->seed) % 6);
}

START_TEST(threads_share_one_compilation)
{
    enum { THREADS = 4 };
    struct rig rig;
    struct thread threads[THREADS];
    struct many many[THREADS];
    rig_open(&rig, 6, 6);
    for (size_t i = 0; i < THREADS; i++) {
        many[i] = (struct many){&rig, i};
        ck_assert_int_eq(thread_start(&threads[i], "user", use_many, &many[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    ck_assert_int_eq(atomic_load(&built), 6);
    rig_close(&rig);
}
END_TEST

Suite *suite_bundles(void);

Suite *
suite_bundles(void)
{
    Suite *s = suite_create("bundles");
    ADD_TESTS(s, "bundles", compiled_once_and_the_unused_goes, what_is_held_is_not_freed,
              a_failure_is_told_and_not_kept, each_role_has_its_part, threads_share_one_compilation);
    return s;
}
