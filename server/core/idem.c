#include "core/idem.h"

#include "base/err.h"

enum {
    IDEM_KEEP_MS = 24 * 3600 * 1000, /* how long an outcome is kept */
    IDEM_PURGE = 8,                  /* old outcomes dropped by each new one, so that purging keeps pace */
};

void
idem_digest(const struct unit *u, const char *method, uint8_t ret[DIGEST_LEN])
{
    struct digest d;
    digest_init(&d);
    digest_update(&d, method, strlen(method) + 1);
    digest_update(&d, u->call->frame.payload.ptr, u->call->frame.payload.len);
    if (u->call->frame.dry_run)
        digest_update(&d, "dry", 3);
    digest_final(&d, ret);
}

int
idem_same(struct unit *u, const char *method, const char *before, acd_slice digest, acd_err *err)
{
    uint8_t now[DIGEST_LEN];
    idem_digest(u, method, now);
    if (slice_eq(digest, slice_of(now, sizeof(now))))
        return 0;
    rpc_detail_error_info(u->call, "IDEMPOTENCY_KEY_REUSED", 0, before);
    return err_set(err, ACD_EINVAL, "idempotency key was used before, for another request (%s)", before);
}

int
idem_find(struct unit *u, const char *method, void **ret_resp, acd_err *err)
{
    acd_value *row;
    int rc = db_get(&u->db, COLL_IDEM,
                    VALS(VAL_TEXT(call_actor(u->call)), VAL_SLICE(u->call->frame.idem_key)), 2, &row, err);
    if (rc < 0)
        return rc;
    if (row[IDEM_CREATED].num + IDEM_KEEP_MS < u->now_ms)
        return ACD_ENOENT;
    rc = idem_same(u, method, row_text(row, IDEM_METHOD), row[IDEM_DIGEST].bytes, err);
    if (rc < 0)
        return rc;
    rc = wire_unpack(u->region, u->call->method->response, row[IDEM_REPLY].bytes, ret_resp, err);
    if (rc < 0)
        return rc;
    u->call->revision = (uint64_t)row[IDEM_REVISION].num;
    return IDEM_REPLAYED;
}

static int
purge(struct unit *u, acd_err *err)
{
    struct db_rows old;
    const struct db_query q = {.coll = COLL_IDEM, .index = IDEM_BY_CREATED, .limit = IDEM_PURGE};
    int rc = db_list(&u->db, &q, &old, err);
    for (size_t i = 0; rc == 0 && i < old.n; i++) {
        if (old.rows[i][IDEM_CREATED].num + IDEM_KEEP_MS >= u->now_ms)
            break;
        rc = db_del(&u->db, COLL_IDEM, VALS(old.rows[i][IDEM_ACTOR], old.rows[i][IDEM_KEY]), 2, err);
    }
    return rc;
}

int
idem_store(struct unit *u, const char *method, const void *resp, acd_err *err)
{
    uint8_t digest[DIGEST_LEN];
    acd_slice reply;
    idem_digest(u, method, digest);
    int rc = wire_pack(u->region, resp, &reply, err);
    if (rc < 0)
        return rc;
    rc = purge(u, err);
    if (rc < 0)
        return rc;
    const acd_value row[IDEM_COLS] = {
        [IDEM_ACTOR] = VAL_TEXT(call_actor(u->call)),
        [IDEM_KEY] = VAL_SLICE(u->call->frame.idem_key),
        [IDEM_METHOD] = VAL_TEXT(method),
        [IDEM_DIGEST] = VAL_BLOB(digest, sizeof(digest)),
        [IDEM_REPLY] = VAL_SLICE(reply),
        [IDEM_REVISION] = VAL_INT(u->rev),
        [IDEM_CREATED] = VAL_INT(u->now_ms),
    };
    return db_put(&u->db, COLL_IDEM, row, ACD_REV_ANY, err);
}
