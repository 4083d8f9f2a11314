/* CaService: upload, get, list, delete, associations. Imports are in imports.c. */
#include "base/err.h"
#include "core/access.h"
#include "core/certs.h"
#include "core/crls.h"
#include "core/find.h"
#include "core/keys.h"
#include "core/upload.h"
#include "model/limits.h"

enum { REST_IN_USE = 1473 };

/* --- upload -----------------------------------------------------------------------------------------------
 */

static int
upload_prepare(struct core *core, struct rpc_call *call, const void *req_, void **ret_plan, acd_err *err)
{
    const Anchord__V1__UploadCertificateRequest *req = req_;
    struct upload *up = mem_new(call->region, struct upload);
    if (!up)
        return ACD_ENOMEM;
    int rc = req->leaf ? upload_leaf_product(call, req->product, &up->product, err)
                       : upload_product(call, req->product, &up->product, err);
    if (rc == 0)
        rc = req->name[0] ? check_name(call, "name", req->name, err) : 0; /* names are optional */
    if (rc == 0)
        rc = upload_profile(req->profile, err);
    if (rc == 0 && req->leaf && req->helper)
        rc = err_set(err, ACD_EINVAL, "a leaf cannot be a helper: a helper is a CA that completes paths");
    if (rc < 0)
        return rc;
    up->name = req->name;
    up->text = slice_str(req->certificates);
    up->leaf = req->leaf;
    up->helper = req->helper;
    up->profile = (enum acd_profile)req->profile;
    acd_slice key = {req->private_key.len ? req->private_key.data : NULL, req->private_key.len};
    rc = upload_check(core_validator(core), call->region, core_now(core), key, up, err);
    *ret_plan = up;
    return rc;
}

static int
upload_apply(struct unit *u, const void *req_, void *plan, void **ret_resp, acd_err *err)
{
    const Anchord__V1__UploadCertificateRequest *req = req_;
    const struct upload *up = plan;
    acd_value *account, *row;
    Anchord__V1__QuotaPool *pool;
    int rc = find_account(u, req->account, &account, err);
    if (rc == 0 && !up->leaf)
        rc = upload_entitled(u->call, account, err);
    if (rc == 0 && up->errors)
        rc = upload_refuse(u->call, up, err);
    if (rc == 0)
        rc = upload_store(u, account, up, &row, &pool, err);
    if (rc < 0)
        return rc;
    Anchord__V1__UploadCertificateResponse *resp =
        wire_new(u->region, Anchord__V1__UploadCertificateResponse, anchord__v1__upload_certificate_response);
    if (!resp)
        return ACD_ENOMEM;
    resp->findings = up->findings;
    resp->n_findings = up->nfindings;
    resp->quota = pool;
    resp->dry_run = u->dry;
    *ret_resp = resp;
    unit_note(u, row_text(row, CERT_ACCOUNT), row_text(row, CERT_ID), row_text(row, CERT_NAME));
    return cert_msg(u, row, true, &resp->certificate, err);
}

static bool
upload_dry(const void *req)
{
    return ((const Anchord__V1__UploadCertificateRequest *)req)->dry_run;
}

static void
upload_forget(const void *req)
{
    const ProtobufCBinaryData *key = &((const Anchord__V1__UploadCertificateRequest *)req)->private_key;
    if (key->len)
        wipe(key->data, key->len);
}

/* --- read -------------------------------------------------------------------------------------------------
 */

static int
ca_get(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__GetCertificateRequest *req = req_;
    Anchord__V1__Certificate *m;
    acd_value *row;
    (void)plan_;
    int rc = find_cert_of(u, req->account, req->id, &row, err);
    if (rc == 0)
        rc = cert_msg(u, row, true, &m, err);
    if (rc == 0)
        *ret_resp = m;
    return rc;
}

/* Bytes of one page of certificates: what one message holds, less its frame. */
enum { PAGE_BYTES = LIMIT_MESSAGE - 65536 };

struct list_ctx {
    const char *name;
    uint64_t total;
    uint32_t n, size;
    size_t bytes;
    bool more;
};

/* Access CAs have a list of their own. */
static bool
is_listed(const struct list_ctx *ctx, const acd_value *row)
{
    return row[CERT_TYPE].num == CERT_CUSTOM && !is_access(row) &&
           (!ctx->name[0] || slice_eqs(row[CERT_NAME].bytes, ctx->name));
}

static int
count_listed(void *arg, const acd_value *row, size_t ncols)
{
    struct list_ctx *ctx = arg;
    (void)ncols;
    ctx->total += is_listed(ctx, row);
    return 0;
}

