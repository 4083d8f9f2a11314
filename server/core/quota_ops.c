/* QuotaService: pools per account as the quota plugin keeps them, and their audit against rows. */
#include "base/err.h"
#include "core/find.h"
#include "core/unit.h"
#include "model/limits.h"

/* --- usage ------------------------------------------------------------------------------------------------
 */

struct usage_ctx {
    struct mem_region *region;
    Anchord__V1__QuotaPool **pools;
    size_t n, cap;
};

enum { POOLS_MAX = 64, PRODUCTS_MAX = 64 };

static Anchord__V1__QuotaPool *
pool_of(struct usage_ctx *ctx, const char *name)
{
    for (size_t i = 0; i < ctx->n; i++)
        if (strcmp(ctx->pools[i]->pool, name) == 0)
            return ctx->pools[i];
    if (ctx->n == ctx->cap)
        return NULL;
    Anchord__V1__QuotaPool *m = wire_new(ctx->region, Anchord__V1__QuotaPool, anchord__v1__quota_pool);
    if (!m || !(m->pool = mem_strdup(ctx->region, name)) ||
        !(m->products = mem_new_n(ctx->region, PRODUCTS_MAX, Anchord__V1__ProductUsage *)))
        return NULL;
    ctx->pools[ctx->n++] = m;
    return m;
}

static int
add_usage(void *arg, const acd_quota_usage *usage)
{
    struct usage_ctx *ctx = arg;
    Anchord__V1__QuotaPool *pool = pool_of(ctx, usage->pool);
    if (!pool)
        return ACD_ENOMEM;
    if (!usage->product) {
        pool->used = usage->used;
        pool->limit = usage->limit;
        return 0;
    }
    Anchord__V1__ProductUsage *m =
        wire_new(ctx->region, Anchord__V1__ProductUsage, anchord__v1__product_usage);
    if (!m || pool->n_products == PRODUCTS_MAX || !(m->product = mem_strdup(ctx->region, usage->product)))
        return ACD_ENOMEM;
    m->used = usage->used;
    pool->products[pool->n_products++] = m;
    return 0;
}

static int
read_usage(struct unit *u, const acd_value *account, struct usage_ctx *ctx, acd_err *err)
{
    *ctx = (struct usage_ctx){.region = u->region, .cap = POOLS_MAX};
    ctx->pools = mem_new_n(u->region, POOLS_MAX, Anchord__V1__QuotaPool *);
    if (!ctx->pools)
        return ACD_ENOMEM;
    return plug_quota_usage(core_quota(u->core), u->db.s, account[ACCOUNT_ID].bytes, add_usage, ctx, err);
}

