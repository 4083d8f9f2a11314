/* A note without a descriptor of that name. */
#include "zoo.h"

#define acd_plugin_1 acd_plugin_other
ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "bad-symbol", .caps = 0);
