/*
 * Pools of places. A pool belongs to an account and is shared by its products: one counter decides, one more
 * per product reports. Limits that differ from the default are rows of the plugin, kept in the same
 * transaction.
 *
 * Counters: "ACCOUNT/POOL" and "ACCOUNT/POOL/PRODUCT"; rows: "limit/ACCOUNT/POOL", a decimal number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <anchord/plugin-quota.h>

#include "../sdk/sdk.h"

#define KEY_MAX     255u         /* of a counter or a row, as the host bears it */
#define LIMIT_MAX   1000000000ll /* the largest limit that can be set */
#define AMOUNT_MAX  1000000ll    /* places in one step */
#define PRODUCT_MAX 4            /* products that share a pool */
#define POOLS       (sizeof(pools) / sizeof(pools[0]))

struct pool {
    const char *name, *conf; /* conf: the item that holds the default limit */
    const char *products[PRODUCT_MAX];
    const char *refusal;
};

static const struct pool pools[] = {
    {"mtls_ca", "default_limit", {"api_shield", "workers", "gateway"}, "Hit maximum CA cert allocation."},
    {"access",
     "access_limit",
     {"access"},
     "access.api.error.conflict: maximum number of certificates has been reached"},
};

struct quota {
    const acd_host *host;
    int64_t limits[POOLS];
};

static const acd_conf_item items[] = {
    {.struct_size = sizeof(acd_conf_item),
     .type = ACD_CONF_INT,
     .key = "default_limit",
     .dflt = "5",
     .help = "CAs of an account in the pool that api_shield, workers and gateway share",
     .lo = 0,
     .hi = LIMIT_MAX},
    {.struct_size = sizeof(acd_conf_item),
     .type = ACD_CONF_INT,
     .key = "access_limit",
     .dflt = "50",
     .help = "CAs of an account in the pool of access",
     .lo = 0,
     .hi = LIMIT_MAX},
};

static int
create(const acd_host *host, const acd_conf_val *vals, size_t n, void **ret, acd_err *err)
{
    if (!ACD_HAS(host, txn_counter_add))
        return sdk_fail(err, ACD_EABI, "quota-pool needs the host's transaction services");
    struct quota *q = calloc(1, sizeof(*q));
    if (!q)
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    q->host = host;
    for (size_t i = 0; i < POOLS; i++)
        q->limits[i] = sdk_conf_int(vals, n, pools[i].conf);
    *ret = q;
    return 0;
}

static int
start(void *inst, acd_err *err)
{
    (void)inst;
    (void)err;
    return 0; /* nothing to open: all state lives in the host's transactions */
}

static void
destroy(void *inst)
{
    free(inst);
}

struct key {
    char text[KEY_MAX + 1];
    acd_slice slice;
};

/* An account is an id: anything with a slash could name another account's pool. */
static int
key_make(struct key *k, const char *prefix, acd_slice account, const char *pool, const char *product,
         acd_err *err)
{
    if (!account.ptr || account.len == 0 || memchr(account.ptr, '/', account.len) || !sdk_text_valid(account))
        return sdk_fail(err, ACD_EINVAL, "an account's id is text without a slash");
    int n = account.len > KEY_MAX
                ? -1
                : snprintf(k->text, sizeof(k->text), "%s%.*s/%s%s%s", prefix, (int)account.len,
                           (const char *)account.ptr, pool, product ? "/" : "", product ? product : "");
    if (n < 0 || n > (int)KEY_MAX)
        return sdk_fail(err, ACD_EINVAL, "the account's id is too long");
    k->slice = (acd_slice){k->text, (size_t)n};
    return 0;
}

static int
limit_of(const struct quota *q, size_t pool, acd_slice account, acd_txn *txn, int64_t *ret, acd_err *err)
{
    struct key k;
    char text[24];
    size_t len;
    int rc = key_make(&k, "limit/", account, pools[pool].name, NULL, err);
    if (rc < 0)
        return rc;
    *ret = q->limits[pool];
    rc = q->host->txn_get(txn, k.slice, text, sizeof(text) - 1, &len);
    if (rc == ACD_ENOENT)
        return 0;
    if (rc < 0)
        return sdk_fail(err, rc, "the account's limit cannot be read");
    char *end = text;
    if (len > 0 && len < sizeof(text)) {
        text[len] = '\0';
        int64_t n = strtoll(text, &end, 10);
        if (end != text && *end == '\0') {
            *ret = n < 0 ? q->limits[pool] : n;
            return 0;
        }
    }
    return sdk_fail(err, ACD_ECORRUPT, "the account's limit is not a number");
}

static int
counter(const struct quota *q, acd_txn *txn, acd_slice account, size_t pool, const char *product,
        int64_t delta, int64_t hi, int64_t *ret_now, acd_err *err)
{
    struct key k;
    int rc = key_make(&k, "", account, pools[pool].name, product, err);
    if (rc < 0)
        return rc;
    rc = q->host->txn_counter_add(txn, k.slice, delta, 0, hi, ret_now);
    return rc < 0 && rc != ACD_ELIMIT ? sdk_fail(err, rc, "the pool's counter cannot be changed") : rc;
}