/* A page ends at its size, or earlier when the texts alone fill it. */
static enum db_pick
pick_listed(void *arg, const acd_value *row)
{
    struct list_ctx *ctx = arg;
    if (!is_listed(ctx, row))
        return DB_SKIP;
    if (ctx->n == ctx->size || (ctx->n > 0 && ctx->bytes + row[CERT_TEXT].bytes.len > PAGE_BYTES)) {
        ctx->more = true;
        return DB_STOP;
    }
    ctx->n++;
    ctx->bytes += row[CERT_TEXT].bytes.len;
    return DB_TAKE;
}

/* What fits one message; at least one certificate does. */
static int
add_page(struct unit *u, struct list_ctx *ctx, const struct db_rows *rows,
         Anchord__V1__ListCertificatesResponse *resp, acd_err *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < rows->n; i++) {
        Anchord__V1__Certificate *m;
        int rc = cert_msg(u, rows->rows[i], true, &m, err);
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

/* Newest first, as the REST API lists them. The managed CA has nothing to show and is left out. */
static int
ca_list(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListCertificatesRequest *req = req_;
    struct list_ctx ctx = {.name = req->name, .size = page_size(req->page)};
    acd_value *account, *after = NULL;
    struct db_rows rows;
    (void)plan_;
    int rc = find_account(u, req->account, &account, err);
    if (rc == 0 && page_after(req->page)[0])
        rc = find_cert(u, page_after(req->page), &after, err);
    if (rc < 0)
        return rc;
    struct db_query q = {
        .coll = COLL_CERT, .index = CERT_BY_ACCOUNT, .eq = &account[ACCOUNT_ID], .neq = 1, .reverse = true};
    rc = db_walk(&u->db, &q, count_listed, &ctx, err);
    q.after = after;
    q.pick = pick_listed;
    q.pick_ctx = &ctx;
    if (rc == 0)
        rc = db_list(&u->db, &q, &rows, err);
    if (rc < 0)
        return rc;
    Anchord__V1__ListCertificatesResponse *resp =
        wire_new(u->region, Anchord__V1__ListCertificatesResponse, anchord__v1__list_certificates_response);
    if (!resp || !(resp->certificates = mem_new_n(u->region, rows.n, Anchord__V1__Certificate *)))
        return ACD_ENOMEM;
    rc = add_page(u, &ctx, &rows, resp, err);
    const char *next = rc == 0 && ctx.more ? resp->certificates[resp->n_certificates - 1]->id : "";
    resp->page = page_info(u->region, next, ctx.total);
    *ret_resp = resp;
    return rc < 0 ? rc : resp->page ? 0 : ACD_ENOMEM;
}

/* --- associations and delete ------------------------------------------------------------------------------
 */

/* Access CAs have hosts of their own, in a collection with the same columns. */
static enum collection
host_coll(const acd_value *cert)
{
    return is_access(cert) ? COLL_ACCESS_HOST : COLL_HOST;
}

static int
hosts_of(struct unit *u, const acd_value *cert, const acd_value *after, uint32_t limit, struct db_rows *ret,
         uint64_t *ret_total, acd_err *err)
{
    struct db_query q = {.coll = host_coll(cert), .index = HOST_BY_CERT, .eq = &cert[CERT_ID], .neq = 1};
    int rc = db_count(&u->db, &q, ret_total, err);
    q.limit = limit;
    q.after = after;
    return rc < 0 ? rc : db_list(&u->db, &q, ret, err);
}

/* A page goes on after a place, "zone/pattern", whether there still is a row at it or not. */
static int
associations_after(struct unit *u, const acd_value *cert, const char *after, acd_value **ret, acd_err *err)
{
    const char *slash = strchr(after, '/');
    *ret = NULL;
    if (!after[0])
        return 0;
    if (!slash)
        return err_set(err, ACD_EINVAL, "'%s' is no page cursor of this list", after);
    acd_value *row = mem_new_n(u->region, HOST_COLS, acd_value);
    if (!row)
        return ACD_ENOMEM;
    row[HOST_ZONE] = VAL_SLICE(slice_of(after, (size_t)(slash - after)));
    row[HOST_CERT] = cert[CERT_ID];
    row[HOST_PATTERN] = VAL_TEXT(slash + 1);
    row[HOST_TEXT] = VAL_TEXT("");
    *ret = row;
    return 0;
}

static int
add_association(struct unit *u, const acd_value *host, const acd_value *zone, const char *service,
                Anchord__V1__ListCertificateAssociationsResponse *resp)
{
    Anchord__V1__CertificateAssociation *m =
        wire_new(u->region, Anchord__V1__CertificateAssociation, anchord__v1__certificate_association);
    if (!m)
        return ACD_ENOMEM;
    m->zone_id = (char *)row_text(host, HOST_ZONE);
    m->zone_name = (char *)row_text(zone, ZONE_NAME);
    m->host = (char *)row_text(host, HOST_TEXT);
    m->service = (char *)service;
    m->status = "active";
    resp->associations[resp->n_associations++] = m;
    return 0;
}

/* A page of rows, which come zone by zone; one row more says that there is another page. */
static int
associations_page(struct unit *u, const acd_value *cert, const struct db_rows *hosts, uint32_t size,
                  uint64_t total, Anchord__V1__ListCertificateAssociationsResponse *resp, acd_err *err)
{
    acd_value *zone = NULL;
    const char *next = "";
    int rc = 0;
    resp->associations = mem_new_n(u->region, hosts->n, Anchord__V1__CertificateAssociation *);
    if (!resp->associations)
        return ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < hosts->n && i < size; i++) {
        const acd_value *h = hosts->rows[i];
        if (!zone || !slice_eq(zone[ZONE_ID].bytes, h[HOST_ZONE].bytes))
            rc = db_get(&u->db, COLL_ZONE, VALS(h[HOST_ZONE]), 1, &zone, err);
        if (rc == 0)
            rc = add_association(u, h, zone, is_access(cert) ? "access" : "api_shield", resp);
    }
    if (rc == 0 && hosts->n > size)
        next = mem_printf(u->region, "%s/%s", row_text(hosts->rows[size - 1], HOST_ZONE),
                          row_text(hosts->rows[size - 1], HOST_PATTERN));
    resp->page = next ? page_info(u->region, next, total) : NULL;
    return rc < 0 ? rc : resp->page ? 0 : ACD_ENOMEM;
}

