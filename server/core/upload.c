#include "core/upload.h"

#include "base/err.h"
#include "core/access.h"
#include "core/certs.h"
#include "core/find.h"
#include "core/keys.h"
#include "model/ids.h"
#include "model/limits.h"
#include "snap/limits.h"

/* Numbers that the REST API shows. */
enum { REST_DUPLICATE = 1471, REST_QUOTA = 1489 };

/* --- check ------------------------------------------------------------------------------------------------
 */

struct check_ctx {
    struct mem_region *region;
    struct upload *up;
};

static int
keep_item(void *arg, const acd_certinfo *info)
{
    struct check_ctx *ctx = arg;
    struct upload *up = ctx->up;
    struct mem_region *r = ctx->region;
    if (up->nitems == up->cap_items) {
        size_t cap = up->cap_items ? up->cap_items * 2 : 2;
        acd_certinfo *items = mem_new_n(r, cap, acd_certinfo);
        if (!items)
            return ACD_ENOMEM;
        if (up->nitems)
            memcpy(items, up->items, up->nitems * sizeof(*items));
        up->items = items;
        up->cap_items = cap;
    }
    int rc = certinfo_keep(r, info, &up->items[up->nitems]);
    up->nitems += rc == 0;
    return rc;
}

int
upload_add_finding(struct mem_region *r, struct upload *up, const acd_finding *f)
{
    if (up->nfindings == up->cap_findings) {
        size_t cap = up->cap_findings ? up->cap_findings * 2 : 4;
        Anchord__V1__Finding **list = mem_new_n(r, cap, Anchord__V1__Finding *);
        if (!list)
            return ACD_ENOMEM;
        if (up->nfindings)
            memcpy(list, up->findings, up->nfindings * sizeof(*list));
        up->findings = list;
        up->cap_findings = cap;
    }
    Anchord__V1__Finding *m = wire_new(r, Anchord__V1__Finding, anchord__v1__finding);
    if (!m)
        return ACD_ENOMEM;
    m->severity = (Anchord__V1__Severity)f->severity;
    m->index = f->index;
    m->code = mem_strdup(r, f->code ? f->code : "");
    m->message = mem_strndup(r, f->text.ptr, f->text.len);
    if (!m->code || !m->message)
        return ACD_ENOMEM;
    up->findings[up->nfindings++] = m;
    if (f->severity == ACD_SEV_ERROR)
        up->errors++;
    return 0;
}

static int
keep_finding(void *arg, const acd_finding *f)
{
    struct check_ctx *ctx = arg;
    return upload_add_finding(ctx->region, ctx->up, f);
}

/* What the snapshot could not hold must never become durable: it would keep every later change from being
 * seen. */
_Static_assert((int)LIMIT_SUBJECT <= (int)SNAP_SUBJECT_MAX && (int)LIMIT_CERT_DER <= (int)SNAP_DER_MAX &&
                   (int)LIMIT_UPLOAD_CERTS <= (int)SNAP_CA_INDEX_MAX,
               "an accepted upload fits the snapshot");

static int
check_subjects(struct check_ctx *ctx)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ctx->up->nitems; i++) {
        const acd_certinfo *item = &ctx->up->items[i];
        const acd_finding f = {
            .struct_size = sizeof(f),
            .severity = ACD_SEV_ERROR,
            .index = (int32_t)item->index,
            .code = "subject.too_long",
            .text = SLICE_LIT("The subject takes more than 4096 bytes as text, the most a CA's may."),
        };
        if (item->subject.len > LIMIT_SUBJECT)
            rc = keep_finding(ctx, &f);
    }
    return rc;
}

/* A leaf is there to be presented, and nobody can do that without its key. */
static int
need_key(struct check_ctx *ctx)
{
    const acd_finding f = {
        .struct_size = sizeof(f),
        .severity = ACD_SEV_ERROR,
        .index = -1,
        .code = "key.missing",
        .text = SLICE_LIT("A leaf needs the private key that belongs to it."),
    };
    return keep_finding(ctx, &f);
}

