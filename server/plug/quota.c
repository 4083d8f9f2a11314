#include "plug/quota.h"

#include <string.h>

#include "base/err.h"
#include "plug/life.h"
#include "plug/storage.h"

void
plug_quota_init(struct plug_quota *q, struct plug *plug)
{
    must(plug->desc && plug->desc->kind == ACD_QUOTA);
    *q = (struct plug_quota){.plug = plug, .ops = plug->desc->ops};
}

/* A call with a transaction handle that ends with it. */
static int
enter(struct plug_step *step, struct plug_quota *q, const char *func, struct plug_session *s, acd_txn *txn,
      acd_err *err)
{
    hostsvc_txn_init(txn, s, q->plug->desc->name);
    return plug_enter(step, q->plug, func, 0, err);
}

static int
leave(struct plug_step *step, acd_txn *txn, int rc, acd_err *err)
{
    hostsvc_txn_done(txn);
    return plug_leave(step, rc, err);
}

int
plug_quota_reserve(struct plug_quota *q, struct plug_session *s, acd_slice account, acd_slice product,
                   acd_slice object_id, int64_t amount, acd_quota_grant *ret, acd_err *err)
{
    struct plug_step step;
    acd_txn txn;
    acd_quota_req req = {.struct_size = sizeof(req), account, product, object_id, {NULL, 0}, amount};
    must(plug_writing(s));
    *ret = (acd_quota_grant){.struct_size = sizeof(*ret)};
    int rc = enter(&step, q, "reserve", s, &txn, err);
    if (rc < 0)
        return rc;
    rc = leave(&step, &txn, q->ops->reserve(q->plug->inst, &req, &txn, ret, err), err);
    ret->pool[sizeof(ret->pool) - 1] = '\0';
    return rc;
}

int
plug_quota_release(struct plug_quota *q, struct plug_session *s, acd_slice account, acd_slice product,
                   acd_slice object_id, int64_t amount, acd_err *err)
{
    struct plug_step step;
    acd_txn txn;
    acd_quota_req req = {.struct_size = sizeof(req), account, product, object_id, {NULL, 0}, amount};
    must(plug_writing(s));
    int rc = enter(&step, q, "release", s, &txn, err);
    return rc < 0 ? rc : leave(&step, &txn, q->ops->release(q->plug->inst, &req, &txn, err), err);
}

int
plug_quota_usage(struct plug_quota *q, struct plug_session *s, acd_slice account, acd_quota_fn fn, void *ctx,
                 acd_err *err)
{
    struct plug_step step;
    acd_txn txn;
    int rc = enter(&step, q, "usage", s, &txn, err);
    return rc < 0 ? rc : leave(&step, &txn, q->ops->usage(q->plug->inst, account, &txn, fn, ctx, err), err);
}

int
plug_quota_set_limit(struct plug_quota *q, struct plug_session *s, acd_slice account, acd_slice pool,
                     int64_t limit, acd_err *err)
{
    struct plug_step step;
    acd_txn txn;
    must(plug_writing(s));
    int rc = enter(&step, q, "set_limit", s, &txn, err);
    return rc < 0
               ? rc
               : leave(&step, &txn, q->ops->set_limit(q->plug->inst, account, pool, limit, &txn, err), err);
}
