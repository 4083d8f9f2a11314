#include "feed/truth.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/str.h"
#include "model/assoc.h"
#include "model/digest.h"
#include "model/ids.h"
#include "snap/revoked.h"

_Static_assert(LIMIT_PRIORITY < 1 << (32 - SNAP_PRIORITY_SHIFT), "a priority fits its place in a set");

/* --- one association at a time ----------------------------------------------------------------------------
 */

/* A host while its rows are gathered. */
struct gather {
    const struct snap_view *view;
    char pattern[LIMIT_HOST + 1];
    size_t pattern_len;
    char zone[ID_HEX_LEN];
    struct assoc rows[LIMIT_CAS_PER_HOST];
    size_t n;
    struct truth_host out;
    truth_host_fn fn;
    void *ctx;
};

/* The gathered host is complete. A CA without certificate (a managed one that never signed) adds nothing. */
static int
gather_flush(struct gather *g)
{
    if (g->pattern_len == 0)
        return 0;
    assoc_sort(g->rows, g->n);
    g->out.pattern = slice_of(g->pattern, g->pattern_len);
    g->out.zone_id = slice_of(g->zone, ID_HEX_LEN);
    g->out.n = 0;
    for (size_t i = 0; i < g->n; i++) {
        uint32_t ca;
        acd_slice id = slice_of(g->rows[i].cert, ID_UUID_LEN);
        int rc = snap_ca_find(g->view, id, 0, &ca);
        if (rc == ACD_ECORRUPT)
            return rc;
        if (rc == 0)
            g->out.cas[g->out.n++] = (struct snap_ca_use){
                .id = id,
                .flags = (g->rows[i].observe ? SNAP_CA_OBSERVED : 0) | g->rows[i].priority
                                                                           << SNAP_PRIORITY_SHIFT,
            };
    }
    g->pattern_len = 0;
    g->n = 0;
    return g->fn(g->ctx, &g->out);
}

/* One association more; a new pattern ends the host before. */
static int
gather_add(struct gather *g, acd_slice pattern, acd_slice zone, const struct assoc *ca)
{
    if (pattern.len == 0 || pattern.len > LIMIT_HOST || zone.len != ID_HEX_LEN)
        return ACD_ECORRUPT;
    if (!slice_eq(pattern, slice_of(g->pattern, g->pattern_len))) {
        int rc = gather_flush(g);
        if (rc < 0)
            return rc;
        memcpy(g->pattern, pattern.ptr, pattern.len);
        g->pattern_len = pattern.len;
        memcpy(g->zone, zone.ptr, ID_HEX_LEN);
    }
    if (g->n == LIMIT_CAS_PER_HOST)
        return ACD_ECORRUPT;
    g->rows[g->n++] = *ca;
    return 0;
}

static int
gather_row(void *arg, const acd_value *row, size_t ncols)
{
    struct assoc ca;
    (void)ncols;
    int rc = assoc_read(row, &ca);
    return rc < 0 ? rc : gather_add(arg, row[HOST_PATTERN].bytes, row[HOST_ZONE].bytes, &ca);
}

static void
gather_init(struct gather *g, const struct snap_view *view, truth_host_fn fn, void *ctx)
{
    g->view = view;
    g->fn = fn;
    g->ctx = ctx;
    g->pattern_len = 0;
    g->n = 0;
}

static int
gather_scan(struct plug_session *s, const struct snap_view *view, uint32_t coll, const acd_value *pattern,
            truth_host_fn fn, void *ctx, acd_err *err)
{
    struct gather g;
    gather_init(&g, view, fn, ctx);
    const acd_scan scan = {.struct_size = sizeof(scan),
                           .coll = coll,
                           .index = HOST_BY_PATTERN,
                           .eq = pattern,
                           .neq = pattern ? 1 : 0};
    int rc = plug_scan(s, &scan, gather_row, &g, err);
    return rc == 0 ? gather_flush(&g) : rc;
}

