/* /zones/{zone}/rulesets/{ruleset}/rules: one rule of a ruleset. Each answer is the whole ruleset. */
#include <string.h>

#include "base/str.h"
#include "res.h"
#include "ruleset.h"

enum { NO_RULE = 10002, BAD_POSITION = 20129 };

/* What the request is about. */
struct one {
    struct at at;
    Anchord__V1__Rule *rule; /* the new definition; NULL: the old one stays */
    const char *id;          /* "" : a new rule */
    struct at position;      /* object NULL: where it is, or last */
};

static size_t
find_rule(Anchord__V1__Rule *const *rules, size_t n, const char *id)
{
    size_t i = 0;
    while (i < n && strcmp(rules[i]->id, id) != 0)
        i++;
    return i;
}

/* --- position ---------------------------------------------------------------------------------------------
 */

static bool
bad_position(struct gw *g, const struct one *one, const char *why)
{
    gw_fail(g, 400, BAD_POSITION, one->position.pointer, "position %s", why);
    return false;
}

/* Among the n other rules: the place that the rule gets. */
static bool
find_place(struct gw *g, const struct one *one, Anchord__V1__Rule *const *others, size_t n, size_t *ret)
{
    const struct at *at = &one->position;
    const char *before = NULL, *after = NULL;
    int64_t index = INT64_MIN;
    if (!get_text(g, at, "before", OPTIONAL, &before) || !get_text(g, at, "after", OPTIONAL, &after) ||
        !get_int(g, at, "index", OPTIONAL, &index))
        return false;
    if ((before != NULL) + (after != NULL) + (index != INT64_MIN) != 1)
        return bad_position(g, one, "is one of before, after and index");
    if (index != INT64_MIN) {
        *ret = (size_t)(index - 1);
        return index >= 1 && (uint64_t)index <= n + 1 ? true
                                                      : bad_position(g, one, "has an index out of range");
    }
    const char *id = before ? before : after;
    if (!id[0]) {
        *ret = before ? 0 : n;
        return true;
    }
    size_t i = find_rule(others, n, id);
    *ret = i + (after != NULL);
    return i < n ? true : bad_position(g, one, "names a rule that is not in the ruleset");
}

/* --- edits ------------------------------------------------------------------------------------------------
 */

/* Rules of `now` without the one at `leave_out`, with room for one more. */
static bool
copy_others(struct gw *g, const Anchord__V1__Ruleset *now, size_t leave_out,
            Anchord__V1__PutRulesRequest *req)
{
    req->rules = gw_need(g, mem_new_n(g->region, now->n_rules + 1, Anchord__V1__Rule *));
    if (!req->rules)
        return false;
    for (size_t i = 0; i < now->n_rules; i++)
        if (i != leave_out)
            req->rules[req->n_rules++] = now->rules[i];
    return true;
}

static bool
find_old(struct gw *g, const Anchord__V1__Ruleset *now, const char *id, size_t *ret)
{
    *ret = find_rule(now->rules, now->n_rules, id);
    if (*ret < now->n_rules)
        return true;
    gw_fail(g, 404, NO_RULE, NULL, "could not find rule");
    return false;
}

static bool
edit_put(struct gw *g, const Anchord__V1__Ruleset *now, Anchord__V1__PutRulesRequest *req, void *ctx,
         size_t *ret_only)
{
    const struct one *one = ctx;
    size_t old = now->n_rules;
    if (one->id[0] && !find_old(g, now, one->id, &old))
        return false;
    if (!copy_others(g, now, old, req))
        return false;
    size_t place = old; /* a new rule comes last */
    if (one->position.object && !find_place(g, one, req->rules, req->n_rules, &place))
        return false;
    memmove(&req->rules[place + 1], &req->rules[place], (req->n_rules - place) * sizeof(*req->rules));
    req->rules[place] = one->rule ? one->rule : now->rules[old];
    req->n_rules++;
    *ret_only = place;
    return true;
}

static bool
edit_drop(struct gw *g, const Anchord__V1__Ruleset *now, Anchord__V1__PutRulesRequest *req, void *ctx,
          size_t *ret_only)
{
    size_t old;
    (void)ret_only;
    return find_old(g, now, ctx, &old) && copy_others(g, now, old, req);
}

/* --- handlers ---------------------------------------------------------------------------------------------
 */

static bool
read_rule(struct gw *g, struct one *one)
{
    one->rule = gw_new(g, Anchord__V1__Rule, anchord__v1__rule);
    if (!one->rule || !rule_read(g, &one->at, one->rule))
        return false;
    one->rule->id = (char *)one->id;
    return true;
}

void
rule_add(struct gw *g)
{
    struct one one = {.id = ""};
    if (body_read(g, REQUIRED, &one.at) && get_object(g, &one.at, "position", OPTIONAL, &one.position) &&
        read_rule(g, &one))
        ruleset_change(g, gw_param(g, "ruleset"), &(struct ruleset_edit){edit_put, &one});
}

/* A body with nothing but a position moves the rule; any other one is its new definition. */
void
rule_patch(struct gw *g)
{
    struct one one = {.id = gw_param(g, "rule")};
    if (!body_read(g, REQUIRED, &one.at) || !get_object(g, &one.at, "position", OPTIONAL, &one.position))
        return;
    bool moves = one.position.object && json_object_size(one.at.object) == 1;
    if (moves || read_rule(g, &one))
        ruleset_change(g, gw_param(g, "ruleset"), &(struct ruleset_edit){edit_put, &one});
}

void
rule_delete(struct gw *g)
{
    ruleset_change(g, gw_param(g, "ruleset"), &(struct ruleset_edit){edit_drop, gw_param(g, "rule")});
}
