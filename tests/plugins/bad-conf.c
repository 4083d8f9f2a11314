/* The default of an item is outside its range. */
#include "zoo.h"

static const acd_conf_item items[] = {
    {.struct_size = sizeof(acd_conf_item),
     .type = ACD_CONF_INT,
     .key = "depth",
     .dflt = "9",
     .help = "x",
     .lo = 1,
     .hi = 8},
};
ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "bad-conf", .conf = items, .conf_n = 1);