int
truth_hosts(struct plug_session *s, const struct snap_view *view, truth_host_fn fn, void *ctx, acd_err *err)
{
    return gather_scan(s, view, COLL_HOST, NULL, fn, ctx, err);
}

int
truth_access_hosts(struct plug_session *s, const struct snap_view *view, truth_host_fn fn, void *ctx,
                   acd_err *err)
{
    return gather_scan(s, view, COLL_ACCESS_HOST, NULL, fn, ctx, err);
}

/* --- certificates -----------------------------------------------------------------------------------------
 */

struct put_items {
    struct snap_writer *w;
    uint32_t profile, flags;
    size_t n;
    acd_err *err;
};

static int
put_item(void *arg, const acd_value *row, size_t ncols)
{
    struct put_items *p = arg;
    (void)ncols;
    if (row[ITEM_SHA256].bytes.len != DIGEST_LEN)
        return ACD_ECORRUPT;
    const struct snap_ca ca = {
        .id = row[ITEM_CERT].bytes,
        .index = (uint32_t)row[ITEM_INDEX].num,
        .sha256 = row[ITEM_SHA256].bytes.ptr,
        .subject = row[ITEM_SUBJECT].bytes,
        .der = row[ITEM_DER].bytes,
        .not_before_ms = row[ITEM_NOT_BEFORE].num,
        .not_after_ms = row[ITEM_NOT_AFTER].num,
        .profile = p->profile,
        .flags = p->flags,
    };
    p->n++;
    return snap_put_ca(p->w, &ca, p->err);
}

struct cert_facts {
    bool there, ca, managed;
    uint32_t profile, flags;
    uint64_t rev;
};

static uint32_t
cert_flags(const acd_value *row)
{
    return row[CERT_HELPER].num ? SNAP_CA_HELPER : 0;
}

static int
cert_row(void *arg, const acd_value *row, size_t ncols)
{
    struct cert_facts *f = arg;
    (void)ncols;
    *f = (struct cert_facts){true,
                             row[CERT_CA].num != 0,
                             row[CERT_TYPE].num == CERT_MANAGED,
                             (uint32_t)row[CERT_PROFILE].num,
                             cert_flags(row),
                             (uint64_t)row[CERT_REV].num};
    return 0;
}

int
truth_put_cert(struct plug_session *s, struct snap_writer *w, const char *id, uint32_t *ret_n, acd_err *err)
{
    struct cert_facts facts = {0};
    const acd_value key = {.bytes = slice_str(id)};
    int rc = plug_get(s, COLL_CERT, &key, 1, cert_row, &facts, err);
    *ret_n = 0;
    if (rc == ACD_ENOENT)
        return 0;
    if (rc < 0 || !facts.ca) /* leaves vouch for nobody */
        return rc;
    struct put_items put = {w, facts.profile, facts.flags, 0, err};
    const acd_scan scan = {.struct_size = sizeof(scan), .coll = COLL_CERT_ITEM, .eq = &key, .neq = 1};
    rc = plug_scan(s, &scan, put_item, &put, err);
    *ret_n = (uint32_t)put.n;
    return rc == 0 && facts.managed ? truth_put_managed(s, w, key.bytes, facts.rev, err) : rc;
}

int
truth_drop_cert(struct snap_writer *w, const char *id, uint32_t from, acd_err *err)
{
    int rc = 0;
    for (uint32_t i = from; rc == 0 && i < LIMIT_UPLOAD_CERTS; i++) {
        rc = snap_del_ca(w, slice_str(id), i, err);
        if (rc == 0)
            rc = snap_del_revoked(w, slice_str(id), i, err);
    }
    return rc == ACD_ENOENT ? 0 : rc;
}

/* --- zones ------------------------------------------------------------------------------------------------
 */

struct put_zone {
    struct snap_writer *w;
    bool there;
    acd_err *err;
};

