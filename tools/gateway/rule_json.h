/* Rules and rulesets between the JSON of the v4 API and the server's messages. */
#ifndef GATEWAY_RULE_JSON_H
#define GATEWAY_RULE_JSON_H

#include "json.h"

/* Fills a rule from an object; unknown members are passed over. False: the reply says what is wrong. */
bool rule_read(struct gw *g, const struct at *at, Anchord__V1__Rule *rule) ACD_MUSTCHECK;
/* The member "rules", a list of them. */
bool rules_read(struct gw *g, const struct at *at, enum need need, Anchord__V1__PutRulesRequest *req,
                bool *ret_there) ACD_MUSTCHECK;

json_t *rule_json(const Anchord__V1__Rule *rule);
json_t *ruleset_json(const Anchord__V1__Ruleset *set, bool with_rules);

/* What a write was refused for, as the API says it. only: the request was about this rule of the list alone;
 * SIZE_MAX: it was about all of them. */
void rules_fail(struct gw *g, const struct resource *what, const Anchord__V1__PutRulesRequest *req,
                const struct admin_result *res, size_t only);

#endif
