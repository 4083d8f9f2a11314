/*
 * ExpiryService: what ends soon, of every kind of thing that has an end.
 *
 * One row of a table for each kind: its collection, the index that begins with the date, and what to say
 * about a row. The answer is a merge of walks over those indexes, from the earliest date to the horizon, so
 * that a page costs what it shows. A page goes on behind (date, kind, key), whatever came or went meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "core/find.h"
#include "core/unit.h"

enum { TELL_NOTHING = 1 };

struct source {
    const char *name; /* in cursors */
    enum collection coll;
    unsigned index, date; /* index: begins with the column date; behind it stands the primary key */
    /* What there is to say about a row; texts live in db's region. TELL_NOTHING: its end matters to nobody.
     */
    int (*tell)(struct db *db, const acd_value *row, Anchord__V1__Expiring *m, acd_err *err);
    int (*hosts)(struct db *db, const acd_value *row, uint64_t *ret, acd_err *err);
};

/* --- kinds ------------------------------------------------------------------------------------------------
 */

static int
tell_item(struct db *db, const acd_value *row, Anchord__V1__Expiring *m, acd_err *err)
{
    acd_value *cert;
    int rc = db_get(db, COLL_CERT, VALS(row[ITEM_CERT]), 1, &cert, err);
    if (rc < 0)
        return rc;
    m->kind = cert[CERT_CA].num ? (char *)"ca" : (char *)"leaf";
    m->id = (char *)row_text(cert, CERT_ID);
    m->index = (uint32_t)row[ITEM_INDEX].num;
    m->name = (char *)row_text(cert, CERT_NAME);
    m->account_id = (char *)row_text(cert, CERT_ACCOUNT);
    return 0;
}

static int
hosts_of_cert(struct db *db, const acd_value *id, uint64_t *ret, acd_err *err)
{
    struct db_query q = {.coll = COLL_HOST, .index = HOST_BY_CERT, .eq = id, .neq = 1};
    uint64_t access = 0;
    int rc = db_count(db, &q, ret, err);
    q.coll = COLL_ACCESS_HOST; /* an object has hosts in one of the two */
    if (rc == 0)
        rc = db_count(db, &q, &access, err);
    *ret += access;
    return rc;
}

static int
hosts_of_item(struct db *db, const acd_value *row, uint64_t *ret, acd_err *err)
{
    return hosts_of_cert(db, &row[ITEM_CERT], ret, err);
}

static int
tell_origin(struct db *db, const acd_value *row, Anchord__V1__Expiring *m, acd_err *err)
{
    acd_value *zone;
    int rc = db_get(db, COLL_ZONE, VALS(row[ORIGIN_ZONE]), 1, &zone, err);
    if (rc < 0)
        return rc;
    m->kind = (char *)"origin-trust";
    m->id = (char *)row_text(row, ORIGIN_ID);
    m->name = (char *)row_text(row, ORIGIN_SUBJECT);
    m->account_id = (char *)row_text(zone, ZONE_ACCOUNT);
    return 0;
}

/* No association rests on it. */
static int
no_hosts(struct db *db, const acd_value *row, uint64_t *ret, acd_err *err)
{
    (void)db, (void)row, (void)err;
    *ret = 0;
    return 0;
}

/* A certificate that is revoked has ended already. */
static int
tell_client(struct db *db, const acd_value *row, Anchord__V1__Expiring *m, acd_err *err)
{
    acd_value *ca;
    if (row[CLIENT_CERT_STATUS].num != CLIENT_CERT_ACTIVE)
        return TELL_NOTHING;
    int rc = db_get(db, COLL_CERT, VALS(row[CLIENT_CERT_CA]), 1, &ca, err);
    if (rc < 0)
        return rc;
    m->kind = (char *)"client-cert";
    m->id = (char *)row_text(row, CLIENT_CERT_ID);
    m->name = (char *)row_text(row, CLIENT_CERT_COMMON_NAME);
    m->account_id = (char *)row_text(ca, CERT_ACCOUNT);
    return 0;
}

