#include "query/roots.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rcu.h"
#include "base/str.h"
#include "model/digest.h"
#include "model/limits.h"

/* What tells one state of the file from another. */
struct stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec modified, changed;
};

struct roots_set {
    struct rcu_retired retired;
    _Atomic unsigned refs; /* holders, and the publication */
    struct plug_bundle *bundle;
    uint8_t digest[DIGEST_LEN];
    size_t n;
    uint8_t sha256[][DIGEST_LEN];
};

struct roots {
    struct plug_validator *validator;
    char *path;
    pthread_mutex_t lock; /* of reading the file, and of what follows */
    struct roots_set *set;
    bool tried;
    struct stamp stamp; /* of the last try; zeros: there was no file */
    int failed;         /* how the last try ended, and why */
    acd_err why;
};

int
roots_new(struct plug_validator *validator, const char *path, struct roots **ret, acd_err *err)
{
    struct roots *r = calloc(1, sizeof(*r));
    if (!r || !(r->path = strdup(path ? path : ""))) {
        free(r);
        return err_set(err, ACD_ENOMEM, "out of memory");
    }
    r->validator = validator;
    r->why = (acd_err)ACD_ERR_INIT;
    must(pthread_mutex_init(&r->lock, NULL) == 0);
    *ret = r;
    return 0;
}

void
roots_put(struct roots_set *set)
{
    if (!set || atomic_fetch_sub(&set->refs, 1) > 1)
        return;
    plug_bundle_free(set->bundle);
    free(set);
}

void
roots_free(struct roots *r)
{
    if (!r)
        return;
    rcu_drain();
    roots_put(r->set);
    (void)pthread_mutex_destroy(&r->lock);
    free(r->path);
    free(r);
}

/* --- reading ----------------------------------------------------------------------------------------------
 */

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END   "-----END CERTIFICATE-----"

/* The bytes of one block, in the region. */
static int
decode(struct mem_region *m, const char *text, size_t len, acd_slice *ret)
{
    char *packed = mem_alloc(m, len + 1);
    uint8_t *der = mem_alloc(m, len + 1);
    size_t n = 0, out = 0;
    if (!packed || !der)
        return ACD_ENOMEM;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\n' && text[i] != '\r' && text[i] != ' ' && text[i] != '\t')
            packed[n++] = text[i];
    if (!base64_decode(slice_of(packed, n), der, &out) || out == 0)
        return ACD_EINVAL;
    *ret = slice_of(der, out);
    return 0;
}

struct certs {
    struct mem_region region;
    acd_slice *ders;
    size_t n;
};

/* Text around the blocks, and blocks of another kind, are skipped. */
static int
split(struct certs *c, acd_slice text, acd_err *err)
{
    const char *at = text.ptr, *end = at + text.len;
    c->ders = mem_new_n(&c->region, LIMIT_ROOTS, acd_slice);
    if (!c->ders)
        return err_set(err, ACD_ENOMEM, "out of memory");
    while (text.len && (at = memmem(at, (size_t)(end - at), PEM_BEGIN, strlen(PEM_BEGIN)))) {
        at += strlen(PEM_BEGIN);
        const char *stop = memmem(at, (size_t)(end - at), PEM_END, strlen(PEM_END));
        if (c->n == LIMIT_ROOTS)
            return err_set(err, ACD_ELIMIT, "it holds more than %d certificates", LIMIT_ROOTS);
        int rc = stop ? decode(&c->region, at, (size_t)(stop - at), &c->ders[c->n]) : ACD_EINVAL;
        if (rc < 0)
            return err_set(err, rc, "its certificate %zu is no PEM block", c->n + 1);
        c->n++;
        at = stop + strlen(PEM_END);
    }
    return c->n ? 0 : err_set(err, ACD_EINVAL, "it holds no certificate");
}

static int
compile(struct roots *r, const struct certs *c, struct roots_set **ret, acd_err *err)
{
    struct digest d;
    struct roots_set *set = calloc(1, sizeof(*set) + c->n * DIGEST_LEN);
    acd_anchor *anchors = calloc(c->n, sizeof(*anchors));
    if (!set || !anchors) {
        free(set);
        free(anchors);
        return err_set(err, ACD_ENOMEM, "out of memory");
    }
    atomic_store(&set->refs, 1);
    set->n = c->n;
    digest_init(&d);
    for (size_t i = 0; i < c->n; i++) {
        anchors[i] =
            (acd_anchor){.struct_size = sizeof(acd_anchor), .profile = ACD_PROFILE_COMPAT, .der = c->ders[i]};
        digest_sha256(c->ders[i].ptr, c->ders[i].len, set->sha256[i]);
        digest_update(&d, set->sha256[i], DIGEST_LEN);
    }
    digest_final(&d, set->digest);
    const acd_bundle_spec spec = {.struct_size = sizeof(spec), .anchors = anchors, .nanchors = c->n};
    int rc = plug_bundle_build(r->validator, &spec, 0, &set->bundle, err);
    free(anchors);
    if (rc < 0) {
        free(set);
        return rc;
    }
    *ret = set;
    return 0;
}

