/*
 * What the managed CAs revoked. Each certificate of such a CA has a set of its own, made of the client
 * certificates that it signed and that are revoked; the set is always in date. Its epoch is the revision of
 * the CA's row, which every revocation and every reactivation sets.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "feed/truth.h"
#include "model/collections.h"
#include "model/ids.h"
#include "snap/revoked.h"

enum { SKI_MAX = 64 };

/* The certificates of one managed CA. */
struct managed {
    acd_slice id;
    struct {
        char ski[SKI_MAX];
        size_t len;
        struct snap_revoked_set *set;
        const struct snap_view *view; /* compare with it, in place of filling the set */
        uint64_t n, bad;
    } cert[LIMIT_MANAGED_CERTS];
    uint32_t n;
    acd_err *err;
};

static int
cert_row(void *arg, const acd_value *row, size_t ncols)
{
    struct managed *m = arg;
    acd_slice ski = row[ITEM_SKI].bytes;
    (void)ncols;
    if (m->n == LIMIT_MANAGED_CERTS || row[ITEM_INDEX].num != m->n || ski.len == 0 || ski.len > SKI_MAX)
        return ACD_ECORRUPT;
    memcpy(m->cert[m->n].ski, ski.ptr, ski.len);
    m->cert[m->n++].len = ski.len;
    return 0;
}

/* A revoked client certificate goes to the CA certificate that signed it; one whose CA certificate was
 * retired is trusted by nobody and goes nowhere. */
static int
revoked_row(void *arg, const acd_value *row, size_t ncols)
{
    struct managed *m = arg;
    uint8_t serial[SNAP_REVOKED_SERIAL];
    acd_slice hex = row[CLIENT_CERT_SERIAL_HEX].bytes;
    (void)ncols;
    if (hex.len % 2 || hex.len / 2 > sizeof(serial) || !hex_decode(hex, serial, hex.len / 2))
        return ACD_ECORRUPT;
    struct snap_revoked_entry entry = {.at_s = row[CLIENT_CERT_REVOKED].num / 1000}, there;
    acd_slice number = slice_of(serial, hex.len / 2);
    for (uint32_t i = 0; i < m->n; i++) {
        if (!slice_eq(row[CLIENT_CERT_AKI].bytes, slice_of(m->cert[i].ski, m->cert[i].len)))
            continue;
        m->cert[i].n++;
        if (m->cert[i].set)
            return snap_revoked_add(m->cert[i].set, number, &entry, false, m->err);
        m->cert[i].bad +=
            snap_revoked_find(m->cert[i].view, m->id, i, number, &there) != 1 || there.at_s != entry.at_s;
    }
    return 0;
}

static int
read_managed(struct plug_session *s, struct managed *m, acd_err *err)
{
    const acd_value id = {.bytes = m->id};
    const acd_scan scan = {.struct_size = sizeof(scan), .coll = COLL_CERT_ITEM, .eq = &id, .neq = 1};
    m->err = err;
    return plug_scan(s, &scan, cert_row, m, err);
}

static int
read_revoked(struct plug_session *s, struct managed *m, acd_err *err)
{
    const acd_value revoked[] = {{.bytes = m->id}, {.num = CLIENT_CERT_IS_REVOKED}};
    const acd_scan scan = {.struct_size = sizeof(scan),
                           .coll = COLL_CLIENT_CERT,
                           .index = CLIENT_CERT_BY_CA,
                           .eq = revoked,
                           .neq = 2};
    return plug_scan(s, &scan, revoked_row, m, err);
}

/* --- into the image ---------------------------------------------------------------------------------------
 */

struct put {
    struct snap_writer *w;
    acd_slice id;
    uint32_t index;
    struct buf first; /* a set of one part goes behind its head, one of several does not: known at the end */
    acd_err *err;
};

static int
put_part(void *arg, uint32_t part, acd_slice bytes)
{
    struct put *p = arg;
    if (part > 0)
        return snap_put_revoked_part(p->w, p->id, p->index, part, bytes, p->err);
    buf_slice(&p->first, bytes);
    return p->first.failed;
}

