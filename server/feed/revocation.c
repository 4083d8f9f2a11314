/* Revocation data: rows that were built for the image go there as they are. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "feed/truth.h"
#include "model/collections.h"
#include "model/ids.h"
#include "model/revocation.h"
#include "snap/revoked.h"

/* What truth says about the certificates of one CA object. */
struct facts {
    int64_t policy, policy_rev;
    struct {
        bool there; /* a certificate has this number */
        int64_t rev;
        struct snap_revoked_state state;
    } cert[LIMIT_UPLOAD_CERTS];
};

static int
policy_row(void *arg, const acd_value *row, size_t ncols)
{
    struct facts *f = arg;
    (void)ncols;
    f->policy = row[CRL_POLICY_POLICY].num;
    f->policy_rev = row[CRL_POLICY_REV].num;
    return 0;
}

static int
item_row(void *arg, const acd_value *row, size_t ncols)
{
    struct facts *f = arg;
    (void)ncols;
    if (row[ITEM_INDEX].num < 0 || row[ITEM_INDEX].num >= LIMIT_UPLOAD_CERTS)
        return ACD_ECORRUPT;
    f->cert[row[ITEM_INDEX].num].there = true;
    return 0;
}

/* Both ends are whole seconds, or the end of time. */
static int
state_row(void *arg, const acd_value *row, size_t ncols)
{
    struct facts *f = arg;
    (void)ncols;
    if (row[REVOCATION_INDEX].num < 0 || row[REVOCATION_INDEX].num >= LIMIT_UPLOAD_CERTS)
        return ACD_ECORRUPT;
    int64_t until = row[REVOCATION_UNTIL].num;
    f->cert[row[REVOCATION_INDEX].num].rev = row[REVOCATION_REV].num;
    f->cert[row[REVOCATION_INDEX].num].state = (struct snap_revoked_state){
        .from_s = row[REVOCATION_FROM].num / 1000,
        .until_s = until == INT64_MAX ? INT64_MAX : until / 1000,
        .listed = row[REVOCATION_LISTED].num != 0,
        .shape = {(uint64_t)row[REVOCATION_SEED].num, (uint32_t)row[REVOCATION_COUNT].num,
                  (uint8_t)row[REVOCATION_WIDTH].num, (uint8_t)row[REVOCATION_BITS].num},
    };
    return 0;
}

/* Revisions only grow, and the rows that carry them stay for as long as the CA does: so the greater of the
 * two is another one after every change. */
static int
facts_get(struct plug_session *s, acd_slice id, struct facts *ret, acd_err *err)
{
    const acd_value key = {.bytes = id};
    *ret = (struct facts){.policy = REVOCATION_DEFAULT};
    acd_scan scan = {.struct_size = sizeof(scan), .coll = COLL_CERT_ITEM, .eq = &key, .neq = 1};
    int rc = plug_scan(s, &scan, item_row, ret, err);
    scan.coll = COLL_REVOCATION;
    if (rc == 0)
        rc = plug_scan(s, &scan, state_row, ret, err);
    if (rc == 0)
        rc = plug_get(s, COLL_CRL_POLICY, &key, 1, policy_row, ret, err);
    if (rc < 0 && rc != ACD_ENOENT)
        return rc;
    for (size_t i = 0; i < LIMIT_UPLOAD_CERTS; i++) {
        int64_t rev = ret->cert[i].rev > ret->policy_rev ? ret->cert[i].rev : ret->policy_rev;
        ret->cert[i].state.epoch = (uint64_t)rev;
        ret->cert[i].state.policy = (uint32_t)ret->policy;
    }
    return 0;
}

static bool
says_something(const struct facts *f, uint32_t index)
{
    return f->cert[index].there && (f->cert[index].state.listed || f->policy != REVOCATION_DEFAULT);
}

/* --- into the image ---------------------------------------------------------------------------------------
 */

struct put {
    struct snap_writer *w;
    acd_slice id;
    uint32_t index;
    bool behind; /* the set's one part lies behind its head */
    struct buf part;
    uint32_t n;
    acd_err *err;
};

static int
put_part(void *arg, const acd_value *row, size_t ncols)
{
    struct put *p = arg;
    (void)ncols;
    if (row[REVOKED_PART].num != p->n)
        return ACD_ECORRUPT;
    p->n++;
    if (!p->behind)
        return snap_put_revoked_part(p->w, p->id, p->index, p->n - 1, row[REVOKED_BYTES].bytes, p->err);
    buf_slice(&p->part, row[REVOKED_BYTES].bytes);
    return p->part.failed;
}

static int
put_listed(struct plug_session *s, struct put *p, const struct snap_revoked_state *state, acd_err *err)
{
    const acd_value key[] = {{.bytes = p->id}, {.num = p->index}};
    const acd_scan scan = {.struct_size = sizeof(scan), .coll = COLL_REVOKED, .eq = key, .neq = 2};
    p->behind = state->shape.bits == 0;
    int rc = plug_scan(s, &scan, put_part, p, err);
    if (rc == 0 && p->n != 1u << state->shape.bits)
        rc = err_set(err, ACD_ECORRUPT, "a revocation set of %u parts has %u", 1u << state->shape.bits, p->n);
    return rc;
}

