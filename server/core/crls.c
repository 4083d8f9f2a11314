/*
 * Which list may follow which (RFC 5280 sections 5.2.3, 5.2.4 and 6.3.3). Complete lists and deltas of a CA
 * share one sequence of numbers. A complete list must be newer than the complete one that is there and not
 * older than its delta; a delta must be newer than both, and its base not newer than the complete list.
 * Neither number nor thisUpdate goes back: who could bring in an old list could bring a revoked certificate
 * back.
 */
#include "core/crls.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/crl_set.h"
#include "core/find.h"
#include "model/ids.h"
#include "model/limits.h"
#include "model/revocation.h"

int
crls_of_ca(struct unit *u, struct mem_region *region, const char *ca_id, acd_slice **ret_ders,
           uint32_t **ret_indexes, size_t *ret_n, acd_err *err)
{
    struct db_rows items;
    acd_value *cert;
    int rc = find_cert(u, ca_id, &cert, err);
    if (rc == 0)
        rc = db_list(&u->db, &(struct db_query){.coll = COLL_CERT_ITEM, .eq = &cert[CERT_ID], .neq = 1},
                     &items, err);
    if (rc < 0)
        return rc;
    if (!cert[CERT_CA].num || items.n == 0 || cert[CERT_TYPE].num != CERT_CUSTOM)
        return err_set(err, ACD_EPRECOND, "'%s' is no uploaded CA: revocation lists are for those", ca_id);
    acd_slice *ders = mem_new_n(region, items.n, acd_slice);
    uint32_t *indexes = mem_new_n(region, items.n, uint32_t);
    if (!ders || !indexes)
        return ACD_ENOMEM;
    for (size_t i = 0; i < items.n; i++) {
        ders[i] = mem_slice(region, items.rows[i][ITEM_DER].bytes);
        indexes[i] = (uint32_t)items.rows[i][ITEM_INDEX].num;
        if (!ders[i].ptr)
            return ACD_ENOMEM;
    }
    *ret_ders = ders;
    *ret_indexes = indexes;
    *ret_n = items.n;
    return 0;
}

int
crls_list(struct unit *u, const acd_value *cert, struct db_rows *ret, acd_err *err)
{
    return db_list(&u->db, &(struct db_query){.coll = COLL_CRL, .eq = &cert[CERT_ID], .neq = 1}, ret, err);
}

/* --- order ------------------------------------------------------------------------------------------------
 */

/* The lists of one certificate; NULL: there is none. */
struct have {
    acd_value *full, *delta;
};

static int
have_get(struct unit *u, const acd_value *cert, uint32_t index, struct have *ret, acd_err *err)
{
    struct db_rows rows;
    int rc = crls_list(u, cert, &rows, err);
    *ret = (struct have){0};
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        if ((uint32_t)rows.rows[i][CRL_INDEX].num == index)
            *(rows.rows[i][CRL_DELTA].num ? &ret->delta : &ret->full) = rows.rows[i];
    return rc;
}

/* Decimal numbers of any length, without sign. */
static int
number_cmp(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    return la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
}

static int
refuse(struct unit *u, const char *code, acd_err *err, const char *why, const char *mine, const char *there)
{
    rpc_detail_error_info(u->call, code, 0, there);
    return err_set(err, ACD_EPRECOND, "the CRL (number %s) %s (number %s)", mine[0] ? mine : "none", why,
                   there[0] ? there : "none");
}

/* least: how the new number must compare with the old one at the least, 1 greater, 0 not smaller. */
static int
follows(struct unit *u, const struct crl_checked *c, const acd_value *old, int least, acd_err *err)
{
    const char *number = row_text(old, CRL_NUMBER);
    bool delta = old[CRL_DELTA].num != 0;
    if ((c->number[0] || number[0]) && number_cmp(c->number, number) < least)
        return refuse(u, "CRL_NOT_NEWER", err,
                      delta ? "is not newer than the delta that is there"
                            : "is not newer than the one that is there",
                      c->number, number);
    if (c->this_ms < old[CRL_THIS].num || (!c->number[0] && c->this_ms == old[CRL_THIS].num))
        return refuse(u, "CRL_NOT_NEWER", err, "was issued before the one that is there", c->number, number);
    return 0;
}