static int
load(struct roots *r, struct roots_set **ret, acd_err *err)
{
    struct buf text = BUF_INIT(LIMIT_ROOTS_FILE);
    struct certs certs = {.n = 0};
    mem_init(&certs.region, 1 << 18, 0);
    int rc =
        r->path[0] ? io_read_file(r->path, &text, err) : err_set(err, ACD_ENOENT, "no file is configured");
    if (rc == 0)
        rc = split(&certs, slice_of(text.data, text.len), err);
    if (rc == 0)
        rc = compile(r, &certs, ret, err);
    buf_done(&text);
    mem_done(&certs.region);
    return rc;
}

/* --- publishing -------------------------------------------------------------------------------------------
 */

static void
set_retired(struct rcu_retired *retired)
{
    roots_put((struct roots_set *)(void *)retired);
}
_Static_assert(offsetof(struct roots_set, retired) == 0, "what is retired begins with it");

static bool
stamp_read(const char *path, struct stamp *ret)
{
    struct stat st;
    *ret = (struct stamp){0};
    if (stat(path, &st) < 0)
        return false;
    ret->dev = st.st_dev;
    ret->ino = st.st_ino;
    ret->size = st.st_size;
    ret->modified = st.st_mtim;
    ret->changed = st.st_ctim;
    return true;
}

static bool
stamp_same(const struct stamp *a, const struct stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Under the lock. The stamp is taken first: a file that changes while it is read is read again. */
static void
take_up(struct roots *r)
{
    struct stamp now;
    struct roots_set *set = NULL;
    (void)stamp_read(r->path, &now);
    if (r->tried && stamp_same(&now, &r->stamp))
        return;
    r->stamp = now;
    r->tried = true;
    r->why = (acd_err)ACD_ERR_INIT;
    r->failed = load(r, &set, &r->why);
    if (r->failed < 0) {
        LOG(ACD_LOG_ERR, "roots.unusable", LF_STR("path", r->path),
            LF_STR("why", err_text(&r->why, r->failed)),
            LF_STR("then", r->set ? "the roots that were read before stay"
                                  : "no origin is verified by public roots"));
        return;
    }
    LOG(ACD_LOG_INFO, "roots.read", LF_STR("path", r->path), LF_INT("certificates", set->n));
    struct roots_set *old = rcu_swap(r->set, set);
    if (old)
        rcu_retire(&old->retired, set_retired);
}

void
roots_refresh(struct roots *r)
{
    (void)pthread_mutex_lock(&r->lock);
    if (r->tried)
        take_up(r);
    (void)pthread_mutex_unlock(&r->lock);
}

const struct roots_set *
roots_get(const struct roots *r)
{
    return rcu_get(r->set);
}

struct roots_set *
roots_hold(const struct roots_set *set)
{
    struct roots_set *held = (struct roots_set *)set;
    (void)atomic_fetch_add(&held->refs, 1);
    return held;
}

int
roots_take(struct roots *r, struct roots_set **ret, acd_err *err)
{
    int rc = 0;
    (void)pthread_mutex_lock(&r->lock);
    if (!r->set)
        take_up(r);
    if (r->set)
        *ret = roots_hold(r->set);
    else
        rc = err_set(err, ACD_EUNAVAIL, "the public roots cannot be used: %s: %s", r->path,
                     err_text(&r->why, r->failed));
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

/* --- facts ------------------------------------------------------------------------------------------------
 */

const struct plug_bundle *
roots_bundle(const struct roots_set *set)
{
    return set->bundle;
}

const uint8_t *
roots_digest(const struct roots_set *set)
{
    return set->digest;
}

size_t
roots_count(const struct roots_set *set)
{
    return set->n;
}

const uint8_t *
roots_sha256(const struct roots_set *set, size_t i)
{
    return set->sha256[i];
}

const char *
roots_path(const struct roots *r)
{
    return r->path;
}
