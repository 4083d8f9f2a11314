/*
 * Compiled rulesets. Most rules of a long list begin with a comparison of the same field with constants (the
 * host, the path). For the two fields where that holds for most rules, a table leads from the field's value
 * to the rules that can match with it; the others need not be looked at, because their expression cannot be
 * true. What remains is evaluated in list order, so the answer is that of the plain loop.
 */
#include "rule/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "rule/code.h"
#include "rule/ruleset_check.h"

enum {
    RULESET_BLOCK = 8192,
    KEYS_MAX = 2,      /* fields with a table */
    KEY_RULES_MIN = 4, /* rules that must be guarded by a field for a table to pay */
    GUARD_VALUES_MAX = 512,
    WORDS_MAX = (RULESET_RULES_MAX + 63) / 64,
};

struct key {
    unsigned field;
    struct rule_set *values;
    uint32_t *start; /* by number of a value: first of its rules; one more at the end */
    uint16_t *rules;
};

struct ruleset {
    const struct rule_scheme *scheme;
    struct mem_region region;
    acd_slice id;
    int64_t version;
    struct rule_out *rules;
    size_t len;
    uint64_t *fields;
    uint64_t always[WORDS_MAX]; /* enabled rules without a guard */
    struct key keys[KEYS_MAX];
    unsigned nkeys;
};

/* "If the rule matches, the field is one of these values." */
struct guard {
    int field; /* -1: none */
    size_t n;
    acd_slice values[GUARD_VALUES_MAX];
};

static void
guard_of(const struct ast_node *n, struct guard *g)
{
    struct guard *kid;
    g->field = -1;
    g->n = 0;
    if (n->kind == AST_CMP && n->value->field >= 0 && n->value->nindexes == 0 && !n->list &&
        n->value->type.base == RULE_BYTES &&
        (n->op == AST_EQ || (n->op == AST_IN && n->nelems <= GUARD_VALUES_MAX))) {
        g->field = n->value->field;
        if (n->op == AST_EQ)
            g->values[g->n++] = n->literal.bytes;
        for (size_t i = 0; n->op == AST_IN && i < n->nelems; i++)
            g->values[g->n++] = n->elems[i].lo.bytes;
        return;
    }
    if (n->kind == AST_AND && n->type.depth == 0) {
        for (const struct ast_node *k = n->kids; k && g->field < 0; k = k->next)
            guard_of(k, g);
        return;
    }
    if (n->kind != AST_OR || n->type.depth > 0)
        return;
    kid = malloc(sizeof(*kid));
    for (const struct ast_node *k = n->kids; kid && k; k = k->next) {
        guard_of(k, kid);
        if (kid->field < 0 || (g->field >= 0 && g->field != kid->field) || g->n + kid->n > GUARD_VALUES_MAX) {
            g->field = -1;
            break;
        }
        g->field = kid->field;
        memcpy(g->values + g->n, kid->values, kid->n * sizeof(*kid->values));
        g->n += kid->n;
    }
    if (!kid)
        g->field = -1;
    free(kid);
}

/* The table of one field, over the rules whose guard it is. */
static int
build_key(struct ruleset *s, struct guard *guards, unsigned field, struct key *key)
{
    size_t n = 0, total = 0, numbers;
    for (size_t i = 0; i < s->len; i++)
        n += guards[i].field == (int)field ? guards[i].n : 0;
    struct rule_value *values = calloc(n + 1, sizeof(*values));
    if (!values)
        return ACD_ENOMEM;
    n = 0;
    for (size_t i = 0; i < s->len; i++)
        for (size_t k = 0; guards[i].field == (int)field && k < guards[i].n; k++)
            values[n++] = rule_bytes_value(guards[i].values[k].ptr, guards[i].values[k].len);
    int r = rule_set_new(RULE_BYTES, values, NULL, n, &key->values);
    free(values);
    if (r < 0)
        return r;
    numbers = key->values->slots ? (size_t)key->values->mask + 1 : key->values->len;
    key->field = field;
    key->start = mem_new_n(&s->region, numbers + 2, uint32_t);
    key->rules = mem_new_n(&s->region, n + 1, uint16_t);
    if (!key->start || !key->rules)
        return ACD_ENOMEM;
    /* Count, sum up, then fill from the front: rules stay in list order. */
    for (int fill = 0; fill < 2; fill++) {
        for (size_t i = 0; i < s->len; i++)
            for (size_t k = 0; guards[i].field == (int)field && k < guards[i].n; k++) {
                acd_slice v = guards[i].values[k];
                int64_t at = rule_set_index(key->values, v.ptr, v.len);
                must(at >= 0);
                if (fill)
                    key->rules[key->start[at + 1]++] = (uint16_t)i;
                else
                    key->start[at + 2]++;
            }
        for (size_t i = 0; !fill && i < numbers; i++) {
            total += key->start[i + 2];
            key->start[i + 2] = (uint32_t)total;
        }
    }
    return 0;
}

