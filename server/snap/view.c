#include "snap/view.h"

#include <stdlib.h>

#include "snap/arr.h"

struct snap_view *
snap_view_new(struct snap_map *m, const struct snap_slot *slot)
{
    struct snap_view *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->magic = SNAP_VIEW_MAGIC;
    atomic_init(&v->refs, 1);
    v->space = (struct snap_space){m->base, slot->used, snap_map_ref(m)};
    v->secret = ((const struct snap_header *)m->base)->secret;
    v->roots = slot->roots;
    v->revision = slot->revision;
    v->seq = slot->seq;
    v->used = slot->used;
    v->live = slot->live;
    v->created_ms = slot->created_ms;
    return v;
}

struct snap_view *
snap_view_ref(const struct snap_view *v)
{
    struct snap_view *w = (struct snap_view *)v;
    CHECK_MAGIC(w, SNAP_VIEW_MAGIC);
    (void)atomic_fetch_add_explicit(&w->refs, 1, memory_order_relaxed);
    return w;
}

void
snap_view_unref(struct snap_view *v)
{
    if (!v)
        return;
    CHECK_MAGIC(v, SNAP_VIEW_MAGIC);
    if (atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
        return;
    snap_map_unref(v->space.map);
    v->magic = 0;
    free(v);
}

static void
view_retired(struct rcu_retired *r)
{
    snap_view_unref(caa_container_of(r, struct snap_view, retired));
}

const struct snap_view *
snap_pub_get(const struct snap_pub *p)
{
    return rcu_get(p->view);
}

void
snap_pub_set(struct snap_pub *p, struct snap_view *v)
{
    struct snap_view *old = rcu_swap(p->view, v);
    must(!old || old != v);
    if (old)
        rcu_retire(&old->retired, view_retired);
}

void
snap_view_info(const struct snap_view *v, struct snap_info *ret)
{
    const struct snap_header *h = (const struct snap_header *)v->space.base;
    const struct snap_roots *r = &v->roots;
    *ret = (struct snap_info){
        .revision = v->revision,
        .epoch = h->epoch,
        .file_id = h->file_id,
        .seq = v->seq,
        .created_ms = v->created_ms,
        .hosts = r->hosts.count,
        .zones = r->zones.count,
        .cas = r->cas.count,
        .trusts = r->trusts.count,
        .blobs = r->blobs.count,
        .used = v->used,
        .live = v->live,
    };
}

uint64_t
snap_view_revision(const struct snap_view *v)
{
    return v->revision;
}

/* The record with that number: 0, ACD_ENOENT or ACD_ECORRUPT. */
static int
record(const struct snap_view *v, const struct snap_arr *a, uint32_t i, uint32_t kind, size_t min,
       const void **ret, uint32_t *ret_len)
{
    uint32_t ref;
    if (!snap_arr_find(&v->space, a, i, &ref))
        return ACD_ECORRUPT;
    if (ref == 0 || (ref & SNAP_FREE))
        return ACD_ENOENT;
    *ret = snap_record_at(&v->space, ref, kind, min, ret_len);
    return *ret ? 0 : ACD_ECORRUPT;
}

static int
number_find(const struct snap_view *v, const struct snap_tab *t, const void *key, size_t len, uint32_t *ret)
{
    const struct snap_entry *e;
    int rc = snap_tab_find(&v->space, t, v->secret, key, len, &e);
    if (rc != 1)
        return rc < 0 ? rc : ACD_ENOENT;
    *ret = e->a;
    return 0;
}

int
snap_zone_get(const struct snap_view *v, uint32_t zone, struct snap_zone *ret)
{
    const void *p;
    uint32_t len;
    int rc = record(v, &v->roots.zone, zone, SNAP_K_ZONE, sizeof(struct snap_zone_rec), &p, &len);
    if (rc < 0)
        return rc;
    const struct snap_zone_rec *z = p;
    if ((size_t)z->id_len + z->account_len + z->name_len > len - sizeof(*z))
        return ACD_ECORRUPT;
    *ret = (struct snap_zone){{z->text, z->id_len},
                              {z->text + z->id_len, z->account_len},
                              {z->text + z->id_len + z->account_len, z->name_len}};
    return 0;
}

int
snap_zone_find(const struct snap_view *v, acd_slice id, uint32_t *ret_zone)
{
    if (id.len == 0 || id.len > SNAP_ID_MAX)
        return ACD_ENOENT;
    return number_find(v, &v->roots.zones, id.ptr, id.len, ret_zone);
}

int
snap_ca_get(const struct snap_view *v, uint32_t ca, struct snap_ca *ret)
{
    const void *p;
    uint32_t len;
    int rc = record(v, &v->roots.ca, ca, SNAP_K_CA, sizeof(struct snap_ca_rec), &p, &len);
    if (rc < 0)
        return rc;
    const struct snap_ca_rec *c = p;
    if ((uint64_t)c->id_len + c->subject_len + c->der_len > len - sizeof(*c))
        return ACD_ECORRUPT;
    *ret = (struct snap_ca){
        .id = {c->bytes, c->id_len},
        .index = c->index,
        .sha256 = c->sha256,
        .subject = {c->bytes + c->id_len, c->subject_len},
        .der = {c->bytes + c->id_len + c->subject_len, c->der_len},
        .not_before_ms = c->not_before_ms,
        .not_after_ms = c->not_after_ms,
        .profile = c->profile,
        .flags = c->flags,
    };
    return 0;
}

int
snap_ca_find(const struct snap_view *v, acd_slice id, uint32_t index, uint32_t *ret_ca)
{
    char key[SNAP_ID_MAX + 1];
    if (id.len == 0 || id.len > SNAP_ID_MAX || index >= SNAP_CA_INDEX_MAX)
        return ACD_ENOENT;
    return number_find(v, &v->roots.cas, key, snap_ca_key(key, id, index), ret_ca);
}

uint32_t
snap_ca_limit(const struct snap_view *v)
{
    return v->roots.ca.n;
}

int
snap_trust_get(const struct snap_view *v, uint32_t trust, struct snap_trust *ret)
{
    const void *p;
    uint32_t len;
    int rc = record(v, &v->roots.trust, trust, SNAP_K_TRUST, sizeof(struct snap_trust_rec), &p, &len);
    if (rc < 0)
        return rc;
    const struct snap_trust_rec *t = p;
    uint32_t n = t->n;
    if (n > (len - sizeof(*t)) / sizeof(t->entry[0]))
        return ACD_ECORRUPT;
    *ret = (struct snap_trust){.digest = t->digest, .n = n, .observes = t->observes != 0, .entries = t};
    if (len - sizeof(*t) - n * sizeof(t->entry[0]) >= sizeof(ret->epoch))
        memcpy(&ret->epoch, &t->entry[n], sizeof(ret->epoch));
    return 0;
}

int
snap_trust_ca(const struct snap_view *v, const struct snap_trust *t, uint32_t i, struct snap_ca *ret,
              uint32_t *ret_flags)
{
    const struct snap_trust_rec *rec = t->entries;
    must(i < t->n);
    int rc = snap_ca_get(v, rec->entry[i].ca, ret);
    if (rc == 0)
        *ret_flags = rec->entry[i].flags | ret->flags;
    return rc == ACD_ENOENT ? ACD_ECORRUPT : rc;
}

int
snap_blob_find(const struct snap_view *v, uint32_t kind, acd_slice key, acd_slice *ret)
{
    char text[sizeof(uint32_t) + SNAP_KEY_MAX];
    const void *p;
    uint32_t number, len;
    if (key.len > SNAP_KEY_MAX)
        return ACD_ENOENT;
    int rc = number_find(v, &v->roots.blobs, text, snap_blob_key(text, kind, key), &number);
    if (rc < 0)
        return rc;
    rc = record(v, &v->roots.blob, number, SNAP_K_BLOB, sizeof(struct snap_blob_rec), &p, &len);
    if (rc < 0)
        return ACD_ECORRUPT; /* the table named it */
    const struct snap_blob_rec *b = p;
    if (b->key_len > len - sizeof(*b))
        return ACD_ECORRUPT;
    *ret = (acd_slice){b->bytes + b->key_len, len - sizeof(*b) - b->key_len};
    return 0;
}
