/*
 * Custom origin trust stores: one set of CAs per zone, under the zone's id. An entry of truth never changes,
 * so what the image has of it stays as it is.
 */
#include "feed/truth.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/str.h"
#include "model/collections.h"
#include "model/digest.h"
#include "model/ids.h"

/* The ids of one zone's entries, newest first. */
struct store {
    char zone[ID_HEX_LEN];
    char ids[LIMIT_ORIGIN_ENTRIES][ID_UUID_LEN];
    size_t n;
};

typedef int (*store_fn)(void *ctx, const struct store *store);

struct walk {
    struct store store;
    struct snap_writer *w; /* NULL: only looked at */
    store_fn fn;
    void *ctx;
    acd_err *err;
};

/* --- entries ----------------------------------------------------------------------------------------------
 */

static int
put_entry(struct snap_writer *w, const acd_value *row, acd_err *err)
{
    uint32_t number;
    int rc = snap_ca_find(snap_pending(w), row[ORIGIN_ID].bytes, 0, &number);
    if (rc != ACD_ENOENT)
        return rc;
    const struct snap_ca ca = {
        .id = row[ORIGIN_ID].bytes,
        .sha256 = row[ORIGIN_SHA256].bytes.ptr,
        .subject = row[ORIGIN_SUBJECT].bytes,
        .der = row[ORIGIN_DER].bytes,
        .not_before_ms = row[ORIGIN_NOT_BEFORE].num,
        .not_after_ms = row[ORIGIN_NOT_AFTER].num,
        .profile = (uint32_t)row[ORIGIN_PROFILE].num,
    };
    return snap_put_ca(w, &ca, err);
}

static int
walk_flush(struct walk *k)
{
    int rc = k->store.n ? k->fn(k->ctx, &k->store) : 0;
    k->store.n = 0;
    return rc;
}

static int
walk_row(void *arg, const acd_value *row, size_t ncols)
{
    struct walk *k = arg;
    struct store *st = &k->store;
    (void)ncols;
    if (row[ORIGIN_ZONE].bytes.len != ID_HEX_LEN || row[ORIGIN_ID].bytes.len != ID_UUID_LEN ||
        row[ORIGIN_SHA256].bytes.len != DIGEST_LEN)
        return ACD_ECORRUPT;
    int rc = st->n && memcmp(st->zone, row[ORIGIN_ZONE].bytes.ptr, ID_HEX_LEN) != 0 ? walk_flush(k) : 0;
    if (rc == 0 && st->n == LIMIT_ORIGIN_ENTRIES)
        rc = ACD_ECORRUPT;
    if (rc == 0 && k->w)
        rc = put_entry(k->w, row, k->err);
    if (rc < 0)
        return rc;
    memcpy(st->zone, row[ORIGIN_ZONE].bytes.ptr, ID_HEX_LEN);
    memcpy(st->ids[st->n++], row[ORIGIN_ID].bytes.ptr, ID_UUID_LEN);
    return 0;
}

/* Zone by zone; zone_id NULL: all of them. */
static int
walk_stores(struct plug_session *s, const acd_value *zone_id, struct snap_writer *w, store_fn fn, void *ctx,
            acd_err *err)
{
    struct walk *k = calloc(1, sizeof(*k));
    if (!k)
        return err_set(err, ACD_ENOMEM, "out of memory");
    *k = (struct walk){.w = w, .fn = fn, .ctx = ctx, .err = err};
    const acd_scan scan = {.struct_size = sizeof(scan),
                           .coll = COLL_ORIGIN,
                           .index = ORIGIN_BY_ZONE,
                           .reverse = 1,
                           .eq = zone_id,
                           .neq = zone_id ? 1 : 0};
    int rc = plug_scan(s, &scan, walk_row, k, err);
    if (rc == 0)
        rc = walk_flush(k);
    free(k);
    return rc;
}

/* --- into the image ---------------------------------------------------------------------------------------
 */

struct put {
    struct snap_writer *w;
    bool there;
    acd_err *err;
};