static int
put_zone(void *arg, const acd_value *row, size_t ncols)
{
    struct put_zone *p = arg;
    (void)ncols;
    p->there = true;
    int rc = snap_put_zone(p->w, row[ZONE_ID].bytes, row[ZONE_ACCOUNT].bytes, row[ZONE_NAME].bytes, p->err);
    return rc < 0
               ? rc
               : snap_put_blob(p->w, SNAP_BLOB_ZONE_NAME, row[ZONE_NAME].bytes, row[ZONE_ID].bytes, p->err);
}

int
truth_put_zone(struct plug_session *s, struct snap_writer *w, const char *id, bool *ret_there, acd_err *err)
{
    struct put_zone put = {w, false, err};
    const acd_value key = {.bytes = slice_str(id)};
    int rc = plug_get(s, COLL_ZONE, &key, 1, put_zone, &put, err);
    *ret_there = put.there;
    return rc == ACD_ENOENT ? 0 : rc;
}

static int
drop_blob(struct snap_writer *w, uint32_t kind, acd_slice key, acd_err *err)
{
    int rc = snap_del_blob(w, kind, key, err);
    return rc == ACD_ENOENT ? 0 : rc;
}

/* Its name may belong to another zone by now, put in the same change. */
static int
drop_zone_name(struct snap_writer *w, uint32_t number, acd_slice id, acd_err *err)
{
    const struct snap_view *view = snap_pending(w);
    char name[SNAP_NAME_MAX];
    struct snap_zone zone;
    acd_slice owner;
    int rc = snap_zone_get(view, number, &zone);
    if (rc < 0 || zone.name.len > sizeof(name))
        return rc < 0 ? rc : ACD_ECORRUPT;
    memcpy(name, zone.name.ptr, zone.name.len); /* the view does not outlive the change */
    rc = snap_blob_find(view, SNAP_BLOB_ZONE_NAME, zone.name, &owner);
    if (rc < 0 || !slice_eq(owner, id))
        return rc == ACD_ENOENT ? 0 : rc;
    return drop_blob(w, SNAP_BLOB_ZONE_NAME, slice_of(name, zone.name.len), err);
}

int
truth_drop_zone(struct snap_writer *w, const char *id, acd_err *err)
{
    uint32_t number;
    int rc = snap_zone_find(snap_pending(w), slice_str(id), &number);
    if (rc < 0)
        return rc == ACD_ENOENT ? 0 : rc;
    rc = drop_zone_name(w, number, slice_str(id), err);
    if (rc == 0)
        rc = drop_blob(w, SNAP_BLOB_RULES, slice_str(id), err);
    return rc < 0 ? rc : snap_del_zone(w, slice_str(id), err);
}

/* --- rules ------------------------------------------------------------------------------------------------
 */

struct put_rules {
    struct snap_writer *w;
    bool there;
    acd_err *err;
};

static int
put_rules(void *arg, const acd_value *row, size_t ncols)
{
    struct put_rules *p = arg;
    (void)ncols;
    p->there = true;
    return snap_put_blob(p->w, SNAP_BLOB_RULES, row[RULESET_ZONE].bytes, row[RULESET_BODY].bytes, p->err);
}

/* A zone has one ruleset: one phase is known. */
int
truth_put_rules(struct plug_session *s, struct snap_writer *w, const char *zone_id, acd_err *err)
{
    struct put_rules put = {w, false, err};
    const acd_value key = {.bytes = slice_str(zone_id)};
    const acd_scan scan = {
        .struct_size = sizeof(scan), .coll = COLL_RULESET, .index = RULESET_BY_ZONE, .eq = &key, .neq = 1};
    int rc = plug_scan(s, &scan, put_rules, &put, err);
    return rc < 0 || put.there ? rc : drop_blob(w, SNAP_BLOB_RULES, slice_str(zone_id), err);
}

struct rules_check {
    const struct snap_view *view;
    uint64_t n, bad;
};

