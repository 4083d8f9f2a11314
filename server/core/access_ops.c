/* AccessService: Access CAs, each with its name and its hosts. Settings are in access_settings.c. */
#include "core/access.h"

#include "base/err.h"
#include "core/certs.h"
#include "core/find.h"
#include "core/upload.h"
#include "model/ids.h"
#include "model/limits.h"

/* A CA of another space, or not of the account that is named, is as unknown as one that is not there. */
static int
find_access(struct unit *u, const char *account, const char *id, acd_value **ret, acd_err *err)
{
    acd_value *owner = NULL;
    int rc = account[0] ? find_account(u, account, &owner, err) : 0;
    if (rc < 0)
        return rc;
    if (!id_is_uuid(slice_str(id)))
        return err_set(err, ACD_EINVAL, "'%s' is not a certificate id (a UUID)", id);
    rc = db_get(&u->db, COLL_CERT, VALS(VAL_TEXT(id)), 1, ret, err);
    if (rc == ACD_ENOENT || (rc == 0 && (!is_access(*ret) || !reaches_cert(u, *ret))) ||
        (rc == 0 && owner && !slice_eq((*ret)[CERT_ACCOUNT].bytes, owner[ACCOUNT_ID].bytes)))
        return find_refuse(u, "Access certificate", id, REST_ACCESS_NOT_FOUND, err);
    return rc;
}

/* --- messages ---------------------------------------------------------------------------------------------
 */

/* As `openssl x509 -fingerprint -md5` writes it: a name that clients compare. Empty where MD5 is switched
 * off. */
static int
fingerprint(struct unit *u, const acd_value *cert, char **ret, acd_err *err)
{
    static const char prefix[] = "MD5 Fingerprint=";
    uint8_t md5[DIGEST_MD5_LEN];
    acd_value *item;
    *ret = WIRE_STR(NULL);
    int rc = db_get(&u->db, COLL_CERT_ITEM, VALS(cert[CERT_ID], VAL_INT(0)), 2, &item, err);
    if (rc < 0 || !digest_md5(item[ITEM_DER].bytes.ptr, item[ITEM_DER].bytes.len, md5))
        return rc;
    char *at = *ret = mem_alloc(u->region, sizeof(prefix) + 3 * sizeof(md5));
    if (!at)
        return ACD_ENOMEM;
    memcpy(at, prefix, sizeof(prefix));
    at += sizeof(prefix) - 1;
    for (size_t i = 0; i < sizeof(md5); i++, at += 3) {
        static const char digits[] = "0123456789ABCDEF";
        at[0] = digits[md5[i] >> 4];
        at[1] = digits[md5[i] & 15];
        at[2] = i + 1 < sizeof(md5) ? ':' : '\0';
    }
    return 0;
}

static int
access_msg(struct unit *u, const acd_value *row, Anchord__V1__AccessCertificate **ret, acd_err *err)
{
    Anchord__V1__Certificate *cert;
    struct db_rows hosts;
    Anchord__V1__AccessCertificate *m = *ret =
        wire_new(u->region, Anchord__V1__AccessCertificate, anchord__v1__access_certificate);
    int rc = m ? cert_msg(u, row, false, &cert, err) : ACD_ENOMEM;
    if (rc == 0)
        rc = fingerprint(u, row, &m->fingerprint, err);
    if (rc == 0)
        rc = access_hosts_list(u, row, &hosts, err);
    if (rc < 0)
        return rc;
    m->id = cert->id;
    m->account_id = cert->account_id;
    m->name = cert->name;
    m->created_ms = cert->uploaded_ms;
    m->updated_ms = cert->updated_ms;
    m->revision = cert->revision;
    m->profile = cert->profile;
    m->items = cert->items;
    m->n_items = cert->n_items;
    m->associated_hostnames = mem_new_n(u->region, hosts.n, char *);
    if (!m->associated_hostnames)
        return ACD_ENOMEM;
    for (; m->n_associated_hostnames < hosts.n; m->n_associated_hostnames++)
        m->associated_hostnames[m->n_associated_hostnames] =
            (char *)row_text(hosts.rows[m->n_associated_hostnames], HOST_TEXT);
    return 0;
}