static int
build_keys(struct ruleset *s)
{
    struct guard *guards = calloc(s->len + 1, sizeof(*guards));
    uint16_t *count = calloc(RULE_FIELDS_MAX, sizeof(*count));
    int r = guards && count ? 0 : ACD_ENOMEM;
    for (size_t i = 0; r == 0 && i < s->len; i++) {
        guards[i].field = -1;
        if (!s->rules[i].enabled)
            continue;
        guard_of(rule_tree(s->rules[i].prog)->root, &guards[i]);
        if (guards[i].field >= 0)
            count[guards[i].field]++;
    }
    while (r == 0 && s->nkeys < KEYS_MAX) {
        unsigned best = 0;
        for (unsigned f = 1; f < RULE_FIELDS_MAX; f++)
            best = count[f] > count[best] ? f : best;
        if (count[best] < KEY_RULES_MIN)
            break;
        count[best] = 0;
        r = build_key(s, guards, best, &s->keys[s->nkeys++]);
    }
    for (size_t i = 0; r == 0 && i < s->len; i++) {
        bool keyed = !s->rules[i].enabled;
        for (unsigned k = 0; k < s->nkeys; k++)
            keyed = keyed || guards[i].field == (int)s->keys[k].field;
        if (!keyed)
            s->always[i / 64] |= UINT64_C(1) << i % 64;
    }
    free(guards);
    free(count);
    return r;
}

static bool
copy_slice(struct ruleset *s, acd_slice from, acd_slice *to)
{
    *to = from.ptr ? mem_slice(&s->region, from) : (acd_slice){NULL, 0};
    return !from.ptr || to->ptr;
}

static acd_slice *
copy_slices(struct ruleset *s, const acd_slice *from, size_t n)
{
    acd_slice *to = mem_new_n(&s->region, n + 1, acd_slice);
    for (size_t i = 0; to && i < n; i++)
        if (!copy_slice(s, from[i], &to[i]))
            return NULL;
    return to;
}

static int
copy_skip(struct ruleset *s, const struct rule_skip_in *in, struct rule_out *out)
{
    struct rule_skip_in *to = mem_new(&s->region, struct rule_skip_in);
    struct rule_skip_ids *rules = mem_new_n(&s->region, in->nrules + 1, struct rule_skip_ids);
    if (!to || !rules)
        return ACD_ENOMEM;
    for (size_t i = 0; i < in->nphases; i++)
        out->skip_phases |= rule_phase_find(in->phases[i]);
    for (size_t i = 0; i < in->nproducts; i++)
        out->skip_products |= rule_product_find(in->products[i]);
    out->skip_ruleset = in->ruleset.ptr != NULL;
    out->skip_phase = in->phase.ptr != NULL;
    to->rulesets = copy_slices(s, in->rulesets, in->nrulesets);
    to->nrulesets = in->nrulesets;
    to->rules = rules;
    to->nrules = in->nrules;
    for (size_t i = 0; i < in->nrules; i++) {
        rules[i].rules = copy_slices(s, in->rules[i].rules, in->rules[i].nrules);
        rules[i].nrules = in->rules[i].nrules;
        if (!rules[i].rules || !copy_slice(s, in->rules[i].ruleset, &rules[i].ruleset))
            return ACD_ENOMEM;
    }
    out->skip = to;
    return to->rulesets ? 0 : ACD_ENOMEM;
}

