#include "hook_answer.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

enum { REASON_MAX = 512 };

/* A header's value is printable ASCII (RFC 9110 section 5.5), a single line, and not endless. */
static const char *
clean(struct hook *h, const char *text)
{
    size_t len = strnlen(text, REASON_MAX);
    char *copy = mem_strndup(h->g->region, text, len);
    for (size_t i = 0; copy && i < len; i++)
        if (copy[i] < 0x20 || copy[i] > 0x7e)
            copy[i] = '?';
    return copy;
}

static void
put(struct hook *h, const char *name, const char *value)
{
    if (value && value[0])
        http_reply_header(h->g->rep, name, clean(h, value));
}

/* The body says why, for people; programs read the headers. */
static void
finish(struct hook *h, unsigned status, const char *verdict, const char *reason)
{
    struct http_reply *rep = h->g->rep;
    put(h, "X-Anchord-Status", mem_printf(h->g->region, "%u", status));
    http_reply_header(rep, "X-Anchord-Verdict", verdict);
    put(h, "X-Anchord-Reason", reason);
    rep->status = h->form.only_403 && status != 200 && status != 503 ? 403 : status;
    if (status == 200 || rep->type)
        return;
    const char *body = mem_printf(h->g->region, "%s\n", reason);
    rep->type = "text/plain; charset=utf-8";
    rep->body = body ? slice_str(body) : SLICE_LIT("out of memory\n");
}

void
hook_refuse(struct hook *h, unsigned status, const char *verdict, const char *reason)
{
    if (status == 503)
        http_reply_header(h->g->rep, "Retry-After", "1");
    finish(h, status, verdict, reason ? reason : "out of memory");
}

static const char *
verdict_name(const struct hook *h)
{
    const Anchord__V1__VerifyAnswer *v = h->verified;
    if (!h->presented || !v)
        return "no-certificate";
    switch (v->verdict) {
    case ANCHORD__V1__VERDICT__VERIFIED:
        return "verified";
    case ANCHORD__V1__VERDICT__NEED_CERTIFICATE:
        return "need-certificate";
    default:
        return v->revoked ? "revoked" : "not-verified";
    }
}

/* What a block rule wants to be answered. */
static unsigned
rule_status(struct hook *h)
{
    const Anchord__V1__RuleResponse *resp = h->rules->response;
    struct http_reply *rep = h->g->rep;
    if (!resp || resp->status_code < 400 || resp->status_code > 499)
        return 403;
    acd_slice body = mem_slice(h->g->region, slice_str(resp->content));
    const char *type = resp->content_type[0] ? clean(h, resp->content_type) : NULL;
    if (body.ptr && body.len && type) {
        rep->type = type;
        rep->body = body;
    }
    return resp->status_code;
}

static const char *
rule_reason(struct hook *h)
{
    const Anchord__V1__EvaluateAnswer *a = h->rules;
    if (a->error[0])
        return mem_printf(h->g->region, "%s: %s", a->error, a->reason);
    if (a->rule && a->rule->description[0])
        return mem_printf(h->g->region, "rule: %s", a->rule->description);
    return mem_printf(h->g->region, "a rule ended with %s", a->action);
}

static void
put_details(struct hook *h)
{
    const Anchord__V1__EvaluateAnswer *a = h->rules;
    const Anchord__V1__VerifyAnswer *v = h->verified;
    uint64_t revision = h->evaluated.revision;
    if (h->verification.revision && h->verification.revision < revision)
        revision = h->verification.revision; /* what is said of both is the older one */
    put(h, "X-Anchord-Host", a->host);
    put(h, "X-Anchord-Action", a->action);
    put(h, "X-Anchord-Rule", a->rule ? a->rule->rule_id : NULL);
    put(h, "X-Anchord-CA", v ? v->ca_id : NULL);
    put(h, "X-Anchord-Error", a->error[0] ? a->error : v ? v->error : NULL);
    put(h, "X-Anchord-Revision", mem_printf(h->g->region, "%" PRIu64, revision));
}

void
hook_answer(struct hook *h)
{
    const char *verdict = verdict_name(h);
    bool verified = h->verified && h->verified->verdict == ANCHORD__V1__VERDICT__VERIFIED;
    put_details(h);
    if (!h->rules->allowed)
        finish(h, rule_status(h), verdict, rule_reason(h));
    else if (verified || h->form.optional)
        finish(h, 200, verdict, h->verified ? h->verified->reason : "");
    else
        finish(h, 403, verdict, h->verified ? h->verified->reason : "the client shows no certificate");
}
