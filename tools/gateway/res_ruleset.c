/* /zones/{zone}/rulesets: the one ruleset of a zone, as a whole. */
#include <string.h>

#include "base/str.h"
#include "res.h"
#include "ruleset.h"
#include "v4.h"

#define PHASE "http_request_firewall_custom"

enum {
    BAD_FIELD = 1419,
    NO_RULESET = 10001,
    NO_ENTRYPOINT = 10003,
    BAD_KIND = 20116,
    BAD_PHASE = 20117,
    EXISTS = 20217,
    TRIES = 16, /* of a change that others get in the way of */
};

const struct resource ruleset_resource = {
    .missing_code = NO_RULESET,
    .missing = "could not find ruleset",
    .invalid_code = 20128,
    .fields = {{"name", "/name"}, {"description", "/description"}, {"rules", "/rules"}},
};

static bool
is_dry(const struct gw *g)
{
    return query_flag(&g->query, "dry_run");
}

/* The ruleset of the zone; id: which it must be, or "". NULL: the reply says why. */
static const Anchord__V1__Ruleset *
fetch(struct gw *g, const char *id)
{
    Anchord__V1__ListRulesRequest *of_zone =
        gw_new(g, Anchord__V1__ListRulesRequest, anchord__v1__list_rules_request);
    Anchord__V1__GetRulesetRequest *by_id =
        gw_new(g, Anchord__V1__GetRulesetRequest, anchord__v1__get_ruleset_request);
    if (!of_zone || !by_id)
        return NULL;
    of_zone->zone = by_id->zone = gw_param(g, "zone");
    by_id->id = (char *)id;
    return id[0] ? gw_ask(g, &ruleset_resource, "RuleService/GetRuleset", by_id)
                 : gw_ask(g, &ruleset_resource, "RuleService/ListRules", of_zone);
}

static void
reply(struct gw *g, const Anchord__V1__PutRulesResponse *resp)
{
    v4_ok(g, resp->dry_run ? json_null() : ruleset_json(resp->ruleset, true));
}

/* One attempt. True: the request has its reply. */
static bool
try_change(struct gw *g, const char *id, const struct ruleset_edit *edit, bool last)
{
    const struct admin_result *res;
    const void *resp;
    size_t only = SIZE_MAX;
    const Anchord__V1__Ruleset *now = fetch(g, id);
    Anchord__V1__PutRulesRequest *req =
        now ? gw_new(g, Anchord__V1__PutRulesRequest, anchord__v1__put_rules_request) : NULL;
    if (!req || !(req->expected = gw_new(g, Anchord__V1__Precondition, anchord__v1__precondition)))
        return true;
    req->zone = gw_param(g, "zone");
    req->dry_run = is_dry(g);
    req->expected->revision = now->revision;
    if (!edit->run(g, now, req, edit->ctx, &only))
        return true;
    int rc = gw_try(g, "RuleService/PutRules", req, &resp, &res);
    if (rc == ACD_ECONFLICT && !last)
        return false;
    if (rc < 0)
        rules_fail(g, &ruleset_resource, req, res, only);
    else
        reply(g, resp);
    return true;
}

void
ruleset_change(struct gw *g, const char *id, const struct ruleset_edit *edit)
{
    for (unsigned n = 1; !try_change(g, id, edit, n == TRIES); n++)
        ;
}

/* --- reading ----------------------------------------------------------------------------------------------
 */

void
ruleset_list(struct gw *g)
{
    const Anchord__V1__Ruleset *set = fetch(g, "");
    if (!set)
        return;
    json_t *list = js_array();
    if (set->id[0])
        js_add(list, ruleset_json(set, false));
    v4_ok(g, list);
}

void
ruleset_get(struct gw *g)
{
    const Anchord__V1__Ruleset *set = fetch(g, gw_param(g, "ruleset"));
    if (set)
        v4_ok(g, ruleset_json(set, true));
}

void
entrypoint_get(struct gw *g)
{
    const char *phase = gw_param(g, "phase");
    const Anchord__V1__Ruleset *set = fetch(g, "");
    if (!set)
        return;
    if (set->id[0] && strcmp(phase, PHASE) == 0)
        v4_ok(g, ruleset_json(set, true));
    else
        gw_fail(g, 404, NO_ENTRYPOINT, NULL, "could not find entrypoint ruleset in the %s phase", phase);
}

