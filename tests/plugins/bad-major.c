#include "zoo.h"

#undef ACD_PLUGIN_MAJOR
#define ACD_PLUGIN_MAJOR 9u

ZOO_BITES
ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "bad-major", .caps = 0);