static int
put_one(struct plug_session *s, struct snap_writer *w, acd_slice id, uint32_t index, const struct facts *f,
        acd_err *err)
{
    struct put p = {.w = w, .id = id, .index = index, .part = BUF_INIT(SNAP_BLOB_MAX), .err = err};
    const struct snap_revoked_state *state = &f->cert[index].state;
    if (!says_something(f, index))
        return snap_del_revoked(w, id, index, err);
    int rc = state->listed ? put_listed(s, &p, state, err) : 0;
    if (rc == 0)
        rc = snap_put_revoked(w, id, index, state, slice_of(p.part.data, p.part.len), err);
    buf_done(&p.part);
    return rc;
}

static int
put_ca(struct plug_session *s, struct snap_writer *w, acd_slice id, acd_err *err)
{
    struct facts f;
    int rc = facts_get(s, id, &f, err);
    for (uint32_t i = 0; rc == 0 && i < LIMIT_UPLOAD_CERTS; i++)
        rc = put_one(s, w, id, i, &f, err);
    return rc;
}

int
truth_put_revocation(struct plug_session *s, struct snap_writer *w, const char *id, acd_err *err)
{
    return put_ca(s, w, slice_str(id), err);
}

/* --- all of them ------------------------------------------------------------------------------------------
 */

/* CAs that have a row in one of two collections; some twice. */
struct cas {
    char (*id)[ID_UUID_LEN];
    size_t n, cap;
};

static int
ca_row(void *arg, const acd_value *row, size_t ncols)
{
    struct cas *c = arg;
    acd_slice id = row[0].bytes; /* the first column of both */
    (void)ncols;
    if (id.len != ID_UUID_LEN)
        return ACD_ECORRUPT;
    if (c->n == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 64;
        void *more = realloc(c->id, cap * ID_UUID_LEN);
        if (!more)
            return ACD_ENOMEM;
        c->id = more;
        c->cap = cap;
    }
    memcpy(c->id[c->n++], id.ptr, ID_UUID_LEN);
    return 0;
}

_Static_assert(REVOCATION_CERT == 0 && CRL_POLICY_CERT == 0, "rows of both begin with the CA");

typedef int (*ca_fn)(struct plug_session *s, void *ctx, acd_slice id, acd_err *err);

static int
each_ca(struct plug_session *s, ca_fn fn, void *ctx, acd_err *err)
{
    struct cas cas = {NULL, 0, 0};
    acd_scan scan = {.struct_size = sizeof(scan), .coll = COLL_REVOCATION};
    int rc = plug_scan(s, &scan, ca_row, &cas, err);
    scan.coll = COLL_CRL_POLICY;
    if (rc == 0)
        rc = plug_scan(s, &scan, ca_row, &cas, err);
    for (size_t i = 0; rc == 0 && i < cas.n; i++)
        rc = fn(s, ctx, slice_of(cas.id[i], ID_UUID_LEN), err);
    free(cas.id);
    return rc;
}

static int
build_ca(struct plug_session *s, void *w, acd_slice id, acd_err *err)
{
    return put_ca(s, w, id, err);
}

int
truth_build_revocation(struct plug_session *s, struct snap_writer *w, acd_err *err)
{
    return each_ca(s, build_ca, w, err);
}

/* --- is it the same? --------------------------------------------------------------------------------------
 */

struct compare {
    const struct snap_view *view;
    acd_slice id;
    uint32_t index;
    uint64_t bad;
};

static int
compare_part(void *arg, const acd_value *row, size_t ncols)
{
    struct compare *c = arg;
    acd_slice there;
    (void)ncols;
    c->bad += snap_revoked_part(c->view, c->id, c->index, (uint32_t)row[REVOKED_PART].num, &there) < 0 ||
              !slice_eq(there, row[REVOKED_BYTES].bytes);
    return 0;
}

static bool
heads_agree(const struct compare *c, const struct facts *f)
{
    const struct snap_revoked_state *want = &f->cert[c->index].state;
    struct snap_revoked_state have;
    int rc = snap_revoked_state(c->view, c->id, c->index, &have);
    if (!says_something(f, c->index))
        return rc == ACD_ENOENT;
    return rc == 0 && have.epoch == want->epoch && have.policy == want->policy &&
           have.from_s == want->from_s && have.until_s == want->until_s && have.listed == want->listed &&
           have.shape.count == want->shape.count && have.shape.bits == want->shape.bits;
}

static int
compare_ca(struct plug_session *s, void *ctx, acd_slice id, acd_err *err)
{
    struct compare *c = ctx;
    struct facts f;
    int rc = facts_get(s, id, &f, err);
    c->id = id;
    for (c->index = 0; rc == 0 && c->index < LIMIT_UPLOAD_CERTS; c->index++) {
        const acd_value key[] = {{.bytes = id}, {.num = c->index}};
        const acd_scan scan = {.struct_size = sizeof(scan), .coll = COLL_REVOKED, .eq = key, .neq = 2};
        c->bad += !heads_agree(c, &f);
        if (f.cert[c->index].state.listed)
            rc = plug_scan(s, &scan, compare_part, c, err);
    }
    return rc;
}

int
truth_revocation_differs(struct plug_session *s, const struct snap_view *view, uint64_t *ret_bad,
                         acd_err *err)
{
    struct compare c = {.view = view};
    int rc = each_ca(s, compare_ca, &c, err);
    *ret_bad = c.bad;
    return rc;
}
