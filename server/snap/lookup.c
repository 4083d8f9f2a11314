/*
 * Host lookups. A name costs one hash, a walk through directory nodes that stay in the cache, and two cache
 * misses in one page: the slot and the entry. The batch form starts the misses of a group of names together.
 */
#include "snap/view.h"

#include "snap/arr.h"

enum { GROUP = 16 };

int
snap_host_find(const struct snap_view *v, const char *pattern, size_t len, struct snap_hit *ret)
{
    const struct snap_entry *e;
    *ret = (struct snap_hit){0};
    if (len == 0 || len > SNAP_HOST_KEY_MAX)
        return 0;
    int rc = snap_tab_find(&v->space, &v->roots.hosts, v->secret, pattern, len, &e);
    if (rc == 1)
        *ret = (struct snap_hit){pattern[0] == '*' ? SNAP_WILDCARD : SNAP_EXACT, e->a, e->b};
    return rc;
}

/* "*" and what follows the first label. 0: the name has one label only, or is a pattern itself. */
static size_t
wildcard_of(const char *host, size_t len, char out[SNAP_NAME_MAX + 1])
{
    const char *dot = memchr(host, '.', len);
    if (!dot || dot == host || host[0] == '*')
        return 0;
    size_t rest = len - (size_t)(dot - host);
    if (rest < 2)
        return 0;
    out[0] = '*';
    memcpy(out + 1, dot, rest);
    return rest + 1;
}

/* Apart from the way of an exact name, which needs no room for a pattern. */
__attribute__((noinline)) static int
wildcard_lookup(const struct snap_view *v, const char *host, size_t len, struct snap_hit *ret)
{
    char pattern[SNAP_NAME_MAX + 1];
    len = wildcard_of(host, len, pattern);
    return len ? snap_host_find(v, pattern, len, ret) : 0;
}

int
snap_lookup(const struct snap_view *v, const char *host, size_t len, struct snap_hit *ret)
{
    *ret = (struct snap_hit){0};
    if (len == 0 || len > SNAP_NAME_MAX || host[0] == '*')
        return 0;
    int rc = snap_host_find(v, host, len, ret);
    return rc != 0 || v->roots.wildcards == 0 ? rc : wildcard_lookup(v, host, len, ret);
}

struct probe {
    const char *key;
    size_t len, at; /* at: number of the question */
    uint64_t hash;
    uint32_t ref;
    const struct snap_bucket *bucket;
};

static void
probe_start(const struct snap_view *v, struct probe *p)
{
    bool empty;
    p->hash = snap_hash(v->secret, p->key, p->len);
    p->bucket = snap_tab_bucket(&v->space, &v->roots.hosts, p->hash, &p->ref, &empty);
    if (p->bucket)
        __builtin_prefetch(snap_bucket_slots(p->bucket, p->ref) + (p->hash & (SNAP_SLOTS - 1)));
}

static void
probe_entry(const struct probe *p)
{
    if (!p->bucket)
        return;
    uint16_t slot = snap_bucket_slots(p->bucket, p->ref)[p->hash & (SNAP_SLOTS - 1)];
    const char *e = (const char *)p->bucket + (slot & 1023) * 4;
    __builtin_prefetch(e);
    __builtin_prefetch(e + 32);
}

static int
probe_finish(const struct snap_view *v, const struct probe *p, struct snap_hit *hit)
{
    if (!p->bucket)
        return v->roots.hosts.dir.n == 0 ? 0 : ACD_ECORRUPT;
    const struct snap_entry *e = snap_bucket_find(p->bucket, p->ref, p->hash, p->key, p->len);
    if (!e)
        return 0;
    *hit = (struct snap_hit){p->key[0] == '*' ? SNAP_WILDCARD : SNAP_EXACT, e->a, e->b};
    return 1;
}

static void
probes_run(const struct snap_view *v, struct probe *p, size_t n, struct snap_hit *hits, int *rc)
{
    for (size_t i = 0; i < n; i++)
        probe_start(v, &p[i]);
    for (size_t i = 0; i < n; i++)
        probe_entry(&p[i]);
    for (size_t i = 0; i < n; i++)
        rc[p[i].at] = probe_finish(v, &p[i], &hits[p[i].at]);
}

static size_t
group_run(const struct snap_view *v, const acd_slice *hosts, size_t n, struct snap_hit *hits, int *rc)
{
    struct probe probes[GROUP];
    char patterns[GROUP][SNAP_NAME_MAX + 1];
    size_t k = 0, found = 0;
    for (size_t i = 0; i < n; i++) {
        const char *name = hosts[i].ptr;
        hits[i] = (struct snap_hit){0};
        rc[i] = 0;
        if (hosts[i].len != 0 && hosts[i].len <= SNAP_NAME_MAX && name[0] != '*')
            probes[k++] = (struct probe){.key = name, .len = hosts[i].len, .at = i};
    }
    probes_run(v, probes, k, hits, rc);
    if (v->roots.wildcards != 0) {
        k = 0;
        for (size_t i = 0; i < n; i++) {
            size_t len = rc[i] == 0 && hosts[i].len != 0 && hosts[i].len <= SNAP_NAME_MAX
                             ? wildcard_of(hosts[i].ptr, hosts[i].len, patterns[k])
                             : 0;
            if (len) {
                probes[k] = (struct probe){.key = patterns[k], .len = len, .at = i};
                k++;
            }
        }
        probes_run(v, probes, k, hits, rc);
    }
    for (size_t i = 0; i < n; i++)
        found += rc[i] == 1;
    return found;
}

size_t
snap_lookup_batch(const struct snap_view *v, const acd_slice *hosts, size_t n, struct snap_hit *hits, int *rc)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i += GROUP)
        found += group_run(v, hosts + i, n - i < GROUP ? n - i : GROUP, hits + i, rc + i);
    return found;
}

/* The number of the first directory entry behind those that lead to the same bucket as i. */
static uint32_t
bucket_next(const struct snap_tab *t, const struct snap_bucket *b, uint32_t i)
{
    uint32_t span = b->depth >= t->depth ? 1 : 1u << (t->depth - b->depth);
    return (i & ~(span - 1)) + span;
}

int
snap_host_next(const struct snap_view *v, struct snap_cursor *at, struct snap_host *ret)
{
    const struct snap_tab *t = &v->roots.hosts;
    if (t->depth > SNAP_DEPTH_MAX)
        return ACD_ECORRUPT;
    while (at->bucket < t->dir.n) {
        uint32_t ref, off = at->offset;
        if (!snap_arr_find(&v->space, &t->dir, at->bucket, &ref))
            return ACD_ECORRUPT;
        const struct snap_bucket *b = snap_bucket_at(&v->space, ref);
        if (!b)
            return ACD_ECORRUPT;
        const struct snap_entry *e = snap_entry_at(b, ref, &off);
        if (e) {
            at->offset = off + snap_entry_size(e->len);
            *ret = (struct snap_host){{e->key, e->len}, e->a, e->b};
            return 1;
        }
        at->bucket = bucket_next(t, b, at->bucket);
        at->offset = 0;
    }
    return 0;
}