static int
copy_rule(struct ruleset *s, const struct rule_in *in, struct rule_out *out)
{
    out->version = in->version;
    out->enabled = !in->disabled;
    out->action = ruleset_action(in->action);
    out->logging = in->logging != RULE_LOG_OFF;
    if (!copy_slice(s, in->id, &out->id) || !copy_slice(s, in->ref.len ? in->ref : in->id, &out->ref) ||
        !copy_slice(s, in->description, &out->description))
        return ACD_ENOMEM;
    if (out->action == RULE_ACTION_BLOCK) {
        out->status = in->response.present ? (uint16_t)in->response.status_code : RULE_BLOCK_STATUS;
        if (in->response.present && (!copy_slice(s, in->response.content, &out->content) ||
                                     !copy_slice(s, in->response.content_type, &out->content_type)))
            return ACD_ENOMEM;
    }
    return out->action == RULE_ACTION_SKIP ? copy_skip(s, &in->skip, out) : 0;
}

/* Errors of one expression, all that can be told. */
static int
report_expression(struct ruleset *s, struct ruleset_report *report, size_t i, acd_slice text)
{
    struct rule_error errors[RULE_ERRORS_MAX];
    struct mem_region region;
    unsigned n = 0;
    mem_init(&region, RULESET_BLOCK, 0);
    int r = rule_parse_all(s->scheme, text, &region, errors, RULE_ERRORS_MAX, &n);
    mem_done(&region);
    for (unsigned k = 0; k < n; k++) {
        struct ruleset_finding *f = ruleset_find_fault(report, i, "expression", "%s", errors[k].message);
        if (f) {
            f->has_error = true;
            f->error = errors[k];
        }
    }
    return r == ACD_EINVAL ? 0 : r;
}

static int
compile_rule(struct ruleset *s, struct ruleset_report *report, size_t i, acd_slice text)
{
    struct rule_prog *prog;
    struct rule_error error;
    size_t before = report->to->errors;
    int r = rule_compile(s->scheme, text, &prog, &error);
    if (r == ACD_EINVAL) {
        r = report_expression(s, report, i, text);
        if (r == 0 && report->to->errors == before) { /* found only when the program was made */
            struct ruleset_finding *f = ruleset_find_fault(report, i, "expression", "%s", error.message);
            if (f) {
                f->has_error = true;
                f->error = error;
            }
        }
        return r;
    }
    if (r < 0)
        return r;
    s->rules[i].prog = prog;
    const char *warning = rule_warning(prog);
    if (warning) {
        struct ruleset_finding *f = ruleset_find_fault(report, i, "expression", "%s", warning);
        if (f) {
            f->warning = true;
            report->to->errors--;
        }
    }
    for (unsigned k = 0; k < prog->nreads; k++)
        s->fields[prog->reads[k] / 64] |= UINT64_C(1) << prog->reads[k] % 64;
    return 0;
}

/* ids and refs occur once. */
static int
check_unique(struct ruleset_report *report, const struct rule_in *rules, size_t n)
{
    struct map ids = {0}, refs = {0};
    int r = 0;
    for (size_t i = 0; r == 0 && i < n; i++) {
        void *old = NULL;
        acd_slice ref = rules[i].ref.len ? rules[i].ref : rules[i].id;
        if (rules[i].id.len && (r = map_put(&ids, rules[i].id, (void *)&rules[i], &old)) == 0 && old)
            (void)ruleset_find_fault(report, i, "id", "the id is used twice");
        old = NULL;
        if (r == 0 && ref.len && (r = map_put(&refs, ref, (void *)&rules[i], &old)) == 0 && old)
            (void)ruleset_find_fault(report, i, "ref", "the ref is used twice");
    }
    map_done(&ids);
    map_done(&refs);
    return r;
}

static int
build(struct ruleset *s, const struct rule_in *rules, size_t n, struct ruleset_report *report)
{
    int r = check_unique(report, rules, n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        size_t before = report->to->errors;
        ruleset_check_rule(report, i, &rules[i]);
        bool fine = report->to->errors == before;
        r = compile_rule(s, report, i, rules[i].expression);
        if (r == 0 && fine)
            r = copy_rule(s, &rules[i], &s->rules[i]);
    }
    if (report->no_memory)
        r = ACD_ENOMEM;
    if (r == 0 && report->to->errors > 0)
        r = ACD_EINVAL;
    return r == 0 ? build_keys(s) : r;
}