static int
usage_reply(struct unit *u, const acd_value *account, void **ret_resp, acd_err *err)
{
    struct usage_ctx ctx;
    Anchord__V1__GetQuotaResponse *resp =
        wire_new(u->region, Anchord__V1__GetQuotaResponse, anchord__v1__get_quota_response);
    int rc = resp ? read_usage(u, account, &ctx, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    resp->account_id = (char *)row_text(account, ACCOUNT_ID);
    resp->pools = ctx.pools;
    resp->n_pools = ctx.n;
    *ret_resp = resp;
    return 0;
}

static int
quota_get(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__GetQuotaRequest *req = req_;
    acd_value *account;
    (void)plan_;
    int rc = find_account(u, req->account, &account, err);
    return rc < 0 ? rc : usage_reply(u, account, ret_resp, err);
}

static int
quota_set(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__SetQuotaRequest *req = req_;
    const char *pool = req->pool[0] ? req->pool : "mtls_ca";
    acd_value *account;
    uint64_t rev;
    (void)plan_;
    int rc = find_account(u, req->account, &account, err);
    if (rc < 0)
        return rc;
    if (!req->reset && (req->limit < 0 || req->limit > LIMIT_QUOTA_MAX)) {
        rpc_detail_field(u->call, "limit", "is out of range");
        return err_set(err, ACD_EINVAL, "limit must be 0 to %d", LIMIT_QUOTA_MAX);
    }
    rc = plug_quota_set_limit(core_quota(u->core), u->db.s, account[ACCOUNT_ID].bytes, slice_str(pool),
                              req->reset ? -1 : req->limit, err);
    if (rc == ACD_ENOENT)
        return err_set(err, rc, "no quota pool '%s'", pool);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    unit_note(u, row_text(account, ACCOUNT_ID), pool,
              mem_printf(u->region, "limit %lld", (long long)(req->reset ? -1 : req->limit)));
    return usage_reply(u, account, ret_resp, err);
}

/* --- audit ------------------------------------------------------------------------------------------------
 */

/* Rows by product, as a walk over the account's certificates finds them. */
struct rows_ctx {
    struct {
        char product[32];
        int64_t n;
    } by[PRODUCTS_MAX];
    size_t n;
};

static int
count_product(void *arg, const acd_value *row, size_t ncols)
{
    struct rows_ctx *ctx = arg;
    (void)ncols;
    if (!row[CERT_CA].num || row[CERT_TYPE].num != CERT_CUSTOM)
        return 0;
    size_t i = 0;
    while (i < ctx->n && !slice_eqs(row[CERT_PRODUCT].bytes, ctx->by[i].product))
        i++;
    if (i == ctx->n) {
        if (ctx->n == PRODUCTS_MAX || row[CERT_PRODUCT].bytes.len >= sizeof(ctx->by[0].product))
            return ACD_ECORRUPT;
        memcpy(ctx->by[i].product, row[CERT_PRODUCT].bytes.ptr, row[CERT_PRODUCT].bytes.len);
        ctx->n++;
    }
    ctx->by[i].n++;
    return 0;
}

static int64_t
rows_of(const struct rows_ctx *ctx, const char *product)
{
    for (size_t i = 0; i < ctx->n; i++)
        if (strcmp(ctx->by[i].product, product) == 0)
            return ctx->by[i].n;
    return 0;
}

static int
add_audit(struct unit *u, Anchord__V1__AuditQuotaResponse *resp, size_t cap, const acd_value *account,
          const char *pool, const char *product, int64_t counter, int64_t rows)
{
    Anchord__V1__QuotaAudit *m = wire_new(u->region, Anchord__V1__QuotaAudit, anchord__v1__quota_audit);
    if (!m || resp->n_audits == cap)
        return ACD_ENOMEM;
    m->account_id = (char *)row_text(account, ACCOUNT_ID);
    m->pool = (char *)pool;
    m->product = (char *)product;
    m->counter = counter;
    m->rows = rows;
    m->ok = counter == rows;
    resp->ok &= m->ok;
    resp->audits[resp->n_audits++] = m;
    return 0;
}

static int
audit_account(struct unit *u, const acd_value *account, Anchord__V1__AuditQuotaResponse *resp, size_t cap,
              acd_err *err)
{
    struct usage_ctx usage;
    struct rows_ctx *rows = mem_new(u->region, struct rows_ctx);
    const struct db_query q = {
        .coll = COLL_CERT, .index = CERT_BY_ACCOUNT, .eq = &account[ACCOUNT_ID], .neq = 1};
    int rc = rows ? read_usage(u, account, &usage, err) : ACD_ENOMEM;
    if (rc == 0)
        rc = db_walk(&u->db, &q, count_product, rows, err);
    for (size_t i = 0; rc == 0 && i < usage.n; i++) {
        const Anchord__V1__QuotaPool *pool = usage.pools[i];
        int64_t total = 0;
        for (size_t k = 0; rc == 0 && k < pool->n_products; k++) {
            const Anchord__V1__ProductUsage *p = pool->products[k];
            total += rows_of(rows, p->product);
            rc = add_audit(u, resp, cap, account, pool->pool, p->product, p->used, rows_of(rows, p->product));
        }
        if (rc == 0)
            rc = add_audit(u, resp, cap, account, pool->pool, "", pool->used, total);
    }
    return rc;
}

enum { AUDITS_MAX = LIMIT_REPEATED };

static int
quota_audit(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__AuditQuotaRequest *req = req_;
    struct db_rows accounts = {0};
    acd_value *one;
    (void)plan_;
    int rc = 0;
    Anchord__V1__AuditQuotaResponse *resp =
        wire_new(u->region, Anchord__V1__AuditQuotaResponse, anchord__v1__audit_quota_response);
    if (!resp || !(resp->audits = mem_new_n(u->region, AUDITS_MAX, Anchord__V1__QuotaAudit *)))
        return ACD_ENOMEM;
    resp->ok = true;
    *ret_resp = resp;
    if (req->account[0]) {
        rc = find_account(u, req->account, &one, err);
        return rc < 0 ? rc : audit_account(u, one, resp, AUDITS_MAX, err);
    }
    rc = db_list(&u->db, &(struct db_query){.coll = COLL_ACCOUNT, .index = ACCOUNT_BY_NAME}, &accounts, err);
    for (size_t i = 0; rc == 0 && i < accounts.n; i++) {
        size_t before = resp->n_audits;
        if (AUDITS_MAX - before < PRODUCTS_MAX)
            return err_set(err, ACD_ELIMIT, "too many accounts for one audit: name one account");
        rc = audit_account(u, accounts.rows[i], resp, AUDITS_MAX, err);
    }
    return rc;
}

enum { AUDIT_PAGE = 256 }; /* accounts read at once */

/* Every account in turn, in memory that is used again for the next one: there may be any number of them. */
static int
audit_all(struct unit *u, struct mem_region *pages, struct mem_region *scratch, uint64_t *ret_bad,
          acd_err *err)
{
    struct db paged = {u->db.s, pages};
    struct unit one = *u;
    struct db_rows rows;
    struct db_query q = {.coll = COLL_ACCOUNT, .index = ACCOUNT_BY_NAME, .limit = AUDIT_PAGE};
    one.region = one.db.region = scratch;
    int rc;
    do {
        rc = db_list(&paged, &q, &rows, err);
        for (size_t i = 0; rc == 0 && i < rows.n; i++) {
            Anchord__V1__QuotaAudit *audits[PRODUCTS_MAX + POOLS_MAX];
            Anchord__V1__AuditQuotaResponse found = {.audits = audits};
            mem_reset(scratch);
            rc = audit_account(&one, rows.rows[i], &found, PRODUCTS_MAX + POOLS_MAX, err);
            for (size_t k = 0; k < found.n_audits; k++)
                *ret_bad += !audits[k]->ok;
            q.after = rows.rows[i];
        }
    } while (rc == 0 && rows.n == AUDIT_PAGE);
    return rc;
}

static int
count_bad(struct unit *u, const void *req, void *plan, void **ret_resp, acd_err *err)
{
    struct mem_region pages, scratch;
    (void)plan;
    (void)req;
    mem_init(&pages, 65536, 0);
    mem_init(&scratch, 65536, 0);
    int rc = audit_all(u, &pages, &scratch, *ret_resp, err);
    mem_done(&scratch);
    mem_done(&pages);
    return rc;
}

static const struct op audit_op = OP_READ("QuotaService/AuditQuota", count_bad);

int
core_audit(struct core *core, struct rpc_call *call, uint64_t *ret_bad, acd_err *err)
{
    void *count = ret_bad;
    *ret_bad = 0;
    return unit_run(core, &audit_op, call, NULL, &count, err);
}

const struct op quota_ops[] = {
    OP_READ("QuotaService/GetQuota", quota_get),
    OP_WRITE("QuotaService/SetQuota", quota_set),
    OP_READ("QuotaService/AuditQuota", quota_audit),
    {0},
};