/* A list that names no next update does not end. */
static int
tell_crl(struct db *db, const acd_value *row, Anchord__V1__Expiring *m, acd_err *err)
{
    acd_value *cert;
    if (row[CRL_NEXT].num == 0)
        return TELL_NOTHING;
    int rc = db_get(db, COLL_CERT, VALS(row[CRL_CERT]), 1, &cert, err);
    if (rc < 0)
        return rc;
    m->kind = (char *)"crl";
    m->id = (char *)row_text(row, CRL_ID);
    m->index = (uint32_t)row[CRL_INDEX].num;
    m->name = (char *)row_text(cert, CERT_NAME);
    m->account_id = (char *)row_text(cert, CERT_ACCOUNT);
    return 0;
}

static int
hosts_of_crl(struct db *db, const acd_value *row, uint64_t *ret, acd_err *err)
{
    return hosts_of_cert(db, &row[CRL_CERT], ret, err);
}

static const struct source sources[] = {
    {"certificate", COLL_CERT_ITEM, ITEM_BY_EXPIRY, ITEM_NOT_AFTER, tell_item, hosts_of_item},
    {"origin-trust", COLL_ORIGIN, ORIGIN_BY_EXPIRY, ORIGIN_NOT_AFTER, tell_origin, no_hosts},
    {"client-cert", COLL_CLIENT_CERT, CLIENT_CERT_BY_EXPIRY, CLIENT_CERT_NOT_AFTER, tell_client, no_hosts},
    {"crl", COLL_CRL, CRL_BY_NEXT, CRL_NEXT, tell_crl, hosts_of_crl},
};
enum { SOURCES = sizeof(sources) / sizeof(sources[0]) };

/* --- cursors ----------------------------------------------------------------------------------------------
 *
 * "date/kind/key/key": the last row that was shown.
 */

/* A whole row that stands before every row with that date. */
static acd_value *
row_before(struct mem_region *r, const struct source *s, int64_t date)
{
    acd_value *row = db_blank(&(struct db){NULL, r}, s->coll);
    for (size_t i = 0; row && i < collections[s->coll].npk; i++)
        row[i].num = INT64_MIN;
    if (row)
        row[s->date].num = date;
    return row;
}

static char *
cursor_of(struct mem_region *r, const struct source *s, const acd_value *row)
{
    const acd_collection *c = &collections[s->coll];
    char *text = mem_printf(r, "%lld/%s", (long long)row[s->date].num, s->name);
    for (size_t i = 0; text && i < c->npk; i++)
        text = c->cols[i].type == ACD_COL_INT
                   ? mem_printf(r, "%s/%lld", text, (long long)row[i].num)
                   : mem_printf(r, "%s/%.*s", text, (int)row[i].bytes.len, (const char *)row[i].bytes.ptr);
    return text;
}

struct cursor {
    int64_t date;
    size_t source;
    acd_slice key[8];
    size_t nkey;
};

/* The part up to the next slash. */
static bool
cut(const char **at, acd_slice *ret)
{
    if (!*at)
        return false;
    const char *slash = strchr(*at, '/');
    *ret = slice_of(*at, slash ? (size_t)(slash - *at) : strlen(*at));
    *at = slash ? slash + 1 : NULL;
    return true;
}

static bool
cursor_read(const char *text, struct cursor *ret)
{
    acd_slice part;
    *ret = (struct cursor){0};
    if (!cut(&text, &part) || !str_i64(part, &ret->date) || !cut(&text, &part))
        return false;
    while (ret->source < SOURCES && !slice_eqs(part, sources[ret->source].name))
        ret->source++;
    while (ret->nkey < sizeof(ret->key) / sizeof(ret->key[0]) && cut(&text, &ret->key[ret->nkey]))
        ret->nkey++;
    return !text && ret->source < SOURCES && ret->nkey == collections[sources[ret->source].coll].npk;
}

