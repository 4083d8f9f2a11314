/* Needs a function that nobody has. */
#include "zoo.h"

int nobody_has_this(void *inst, acd_err *err);
ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "bad-undefined", .health = nobody_has_this);
