/*
 * What a change comes to, before it is made: the guard of the last CA of a host, and the answer to a dry run.
 * Both see the change from inside its transaction; `before` is a session that does not see it (preview.h).
 */
#ifndef CORE_EFFECT_H
#define CORE_EFFECT_H

#include "core/unit.h"

/* ACD_EPRECOND: hosts that have a valid CA now would have none; they become details of the call. */
int effect_guard(struct unit *u, struct plug_session *before, acd_err *err) ACD_MUSTCHECK;

/* Fills the reply's ChangeEffect. */
int effect_tell(struct unit *u, struct plug_session *before, acd_err *err) ACD_MUSTCHECK;

#endif
