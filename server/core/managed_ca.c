#include "core/managed_ca.h"

#include "base/err.h"
#include "core/certs.h"
#include "model/digest.h"
#include "model/limits.h"

enum {
    SKEW_MS = 300000, /* clocks that are behind take a new certificate all the same */
    CA_DAYS = 7300,   /* longer than any client certificate */
    DAY_MS = 86400000,
};

int
managed_ca_find(struct unit *u, const acd_value *account, struct managed_ca *ret, acd_err *err)
{
    *ret = (struct managed_ca){.account = (acd_value *)account};
    int rc = db_get(&u->db, COLL_CERT, VALS(account[ACCOUNT_MANAGED]), 1, &ret->cert, err);
    const struct db_query q = {.coll = COLL_CERT_ITEM, .eq = &account[ACCOUNT_MANAGED], .neq = 1};
    return rc < 0 ? rc : db_list(&u->db, &q, &ret->items, err);
}

/* --- keys -------------------------------------------------------------------------------------------------
 */

struct key_ctx {
    struct secret *ret;
    acd_err *err;
};

static int
take_key(void *arg, acd_slice key)
{
    struct key_ctx *ctx = arg;
    return secret_copy(key, ctx->ret, ctx->err);
}

int
managed_ca_key(struct core *core, struct rpc_call *call, enum acd_key_kind kind, struct secret *ret,
               acd_err *err)
{
    struct key_ctx ctx = {ret, err};
    *ret = (struct secret){0};
    int rc = plug_key_make(core_validator(core), kind, take_key, &ctx, call->deadline_ns, err);
    if (rc < 0)
        secret_done(ret);
    return rc;
}

/* --- certificates of the CA -------------------------------------------------------------------------------
 */