/* Where a kind goes on: of one date, kinds come in the order of the table. */
static int
row_after(struct mem_region *r, size_t source, const struct cursor *from, acd_value **ret)
{
    const struct source *s = &sources[source];
    const acd_collection *c = &collections[s->coll];
    if (source < from->source && from->date == INT64_MAX)
        return ACD_EINVAL;
    acd_value *row = row_before(r, s, source < from->source ? from->date + 1 : from->date);
    if (!row)
        return ACD_ENOMEM;
    for (size_t i = 0; source == from->source && i < from->nkey; i++) {
        if (c->cols[i].type != ACD_COL_INT)
            row[i] = VAL_SLICE(from->key[i]);
        else if (!str_i64(from->key[i], &row[i].num))
            return ACD_EINVAL;
    }
    *ret = row;
    return 0;
}

/* --- walks ------------------------------------------------------------------------------------------------
 */

enum { BATCH = 32 };

struct stream {
    const struct source *source;
    struct mem_region region; /* of one batch */
    struct db_rows rows;
    size_t at;
    acd_value *after; /* in the unit's region */
    bool last;        /* there is no further batch */
};

static int
stream_fill(struct unit *u, struct stream *st, acd_err *err)
{
    struct db db = {u->db.s, &st->region};
    const struct source *s = st->source;
    if (st->rows.n > 0) {
        const acd_value *end = st->rows.rows[st->rows.n - 1];
        st->after = row_before(u->region, s, end[s->date].num);
        for (size_t i = 0; st->after && i < collections[s->coll].npk; i++) {
            st->after[i] = end[i];
            if (collections[s->coll].cols[i].type != ACD_COL_INT)
                st->after[i].bytes = mem_slice(u->region, end[i].bytes);
        }
        if (!st->after)
            return ACD_ENOMEM;
    }
    mem_reset(&st->region);
    st->at = 0;
    const struct db_query q = {.coll = s->coll, .index = s->index, .after = st->after, .limit = BATCH};
    int rc = db_list(&db, &q, &st->rows, err);
    st->last = rc == 0 && st->rows.n < BATCH;
    return rc;
}

/* The row at the front, NULL behind the horizon. */
static int
stream_peek(struct unit *u, struct stream *st, int64_t horizon, const acd_value **ret, acd_err *err)
{
    int rc = 0;
    *ret = NULL;
    if (st->at == st->rows.n && !st->last)
        rc = stream_fill(u, st, err);
    if (rc == 0 && st->at < st->rows.n && st->rows.rows[st->at][st->source->date].num <= horizon)
        *ret = st->rows.rows[st->at];
    return rc;
}

/* The earliest of all fronts; NULL: there is nothing more. */
static int
earliest(struct unit *u, struct stream *streams, int64_t horizon, struct stream **ret, acd_err *err)
{
    int64_t date = INT64_MAX;
    *ret = NULL;
    for (size_t i = 0; i < SOURCES; i++) {
        const acd_value *row;
        int rc = stream_peek(u, &streams[i], horizon, &row, err);
        if (rc < 0)
            return rc;
        if (row && (!*ret || row[sources[i].date].num < date)) {
            *ret = &streams[i];
            date = row[sources[i].date].num;
        }
    }
    return 0;
}

/* --- the list ---------------------------------------------------------------------------------------------
 */

struct listing {
    struct unit *u;
    struct stream streams[SOURCES];
    struct mem_region scratch; /* of one row */
    int64_t horizon;
    acd_slice account; /* its id; empty: every one */
    uint32_t size;
    Anchord__V1__ListExpiringResponse *resp;
};

