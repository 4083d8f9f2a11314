/* Quota that is settled outside the transaction. */
#include "zoo.h"

static const acd_quota_ops zoo_ops = {
    .struct_size = sizeof(zoo_ops),
    .reserve = (int (*)(void *, const acd_quota_req *, acd_txn *, acd_quota_grant *, acd_err *))zoo_start,
    .release = (int (*)(void *, const acd_quota_req *, acd_txn *, acd_err *))zoo_start,
    .usage = (int (*)(void *, acd_slice, acd_txn *, acd_quota_fn, void *, acd_err *))zoo_start,
    .set_limit = (int (*)(void *, acd_slice, acd_slice, int64_t, acd_txn *, acd_err *))zoo_start};
ZOO(ACD_QUOTA, "bad-external", .caps = ACD_QUOTA_EXTERNAL);