static int
check_order(struct unit *u, const acd_value *cert, const struct crl_checked *c, const struct have *have,
            acd_err *err)
{
    const acd_value *same = c->delta ? have->delta : have->full;
    if (same && slice_eq(same[CRL_SHA256].bytes, slice_of(c->sha256, DIGEST_LEN))) {
        rpc_detail_error_info(u->call, "DUPLICATE", 0, row_text(same, CRL_ID));
        return err_set(err, ACD_EEXIST, "this very CRL is there, as %s", row_text(same, CRL_ID));
    }
    if (c->number[0] == '-' || c->base[0] == '-')
        return refuse(u, "CRL_NUMBER", err, "has a negative number, or base", c->number, c->base);
    if (!c->number[0] && cert[CERT_PROFILE].num == ACD_PROFILE_STRICT)
        return refuse(u, "CRL_NUMBER", err,
                      "has no number, as RFC 5280 section 5.2.3 demands; the CA's profile is strict", "", "");
    if (!c->delta) {
        int rc = have->full ? follows(u, c, have->full, 1, err) : 0;
        return rc == 0 && have->delta ? follows(u, c, have->delta, 0, err) : rc;
    }
    if (!have->full)
        return refuse(u, "CRL_BASE_MISSING", err,
                      "is a delta: add the complete list that it is based on first", c->number, c->base);
    const char *base = row_text(have->full, CRL_NUMBER);
    if (!base[0] || number_cmp(c->base, base) > 0)
        return refuse(u, "CRL_BASE_MISSING", err, "is a delta to a newer list than the one that is there",
                      c->number, base);
    int rc = follows(u, c, have->full, 1, err);
    return rc == 0 && have->delta ? follows(u, c, have->delta, 1, err) : rc;
}

/* --- rows -------------------------------------------------------------------------------------------------
 */

static int
drop_list(struct unit *u, const acd_value *row, acd_err *err)
{
    int rc = crl_rows_drop(u, COLL_CRL_CHUNK, VALS(row[CRL_CERT], row[CRL_ID]), 2, err);
    return rc < 0 ? rc : db_del(&u->db, COLL_CRL, VALS(row[CRL_CERT], row[CRL_ID]), 2, err);
}

static acd_value *
list_row(struct unit *u, const acd_value *cert, const struct crl_checked *c, uint64_t rev)
{
    char uuid[ID_UUID_LEN + 1];
    acd_value *row = mem_new_n(u->region, CRL_COLS, acd_value);
    id_new_uuid(uuid);
    char *id = mem_strdup(u->region, uuid);
    if (!row || !id)
        return NULL;
    row[CRL_CERT] = cert[CERT_ID];
    row[CRL_ID] = VAL_TEXT(id);
    row[CRL_INDEX] = VAL_INT(c->index);
    row[CRL_DELTA] = VAL_INT(c->delta);
    row[CRL_NUMBER] = VAL_TEXT(c->number);
    row[CRL_BASE] = VAL_TEXT(c->base);
    row[CRL_THIS] = VAL_INT(c->this_ms);
    row[CRL_NEXT] = VAL_INT(c->next_ms);
    row[CRL_ENTRIES] = VAL_INT(c->entries);
    row[CRL_BYTES] = VAL_INT(c->der.len);
    row[CRL_SHA256] = VAL_BLOB(c->sha256, DIGEST_LEN);
    row[CRL_ISSUER] = VAL_TEXT(c->issuer);
    row[CRL_CREATED] = VAL_INT(u->now_ms);
    row[CRL_REV] = VAL_INT(rev);
    return row;
}