static int
change_reply(struct unit *u, const acd_value *row, const struct access_change *change,
             Anchord__V1__AccessCertificateResponse **ret, acd_err *err)
{
    Anchord__V1__AccessCertificateResponse *resp = *ret =
        wire_new(u->region, Anchord__V1__AccessCertificateResponse, anchord__v1__access_certificate_response);
    if (!resp)
        return ACD_ENOMEM;
    resp->added = change->added;
    resp->removed = change->removed;
    resp->dry_run = u->dry;
    unit_note(u, row_text(row, CERT_ACCOUNT), row_text(row, CERT_ID),
              mem_printf(u->region, "%s: %u hosts added, %u removed", row_text(row, CERT_NAME), change->added,
                         change->removed));
    return access_msg(u, row, &resp->certificate, err);
}

/* --- create -----------------------------------------------------------------------------------------------
 */

static int
create_prepare(struct core *core, struct rpc_call *call, const void *req_, void **ret_plan, acd_err *err)
{
    const Anchord__V1__CreateAccessCertificateRequest *req = req_;
    struct upload *up = mem_new(call->region, struct upload);
    int rc = up ? check_name(call, "name", req->name, err) : ACD_ENOMEM;
    if (rc == 0)
        rc = upload_profile(req->profile, err);
    if (rc < 0)
        return rc;
    up->name = req->name;
    up->product = SPACE_ACCESS;
    up->text = slice_str(req->certificate);
    up->profile = (enum acd_profile)req->profile;
    *ret_plan = up;
    return upload_check(core_validator(core), call->region, core_now(core), (acd_slice){NULL, 0}, up, err);
}

static int
access_create(struct unit *u, const void *req_, void *plan, void **ret_resp, acd_err *err)
{
    const Anchord__V1__CreateAccessCertificateRequest *req = req_;
    const struct upload *up = plan;
    struct access_change change;
    struct access_host *hosts;
    acd_value *account, *row = NULL;
    Anchord__V1__QuotaPool *pool = NULL;
    Anchord__V1__AccessCertificateResponse *resp;
    size_t n;
    int rc = find_account(u, req->account, &account, err);
    if (rc == 0)
        rc = upload_entitled(u->call, account, err);
    if (rc == 0 && up->errors)
        rc = upload_refuse(u->call, up, err);
    if (rc == 0)
        rc = access_hosts_parse(u, account[ACCOUNT_ID].bytes, "associated_hostnames",
                                req->associated_hostnames, req->n_associated_hostnames, &hosts, &n, err);
    if (rc == 0)
        rc = upload_store(u, account, up, &row, &pool, err);
    if (rc == 0)
        rc = access_hosts_replace(u, row, hosts, n, &change, err);
    if (rc == 0)
        rc = change_reply(u, row, &change, &resp, err);
    if (rc < 0)
        return rc;
    resp->findings = up->findings;
    resp->n_findings = up->nfindings;
    resp->quota = pool;
    *ret_resp = resp;
    return 0;
}

static bool
create_dry(const void *req)
{
    return ((const Anchord__V1__CreateAccessCertificateRequest *)req)->dry_run;
}

/* --- list, get --------------------------------------------------------------------------------------------
 */

/* One page: what one message holds, less its frame, and what a request's memory does. */
enum { PAGE_BYTES = LIMIT_MESSAGE - 65536, PAGE_CERTS = 16 };

struct page_ctx {
    uint64_t total;
    uint32_t n, size;
    bool more;
};

static int
count_access(void *arg, const acd_value *row, size_t ncols)
{
    struct page_ctx *ctx = arg;
    (void)ncols;
    ctx->total += is_access(row);
    return 0;
}

