/* A descriptor without a note. */
#include "zoo.h"

ZOO_BITES
ZOO_OPS(.struct_size = sizeof(zoo_ops));
ACD_EXPORT extern const acd_plugin acd_plugin_1;
ACD_EXPORT const acd_plugin acd_plugin_1 = {.struct_size = sizeof(acd_plugin),
                                            .major = ACD_PLUGIN_MAJOR,
                                            .kind = ACD_VALIDATOR,
                                            .name = "bad-no-note",
                                            .version = "1",
                                            .ops = &zoo_ops};