static int
put_list(struct unit *u, const acd_value *row, acd_slice der, acd_err *err)
{
    int rc = db_put(&u->db, COLL_CRL, row, ACD_REV_NEW, err);
    for (size_t at = 0, i = 0; rc == 0 && at < der.len; at += LIMIT_CRL_PART, i++) {
        size_t n = der.len - at < LIMIT_CRL_PART ? der.len - at : LIMIT_CRL_PART;
        const acd_value chunk[CRL_CHUNK_COLS] = {row[CRL_CERT], row[CRL_ID], VAL_INT(i),
                                                 VAL_BLOB((const char *)der.ptr + at, n)};
        rc = db_put(&u->db, COLL_CRL_CHUNK, chunk, ACD_REV_NEW, err);
    }
    return rc;
}

/* --- what they come to ------------------------------------------------------------------------------------
 */

static int64_t
until_of(int64_t next_ms)
{
    return next_ms ? next_ms : INT64_MAX;
}

/* The set of a complete list, or that of before changed by a delta. */
static int
merge(struct unit *u, const acd_value *cert, const struct crl_checked *c, uint64_t *ret_revoked, acd_err *err)
{
    struct crl_state s = {0};
    struct snap_revoked_set *set;
    int rc = crl_state_get(u, &cert[CERT_ID], c->index, &s, err);
    if (rc == ACD_ENOENT)
        rc = 0;
    if (rc == 0)
        rc = snap_revoked_copy(c->set, &set, err);
    if (rc < 0)
        return rc;
    if (c->delta) {
        rc = crl_set_load(u, &cert[CERT_ID], c->index, &s, set, err);
        s.until_ms = until_of(c->next_ms) > s.until_ms ? until_of(c->next_ms) : s.until_ms;
    } else {
        s.from_ms = c->this_ms;
        s.until_ms = until_of(c->next_ms);
    }
    s.listed = true;
    if (rc == 0)
        rc = crl_set_store(u, &cert[CERT_ID], c->index, set, &s, err);
    snap_revoked_free(set);
    if (rc == 0)
        rc = crl_state_put(u, &cert[CERT_ID], c->index, &s, err);
    *ret_revoked = s.shape.count;
    return rc < 0 ? rc : change_add(&u->changes, CHANGED_REVOCATION, row_text(cert, CERT_ID));
}