static enum db_pick
pick_access(void *arg, const acd_value *row)
{
    struct page_ctx *ctx = arg;
    if (!is_access(row))
        return DB_SKIP;
    ctx->more = ctx->n == ctx->size;
    ctx->n += !ctx->more;
    return ctx->more ? DB_STOP : DB_TAKE;
}

/* A page goes on behind "REVISION/ID" of its last certificate, whether that one is still there or not. */
static int
page_start(struct unit *u, const acd_value *account, const char *after, const acd_value **ret, acd_err *err)
{
    const char *slash = strchr(after, '/');
    uint64_t rev;
    *ret = NULL;
    if (!after[0])
        return 0;
    if (!slash || !str_u64(slice_of(after, (size_t)(slash - after)), &rev) || rev > INT64_MAX)
        return err_set(err, ACD_EINVAL, "'%s' is no page cursor of this list", after);
    acd_value *row = db_blank(&u->db, COLL_CERT);
    if (!row)
        return ACD_ENOMEM;
    row[CERT_ACCOUNT] = account[ACCOUNT_ID];
    row[CERT_DEPLOYED] = VAL_INT(rev);
    row[CERT_ID] = VAL_TEXT(slash + 1);
    *ret = row;
    return 0;
}

/* What fits one message; at least one certificate does. */
static int
add_page(struct unit *u, struct page_ctx *ctx, const struct db_rows *rows,
         Anchord__V1__ListAccessCertificatesResponse *resp, acd_err *err)
{
    size_t bytes = 0;
    resp->certificates = mem_new_n(u->region, rows->n, Anchord__V1__AccessCertificate *);
    if (!resp->certificates)
        return ACD_ENOMEM;
    for (size_t i = 0; i < rows->n; i++) {
        Anchord__V1__AccessCertificate *m;
        int rc = access_msg(u, rows->rows[i], &m, err);
        if (rc < 0)
            return rc;
        bytes += wire_size(m);
        if (i > 0 && bytes > PAGE_BYTES) {
            ctx->more = true;
            break;
        }
        resp->certificates[resp->n_certificates++] = m;
    }
    return 0;
}