/* The pool of a product, and the product's name as a constant. False: it has none. */
static bool
pool_find(acd_slice product, size_t *ret_pool, const char **ret_product)
{
    for (size_t i = 0; i < POOLS; i++)
        for (size_t k = 0; k < PRODUCT_MAX && pools[i].products[k]; k++)
            if (sdk_slice_is(product, pools[i].products[k])) {
                *ret_pool = i;
                *ret_product = pools[i].products[k];
                return true;
            }
    return false;
}

static int
amount_check(const acd_quota_req *req, acd_err *err)
{
    if (req->amount < 1 || req->amount > AMOUNT_MAX)
        return sdk_fail(err, ACD_EINVAL, "an amount is 1 to %lld", AMOUNT_MAX);
    return 0;
}

static int
reserve(void *inst, const acd_quota_req *req, acd_txn *txn, acd_quota_grant *ret, acd_err *err)
{
    const struct quota *q = inst;
    size_t pool;
    const char *product;
    int64_t limit, now = 0, of_product;
    int rc = amount_check(req, err);
    if (rc < 0)
        return rc;
    if (!pool_find(req->product, &pool, &product)) {
        ret->used = 0;
        ret->limit = -1;
        ret->pool[0] = '\0';
        return 0;
    }
    rc = limit_of(q, pool, req->account, txn, &limit, err);
    if (rc < 0)
        return rc;
    rc = counter(q, txn, req->account, pool, NULL, req->amount, limit, &now, err);
    if (rc == 0 || rc == ACD_ELIMIT) {
        ret->used = now;
        ret->limit = limit;
        (void)snprintf(ret->pool, sizeof(ret->pool), "%s", pools[pool].name);
    }
    if (rc == ACD_ELIMIT)
        return sdk_fail(err, rc, "%s", pools[pool].refusal);
    if (rc == 0)
        rc = counter(q, txn, req->account, pool, product, req->amount, INT64_MAX, &of_product, err);
    return rc;
}

static int
release(void *inst, const acd_quota_req *req, acd_txn *txn, acd_err *err)
{
    const struct quota *q = inst;
    size_t pool;
    const char *product;
    int64_t now;
    int rc = amount_check(req, err);
    if (rc < 0 || !pool_find(req->product, &pool, &product))
        return rc;
    /* The product's counter never exceeds the pool's, so when this step is possible the next is too. */
    rc = counter(q, txn, req->account, pool, product, -req->amount, INT64_MAX, &now, err);
    if (rc == 0)
        rc = counter(q, txn, req->account, pool, NULL, -req->amount, INT64_MAX, &now, err);
    if (rc == ACD_ELIMIT)
        return sdk_fail(err, ACD_EPRECOND, "more is released than was reserved");
    return rc;
}

static int
usage(void *inst, acd_slice account, acd_txn *txn, acd_quota_fn fn, void *ctx, acd_err *err)
{
    const struct quota *q = inst;
    for (size_t i = 0; i < POOLS; i++) {
        acd_quota_usage u = {.struct_size = sizeof(u), .pool = pools[i].name};
        int rc = limit_of(q, i, account, txn, &u.limit, err);
        for (size_t k = 0; rc == 0 && k <= PRODUCT_MAX; k++) {
            u.product = k ? pools[i].products[k - 1] : NULL;
            if (k && !u.product)
                break;
            rc = counter(q, txn, account, i, u.product, 0, INT64_MAX, &u.used, err);
            if (rc == 0)
                rc = fn(ctx, &u);
        }
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    return 0;
}

static int
set_limit(void *inst, acd_slice account, acd_slice pool, int64_t limit, acd_txn *txn, acd_err *err)
{
    const struct quota *q = inst;
    struct key k;
    char text[24];
    size_t i = 0;
    while (i < POOLS && !sdk_slice_is(pool, pools[i].name))
        i++;
    if (i == POOLS)
        return sdk_fail(err, ACD_ENOENT, "there is no such pool");
    if (limit > LIMIT_MAX)
        return sdk_fail(err, ACD_EINVAL, "a limit is at most %lld", LIMIT_MAX);
    int rc = key_make(&k, "limit/", account, pools[i].name, NULL, err);
    if (rc < 0)
        return rc;
    int n = snprintf(text, sizeof(text), "%lld", limit < 0 ? -1ll : (long long)limit);
    rc = q->host->txn_put(txn, k.slice, (acd_slice){text, (size_t)n});
    return rc < 0 ? sdk_fail(err, rc, "the limit cannot be written") : 0;
}

static const acd_quota_ops ops = {
    .struct_size = sizeof(ops),
    .reserve = reserve,
    .release = release,
    .usage = usage,
    .set_limit = set_limit,
};

ACD_PLUGIN_DEFINE(ACD_QUOTA, "quota-pool", "0.1.0", .thread = ACD_FREE_THREADED, .build_id = "",
                  .summary = "pools of places, shared by products", .conf = items,
                  .conf_n = sizeof(items) / sizeof(items[0]), .create = create, .start = start,
                  .destroy = destroy, .ops = &ops);
