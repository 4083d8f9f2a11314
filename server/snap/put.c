/* Changes by name: zones, hosts, blobs. CAs and trust sets are in trust.c. */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "snap/arr.h"
#include "snap/txn.h"

#define TXN_CHECK(w)                         \
    do {                                     \
        CHECK_MAGIC((w), SNAP_WRITER_MAGIC); \
        must((w)->open);                     \
        if ((w)->failed)                     \
            return (w)->failed;              \
    } while (0)

static int
id_check(acd_slice id, const char *what, acd_err *err)
{
    return id.len > 0 && id.len <= SNAP_ID_MAX ? 0 : err_set(err, ACD_EINVAL, "%s has a bad length", what);
}

static void
text_put(char **at, acd_slice s)
{
    if (s.len)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
}

/* Puts ref under the number that the key has in t, or under a new number. */
static int
numbered_put(struct snap_writer *w, struct snap_tab *t, struct snap_arr *a, const void *key, size_t len,
             uint32_t ref, acd_err *err)
{
    uint32_t number, old;
    int rc = snap_tab_get(w, t, key, len, &number, NULL, err);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        rc = snap_arr_take(w, a, ref, &number, err);
        return rc < 0 ? rc : snap_tab_put(w, t, key, len, number, 0, err);
    }
    if (!snap_arr_find(&w->work.space, a, number, &old) || old == 0 || (old & SNAP_FREE))
        return snap_fail(w, ACD_ECORRUPT, err);
    snap_free_piece(w, old);
    return snap_arr_set(w, a, number, ref, err);
}

static int
numbered_del(struct snap_writer *w, struct snap_tab *t, struct snap_arr *a, const void *key, size_t len,
             uint32_t number, acd_err *err)
{
    uint32_t old;
    if (!snap_arr_find(&w->work.space, a, number, &old) || old == 0 || (old & SNAP_FREE))
        return snap_fail(w, ACD_ECORRUPT, err);
    snap_free_piece(w, old);
    int rc = snap_tab_del(w, t, key, len, err);
    return rc < 0 ? snap_fail(w, rc, err) : snap_arr_release(w, a, number, err);
}

int
snap_put_zone(struct snap_writer *w, acd_slice id, acd_slice account, acd_slice name, acd_err *err)
{
    TXN_CHECK(w);
    int rc = id_check(id, "zone id", err);
    if (rc == 0 && (account.len > SNAP_ID_MAX || name.len > SNAP_NAME_MAX))
        rc = err_set(err, ACD_EINVAL, "account id or zone name is too long");
    if (rc < 0)
        return rc;
    uint32_t ref;
    struct snap_piece *p = snap_alloc_piece(
        w, SNAP_K_ZONE, (uint32_t)(sizeof(struct snap_zone_rec) + id.len + account.len + name.len), &ref,
        err);
    if (!p)
        return w->failed;
    struct snap_zone_rec *z = snap_piece_data(p);
    *z = (struct snap_zone_rec){(uint8_t)id.len, (uint8_t)account.len, (uint8_t)name.len, 0};
    char *at = z->text;
    text_put(&at, id);
    text_put(&at, account);
    text_put(&at, name);
    return numbered_put(w, &w->work.roots.zones, &w->work.roots.zone, id.ptr, id.len, ref, err);
}

int
snap_del_zone(struct snap_writer *w, acd_slice id, acd_err *err)
{
    TXN_CHECK(w);
    uint32_t zone, uses;
    int rc = id_check(id, "zone id", err);
    if (rc == 0)
        rc = snap_tab_get(w, &w->work.roots.zones, id.ptr, id.len, &zone, NULL, err);
    if (rc <= 0)
        return rc < 0 ? rc : ACD_ENOENT;
    if (!snap_arr_find(&w->work.space, &w->work.roots.zone_uses, zone, &uses))
        return snap_fail(w, ACD_ECORRUPT, err);
    if (uses != 0)
        return err_set(err, ACD_EPRECOND, "zone still has %u hosts", uses);
    return numbered_del(w, &w->work.roots.zones, &w->work.roots.zone, id.ptr, id.len, zone, err);
}

