/* Changing the ruleset of a zone: read it, edit it, write it if nobody else did meanwhile, or begin again. */
#ifndef GATEWAY_RULESET_H
#define GATEWAY_RULESET_H

#include "rule_json.h"

extern const struct resource ruleset_resource;

struct ruleset_edit {
    /* Fills req from what is there now. False: the reply says why not. May run several times. */
    bool (*run)(struct gw *g, const Anchord__V1__Ruleset *now, Anchord__V1__PutRulesRequest *req, void *ctx,
                size_t *ret_only);
    void *ctx;
};

/* id: of the ruleset that it must be; "": the zone's, also when it was never written. Replies with the whole
 * ruleset, or with nothing after a dry run. */
void ruleset_change(struct gw *g, const char *id, const struct ruleset_edit *edit);

#endif
