#include "core/crl_set.h"

#include "base/err.h"

int
crl_state_get(struct unit *u, const acd_value *cert_id, uint32_t index, struct crl_state *ret, acd_err *err)
{
    acd_value *row;
    int rc = db_get(&u->db, COLL_REVOCATION, VALS(*cert_id, VAL_INT(index)), 2, &row, err);
    if (rc < 0)
        return rc;
    *ret = (struct crl_state){
        .listed = row[REVOCATION_LISTED].num != 0,
        .from_ms = row[REVOCATION_FROM].num,
        .until_ms = row[REVOCATION_UNTIL].num,
        .shape = {(uint64_t)row[REVOCATION_SEED].num, (uint32_t)row[REVOCATION_COUNT].num,
                  (uint8_t)row[REVOCATION_WIDTH].num, (uint8_t)row[REVOCATION_BITS].num},
    };
    return 0;
}

int
crl_state_put(struct unit *u, const acd_value *cert_id, uint32_t index, const struct crl_state *s,
              acd_err *err)
{
    uint64_t rev;
    int rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    const acd_value row[REVOCATION_COLS] = {
        [REVOCATION_CERT] = *cert_id,
        [REVOCATION_INDEX] = VAL_INT(index),
        [REVOCATION_LISTED] = VAL_INT(s->listed),
        [REVOCATION_FROM] = VAL_INT(s->from_ms),
        [REVOCATION_UNTIL] = VAL_INT(s->until_ms),
        [REVOCATION_SEED] = VAL_INT(s->shape.seed),
        [REVOCATION_COUNT] = VAL_INT(s->shape.count),
        [REVOCATION_WIDTH] = VAL_INT(s->shape.width),
        [REVOCATION_BITS] = VAL_INT(s->shape.bits),
        [REVOCATION_REV] = VAL_INT(rev),
    };
    return db_put(&u->db, COLL_REVOCATION, row, ACD_REV_ANY, err);
}

/* --- parts ------------------------------------------------------------------------------------------------
 */

struct load {
    const struct snap_revoked_shape *shape;
    struct snap_revoked_set *set;
    acd_err *err;
};

static int
load_row(void *arg, const acd_value *row, size_t ncols)
{
    struct load *l = arg;
    (void)ncols;
    return snap_revoked_load(l->set, l->shape, (uint32_t)row[REVOKED_PART].num, row[REVOKED_BYTES].bytes,
                             l->err);
}

int
crl_set_load(struct unit *u, const acd_value *cert_id, uint32_t index, const struct crl_state *s,
             struct snap_revoked_set *set, acd_err *err)
{
    struct load l = {&s->shape, set, err};
    const struct db_query q = {.coll = COLL_REVOKED, .eq = VALS(*cert_id, VAL_INT(index)), .neq = 2};
    return db_walk(&u->db, &q, load_row, &l, err);
}

struct store {
    struct unit *u;
    const acd_value *cert_id;
    uint32_t index;
    acd_err *err;
};

static int
row_is(void *arg, const acd_value *row, size_t ncols)
{
    acd_slice *bytes = arg;
    (void)ncols;
    if (slice_eq(*bytes, row[REVOKED_BYTES].bytes))
        *bytes = (acd_slice){NULL, 0}; /* as it is: nothing to write */
    return 0;
}

static int
store_part(void *arg, uint32_t part, acd_slice bytes)
{
    struct store *st = arg;
    const acd_value key[] = {*st->cert_id, VAL_INT(st->index), VAL_INT(part)};
    acd_slice left = bytes;
    int rc = plug_get(st->u->db.s, COLL_REVOKED, key, 3, row_is, &left, NULL);
    if (rc < 0 && rc != ACD_ENOENT)
        return err_set(st->err, rc, "storage gives no part of a revocation set");
    if (!left.ptr)
        return 0;
    const acd_value row[REVOKED_COLS] = {key[0], key[1], key[2], VAL_SLICE(bytes)};
    return db_put(&st->u->db, COLL_REVOKED, row, ACD_REV_ANY, st->err);
}

int
crl_set_store(struct unit *u, const acd_value *cert_id, uint32_t index, struct snap_revoked_set *set,
              struct crl_state *s, acd_err *err)
{
    struct store st = {u, cert_id, index, err};
    struct snap_revoked_shape old = s->shape;
    int rc = snap_revoked_build(set, &old, &s->shape, store_part, &st, err);
    /* Parts that the new shape has no place for. */
    for (uint32_t part = 1u << s->shape.bits; rc == 0 && old.width && part >> old.bits == 0; part++) {
        rc = db_del(&u->db, COLL_REVOKED, VALS(*cert_id, VAL_INT(index), VAL_INT(part)), 3, err);
        if (rc == ACD_ENOENT)
            rc = 0;
    }
    return rc;
}

/* --- deleting ---------------------------------------------------------------------------------------------
 */

enum { DROP_BATCH = 128, DROP_KEY = 4, DROP_TEXT = 64 };

struct drop {
    const acd_collection *c;
    size_t n;
    acd_value keys[DROP_BATCH][DROP_KEY];
    char text[DROP_BATCH][DROP_KEY][DROP_TEXT];
};

static int
drop_row(void *arg, const acd_value *row, size_t ncols)
{
    struct drop *d = arg;
    (void)ncols;
    for (size_t k = 0; k < d->c->npk; k++) {
        acd_value *to = &d->keys[d->n][k];
        *to = row[k];
        if (d->c->cols[k].type == ACD_COL_INT)
            continue;
        if (row[k].bytes.len > DROP_TEXT)
            return ACD_ECORRUPT;
        memcpy(d->text[d->n][k], row[k].bytes.ptr, row[k].bytes.len);
        to->bytes.ptr = d->text[d->n][k];
    }
    d->n++;
    return 0;
}

int
crl_rows_drop(struct unit *u, enum collection coll, const acd_value *eq, size_t neq, acd_err *err)
{
    struct drop d = {.c = &collections[coll]};
    const struct db_query q = {.coll = coll, .eq = eq, .neq = neq, .limit = DROP_BATCH};
    must(d.c->npk <= DROP_KEY);
    do {
        d.n = 0;
        int rc = db_walk(&u->db, &q, drop_row, &d, err);
        for (size_t i = 0; rc == 0 && i < d.n; i++)
            rc = db_del(&u->db, coll, d.keys[i], d.c->npk, err);
        if (rc < 0)
            return rc;
    } while (d.n == DROP_BATCH);
    return 0;
}
