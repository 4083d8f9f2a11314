/* The edge handle: opening, following the image, and giving revisions back. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "libanchord/edge_cache.h"
#include "libanchord/edge_part.h"
#include "model/digest.h"

#define PUBLIC __attribute__((visibility("default")))

enum { VERDICTS_DEFAULT = 16384, VERDICTS_MAX = 1 << 24 };

static acd_edge_opts
opts_of(const acd_edge_opts *given)
{
    acd_edge_opts o = {.struct_size = sizeof(o)};
    if (given) {
        size_t size = given->struct_size < sizeof(o) ? given->struct_size : sizeof(o);
        memcpy(&o, given, size);
    }
    if (o.verdicts == 0)
        o.verdicts = VERDICTS_DEFAULT;
    else if (o.verdicts == ACD_EDGE_NO_VERDICTS)
        o.verdicts = 0;
    return o;
}

/* Zeroed, and aligned so that what readers write lies in lines of their own. */
static void *
lines_new(size_t size)
{
    void *p = aligned_alloc(64, (size + 63) / 64 * 64);
    if (p)
        memset(p, 0, size);
    return p;
}

/* --- following the image ----------------------------------------------------------------------------------
 */

static bool
is_held(struct acd_edge *e, const struct snap_view *v)
{
    for (struct acd_edge_reader *r = e->readers; r; r = r->next)
        if (atomic_load_explicit(&r->held, memory_order_seq_cst) == v)
            return true;
    return false;
}

static void
retired_sweep(struct acd_edge *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < e->nretired; i++) {
        if (is_held(e, e->retired[i]))
            e->retired[kept++] = e->retired[i];
        else
            snap_view_unref(e->retired[i]);
    }
    e->nretired = kept;
}

/* Room for one more retired view, before anything is published: nothing may fail afterwards. */
static int
retired_reserve(struct acd_edge *e, acd_err *err)
{
    if (e->nretired < e->retired_cap)
        return 0;
    size_t cap = e->retired_cap ? 2 * e->retired_cap : 8;
    struct snap_view **more = realloc(e->retired, cap * sizeof(struct snap_view *));
    if (!more)
        return err_set(err, ACD_ENOMEM, "out of memory");
    e->retired = more;
    e->retired_cap = cap;
    return 0;
}

/* Makes v current; NULL: there is none. Takes the reference. */
static void
publish(struct acd_edge *e, struct snap_view *v)
{
    struct snap_view *old = atomic_exchange_explicit(&e->view, v, memory_order_seq_cst);
    if (old)
        e->retired[e->nretired++] = old;
    retired_sweep(e);
}

static int
file_open(struct acd_edge *e, acd_err *err)
{
    return e->opts.flags & ACD_EDGE_COPY ? snap_reader_open_copy(e->path, &e->file, err)
                                         : snap_reader_open(e->path, &e->file, err);
}

static int
refresh(struct acd_edge *e, int *ret_changed, acd_err *err)
{
    struct snap_view *v = NULL;
    bool lost = false;
    int rc = retired_reserve(e, err);
    if (rc == 0 && !e->file)
        rc = file_open(e, err);
    else if (rc == 0)
        rc = snap_reader_look(e->file, &lost, err);
    if (lost) {
        snap_reader_free(e->file);
        e->file = NULL;
        publish(e, NULL);
        *ret_changed = 1;
        return rc;
    }
    if (rc == 0)
        rc = snap_reader_refresh(e->file, &v, err);
    if (rc == 0 && v)
        publish(e, v);
    else
        retired_sweep(e);
    *ret_changed = v != NULL;
    return rc;
}

PUBLIC int
acd_edge_refresh(acd_edge *edge, int *ret_changed, acd_err *err)
{
    int changed = 0;
    if (!edge)
        return err_set(err, ACD_EINVAL, "no handle");
    CHECK_MAGIC(edge, EDGE_MAGIC);
    must(pthread_mutex_lock(&edge->lock) == 0);
    int rc = refresh(edge, &changed, err);
    must(pthread_mutex_unlock(&edge->lock) == 0);
    if (ret_changed)
        *ret_changed = changed;
    return rc;
}

/* --- handles ----------------------------------------------------------------------------------------------
 */

PUBLIC int
acd_edge_open(const char *path, const acd_edge_opts *opts, acd_edge **ret_edge, acd_err *err)
{
    if (!path || !ret_edge)
        return err_set(err, ACD_EINVAL, "a path is needed");
    acd_edge_opts o = opts_of(opts);
    if (o.verdicts > VERDICTS_MAX)
        return err_set(err, ACD_ELIMIT, "at most %d verdicts can be kept", VERDICTS_MAX);
    struct acd_edge *e = lines_new(sizeof(*e));
    if (!e)
        return err_set(err, ACD_ENOMEM, "out of memory");
    e->magic = EDGE_MAGIC;
    e->opts = o;
    must(pthread_mutex_init(&e->lock, NULL) == 0);
    e->path = strdup(path);
    int rc =
        e->path ? edge_cache_new(o.verdicts, &e->verdicts, err) : err_set(err, ACD_ENOMEM, "out of memory");
    if (rc == 0)
        rc = acd_edge_refresh(e, NULL, err);
    if (rc < 0) {
        acd_edge_close(e);
        return rc;
    }
    *ret_edge = e;
    return 0;
}