int
ruleset_new(const struct rule_scheme *scheme, acd_slice id, int64_t version, const struct rule_in *rules,
            size_t n, struct ruleset **ret, struct ruleset_findings *ret_findings)
{
    struct ruleset_report report = {.to = ret_findings};
    struct ruleset *s = calloc(1, sizeof(*s));
    *ret_findings = (struct ruleset_findings){0};
    if (!s)
        return ACD_ENOMEM;
    mem_init(&s->region, RULESET_BLOCK, 0);
    s->scheme = scheme;
    s->version = version;
    int r = ACD_ENOMEM;
    if (n > RULESET_RULES_MAX) {
        (void)ruleset_find_fault(&report, RULESET_RULES_MAX, "rules", "more than %d rules",
                                 RULESET_RULES_MAX);
        r = report.no_memory ? ACD_ENOMEM : ACD_EINVAL;
    } else {
        s->rules = mem_new_n(&s->region, n + 1, struct rule_out);
        s->fields = mem_new_n(&s->region, (scheme->nfields + 63) / 64, uint64_t);
        s->len = s->rules ? n : 0;
        if (s->rules && s->fields && copy_slice(s, id, &s->id))
            r = build(s, rules, n, &report);
    }
    if (r < 0)
        ruleset_free(s);
    else
        *ret = s;
    return r;
}

void
ruleset_free(struct ruleset *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->len; i++)
        rule_free((struct rule_prog *)s->rules[i].prog);
    for (unsigned k = 0; k < s->nkeys; k++)
        rule_set_free(s->keys[k].values);
    mem_done(&s->region);
    free(s);
}

size_t
ruleset_len(const struct ruleset *s)
{
    return s->len;
}

const struct rule_out *
ruleset_at(const struct ruleset *s, size_t i)
{
    must(i < s->len);
    return &s->rules[i];
}

const uint64_t *
ruleset_fields(const struct ruleset *s)
{
    return s->fields;
}

/* Adds the rules that the value of the key's field allows. */
static void
add_candidates(const struct ruleset *s, const struct key *key, struct rule_ctx *c, uint64_t *words)
{
    const struct rule_value *v = rule_ctx_get(c, key->field);
    if (!v) { /* the rules that read it will say so, each at its turn */
        for (size_t i = 0; i < s->len; i++)
            if (s->rules[i].enabled)
                words[i / 64] |= UINT64_C(1) << i % 64;
        return;
    }
    int64_t at = v->tag == RULE_V_BYTES ? rule_set_index(key->values, v->bytes.ptr, v->bytes.len) : -1;
    if (at < 0)
        return;
    for (uint32_t i = key->start[at]; i < key->start[at + 1]; i++)
        words[key->rules[i] / 64] |= UINT64_C(1) << key->rules[i] % 64;
}

static void
log_match(struct ruleset_answer *a, const struct rule_out *rule)
{
    if (!rule->logging)
        return;
    if (a->nlogged < RULESET_LOG_MAX)
        a->logged[a->nlogged] = rule;
    a->nlogged++;
}

/* True: the evaluation ends here. */
static bool
matched(struct ruleset_answer *a, const struct rule_out *rule)
{
    if (rule_action_terminates(rule->action)) {
        a->action = rule->action;
        a->rule = rule;
        return true;
    }
    log_match(a, rule);
    a->skip_phases |= rule->skip_phases;
    a->skip_products |= rule->skip_products;
    a->stopped = rule->skip_ruleset || rule->skip_phase;
    return a->stopped;
}

void
ruleset_eval(const struct ruleset *s, struct rule_ctx *c, struct ruleset_answer *ret)
{
    uint64_t words[WORDS_MAX];
    size_t nwords = (s->len + 63) / 64;
    struct rule_result result;
    ret->error = ret->stopped = false;
    ret->reason = NULL;
    ret->action = RULE_ACTION_NONE;
    ret->rule = NULL;
    ret->skip_phases = ret->skip_products = 0;
    ret->nlogged = 0;
    ret->steps = 0;
    for (size_t w = 0; w < nwords; w++)
        words[w] = s->always[w];
    for (unsigned k = 0; k < s->nkeys; k++)
        add_candidates(s, &s->keys[k], c, words);
    for (size_t w = 0; w < nwords; w++) {
        for (; words[w]; words[w] &= words[w] - 1) {
            const struct rule_out *rule = &s->rules[64 * w + (unsigned)__builtin_ctzll(words[w])];
            enum rule_outcome outcome = rule_eval(rule->prog, c, &result);
            ret->steps += result.steps;
            if (outcome == RULE_FALSE)
                continue;
            if (outcome == RULE_FAILED) {
                ret->error = true;
                ret->reason = result.reason;
                ret->rule = rule;
                return;
            }
            if (matched(ret, rule))
                return;
        }
    }
}