static int
ca_associations(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListCertificateAssociationsRequest *req = req_;
    const uint32_t size = page_size(req->page);
    struct db_rows hosts;
    acd_value *row, *after;
    uint64_t total;
    (void)plan_;
    Anchord__V1__ListCertificateAssociationsResponse *resp =
        wire_new(u->region, Anchord__V1__ListCertificateAssociationsResponse,
                 anchord__v1__list_certificate_associations_response);
    int rc = resp ? find_cert_of(u, req->account, req->id, &row, err) : ACD_ENOMEM;
    if (rc == 0)
        rc = associations_after(u, row, page_after(req->page), &after, err);
    if (rc == 0)
        rc = hosts_of(u, row, after, size + 1, &hosts, &total, err);
    *ret_resp = resp;
    return rc < 0 ? rc : associations_page(u, row, &hosts, size, total, resp, err);
}

enum { IN_USE_NAMED = 50 }; /* associations that a refusal names */

static int
refuse_in_use(struct unit *u, const acd_value *cert, const struct db_rows *hosts, uint64_t total,
              acd_err *err)
{
    acd_value *zone;
    rpc_detail_error_info(u->call, "CA_IN_USE", is_access(cert) ? REST_ACCESS_IN_USE : REST_IN_USE,
                          row_text(cert, CERT_ID));
    for (size_t i = 0; i < hosts->n; i++) {
        const acd_value *h = hosts->rows[i];
        int rc = db_get(&u->db, COLL_ZONE, VALS(h[HOST_ZONE]), 1, &zone, err);
        if (rc < 0)
            return rc;
        rpc_detail_in_use(u->call, row_text(h, HOST_ZONE), row_text(zone, ZONE_NAME), row_text(h, HOST_TEXT));
    }
    return err_set(err, ACD_EPRECOND, "%s: %llu host associations, among them '%s'",
                   is_access(cert) ? "access.api.error.conflict: certificate has active associations"
                                   : "Certificate cannot be deleted while in use",
                   (unsigned long long)total, row_text(hosts->rows[0], HOST_TEXT));
}

enum { DETACH_BATCH = 1000 };

/* Members of the certificate's lists, a batch at a time: there may be more than a request's region holds. */
static int
detach_batch(struct unit *u, const acd_value *cert, struct mem_region *scratch, size_t *ret_n, acd_err *err)
{
    struct db db = {u->db.s, scratch};
    struct db_rows rows;
    const struct db_query q = {.coll = host_coll(cert),
                               .index = HOST_BY_CERT,
                               .eq = &cert[CERT_ID],
                               .neq = 1,
                               .limit = DETACH_BATCH};
    int rc = db_list(&db, &q, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++) {
        const acd_value *h = rows.rows[i];
        rc = db_del(&db, host_coll(cert), VALS(h[HOST_ZONE], h[HOST_CERT], h[HOST_PATTERN]), 3, err);
        if (rc == 0)
            rc = change_add(&u->changes, is_access(cert) ? CHANGED_ACCESS_HOST : CHANGED_HOST,
                            row_text(h, HOST_PATTERN));
        u->narrows |= !is_access(cert);
    }
    *ret_n = rows.n;
    return rc;
}

