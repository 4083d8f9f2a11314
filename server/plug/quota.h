/*
 * The quota plugin inside a write transaction. Never included by query/.
 *
 * The session's thread; the session must be in a write transaction (usage: in any). What the plugin writes is
 * committed or rolled back with it. After a failure other than ACD_ELIMIT the transaction must be rolled
 * back.
 */
#ifndef PLUG_QUOTA_H
#define PLUG_QUOTA_H

#include <anchord/plugin-quota.h>

#include "base/must.h"

struct plug;
struct plug_session;

struct plug_quota {
    struct plug *plug;
    const acd_quota_ops *ops;
};

void plug_quota_init(struct plug_quota *q, struct plug *plug);

/* ACD_ELIMIT: nothing was counted, *ret says used and limit of the pool. limit < 0: unlimited. */
int plug_quota_reserve(struct plug_quota *q, struct plug_session *s, acd_slice account, acd_slice product,
                       acd_slice object_id, int64_t amount, acd_quota_grant *ret, acd_err *err) ACD_MUSTCHECK;
int plug_quota_release(struct plug_quota *q, struct plug_session *s, acd_slice account, acd_slice product,
                       acd_slice object_id, int64_t amount, acd_err *err) ACD_MUSTCHECK;
int plug_quota_usage(struct plug_quota *q, struct plug_session *s, acd_slice account, acd_quota_fn fn,
                     void *ctx, acd_err *err) ACD_MUSTCHECK;
/* limit < 0: back to the default. ACD_ENOENT: no such pool. */
int plug_quota_set_limit(struct plug_quota *q, struct plug_session *s, acd_slice account, acd_slice pool,
                         int64_t limit, acd_err *err) ACD_MUSTCHECK;

#endif