int
upload_check(struct plug_validator *v, struct mem_region *region, int64_t now_ms, acd_slice key,
             struct upload *up, acd_err *err)
{
    struct check_ctx ctx = {region, up};
    const acd_inspect req = {
        .struct_size = sizeof(req),
        .role = up->root   ? ACD_ROLE_ORIGIN_ROOT
                : up->leaf ? ACD_ROLE_LEAF
                           : ACD_ROLE_CA,
        .text = up->text,
        .key = key,
        .at_ms = now_ms,
    };
    int rc = plug_validator_inspect(v, &req, keep_item, keep_finding, &ctx, 0, err);
    if (rc == 0)
        rc = check_subjects(&ctx);
    if (rc < 0)
        return rc;
    if (up->leaf && !key.ptr) {
        rc = need_key(&ctx);
        if (rc < 0)
            return rc;
    }
    up->key = key;
    acd_slice *ders = mem_new_n(region, up->nitems, acd_slice);
    if (!ders)
        return ACD_ENOMEM;
    for (size_t i = 0; i < up->nitems; i++)
        ders[i] = up->items[i].der;
    digest_chain(ders, up->nitems, up->digest);
    return 0;
}

int
upload_refuse(struct rpc_call *call, const struct upload *up, acd_err *err)
{
    return upload_refuse_as(call, up, "UPLOAD_REFUSED", 0, err);
}

int
upload_refuse_as(struct rpc_call *call, const struct upload *up, const char *reason, uint32_t rest,
                 acd_err *err)
{
    const char *first = "";
    for (size_t i = up->nfindings; i-- > 0;)
        if (up->findings[i]->severity == ANCHORD__V1__SEVERITY__SEVERITY_ERROR)
            first = up->findings[i]->message;
    rpc_detail_error_info(call, reason, rest, "");
    for (size_t i = 0; i < up->nfindings; i++)
        rpc_detail_finding(call, (int)up->findings[i]->severity, up->findings[i]->index,
                           up->findings[i]->code, up->findings[i]->message);
    return up->errors == 1 ? err_set(err, ACD_EINVAL, "%s", first)
                           : err_set(err, ACD_EINVAL, "%zu findings refuse this upload; the first: %s",
                                     up->errors, first);
}

int
upload_product(struct rpc_call *call, const char *product, const char **ret, acd_err *err)
{
    static const char *const products[] = {"api_shield", "workers", "gateway", "access"};
    if (!product[0])
        product = products[0];
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); i++)
        if (strcmp(product, products[i]) == 0) {
            *ret = products[i];
            return 0;
        }
    rpc_detail_field(call, "product", "is not one of api_shield, workers, gateway, access");
    return err_set(err, ACD_EINVAL, "product '%s' is unknown: api_shield, workers, gateway or access",
                   product);
}

int
upload_leaf_product(struct rpc_call *call, const char *product, const char **ret, acd_err *err)
{
    *ret = "workers";
    if (!product[0] || strcmp(product, *ret) == 0)
        return 0;
    rpc_detail_field(call, "product", "is not workers");
    return err_set(err, ACD_EINVAL, "a leaf is for product 'workers', not '%s': leave the product out",
                   product);
}

int
upload_profile(Anchord__V1__Profile profile, acd_err *err)
{
    if (profile == ANCHORD__V1__PROFILE__PROFILE_STRICT || profile == ANCHORD__V1__PROFILE__PROFILE_COMPAT)
        return 0;
    return err_set(err, ACD_EINVAL, "profile %d is unknown: strict or compat", (int)profile);
}

int
upload_entitled(struct rpc_call *call, const acd_value *account, acd_err *err)
{
    if (account[ACCOUNT_PLAN].num != ANCHORD__V1__PLAN__PLAN_FREE)
        return 0;
    rpc_detail_error_info(call, "ENTITLEMENT_MISSING", 0, "mtls_byo_ca");
    return err_set(err, ACD_EDENIED,
                   "account '%s' has plan 'free', which lacks the entitlement 'mtls_byo_ca': "
                   "uploading CAs needs plan 'enterprise'",
                   row_text(account, ACCOUNT_NAME));
}

const char *
product_space(const char *product)
{
    return strcmp(product, SPACE_ACCESS) == 0 ? SPACE_ACCESS : "mtls";
}

/* --- store ------------------------------------------------------------------------------------------------
 */

int
upload_duplicate(struct unit *u, const acd_value *account, const struct upload *up, const char **ret_id,
                 acd_err *err)
{
    struct db_rows rows;
    const acd_value eq[] = {account[ACCOUNT_ID], VAL_TEXT(product_space(up->product)),
                            VAL_BLOB(up->digest, sizeof(up->digest))};
    const struct db_query q = {.coll = COLL_CERT, .index = CERT_BY_DIGEST, .eq = eq, .neq = 3, .limit = 1};
    int rc = db_list(&u->db, &q, &rows, err);
    if (rc < 0 || rows.n == 0)
        return rc;
    *ret_id = row_text(rows.rows[0], CERT_ID);
    return ACD_EEXIST;
}

