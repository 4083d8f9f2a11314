/* Error details: each is one message of the reply's list. A full region or list drops the detail, not the
 * reply. */
#include "wire/rpc.h"

#define DETAIL(case_) ANCHORD__V1__ERROR_DETAIL__DETAIL_##case_

static char *
text(struct rpc_call *call, const char *s)
{
    char *copy = wire_text(call->region, slice_str(s ? s : ""));
    return copy ? copy : WIRE_STR(NULL);
}

/* A new detail at the end of the list; NULL: dropped. */
static Anchord__V1__ErrorDetail *
detail_add(struct rpc_call *call, Anchord__V1__ErrorDetail__DetailCase which)
{
    struct frame_reply *p = &call->reply;
    if (p->n_details == LIMIT_DETAILS)
        return NULL;
    Anchord__V1__ErrorDetail *d = wire_new(call->region, Anchord__V1__ErrorDetail, anchord__v1__error_detail);
    if (!d || wire_append(call->region, &p->n_details, &p->details, d) < 0)
        return NULL;
    d->detail_case = which;
    return d;
}

/* The detail's message first: a detail without one could not be encoded. */
void
rpc_detail_error_info(struct rpc_call *call, const char *reason, uint32_t code, const char *subject)
{
    Anchord__V1__ErrorInfo *m = wire_new(call->region, Anchord__V1__ErrorInfo, anchord__v1__error_info);
    Anchord__V1__ErrorDetail *d = m ? detail_add(call, DETAIL(ERROR_INFO)) : NULL;
    if (!d)
        return;
    m->reason = text(call, reason);
    m->code = code;
    m->subject = text(call, subject);
    d->error_info = m;
}

void
rpc_detail_quota(struct rpc_call *call, const char *pool, int64_t used, int64_t limit)
{
    Anchord__V1__QuotaFailure *m =
        wire_new(call->region, Anchord__V1__QuotaFailure, anchord__v1__quota_failure);
    Anchord__V1__ErrorDetail *d = m ? detail_add(call, DETAIL(QUOTA_FAILURE)) : NULL;
    if (!d)
        return;
    m->pool = text(call, pool);
    m->used = used;
    m->limit = limit;
    d->quota_failure = m;
}

void
rpc_detail_finding(struct rpc_call *call, int severity, int32_t index, const char *code, const char *message)
{
    Anchord__V1__Finding *m = wire_new(call->region, Anchord__V1__Finding, anchord__v1__finding);
    Anchord__V1__ErrorDetail *d = m ? detail_add(call, DETAIL(FINDING)) : NULL;
    if (!d)
        return;
    m->severity = (Anchord__V1__Severity)severity;
    m->index = index;
    m->code = text(call, code);
    m->message = text(call, message);
    d->finding = m;
}

void
rpc_detail_field(struct rpc_call *call, const char *field, const char *description)
{
    Anchord__V1__FieldViolation *m =
        wire_new(call->region, Anchord__V1__FieldViolation, anchord__v1__field_violation);
    Anchord__V1__ErrorDetail *d = m ? detail_add(call, DETAIL(FIELD_VIOLATION)) : NULL;
    if (!d)
        return;
    m->field = text(call, field);
    m->description = text(call, description);
    d->field_violation = m;
}

void
rpc_detail_precondition(struct rpc_call *call, uint64_t revision)
{
    Anchord__V1__Precondition *m =
        wire_new(call->region, Anchord__V1__Precondition, anchord__v1__precondition);
    Anchord__V1__ErrorDetail *d = m ? detail_add(call, DETAIL(PRECONDITION)) : NULL;
    if (!d)
        return;
    m->revision = revision;
    d->precondition = m;
}

void
rpc_detail_in_use(struct rpc_call *call, const char *zone_id, const char *zone_name, const char *host)
{
    Anchord__V1__ResourceInUse *m =
        wire_new(call->region, Anchord__V1__ResourceInUse, anchord__v1__resource_in_use);
    Anchord__V1__ErrorDetail *d = m ? detail_add(call, DETAIL(RESOURCE_IN_USE)) : NULL;
    if (!d)
        return;
    m->zone_id = text(call, zone_id);
    m->zone_name = text(call, zone_name);
    m->host = text(call, host);
    d->resource_in_use = m;
}

void
rpc_detail_rule(struct rpc_call *call, const Anchord__V1__RuleFinding *from)
{
    Anchord__V1__RuleFinding *m = wire_new(call->region, Anchord__V1__RuleFinding, anchord__v1__rule_finding);
    Anchord__V1__ErrorDetail *d = m ? detail_add(call, DETAIL(RULE)) : NULL;
    if (!d)
        return;
    *m = *from;
    m->field = text(call, from->field);
    m->kind = text(call, from->kind);
    m->message = text(call, from->message);
    d->rule = m;
}

void
rpc_details_clear(struct rpc_call *call)
{
    call->reply.n_details = 0;
}
