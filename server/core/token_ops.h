/* Tokens go with their account. */
#ifndef CORE_TOKEN_OPS_H
#define CORE_TOKEN_OPS_H

#include "core/unit.h"

/* Inside the transaction that deletes the account. */
int tokens_drop(struct unit *u, const acd_value *account, acd_err *err) ACD_MUSTCHECK;

#endif
