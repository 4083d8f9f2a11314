/*
 * The derivation of an evaluation. Each rule up to the deciding one is evaluated once more, traced; fields
 * keep the values that they had, so it comes to the same. Nothing of this runs when no explanation is asked
 * for.
 */
#include "rule/explain.h"
#include "query/asked.h"

struct pages {
    struct buf text, json;
};

/* --- the certificate --------------------------------------------------------------------------------------
 */

static const char *
verdict_name(const Anchord__V1__VerifyAnswer *v)
{
    switch ((int)v->verdict) {
    case ANCHORD__V1__VERDICT__VERIFIED:
        return "verified";
    case ANCHORD__V1__VERDICT__NEED_CERTIFICATE:
        return "need certificate";
    default:
        return v->revoked ? "revoked" : "not verified";
    }
}

static void
json_member(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "\"%s\":", name);
    rule_json_string(out, slice_str(value));
    buf_putc(out, ',');
}

static void
put_steps(struct pages *p, const Anchord__V1__VerifyAnswer *v)
{
    buf_puts(&p->json, "\"steps\":[");
    for (size_t i = 0; i < v->n_steps; i++) {
        const Anchord__V1__VerifyStep *s = v->steps[i];
        buf_printf(&p->text, "    %s  %s%s%s  %s\n", s->ok ? "ok  " : "FAIL", s->check,
                   s->error[0] ? " " : "", s->error, s->text);
        buf_puts(&p->json, i ? ",{" : "{");
        json_member(&p->json, "check", s->check);
        json_member(&p->json, "error", s->error);
        json_member(&p->json, "text", s->text);
        buf_printf(&p->json, "\"anchor\":%d,\"depth\":%d,\"ok\":%s}", (int)s->anchor, (int)s->depth,
                   s->ok ? "true" : "false");
    }
    buf_putc(&p->json, ']');
}

static void
put_verdict(struct pages *p, const Anchord__V1__VerifyAnswer *v)
{
    buf_puts(&p->json, ",\"verification\":");
    if (!v) {
        buf_puts(&p->text, "certificate: no rule asked\n");
        buf_puts(&p->json, "null");
        return;
    }
    buf_printf(&p->text, "certificate: %s%s%s%s%s\n", verdict_name(v), v->error[0] ? ": " : "", v->error,
               v->reason[0] ? ": " : "", v->reason);
    buf_putc(&p->json, '{');
    json_member(&p->json, "verdict", verdict_name(v));
    json_member(&p->json, "error", v->error);
    json_member(&p->json, "reason", v->reason);
    json_member(&p->json, "ca_id", v->ca_id);
    json_member(&p->json, "pattern", v->pattern);
    buf_printf(&p->json, "\"revoked\":%s,", v->revoked ? "true" : "false");
    put_steps(p, v);
    buf_putc(&p->json, '}');
}

/* --- rules ------------------------------------------------------------------------------------------------
 */

enum reached { REACHED, PASSED_OVER, NOT_REACHED };

static const char *
state_name(enum reached reached, const struct rule_result *result)
{
    static const char *const outcomes[] = {
        [RULE_FALSE] = "no match", [RULE_TRUE] = "match", [RULE_FAILED] = "failed"};
    return reached == PASSED_OVER   ? "disabled"
           : reached == NOT_REACHED ? "not reached"
                                    : outcomes[result->outcome];
}

static void
put_text(struct buf *out, acd_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = ((const unsigned char *)s.ptr)[i];
        buf_putc(out, (char)(c < 0x20 || c == 0x7f ? ' ' : c));
    }
}

static void
put_rule_head(struct pages *p, size_t i, const struct rule_out *rule, const char *state)
{
    buf_printf(&p->text, "rule %zu  %s  %s  ", i + 1, rule_action_name(rule->action), state);
    put_text(&p->text, rule->id);
    if (rule->description.len) {
        buf_puts(&p->text, "  ");
        put_text(&p->text, rule->description);
    }
    buf_putc(&p->text, '\n');
    buf_puts(&p->json, i ? ",{\"id\":" : "{\"id\":");
    rule_json_string(&p->json, rule->id);
    buf_puts(&p->json, ",\"ref\":");
    rule_json_string(&p->json, rule->ref);
    buf_puts(&p->json, ",\"description\":");
    rule_json_string(&p->json, rule->description);
    buf_printf(&p->json, ",\"version\":%lld,\"action\":\"%s\",\"state\":\"%s\"", (long long)rule->version,
               rule_action_name(rule->action), state);
}

/* The terms of one rule, indented under it. */
static void
put_terms(struct pages *p, const struct rule_explain *tree)
{
    struct buf terms = BUF_INIT(LIMIT_EXPLAIN);
    rule_explain_text(&terms, tree);
    for (size_t at = 0; at < terms.len;) {
        const char *line = terms.data + at, *end = memchr(line, '\n', terms.len - at);
        size_t n = end ? (size_t)(end - line) : terms.len - at;
        buf_puts(&p->text, "    ");
        buf_put(&p->text, line, n);
        buf_putc(&p->text, '\n');
        at += n + 1;
    }
    if (terms.failed)
        p->text.failed = terms.failed;
    buf_done(&terms);
    buf_puts(&p->json, ",\"terms\":");
    rule_explain_json(&p->json, tree);
}