static int
pattern_check(acd_slice p, acd_err *err)
{
    const char *s = p.ptr;
    size_t max =
        p.len && (s[0] == SNAP_NAMES_ACCESS || s[0] == SNAP_NAMES_ORIGIN) ? SNAP_HOST_KEY_MAX : SNAP_NAME_MAX;
    if (p.len == 0 || p.len > max)
        return err_set(err, ACD_EINVAL, "host name has a bad length");
    if (s[0] == '*' && (p.len < 3 || s[1] != '.'))
        return err_set(err, ACD_EINVAL, "a wildcard is \"*.\" and a name");
    return 0;
}

/* A host gained (1) or lost (-1) this zone and trust set. */
static int
host_count(struct snap_writer *w, uint32_t zone, uint32_t trust, int32_t delta, acd_err *err)
{
    uint32_t uses;
    int rc = snap_arr_add(w, &w->work.roots.zone_uses, zone, delta, &uses, err);
    return rc < 0 ? rc : snap_trust_hold(w, trust, delta, err);
}

int
snap_put_host_set(struct snap_writer *w, acd_slice pattern, acd_slice zone_id, uint32_t trust, acd_err *err)
{
    TXN_CHECK(w);
    struct snap_roots *r = &w->work.roots;
    uint32_t zone, ref, old_zone, old_trust;
    int rc = pattern_check(pattern, err);
    if (rc == 0)
        rc = id_check(zone_id, "zone id", err);
    if (rc == 0)
        rc = snap_tab_get(w, &r->zones, zone_id.ptr, zone_id.len, &zone, NULL, err);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(err, ACD_ENOENT, "no such zone");
    if (!snap_arr_find(&w->work.space, &r->trust, trust, &ref))
        return snap_fail(w, ACD_ECORRUPT, err);
    if (ref == 0 || (ref & SNAP_FREE))
        return err_set(err, ACD_ENOENT, "no such trust set");
    int had = snap_tab_get(w, &r->hosts, pattern.ptr, pattern.len, &old_zone, &old_trust, err);
    if (had < 0 || (had == 1 && old_zone == zone && old_trust == trust))
        return had < 0 ? had : 0;
    rc = host_count(w, zone, trust, 1, err);
    if (rc == 0)
        rc = snap_tab_put(w, &r->hosts, pattern.ptr, pattern.len, zone, trust, err);
    if (rc == 0 && had)
        rc = host_count(w, old_zone, old_trust, -1, err);
    else if (rc == 0 && *(const char *)pattern.ptr == '*')
        r->wildcards++;
    return rc;
}

int
snap_put_host(struct snap_writer *w, acd_slice pattern, acd_slice zone_id, const struct snap_ca_use *list,
              size_t n, acd_err *err)
{
    uint32_t trust;
    int rc = snap_intern_trust(w, list, n, &trust, err);
    return rc < 0 ? rc : snap_put_host_set(w, pattern, zone_id, trust, err);
}

int
snap_del_host(struct snap_writer *w, acd_slice pattern, acd_err *err)
{
    TXN_CHECK(w);
    uint32_t zone, trust;
    if (pattern.len == 0 || pattern.len > SNAP_HOST_KEY_MAX)
        return ACD_ENOENT;
    int rc = snap_tab_get(w, &w->work.roots.hosts, pattern.ptr, pattern.len, &zone, &trust, err);
    if (rc <= 0)
        return rc < 0 ? rc : ACD_ENOENT;
    rc = snap_tab_del(w, &w->work.roots.hosts, pattern.ptr, pattern.len, err);
    if (rc < 0)
        return snap_fail(w, rc, err);
    if (*(const char *)pattern.ptr == '*')
        w->work.roots.wildcards--;
    return host_count(w, zone, trust, -1, err);
}

int
snap_put_blob(struct snap_writer *w, uint32_t kind, acd_slice key, acd_slice bytes, acd_err *err)
{
    TXN_CHECK(w);
    char text[sizeof(uint32_t) + SNAP_KEY_MAX];
    uint32_t ref;
    if (key.len > SNAP_KEY_MAX || bytes.len > SNAP_BLOB_MAX)
        return err_set(err, ACD_ELIMIT, "blob or its key is too long");
    struct snap_piece *p = snap_alloc_piece(
        w, SNAP_K_BLOB, (uint32_t)(sizeof(struct snap_blob_rec) + key.len + bytes.len), &ref, err);
    if (!p)
        return w->failed;
    struct snap_blob_rec *b = snap_piece_data(p);
    *b = (struct snap_blob_rec){kind, (uint32_t)key.len};
    char *at = (char *)b->bytes;
    text_put(&at, key);
    text_put(&at, bytes);
    return numbered_put(w, &w->work.roots.blobs, &w->work.roots.blob, text, snap_blob_key(text, kind, key),
                        ref, err);
}

