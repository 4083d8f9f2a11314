#include "zoo.h"

ZOO_OPS(.struct_size = 24);
ZOO(ACD_VALIDATOR, "bad-ops-size", .caps = 0);
