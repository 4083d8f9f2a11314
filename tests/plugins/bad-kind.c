/* The note says quota where a validator was asked for; its code must not run. */
#include "zoo.h"

ZOO_BITES
ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_QUOTA, "bad-kind", .caps = 0);
