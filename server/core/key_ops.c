/* KeyService, and what there is to say about wrapped keys. */
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "core/keys.h"
#include "core/unit.h"

/* --- rewrap -----------------------------------------------------------------------------------------------
 */

enum { REWRAP_DEFAULT = 500, REWRAP_MAX = 5000 };

struct due {
    const struct wrap_key *current;
    uint64_t seen, limit;
};

/* The first so many rows that are not under the current key; the others are counted. */
static enum db_pick
pick_due(void *arg, const acd_value *row)
{
    struct due *d = arg;
    if (slice_eqs(row[KEY_WRAP].bytes, d->current->id))
        return DB_SKIP;
    return d->seen++ < d->limit ? DB_TAKE : DB_SKIP;
}

static int
rewrap_row(struct unit *u, const acd_value *row, acd_err *err)
{
    struct secret key;
    int rc = keys_open_row(u, row, &key, err);
    if (rc < 0)
        return rc;
    rc = keys_put(u, row[KEY_OWNER].bytes, row[KEY_ACCOUNT].bytes, row[KEY_SPKI].bytes.ptr,
                  secret_slice(&key), err);
    secret_done(&key);
    return rc;
}

static int
rewrap(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__RewrapKeysRequest *req = req_;
    struct keyring *ring = core_keyring(u->core);
    struct due due = {keyring_current(ring), 0, req->limit ? req->limit : REWRAP_DEFAULT};
    struct db_rows rows;
    (void)plan_;
    if (due.limit > REWRAP_MAX)
        return err_set(err, ACD_EINVAL, "limit is at most %d keys", REWRAP_MAX);
    if (!due.current)
        return err_set(err, ACD_EPRECOND, "there is no wrapping key to wrap anything under%s%s",
                       keyring_why(ring)[0] ? ": " : "", keyring_why(ring));
    const struct db_query q = {.coll = COLL_KEY, .index = KEY_BY_WRAP, .pick = pick_due, .pick_ctx = &due};
    int rc = db_list(&u->db, &q, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        rc = rewrap_row(u, rows.rows[i], err);
    if (rc < 0)
        return rc;
    Anchord__V1__RewrapKeysResponse *resp =
        wire_new(u->region, Anchord__V1__RewrapKeysResponse, anchord__v1__rewrap_keys_response);
    if (!resp)
        return ACD_ENOMEM;
    resp->key_id = (char *)due.current->id;
    resp->rewrapped = (uint32_t)rows.n;
    resp->remaining = due.seen - rows.n;
    resp->dry_run = req->dry_run;
    *ret_resp = resp;
    unit_note(u, "", due.current->id, mem_printf(u->region, "%zu keys", rows.n));
    return 0;
}

static bool
rewrap_dry(const void *req)
{
    return ((const Anchord__V1__RewrapKeysRequest *)req)->dry_run;
}

/* --- survey -----------------------------------------------------------------------------------------------
 */

struct survey {
    struct keyring *ring;
    struct core_keys *out;
    char last[KEYRING_ID_LEN + 1]; /* the rows come in order of their wrapping keys */
    uint64_t *count;               /* where rows of that one are counted; NULL: under the current one */
};

static void
survey_next(struct survey *s, acd_slice id)
{
    const struct wrap_key *current = keyring_current(s->ring);
    struct core_keys *out = s->out;
    size_t len = id.len < KEYRING_ID_LEN ? id.len : KEYRING_ID_LEN;
    memcpy(s->last, id.ptr, len);
    s->last[len] = '\0';
    s->count = NULL;
    if (!keyring_find(s->ring, id)) {
        s->count = &out->unreadable;
        if (out->nmissing < CORE_KEYS_MISSING)
            memcpy(out->missing[out->nmissing++], s->last, sizeof(s->last));
    } else if (!current || !slice_eqs(id, current->id)) {
        s->count = &out->to_rewrap;
    }
}

static int
survey_row(void *arg, const acd_value *row, size_t ncols)
{
    struct survey *s = arg;
    (void)ncols;
    if (s->out->wrapped++ == 0 || !slice_eqs(row[KEY_WRAP].bytes, s->last))
        survey_next(s, row[KEY_WRAP].bytes);
    if (s->count)
        ++*s->count;
    return 0;
}

int
keys_survey(struct plug_session *session, struct keyring *ring, struct core_keys *ret, acd_err *err)
{
    struct db db = {.s = session};
    struct survey s = {.ring = ring, .out = ret};
    const struct wrap_key *current = keyring_current(ring);
    *ret = (struct core_keys){0};
    memcpy(ret->key_id, current ? current->id : "", current ? sizeof(current->id) : 1);
    (void)snprintf(ret->problem, sizeof(ret->problem), "%s", keyring_why(ring));
    return db_walk(&db, &(struct db_query){.coll = COLL_KEY, .index = KEY_BY_WRAP}, survey_row, &s, err);
}

void
keys_log(const struct core_keys *k)
{
    for (size_t i = 0; i < k->nmissing; i++)
        LOG(ACD_LOG_ERR, "keys.missing", LF_STR("key", k->missing[i]), LF_STR("current", k->key_id),
            LF_INT("unreadable", k->unreadable),
            LF_STR("then", "queries are answered; whatever needs a private key under it is refused"));
    if (k->problem[0])
        LOG(ACD_LOG_ERR, "keys.source", LF_STR("why", k->problem));
    if (k->to_rewrap)
        LOG(ACD_LOG_NOTICE, "keys.rewrap", LF_INT("keys", k->to_rewrap),
            LF_STR("do", "anchorctl server rewrap, then the earlier wrapping keys may go"));
}

/* --- check ------------------------------------------------------------------------------------------------
 */

enum { CHECK_PAGE = 256 };

/* Opens every key, in memory that is used again for the next ones. */
static int
open_all(struct unit *u, struct mem_region *pages, uint64_t *ret_bad, acd_err *err)
{
    struct db paged = {u->db.s, pages};
    struct db_query q = {.coll = COLL_KEY, .limit = CHECK_PAGE};
    struct db_rows rows;
    struct mem_region last;
    int rc;
    mem_init(&last, 4096, 0);
    do {
        mem_reset(pages);
        rc = db_list(&paged, &q, &rows, err);
        for (size_t i = 0; rc == 0 && i < rows.n; i++) {
            struct secret key;
            int one = keys_open_row(u, rows.rows[i], &key, err);
            *ret_bad += one < 0;
            secret_done(&key);
        }
        if (rc == 0 && rows.n == CHECK_PAGE) {
            mem_reset(&last);
            acd_value *after = mem_new_n(&last, KEY_COLS, acd_value);
            rc = after ? 0 : ACD_ENOMEM;
            for (unsigned i = 0; rc == 0 && i < KEY_COLS; i++) {
                after[i].num = rows.rows[CHECK_PAGE - 1][i].num;
                after[i].bytes = mem_slice(&last, rows.rows[CHECK_PAGE - 1][i].bytes);
            }
            q.after = after;
        }
    } while (rc == 0 && rows.n == CHECK_PAGE);
    mem_done(&last);
    return rc;
}

struct check {
    struct core_keys *keys;
    uint64_t *bad;
};

static int
check_keys(struct unit *u, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    struct check *check = *ret_resp;
    struct mem_region pages;
    (void)req;
    (void)plan;
    mem_init(&pages, 65536, 0);
    int rc = keys_survey(u->db.s, core_keyring(u->core), check->keys, err);
    if (rc == 0)
        rc = open_all(u, &pages, check->bad, err);
    mem_done(&pages);
    return rc;
}

static int
survey_keys(struct unit *u, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    (void)req;
    (void)plan;
    return keys_survey(u->db.s, core_keyring(u->core), *ret_resp, err);
}

static const struct op check_op = OP_READ("KeyService/RewrapKeys", check_keys);
static const struct op survey_op = OP_READ("KeyService/RewrapKeys", survey_keys);

int
core_check_keys(struct core *core, struct rpc_call *call, struct core_keys *ret, uint64_t *ret_bad,
                acd_err *err)
{
    struct check check = {ret, ret_bad};
    void *arg = &check;
    *ret_bad = 0;
    return unit_run(core, &check_op, call, NULL, &arg, err);
}

int
core_key_status(struct core *core, struct rpc_call *call, struct core_keys *ret, acd_err *err)
{
    void *arg = ret;
    return unit_run(core, &survey_op, call, NULL, &arg, err);
}

const struct op key_ops[] = {
    OP_WRITE_DRY("KeyService/RewrapKeys", NULL, rewrap, rewrap_dry),
    {0},
};