int
snap_del_blob(struct snap_writer *w, uint32_t kind, acd_slice key, acd_err *err)
{
    TXN_CHECK(w);
    char text[sizeof(uint32_t) + SNAP_KEY_MAX];
    uint32_t number;
    if (key.len > SNAP_KEY_MAX)
        return ACD_ENOENT;
    size_t len = snap_blob_key(text, kind, key);
    int rc = snap_tab_get(w, &w->work.roots.blobs, text, len, &number, NULL, err);
    if (rc <= 0)
        return rc < 0 ? rc : ACD_ENOENT;
    return numbered_del(w, &w->work.roots.blobs, &w->work.roots.blob, text, len, number, err);
}

/* --- CAs -------------------------------------------------------------------------------------------------
 */

static int
ca_check(const struct snap_ca *ca, acd_err *err)
{
    int rc = id_check(ca->id, "certificate id", err);
    if (rc == 0 &&
        (ca->index >= SNAP_CA_INDEX_MAX || ca->subject.len > SNAP_SUBJECT_MAX || ca->der.len > SNAP_DER_MAX))
        rc = err_set(err, ACD_ELIMIT, "certificate is over a limit");
    return rc;
}

int
snap_put_ca(struct snap_writer *w, const struct snap_ca *ca, acd_err *err)
{
    TXN_CHECK(w);
    char key[SNAP_ID_MAX + 1];
    uint32_t ref, number;
    int rc = ca_check(ca, err);
    if (rc < 0)
        return rc;
    size_t len = snap_ca_key(key, ca->id, ca->index), bytes = ca->id.len + ca->subject.len + ca->der.len;
    struct snap_piece *p =
        snap_alloc_piece(w, SNAP_K_CA, (uint32_t)(sizeof(struct snap_ca_rec) + bytes), &ref, err);
    if (!p)
        return w->failed;
    struct snap_ca_rec *c = snap_piece_data(p);
    *c = (struct snap_ca_rec){.not_before_ms = ca->not_before_ms,
                              .not_after_ms = ca->not_after_ms,
                              .profile = ca->profile,
                              .flags = ca->flags,
                              .index = ca->index,
                              .id_len = (uint32_t)ca->id.len,
                              .subject_len = (uint32_t)ca->subject.len,
                              .der_len = (uint32_t)ca->der.len};
    memcpy(c->sha256, ca->sha256, sizeof(c->sha256));
    char *at = (char *)c->bytes;
    text_put(&at, ca->id);
    text_put(&at, ca->subject);
    text_put(&at, ca->der);
    int had = snap_tab_get(w, &w->work.roots.cas, key, len, &number, NULL, err);
    rc = had < 0 ? had : numbered_put(w, &w->work.roots.cas, &w->work.roots.ca, key, len, ref, err);
    map_done(&w->lists); /* an object may have one certificate more now */
    return rc == 0 && had ? snap_trust_renew(w, number, err) : rc;
}

int
snap_del_ca(struct snap_writer *w, acd_slice id, uint32_t index, acd_err *err)
{
    TXN_CHECK(w);
    char key[SNAP_ID_MAX + 1];
    uint32_t ca, uses;
    if (id.len == 0 || id.len > SNAP_ID_MAX || index >= SNAP_CA_INDEX_MAX)
        return ACD_ENOENT;
    /* Sets that nobody has any more must not hold it. */
    int rc = snap_trust_sweep(w, err);
    size_t len = snap_ca_key(key, id, index);
    if (rc == 0)
        rc = snap_tab_get(w, &w->work.roots.cas, key, len, &ca, NULL, err);
    if (rc <= 0)
        return rc < 0 ? rc : ACD_ENOENT;
    if (!snap_arr_find(&w->work.space, &w->work.roots.ca_uses, ca, &uses))
        return snap_fail(w, ACD_ECORRUPT, err);
    if (uses != 0)
        return err_set(err, ACD_EPRECOND, "certificate is in %u trust sets", uses);
    map_done(&w->lists);
    return numbered_del(w, &w->work.roots.cas, &w->work.roots.ca, key, len, ca, err);
}
