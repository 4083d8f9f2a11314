#include "core/keys.h"

#include "base/err.h"
#include "model/limits.h"

/* --- secrets ----------------------------------------------------------------------------------------------
 */

int
secret_copy(acd_slice from, struct secret *ret, acd_err *err)
{
    *ret = (struct secret){.bytes = seal_alloc(from.len), .len = from.len, .room = from.len};
    if (!ret->bytes)
        return err_set(err, ACD_EBUSY, "the memory for private keys is used up for the moment");
    if (from.len)
        memcpy(ret->bytes, from.ptr, from.len);
    return 0;
}

void
secret_done(struct secret *s)
{
    seal_free(s->bytes, s->room);
    *s = (struct secret){0};
}

/* --- what a row is sealed with ----------------------------------------------------------------------------
 */

struct aad {
    uint8_t bytes[128];
    acd_slice slice;
};

/* Every part has a fixed length but the owner, which comes last. */
static int
aad_make(struct aad *a, const char *wrap_id, const uint8_t *spki, acd_slice owner, acd_err *err)
{
    static const char label[8] = "acd-key";
    uint8_t *p = a->bytes;
    if (owner.len > sizeof(a->bytes) - sizeof(label) - KEYRING_ID_LEN - DIGEST_LEN)
        return err_set(err, ACD_ECORRUPT, "the private key's owner is no id");
    p = mempcpy(p, label, sizeof(label));
    p = mempcpy(p, wrap_id, KEYRING_ID_LEN);
    p = mempcpy(p, spki, DIGEST_LEN);
    p = mempcpy(p, owner.ptr, owner.len);
    a->slice = slice_of(a->bytes, (size_t)(p - a->bytes));
    return 0;
}

/* --- which wrapping key? ----------------------------------------------------------------------------------
 */

static int
refuse_missing(struct unit *u, acd_slice id, acd_err *err)
{
    struct keyring *ring = core_keyring(u->core);
    const struct wrap_key *current = keyring_current(ring);
    const char *why = keyring_why(ring);
    rpc_detail_error_info(u->call, "WRAPPING_KEY_MISSING", 0, mem_strndup(u->region, id.ptr, id.len));
    return err_set(
        err, ACD_EPRECOND, "private keys are wrapped under key %.*s, which is missing (current key: %s)%s%s",
        (int)id.len, (const char *)id.ptr, current ? current->id : "none", why[0] ? ": " : "", why);
}

/* Some row's wrapping key. ACD_ENOENT: nothing is wrapped yet. */
static int
any_wrap_id(struct unit *u, acd_slice *ret, acd_err *err)
{
    struct db_rows rows;
    int rc = db_list(&u->db, &(struct db_query){.coll = COLL_KEY, .limit = 1}, &rows, err);
    if (rc == 0 && rows.n > 0)
        *ret = rows.rows[0][KEY_WRAP].bytes;
    return rc < 0 ? rc : rows.n > 0 ? 0 : ACD_ENOENT;
}

/* A new wrapping key is made only when nothing is wrapped under another one that is not here: it would hide
 * that the old one was lost. */
static int
need_current(struct unit *u, const struct wrap_key **ret, acd_err *err)
{
    struct keyring *ring = core_keyring(u->core);
    acd_slice other;
    *ret = keyring_current(ring);
    if (*ret)
        return 0;
    int rc = any_wrap_id(u, &other, err);
    if (rc != ACD_ENOENT)
        return rc < 0 ? rc : refuse_missing(u, other, err);
    if (!keyring_may_make(ring)) {
        rpc_detail_error_info(u->call, "WRAPPING_KEY_MISSING", 0, "");
        return err_set(err, ACD_EPRECOND, "no private key can be kept, as there is no wrapping key: %s",
                       keyring_why(ring));
    }
    if (u->dry)
        return 0;
    rc = keyring_make(ring, err);
    *ret = keyring_current(ring);
    return rc;
}

/* --- rows -------------------------------------------------------------------------------------------------
 */