PUBLIC void
acd_edge_close(acd_edge *edge)
{
    if (!edge)
        return;
    CHECK_MAGIC(edge, EDGE_MAGIC);
    for (struct acd_edge_reader *r = edge->readers, *next; r; r = next) {
        next = r->next;
        r->magic = 0;
        free(r);
    }
    for (size_t i = 0; i < edge->nretired; i++)
        snap_view_unref(edge->retired[i]);
    snap_view_unref(atomic_load_explicit(&edge->view, memory_order_relaxed));
    snap_reader_free(edge->file);
    edge_cache_free(edge->verdicts);
    (void)pthread_mutex_destroy(&edge->lock);
    free(edge->retired);
    free(edge->path);
    edge->magic = 0;
    free(edge);
}

PUBLIC int
acd_edge_reader_new(acd_edge *edge, acd_edge_reader **ret_reader, acd_err *err)
{
    uint8_t warm[DIGEST_LEN];
    if (!edge || !ret_reader)
        return err_set(err, ACD_EINVAL, "no handle");
    CHECK_MAGIC(edge, EDGE_MAGIC);
    struct acd_edge_reader *r = lines_new(sizeof(*r));
    if (!r)
        return err_set(err, ACD_ENOMEM, "out of memory");
    r->magic = EDGE_READER_MAGIC;
    r->edge = edge;
    /* The first digest of a thread allocates; better here than in a question. */
    digest_sha256("", 0, warm);
    must(pthread_mutex_lock(&edge->lock) == 0);
    r->next = edge->readers;
    edge->readers = r;
    must(pthread_mutex_unlock(&edge->lock) == 0);
    *ret_reader = r;
    return 0;
}

PUBLIC void
acd_edge_reader_free(acd_edge_reader *reader)
{
    if (!reader)
        return;
    CHECK_MAGIC(reader, EDGE_READER_MAGIC);
    struct acd_edge *e = reader->edge;
    must(pthread_mutex_lock(&e->lock) == 0);
    struct acd_edge_reader **at = &e->readers;
    while (*at != reader)
        at = &(*at)->next;
    *at = reader->next;
    must(pthread_mutex_unlock(&e->lock) == 0);
    reader->magic = 0;
    free(reader);
}

/* --- sections ---------------------------------------------------------------------------------------------
 */

PUBLIC void
acd_edge_enter(acd_edge_reader *reader)
{
    struct acd_edge *e = reader->edge;
    struct snap_view *v, *again;
    CHECK_MAGIC(reader, EDGE_READER_MAGIC);
    if (reader->depth++ > 0)
        return;
    /* Announced first, then looked at again: either refresh sees the announcement, or we see its new view. */
    again = atomic_load_explicit(&e->view, memory_order_acquire);
    do {
        v = again;
        atomic_store_explicit(&reader->held, v, memory_order_seq_cst);
        again = atomic_load_explicit(&e->view, memory_order_seq_cst);
    } while (v != again);
}

PUBLIC void
acd_edge_leave(acd_edge_reader *reader)
{
    CHECK_MAGIC(reader, EDGE_READER_MAGIC);
    must(reader->depth > 0);
    if (--reader->depth == 0)
        atomic_store_explicit(&reader->held, NULL, memory_order_release);
}

int64_t
edge_age(const struct acd_edge *e, const struct snap_view *v, int64_t at_ms, bool *ret_stale)
{
    struct snap_info info;
    int64_t age;
    snap_view_info(v, &info);
    if (__builtin_sub_overflow(at_ms, info.created_ms, &age))
        age = at_ms > info.created_ms ? INT64_MAX : INT64_MIN;
    uint64_t distance = age < 0 ? 0 - (uint64_t)age : (uint64_t)age;
    *ret_stale = e->opts.stale_after_ms != 0 && distance > e->opts.stale_after_ms;
    return age;
}

int
edge_now(const acd_edge_reader *r, int64_t at_ms, struct edge_now *ret)
{
    CHECK_MAGIC(r, EDGE_READER_MAGIC);
    if (r->depth == 0)
        return ACD_EPRECOND;
    ret->view = atomic_load_explicit(&r->held, memory_order_relaxed);
    if (!ret->view)
        return ACD_EUNAVAIL;
    ret->age_ms = edge_age(r->edge, ret->view, at_ms, &ret->stale);
    return ret->stale && r->edge->opts.flags & ACD_EDGE_REFUSE_STALE ? ACD_EUNAVAIL : 0;
}

PUBLIC int
acd_edge_get_info(acd_edge_reader *reader, int64_t at_ms, acd_edge_info *ret_info)
{
    struct edge_now now = {0};
    struct snap_info info;
    int rc = edge_now(reader, at_ms, &now);
    /* Also about a view that is refused: this is how one finds out. */
    if (!now.view)
        return rc;
    snap_view_info(now.view, &info);
    *ret_info = (acd_edge_info){.revision = info.revision,
                                .epoch = info.epoch,
                                .hosts = info.hosts,
                                .zones = info.zones,
                                .cas = info.cas,
                                .created_ms = info.created_ms,
                                .age_ms = now.age_ms,
                                .stale = now.stale};
    return 0;
}