int
crls_add(struct unit *u, const acd_value *cert, const struct crl_checked *c, struct crl_outcome *ret,
         acd_err *err)
{
    struct have have;
    uint64_t rev;
    *ret = (struct crl_outcome){0};
    int rc = have_get(u, cert, c->index, &have, err);
    if (rc == 0)
        rc = check_order(u, cert, c, &have, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    acd_value *gone[] = {have.delta, c->delta ? NULL : have.full};
    for (size_t i = 0; rc == 0 && i < 2; i++)
        if (gone[i]) {
            ret->replaced[ret->nreplaced++] = row_text(gone[i], CRL_ID);
            rc = drop_list(u, gone[i], err);
        }
    if (rc < 0)
        return rc;
    ret->row = list_row(u, cert, c, rev);
    rc = ret->row ? put_list(u, ret->row, c->der, err) : ACD_ENOMEM;
    return rc < 0 ? rc : merge(u, cert, c, &ret->revoked, err);
}

/* --- taking away ------------------------------------------------------------------------------------------
 */

static int
add_chunk(void *arg, const acd_value *row, size_t ncols)
{
    struct buf *b = arg;
    (void)ncols;
    buf_slice(b, row[CRL_CHUNK_BYTES].bytes);
    return b->failed;
}

/* The set as the complete list alone has it: its bytes are read once more. */
static int
back_to(struct unit *u, const acd_value *cert, const acd_value *full, acd_err *err)
{
    struct buf der = BUF_INIT(LIMIT_CRL);
    struct crl_checked *c = NULL;
    acd_slice *cas;
    uint32_t *indexes;
    size_t ncas;
    uint64_t revoked;
    const struct db_query q = {.coll = COLL_CRL_CHUNK, .eq = VALS(full[CRL_CERT], full[CRL_ID]), .neq = 2};
    int rc = crls_of_ca(u, u->region, row_text(cert, CERT_ID), &cas, &indexes, &ncas, err);
    if (rc == 0)
        rc = db_walk(&u->db, &q, add_chunk, &der, err);
    if (rc == 0)
        rc = crl_check(core_validator(u->core), u->region, full[CRL_THIS].num, slice_of(der.data, der.len),
                       cas, indexes, ncas, &c, err);
    if (rc == 0 && c->errors)
        rc =
            err_set(err, ACD_ECORRUPT, "the complete list that is stored cannot be used any more: delete it");
    if (rc == 0)
        rc = merge(u, cert, c, &revoked, err);
    crl_checked_free(c);
    buf_done(&der);
    return rc;
}

static int
set_clear(struct unit *u, const acd_value *cert, uint32_t index, acd_err *err)
{
    const struct crl_state none = {0}; /* the row stays: its revision must not go back */
    int rc = crl_rows_drop(u, COLL_REVOKED, VALS(cert[CERT_ID], VAL_INT(index)), 2, err);
    if (rc == 0)
        rc = crl_state_put(u, &cert[CERT_ID], index, &none, err);
    return rc < 0 ? rc : change_add(&u->changes, CHANGED_REVOCATION, row_text(cert, CERT_ID));
}

static int
take_away(struct unit *u, const acd_value *cert, const acd_value *row, struct db_rows *deleted, acd_err *err)
{
    struct have have;
    uint32_t index = (uint32_t)row[CRL_INDEX].num;
    int rc = have_get(u, cert, index, &have, err);
    bool delta = row[CRL_DELTA].num != 0;
    if (rc == 0 && have.delta) {
        deleted->rows[deleted->n++] = have.delta;
        rc = drop_list(u, have.delta, err);
    }
    if (rc == 0 && !delta && have.full) {
        deleted->rows[deleted->n++] = have.full;
        rc = drop_list(u, have.full, err);
    }
    if (rc < 0)
        return rc;
    return delta ? back_to(u, cert, have.full, err) : set_clear(u, cert, index, err);
}

int
crls_delete(struct unit *u, const acd_value *cert, const char *crl_id, struct db_rows *ret_deleted,
            acd_err *err)
{
    struct db_rows rows;
    uint64_t rev;
    bool found = false;
    int rc = crls_list(u, cert, &rows, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    *ret_deleted = (struct db_rows){.rows = mem_new_n(u->region, rows.n, acd_value *)};
    if (!ret_deleted->rows)
        return ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < rows.n; i++) {
        bool all = !crl_id[0] && !rows.rows[i][CRL_DELTA].num; /* deltas go with their lists */
        if (!all && strcmp(row_text(rows.rows[i], CRL_ID), crl_id) != 0)
            continue;
        found = true;
        rc = take_away(u, cert, rows.rows[i], ret_deleted, err);
    }
    if (rc == 0 && !found) {
        rpc_detail_error_info(u->call, "NOT_FOUND", 0, crl_id);
        rc = crl_id[0] ? err_set(err, ACD_ENOENT, "no CRL '%s' of this CA", crl_id)
                       : err_set(err, ACD_ENOENT, "this CA has no CRL");
    }
    return rc;
}

int
crls_drop(struct unit *u, const acd_value *cert_id, acd_err *err)
{
    static const enum collection all[] = {COLL_CRL_CHUNK, COLL_CRL, COLL_REVOKED, COLL_REVOCATION,
                                          COLL_CRL_POLICY};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(all) / sizeof(all[0]); i++)
        rc = crl_rows_drop(u, all[i], cert_id, 1, err);
    return rc;
}

int
crls_policy(struct unit *u, const acd_value *cert, int64_t *ret, acd_err *err)
{
    acd_value *row;
    int rc = db_get(&u->db, COLL_CRL_POLICY, &cert[CERT_ID], 1, &row, err);
    *ret = rc == 0 ? row[CRL_POLICY_POLICY].num : REVOCATION_DEFAULT;
    return rc == ACD_ENOENT ? 0 : rc;
}
