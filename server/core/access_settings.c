/* AccessService: the settings of host names, one list per account. */
#include "base/err.h"
#include "core/access.h"
#include "core/find.h"
#include "model/limits.h"

static int
list_rows(struct unit *u, const acd_value *account, struct db_rows *ret, acd_err *err)
{
    const struct db_query q = {.coll = COLL_ACCESS_SETTING,
                               .index = ACCESS_SETTING_BY_POSITION,
                               .eq = &account[ACCOUNT_ID],
                               .neq = 1};
    return db_list(&u->db, &q, ret, err);
}

static int
reply(struct unit *u, const acd_value *account, void **ret_resp, acd_err *err)
{
    struct db_rows rows;
    Anchord__V1__AccessSettings *resp =
        wire_new(u->region, Anchord__V1__AccessSettings, anchord__v1__access_settings);
    int rc = resp ? list_rows(u, account, &rows, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    resp->settings = wire_list(u->region, rows.n, Anchord__V1__AccessSetting, anchord__v1__access_setting);
    if (!resp->settings)
        return ACD_ENOMEM;
    resp->n_settings = rows.n;
    for (size_t i = 0; i < rows.n; i++) {
        resp->settings[i]->hostname = (char *)row_text(rows.rows[i], ACCESS_SETTING_HOST);
        resp->settings[i]->client_certificate_forwarding = rows.rows[i][ACCESS_SETTING_FORWARD].num != 0;
    }
    resp->dry_run = u->dry;
    *ret_resp = resp;
    return 0;
}

static int
settings_get(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__GetAccessSettingsRequest *req = req_;
    acd_value *account;
    (void)plan_;
    int rc = find_account(u, req->account, &account, err);
    return rc < 0 ? rc : reply(u, account, ret_resp, err);
}

/* --- put --------------------------------------------------------------------------------------------------
 */

/* The hosts of the list, in its order. A host that is named twice would have two settings. */
static int
parse(struct unit *u, const acd_value *account, const Anchord__V1__PutAccessSettingsRequest *req,
      struct access_host **ret, acd_err *err)
{
    size_t n;
    char **texts = mem_new_n(u->region, req->n_settings, char *);
    if (!texts)
        return ACD_ENOMEM;
    for (size_t i = 0; i < req->n_settings; i++) {
        texts[i] = req->settings[i]->hostname;
        if (req->settings[i]->china_network) {
            rpc_detail_field(u->call, mem_printf(u->region, "settings[%zu].china_network", i),
                             "must be false");
            return err_set(err, ACD_EINVAL,
                           "'%s': china_network must be false: there is no such network here", texts[i]);
        }
    }
    int rc =
        access_hosts_parse(u, account[ACCOUNT_ID].bytes, "settings", texts, req->n_settings, ret, &n, err);
    return rc < 0 || n == req->n_settings ? rc : err_set(err, ACD_EINVAL, "a host name is there twice");
}

static bool
same(const struct db_rows *rows, const Anchord__V1__PutAccessSettingsRequest *req)
{
    bool equal = rows->n == req->n_settings;
    for (size_t i = 0; equal && i < rows->n; i++)
        equal = slice_eqs(rows->rows[i][ACCESS_SETTING_HOST].bytes, req->settings[i]->hostname) &&
                (rows->rows[i][ACCESS_SETTING_FORWARD].num != 0) ==
                    (req->settings[i]->client_certificate_forwarding != 0);
    return equal;
}

static int
drop_rows(struct unit *u, const struct db_rows *rows, acd_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < rows->n; i++)
        rc = db_del(&u->db, COLL_ACCESS_SETTING,
                    VALS(rows->rows[i][ACCESS_SETTING_ACCOUNT], rows->rows[i][ACCESS_SETTING_PATTERN]), 2,
                    err);
    return rc;
}

static int
replace(struct unit *u, const acd_value *account, const struct db_rows *old, const struct access_host *hosts,
        const Anchord__V1__PutAccessSettingsRequest *req, acd_err *err)
{
    uint64_t rev;
    int rc = unit_rev(u, &rev, err);
    if (rc == 0)
        rc = drop_rows(u, old, err);
    for (size_t i = 0; rc == 0 && i < req->n_settings; i++) {
        const acd_value row[ACCESS_SETTING_COLS] = {
            [ACCESS_SETTING_ACCOUNT] = account[ACCOUNT_ID],
            [ACCESS_SETTING_PATTERN] = VAL_TEXT(hosts[i].host.name),
            [ACCESS_SETTING_HOST] = VAL_TEXT(hosts[i].text),
            [ACCESS_SETTING_POSITION] = VAL_INT(i),
            [ACCESS_SETTING_FORWARD] = VAL_INT(req->settings[i]->client_certificate_forwarding != 0),
            [ACCESS_SETTING_REV] = VAL_INT(rev),
        };
        rc = db_put(&u->db, COLL_ACCESS_SETTING, row, ACD_REV_NEW, err);
    }
    return rc;
}

static int
settings_put(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__PutAccessSettingsRequest *req = req_;
    struct access_host *hosts;
    struct db_rows old;
    acd_value *account;
    (void)plan_;
    int rc = find_account(u, req->account, &account, err);
    if (rc == 0)
        rc = parse(u, account, req, &hosts, err);
    if (rc == 0)
        rc = list_rows(u, account, &old, err);
    if (rc == 0 && !same(&old, req))
        rc = replace(u, account, &old, hosts, req, err);
    if (rc < 0)
        return rc;
    unit_note(u, row_text(account, ACCOUNT_ID), "access settings",
              mem_printf(u->region, "%zu hosts", req->n_settings));
    return reply(u, account, ret_resp, err);
}

static bool
put_dry(const void *req)
{
    return ((const Anchord__V1__PutAccessSettingsRequest *)req)->dry_run;
}

int
access_settings_drop(struct unit *u, const acd_value *account, acd_err *err)
{
    struct db_rows rows;
    int rc = list_rows(u, account, &rows, err);
    return rc < 0 ? rc : drop_rows(u, &rows, err);
}

const struct op access_setting_ops[] = {
    OP_READ("AccessService/GetAccessSettings", settings_get),
    OP_WRITE_DRY("AccessService/PutAccessSettings", NULL, settings_put, put_dry),
    {0},
};