static int
check_rules(void *arg, const acd_value *row, size_t ncols)
{
    struct rules_check *c = arg;
    acd_slice there;
    (void)ncols;
    c->n++;
    c->bad += snap_blob_find(c->view, SNAP_BLOB_RULES, row[RULESET_ZONE].bytes, &there) < 0 ||
              !slice_eq(there, row[RULESET_BODY].bytes);
    return 0;
}

int
truth_rules_differ(struct plug_session *s, const struct snap_view *view, uint64_t *ret_rulesets,
                   uint64_t *ret_bad, acd_err *err)
{
    struct rules_check c = {view, 0, 0};
    const acd_scan scan = {.struct_size = sizeof(scan), .coll = COLL_RULESET};
    int rc = plug_scan(s, &scan, check_rules, &c, err);
    *ret_rulesets = c.n;
    *ret_bad = c.bad;
    return rc;
}

/* --- hosts ------------------------------------------------------------------------------------------------
 */

struct put_host {
    struct snap_writer *w;
    bool there;
    acd_err *err;
};

static int
put_host(void *arg, const struct truth_host *h)
{
    struct put_host *p = arg;
    p->there = true;
    return snap_put_host(p->w, h->pattern, h->zone_id, h->cas, h->n, p->err);
}

int
truth_put_host(struct plug_session *s, struct snap_writer *w, const char *pattern, acd_err *err)
{
    struct put_host put = {w, false, err};
    const acd_value key = {.bytes = slice_str(pattern)};
    int rc = gather_scan(s, snap_pending(w), COLL_HOST, &key, put_host, &put, err);
    if (rc < 0 || put.there)
        return rc;
    rc = snap_del_host(w, slice_str(pattern), err);
    return rc == ACD_ENOENT ? 0 : rc;
}

int
truth_put_known_host(struct snap_writer *w, const char *pattern, const struct change_host *host, acd_err *err)
{
    struct put_host put = {w, false, err};
    struct gather g;
    int rc = 0;
    gather_init(&g, snap_pending(w), put_host, &put);
    for (size_t i = 0; rc == 0 && i < host->n; i++)
        rc = gather_add(&g, slice_str(pattern), host->zone_id, &host->cas[i]);
    return rc == 0 ? gather_flush(&g) : rc;
}

static int
put_access_host(void *arg, const struct truth_host *h)
{
    struct put_host *p = arg;
    p->there = true;
    return snap_put_name(p->w, SNAP_NAMES_ACCESS, h->pattern, h->zone_id, h->cas, h->n, p->err);
}

int
truth_put_access_host(struct plug_session *s, struct snap_writer *w, const char *pattern, acd_err *err)
{
    struct put_host put = {w, false, err};
    const acd_value key = {.bytes = slice_str(pattern)};
    int rc = gather_scan(s, snap_pending(w), COLL_ACCESS_HOST, &key, put_access_host, &put, err);
    if (rc < 0 || put.there)
        return rc;
    rc = snap_del_name(w, SNAP_NAMES_ACCESS, slice_str(pattern), err);
    return rc == ACD_ENOENT ? 0 : rc;
}

/* --- everything -------------------------------------------------------------------------------------------
 */

/* Certificates and their items are two walks; the profiles of the first are needed in the second. */
struct all_certs {
    struct snap_writer *w;
    struct {
        char id[ID_UUID_LEN];
        uint8_t profile, flags;
    } * certs; /* CAs, sorted by id as the primary key gives them */
    size_t n, cap;
    acd_err *err;
};

static int
collect_cert(void *arg, const acd_value *row, size_t ncols)
{
    struct all_certs *a = arg;
    (void)ncols;
    if (!row[CERT_CA].num)
        return 0;
    if (row[CERT_ID].bytes.len != ID_UUID_LEN)
        return ACD_ECORRUPT;
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 256;
        void *certs = realloc(a->certs, cap * sizeof(*a->certs));
        if (!certs)
            return ACD_ENOMEM;
        a->certs = certs;
        a->cap = cap;
    }
    memcpy(a->certs[a->n].id, row[CERT_ID].bytes.ptr, ID_UUID_LEN);
    a->certs[a->n].profile = (uint8_t)row[CERT_PROFILE].num;
    a->certs[a->n++].flags = (uint8_t)cert_flags(row);
    return 0;
}

