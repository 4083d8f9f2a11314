#include "zoo.h"

ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "bad-ops", .ops = NULL);
