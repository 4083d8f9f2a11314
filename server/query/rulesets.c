#include "query/rulesets.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "rule/record.h"

enum { DIGEST_BYTES = RULE_RECORD_DIGEST, RECORD_BLOCK = 65536 };

struct ruleset_ref {
    uint8_t digest[DIGEST_BYTES];
    struct ruleset *set; /* NULL while it is being compiled */
    char *id;
    uint64_t version;
    bool ready;
    unsigned refs;                 /* holders and waiters, under the lock */
    bool failed;                   /* compiling failed; the last holder drops it */
    struct ruleset_ref *up, *down; /* kept ones, latest use first */
};

struct rulesets {
    pthread_mutex_t lock;
    pthread_cond_t done; /* a compilation ended */
    struct map by_digest;
    struct ruleset_ref *first, *last;
    size_t max;
    uint64_t builds;
    const struct rule_scheme *scheme;
};

int
rulesets_new(const struct rule_scheme *scheme, size_t max, struct rulesets **ret, acd_err *err)
{
    struct rulesets *c = calloc(1, sizeof(*c));
    if (!c)
        return err_set(err, ACD_ENOMEM, "out of memory");
    c->scheme = scheme;
    c->max = max;
    must(pthread_mutex_init(&c->lock, NULL) == 0);
    must(pthread_cond_init(&c->done, NULL) == 0);
    *ret = c;
    return 0;
}

static void
ref_unlink(struct rulesets *c, struct ruleset_ref *ref)
{
    *(ref->up ? &ref->up->down : &c->first) = ref->down;
    *(ref->down ? &ref->down->up : &c->last) = ref->up;
    ref->up = ref->down = NULL;
}

static void
ref_to_front(struct rulesets *c, struct ruleset_ref *ref)
{
    ref->up = NULL;
    ref->down = c->first;
    *(c->first ? &c->first->up : &c->last) = ref;
    c->first = ref;
}

static void
ref_drop(struct rulesets *c, struct ruleset_ref *ref)
{
    ref_unlink(c, ref);
    must(map_take(&c->by_digest, slice_of(ref->digest, DIGEST_BYTES)) == ref);
    ruleset_free(ref->set);
    free(ref->id);
    free(ref);
}

