/*
 * Quota plugins: decide whether an account may hold one more object, and count it.
 *
 * The promise: an object exists if and only if it is counted, and no pool ever exceeds its limit. The host
 * opens one storage transaction; the plugin decides and writes its counters through the transaction services
 * of acd_host; the host writes the object; one commit. A plugin therefore keeps no count of its own.
 */
#ifndef ANCHORD_PLUGIN_QUOTA_H
#define ANCHORD_PLUGIN_QUOTA_H

#include <anchord/plugin.h>

/* caps: the decision is made outside the transaction and settled after the commit. */
#define ACD_QUOTA_EXTERNAL (1ull << 0)

typedef struct {
    uint32_t struct_size;
    acd_slice account; /* id */
    acd_slice product; /* "api_shield", "workers", "gateway", "access"; the plugin maps it to a pool */
    acd_slice object_id, idem_key;
    int64_t amount; /* >= 1 */
} acd_quota_req;

typedef struct {
    uint32_t struct_size;
    int64_t used, limit; /* of the pool, after the step; limit < 0: unlimited */
    char pool[32];
    uint32_t ticket_len; /* external quota only */
    uint8_t ticket[64];
} acd_quota_grant;

typedef struct {
    uint32_t struct_size;
    const char *pool, *product; /* product == NULL: the pool's total */
    int64_t used, limit;
} acd_quota_usage;

typedef int (*acd_quota_fn)(void *ctx, const acd_quota_usage *);

typedef struct {
    uint32_t struct_size;
    /* ACD_ELIMIT: nothing was counted; *ret says used and limit. A product without a pool is granted, limit
     * -1. */
    int (*reserve)(void *inst, const acd_quota_req *, acd_txn *, acd_quota_grant *ret, acd_err *);
    int (*release)(void *inst, const acd_quota_req *, acd_txn *, acd_err *);
    /* One call per pool (product == NULL), then one per product in it. */
    int (*usage)(void *inst, acd_slice account, acd_txn *, acd_quota_fn, void *ctx, acd_err *);
    /* limit < 0: back to the default. Lowering below usage only blocks growth. ACD_ENOENT: no such pool. */
    int (*set_limit)(void *inst, acd_slice account, acd_slice pool, int64_t limit, acd_txn *, acd_err *);
    int (*settle)(void *inst, acd_slice ticket, int keep, acd_err *); /* external quota only; idempotent */
} acd_quota_ops;

#endif