/* --- writing ----------------------------------------------------------------------------------------------
 */

static bool
read_description(struct gw *g, const struct at *at, Anchord__V1__PutRulesRequest *req)
{
    const char *description = NULL;
    if (!get_text(g, at, "description", OPTIONAL, &description))
        return false;
    req->set_description = description != NULL;
    req->description = WIRE_STR(description);
    return true;
}

/* Name and kind do not change. */
static bool
edit_all(struct gw *g, const Anchord__V1__Ruleset *now, Anchord__V1__PutRulesRequest *req, void *ctx,
         size_t *ret_only)
{
    const struct at *at = ctx;
    const char *name = "";
    bool there = false;
    (void)ret_only;
    if (!rules_read(g, at, OPTIONAL, req, &there) || !read_description(g, at, req) ||
        !get_text(g, at, "name", OPTIONAL, &name))
        return false;
    req->name = WIRE_STR(name);
    req->keep_rules = !there && now->id[0];
    return true;
}

void
ruleset_put(struct gw *g)
{
    struct at at;
    if (body_read(g, REQUIRED, &at))
        ruleset_change(g, gw_param(g, "ruleset"), &(struct ruleset_edit){edit_all, &at});
}

void
entrypoint_put(struct gw *g)
{
    struct at at;
    const char *phase = gw_param(g, "phase");
    if (strcmp(phase, PHASE) != 0)
        gw_fail(g, 400, BAD_PHASE, NULL, "'%s' is not a valid value for phase because it is not available",
                phase);
    else if (body_read(g, REQUIRED, &at))
        ruleset_change(g, "", &(struct ruleset_edit){edit_all, &at});
}

/* A constant of this product: the only value that a member may have. */
static bool
read_constant(struct gw *g, const struct at *at, const char *name, const char *only, unsigned code)
{
    const char *value = NULL;
    if (!get_text(g, at, name, REQUIRED, &value))
        return false;
    if (strcmp(value, only) == 0)
        return true;
    gw_fail(g, 400, code, pointer_to(g, at, name),
            "'%.64s' is not a valid value for %s: only '%s' is available", value, name, only);
    return false;
}

static bool
read_new(struct gw *g, const struct at *at, Anchord__V1__PutRulesRequest *req)
{
    const char *name = "";
    bool there;
    if (!get_text(g, at, "name", REQUIRED, &name) || !read_constant(g, at, "kind", "zone", BAD_KIND) ||
        !read_constant(g, at, "phase", PHASE, BAD_PHASE) || !rules_read(g, at, REQUIRED, req, &there) ||
        !read_description(g, at, req))
        return false;
    req->name = WIRE_STR(name);
    if (name[0])
        return true;
    gw_fail(g, 400, BAD_FIELD, "/name", "name must not be empty");
    return false;
}

/* Expected to be the first: revision 0. */
void
ruleset_create(struct gw *g)
{
    struct at at;
    const struct admin_result *res;
    const void *resp;
    Anchord__V1__PutRulesRequest *req =
        gw_new(g, Anchord__V1__PutRulesRequest, anchord__v1__put_rules_request);
    if (!req || !(req->expected = gw_new(g, Anchord__V1__Precondition, anchord__v1__precondition)) ||
        !body_read(g, REQUIRED, &at) || !read_new(g, &at, req))
        return;
    req->zone = gw_param(g, "zone");
    req->dry_run = is_dry(g);
    int rc = gw_try(g, "RuleService/PutRules", req, &resp, &res);
    if (rc == ACD_ECONFLICT)
        gw_fail(g, 400, EXISTS, "/kind",
                "'zone' is not a valid value for kind because exceeded maximum number of zone rulesets for "
                "phase " PHASE);
    else if (rc < 0)
        rules_fail(g, &ruleset_resource, req, res, SIZE_MAX);
    else
        reply(g, resp);
}

void
ruleset_delete(struct gw *g)
{
    Anchord__V1__DeleteRulesetRequest *req =
        gw_new(g, Anchord__V1__DeleteRulesetRequest, anchord__v1__delete_ruleset_request);
    if (!req)
        return;
    req->zone = gw_param(g, "zone");
    req->id = gw_param(g, "ruleset");
    req->dry_run = is_dry(g);
    if (gw_ask(g, &ruleset_resource, "RuleService/DeleteRuleset", req))
        v4_nothing(g);
}
