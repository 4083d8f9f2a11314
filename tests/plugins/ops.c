#include "ops.h"

static const acd_slice texts[] = {
    {"", 0}, {"a", 1}, {"aa", 2}, {"ab", 2}, {"b", 1}, {"\xc3\xa9", 2}, {"\xf0\x9f\x94\x92", 4}, {"z", 1},
};
static const acd_slice blobs[] = {
    {"", 0}, {"\0", 1}, {"\0\0", 2}, {"a\0b", 3}, {"\xff", 1}, {"\xff\xfe", 2}, {"a", 1},
};
static const int64_t numbers[] = {0, 1, 2, 3, -1, INT64_MAX, INT64_MIN};

#define PICK(r, a) ((a)[prng_below((r), sizeof(a) / sizeof((a)[0]))])

static acd_value
pick(struct prng *r, const acd_column *col)
{
    acd_value v = {0};
    if (col->type == ACD_COL_INT)
        v.num = (col->flags & ACD_COL_REV) ? (int64_t)prng_below(r, 4) + 1 : PICK(r, numbers);
    else if (!(col->flags & ACD_COL_NULL) || prng_below(r, 3))
        v.bytes = col->type == ACD_COL_TEXT ? PICK(r, texts) : PICK(r, blobs);
    return v;
}

void
ops_row(struct prng *r, struct ops_row *ret)
{
    ret->coll = (uint32_t)prng_below(r, C_ROWS);
    for (size_t i = 0; i < test_colls[ret->coll].ncols; i++)
        ret->v[i] = pick(r, &test_colls[ret->coll].cols[i]);
}

static uint64_t
pick_rev(struct prng *r)
{
    switch (prng_below(r, 4)) {
    case 0:
        return ACD_REV_NEW;
    case 1:
        return 1 + prng_below(r, 4);
    default:
        return ACD_REV_ANY;
    }
}

static void
change_put(struct prng *r, struct plug_session *s, struct naive *m)
{
    struct ops_row row;
    ops_row(r, &row);
    uint64_t if_rev = pick_rev(r);
    int want = m ? naive_put(m, row.coll, row.v, if_rev) : 0;
    int got = s ? plug_put(s, row.coll, row.v, test_colls[row.coll].ncols, if_rev, NULL) : want;
    if (m)
        ck_assert_int_eq(got, want);
}

static void
change_del(struct prng *r, struct plug_session *s, struct naive *m)
{
    struct ops_row row;
    ops_row(r, &row);
    uint64_t if_rev = pick_rev(r);
    if (if_rev == ACD_REV_NEW)
        if_rev = ACD_REV_ANY;
    int want = m ? naive_del(m, row.coll, row.v, if_rev) : 0;
    int got = s ? plug_del(s, row.coll, row.v, test_colls[row.coll].npk, if_rev, NULL) : want;
    if (m)
        ck_assert_int_eq(got, want);
}

static void
change_counter(struct prng *r, struct plug_session *s, struct naive *m)
{
    unsigned char key = (unsigned char)prng_below(r, NAIVE_COUNTERS);
    int64_t delta = prng_below(r, 20) ? (int64_t)prng_below(r, 9) - 4 : PICK(r, numbers);
    int64_t lo = prng_below(r, 4) ? 0 : INT64_MIN, hi = prng_below(r, 4) ? 10 : INT64_MAX, now = -77;
    int want = 0;
    if (m) {
        __int128 next = (__int128)m->counters[key] + delta;
        want = next < lo || next > hi ? ACD_ELIMIT : 0;
        if (want == 0)
            m->counters[key] = (int64_t)next;
    }
    if (!s)
        return;
    int got = plug_counter_add(s, (acd_slice){&key, 1}, delta, lo, hi, &now, NULL);
    if (m) {
        ck_assert_int_eq(got, want);
        ck_assert_int_eq(now, m->counters[key]);
    }
}

void
ops_change(struct prng *r, struct plug_session *s, struct naive *m)
{
    uint64_t kind = prng_below(r, 12), seq = 0;
    if (kind < 6)
        change_put(r, s, m);
    else if (kind < 8)
        change_del(r, s, m);
    else if (kind < 11)
        change_counter(r, s, m);
    else {
        if (m)
            m->seq++;
        if (s)
            ck_ok(plug_next_seq(s, &seq, NULL));
        if (s && m)
            ck_assert_uint_eq(seq, m->seq);
    }
}

struct expect {
    uint32_t coll;
    const struct naive_row *rows[NAIVE_ROWS];
    size_t n, at, stop;
};

static int
expect_row(void *ctx, const acd_value *row, size_t ncols)
{
    struct expect *e = ctx;
    ck_assert_uint_eq(ncols, test_colls[e->coll].ncols);
    ck_assert_uint_lt(e->at, e->n);
    ck_assert(naive_same_row(e->coll, e->rows[e->at]->v, row));
    e->at++;
    return e->at == e->stop ? 1 : 0;
}

static void
read_scan(struct prng *r, struct plug_session *s, const struct naive *m)
{
    struct ops_row row;
    struct expect e = {0};
    acd_value eq[4];
    ops_row(r, &row);
    const acd_collection *c = &test_colls[row.coll];
    acd_scan scan = {.coll = row.coll, .index = (uint32_t)prng_below(r, c->nindexes + 1), .eq = eq};
    size_t own = scan.index ? c->indexes[scan.index - 1].ncols : c->npk;
    scan.neq = prng_below(r, own + 1);
    scan.reverse = (uint32_t)prng_below(r, 2);
    scan.limit = prng_below(r, 2) ? (uint32_t)prng_below(r, 5) : 0;
    for (size_t i = 0; i < scan.neq; i++)
        eq[i] = row.v[scan.index ? c->indexes[scan.index - 1].cols[i] : i];
    if (prng_below(r, 2))
        scan.after = row.v;
    e.coll = row.coll;
    e.n = naive_scan(m, &scan, e.rows);
    e.stop = prng_below(r, 8) ? 0 : 1 + prng_below(r, 3);
    ck_ok(plug_scan(s, &scan, expect_row, &e, NULL));
    ck_assert_uint_eq(e.at, e.stop && e.stop < e.n ? e.stop : e.n);
}

static void
read_get(struct prng *r, struct plug_session *s, const struct naive *m)
{
    struct ops_row row;
    struct expect e = {.n = 1};
    ops_row(r, &row);
    e.coll = row.coll;
    e.rows[0] = naive_get(m, row.coll, row.v);
    int rc = plug_get(s, row.coll, row.v, test_colls[row.coll].npk, expect_row, &e, NULL);
    ck_assert_int_eq(rc, e.rows[0] ? 0 : ACD_ENOENT);
    ck_assert_uint_eq(e.at, e.rows[0] ? 1 : 0);
}

void
ops_read(struct prng *r, struct plug_session *s, const struct naive *m)
{
    if (prng_below(r, 4))
        read_scan(r, s, m);
    else
        read_get(r, s, m);
}
