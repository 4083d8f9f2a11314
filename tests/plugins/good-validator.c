#include "zoo.h"

ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "good-validator", .caps = ACD_VERIFY_BOUNDED | 1ull << 20);
