#include "zoo.h"

ZOO_BITES
ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "Bad Name", .caps = 0);