static int
by_id(const void *key, const void *cert)
{
    return memcmp(key, cert, ID_UUID_LEN); /* the id is first in its struct */
}

static int
build_item(void *arg, const acd_value *row, size_t ncols)
{
    struct all_certs *a = arg;
    if (row[ITEM_CERT].bytes.len != ID_UUID_LEN)
        return ACD_ECORRUPT;
    const __typeof__(*a->certs) *cert =
        bsearch(row[ITEM_CERT].bytes.ptr, a->certs, a->n, sizeof(*a->certs), by_id);
    if (!cert)
        return 0;
    struct put_items put = {a->w, cert->profile, cert->flags, 0, a->err};
    return put_item(&put, row, ncols);
}

static int
build_certs(struct plug_session *s, struct snap_writer *w, acd_err *err)
{
    struct all_certs all = {.w = w, .err = err};
    acd_scan scan = {.struct_size = sizeof(scan), .coll = COLL_CERT};
    int rc = plug_scan(s, &scan, collect_cert, &all, err);
    scan.coll = COLL_CERT_ITEM;
    if (rc == 0)
        rc = plug_scan(s, &scan, build_item, &all, err);
    free(all.certs);
    return rc;
}

int
truth_build(struct plug_session *s, struct snap_writer *w, acd_err *err)
{
    struct put_zone zone = {w, false, err};
    struct put_host host = {w, false, err};
    struct put_rules rules = {w, false, err};
    acd_scan scan = {.struct_size = sizeof(scan), .coll = COLL_ZONE};
    int rc = build_certs(s, w, err);
    if (rc == 0)
        rc = truth_build_revocation(s, w, err);
    if (rc == 0)
        rc = truth_build_managed(s, w, err);
    if (rc == 0)
        rc = plug_scan(s, &scan, put_zone, &zone, err);
    scan.coll = COLL_RULESET;
    if (rc == 0)
        rc = plug_scan(s, &scan, put_rules, &rules, err);
    if (rc == 0)
        rc = truth_hosts(s, snap_pending(w), put_host, &host, err);
    if (rc == 0)
        rc = truth_access_hosts(s, snap_pending(w), put_access_host, &host, err);
    return rc < 0 ? rc : truth_build_origins(s, w, err);
}

/* --- stamp ------------------------------------------------------------------------------------------------
 */

static int
stamp_row(void *arg, const acd_value *row, size_t ncols)
{
    struct digest *d = arg;
    for (size_t i = 0; i < ncols; i++) {
        digest_update(d, &row[i].num, sizeof(row[i].num));
        digest_update(d, &row[i].bytes.len, sizeof(row[i].bytes.len));
        digest_update(d, row[i].bytes.ptr, row[i].bytes.len);
    }
    return 0;
}

/* What the image says about truth; more of it makes another number, so that an older image is built again. */
enum { TRUTH_FORM = 3 };

/* The record of the last change holds its time, actor, object and revision: two histories that part and come
 * to the same number differ in it. */
int
truth_stamp(struct plug_session *s, uint64_t revision, uint8_t ret[TRUTH_STAMP], acd_err *err)
{
    struct digest d;
    const acd_value key = {.num = (int64_t)revision};
    digest_init(&d);
    const uint64_t form = TRUTH_FORM;
    digest_update(&d, &form, sizeof(form));
    digest_update(&d, &revision, sizeof(revision));
    int rc = plug_get(s, COLL_CHANGE, &key, 1, stamp_row, &d, err);
    digest_final(&d, ret);
    return rc == ACD_ENOENT ? 0 : rc;
}