/* *ret_ended: nothing after this rule was evaluated. */
static int
put_rule(struct pages *p, struct asked *a, size_t i, const struct rule_out *rule, bool *ret_ended)
{
    struct rule_explain *tree = NULL;
    struct rule_result result = {0};
    enum reached reached = *ret_ended ? NOT_REACHED : rule->enabled ? REACHED : PASSED_OVER;
    int rc = reached == REACHED ? rule_explain(rule->prog, a->ctx, &result, &tree) : 0;
    if (rc < 0)
        return rc;
    put_rule_head(p, i, rule, state_name(reached, &result));
    if (tree)
        put_terms(p, tree);
    buf_putc(&p->json, '}');
    rule_explain_free(tree);
    if (reached == REACHED && result.outcome != RULE_FALSE)
        *ret_ended = result.outcome == RULE_FAILED || rule_action_terminates(rule->action) ||
                     rule->skip_ruleset || rule->skip_phase;
    return 0;
}

static int
put_rules(struct pages *p, struct asked *a)
{
    const struct ruleset *set = a->zone->rules ? ruleset_of(a->zone->rules) : NULL;
    bool ended = false;
    int rc = 0;
    buf_puts(&p->json, ",\"rules\":[");
    for (size_t i = 0; rc == 0 && set && i < ruleset_len(set); i++)
        rc = put_rule(p, a, i, ruleset_at(set, i), &ended);
    buf_putc(&p->json, ']');
    return rc;
}

/* --- the whole --------------------------------------------------------------------------------------------
 */

static void
put_head(struct pages *p, struct asked *a)
{
    const Anchord__V1__EvaluateAnswer *m = a->answer;
    buf_printf(&p->text, "zone %s (%s), host %s\n", a->zone->name, a->zone->id,
               m->host[0] ? m->host : "not given");
    if (m->ruleset_id[0])
        buf_printf(&p->text, "ruleset %s version %llu\n", m->ruleset_id,
                   (unsigned long long)m->ruleset_version);
    else
        buf_puts(&p->text, "the zone has no rules\n");
    buf_printf(&p->json, "{\"revision\":%llu,\"zone\":{", (unsigned long long)a->judge->call->revision);
    json_member(&p->json, "id", a->zone->id);
    buf_puts(&p->json, "\"name\":");
    rule_json_string(&p->json, slice_str(a->zone->name));
    buf_puts(&p->json, "},");
    json_member(&p->json, "host", m->host);
    json_member(&p->json, "ruleset_id", m->ruleset_id);
    buf_printf(&p->json, "\"ruleset_version\":%llu", (unsigned long long)m->ruleset_version);
}

static void
put_end(struct pages *p, const Anchord__V1__EvaluateAnswer *m)
{
    buf_printf(&p->text, "answer: %s, action %s%s%s%s%s\n", m->allowed ? "allowed" : "not allowed", m->action,
               m->error[0] ? ", " : "", m->error, m->reason[0] ? ": " : "", m->reason);
    buf_putc(&p->json, ',');
    json_member(&p->json, "action", m->action);
    json_member(&p->json, "error", m->error);
    json_member(&p->json, "reason", m->reason);
    buf_printf(&p->json, "\"allowed\":%s}", m->allowed ? "true" : "false");
}

/* An explanation that is over its bound is left out, and the text says so: half a JSON value is none. */
static int
take_pages(struct asked *a, struct pages *p)
{
    static const char too_long[] = "the explanation is longer than 262144 bytes and was left out";
    struct mem_region *r = a->judge->region;
    if (p->text.failed == ACD_ENOMEM || p->json.failed == ACD_ENOMEM)
        return ACD_ENOMEM;
    a->answer->explain_text =
        p->text.failed ? (char *)too_long : wire_text(r, slice_of(p->text.data, p->text.len));
    a->answer->explain_json =
        p->json.failed ? WIRE_STR(NULL) : wire_text(r, slice_of(p->json.data, p->json.len));
    return a->answer->explain_text && a->answer->explain_json ? 0 : ACD_ENOMEM;
}

int
asked_explain(struct asked *a)
{
    struct pages p = {BUF_INIT(LIMIT_EXPLAIN), BUF_INIT(LIMIT_EXPLAIN)};

    put_head(&p, a);
    int rc = put_rules(&p, a);
    put_verdict(&p, a->answer->verification);
    put_end(&p, a->answer);
    if (rc == 0)
        rc = take_pages(a, &p);
    buf_done(&p.text);
    buf_done(&p.json);
    return rc;
}