int
keys_put(struct unit *u, acd_slice owner, acd_slice account, const uint8_t spki[DIGEST_LEN], acd_slice key,
         acd_err *err)
{
    const struct wrap_key *wrap;
    struct aad aad;
    uint64_t rev;
    int rc = need_current(u, &wrap, err);
    if (rc < 0 || !wrap) /* a dry run would make one */
        return rc;
    size_t len = key.len + SEAL_EXTRA;
    uint8_t *sealed = mem_alloc(u->region, len);
    if (!sealed)
        return ACD_ENOMEM;
    rc = aad_make(&aad, wrap->id, spki, owner, err);
    if (rc == 0)
        rc = seal_wrap(wrap->bytes, aad.slice, key, sealed, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    const acd_value row[KEY_COLS] = {
        [KEY_OWNER] = VAL_SLICE(owner),       [KEY_SPKI] = VAL_BLOB(spki, DIGEST_LEN),
        [KEY_ACCOUNT] = VAL_SLICE(account),   [KEY_WRAP] = VAL_TEXT(wrap->id),
        [KEY_SEALED] = VAL_BLOB(sealed, len), [KEY_REV] = VAL_INT(rev),
    };
    return db_put(&u->db, COLL_KEY, row, ACD_REV_ANY, err);
}

int
keys_open_row(struct unit *u, const acd_value *row, struct secret *ret, acd_err *err)
{
    const struct wrap_key *wrap = keyring_find(core_keyring(u->core), row[KEY_WRAP].bytes);
    acd_slice sealed = row[KEY_SEALED].bytes;
    struct aad aad;
    *ret = (struct secret){0};
    if (!wrap)
        return refuse_missing(u, row[KEY_WRAP].bytes, err);
    if (sealed.len < SEAL_EXTRA || row[KEY_SPKI].bytes.len != DIGEST_LEN)
        return err_set(err, ACD_ECORRUPT, "the private key of %s is damaged", row_text(row, KEY_OWNER));
    int rc = aad_make(&aad, wrap->id, row[KEY_SPKI].bytes.ptr, row[KEY_OWNER].bytes, err);
    ret->len = ret->room = sealed.len - SEAL_EXTRA;
    if (rc == 0 && !(ret->bytes = seal_alloc(ret->room)))
        rc = err_set(err, ACD_EBUSY, "the memory for private keys is used up for the moment");
    if (rc == 0 && seal_open(wrap->bytes, aad.slice, sealed, ret->bytes, err) < 0)
        rc = err_set(err, ACD_ECORRUPT,
                     "the private key of %s does not open under key %s: the row was changed or moved",
                     row_text(row, KEY_OWNER), wrap->id);
    if (rc < 0)
        secret_done(ret);
    return rc;
}

int
keys_get(struct unit *u, acd_slice owner, const uint8_t spki[DIGEST_LEN], struct secret *ret, acd_err *err)
{
    acd_value *row;
    *ret = (struct secret){0};
    int rc = db_get(&u->db, COLL_KEY, VALS(VAL_SLICE(owner), VAL_BLOB(spki, DIGEST_LEN)), 2, &row, err);
    return rc < 0 ? rc : keys_open_row(u, row, ret, err);
}

int
keys_has(struct unit *u, acd_slice owner, bool *ret, acd_err *err)
{
    uint64_t n = 0;
    int rc = db_count(
        &u->db, &(struct db_query){.coll = COLL_KEY, .eq = VALS(VAL_SLICE(owner)), .neq = 1, .limit = 1}, &n,
        err);
    *ret = n > 0;
    return rc;
}

int
keys_drop(struct unit *u, acd_slice owner, const uint8_t spki[DIGEST_LEN], acd_err *err)
{
    return db_del(&u->db, COLL_KEY, VALS(VAL_SLICE(owner), VAL_BLOB(spki, DIGEST_LEN)), 2, err);
}

int
keys_drop_all(struct unit *u, acd_slice owner, acd_err *err)
{
    struct db_rows rows;
    int rc = db_list(&u->db, &(struct db_query){.coll = COLL_KEY, .eq = VALS(VAL_SLICE(owner)), .neq = 1},
                     &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        rc = db_del(&u->db, COLL_KEY, VALS(rows.rows[i][KEY_OWNER], rows.rows[i][KEY_SPKI]), 2, err);
    return rc;
}