static int
refuse_duplicate(struct unit *u, const struct upload *up, const char *id, acd_err *err)
{
    bool access = strcmp(up->product, SPACE_ACCESS) == 0;
    rpc_detail_error_info(u->call, "DUPLICATE", access ? REST_ACCESS_DUPLICATE : REST_DUPLICATE, id);
    return err_set(err, ACD_EEXIST, "the same certificates already exist in this account, as %s", id);
}

static Anchord__V1__QuotaPool *
grant_msg(struct unit *u, const acd_quota_grant *grant)
{
    Anchord__V1__QuotaPool *m = wire_new(u->region, Anchord__V1__QuotaPool, anchord__v1__quota_pool);
    if (!m || !(m->pool = mem_strdup(u->region, grant->pool)))
        return NULL;
    m->used = grant->used;
    m->limit = grant->limit;
    return m;
}

/* Leaves are not counted. */
static int
reserve(struct unit *u, const acd_value *account, const struct upload *up, const char *id,
        Anchord__V1__QuotaPool **ret_pool, acd_err *err)
{
    acd_quota_grant grant = {.struct_size = sizeof(grant)};
    *ret_pool = NULL;
    if (up->leaf)
        return 0;
    int rc = plug_quota_reserve(core_quota(u->core), u->db.s, account[ACCOUNT_ID].bytes,
                                slice_str(up->product), slice_str(id), 1, &grant, err);
    if (rc == ACD_ELIMIT) {
        bool access = strcmp(up->product, SPACE_ACCESS) == 0;
        rpc_detail_error_info(u->call, "QUOTA_EXCEEDED", access ? REST_ACCESS_QUOTA : REST_QUOTA, grant.pool);
        rpc_detail_quota(u->call, grant.pool, grant.used, grant.limit);
        return rc;
    }
    if (rc == 0 && !(*ret_pool = grant_msg(u, &grant)))
        rc = ACD_ENOMEM;
    return rc;
}

static acd_value *
cert_row(struct unit *u, const acd_value *account, const struct upload *up, const char *id, uint64_t rev)
{
    acd_value *row = mem_new_n(u->region, CERT_COLS, acd_value);
    if (!row)
        return NULL;
    row[CERT_ID] = VAL_TEXT(id);
    row[CERT_ACCOUNT] = account[ACCOUNT_ID];
    row[CERT_SPACE] = VAL_TEXT(product_space(up->product));
    row[CERT_DIGEST] = VAL_BLOB(up->digest, sizeof(up->digest));
    row[CERT_NAME] = VAL_TEXT(up->name);
    row[CERT_CA] = VAL_INT(!up->leaf);
    row[CERT_PRODUCT] = VAL_TEXT(up->product);
    row[CERT_TYPE] = VAL_INT(CERT_CUSTOM);
    row[CERT_PROFILE] = VAL_INT(up->profile);
    row[CERT_TEXT] = VAL_SLICE(up->text);
    row[CERT_CREATED] = VAL_INT(u->now_ms);
    row[CERT_UPDATED] = VAL_INT(u->now_ms);
    row[CERT_DEPLOYED] = VAL_INT(rev);
    row[CERT_REV] = VAL_INT(rev);
    row[CERT_HELPER] = VAL_INT(up->helper);
    return row;
}

int
upload_store(struct unit *u, const acd_value *account, const struct upload *up, acd_value **ret_cert,
             Anchord__V1__QuotaPool **ret_pool, acd_err *err)
{
    const char *existing;
    char uuid[ID_UUID_LEN + 1];
    uint64_t rev;
    int rc = upload_duplicate(u, account, up, &existing, err);
    if (rc == ACD_EEXIST)
        return refuse_duplicate(u, up, existing, err);
    if (rc < 0)
        return rc;
    id_new_uuid(uuid);
    char *id = mem_strdup(u->region, uuid);
    if (!id)
        return ACD_ENOMEM;
    rc = reserve(u, account, up, id, ret_pool, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    acd_value *row = cert_row(u, account, up, id, rev);
    if (!row)
        return ACD_ENOMEM;
    rc = db_put(&u->db, COLL_CERT, row, ACD_REV_NEW, err);
    for (size_t i = 0; rc == 0 && i < up->nitems; i++)
        rc = cert_put_item(u, id, &up->items[i], err);
    if (rc == 0 && up->key.ptr)
        rc = keys_put(u, slice_str(id), account[ACCOUNT_ID].bytes, up->items[0].spki_sha256, up->key, err);
    if (rc == 0)
        rc = change_add(&u->changes, CHANGED_CERT, id);
    *ret_cert = row;
    return rc;
}