static int
access_list(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListAccessCertificatesRequest *req = req_;
    uint32_t size = page_size(req->page);
    struct page_ctx ctx = {.size = size < PAGE_CERTS ? size : PAGE_CERTS};
    struct db_query q = {.coll = COLL_CERT, .index = CERT_BY_ACCOUNT, .neq = 1, .reverse = true};
    struct db_rows rows;
    acd_value *account;
    const char *next = "";
    (void)plan_;
    int rc = find_account(u, req->account, &account, err);
    if (rc < 0)
        return rc;
    q.eq = &account[ACCOUNT_ID];
    rc = db_walk(&u->db, &q, count_access, &ctx, err);
    if (rc == 0)
        rc = page_start(u, account, page_after(req->page), &q.after, err);
    q.pick = pick_access;
    q.pick_ctx = &ctx;
    if (rc == 0)
        rc = db_list(&u->db, &q, &rows, err);
    Anchord__V1__ListAccessCertificatesResponse *resp =
        wire_new(u->region, Anchord__V1__ListAccessCertificatesResponse,
                 anchord__v1__list_access_certificates_response);
    if (rc == 0)
        rc = resp ? add_page(u, &ctx, &rows, resp, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    if (ctx.more) {
        const acd_value *last = rows.rows[resp->n_certificates - 1];
        next = mem_printf(u->region, "%lld/%s", (long long)last[CERT_DEPLOYED].num, row_text(last, CERT_ID));
    }
    resp->page = next ? page_info(u->region, next, ctx.total) : NULL;
    *ret_resp = resp;
    return resp->page ? 0 : ACD_ENOMEM;
}

static int
access_get(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__GetAccessCertificateRequest *req = req_;
    Anchord__V1__AccessCertificate *m;
    acd_value *row;
    (void)plan_;
    int rc = find_access(u, req->account, req->id, &row, err);
    if (rc == 0)
        rc = access_msg(u, row, &m, err);
    if (rc == 0)
        *ret_resp = m;
    return rc;
}

/* --- update, delete ---------------------------------------------------------------------------------------
 */

static int
check_expected(struct unit *u, const acd_value *row, const Anchord__V1__Precondition *expected, acd_err *err)
{
    uint64_t rev = (uint64_t)row[CERT_REV].num;
    if (!expected || expected->revision == rev)
        return 0;
    rpc_detail_precondition(u->call, rev);
    return err_set(err, ACD_ECONFLICT,
                   "the certificate is at revision %llu, not %llu: somebody else changed it",
                   (unsigned long long)rev, (unsigned long long)expected->revision);
}

/* The row itself says when it was changed; nothing of it is in the snapshot. */
static int
put_row(struct unit *u, acd_value *row, const char *name, const struct access_change *change, acd_err *err)
{
    uint64_t rev;
    bool renamed = name[0] && !slice_eqs(row[CERT_NAME].bytes, name);
    if (!renamed && !change->added && !change->removed && !change->moved)
        return 0;
    int rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    if (renamed)
        row[CERT_NAME] = VAL_TEXT(name);
    row[CERT_UPDATED] = VAL_INT(u->now_ms);
    row[CERT_REV] = VAL_INT(rev);
    return db_put(&u->db, COLL_CERT, row, ACD_REV_ANY, err);
}

static int
access_update(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__UpdateAccessCertificateRequest *req = req_;
    Anchord__V1__AccessCertificateResponse *resp = NULL;
    struct access_change change;
    struct access_host *hosts;
    acd_value *row;
    size_t n;
    (void)plan_;
    int rc = find_access(u, req->account, req->id, &row, err);
    if (rc == 0)
        rc = check_expected(u, row, req->expected, err);
    if (rc == 0 && req->name[0])
        rc = check_name(u->call, "name", req->name, err);
    if (rc == 0)
        rc = access_hosts_parse(u, row[CERT_ACCOUNT].bytes, "associated_hostnames", req->associated_hostnames,
                                req->n_associated_hostnames, &hosts, &n, err);
    if (rc == 0)
        rc = access_hosts_replace(u, row, hosts, n, &change, err);
    if (rc == 0)
        rc = put_row(u, row, req->name, &change, err);
    if (rc == 0)
        rc = change_reply(u, row, &change, &resp, err);
    *ret_resp = resp;
    return rc;
}

static bool
update_dry(const void *req)
{
    return ((const Anchord__V1__UpdateAccessCertificateRequest *)req)->dry_run;
}

static int
access_delete(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__DeleteAccessCertificateRequest *req = req_;
    Anchord__V1__AccessCertificateResponse *resp = NULL;
    struct access_change change = {0};
    uint64_t detached = 0;
    acd_value *row;
    (void)plan_;
    int rc = find_access(u, req->account, req->id, &row, err);
    if (rc == 0)
        rc = change_reply(u, row, &change, &resp, err); /* as it was */
    if (rc == 0)
        rc = cert_delete(u, row, req->detach, &detached, err);
    if (rc < 0)
        return rc;
    resp->removed = (uint32_t)detached;
    unit_note(u, row_text(row, CERT_ACCOUNT), row_text(row, CERT_ID), row_text(row, CERT_NAME));
    *ret_resp = resp;
    return 0;
}

static bool
delete_dry(const void *req)
{
    return ((const Anchord__V1__DeleteAccessCertificateRequest *)req)->dry_run;
}

const struct op access_ops[] = {
    OP_WRITE_DRY("AccessService/CreateAccessCertificate", create_prepare, access_create, create_dry),
    OP_READ("AccessService/ListAccessCertificates", access_list),
    OP_READ("AccessService/GetAccessCertificate", access_get),
    OP_WRITE_DRY("AccessService/UpdateAccessCertificate", NULL, access_update, update_dry),
    OP_WRITE_DRY("AccessService/DeleteAccessCertificate", NULL, access_delete, delete_dry),
    {0},
};