static int
put_store(void *arg, const struct store *st)
{
    struct put *p = arg;
    struct snap_ca_use cas[LIMIT_ORIGIN_ENTRIES];
    acd_slice zone = slice_of(st->zone, ID_HEX_LEN);
    p->there = true;
    for (size_t i = 0; i < st->n; i++)
        cas[i] = (struct snap_ca_use){.id = slice_of(st->ids[i], ID_UUID_LEN)};
    return snap_put_name(p->w, SNAP_NAMES_ORIGIN, zone, zone, cas, st->n, p->err);
}

int
truth_build_origins(struct plug_session *s, struct snap_writer *w, acd_err *err)
{
    struct put put = {w, false, err};
    return walk_stores(s, NULL, w, put_store, &put, err);
}

/* What the image has of the zone's store; empty when it has none. */
static int
image_store(const struct snap_view *v, const char *zone_id, struct store *ret)
{
    struct snap_hit hit;
    struct snap_trust t;
    ret->n = 0;
    int rc = snap_names_find(v, SNAP_NAMES_ORIGIN, zone_id, strlen(zone_id), &hit);
    if (rc <= 0)
        return rc;
    rc = snap_trust_get(v, hit.trust, &t);
    for (uint32_t i = 0; rc == 0 && i < t.n; i++) {
        struct snap_ca ca;
        uint32_t flags;
        rc = snap_trust_ca(v, &t, i, &ca, &flags);
        if (rc == 0 && (ca.id.len != ID_UUID_LEN || ret->n == LIMIT_ORIGIN_ENTRIES))
            rc = ACD_ECORRUPT;
        if (rc == 0)
            memcpy(ret->ids[ret->n++], ca.id.ptr, ID_UUID_LEN);
    }
    return rc;
}

/* CAs that the zone's store held before and that no set has any more. */
static int
drop_unused(struct snap_writer *w, const struct store *before, acd_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < before->n; i++) {
        rc = snap_del_ca(w, slice_of(before->ids[i], ID_UUID_LEN), 0, err);
        if (rc == ACD_EPRECOND) /* still in the store */
            rc = 0;
    }
    return rc;
}

int
truth_put_origin(struct plug_session *s, struct snap_writer *w, const char *zone_id, acd_err *err)
{
    struct put put = {w, false, err};
    const acd_value key = {.bytes = slice_str(zone_id)};
    struct store *before = calloc(1, sizeof(*before));
    if (!before)
        return err_set(err, ACD_ENOMEM, "out of memory");
    int rc = image_store(snap_pending(w), zone_id, before);
    if (rc == 0)
        rc = walk_stores(s, &key, w, put_store, &put, err);
    if (rc == 0 && !put.there && before->n)
        rc = snap_del_name(w, SNAP_NAMES_ORIGIN, slice_str(zone_id), err);
    if (rc == 0)
        rc = drop_unused(w, before, err);
    free(before);
    return rc;
}

/* --- check ------------------------------------------------------------------------------------------------
 */

struct differ {
    const struct snap_view *view;
    struct store *image;
    uint64_t n, bad;
};

static int
check_store(void *arg, const struct store *st)
{
    struct differ *d = arg;
    char zone[ID_HEX_LEN + 1] = "";
    memcpy(zone, st->zone, ID_HEX_LEN);
    d->n++;
    d->bad += image_store(d->view, zone, d->image) < 0 || d->image->n != st->n ||
              memcmp(d->image->ids, st->ids, st->n * sizeof(st->ids[0])) != 0;
    return 0;
}

int
truth_origins_differ(struct plug_session *s, const struct snap_view *view, uint64_t *ret_stores,
                     uint64_t *ret_bad, acd_err *err)
{
    struct differ d = {.view = view, .image = calloc(1, sizeof(*d.image))};
    int rc = d.image ? walk_stores(s, NULL, NULL, check_store, &d, err)
                     : err_set(err, ACD_ENOMEM, "out of memory");
    free(d.image);
    *ret_stores = d.n;
    *ret_bad = d.bad;
    return rc;
}
