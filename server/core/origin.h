/* What other operations need of the custom origin trust stores. Inside a unit. */
#ifndef CORE_ORIGIN_H
#define CORE_ORIGIN_H

#include "core/unit.h"

/* The store of a zone that is being deleted goes with it. */
int origin_drop(struct unit *u, const acd_value *zone, acd_err *err) ACD_MUSTCHECK;

#endif