static int
list_row(struct listing *l, const struct source *s, const acd_value *row, acd_err *err)
{
    struct mem_region *r = l->u->region;
    struct db db = {l->u->db.s, &l->scratch};
    Anchord__V1__Expiring said = ANCHORD__V1__EXPIRING__INIT, *m;
    mem_reset(&l->scratch);
    int rc = s->tell(&db, row, &said, err);
    if (rc != 0 || (l->account.len && !slice_eqs(l->account, said.account_id)))
        return rc < 0 ? rc : 0;
    rc = s->hosts(&db, row, &said.hosts, err);
    if (rc < 0)
        return rc;
    if (!(m = wire_new(r, Anchord__V1__Expiring, anchord__v1__expiring)))
        return ACD_ENOMEM;
    *m = said;
    m->id = mem_strdup(r, said.id);
    m->name = mem_strdup(r, said.name);
    m->account_id = mem_strdup(r, said.account_id);
    m->not_after_ms = row[s->date].num;
    m->expired = m->not_after_ms < l->u->now_ms;
    l->resp->items[l->resp->n_items++] = m;
    return m->id && m->name && m->account_id ? 0 : ACD_ENOMEM;
}

static int
list_page(struct listing *l, acd_err *err)
{
    struct stream *st;
    char *next = NULL;
    int rc = earliest(l->u, l->streams, l->horizon, &st, err);
    while (rc == 0 && st && l->resp->n_items < l->size) {
        const acd_value *row = st->rows.rows[st->at];
        rc = list_row(l, st->source, row, err);
        if (rc == 0 && l->resp->n_items == l->size && !(next = cursor_of(l->u->region, st->source, row)))
            rc = ACD_ENOMEM;
        st->at++;
        if (rc == 0)
            rc = earliest(l->u, l->streams, l->horizon, &st, err);
    }
    if (rc < 0)
        return rc;
    l->resp->page = page_info(l->u->region, st ? next : "", 0);
    return l->resp->page ? 0 : ACD_ENOMEM;
}

static int
start(struct listing *l, const char *after, acd_err *err)
{
    struct cursor from;
    int rc = after[0] && !cursor_read(after, &from) ? ACD_EINVAL : 0;
    for (size_t i = 0; rc == 0 && after[0] && i < SOURCES; i++)
        rc = row_after(l->u->region, i, &from, &l->streams[i].after);
    return rc == ACD_EINVAL ? err_set(err, rc, "'%s' is no cursor of this list", after) : rc;
}

static int
expiring_list(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListExpiringRequest *req = req_;
    struct listing l = {.u = u, .size = page_size(req->page)};
    acd_value *account = NULL;
    (void)plan_;
    if (req->within_ms < 0)
        return err_set(err, ACD_EINVAL, "within_ms is negative");
    l.horizon = req->within_ms > INT64_MAX - u->now_ms ? INT64_MAX : u->now_ms + req->within_ms;
    int rc = req->account[0] ? find_account(u, req->account, &account, err) : 0;
    if (rc < 0)
        return rc;
    if (account)
        l.account = account[ACCOUNT_ID].bytes;
    else if (u->call->scope) /* every one that the caller reaches */
        l.account = slice_str(u->call->scope->account);
    l.resp = wire_new(u->region, Anchord__V1__ListExpiringResponse, anchord__v1__list_expiring_response);
    if (!l.resp || !(l.resp->items = mem_new_n(u->region, l.size, Anchord__V1__Expiring *)))
        return ACD_ENOMEM;
    for (size_t i = 0; i < SOURCES; i++) {
        l.streams[i].source = &sources[i];
        mem_init(&l.streams[i].region, 65536, 0);
    }
    mem_init(&l.scratch, 65536, 0);
    rc = start(&l, page_after(req->page), err);
    if (rc == 0)
        rc = list_page(&l, err);
    for (size_t i = 0; i < SOURCES; i++)
        mem_done(&l.streams[i].region);
    mem_done(&l.scratch);
    *ret_resp = l.resp;
    return rc;
}

const struct op expiry_ops[] = {
    OP_READ("ExpiryService/ListExpiring", expiring_list),
    {0},
};
