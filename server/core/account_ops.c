/* AccountService and ZoneService. */
#include "base/err.h"
#include "core/access.h"
#include "core/find.h"
#include "core/managed_ca.h"
#include "core/token_ops.h"
#include "core/unit.h"
#include "model/host.h"
#include "model/ids.h"

#define PLAN_FREE       ANCHORD__V1__PLAN__PLAN_FREE
#define PLAN_ENTERPRISE ANCHORD__V1__PLAN__PLAN_ENTERPRISE

/* --- accounts ---------------------------------------------------------------------------------------------
 */

static Anchord__V1__Account *
account_msg(struct unit *u, const acd_value *row)
{
    Anchord__V1__Account *m = wire_new(u->region, Anchord__V1__Account, anchord__v1__account);
    if (!m)
        return NULL;
    m->id = (char *)row_text(row, ACCOUNT_ID);
    m->name = (char *)row_text(row, ACCOUNT_NAME);
    m->plan = (Anchord__V1__Plan)row[ACCOUNT_PLAN].num;
    m->created_ms = row[ACCOUNT_CREATED].num;
    m->managed_ca_id = (char *)row_text(row, ACCOUNT_MANAGED);
    m->revision = (uint64_t)row[ACCOUNT_REV].num;
    return m;
}

/* The managed CA exists from the start, so that hosts can be associated with it; it gets its certificate when
 * it first has to sign. */
static int
put_managed_ca(struct unit *u, const char *account_id, const char *ca_id, uint64_t rev, acd_err *err)
{
    const acd_value row[CERT_COLS] = {
        [CERT_ID] = VAL_TEXT(ca_id),
        [CERT_ACCOUNT] = VAL_TEXT(account_id),
        [CERT_SPACE] = VAL_TEXT("mtls"),
        [CERT_DIGEST] = VAL_BLOB(NULL, 0),
        [CERT_NAME] = VAL_TEXT("Managed CA"),
        [CERT_CA] = VAL_INT(1),
        [CERT_PRODUCT] = VAL_TEXT(""),
        [CERT_TYPE] = VAL_INT(CERT_MANAGED),
        [CERT_PROFILE] = VAL_INT(ACD_PROFILE_STRICT),
        [CERT_TEXT] = VAL_TEXT(""),
        [CERT_CREATED] = VAL_INT(u->now_ms),
        [CERT_UPDATED] = VAL_INT(u->now_ms),
        [CERT_DEPLOYED] = VAL_INT(rev),
        [CERT_REV] = VAL_INT(rev),
    };
    return db_put(&u->db, COLL_CERT, row, ACD_REV_NEW, err);
}

static int
account_create(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__CreateAccountRequest *req = req_;
    char id[ID_HEX_LEN + 1], managed[ID_UUID_LEN + 1];
    uint64_t rev;
    (void)plan_;
    int rc = check_name(u->call, "name", req->name, err);
    if (rc < 0)
        return rc;
    if (req->plan != 0 && req->plan != PLAN_FREE && req->plan != PLAN_ENTERPRISE)
        return err_set(err, ACD_EINVAL, "plan %d is unknown: free or enterprise", (int)req->plan);
    rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    id_new_hex(id);
    id_new_uuid(managed);
    const acd_value row[ACCOUNT_COLS] = {
        [ACCOUNT_ID] = VAL_TEXT(mem_strdup(u->region, id)),
        [ACCOUNT_NAME] = VAL_TEXT(req->name),
        [ACCOUNT_PLAN] = VAL_INT(req->plan ? req->plan : PLAN_ENTERPRISE),
        [ACCOUNT_CREATED] = VAL_INT(u->now_ms),
        [ACCOUNT_MANAGED] = VAL_TEXT(mem_strdup(u->region, managed)),
        [ACCOUNT_REV] = VAL_INT(rev),
    };
    rc = db_put(&u->db, COLL_ACCOUNT, row, ACD_REV_NEW, err);
    if (rc == ACD_EEXIST)
        return err_set(err, rc, "an account named '%s' exists", req->name);
    if (rc == 0)
        rc = put_managed_ca(u, row_text(row, ACCOUNT_ID), row_text(row, ACCOUNT_MANAGED), rev, err);
    if (rc < 0)
        return rc;
    unit_note(u, row_text(row, ACCOUNT_ID), row_text(row, ACCOUNT_ID), req->name);
    return (*ret_resp = account_msg(u, row)) ? 0 : ACD_ENOMEM;
}