void
rulesets_free(struct rulesets *c)
{
    if (!c)
        return;
    while (c->first) {
        must(c->first->refs == 0);
        ref_drop(c, c->first);
    }
    map_done(&c->by_digest);
    (void)pthread_cond_destroy(&c->done);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

/* Drops what was unused for longest; what is held stays, so there may be more than max for a while. */
static void
trim(struct rulesets *c)
{
    struct ruleset_ref *ref = c->last;
    while (ref && c->by_digest.len > c->max) {
        struct ruleset_ref *up = ref->up;
        if (ref->refs == 0)
            ref_drop(c, ref);
        ref = up;
    }
}

/* --- compiling --------------------------------------------------------------------------------------------
 */

static int
compile_record(struct rulesets *c, const struct rule_record *rec, struct ruleset_ref *ref, acd_err *err)
{
    struct ruleset_findings findings;
    ref->id = strndup(rec->id.ptr, rec->id.len);
    ref->version = (uint64_t)rec->version;
    if (!ref->id)
        return err_set(err, ACD_ENOMEM, "out of memory");
    int rc = ruleset_new(c->scheme, rec->id, rec->version, rec->rules, rec->n, &ref->set, &findings);
    if (rc == ACD_EINVAL && findings.len)
        rc = err_set(err, rc, "the zone's rules cannot be compiled here; rule %zu: %s",
                     findings.items[0].rule + 1, findings.items[0].message);
    ruleset_findings_done(&findings);
    return rc;
}

static int
compile(struct rulesets *c, acd_slice record, struct ruleset_ref *ref, acd_err *err)
{
    struct mem_region region;
    struct rule_record rec;
    mem_init(&region, RECORD_BLOCK, 0);
    int rc = rule_record_decode(&region, record, &rec);
    rc = rc < 0 ? err_set(err, rc, "the zone's rules in the snapshot are damaged")
                : compile_record(c, &rec, ref, err);
    mem_done(&region);
    return rc;
}

/* A new entry, held by the caller, that others can wait for. Under the lock. */
static struct ruleset_ref *
ref_new(struct rulesets *c, const uint8_t *digest)
{
    struct ruleset_ref *ref = calloc(1, sizeof(*ref));
    if (!ref)
        return NULL;
    memcpy(ref->digest, digest, DIGEST_BYTES);
    ref->refs = 1;
    if (map_put(&c->by_digest, slice_of(digest, DIGEST_BYTES), ref, NULL) < 0) {
        free(ref);
        return NULL;
    }
    ref_to_front(c, ref);
    return ref;
}

/* Waits for the one who compiles. Under the lock. */
static int
wait_for(struct rulesets *c, struct ruleset_ref *ref, acd_err *err)
{
    while (!ref->ready && !ref->failed)
        (void)pthread_cond_wait(&c->done, &c->lock);
    return ref->failed ? err_set(err, ACD_EINTERNAL, "the zone's rules could not be compiled") : 0;
}

static void
put_locked(struct rulesets *c, struct ruleset_ref *ref)
{
    must(ref->refs > 0);
    if (--ref->refs == 0 && ref->failed)
        ref_drop(c, ref);
}

int
ruleset_get(struct rulesets *c, acd_slice record, struct ruleset_ref **ret, acd_err *err)
{
    const uint8_t *digest = rule_record_digest(record);
    int rc = 0;
    if (!digest)
        return err_set(err, ACD_ECORRUPT, "the zone's rules in the snapshot are damaged");
    (void)pthread_mutex_lock(&c->lock);
    struct ruleset_ref *ref = map_find(&c->by_digest, slice_of(digest, DIGEST_BYTES));
    if (ref) {
        ref->refs++;
        ref_unlink(c, ref);
        ref_to_front(c, ref);
        rc = wait_for(c, ref, err);
    } else if (!(ref = ref_new(c, digest))) {
        rc = err_set(err, ACD_ENOMEM, "out of memory");
    } else {
        c->builds++;
        (void)pthread_mutex_unlock(&c->lock);
        rc = compile(c, record, ref, err);
        (void)pthread_mutex_lock(&c->lock);
        ref->ready = rc == 0;
        ref->failed = rc < 0;
        (void)pthread_cond_broadcast(&c->done);
        trim(c);
    }
    if (rc < 0 && ref)
        put_locked(c, ref);
    (void)pthread_mutex_unlock(&c->lock);
    if (rc == 0)
        *ret = ref;
    return rc;
}

struct ruleset_ref *
ruleset_peek(struct rulesets *c, acd_slice record)
{
    const uint8_t *digest = rule_record_digest(record);
    struct ruleset_ref *ref = NULL;
    (void)pthread_mutex_lock(&c->lock);
    if (digest)
        ref = map_find(&c->by_digest, slice_of(digest, DIGEST_BYTES));
    if (ref && ref->ready) {
        ref->refs++;
        ref_unlink(c, ref);
        ref_to_front(c, ref);
    } else {
        ref = NULL;
    }
    (void)pthread_mutex_unlock(&c->lock);
    return ref;
}

void
ruleset_put(struct rulesets *c, struct ruleset_ref *ref)
{
    if (!ref)
        return;
    (void)pthread_mutex_lock(&c->lock);
    put_locked(c, ref);
    (void)pthread_mutex_unlock(&c->lock);
}

const struct ruleset *
ruleset_of(const struct ruleset_ref *ref)
{
    return ref->set;
}

const char *
ruleset_id(const struct ruleset_ref *ref)
{
    return ref->id;
}

uint64_t
ruleset_version(const struct ruleset_ref *ref)
{
    return ref->version;
}

void
rulesets_count(struct rulesets *c, uint64_t *ret_builds, uint64_t *ret_kept)
{
    (void)pthread_mutex_lock(&c->lock);
    *ret_builds = c->builds;
    *ret_kept = c->by_digest.len;
    (void)pthread_mutex_unlock(&c->lock);
}
