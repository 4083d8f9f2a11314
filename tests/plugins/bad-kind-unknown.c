#include "zoo.h"

ZOO_BITES
ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(77, "bad-kind-unknown", .caps = 0);