static int
write_object(struct unit *u, struct managed_ca *ca, acd_err *err)
{
    acd_slice ders[LIMIT_MANAGED_CERTS];
    uint8_t *digest = mem_alloc(u->region, DIGEST_LEN);
    size_t len = 0;
    uint64_t rev;
    int rc = digest ? unit_rev(u, &rev, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    char *text = mem_alloc(u->region, LIMIT_MANAGED_CERTS * 2 * LIMIT_CERT_DER);
    for (size_t i = 0; text && i < ca->items.n; i++) {
        ders[i] = ca->items.rows[i][ITEM_DER].bytes;
        acd_slice pem = cert_pem(u->region, ders[i]);
        if (!pem.ptr)
            return ACD_ENOMEM;
        memcpy(text + len, pem.ptr, pem.len);
        len += pem.len;
    }
    if (!text)
        return ACD_ENOMEM;
    text[len] = '\0';
    digest_chain(ders, ca->items.n, digest);
    ca->cert[CERT_DIGEST] = VAL_BLOB(digest, DIGEST_LEN);
    ca->cert[CERT_TEXT] = VAL_BLOB(text, len);
    ca->cert[CERT_UPDATED] = VAL_INT(u->now_ms);
    ca->cert[CERT_REV] = VAL_INT(rev);
    return db_put(&u->db, COLL_CERT, ca->cert, ACD_REV_ANY, err);
}

static int
touch_host(void *arg, const acd_value *row, size_t ncols)
{
    struct change_set *set = arg;
    acd_slice p = row[HOST_PATTERN].bytes;
    (void)ncols;
    char *pattern = mem_strndup(set->region, p.ptr, p.len);
    return pattern ? change_add(set, CHANGED_HOST, pattern) : ACD_ENOMEM;
}

/* The object with the items as they are in memory now, and every host that uses it. */
static int
write_all(struct unit *u, struct managed_ca *ca, acd_err *err)
{
    acd_slice id = ca->cert[CERT_ID].bytes;
    int rc = cert_drop_items(u, id, err);
    for (size_t i = 0; rc == 0 && i < ca->items.n; i++) {
        ca->items.rows[i][ITEM_INDEX] = VAL_INT(i);
        rc = db_put(&u->db, COLL_CERT_ITEM, ca->items.rows[i], ACD_REV_NEW, err);
    }
    if (rc == 0)
        rc = write_object(u, ca, err);
    if (rc == 0)
        rc = change_add(&u->changes, CHANGED_CERT, row_text(ca->cert, CERT_ID));
    const struct db_query q = {.coll = COLL_HOST, .index = HOST_BY_CERT, .eq = VALS(VAL_SLICE(id)), .neq = 1};
    return rc < 0 ? rc : db_walk(&u->db, &q, touch_host, &u->changes, err);
}

struct made {
    struct mem_region *region;
    acd_certinfo info;
};

static int
take_cert(void *arg, const acd_certinfo *info)
{
    struct made *m = arg;
    return certinfo_keep(m->region, info, &m->info);
}

static int
make_cert(struct unit *u, const struct managed_ca *ca, acd_slice key, acd_certinfo *ret, acd_err *err)
{
    struct made made = {.region = u->region};
    const char *name = mem_printf(u->region, "Managed CA for account %s", row_text(ca->account, ACCOUNT_ID));
    if (!name)
        return ACD_ENOMEM;
    const acd_make_ca what = {
        .struct_size = sizeof(what),
        .key = key,
        .common_name = slice_str(name),
        .organization = SLICE_LIT("anchord"),
        .not_before_ms = u->now_ms - SKEW_MS,
        .not_after_ms = u->now_ms + (int64_t)CA_DAYS * DAY_MS,
    };
    int rc = plug_ca_make(core_validator(u->core), &what, take_cert, &made, u->call->deadline_ns, err);
    *ret = made.info;
    return rc;
}

int
managed_ca_add(struct unit *u, struct managed_ca *ca, acd_slice key, acd_err *err)
{
    acd_certinfo info;
    if (ca->items.n >= LIMIT_MANAGED_CERTS)
        return err_set(err, ACD_ELIMIT,
                       "the managed CA has %d certificates already: retire the earlier ones first",
                       LIMIT_MANAGED_CERTS);
    acd_value **rows = mem_new_n(u->region, ca->items.n + 1, acd_value *);
    acd_value *first = mem_new_n(u->region, ITEM_COLS, acd_value);
    acd_certinfo *kept = mem_new(u->region, acd_certinfo);
    if (!rows || !first || !kept)
        return ACD_ENOMEM;
    int rc = make_cert(u, ca, key, &info, err);
    if (rc < 0)
        return rc;
    *kept = info;
    cert_item_row(row_text(ca->cert, CERT_ID), kept, first);
    rows[0] = first;
    if (ca->items.n)
        memcpy(rows + 1, ca->items.rows, ca->items.n * sizeof(*rows));
    ca->items = (struct db_rows){.rows = rows, .n = ca->items.n + 1};
    rc = write_all(u, ca, err);
    return rc < 0 ? rc
                  : keys_put(u, ca->cert[CERT_ID].bytes, ca->cert[CERT_ACCOUNT].bytes, kept->spki_sha256, key,
                             err);
}

/* --- its end ----------------------------------------------------------------------------------------------
 */

struct orphans {
    acd_slice aki; /* of the certificate that stays */
    uint64_t n;
};

static int
count_orphan(void *arg, const acd_value *row, size_t ncols)
{
    struct orphans *o = arg;
    (void)ncols;
    o->n += !slice_eq(row[CLIENT_CERT_AKI].bytes, o->aki);
    return 0;
}

int
managed_ca_retire(struct unit *u, struct managed_ca *ca, uint32_t *ret_retired, uint64_t *ret_orphans,
                  acd_err *err)
{
    if (ca->items.n < 2)
        return err_set(err, ACD_EPRECOND,
                       "the managed CA has %s: there is nothing to retire before it is rotated",
                       ca->items.n ? "one certificate" : "no certificate yet");
    struct orphans orphans = {.aki = ca->items.rows[0][ITEM_SKI].bytes};
    const struct db_query q = {.coll = COLL_CLIENT_CERT,
                               .index = CLIENT_CERT_BY_CA,
                               .eq = VALS(ca->cert[CERT_ID], VAL_INT(CLIENT_CERT_ACTIVE)),
                               .neq = 2};
    int rc = db_walk(&u->db, &q, count_orphan, &orphans, err);
    for (size_t i = 1; rc == 0 && i < ca->items.n; i++)
        rc = keys_drop(u, ca->cert[CERT_ID].bytes, ca->items.rows[i][ITEM_SPKI].bytes.ptr, err);
    *ret_retired = (uint32_t)ca->items.n - 1;
    *ret_orphans = orphans.n;
    ca->items.n = 1;
    return rc < 0 ? rc : write_all(u, ca, err);
}

int
managed_ca_touch(struct unit *u, acd_slice id, acd_err *err)
{
    acd_value *row;
    uint64_t rev;
    int rc = db_get(&u->db, COLL_CERT, VALS(VAL_SLICE(id)), 1, &row, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    row[CERT_REV] = VAL_INT(rev);
    rc = db_put(&u->db, COLL_CERT, row, ACD_REV_ANY, err);
    return rc < 0 ? rc : change_add(&u->changes, CHANGED_CERT, row_text(row, CERT_ID));
}

enum { DROP_BATCH = 500 };

static int
drop_client_certs(struct unit *u, acd_slice id, acd_err *err)
{
    const struct db_query q = {.coll = COLL_CLIENT_CERT,
                               .index = CLIENT_CERT_BY_CA,
                               .eq = VALS(VAL_SLICE(id)),
                               .neq = 1,
                               .limit = DROP_BATCH};
    struct mem_region scratch;
    struct db_rows rows;
    int rc;
    mem_init(&scratch, 65536, 0);
    do {
        mem_reset(&scratch);
        rc = db_list(&(struct db){u->db.s, &scratch}, &q, &rows, err);
        for (size_t i = 0; rc == 0 && i < rows.n; i++)
            rc = db_del(&u->db, COLL_CLIENT_CERT, VALS(rows.rows[i][CLIENT_CERT_ID]), 1, err);
    } while (rc == 0 && rows.n == DROP_BATCH);
    mem_done(&scratch);
    return rc;
}

int
managed_ca_drop(struct unit *u, acd_slice id, acd_err *err)
{
    int rc = drop_client_certs(u, id, err);
    if (rc == 0)
        rc = keys_drop_all(u, id, err);
    return rc < 0 ? rc : cert_drop_items(u, id, err);
}