static int
put_set(struct snap_writer *w, struct managed *m, uint32_t index, uint64_t epoch, acd_err *err)
{
    struct snap_revoked_state old = {0},
                              state = {
                                  .epoch = epoch, .from_s = INT64_MIN, .until_s = INT64_MAX, .listed = true};
    struct put p = {.w = w, .id = m->id, .index = index, .first = BUF_INIT(SNAP_BLOB_MAX), .err = err};
    if (m->cert[index].n == 0)
        return snap_del_revoked(w, m->id, index, err);
    int rc = snap_revoked_state(snap_pending(w), m->id, index, &old);
    if (rc == ACD_ECORRUPT)
        return rc;
    rc = snap_revoked_build(m->cert[index].set, &old.shape, &state.shape, put_part, &p, err);
    acd_slice first = slice_of(p.first.data, p.first.len);
    if (rc == 0 && state.shape.bits > 0)
        rc = snap_put_revoked_part(w, m->id, index, 0, first, err);
    if (rc == 0)
        rc = snap_put_revoked(w, m->id, index, &state, first, err);
    buf_done(&p.first);
    return rc;
}

int
truth_put_managed(struct plug_session *s, struct snap_writer *w, acd_slice id, uint64_t rev, acd_err *err)
{
    struct managed *m = calloc(1, sizeof(*m));
    if (!m)
        return err_set(err, ACD_ENOMEM, "out of memory");
    m->id = id;
    int rc = read_managed(s, m, err);
    for (uint32_t i = 0; rc == 0 && i < m->n; i++)
        rc = snap_revoked_new(&m->cert[i].set, err);
    if (rc == 0)
        rc = read_revoked(s, m, err);
    for (uint32_t i = 0; rc == 0 && i < m->n; i++)
        rc = put_set(w, m, i, rev, err);
    for (uint32_t i = 0; i < m->n; i++)
        snap_revoked_free(m->cert[i].set);
    free(m);
    return rc;
}

/* --- all of them ------------------------------------------------------------------------------------------
 */

/* Objects are gathered first: a walk's callback must not use the session. */
struct all {
    struct {
        char id[ID_UUID_LEN];
        uint64_t rev;
    } * cas;
    size_t n, cap;
};

static int
collect_row(void *arg, const acd_value *row, size_t ncols)
{
    struct all *a = arg;
    (void)ncols;
    /* One that never signed has no certificate and says nothing. */
    if (row[CERT_TYPE].num != CERT_MANAGED || row[CERT_TEXT].bytes.len == 0)
        return 0;
    if (row[CERT_ID].bytes.len != ID_UUID_LEN)
        return ACD_ECORRUPT;
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 64;
        void *cas = realloc(a->cas, cap * sizeof(*a->cas));
        if (!cas)
            return ACD_ENOMEM;
        a->cas = cas;
        a->cap = cap;
    }
    memcpy(a->cas[a->n].id, row[CERT_ID].bytes.ptr, ID_UUID_LEN);
    a->cas[a->n++].rev = (uint64_t)row[CERT_REV].num;
    return 0;
}

static int
collect(struct plug_session *s, struct all *ret, acd_err *err)
{
    const acd_scan scan = {.struct_size = sizeof(scan), .coll = COLL_CERT};
    *ret = (struct all){0};
    return plug_scan(s, &scan, collect_row, ret, err);
}

int
truth_build_managed(struct plug_session *s, struct snap_writer *w, acd_err *err)
{
    struct all all;
    int rc = collect(s, &all, err);
    for (size_t i = 0; rc == 0 && i < all.n; i++)
        rc = truth_put_managed(s, w, slice_of(all.cas[i].id, ID_UUID_LEN), all.cas[i].rev, err);
    free(all.cas);
    return rc;
}

/* --- compare ----------------------------------------------------------------------------------------------
 */

static int
compare(struct plug_session *s, const struct snap_view *view, acd_slice id, uint64_t *ret_bad, acd_err *err)
{
    struct snap_revoked_state state;
    struct managed *m = calloc(1, sizeof(*m));
    if (!m)
        return err_set(err, ACD_ENOMEM, "out of memory");
    m->id = id;
    int rc = read_managed(s, m, err);
    for (uint32_t i = 0; i < m->n; i++)
        m->cert[i].view = view;
    if (rc == 0)
        rc = read_revoked(s, m, err);
    for (uint32_t i = 0; rc == 0 && i < m->n; i++) {
        bool there = snap_revoked_state(view, id, i, &state) == 0;
        *ret_bad += m->cert[i].bad + ((there ? state.shape.count : 0) != m->cert[i].n);
    }
    free(m);
    return rc;
}

int
truth_managed_differ(struct plug_session *s, const struct snap_view *view, uint64_t *ret_bad, acd_err *err)
{
    struct all all;
    *ret_bad = 0;
    int rc = collect(s, &all, err);
    for (size_t i = 0; rc == 0 && i < all.n; i++)
        rc = compare(s, view, slice_of(all.cas[i].id, ID_UUID_LEN), ret_bad, err);
    free(all.cas);
    return rc;
}