static int
detach_lists(struct unit *u, const acd_value *cert, acd_err *err)
{
    struct db_rows zones;
    const struct db_query q = {
        .coll = COLL_ZONE, .index = ZONE_BY_ACCOUNT, .eq = &cert[CERT_ACCOUNT], .neq = 1};
    int rc = db_list(&u->db, &q, &zones, err);
    for (size_t i = 0; rc == 0 && i < zones.n; i++) {
        rc = db_del(&u->db, COLL_HOST_LIST, VALS(zones.rows[i][ZONE_ID], cert[CERT_ID]), 2, err);
        if (rc == ACD_ENOENT)
            rc = 0;
    }
    return rc;
}

/* Removes what the certificate is associated with: members of its lists, and the lists' revisions. */
static int
detach(struct unit *u, const acd_value *cert, acd_err *err)
{
    struct mem_region scratch;
    size_t n = 0;
    int rc;
    mem_init(&scratch, 65536, 0);
    do {
        mem_reset(&scratch);
        rc = detach_batch(u, cert, &scratch, &n, err);
    } while (rc == 0 && n == DETACH_BATCH);
    mem_done(&scratch);
    return rc < 0 ? rc : detach_lists(u, cert, err);
}

static int
drop_cert(struct unit *u, const acd_value *cert, acd_err *err)
{
    int rc = crls_drop(u, &cert[CERT_ID], err);
    if (rc == 0)
        rc = keys_drop_all(u, cert[CERT_ID].bytes, err);
    if (rc == 0)
        rc = cert_drop_items(u, cert[CERT_ID].bytes, err);
    if (rc == 0)
        rc = db_del(&u->db, COLL_CERT, VALS(cert[CERT_ID]), 1, err);
    if (rc == 0 && cert[CERT_CA].num)
        rc = plug_quota_release(core_quota(u->core), u->db.s, cert[CERT_ACCOUNT].bytes,
                                cert[CERT_PRODUCT].bytes, cert[CERT_ID].bytes, 1, err);
    if (rc == 0)
        rc = change_add(&u->changes, CHANGED_CERT, row_text(cert, CERT_ID));
    return rc;
}

int
cert_delete(struct unit *u, const acd_value *cert, bool detach_hosts, uint64_t *ret_detached, acd_err *err)
{
    struct db_rows hosts;
    uint64_t rev;
    int rc = hosts_of(u, cert, NULL, IN_USE_NAMED, &hosts, ret_detached, err);
    if (rc == 0 && *ret_detached > 0 && !detach_hosts)
        rc = refuse_in_use(u, cert, &hosts, *ret_detached, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc == 0)
        rc = detach(u, cert, err);
    return rc < 0 ? rc : drop_cert(u, cert, err);
}

static int
ca_delete(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__DeleteCertificateRequest *req = req_;
    acd_value *row;
    uint64_t total = 0;
    (void)plan_;
    int rc = find_cert_of(u, req->account, req->id, &row, err);
    if (rc == 0 && row[CERT_TYPE].num == CERT_MANAGED)
        rc = err_set(err, ACD_EPRECOND, "the managed CA belongs to its account and cannot be deleted");
    if (rc < 0)
        return rc;
    Anchord__V1__DeleteCertificateResponse *resp =
        wire_new(u->region, Anchord__V1__DeleteCertificateResponse, anchord__v1__delete_certificate_response);
    if (!resp)
        return ACD_ENOMEM;
    rc = cert_msg(u, row, true, &resp->certificate, err);
    if (rc == 0)
        rc = cert_delete(u, row, req->detach, &total, err);
    resp->detached = (uint32_t)total;
    resp->dry_run = u->dry;
    *ret_resp = resp;
    unit_note(u, row_text(row, CERT_ACCOUNT), row_text(row, CERT_ID), row_text(row, CERT_NAME));
    return rc;
}

static bool
delete_dry(const void *req)
{
    return ((const Anchord__V1__DeleteCertificateRequest *)req)->dry_run;
}

const struct op ca_ops[] = {
    {.method = "CaService/UploadCertificate",
     .prepare = upload_prepare,
     .apply = upload_apply,
     .write = true,
     .dry_run = upload_dry,
     .forget = upload_forget},
    OP_READ("CaService/ListCertificates", ca_list),
    OP_READ("CaService/GetCertificate", ca_get),
    OP_WRITE_DRY("CaService/DeleteCertificate", NULL, ca_delete, delete_dry),
    OP_READ("CaService/ListCertificateAssociations", ca_associations),
    {0},
};
