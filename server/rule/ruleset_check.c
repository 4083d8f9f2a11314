/* All findings of a rule: one function per object of the API, one line per documented condition. */
#include "rule/ruleset_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char *const action_names[RULE_ACTION_COUNT] = {
    [RULE_ACTION_NONE] = "none",
    [RULE_ACTION_BLOCK] = "block",
    [RULE_ACTION_MANAGED_CHALLENGE] = "managed_challenge",
    [RULE_ACTION_JS_CHALLENGE] = "js_challenge",
    [RULE_ACTION_CHALLENGE] = "challenge",
    [RULE_ACTION_SKIP] = "skip",
    [RULE_ACTION_LOG] = "log",
};

/* Known to the API, not in this phase of this server. */
static const char *const foreign_actions[] = {
    "execute",         "rewrite",    "redirect",           "serve_error",
    "route",           "set_config", "set_cache_settings", "compress_response",
    "log_custom_field"};

static const char *const phases[] = {"http_ratelimit", "http_request_sbfm", "http_request_firewall_managed"};
static const char *const products[] = {"zoneLockdown",  "uaBlock",   "bic", "hot",
                                       "securityLevel", "rateLimit", "waf"};
static const char *const content_types[] = {"text/html", "text/plain", "application/json", "text/xml"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static size_t
find_name(const char *const *names, size_t n, acd_slice name)
{
    size_t i = 0;
    while (i < n && !slice_eqs(name, names[i]))
        i++;
    return i;
}

const char *
rule_action_name(enum rule_action a)
{
    return action_names[a];
}

bool
rule_action_terminates(enum rule_action a)
{
    return a >= RULE_ACTION_BLOCK && a <= RULE_ACTION_CHALLENGE;
}

enum rule_action
ruleset_action(acd_slice name)
{
    for (unsigned a = RULE_ACTION_BLOCK; a < RULE_ACTION_COUNT; a++)
        if (slice_eqs(name, action_names[a]))
            return (enum rule_action)a;
    return RULE_ACTION_NONE;
}

unsigned
rule_phase_find(acd_slice name)
{
    size_t i = find_name(phases, COUNT(phases), name);
    return i < COUNT(phases) ? 1u << i : 0;
}

unsigned
rule_product_find(acd_slice name)
{
    size_t i = find_name(products, COUNT(products), name);
    return i < COUNT(products) ? 1u << i : 0;
}

const char *
rule_phase_name(unsigned bit)
{
    return phases[__builtin_ctz(bit)];
}

const char *
rule_product_name(unsigned bit)
{
    return products[__builtin_ctz(bit)];
}

struct ruleset_finding *
ruleset_find_fault(struct ruleset_report *r, size_t rule, const char *field, const char *fmt, ...)
{
    static struct ruleset_finding *const none = NULL;
    va_list ap;
    if (r->to->len == RULESET_FINDINGS_MAX) {
        r->to->errors++; /* counted, not kept */
        return none;
    }
    if (r->to->len == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 8;
        struct ruleset_finding *p = realloc(r->to->items, cap * sizeof(*p));
        if (!p) {
            r->no_memory = true;
            return none;
        }
        r->to->items = p;
        r->cap = cap;
    }
    struct ruleset_finding *f = &r->to->items[r->to->len++];
    *f = (struct ruleset_finding){.rule = rule, .field = field};
    r->to->errors++;
    va_start(ap, fmt);
    (void)vsnprintf(f->message, sizeof(f->message), fmt, ap);
    va_end(ap);
    return f;
}

void
ruleset_findings_done(struct ruleset_findings *f)
{
    free(f->items);
    *f = (struct ruleset_findings){0};
}

static void
check_action(struct ruleset_report *r, size_t i, acd_slice name)
{
    if (ruleset_action(name) != RULE_ACTION_NONE)
        return;
    if (find_name(foreign_actions, COUNT(foreign_actions), name) < COUNT(foreign_actions))
        (void)ruleset_find_fault(r, i, "action", "action %.*s is not available in this phase", (int)name.len,
                                 (const char *)name.ptr);
    else if (name.len == 0)
        (void)ruleset_find_fault(r, i, "action", "an action is needed");
    else
        (void)ruleset_find_fault(r, i, "action", "unknown action %.*s", name.len < 64 ? (int)name.len : 64,
                                 (const char *)name.ptr);
}

static void
check_response(struct ruleset_report *r, size_t i, enum rule_action action, const struct rule_response_in *in)
{
    if (!in->present)
        return;
    if (action != RULE_ACTION_BLOCK) {
        (void)ruleset_find_fault(r, i, "action_parameters.response", "only block takes a response");
        return;
    }
    if (in->status_code < 400 || in->status_code > 499)
        (void)ruleset_find_fault(r, i, "action_parameters.response.status_code", "the status is 400 to 499");
    if (in->content.len == 0)
        (void)ruleset_find_fault(r, i, "action_parameters.response.content", "the content is empty");
    else if (in->content.len > RULESET_CONTENT_MAX)
        (void)ruleset_find_fault(r, i, "action_parameters.response.content",
                                 "the content is longer than %d bytes", RULESET_CONTENT_MAX);
    if (find_name(content_types, COUNT(content_types), in->content_type) == COUNT(content_types))
        (void)ruleset_find_fault(r, i, "action_parameters.response.content_type",
                                 "the type is text/html, text/plain, application/json or text/xml");
}

static bool
has_skip(const struct rule_skip_in *s)
{
    return s->ruleset.ptr || s->phase.ptr || s->nphases || s->nproducts || s->nrulesets || s->nrules;
}

static void
check_names(struct ruleset_report *r, size_t i, const char *field, const acd_slice *names, size_t n,
            unsigned (*find)(acd_slice))
{
    for (size_t k = 0; k < n; k++)
        if (!find(names[k]))
            (void)ruleset_find_fault(r, i, field, "unknown value %.*s",
                                     names[k].len < 64 ? (int)names[k].len : 64, (const char *)names[k].ptr);
}

static void
check_skip_lists(struct ruleset_report *r, size_t i, const struct rule_skip_in *s)
{
    check_names(r, i, "action_parameters.phases", s->phases, s->nphases, rule_phase_find);
    check_names(r, i, "action_parameters.products", s->products, s->nproducts, rule_product_find);
    if (s->nrulesets > RULESET_SKIP_RULESETS_MAX)
        (void)ruleset_find_fault(r, i, "action_parameters.rulesets", "more than %d rulesets",
                                 RULESET_SKIP_RULESETS_MAX);
    if (s->nrules > RULESET_SKIP_RULESETS_MAX)
        (void)ruleset_find_fault(r, i, "action_parameters.rules", "rules of more than %d rulesets",
                                 RULESET_SKIP_RULESETS_MAX);
    for (size_t k = 0; k < s->nrulesets; k++)
        if (s->rulesets[k].len == 0)
            (void)ruleset_find_fault(r, i, "action_parameters.rulesets", "an id is empty");
    for (size_t k = 0; k < s->nrules; k++)
        if (s->rules[k].ruleset.len == 0 || s->rules[k].nrules == 0 || s->rules[k].nrules > RULESET_RULES_MAX)
            (void)ruleset_find_fault(r, i, "action_parameters.rules",
                                     "each entry is a ruleset's id and 1 to %d rule ids", RULESET_RULES_MAX);
}

static void
check_skip(struct ruleset_report *r, size_t i, enum rule_action action, const struct rule_skip_in *s)
{
    if (action != RULE_ACTION_SKIP) {
        if (has_skip(s))
            (void)ruleset_find_fault(r, i, "action_parameters", "only skip takes these parameters");
        return;
    }
    if (!has_skip(s))
        (void)ruleset_find_fault(r, i, "action_parameters", "skip needs to be told what to skip");
    if (s->ruleset.ptr && !slice_eqs(s->ruleset, "current"))
        (void)ruleset_find_fault(r, i, "action_parameters.ruleset", "the only value is \"current\"");
    if (s->phase.ptr && !slice_eqs(s->phase, "current"))
        (void)ruleset_find_fault(r, i, "action_parameters.phase", "the only value is \"current\"");
    if (s->phase.ptr && (s->ruleset.ptr || s->nphases || s->nrulesets || s->nrules))
        (void)ruleset_find_fault(r, i, "action_parameters.phase", "phase may be combined with products only");
    if (s->nrulesets && (s->ruleset.ptr || s->nphases))
        (void)ruleset_find_fault(r, i, "action_parameters.rulesets",
                                 "rulesets may not be combined with ruleset or phases");
    if (s->nrules && s->ruleset.ptr)
        (void)ruleset_find_fault(r, i, "action_parameters.rules", "rules may not be combined with ruleset");
    check_skip_lists(r, i, s);
}

void
ruleset_check_rule(struct ruleset_report *r, size_t i, const struct rule_in *in)
{
    enum rule_action action = ruleset_action(in->action);
    if (in->id.len > RULESET_REF_MAX || !utf8_valid(in->id))
        (void)ruleset_find_fault(r, i, "id", "the id is longer than %d bytes or not UTF-8", RULESET_REF_MAX);
    if (in->ref.len > RULESET_REF_MAX || !utf8_valid(in->ref))
        (void)ruleset_find_fault(r, i, "ref", "the ref is longer than %d bytes or not UTF-8",
                                 RULESET_REF_MAX);
    if (in->description.len > RULESET_TEXT_MAX || !utf8_valid(in->description))
        (void)ruleset_find_fault(r, i, "description", "the description is longer than %d bytes or not UTF-8",
                                 RULESET_TEXT_MAX);
    if (in->version < 0)
        (void)ruleset_find_fault(r, i, "version", "the version is negative");
    check_action(r, i, in->action);
    if (action != RULE_ACTION_NONE) {
        check_response(r, i, action, &in->response);
        check_skip(r, i, action, &in->skip);
    }
}
