/* What a dry run would have come to, as the server's reply says beside the response. */
#ifndef ANCHORCTL_EFFECT_H
#define ANCHORCTL_EFFECT_H

#include "ctl.h"

/* Keeps it for the output of the command; NULL is fine. */
void effect_keep(struct ctl *c, const Anchord__V1__ChangeEffect *effect);
/* Into the object that is printed as JSON, as its member "effect". */
void effect_join(const struct ctl *c, json_t *value);
/* Human form, behind the rest. */
void effect_show(struct ctl *c);

#endif