/* A caller with a token has one account. */
static int
list_rows(struct unit *u, const acd_value *after, uint32_t size, struct db_rows *ret, uint64_t *ret_total,
          acd_err *err)
{
    struct db_query q = {.coll = COLL_ACCOUNT, .index = ACCOUNT_BY_NAME, .after = after, .limit = size + 1};
    acd_value id = u->call->scope ? VAL_TEXT(u->call->scope->account) : VAL_TEXT("");
    if (u->call->scope) {
        q.index = 0;
        q.eq = &id;
        q.neq = 1;
    }
    int rc = db_list(&u->db, &q, ret, err);
    q.after = NULL;
    return rc < 0 ? rc : db_count(&u->db, &q, ret_total, err);
}

static int
account_list(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListAccountsRequest *req = req_;
    uint32_t size = page_size(req->page);
    acd_value *after = NULL;
    struct db_rows rows;
    uint64_t total;
    (void)plan_;
    int rc = 0;
    if (page_after(req->page)[0])
        rc = find_account(u, page_after(req->page), &after, err);
    if (rc == 0)
        rc = list_rows(u, after, size, &rows, &total, err);
    if (rc < 0)
        return rc;
    size_t n = rows.n > size ? size : rows.n;
    Anchord__V1__ListAccountsResponse *resp =
        wire_new(u->region, Anchord__V1__ListAccountsResponse, anchord__v1__list_accounts_response);
    if (!resp || !(resp->accounts = mem_new_n(u->region, n, Anchord__V1__Account *)))
        return ACD_ENOMEM;
    for (; resp->n_accounts < n; resp->n_accounts++)
        if (!(resp->accounts[resp->n_accounts] = account_msg(u, rows.rows[resp->n_accounts])))
            return ACD_ENOMEM;
    resp->page = page_info(u->region, rows.n > size ? row_text(rows.rows[n - 1], ACCOUNT_ID) : "", total);
    *ret_resp = resp;
    return resp->page ? 0 : ACD_ENOMEM;
}

static int
account_get(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__GetAccountRequest *req = req_;
    acd_value *row;
    (void)plan_;
    int rc = find_account(u, req->account, &row, err);
    if (rc < 0)
        return rc;
    return (*ret_resp = account_msg(u, row)) ? 0 : ACD_ENOMEM;
}

/* What keeps an account from being deleted. */
static int
account_check_empty(struct unit *u, const acd_value *account, acd_err *err)
{
    const acd_value eq[] = {account[ACCOUNT_ID]};
    uint64_t zones, certs;
    int rc =
        db_count(&u->db, &(struct db_query){.coll = COLL_ZONE, .index = ZONE_BY_ACCOUNT, .eq = eq, .neq = 1},
                 &zones, err);
    if (rc == 0)
        rc = db_count(&u->db,
                      &(struct db_query){.coll = COLL_CERT, .index = CERT_BY_ACCOUNT, .eq = eq, .neq = 1},
                      &certs, err);
    if (rc < 0)
        return rc;
    certs -= 1; /* the managed CA goes with its account */
    if (zones + certs == 0)
        return 0;
    rpc_detail_error_info(u->call, "ACCOUNT_IN_USE", 0, row_text(account, ACCOUNT_ID));
    return err_set(err, ACD_EPRECOND, "account '%s' still has %llu zones and %llu certificates",
                   row_text(account, ACCOUNT_NAME), (unsigned long long)zones, (unsigned long long)certs);
}

static int
account_delete(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__DeleteAccountRequest *req = req_;
    acd_value *row;
    uint64_t rev;
    (void)plan_;
    int rc = find_account(u, req->account, &row, err);
    if (rc == 0)
        rc = account_check_empty(u, row, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc == 0)
        rc = access_settings_drop(u, row, err);
    if (rc == 0)
        rc = managed_ca_drop(u, row[ACCOUNT_MANAGED].bytes, err);
    if (rc == 0)
        rc = change_add(&u->changes, CHANGED_CERT, row_text(row, ACCOUNT_MANAGED));
    if (rc == 0)
        rc = db_del(&u->db, COLL_CERT, VALS(row[ACCOUNT_MANAGED]), 1, err);
    if (rc == 0)
        rc = tokens_drop(u, row, err);
    if (rc == 0)
        rc = db_del(&u->db, COLL_ACCOUNT, VALS(row[ACCOUNT_ID]), 1, err);
    if (rc < 0)
        return rc;
    unit_note(u, row_text(row, ACCOUNT_ID), row_text(row, ACCOUNT_ID), row_text(row, ACCOUNT_NAME));
    return (*ret_resp = account_msg(u, row)) ? 0 : ACD_ENOMEM;
}

const struct op account_ops[] = {
    OP_WRITE("AccountService/CreateAccount", account_create),
    OP_READ("AccountService/ListAccounts", account_list),
    OP_READ("AccountService/GetAccount", account_get),
    OP_WRITE("AccountService/DeleteAccount", account_delete),
    {0},
};
